//! A v2 request as a command for a POSIX shell.

use std::fmt::Write as _;

use super::{
    TranslatedCall,
    form::is_invisible,
    variables::{Piece, Variables},
};

/// A JSON body that is longer than this is set out over several lines.
const SHORT_BODY: usize = 68;
/// Further lines begin below the first word after `curl`.
const INDENT: &str = "     ";

/// The curl command that makes a call, in lines of up to `width` columns where that is possible.
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
        let text = if short.chars().count() <= SHORT_BODY {
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

/// One word of a command: quoted where the shell would read more into it than is there.
fn word(text: &str, variables: &Variables) -> String {
    let pieces = variables.pieces(text);
    let has_variable = { pieces.iter() }.any(|piece| matches!(piece, Piece::Variable(_)));
    if !has_variable {
        return shell_words::quote(text).into_owned();
    }
    if text.contains('!') {
        // Interactive shells take `!` for their history, even in double quotes.
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
            // Braces where the name would go on.
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

/// A path as curl's `-F` reads it: in double quotes if it has characters with a meaning there.
fn curl_path(path: &str) -> String {
    if path.contains([';', ',', '"']) {
        return format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""));
    }
    path.to_owned()
}

/// JSON in which every character shows.
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
