//! Reads data and prose line by line, each as one text.

use crate::language::{Format, Language, Lexis};
use crate::{
    facts::syntax::{Extract, Role, Text},
    names::last_identifier,
    source::{ceil, floor},
};

/// Maximum length of a text, in bytes. Longer lines are split.
const WINDOW: usize = 4096;

/// Reads a file of data or prose.
pub(super) fn extract(language: Language, source: &str) -> Extract {
    let mut found = Extract::default();
    let mut at = 0;
    let mut in_comment = false;
    for line in source.split_inclusive('\n') {
        let role = role(language, line, &mut in_comment);
        push(language, line, at, role, &mut found);
        at += line.len();
    }
    found
}

fn role(language: Language, line: &str, in_comment: &mut bool) -> Role {
    if language == Language::Prose {
        return Role::Prose;
    }
    let start = line.trim_start();
    if language == Language::Data(Format::Xml) {
        let was = *in_comment;
        if line.contains("<!--") {
            *in_comment = true;
        }
        let commented = was || start.starts_with("<!--");
        if line.contains("-->") {
            *in_comment = false;
        }
        return if commented {
            Role::Comment
        } else {
            Role::Value
        };
    }
    let commented = match language.lexis() {
        Some(Lexis::Hash) => {
            start.starts_with('#') || start.starts_with(';') || start.starts_with("//")
        }
        Some(Lexis::Dashes) => start.starts_with("--") || start.starts_with('#'),
        _ => start.starts_with("//"),
    };
    if commented {
        Role::Comment
    } else {
        Role::Value
    }
}

fn push(language: Language, line: &str, at: usize, role: Role, found: &mut Extract) {
    if !interesting(line) {
        return;
    }
    let mut start = 0;
    while start < line.len() {
        let end = floor(line, start + WINDOW);
        let part = line.get(start..end).unwrap_or_default();
        let mut text = Text::plain(part, at + start, role);
        if start == 0 && role == Role::Value {
            text.target = key(language, line);
        }
        found.texts.push(text);
        if end == line.len() {
            break;
        }
        // The parts overlap, so that no match is cut in two.
        start = ceil(line, end.saturating_sub(256).max(start + 1));
    }
}

fn interesting(line: &str) -> bool {
    line.contains('/') || line.contains('=') || line.contains(':') || line.contains("oom")
}

/// The key in a line such as `key = value`, `"key": "value"`.
fn key(language: Language, line: &str) -> Option<String> {
    let line = line.get(..line.len().min(300)).unwrap_or(line);
    let at = match language {
        Language::Data(Format::Json | Format::Yaml) => line.find(':'),
        Language::Data(Format::Properties | Format::Toml) => line.find(['=', ':']),
        _ => None,
    }?;
    let name = last_identifier(line.get(..at)?);
    (!name.is_empty()).then(|| name.to_owned())
}
