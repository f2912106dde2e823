//! The page of one field.

use mappings::fidelity::Fidelity;
use serde_json::Value;

use super::{
    super::{
        FieldPage,
        field::{CellEntry, ChoiceRow, ConversionEntry, MappingEntry, PlaceEntry},
        wording::{all_of, breakable, literal, one_of},
    },
    fidelity,
};
use migrate_report::sheet::{Row, Sheet, faint, strong, tied};

const NEGATED: &str = "negated: true becomes false, false becomes true";
const BY_TABLE: &str = "by the table below";

/// Writes the page.
pub(crate) fn field(sheet: &mut Sheet, page: &FieldPage<'_>) {
    for (at, mapping) in page.mappings.iter().enumerate() {
        if at > 0 {
            sheet.blank();
        }
        self::mapping(sheet, page, mapping);
    }
    if page.mappings.is_empty() {
        sheet.ends(&strong(&page.name), &faint("parameter"));
    }
    if !page.unmapped_in.is_empty() {
        sheet.blank();
        sheet.hanging("  not mapped yet in  ", &page.unmapped_in.join(", "));
    }
}

fn mapping(sheet: &mut Sheet, page: &FieldPage<'_>, mapping: &MappingEntry<'_>) {
    let names: Vec<_> = mapping.fields.iter().map(|field| field.name).collect();
    let only = match mapping.only.as_slice() {
        [] if page.mappings.len() > 1 => format!(" of {}", mapping.resource),
        [] => String::new(),
        only @ ([_] | [_, _]) => format!(" of {}", one_of(only)),
        _ => " of some operations".to_owned(),
    };
    let title = format!("{}{only}", strong(&page.name));
    sheet.ends(&title, &fidelity(mapping.fidelity));
    if mapping.only.len() > 2 {
        sheet.hanging("  of  ", &mapping.only.join(", "));
    }
    if let Some(reason) = mapping.reason {
        sheet.paragraph(2, &format!("{reason}."));
    }
    if names.len() > 1 {
        sheet.paragraph(2, &format!("{} share one place in v2.", all_of(&names)));
    }
    sheet.blank();
    let mut rows: Vec<Row> = mapping
        .fields
        .iter()
        .map(|field| Row::new([strong("v1"), format!("{}: {}", field.name, field.r#type)]))
        .collect();
    rows.extend(mapping.places.iter().map(place));
    if mapping.places.is_empty() {
        let nothing = if mapping.implied {
            "takes all values alike: nothing is sent"
        } else {
            "nothing"
        };
        rows.push(two("v2", nothing.to_owned()));
    }
    rows.extend(to_v2(mapping).map(|sentence| two("sent", sentence)));
    rows.extend(to_v1(mapping).map(|sentence| two("shown", sentence)));
    sheet.rows(2, 1, &rows);
    tables(sheet, mapping, &names);
    uses(sheet, mapping);
    sheet.blank();
    sheet.line(faint(&format!(
        "  catalog  mappings/api/{}",
        mapping.catalog
    )));
}

fn two(name: &str, text: String) -> Row {
    Row::new([strong(name), text])
}

fn place(place: &PlaceEntry) -> Row {
    let document = place.place.split(':').next().unwrap_or_default();
    let text = match (&place.at, place.place.as_str()) {
        (Some(at), "query") => format!("query parameter {at}"),
        (Some(at), "body") => at.clone(),
        (Some(at), _) => format!("{at} of the {} document", document.replace('_', " ")),
        (None, "path") => "a segment of the path".to_owned(),
        (None, "file") => "the file that is sent".to_owned(),
        (None, "clock") => "the time of the answer".to_owned(),
        (None, other) => other.to_owned(),
    };
    Row {
        cells: vec![strong("v2"), text],
        below: place.requests.iter().map(|request| tied(request)).collect(),
    }
}

/// How a request's value changes; nothing if no request has one that is sent.
fn to_v2(mapping: &MappingEntry<'_>) -> Option<String> {
    if mapping.taken_by.is_empty() || mapping.places.is_empty() {
        return None;
    }
    let conversion = match &mapping.conversion {
        ConversionEntry::Same
        | ConversionEntry::Word
        | ConversionEntry::Table { request: [], .. } => "as it is".to_owned(),
        ConversionEntry::Negate => NEGATED.to_owned(),
        ConversionEntry::Other { words } => (*words).to_owned(),
        ConversionEntry::RoundUp { steps } => {
            let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
            format!(
                "up to the next of {}, never down; else refused",
                all_of(&steps)
            )
        }
        ConversionEntry::Table { .. } | ConversionEntry::Choice { .. } => BY_TABLE.to_owned(),
    };
    if !mapping.omitted.is_empty() {
        let values: Vec<_> = mapping.omitted.iter().map(Value::to_string).collect();
        return Some(format!("{conversion}; {} is not sent", one_of(&values)));
    }
    Some(conversion)
}

/// How an answer's value changes; nothing if no answer has one.
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
        ConversionEntry::Same
        | ConversionEntry::RoundUp { .. }
        | ConversionEntry::Table { response: [], .. } => "as it is".to_owned(),
        ConversionEntry::Word => "as it is, if it is one word".to_owned(),
        ConversionEntry::Negate => NEGATED.to_owned(),
        ConversionEntry::Other { words } => (*words).to_owned(),
        ConversionEntry::Table { .. } | ConversionEntry::Choice { .. } => BY_TABLE.to_owned(),
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

// ---- tables ----------------------------------------------------------------------------------

fn tables(sheet: &mut Sheet, mapping: &MappingEntry<'_>, names: &[&str]) {
    match &mapping.conversion {
        ConversionEntry::Table { request, response } => {
            pairs(sheet, "sent: v1 → v2", request, "refused");
            pairs(sheet, "shown: v2 → v1", response, "left out");
        }
        ConversionEntry::Choice { rows, given } => {
            choice(sheet, "both ways", names, rows);
            choice(sheet, "also sent", names, given);
        }
        ConversionEntry::Same
        | ConversionEntry::Negate
        | ConversionEntry::Word
        | ConversionEntry::Other { .. }
        | ConversionEntry::RoundUp { .. } => {}
    }
}

fn pairs(sheet: &mut Sheet, title: &str, pairs: &[(Value, Value)], otherwise: &str) {
    if pairs.is_empty() {
        return;
    }
    sheet.heading(title, "");
    let mut rows: Vec<_> = pairs
        .iter()
        .map(|(from, to)| Row::new([literal(from), "→".to_owned(), literal(to)]))
        .collect();
    rows.push(Row::new([
        "other".to_owned(),
        "→".to_owned(),
        otherwise.to_owned(),
    ]));
    sheet.rows(4, 0, &rows);
}

fn choice(sheet: &mut Sheet, title: &str, names: &[&str], rows: &[ChoiceRow<'_>]) {
    if rows.is_empty() {
        return;
    }
    sheet.heading(title, "");
    let mut head: Vec<String> = names.iter().map(|name| faint(name)).collect();
    head.extend([String::new(), faint("v2")]);
    let mut table = vec![Row {
        cells: head,
        below: Vec::new(),
    }];
    table.extend(rows.iter().map(|row| {
        let mut cells: Vec<String> = row.v1.iter().map(cell).collect();
        let now: Vec<_> = row.now.iter().map(literal).collect();
        let only = match now.as_slice() {
            [] => String::new(),
            now => format!(", if it is {} now", one_of(now)),
        };
        cells.extend(["→".to_owned(), format!("{}{only}", literal(row.v2))]);
        Row {
            cells,
            below: Vec::new(),
        }
    }));
    sheet.rows(4, 0, &table);
}

fn cell(cell: &CellEntry<'_>) -> String {
    match cell {
        CellEntry::Any => "any".to_owned(),
        CellEntry::Absent => "absent".to_owned(),
        CellEntry::Is(value) => literal(value),
    }
}

// ---- uses ------------------------------------------------------------------------------------

fn uses(sheet: &mut Sheet, mapping: &MappingEntry<'_>) {
    let taken = mapping.taken_by.iter();
    let taken = taken.map(|used| Use {
        name: used.operation.to_owned(),
        fidelity: used.fidelity,
        reason: used.reason,
    });
    let answered = mapping.answered_by.iter().map(|used| Use {
        name: match used.list {
            Some(list) => format!("{} (each of {list})", used.operation),
            None => used.operation.to_owned(),
        },
        fidelity: used.fidelity,
        reason: used.reason,
    });
    group(sheet, mapping, "taken by", &taken.collect::<Vec<_>>());
    group(sheet, mapping, "answered by", &answered.collect::<Vec<_>>());
}

struct Use<'a> {
    name: String,
    fidelity: Fidelity,
    reason: Option<&'a str>,
}

/// The operations where all is as the mapping says, then the others with their reasons.
fn group(sheet: &mut Sheet, mapping: &MappingEntry<'_>, title: &str, uses: &[Use<'_>]) {
    if uses.is_empty() {
        return;
    }
    sheet.heading(title, "");
    let usual =
        |used: &&Use<'_>| used.fidelity == mapping.fidelity && used.reason == mapping.reason;
    let names: Vec<_> = uses
        .iter()
        .filter(usual)
        .map(|used| tied(&used.name))
        .collect();
    sheet.paragraph(4, &names.join(", "));
    let others: Vec<_> = uses
        .iter()
        .filter(|used| !usual(used))
        .map(|used| {
            Row::new([
                used.name.clone(),
                fidelity(used.fidelity),
                used.reason
                    .unwrap_or("always v1's empty value here")
                    .to_owned(),
            ])
        })
        .collect();
    sheet.rows(4, 0, &others);
}
