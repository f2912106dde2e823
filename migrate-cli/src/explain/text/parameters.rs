//! The parameters of an operation.

use mappings::fidelity::Fidelity;

use super::{
    super::{
        OperationPage,
        parameters::{ParameterEntry, ParameterPlace, RequestPart},
        wording::{all_of, one_of},
    },
    counts, fidelity, group_row,
};
use migrate_report::sheet::{Row, Sheet, strong};

/// How many parameters are shown in full without `--all`.
const FEW: usize = 12;

/// Writes the parameters.
pub(super) fn parameters(sheet: &mut Sheet, page: &OperationPage<'_>, all: bool) {
    let number = page.parameters.len();
    if number == 0 {
        return;
    }
    let mapped = page
        .parameters
        .iter()
        .any(|parameter| parameter.fidelity.is_some());
    if !mapped {
        sheet.heading(
            "parameters",
            &format!(": {number}, without field mappings yet"),
        );
        let names = |required: bool| {
            let parameters = page.parameters.iter();
            let names = parameters.filter(|parameter| parameter.required == required);
            names
                .map(|parameter| parameter.name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let rows = [("required", names(true)), ("optional", names(false))];
        let rows = rows.into_iter().filter(|(_, names)| !names.is_empty());
        let rows: Vec<_> = rows
            .map(|(word, names)| Row::new([word.to_owned(), names]))
            .collect();
        return sheet.rows(4, 0, &rows);
    }
    let summary = format!(": {number} · {}", counts(page.parameter_counts));
    sheet.heading("parameters", &summary);
    let in_full = |parameter: &&ParameterEntry<'_>| {
        all || number <= FEW || parameter.required || parameter.fidelity != Some(Fidelity::Exact)
    };
    let shown: Vec<_> = page.parameters.iter().filter(in_full).collect();
    let mut rows: Vec<Row> = Vec::new();
    for entry in &shown {
        let group: Vec<_> = shown
            .iter()
            .filter(|other| is_dropped_alike(entry, other))
            .collect();
        match group.as_slice() {
            [first, _, ..] if !all => {
                if first.name == entry.name {
                    let names = group.iter().map(|entry| entry.name);
                    rows.push(group_row(
                        Fidelity::None,
                        entry.reason,
                        &names.collect::<Vec<_>>(),
                    ));
                }
            }
            _ => rows.push(parameter(entry)),
        }
    }
    sheet.rows(4, 1, &rows);
    let others: Vec<_> = page.parameters.iter().filter(|p| !in_full(p)).collect();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|parameter| parameter.name).collect();
        let text = format!(
            "{} (--all shows each with its place in v2)",
            names.join(", ")
        );
        sheet.hanging(&format!("    {}  ", fine_exact(names.len())), &text);
    }
}

fn fine_exact(number: usize) -> String {
    format!("{number} {}", fidelity(Fidelity::Exact))
}

/// True if two parameters go nowhere for the same reason.
fn is_dropped_alike(one: &ParameterEntry<'_>, other: &ParameterEntry<'_>) -> bool {
    one.fidelity == Some(Fidelity::None)
        && other.fidelity == Some(Fidelity::None)
        && one.reason == other.reason
}

fn parameter(entry: &ParameterEntry<'_>) -> Row {
    let mut about = entry.r#type.clone().unwrap_or_default();
    if entry.required {
        let required = match entry.or.as_slice() {
            [] => "required".to_owned(),
            others => format!("required, or {}", one_of(others)),
        };
        about = format!("{required}; {about}");
    }
    let mut below: Vec<String> = entry.places.iter().map(place).collect();
    if let Some(first) = below.first_mut().filter(|_| !entry.conversion.is_empty()) {
        *first = format!("{first} ({})", entry.conversion);
    }
    below.extend(entry.reason.map(str::to_owned));
    Row {
        cells: vec![
            entry.fidelity.map(fidelity).unwrap_or_default(),
            format!("{}: {about}", strong(entry.name)),
        ],
        below,
    }
}

/// Where a parameter goes: `→ create: user_info.email`.
pub(crate) fn place(place: &ParameterPlace<'_>) -> String {
    let calls = all_of(&place.calls);
    let at = place.at.as_deref().unwrap_or_default();
    match place.part {
        RequestPart::Path => format!("→ path of {calls}"),
        RequestPart::Query => format!("→ {calls}: ?{at}"),
        RequestPart::Body => format!("→ {calls}: {at}"),
        RequestPart::File => format!("→ {calls}: the file"),
        RequestPart::Filter => format!("→ {calls}: only where {at} is the same"),
        RequestPart::Check => format!("→ must be in {at} of what {calls} finds"),
    }
}
