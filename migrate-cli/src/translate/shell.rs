//! Formats a v2 request as a curl command for POSIX shells.

use std::fmt::Write as _;

use super::{
    TranslatedCall,
    form::is_invisible,
    variables::{Piece, Variables},
};

/// Longer JSON bodies are pretty-printed, in characters.
const MAX_COMPACT_BODY: usize = 68;
/// Indent of continuation lines: the width of `curl `.
const INDENT: &str = "     ";

/// Formats a call, in lines of at most `width` columns where possible.
pub(super) fn command(call: &TranslatedCall<'_>, width: usize) -> String {
    let variables = &call.variables;
    let method = match call.method {
        "GET" => String::new(),
        method => format!("-X {method} "),
    };
    let mut parts = vec![
        format!("curl {method}{}", word(&call.marked_url, variables)),
        "-H \"Authorization: Bearer $TOKEN\"".to_owned(),
    ];
    if let Some(body) = &call.marked_body {
        parts.push("-H 'Content-Type: application/json'".to_owned());
        let short = visible(&body.to_string());
        let text = if short.chars().count() <= MAX_COMPACT_BODY {
            short
        } else {
            visible(&serde_json::to_string_pretty(body).unwrap_or(short))
        };
        parts.push(format!("-d {}", word(&text, variables)));
    }
    if let Some(file) = &call.file {
        let field = format!("{}=@{}", file.part, curl_path(&file.path));
        parts.push(format!("-F {}", shell_words::quote(&field)));
    }
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.chars().count() + part.chars().count() + 3 <= width => {
                line.push(' ');
                line.push_str(&part);
            }
            Some(_) => lines.push(format!("{INDENT}{part}")),
            None => lines.push(part),
        }
    }
    lines.join(" \\\n")
}

/// Quotes a word if necessary.
fn word(text: &str, variables: &Variables) -> String {
    let pieces = variables.pieces(text);
    let has_variable = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Variable(_)));
    if !has_variable {
        return shell_words::quote(text).into_owned();
    }
    if text.contains('!') {
        // Interactive shells expand `!` even in double quotes.
        let words = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => shell_words::quote(text).into_owned(),
            Piece::Variable(name) => format!("\"${name}\""),
        });
        return words.collect();
    }
    let mut word = "\"".to_owned();
    for (at, piece) in pieces.iter().enumerate() {
        match (piece, pieces.get(at + 1)) {
            (Piece::Text(text), _) => {
                for letter in text.chars() {
                    if matches!(letter, '"' | '\\' | '$' | '`') {
                        word.push('\\');
                    }
                    word.push(letter);
                }
            }
            // Braces separate the name from the following letter.
            (Piece::Variable(name), Some(Piece::Text(next)))
                if next.starts_with(|letter: char| {
                    letter.is_ascii_alphanumeric() || letter == '_'
                }) =>
            {
                word.extend(["${", name, "}"]);
            }
            (Piece::Variable(name), _) => word.extend(["$", name]),
        }
    }
    word + "\""
}

/// Quotes a path for curl's `-F`, if it has special characters.
fn curl_path(path: &str) -> String {
    if path.contains([';', ',', '"']) {
        return format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""));
    }
    path.to_owned()
}

/// Escapes invisible characters in JSON.
fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter != '\n' && is_invisible(letter) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}
