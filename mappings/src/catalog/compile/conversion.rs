//! Compiles the conversion of a field mapping.

use serde_json::Value;

use super::{super::shape::FieldShape, Scope};
use crate::conversion::{Cell, Choice, Conversion, Elements, Joined, Pairs, Table};

pub(super) fn conversion(scope: &Scope<'_>, shape: &FieldShape) -> Option<Conversion> {
    let has_tables = !shape.request.is_empty() || !shape.response.is_empty();
    let ways = [
        shape.convert.is_some(),
        has_tables,
        !shape.table.is_empty(),
        !shape.round_up.is_empty(),
    ];
    scope.expect(
        ways.into_iter().filter(|way| *way).count() <= 1,
        "only one of convert, request/response, table and round_up is allowed",
    );
    if shape.v1.len() > 1 {
        return choice(scope, shape).map(Conversion::Choice);
    }
    scope.expect(
        shape.given.is_empty(),
        "`given` is for two v1 fields that share one place",
    );
    if has_tables {
        check_rows(scope, &shape.request);
        check_rows(scope, &shape.response);
        return Some(Conversion::Table(Table {
            request: shape.request.clone(),
            response: shape.response.clone(),
            others_stay: shape.others.is_some(),
        }));
    }
    if !shape.round_up.is_empty() {
        scope.expect(
            shape.round_up.is_sorted(),
            "round_up must be in ascending order",
        );
        return Some(Conversion::RoundUp(shape.round_up.clone()));
    }
    by_name(scope, shape)
}

fn check_rows(scope: &Scope<'_>, rows: &[(Value, Value)]) {
    for (at, (from, to)) in rows.iter().enumerate() {
        check_single(scope, from);
        check_single(scope, to);
        if rows.iter().take(at).any(|(earlier, _)| earlier == from) {
            never_reached(scope, from);
        }
    }
}

fn check_single(scope: &Scope<'_>, value: &Value) {
    if value.is_array() || value.is_object() {
        scope.add(format!("a table must contain scalar values, not {value}"));
    }
}

fn never_reached(scope: &Scope<'_>, row: &Value) {
    scope.add(format!(
        "unreachable row for {row}: an earlier one matches first"
    ));
}

/// The conversion named by `convert`.
fn by_name(scope: &Scope<'_>, shape: &FieldShape) -> Option<Conversion> {
    let member = shape.member.first();
    let conversion = match shape.convert.as_deref() {
        None => Conversion::Same,
        Some("negate") => Conversion::Negate,
        Some("word") => Conversion::Word,
        Some("elements") => {
            let Some(member) = member.cloned() else {
                scope.add("elements need the name of their `member`");
                return None;
            };
            let address = shape.member.get(1).cloned();
            Conversion::Elements(Elements { member, address })
        }
        Some("joined") => {
            let mut separators = shape.separator.iter().cloned();
            let v1 = separators.next().unwrap_or_else(|| ",".to_owned());
            let v2 = separators.next().unwrap_or_else(|| v1.clone());
            Conversion::Joined(Joined { v1, v2 })
        }
        Some("pairs") => {
            let [name, value] = shape.member.clone().try_into().ok().or_else(|| {
                scope.add("pairs need `member = [\"NAME\", \"VALUE\"]`");
                None
            })?;
            Conversion::Pairs(Pairs { name, value })
        }
        Some("before_brackets") => Conversion::BeforeBrackets,
        Some("in_brackets") => Conversion::InBrackets,
        Some("before_last_blank") => Conversion::BeforeLastBlank,
        Some("after_last_blank") => Conversion::AfterLastBlank,
        Some("minutes") => Conversion::Minutes,
        Some("elapsed") => Conversion::Elapsed,
        Some(other) => {
            let known = Conversion::NAMES.join(", ");
            scope.add(format!(
                "convert `{other}` is none of {known}; unchanged is the default"
            ));
            return None;
        }
    };
    let takes_members = matches!(conversion, Conversion::Elements(_) | Conversion::Pairs(_));
    let takes_separators = matches!(conversion, Conversion::Joined(_));
    scope.expect(
        (takes_members || shape.member.is_empty())
            && (takes_separators || shape.separator.is_empty()),
        "`member` is for elements and pairs, `separator` for joined",
    );
    Some(conversion)
}

/// The table of two v1 fields that share one v2 place.
fn choice(scope: &Scope<'_>, shape: &FieldShape) -> Option<Choice> {
    let names = shape.v1.len();
    let mut rows: Vec<(Vec<Cell>, Value)> = Vec::new();
    for row in &shape.table {
        let Some((v2, cells)) = row.split_last().filter(|(_, cells)| cells.len() == names) else {
            scope.add("a table row needs a value for each v1 name, then the v2 value");
            return None;
        };
        for value in row {
            check_single(scope, value);
        }
        let cells: Vec<_> = cells.iter().cloned().map(Cell::from).collect();
        let mut earlier = rows.iter();
        if earlier.any(|(earlier, value)| *earlier == cells || value == v2) {
            never_reached(scope, v2);
        }
        rows.push((cells, v2.clone()));
    }
    scope.expect(
        !rows.is_empty(),
        "two v1 fields that share one place need a table",
    );
    for (at, rule) in shape.given.iter().enumerate() {
        scope.expect(
            rule.cells.len() == names,
            "v1 of a `given` needs a value for each v1 name",
        );
        let mut earlier = shape.given.iter().take(at);
        scope.expect(
            earlier.all(|earlier| earlier.cells != rule.cells),
            "unreachable `given`: an earlier one has the same v1",
        );
    }
    Some(Choice {
        rows,
        given: shape.given.clone(),
    })
}
