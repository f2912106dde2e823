//! User rules for expected differences, permanent or with an end date.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, bail};
use migrate_audit::plain_file;
use recording::usage::{day_name, day_of};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Comparison, Kind, Verdict};

/// Rules read from a file.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    today: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default)]
    rule: Vec<Rule>,
}

/// An expected difference.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// Operation, or a prefix: `user/*`.
    #[serde(default = "any")]
    operation: String,
    /// Field (`users[].pmi`), or a prefix: `settings.*`.
    field: String,
    /// Kind of difference; any kind if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    /// Why the difference is acceptable.
    reason: String,
    /// Last day on which the rule applies; no limit if omitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

fn any() -> String {
    "*".to_owned()
}

impl Rules {
    /// Reads a rules file.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is invalid.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = plain_file::read_text(path)
            .with_context(|| format!("--rules: {} cannot be read", path.display()))?;
        Self::parse(&text, &today())
            .with_context(|| format!("--rules: {} cannot be used", path.display()))
    }

    fn parse(text: &str, today: &str) -> anyhow::Result<Self> {
        let Shape { rule: rules } = toml::from_str(text)?;
        for rule in &rules {
            if rule.reason.trim().is_empty() {
                bail!("the rule for {} has no reason", rule.field);
            }
            if let Some(day) = &rule.expires {
                check_day(day).with_context(|| format!("the rule for {}", rule.field))?;
            }
        }
        Ok(Self {
            rules,
            today: today.to_owned(),
        })
    }

    /// Sets the verdict `accepted` and the reason on differences that a rule covers.
    pub(crate) fn apply(&self, comparison: &mut Comparison) {
        let operation = comparison.operation.clone().unwrap_or_default();
        let unexpected = |row: &&mut super::Row| row.verdict == Verdict::Unexpected;
        for row in comparison.rows.iter_mut().filter(unexpected) {
            let fits = |rule: &&Rule| {
                fits(&rule.operation, &operation)
                    && fits(&rule.field, &row.field)
                    && rule.kind.is_none_or(|kind| Some(kind) == row.kind)
            };
            let (live, ended): (Vec<_>, Vec<_>) = self
                .rules
                .iter()
                .filter(fits)
                .partition(|rule| self.is_live(rule));
            if let Some(rule) = live.first() {
                row.verdict = Verdict::Accepted;
                row.reason.clone_from(&rule.reason);
            } else if let Some(day) = ended.first().and_then(|rule| rule.expires.as_ref()) {
                row.reason = format!("{}; accepted until {day}", row.reason);
            }
        }
    }

    fn is_live(&self, rule: &Rule) -> bool {
        // ISO dates sort as text.
        rule.expires.as_ref().is_none_or(|day| *day >= self.today)
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

/// Appends rules that accept the unexpected differences until a day. Returns the number of rules.
pub(crate) fn accept(
    path: &Path,
    comparisons: &[Comparison],
    reason: &str,
    until: &str,
) -> anyhow::Result<usize> {
    if reason.trim().is_empty() {
        bail!("--accept needs a reason");
    }
    check_day(until).context("--until")?;
    if *until < *today() {
        bail!("--until {until} has passed");
    }
    let mut accepted: Vec<Rule> = Vec::new();
    for comparison in comparisons {
        let operation = comparison.operation.clone().unwrap_or_else(any);
        for row in super::unexpected(comparison) {
            let rule = Rule {
                operation: operation.clone(),
                field: row.field.clone(),
                kind: row.kind,
                reason: reason.to_owned(),
                expires: Some(until.to_owned()),
            };
            if !accepted.contains(&rule) {
                accepted.push(rule);
            }
        }
    }
    if accepted.is_empty() {
        return Ok(0);
    }
    let text = toml::to_string(&Shape {
        rule: accepted.clone(),
    })?;
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("--rules: {} cannot be written", path.display()))?;
    file.write_all(format!("\n{text}").as_bytes())?;
    Ok(accepted.len())
}

fn check_day(text: &str) -> anyhow::Result<()> {
    day_of(text)
        .filter(|day| day_name(*day) == text)
        .with_context(|| format!("{text} is not a day; write it as 2027-01-31"))?;
    Ok(())
}

fn today() -> String {
    day_name(OffsetDateTime::now_utc().date())
}

#[cfg(test)]
mod tests {
    use mappings::Catalog;
    use serde_json::json;

    use super::*;

    fn comparison() -> Comparison {
        let catalog = Catalog::embedded().unwrap();
        let (old, new) = (
            json!({ "pmi": 1, "dept": "a" }),
            json!({ "pmi": "1", "dept": "b" }),
        );
        let operation = catalog.find("user/get");
        Comparison::of_answers(&catalog, operation, "1", ("a", &old), ("b", &new))
    }

    fn verdicts(rules: &str) -> Vec<String> {
        let mut comparison = comparison();
        Rules::parse(rules, "2026-06-01")
            .unwrap()
            .apply(&mut comparison);
        comparison
            .rows
            .iter()
            .map(|row| format!("{} {}", row.verdict, row.reason))
            .collect()
    }

    #[test]
    fn rules_accept_matching_differences() {
        let both = [
            "unexpected number became string",
            "unexpected another value",
        ];
        assert_eq!(verdicts(""), both);
        for rule in [
            "field = \"pmi\"",
            "field = \"p*\"",
            "field = \"pmi\"\noperation = \"user/get\"",
            "field = \"pmi\"\noperation = \"user/*\"\nkind = \"type\"",
            "field = \"pmi\"\nexpires = \"2026-06-01\"",
        ] {
            let accepted = verdicts(&format!("[[rule]]\n{rule}\nreason = \"known\"\n"));
            assert_eq!(
                accepted,
                ["accepted known", "unexpected another value"],
                "{rule}"
            );
        }
        for rule in [
            "field = \"pm\"",
            "field = \"pmi\"\noperation = \"user/list\"",
            "field = \"pmi\"\nkind = \"value\"",
        ] {
            assert_eq!(
                verdicts(&format!("[[rule]]\n{rule}\nreason = \"known\"\n")),
                both,
                "{rule}"
            );
        }
    }

    #[test]
    fn accepted_differences_expire() {
        let rules = "[[rule]]\nfield = \"pmi\"\nreason = \"known\"\nexpires = \"2026-05-31\"\n";
        let first = verdicts(rules).remove(0);
        assert_eq!(
            first,
            "unexpected number became string; accepted until 2026-05-31"
        );
    }

    #[test]
    fn rejects_invalid_rules() {
        for rules in [
            "[[rule]]\nfield = \"pmi\"\n",
            "[[rule]]\nfield = \"pmi\"\nreason = \" \"\n",
            "[[rule]]\nfield = \"pmi\"\nreason = \"x\"\nexpires = \"soon\"\n",
            "[[rule]]\nfield = \"pmi\"\nreason = \"x\"\nmore = 1\n",
            "[[rules]]\n",
        ] {
            assert!(Rules::parse(rules, "2026-06-01").is_err(), "{rules}");
        }
    }

    #[test]
    fn accepted_differences_are_expected_in_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.toml");
        fs::write(&path, "# ours").unwrap();
        let accepted = accept(
            &path,
            &[comparison(), comparison()],
            "reviewed",
            "2999-01-31",
        );
        assert_eq!(accepted.unwrap(), 2);
        let mut again = comparison();
        Rules::read(&path).unwrap().apply(&mut again);
        assert!(again.is_expected());
        assert_eq!(
            accept(&path, &[again], "reviewed", "2999-01-31").unwrap(),
            0
        );
        assert!(accept(&path, &[comparison()], "", "2999-01-31").is_err());
        assert!(accept(&path, &[comparison()], "reviewed", "2001-01-31").is_err());
    }
}
