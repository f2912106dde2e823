//! URLs in Postman collections, which write them as lists: `"host": ["api", "zoom", "us"]`.

use crate::{
    facts::shape::{self, Sighting},
    knowledge::Knowledge,
    rules::Hosts,
};

/// Maximum distance between a host and its path, in bytes.
const NEAR: usize = 2000;

/// The URLs of v1 in a JSON text, each at the place of its path.
pub(super) fn urls(source: &str, hosts: &Hosts, knowledge: &Knowledge) -> Vec<Sighting> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("\"host\"") {
        let Some((host, _, end)) = list(source, at) else {
            continue;
        };
        let host = host.join(".");
        let around = source.get(end..).unwrap_or_default();
        let path = around
            .find("\"path\"")
            .filter(|offset| *offset < NEAR)
            .and_then(|offset| list(source, end + offset));
        let Some((path, start, end)) = path else {
            continue;
        };
        let url = format!("{host}/{}", path.join("/"));
        found.extend(
            shape::urls(&url, hosts, knowledge)
                .into_iter()
                .take(1)
                .map(|sighting| Sighting {
                    shape: sighting.shape,
                    start,
                    end,
                }),
        );
    }
    found
}

/// The list of strings behind a key, with its byte range.
fn list(source: &str, key: usize) -> Option<(Vec<String>, usize, usize)> {
    let rest = source.get(key..)?;
    let colon = rest.find(':')?;
    let open = rest.get(colon + 1..)?.trim_start();
    let start = source.len() - open.len();
    let mut values = serde_json::Deserializer::from_str(open).into_iter::<Vec<String>>();
    let list = open.starts_with('[').then(|| values.next())??.ok()?;
    Some((list, start, start + values.byte_offset()))
}
