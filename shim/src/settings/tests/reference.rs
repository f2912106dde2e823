//! `shim.example.toml` and `shim/docs/settings.md` are made from the table of settings.
//!
//! `UPDATE_SETTINGS=1 cargo test -p shim --lib settings` writes both.

use std::{env, fmt::Write as _, fs};

use super::*;
use crate::settings::key::{Key, Kind};

const EXAMPLE_HEAD: &str = "\
# Settings of `shim serve --config shim.toml`. Each key is listed with its default, except for values
# that only you know. The environment overrides this file, and flags override both.
";

const OPTIONS: &str = "Choices where v1's documentation is ambiguous, see shim/docs/deploy.md.";

const PAGE_HEAD: &str = "\
# Settings

Generated from the table of settings; do not edit. `UPDATE_SETTINGS=1 cargo test -p shim --lib settings`
writes this file and [shim.example.toml](../shim.example.toml).

Settings come from the file that `--config` names, the environment, and flags; later ones win.
`shim check-config` prints every effective setting and where it comes from. In a variable, the items of
a list are separated by commas. An empty variable counts as unset.

A secret can also be read from a file: the key and the variable with `_file` or `_FILE` at the end name
it (`api_secret_file`, `SHIM_API_SECRET_FILE`). SIGHUP reloads the keys that say so; the others need a
restart.

Besides, `RUST_LOG` filters the log (`info` by default; `shim=debug` for more).
";

const TABLE_HEAD: &str = "\
| key | meaning | value | default | variable, flag | SIGHUP |
|---|---|---|---|---|---|
";

#[test]
fn example_file_matches_the_table() {
    check("shim.example.toml", &example());
}

#[test]
fn reference_page_matches_the_table() {
    check("docs/settings.md", &page());
}

#[test]
fn every_key_is_documented() {
    for key in keys() {
        assert!(
            key.default.is_some() || key.example.is_some(),
            "{}",
            key.path()
        );
        assert!(key.doc.ends_with('.'), "{}", key.path());
    }
}

#[test]
fn no_two_keys_share_a_variable_or_a_flag() {
    let variables = keys().flat_map(Key::variables);
    let flags = keys().filter_map(|key| key.flag.map(|(flag, _)| flag.to_owned()));
    let mut seen = BTreeSet::new();
    for name in variables.chain(flags) {
        assert!(seen.insert(name.clone()), "{name}");
    }
}

#[test]
fn every_key_can_be_set_by_its_variable() {
    for key in keys() {
        let variable = key.variable("");
        let text = key.default.or(key.example).unwrap();
        let get = |name: &str| (name == variable).then(|| text.to_owned());
        let sources = Sources {
            file: None,
            environment: &get,
            flags: Flags::default(),
            read: &|_| unreachable!(),
        };
        let shown = Effective::of(&sources, &Catalog::embedded().unwrap()).to_string();
        let is_shown = text.is_empty() || shown.contains(&format!("# {variable}\n"));
        assert!(is_shown, "{variable}\n{shown}");
    }
}

#[test]
fn mistakes_name_the_variable_or_the_flag() {
    let environment = [
        ("SHIM_LIMITS_REQUESTS", "many"),
        ("SHIM_STRICT", "yes"),
        ("SHIM_LOG_FORMAT", "jsonl"),
        ("SHIM_API_SECRET_FILE", "/nowhere"),
    ];
    let flags = given(&[("--listen", "eight")]);
    insta::assert_snapshot!(load(None, &environment, flags).unwrap_err());
}

fn example() -> String {
    let mut text = EXAMPLE_HEAD.to_owned();
    for section in sections() {
        match section.name {
            "" => text.push('\n'),
            "tenant" => line(&mut text, "\n[[tenant]]", section.about),
            // There is none by default.
            name @ ("receiver" | "rollout" | "brownout") => {
                line(&mut text, &format!("\n# [[{name}]]"), section.about);
            }
            // Inside of the tenant.
            "tenant.oauth" => line(&mut text, &format!("# {}", section.about), ""),
            name => line(&mut text, &format!("\n[{name}]"), section.about),
        }
        for key in section.keys {
            let below = section.name.strip_prefix("tenant.");
            let name = key::join(below.unwrap_or_default(), key.name);
            let shown = key.default.or(key.example).unwrap();
            let mut written = format!("{name} = {}", key.kind.to_toml(shown));
            let is_default = key.default.is_some() || key.is_required;
            let is_left_out = ["receiver", "rollout", "brownout"].contains(&section.name);
            if is_left_out || !is_default {
                written.insert_str(0, "# ");
            }
            line(&mut text, &written, &explained(key));
        }
    }
    line(&mut text, "\n[options]", OPTIONS);
    for (name, rule) in options(&Catalog::embedded().unwrap()) {
        line(&mut text, &format!("{name} = {}", rule.0), &rule.1);
    }
    text
}

/// What a key is for, with what the line does not show.
fn explained(key: &Key) -> String {
    let doc = key.doc.trim_end_matches('.');
    let more = match (key.kind, key.default, key.example) {
        (Kind::Secret, ..) => format!("; or {}_file", key.name),
        (kind, Some(_), Some(example)) => format!("; for example {}", kind.to_toml(example)),
        _ => String::new(),
    };
    format!("{doc}{more}")
}

/// A line with a comment, which goes on below itself.
fn line(text: &mut String, written: &str, comment: &str) {
    const COLUMN: usize = 28;
    const WIDTH: usize = 102;
    let begin = written.rsplit('\n').next().unwrap_or_default();
    let mut used = begin.chars().count();
    text.push_str(written);
    let mut is_begun = false;
    let comment = comment.trim_end_matches('.');
    for word in comment.split_whitespace() {
        let is_full = used + 1 + word.chars().count() > WIDTH;
        if !is_begun || is_full {
            if is_full {
                text.push('\n');
                used = 0;
            }
            let gap = COLUMN.saturating_sub(used).max(usize::from(used > 0));
            let _ = write!(text, "{:gap$}#", "");
            used += gap + 1;
            is_begun = true;
        }
        let _ = write!(text, " {word}");
        used += 1 + word.chars().count();
    }
    text.push('\n');
}

/// The catalog's options: name, default as TOML, what it is about.
fn options(catalog: &Catalog) -> Vec<(String, (String, String))> {
    let shown = Effective::of(
        &Sources {
            file: None,
            environment: &|_| None,
            flags: Flags::default(),
            read: &|_| unreachable!(),
        },
        catalog,
    );
    let shown = shown.to_string();
    let options = shown.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("options.")?.split_once(" = ")?;
        let (value, _) = rest.split_once("  #")?;
        let rule = catalog.option_rules().get(name)?;
        let values = rule.values.join(", ");
        let about = match values.as_str() {
            "" => rule.about.clone(),
            values => format!("{} ({values})", rule.about.trim_end_matches('.')),
        };
        Some((name.to_owned(), (value.trim_end().to_owned(), about)))
    });
    options.collect()
}

fn page() -> String {
    let mut page = PAGE_HEAD.to_owned();
    for section in sections() {
        let title = match section.name {
            "" => "General",
            name => name,
        };
        let _ = write!(page, "\n## {title}\n\n{}\n\n{TABLE_HEAD}", section.about);
        page.extend(section.keys.iter().map(row));
    }
    let _ = write!(
        page,
        "\n## options\n\n{}\n\n",
        OPTIONS.replace(
            "see shim/docs/deploy.md",
            "see [Deploy](deploy.md#configure)",
        )
    );
    page.push_str("| key | meaning | default | SIGHUP |\n|---|---|---|---|\n");
    for (name, (default, about)) in options(&Catalog::embedded().unwrap()) {
        let about = about.replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {about} | `{default}` | yes |");
    }
    page
}

fn row(key: &Key) -> String {
    let default = key.usual("`");
    let flag = key.flag.map(|(flag, _)| format!(", `{flag}`"));
    format!(
        "| `{}` | {} | {} | {default} | `{}`{} | {} |\n",
        key.name,
        key.doc.replace('|', "\\|"),
        key.kind.range(),
        key.variable(""),
        flag.unwrap_or_default(),
        if key.is_reloaded { "yes" } else { "" },
    )
}

/// Fails unless the file has this text; with `UPDATE_SETTINGS`, writes it instead.
fn check(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if env::var_os("UPDATE_SETTINGS").is_some() {
        fs::write(&path, expected).unwrap();
        return;
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "{file} differs from the table of settings; run\n\
         UPDATE_SETTINGS=1 cargo test -p shim --lib settings"
    );
}
