//! Folders of request and response files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use migrate_audit::plain_file;

use super::Pair;

/// Reads pairs of `NAME.request.*` (a raw HTTP request) and `NAME.response.*` (a raw HTTP response
/// or its body).
pub(super) fn pairs(path: &Path) -> anyhow::Result<Vec<Pair>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path)? {
        files.push(entry?.path());
    }
    files.sort();
    let name = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("")
            .to_owned()
    };
    let mut pairs = Vec::new();
    for request in &files {
        let Some((stem, _)) = name(request)
            .split_once(".request")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
        else {
            continue;
        };
        let response = format!("{stem}.response");
        let Some(response) = files.iter().find(|path| name(path).starts_with(&response)) else {
            continue;
        };
        let (head, body) = message(&plain_file::read_text(request)?);
        let mut lines = head.lines();
        let url = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .unwrap_or_default();
        let content_type = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.trim().to_owned())
        });
        let answer = plain_file::read_text(response)?;
        let answer = if answer.starts_with("HTTP/") {
            message(&answer).1
        } else {
            answer
        };
        pairs.push(Pair {
            url: url.to_owned(),
            content_type: content_type.unwrap_or_default(),
            body,
            answer,
            ..Pair::default()
        });
    }
    Ok(pairs)
}

/// Splits an HTTP message into head and body.
fn message(text: &str) -> (String, String) {
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}
