//! Words without quotes, as in Tcl and fish: `set base https://…`, `zoom user/list`.

use super::{Reader, pieces};
use crate::{
    facts::syntax::{Role, Text},
    names::last_identifier,
    source::ceil,
};

/// Bytes before a word that are searched for its command.
const LINE: usize = 400;

/// Commands that give a name a value.
const SETTERS: [&str; 2] = ["set", "variable"];

impl Reader<'_> {
    /// Notes a word that may be a path or a URL. False if there is none.
    pub(super) fn word(&mut self) -> bool {
        let from = ceil(self.source, self.at.saturating_sub(LINE));
        let (Some(before), Some(rest)) =
            (self.source.get(from..self.at), self.source.get(self.at..))
        else {
            return false;
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '$' | '/' | '_');
        let starts =
            before.ends_with(|c: char| c.is_whitespace() || matches!(c, '[' | '{' | '(' | ';'));
        if !(starts || before.is_empty()) || !rest.starts_with(is_name) {
            return false;
        }
        let word = rest.get(..length(rest)).unwrap_or_default();
        if !word.contains('/') {
            return false;
        }
        let mut text = Text::plain("", 0, Role::Value);
        text.pieces = pieces(word, self.offset + self.at);
        let line = before
            .rsplit(['\n', ';', '[', '('])
            .next()
            .unwrap_or_default();
        // `if {$all} { zoom user/list }`
        let command = line.rsplit("{ ").next().unwrap_or_default();
        let mut words = command.split_whitespace();
        match words.next() {
            Some(command) if SETTERS.contains(&command) => {
                let name = words.find(|word| !word.starts_with('-'));
                text.target = name.map(|name| last_identifier(name).to_owned());
            }
            Some(command) if !command.starts_with(['{', '"']) => {
                text.callee = Some(command.to_owned());
            }
            _ => {}
        }
        self.at += word.len();
        self.texts_end = self.at;
        self.found.texts.push(text);
        true
    }
}

/// How long a word is, in bytes. `${base}` is a part of it.
fn length(text: &str) -> usize {
    let mut in_braces = false;
    let mut before = ' ';
    let end = text.find(|c: char| {
        in_braces |= c == '{' && before == '$';
        let is_part = in_braces;
        in_braces &= c != '}';
        before = c;
        !is_part
            && (c.is_whitespace()
                || matches!(c, ';' | '[' | ']' | '{' | '}' | '(' | ')' | '"' | '\''))
    });
    end.unwrap_or(text.len())
}
