//! Settings on the command line: flags, help on variables, section of the manual page.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use clap_mangen::roff::{Roff, bold, roman};

use crate::settings::{Kind, keys, sections};

/// The given setting flags with their values.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingFlags(pub(super) BTreeMap<&'static str, String>);

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let flags = keys().filter_map(|key| key.flag.map(|flag| (key, flag)));
        let arguments = flags.map(|(key, (flag, value))| {
            let default = key.default.filter(|_| !value.is_empty());
            let default = default.map_or_else(String::new, |text| format!(" [default: {text}]"));
            let help = format!("{}{default}", sentence(key.doc));
            let argument = Arg::new(flag).long(flag.trim_start_matches('-')).help(help);
            match key.kind {
                // `--strict=false` overrides a file or variable.
                Kind::Switch => argument
                    .value_name("BOOL")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
                    .value_parser(["true", "false"])
                    .hide_possible_values(true),
                _ => argument.value_name(value),
            }
        });
        command.args(arguments)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = keys().filter_map(|key| key.flag.map(|(flag, _)| flag));
        let given = flags.filter_map(|flag| {
            let value = matches.get_one::<String>(flag)?;
            Some((flag, value.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The help on variables, followed by the exit codes of a command.
pub(super) fn environment(exit_codes: &str) -> String {
    let named = keys().filter_map(|key| Some((key.listed_variable?, sentence(key.doc))));
    let lines = named.map(|(name, doc)| format!("  {name}\n{}", wrapped(doc)));
    format!(
        "Environment:\n{}{ENVIRONMENT_END}\n\n{exit_codes}",
        lines.collect::<String>()
    )
}

/// Wraps and indents a text for 80 columns, because clap would put it behind the name.
fn wrapped(text: &str) -> String {
    const INDENT: &str = "          ";
    const WIDTH: usize = 78;
    let mut lines = vec![INDENT.to_owned()];
    for word in text.split_whitespace() {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > INDENT.len() && used + 1 + word.chars().count() > WIDTH {
            lines.push(INDENT.to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if line.len() > INDENT.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

const ENVIRONMENT_END: &str = "  \
  SHIM_SECTION_KEY
          Any other key of the file, as SHIM_LIMITS_REQUESTS for limits.requests
  RUST_LOG
          Log filter: error, warn, info, debug, trace";

/// The section of the manual page that lists every key of the settings file.
pub(super) fn manual_section() -> String {
    let mut page = Roff::new();
    page.control("SH", ["SETTINGS"]);
    page.text([roman(
        "Keys of the file that --config names, with defaults, ranges and variables.",
    )]);
    for section in sections() {
        if !section.name.is_empty() {
            page.control("SS", [section.name]);
        }
        page.text([roman(section.about)]);
        for key in section.keys {
            let reloaded = if key.is_reloaded {
                "; reloaded on SIGHUP"
            } else {
                ""
            };
            let (doc, range, variable) = (key.doc, key.kind.range(), key.variable(""));
            page.control("TP", []);
            page.text([bold(key.path()), roman(format!(": {}", key.usual("")))]);
            page.text([roman(format!("{doc} ({range}; {variable}{reloaded})"))]);
        }
    }
    page.to_roff()
}

/// A help text: without the full stop.
fn sentence(doc: &str) -> &str {
    doc.strip_suffix('.').unwrap_or(doc)
}
