//! The baseline: a shared file of known findings, which do not fail a run.
//!
//! One sorted line per finding: rule, path and content hash, then optional notes. Without line
//! numbers and counts, moved lines change nothing, and two branches merge by union:
//!
//! ```text
//! v1-endpoint<TAB>app/Zoom.php<TAB>9f86d081884c7d65<TAB>owner=@team; expires=2027-01-31; reason=…
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    findings::{Finding, SuppressedBy, Suppression},
    kind::Kind,
};

/// The first line of a baseline.
const HEADER: &str =
    "# Known uses of Zoom's API v1: rule, path, content hash; then owner=, expires=, reason=.";

/// A baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Key, Notes>,
}

/// Identity of an entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rule: String,
    path: String,
    hash: String,
}

/// Notes of an entry, added by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Notes {
    owner: Option<String>,
    expires: Option<String>,
    reason: Option<String>,
}

/// An invalid line of a baseline.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the baseline {problem}")]
pub struct BaselineError {
    line: usize,
    problem: &'static str,
}

/// Comparison of a baseline with findings, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Findings that are not in the baseline.
    pub new: usize,
    /// Findings that are in the baseline.
    pub unchanged: usize,
    /// Entries without a finding.
    pub fixed: usize,
}

impl Baseline {
    /// Parses a baseline.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let mut entries = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let error = |problem| BaselineError {
                line: index + 1,
                problem,
            };
            let line = line.trim_end_matches('\r');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("<<<<<<<")
                || line.starts_with(">>>>>>>")
                || line.starts_with("=======")
            {
                return Err(error("is a merge conflict; keep the lines of both sides"));
            }
            let mut columns = line.splitn(4, '\t');
            let (Some(rule), Some(path), Some(hash)) =
                (columns.next(), columns.next(), columns.next())
            else {
                return Err(error(
                    "does not have a rule, a path and a hash, divided by tabs",
                ));
            };
            let notes = Notes::parse(columns.next().unwrap_or_default()).map_err(error)?;
            let key = Key {
                rule: rule.to_owned(),
                path: path.to_owned(),
                hash: hash.to_owned(),
            };
            // A line that both branches annotated occurs twice in their union.
            let known: &mut Notes = entries.entry(key).or_default();
            *known = std::mem::take(known).with(notes);
        }
        Ok(Self { entries })
    }

    /// Replaces the entries by all findings that may fail. Notes of known findings are kept.
    pub fn absorb(&mut self, findings: &[Finding]) {
        let mut entries = BTreeMap::new();
        for finding in findings.iter().filter(|found| belongs(found)) {
            let key = key(finding);
            let notes = self.entries.remove(&key).unwrap_or_default();
            entries.insert(key, notes);
        }
        self.entries = entries;
    }

    /// Removes entries without a finding. Never adds one.
    pub fn prune(&mut self, findings: &[Finding]) {
        let found: BTreeSet<Key> = findings.iter().map(key).collect();
        self.entries.retain(|key, _| found.contains(key));
    }

    /// Marks the findings in the baseline as suppressed. An entry that expired before `today`
    /// (`2026-11-22`) suppresses nothing. Returns the number of expired entries with a finding.
    pub fn apply(&self, findings: &mut [Finding], today: &str) -> usize {
        let mut expired = 0;
        for finding in findings.iter_mut().filter(|found| belongs(found)) {
            let Some(notes) = self.entries.get(&key(finding)) else {
                continue;
            };
            if notes.expires.as_deref().is_some_and(|day| day < today) {
                expired += 1;
                continue;
            }
            if let Some(owner) = &notes.owner
                && finding.owners.is_empty()
            {
                finding.owners.push(owner.clone());
            }
            finding.suppressed = Some(Suppression {
                by: SuppressedBy::Baseline,
                reason: notes.reason.clone(),
            });
        }
        expired
    }

    /// The changes since the baseline was written, by owner; `-` for findings without an owner.
    pub fn drift(
        &self,
        findings: &[Finding],
        owner_of: impl Fn(&str) -> Vec<String>,
    ) -> BTreeMap<String, Drift> {
        let mut drift: BTreeMap<String, Drift> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut add = |owners: Vec<String>, change: &dyn Fn(&mut Drift)| {
            let owners = if owners.is_empty() {
                vec!["-".to_owned()]
            } else {
                owners
            };
            for owner in owners {
                change(drift.entry(owner).or_default());
            }
        };
        for finding in findings.iter().filter(|found| belongs(found)) {
            let key = key(finding);
            let known = self.entries.get(&key);
            let mut owners = owner_of(&finding.path);
            if let Some(owner) = known.and_then(|notes| notes.owner.clone()) {
                owners = vec![owner];
            }
            match known {
                Some(_) => add(owners, &|drift| drift.unchanged += 1),
                None => add(owners, &|drift| drift.new += 1),
            }
            seen.insert(key);
        }
        for (key, notes) in &self.entries {
            if !seen.contains(key) {
                let owners = notes
                    .owner
                    .clone()
                    .map_or_else(|| owner_of(&key.path), |owner| vec![owner]);
                add(owners, &|drift| drift.fixed += 1);
            }
        }
        drift
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// True for a finding that a baseline may hold: not a mention, and not suppressed in another way.
fn belongs(finding: &Finding) -> bool {
    finding.kind != Kind::Doc
        && matches!(finding.suppressed_by(), None | Some(SuppressedBy::Baseline))
}

fn key(finding: &Finding) -> Key {
    Key {
        rule: finding.rule.to_owned(),
        path: finding.path.replace(['\t', '\n', '\r'], " "),
        hash: finding.fingerprint.clone(),
    }
}

impl Notes {
    /// Merges the notes of two branches. The earlier expiry is kept.
    fn with(self, other: Self) -> Self {
        Self {
            owner: self.owner.or(other.owner),
            expires: match (self.expires, other.expires) {
                (Some(one), Some(another)) => Some(one.min(another)),
                (one, another) => one.or(another),
            },
            reason: self.reason.or(other.reason),
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut notes = Self::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            // A reason is the last note and may contain anything.
            if let Some(reason) = rest.strip_prefix("reason=") {
                notes.reason = Some(reason.trim().to_owned());
                break;
            }
            let (note, after) = rest.split_once(';').unwrap_or((rest, ""));
            match note.trim().split_once('=') {
                Some(("owner", owner)) => notes.owner = Some(owner.to_owned()),
                Some(("expires", day)) if is_day(day) => notes.expires = Some(day.to_owned()),
                Some(("expires", _)) => {
                    return Err("has an expiry that is no day such as 2027-01-31");
                }
                _ => return Err("has a note that is none of owner=, expires= and reason="),
            }
            rest = after.trim();
        }
        Ok(notes)
    }
}

fn is_day(text: &str) -> bool {
    let digits =
        |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.splitn(3, '-');
    parts.next().is_some_and(|year| digits(year, 4))
        && parts.next().is_some_and(|month| digits(month, 2))
        && parts.next().is_some_and(|day| digits(day, 2))
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        for (key, notes) in &self.entries {
            write!(f, "{}\t{}\t{}", key.rule, key.path, key.hash)?;
            let mut parts = Vec::new();
            parts.extend(notes.owner.iter().map(|owner| format!("owner={owner}")));
            parts.extend(notes.expires.iter().map(|day| format!("expires={day}")));
            parts.extend(notes.reason.iter().map(|reason| format!("reason={reason}")));
            if !parts.is_empty() {
                write!(f, "\t{}", parts.join("; "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Confidence;

    fn finding(path: &str, fingerprint: &str) -> Finding {
        Finding {
            path: path.into(),
            line: 1,
            column: 1,
            end_column: 2,
            wide: (0, 0),
            kind: Kind::Endpoint,
            rule: "v1-endpoint",
            operation: Some("user/list".into()),
            confidence: Confidence::High,
            reason: String::new(),
            language: "PHP",
            parameters: vec![],
            advice: None,
            fingerprint: fingerprint.into(),
            excerpt: None,
            suppressed: None,
            owners: vec![],
        }
    }

    #[test]
    fn parses_what_it_writes() {
        let text = format!(
            "{HEADER}\nv1-endpoint\ta b.php\t01\towner=@team; expires=2027-01-31; reason=waits; for v2\n"
        );
        let baseline = Baseline::parse(&text).unwrap();
        assert_eq!(baseline.to_string(), text);
    }

    #[test]
    fn union_merges_of_two_sides_are_one_baseline() {
        let merged = "v1-url\tb\t02\nv1-endpoint\ta\t01\nv1-url\tb\t02\n";
        assert_eq!(Baseline::parse(merged).unwrap().len(), 2);
        assert!(Baseline::parse("<<<<<<< ours\n").is_err());
    }

    #[test]
    fn pruning_never_adds_a_finding() {
        let mut baseline = Baseline::parse("v1-endpoint\ta\t01\nv1-endpoint\tgone\t02\n").unwrap();
        baseline.prune(&[finding("a", "01"), finding("new", "03")]);
        assert_eq!(baseline, Baseline::parse("v1-endpoint\ta\t01\n").unwrap());
    }

    #[test]
    fn notes_of_two_sides_are_kept() {
        let merged = "v1-url\tb\t02\texpires=2027-02-01; reason=waits\n\
                      v1-url\tb\t02\towner=@team; expires=2027-01-01\n";
        assert_eq!(
            Baseline::parse(merged).unwrap().to_string(),
            format!("{HEADER}\nv1-url\tb\t02\towner=@team; expires=2027-01-01; reason=waits\n")
        );
    }

    proptest::proptest! {
        /// Pruning keeps exactly the entries that are still found.
        #[test]
        fn pruning_only_takes_away(
            known in proptest::collection::btree_set(0..30_u8, 0..20),
            found in proptest::collection::btree_set(0..30_u8, 0..20),
        ) {
            let line = |id: &u8| format!("v1-endpoint\tf{}\t{id:02}\treason=r{id}\n", id % 3);
            let text: String = known.iter().map(line).collect();
            let findings: Vec<Finding> = found
                .iter()
                .map(|id| finding(&format!("f{}", id % 3), &format!("{id:02}")))
                .collect();
            let mut pruned = Baseline::parse(&text).unwrap();
            pruned.prune(&findings);
            let wanted: String = known.intersection(&found).map(line).collect();
            proptest::prop_assert_eq!(&pruned, &Baseline::parse(&wanted).unwrap());
            // No finding that was suppressed before fails now.
            let mut before = findings.clone();
            let mut after = findings;
            Baseline::parse(&text).unwrap().apply(&mut before, "2026-01-01");
            pruned.apply(&mut after, "2026-01-01");
            proptest::prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn expired_entries_suppress_nothing() {
        let baseline = Baseline::parse("v1-endpoint\ta\t01\texpires=2026-01-31\n").unwrap();
        let mut findings = [finding("a", "01")];
        assert_eq!(baseline.apply(&mut findings, "2026-02-01"), 1);
        assert!(findings[0].counts());
        assert_eq!(baseline.apply(&mut findings, "2026-01-31"), 0);
        assert!(!findings[0].counts());
    }

    #[test]
    fn drift_counts_new_fixed_and_unchanged_findings() {
        let baseline = Baseline::parse("v1-endpoint\ta\t01\nv1-endpoint\tgone\t02\n").unwrap();
        let drift = baseline.drift(&[finding("a", "01"), finding("b", "03")], |_| vec![]);
        assert_eq!(
            drift["-"],
            Drift {
                new: 1,
                unchanged: 1,
                fixed: 1
            }
        );
    }
}
