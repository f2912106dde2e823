//! The coverage table of the README.

use std::fmt::Write as _;

use mappings::Catalog;

use super::{Overview, operation::ServiceKind, overview::OverviewEntry};

/// What v1 had and what the shim serves, as Markdown: a row for each operation that is served, and
/// one for each resource with operations that are not.
pub(crate) fn coverage(catalog: &Catalog) -> String {
    let overview = Overview::new(catalog, None);
    let mut text = format!(
        "{} of v1's {} operations are served.\n\n\
         | v1 operation | v2 calls | exact | lossy | gone |\n\
         |---|---|---:|---:|---:|\n",
        overview.served, overview.known
    );
    let entries = || {
        overview
            .resources
            .iter()
            .flat_map(|resource| &resource.operations)
    };
    for entry in entries().filter(|entry| entry.service != ServiceKind::NotServed) {
        push_row(&mut text, entry);
    }
    text.push_str(
        "\n| not served yet | operations | v2 has a replacement for |\n|---|---:|---:|\n",
    );
    for resource in &overview.resources {
        let open = || {
            let open = |entry: &&OverviewEntry<'_>| entry.service == ServiceKind::NotServed;
            resource.operations.iter().filter(open)
        };
        let count = open().count();
        if count > 0 {
            let replaced = open().filter(|entry| !entry.v2.is_empty()).count();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| `{}/…` | {count} | {replaced} |", resource.name);
        }
    }
    text
}

fn push_row(text: &mut String, entry: &OverviewEntry<'_>) {
    let calls: Vec<_> = entry
        .v2
        .iter()
        .map(|request| format!("`{request}`"))
        .collect();
    let calls = match entry.service {
        ServiceKind::Refused => "none: always an error".to_owned(),
        _ => calls.join(", "),
    };
    let counts = entry.counts.unwrap_or_default();
    let _ = writeln!(
        text,
        "| `{}` | {calls} | {} | {} | {} |",
        entry.name, counts.exact, counts.lossy, counts.none
    );
}
