//! Values that hold several texts: the lines of a heredoc, the words of a command.

use crate::facts::syntax::{Piece, Role, Text};

/// How many lines of a value may be paths, one by one.
const LINES: usize = 50;

/// Programs that send requests, as shell commands in strings name them.
const COMMANDS: [&str; 4] = ["curl", "wget", "http", "https"];

impl Text {
    /// The texts that a value holds: each line, and each word of a line that is a command. A value
    /// of many lines is no list of paths and stays whole.
    pub(super) fn parts(self) -> Vec<Self> {
        if self.role != Role::Value {
            return vec![self];
        }
        let mut lines = split(&self.pieces, |letter| letter == '\n');
        lines.retain(|line| !line.iter().all(is_blank));
        let has_command = lines.iter().any(|line| command(line).is_some());
        if lines.len() > LINES || lines.len() < 2 && !has_command {
            return vec![self];
        }
        let mut texts = Vec::new();
        for line in lines {
            let Some(command) = command(&line) else {
                texts.push(self.with(line));
                continue;
            };
            let is_end =
                |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '\\');
            for word in split(&line, is_end)
                .into_iter()
                .filter(|word| !word.is_empty())
            {
                texts.push(Self {
                    callee: Some(command.to_owned()),
                    ..self.with(word)
                });
            }
        }
        texts
    }

    fn with(&self, pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            ..self.without_pieces()
        }
    }
}

/// The command that a line begins with.
fn command(line: &[Piece]) -> Option<&'static str> {
    let Some(Piece::Text { value, .. }) = line.first() else {
        return None;
    };
    let (first, _) = value.trim_start().split_once(char::is_whitespace)?;
    COMMANDS.into_iter().find(|command| *command == first)
}

/// Divides pieces at letters of their texts, which are left out.
fn split(pieces: &[Piece], is_end: impl Fn(char) -> bool) -> Vec<Vec<Piece>> {
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    for piece in pieces {
        let Piece::Text { value, at } = piece else {
            part.push(piece.clone());
            continue;
        };
        let mut from = 0;
        for text in value.split(&is_end) {
            if from > 0 {
                parts.push(std::mem::take(&mut part));
            }
            if !text.is_empty() {
                let (value, at) = (text.to_owned(), at + from);
                part.push(Piece::Text { value, at });
            }
            // All letters that divide are one byte long.
            from += text.len() + 1;
        }
    }
    parts.push(part);
    parts
}

fn is_blank(piece: &Piece) -> bool {
    matches!(piece, Piece::Text { value, .. } if value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pieces: Vec<Piece>) -> Vec<String> {
        let text = Text {
            pieces,
            ..Text::plain("", 0, Role::Value)
        };
        let source = "\n user/list\n\ncurl -s \"";
        let shown = text.parts().into_iter().map(|part| {
            let pieces = part.pieces.iter().map(|piece| match piece {
                Piece::Text { value, at } => {
                    assert!(
                        *at >= source.len() || source[*at..].starts_with(value),
                        "{value}"
                    );
                    value.clone()
                }
                Piece::Hole(name) => format!("<{name}>"),
            });
            let callee = part.callee.as_deref().unwrap_or_default();
            format!("{callee}:{}", pieces.collect::<String>())
        });
        shown.collect()
    }

    fn text(value: &str, at: usize) -> Piece {
        Piece::Text {
            value: value.to_owned(),
            at,
        }
    }

    #[test]
    fn lines_and_words_of_commands_are_texts() {
        let source = "\n user/list\n\ncurl -s \"";
        let pieces = vec![
            text(source, 0),
            Piece::Hole("BASE".to_owned()),
            text("/user/get\"\n", source.len() + 5),
        ];
        let expected = [
            ": user/list",
            "curl:curl",
            "curl:-s",
            "curl:<BASE>/user/get",
        ];
        assert_eq!(parts(pieces), expected);
    }

    #[test]
    fn one_line_stays_whole() {
        assert_eq!(parts(vec![text("\n user/list\n", 0)]), [":\n user/list\n"]);
        let many = "user/list\n".repeat(LINES + 1);
        assert_eq!(parts(vec![text(&many, 1000)]), [format!(":{many}")]);
    }
}
