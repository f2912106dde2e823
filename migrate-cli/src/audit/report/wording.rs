//! Texts about findings.

use std::collections::BTreeMap;

use migrate_audit::{Finding, LossyParameter, Shim, waves::UNKNOWN};
use migrate_report::{document::Cell, words::first};

/// Message of an annotation: reason and advice, without what the title already states.
pub(super) fn message(finding: &Finding) -> String {
    let reason = (finding.reason != title(finding)).then(|| finding.reason.clone());
    let parts = reason.into_iter().chain([advice(finding)]);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// Fills `{name}` in a kind's text with the library, credential or field of the finding.
pub(crate) fn named_in(finding: &Finding, text: &str) -> String {
    let name = finding.parameters.first().map_or("", String::as_str);
    let library = finding.library();
    let library = library.map(|(ecosystem, package)| format!("{ecosystem}:{package}"));
    text.replace("{name}", name)
        .replace("{library}", &library.unwrap_or_default())
}

/// Short title: the operation, or the title of the kind.
pub(super) fn title(finding: &Finding) -> String {
    match (&finding.operation, &finding.kind.traits().title) {
        (Some(operation), _) => operation.clone(),
        (None, Some(title)) => named_in(finding, title),
        (None, None) => finding.reason.clone(),
    }
}

/// Advice in one sentence.
pub(super) fn advice(finding: &Finding) -> String {
    match (&finding.kind.traits().advice, &finding.advice) {
        (Some(advice), _) => named_in(finding, advice),
        (None, None) => String::new(),
        (None, Some(advice)) if advice.shim == Shim::Unknown => UNKNOWN.to_owned(),
        (None, Some(advice)) => {
            let v2 = if advice.v2.is_empty() {
                "v2 has no replacement".to_owned()
            } else {
                format!("→ {}", advice.v2.join(", "))
            };
            match advice.refused {
                Some(why) => format!("{why}; {v2}"),
                None => v2,
            }
        }
    }
}

/// Parts of the catalog note of the operation. A part that mentions other operations is shown only
/// if the program uses one of them: `user/delete` where users are created by `user/custcreate`.
pub(super) fn notes<'f>(
    finding: &'f Finding,
    used: &BTreeMap<String, usize>,
) -> impl Iterator<Item = &'f str> {
    let note = finding
        .advice
        .as_ref()
        .and_then(|advice| advice.note.as_deref());
    note.unwrap_or_default().split("; ").filter(move |part| {
        let names = named(part);
        !part.is_empty() && (names.is_empty() || names.iter().any(|name| used.contains_key(*name)))
    })
}

/// Operations mentioned in a note.
pub(super) fn named(note: &str) -> Vec<&str> {
    let words = note.split(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '_'));
    words.filter(|word| word.contains('/')).collect()
}

/// Sentence that lists lossy parameters: those in the call first, then those it might add.
pub(super) fn losses(finding: &Finding) -> Option<String> {
    /// Maximum number of parameters listed that the call does not use.
    const NAMED: usize = 4;
    let advice = finding.advice.as_ref()?;
    if advice.lossy.is_empty() || advice.v2.is_empty() {
        return None;
    }
    let (given, possible): (Vec<_>, Vec<_>) = advice
        .lossy
        .iter()
        .partition(|lost| finding.parameters.contains(&lost.name));
    let named = |lost: &&LossyParameter| lost.condition();
    let given_list = given.iter().map(named).collect::<Vec<_>>().join(", ");
    let possible_list = first(possible.iter().map(named), NAMED).join(", ");
    Some(match (given.is_empty(), possible.is_empty()) {
        (false, true) => format!("exact except: {given_list}"),
        (false, false) => {
            format!("exact except: {given_list}; nor if given: {possible_list}")
        }
        _ if advice.fidelity == "depends" => {
            format!("depends on the parameters; not exact if given: {possible_list}")
        }
        _ => format!("not exact if given: {possible_list}"),
    })
}

/// Shim support as a colored cell.
pub(super) fn shim_cell(shim: Shim) -> Cell {
    Cell::from(shim_word(shim)).toned(match shim {
        Shim::Yes => "good",
        Shim::Lossy => "lossy",
        Shim::NotYet | Shim::Refused | Shim::Unknown => "bad",
    })
}

fn shim_word(shim: Shim) -> &'static str {
    match shim {
        Shim::Yes => "served",
        Shim::Lossy => "served, with losses",
        Shim::NotYet => "not served yet",
        Shim::Refused => "answers an error",
        Shim::Unknown => "unknown operation",
    }
}
