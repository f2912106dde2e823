//! `migrate.toml`: default flags of a project, shared by command line, hooks and builds.
//!
//! ```toml
//! shim = "https://shim.example.com"   # for all commands that have the flag
//! exclude = ["vendor/**"]
//!
//! [audit]                             # for one command
//! format = "concise"
//! ```

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{ArgAction, Command, error::ErrorKind};
use migrate_audit::plain_file;
use toml::{Table, Value};

use crate::explain::{nearest, suggestion};

const NAME: &str = "migrate.toml";

/// A command line with the flags of the settings file.
pub(crate) struct CommandLine {
    pub(crate) words: Vec<OsString>,
    /// Settings file, and the flags that come from it.
    settings: Option<(PathBuf, Vec<String>)>,
}

impl CommandLine {
    /// The settings file, if an error is about a flag that comes from it.
    pub(crate) fn blamed(&self, error: &clap::Error) -> Option<&Path> {
        let (path, flags) = self.settings.as_ref()?;
        let is_help = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        let text = error.to_string();
        let is_named = flags.iter().any(|flag| text.contains(flag.as_str()));
        (is_named && !is_help).then_some(path)
    }
}

/// Adds flags from the settings file to the command line, unless it has them. The file is in the
/// working directory or the nearest parent, up to the root of the repository.
///
/// # Errors
///
/// The file cannot be read, or has a key that is not a flag.
pub(crate) fn with_settings(
    mut words: Vec<OsString>,
    cli: &Command,
) -> anyhow::Result<CommandLine> {
    let here = std::env::current_dir().unwrap_or_default();
    let Some(path) = find(&here) else {
        return Ok(CommandLine {
            words,
            settings: None,
        });
    };
    let text = plain_file::read_text(&path).with_context(|| path.display().to_string())?;
    let table: Table = toml::from_str(&text).with_context(|| path.display().to_string())?;
    let name = words
        .get(1)
        .and_then(|word| word.to_str())
        .map(str::to_owned);
    let mut given: Vec<(String, Value)> = Vec::new();
    for (key, value) in table {
        match (cli.find_subcommand(&key), value) {
            (Some(command), Value::Table(inner)) => {
                for (key, value) in inner {
                    known(&path, &key, [command])?;
                    if name.as_deref() == Some(command.get_name()) {
                        given.retain(|(other, _)| *other != key);
                        given.push((key, value));
                    }
                }
            }
            (_, value) => {
                known(&path, &key, cli.get_subcommands())?;
                if !given.iter().any(|(other, _)| *other == key) {
                    given.push((key, value));
                }
            }
        }
    }
    let Some(command) = name.and_then(|name| cli.find_subcommand(name)) else {
        return Ok(CommandLine {
            words,
            settings: None,
        });
    };
    let mut flags = Vec::new();
    let mut added = Vec::new();
    for (key, value) in given {
        let flag = format!("--{key}");
        let argument = command
            .get_arguments()
            .find(|known| known.get_long() == Some(key.as_str()));
        let is_given = words.iter().filter_map(|word| word.to_str()).any(|word| {
            word == flag
                || word
                    .strip_prefix(&flag)
                    .is_some_and(|rest| rest.starts_with('='))
        });
        let Some(argument) = argument.filter(|_| !is_given) else {
            continue;
        };
        added.push(flag.clone());
        let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            flags.push(match value {
                Value::Boolean(true) if is_switch => flag.clone().into(),
                Value::Boolean(false) if is_switch => continue,
                Value::String(text) => format!("{flag}={text}").into(),
                other => format!("{flag}={other}").into(),
            });
        }
    }
    // Directly after the subcommand, because words after `--` are not flags.
    drop(words.splice(2..2, flags));
    Ok(CommandLine {
        words,
        settings: Some((path, added)),
    })
}

fn known<'c>(
    path: &Path,
    key: &str,
    commands: impl IntoIterator<Item = &'c Command>,
) -> anyhow::Result<()> {
    let arguments = commands.into_iter().flat_map(Command::get_arguments);
    let flags: Vec<&str> = arguments.filter_map(clap::Arg::get_long).collect();
    if !flags.contains(&key) {
        let nearest = nearest(key, flags.into_iter());
        let suggestion = suggestion(&nearest, "migrate help COMMAND");
        bail!("{}: `{key}` is no flag{suggestion}", path.display());
    }
    Ok(())
}

fn find(here: &Path) -> Option<PathBuf> {
    for folder in here.ancestors() {
        let path = folder.join(NAME);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}
