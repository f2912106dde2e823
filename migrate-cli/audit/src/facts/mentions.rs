//! Calls of client libraries in comments and prose.

use crate::{
    facts::shape::{Shape, Sighting},
    names::{contains_zoom, last_identifier},
    rules::{Library, Style},
};

/// Finds calls of client libraries in a comment or in prose: disabled code, examples.
pub(crate) fn library_calls(text: &str, libraries: &[Library]) -> Vec<Sighting> {
    let mut found = Vec::new();
    for library in libraries {
        let call = |operation: Option<&String>, start, end| Sighting {
            shape: Shape::Call {
                package: library.package.clone(),
                operation: operation.cloned(),
            },
            start,
            end,
        };
        if matches!(library.style, Style::Method) {
            for (dot, _) in text.match_indices('.') {
                let head = text.get(..dot).unwrap_or_default();
                let receiver = last_identifier(head);
                let rest = text.get(dot + 1..).unwrap_or_default();
                let length = rest
                    .bytes()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                    .count();
                let method = rest.get(..length).unwrap_or_default();
                if let Some(operation) = library.methods.get(method)
                    && head.ends_with(receiver)
                    && contains_zoom(receiver)
                {
                    found.push(call(
                        Some(operation),
                        dot - receiver.len(),
                        dot + 1 + length,
                    ));
                }
            }
        }
        for name in &library.constructors {
            for (start, _) in text.match_indices(name.as_str()) {
                let line = text
                    .get(start..)
                    .and_then(|rest| rest.lines().next())
                    .unwrap_or_default();
                let selects_v1 = library
                    .v1_arguments
                    .iter()
                    .any(|argument| line.contains(argument.as_str()));
                if selects_v1 {
                    found.push(call(None, start, start + name.len()));
                }
            }
        }
    }
    found
}
