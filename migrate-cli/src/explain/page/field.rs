//! Document of a field page.

use mappings::fidelity::Fidelity;
use migrate_report::{
    Document,
    document::{Cell, Row, Table},
    layout::unbroken,
};
use serde_json::Value;

use super::{
    super::{
        FieldPage,
        field::{CellEntry, ChoiceRow, ConversionEntry, MappingEntry, PlaceEntry},
        guide::Guide,
        wording::{all_of, breakable, literal, one_of},
    },
    TOOL, fidelity,
    topic::guide,
};

const NEGATED: &str = "negated: true becomes false, false becomes true";
const BY_TABLE: &str = "by the table below";

/// Builds the document, with one section per mapping.
pub(crate) fn field(page: &FieldPage<'_>) -> Document<'static> {
    let aside = match page.mappings.as_slice() {
        [] => "parameter".to_owned(),
        [one] => fidelity(one.fidelity).lines.concat(),
        many => format!("{} meanings", many.len()),
    };
    let mut document = Document::page(TOOL, &page.name, &aside);
    if let Some(known) = Guide::find(&page.name) {
        guide(&mut document, known);
    }
    for mapping in &page.mappings {
        self::mapping(&mut document, page, mapping);
    }
    if !page.unmapped_in.is_empty() {
        document.list("not mapped yet in", [page.unmapped_in.join(", ")]);
    }
    document
}

fn mapping(document: &mut Document<'_>, page: &FieldPage<'_>, mapping: &MappingEntry<'_>) {
    if page.mappings.len() > 1 {
        let of = match mapping.only.as_slice() {
            [] => mapping.resource.to_owned(),
            only => only.join(", "),
        };
        let word = fidelity(mapping.fidelity).lines.concat();
        document.heading(format!("{} of {of}: {word}", page.name));
    }
    if let Some(reason) = mapping.reason {
        document.paragraph(format!("{reason}."));
    }
    let names: Vec<_> = mapping.fields.iter().map(|field| field.name).collect();
    if names.len() > 1 {
        document.paragraph(format!("{} share one place in v2.", all_of(&names)));
    }
    let row = |name: &str, text: String| Row::new([Cell::name(name), text.into()]);
    let fields = mapping.fields.iter();
    let mut rows: Vec<Row> = fields
        .map(|field| row("v1", format!("{}: {}", field.name, field.r#type)))
        .collect();
    rows.extend(mapping.places.iter().map(|place| {
        let requests = place.requests.iter().map(|request| unbroken(request));
        row("v2", place_words(place)).with_below(requests)
    }));
    if mapping.places.is_empty() {
        let nothing = if mapping.implied {
            "takes all values alike: nothing is sent"
        } else {
            "nothing"
        };
        rows.push(row("v2", nothing.to_owned()));
    }
    rows.extend(to_v2(mapping).map(|sentence| row("sent", sentence)));
    rows.extend(to_v1(mapping).map(|sentence| row("shown", sentence)));
    document.table(Table::plain(rows));
    tables(document, mapping, &names);
    let taken = mapping.taken_by.iter();
    let taken = taken.map(|used| (used.operation.to_owned(), used.fidelity, used.reason));
    uses(document, mapping, "taken by", &taken.collect::<Vec<_>>());
    let answered = mapping.answered_by.iter().map(|used| {
        let list =
            { used.list.as_ref() }.map_or(String::new(), |list| format!(" (each of {list})"));
        (
            format!("{}{list}", used.operation),
            used.fidelity,
            used.reason,
        )
    });
    uses(
        document,
        mapping,
        "answered by",
        &answered.collect::<Vec<_>>(),
    );
    document.list("catalog", [format!("mappings/api/{}", mapping.catalog)]);
}

fn place_words(place: &PlaceEntry) -> String {
    let document = place.place.split(':').next().unwrap_or_default();
    match (&place.at, place.place.as_str()) {
        (Some(at), "query") => format!("query parameter {at}"),
        (Some(at), "body") => at.clone(),
        (Some(at), _) => format!("{at} of the {} document", document.replace('_', " ")),
        (None, "path") => "a segment of the path".to_owned(),
        (None, "file") => "the file that is sent".to_owned(),
        (None, "clock") => "the time of the answer".to_owned(),
        (None, other) => other.to_owned(),
    }
}

/// Conversion of request values; `None` if no request sends the field.
fn to_v2(mapping: &MappingEntry<'_>) -> Option<String> {
    if mapping.taken_by.is_empty() || mapping.places.is_empty() {
        return None;
    }
    let conversion = match &mapping.conversion {
        ConversionEntry::Word | ConversionEntry::Table { request: [], .. } => "as it is".to_owned(),
        ConversionEntry::RoundUp { steps } => {
            let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
            format!(
                "up to the next of {}, never down; else refused",
                all_of(&steps)
            )
        }
        other => change(other),
    };
    if !mapping.omitted.is_empty() {
        let values: Vec<_> = mapping.omitted.iter().map(Value::to_string).collect();
        return Some(format!("{conversion}; {} is not sent", one_of(&values)));
    }
    Some(conversion)
}

/// Conversion of response values; `None` if no response has the field.
fn to_v1(mapping: &MappingEntry<'_>) -> Option<String> {
    if mapping.answered_by.is_empty() {
        return None;
    }
    if let Some(always) = mapping.always {
        return Some(format!("always {always}"));
    }
    if mapping.places.is_empty() {
        return None;
    }
    let conversion = match &mapping.conversion {
        ConversionEntry::RoundUp { .. } | ConversionEntry::Table { response: [], .. } => {
            "as it is".to_owned()
        }
        ConversionEntry::Word => "as it is, if it is one word".to_owned(),
        other => change(other),
    };
    let empties: Vec<_> = mapping
        .fields
        .iter()
        .filter_map(|field| Some((field.name, field.empty?)))
        .collect();
    Some(match empties.as_slice() {
        [] => conversion,
        [(_, empty)] => format!("{conversion}; {} if v2 has none", breakable(empty)),
        many => {
            let many: Vec<_> = many
                .iter()
                .map(|(name, empty)| format!("{name} {empty}"))
                .collect();
            format!("{conversion}; {} if v2 has none", all_of(&many))
        }
    })
}

/// Conversion that is the same in both directions.
fn change(conversion: &ConversionEntry<'_>) -> String {
    match conversion {
        ConversionEntry::Negate => NEGATED,
        ConversionEntry::Other { words } => words,
        ConversionEntry::Table { .. } | ConversionEntry::Choice { .. } => BY_TABLE,
        _ => "as it is",
    }
    .to_owned()
}

fn tables(document: &mut Document<'_>, mapping: &MappingEntry<'_>, names: &[&str]) {
    match &mapping.conversion {
        ConversionEntry::Table { request, response } => {
            pairs(document, ["v1", "sent to v2"], request, "refused");
            pairs(document, ["v2", "shown in v1"], response, "left out");
        }
        ConversionEntry::Choice { rows, given } => {
            choice(document, "both ways", names, rows);
            choice(document, "also sent", names, given);
        }
        _ => {}
    }
}

fn pairs(document: &mut Document<'_>, head: [&str; 2], pairs: &[(Value, Value)], otherwise: &str) {
    if pairs.is_empty() {
        return;
    }
    let mut table = Table::new(head);
    for (from, to) in pairs {
        table.row([literal(from), literal(to)]);
    }
    table.row(["other", otherwise]);
    document.section(head.join(" → "), table);
}

fn choice(document: &mut Document<'_>, title: &str, names: &[&str], rows: &[ChoiceRow<'_>]) {
    let mut table = Table::new(names.iter().copied().chain(["v2"]));
    for row in rows {
        let now: Vec<_> = row.now.iter().map(literal).collect();
        let only = match now.as_slice() {
            [] => String::new(),
            now => format!(", if it is {} now", one_of(now)),
        };
        let cells = row.v1.iter().map(|cell| match cell {
            CellEntry::Any => "any".to_owned(),
            CellEntry::Absent => "absent".to_owned(),
            CellEntry::Is(value) => literal(value),
        });
        table.row(cells.chain([format!("{}{only}", literal(row.v2))]));
    }
    document.section(title, table);
}

/// Lists the operations that use the mapping as is, then the others with their reasons.
fn uses(
    document: &mut Document<'_>,
    mapping: &MappingEntry<'_>,
    title: &str,
    uses: &[(String, Fidelity, Option<&str>)],
) {
    let (usual, others): (Vec<_>, Vec<_>) = uses.iter().partition(|(_, fidelity, reason)| {
        (*fidelity, *reason) == (mapping.fidelity, mapping.reason)
    });
    let names: Vec<_> = usual.iter().map(|(name, ..)| unbroken(name)).collect();
    let mut rows = Vec::new();
    if !names.is_empty() {
        rows.push(Row::new([names.join(", ")]));
    }
    rows.extend(others.into_iter().map(|(name, kind, reason)| {
        let reason = reason.unwrap_or("always v1's empty value here");
        Row::new([Cell::from(name.as_str()), fidelity(*kind), reason.into()])
    }));
    document.section(title, Table::plain(rows));
}
