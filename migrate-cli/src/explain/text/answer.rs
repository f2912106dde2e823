//! The answer of an operation.

use mappings::fidelity::Fidelity;

use super::{
    super::{
        OperationPage,
        answer::{AnswerEntry, AnswerField, Source},
        wording::counted,
    },
    counts, fidelity, group_row,
};
use migrate_report::sheet::{Row, Sheet, faint, strong};

/// Writes the fields of the answer.
pub(super) fn answer(
    sheet: &mut Sheet,
    page: &OperationPage<'_>,
    answer: &AnswerEntry<'_>,
    all: bool,
) {
    let number = counted(answer.counts.total(), "field");
    sheet.heading("answer", &format!(": {number} · {}", counts(answer.counts)));
    fields(sheet, page, &answer.fields, all);
    if let Some(items) = &answer.items {
        let number = counted(items.counts.total(), "field");
        let title = format!(
            "  each of {}: {number} · {}",
            items.list,
            counts(items.counts)
        );
        sheet.line(title);
        fields(sheet, page, &items.fields, all);
    }
    let exact = answer.counts.exact + answer.items.as_ref().map_or(0, |i| i.counts.exact);
    if !all && exact > 0 {
        sheet.line(faint("    --all shows every field with its place in v2"));
    }
}

fn fields(sheet: &mut Sheet, page: &OperationPage<'_>, fields: &[AnswerField<'_>], all: bool) {
    if all {
        let rows: Vec<_> = fields.iter().map(answer_field).collect();
        return sheet.rows(4, 1, &rows);
    }
    let said_above = |field: &AnswerField<'_>| {
        page.parameters.iter().any(|parameter| {
            parameter.name == field.name
                && parameter.fidelity == Some(field.fidelity)
                && parameter.reason == field.reason
        })
    };
    let mut rows = Vec::new();
    for kind in [Fidelity::Lossy, Fidelity::None] {
        let fields = fields.iter().filter(|field| field.fidelity == kind);
        let (said, new): (Vec<_>, Vec<_>) = fields.partition(|field| said_above(field));
        if !said.is_empty() {
            let names: Vec<_> = said.iter().map(|field| field.name).collect();
            let text = format!("as the parameters: {}", names.join(", "));
            rows.push(Row::new([fidelity(kind), text]));
        }
        let mut told: Vec<&str> = Vec::new();
        for field in &new {
            let reason = field.reason.unwrap_or_default();
            let alike = new.iter().filter(|other| other.reason == field.reason);
            let names: Vec<_> = alike.map(|field| field.name).collect();
            if told.contains(&reason) {
                continue;
            }
            told.push(reason);
            rows.push(match names.as_slice() {
                [name] => Row::new([fidelity(kind), format!("{}: {reason}", strong(name))]),
                names => group_row(kind, field.reason, names),
            });
        }
    }
    sheet.rows(4, 1, &rows);
}

fn answer_field(field: &AnswerField<'_>) -> Row {
    let sources: Vec<_> = field.sources.iter().map(Source::in_short).collect();
    let mut from = sources.join(", else ");
    if !field.conversion.is_empty() && !from.is_empty() {
        from = format!("{from} ({})", field.conversion);
    }
    if from.is_empty() {
        let reason = field.reason.unwrap_or("nothing fills it");
        return Row::new([
            fidelity(field.fidelity),
            format!("{}: {reason}", strong(field.name)),
        ]);
    }
    Row {
        cells: vec![
            fidelity(field.fidelity),
            format!("{} ← {from}", strong(field.name)),
        ],
        below: field.reason.map(str::to_owned).into_iter().collect(),
    }
}
