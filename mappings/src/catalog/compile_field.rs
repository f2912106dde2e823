//! Checks field mappings.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    COMMON, Location,
    compile_plan::{check_number, choices},
    compile_protocol::Subjects,
    field::{DocumentPlace, Field, Kind, Override, Part, Place, Shape},
    load::{Parts, Report, json, pointer},
    operation::Wanted,
    protocol::OptionRule,
    shape::{FieldShape, OneOrMany},
};
use crate::{
    conversion::{Cell, Choice, Conversion, Elements, Given, Joined, Pairs, Table},
    fidelity::Fidelity,
    template::Template,
};

/// What sites may choose, by name.
type Options = BTreeMap<String, OptionRule>;

pub(super) fn fields(
    parts: &mut Parts,
    subjects: &Subjects,
    options: &Options,
    report: &mut Report,
) -> (Vec<Field>, Index) {
    let shapes = std::mem::take(&mut parts.field);
    let mut fields = Vec::new();
    let mut with_members = Vec::new();
    for (at, mut shape) in shapes {
        let members = std::mem::take(&mut shape.members);
        if let Some(field) = field(at, shape, subjects, options, report) {
            if !members.is_empty() {
                with_members.push((fields.len(), members));
            }
            fields.push(field);
        }
    }
    let index = Index::new(&fields, report);
    for (field, keys) in with_members {
        let Some(location) = fields.get(field).map(|field| field.location.clone()) else {
            continue;
        };
        let members = keys.iter().filter_map(|key| {
            let found = index.find(location.resource(), key);
            if found.is_none() {
                report.add(&location, format!("there is no field `{key}`"));
            }
            found
        });
        let members: Vec<_> = members.collect();
        if let Some(part) = fields
            .get_mut(field)
            .and_then(|field| field.parts.first_mut())
        {
            if part.kind != Kind::Json {
                report.add(&location, "`members` is for the type json");
            }
            part.members = members;
        }
    }
    (fields, index)
}

/// Which mapping has a key, by resource.
pub(super) struct Index(BTreeMap<(String, String), (usize, usize)>);

impl Index {
    pub(super) fn new(fields: &[Field], report: &mut Report) -> Self {
        let mut index = Self(BTreeMap::new());
        for (at, field) in fields.iter().enumerate() {
            for (part, Part { key, .. }) in field.parts.iter().enumerate() {
                let place = (field.location.resource().to_owned(), key.clone());
                if let Some((earlier, _)) = index.0.insert(place, (at, part)) {
                    let earlier = fields.get(earlier).map(|field| field.location.to_string());
                    let earlier = earlier.unwrap_or_default();
                    report.add(
                        &field.location,
                        format!("field `{key}` is there already, at {earlier}"),
                    );
                }
            }
        }
        index
    }

    /// The field that a file of a resource means by a key.
    pub(super) fn find(&self, resource: &str, key: &str) -> Option<(usize, usize)> {
        let of = |resource: &str| self.0.get(&(resource.to_owned(), key.to_owned()));
        of(resource).or_else(|| of(COMMON)).copied()
    }
}

fn field(
    at: Location,
    shape: FieldShape,
    subjects: &Subjects,
    options: &Options,
    report: &mut Report,
) -> Option<Field> {
    let names = shape.v1.clone().into_vec();
    let kinds: Vec<_> = shape.kind.clone().into_vec();
    if names.is_empty() || names.len() != kinds.len() {
        report.add(
            &at,
            "v1 and type need one name and one type each, or two of both",
        );
        return None;
    }
    let kinds: Vec<Kind> = kinds
        .iter()
        .filter_map(|kind| report.keep(&at, self::kind(kind)))
        .collect();
    if kinds.len() != names.len() {
        return None;
    }
    let keys = shape
        .key
        .clone()
        .map_or_else(|| names.clone(), OneOrMany::into_vec);
    if keys.len() != names.len() {
        report.add(&at, "key needs one name for each v1 name");
        return None;
    }
    let fidelity = report.keep(&at, fidelity(shape.fidelity.as_deref()))?;
    if (fidelity == Fidelity::Exact) == shape.reason.is_some() {
        report.add(
            &at,
            match fidelity {
                Fidelity::Exact => {
                    "an exact mapping needs no reason: say `fidelity`, or leave the reason out"
                }
                Fidelity::Lossy | Fidelity::None => "a mapping that is not exact needs a reason",
            },
        );
    }
    let places: Vec<Place> = shape
        .v2
        .clone()
        .into_vec()
        .iter()
        .filter_map(|text| report.keep(&at, place(text)))
        .collect();
    let is_placed = !places.is_empty() || shape.always.is_some();
    if !is_placed && fidelity != Fidelity::None && !shape.implied {
        report.add(
            &at,
            "the mapping has no place in v2: name one, or say `fidelity = \"none\"` and why",
        );
    }
    if !places.is_empty() && (fidelity == Fidelity::None || shape.implied) {
        report.add(
            &at,
            "a mapping with a place in v2 is exact or lossy, and not implied",
        );
    }
    let conversion = conversion(&at, &shape, &names, report)?;
    check_convert_of(&at, &shape, &places, &conversion, report);
    let every_use_is_lossy = is_lossy(&at, fidelity, shape.loss.as_deref(), report);
    let empties = empties(&at, &shape, &kinds, report);
    if let Some(name) = &shape.at_most {
        check_number(&at, name, options, report);
    }
    let common = part(&at, &shape, &kinds, subjects, report);
    let parts = names
        .into_iter()
        .zip(keys)
        .zip(kinds)
        .enumerate()
        .map(|(part, ((name, key), kind))| Part {
            key,
            name,
            kind,
            empty: empties.get(part).cloned().flatten(),
            ..common.clone()
        })
        .collect();
    Some(Field {
        parts,
        places,
        conversion,
        overrides: overrides(&at, &shape, options, report),
        converts: shape.convert_of,
        omit: shape.omit.iter().map(json).collect(),
        unless_stored: shape.unless_stored,
        empty_unread: shape.empty_unread,
        always: shape.always.as_ref().map(json),
        fidelity,
        reason: shape.reason,
        every_use_is_lossy,
        implied: shape.implied,
        location: at,
    })
}

/// True if every use in a request is a loss.
fn is_lossy(at: &Location, fidelity: Fidelity, loss: Option<&str>, report: &mut Report) -> bool {
    match (fidelity, loss) {
        (Fidelity::Exact, None) => false,
        (Fidelity::Exact, Some(_)) => {
            report.add(at, "an exact mapping has no loss");
            false
        }
        (_, None) => true,
        (_, Some("changed")) => false,
        (_, Some(other)) => {
            report.add(at, format!("loss `{other}` is not known; `changed` is"));
            true
        }
    }
}

fn check_convert_of(
    at: &Location,
    shape: &FieldShape,
    places: &[Place],
    conversion: &Conversion,
    report: &mut Report,
) {
    let Some(document) = &shape.convert_of else {
        return;
    };
    let is_in = |place: &Place| matches!(place, Place::Document(at) if at.document == *document);
    if !conversion.takes_values() || !places.iter().any(is_in) {
        report.add(at, format!("nothing of `{document}` is converted"));
    }
}

/// What a request may hold.
fn part(
    at: &Location,
    shape: &FieldShape,
    kinds: &[Kind],
    subjects: &Subjects,
    report: &mut Report,
) -> Part {
    let has = |kind: Kind| kinds.contains(&kind);
    let mut only_for = |is_set: bool, key: &str, fits: bool, of: &str| {
        if is_set && !fits {
            report.add(at, format!("`{key}` is for the type {of}"));
        }
    };
    let is_text = has(Kind::String) || has(Kind::Text) || has(Kind::Secret);
    only_for(shape.at_most.is_some(), "at_most", has(Kind::Int), "int");
    only_for(
        shape.digits.is_some(),
        "digits",
        has(Kind::Digits),
        "digits",
    );
    only_for(shape.shape.is_some(), "shape", has(Kind::Json), "json");
    only_for(shape.bare.is_some(), "bare", has(Kind::Json), "json");
    only_for(
        shape.max_elements.is_some(),
        "max_elements",
        has(Kind::Ids),
        "ids",
    );
    only_for(shape.ids_of.is_some(), "ids_of", has(Kind::Ids), "ids");
    only_for(shape.cut.is_some(), "cut", is_text, "string or text");
    only_for(!shape.one_of.is_empty(), "one_of", is_text, "string");
    only_for(!shape.values.is_empty(), "values", has(Kind::Int), "int");
    let mut choice = |key: &str, given: Option<&str>, known: &str| {
        if let Some(other) = given.filter(|given| *given != known) {
            report.add(at, format!("{key} `{other}` is not known; `{known}` is"));
        }
        given.is_some()
    };
    let drops_unknown = choice("unknown", shape.unknown.as_deref(), "drop");
    let refuses_empty = choice("sent_empty", shape.sent_empty.as_deref(), "refuse");
    let json_shape = match shape.shape.as_deref() {
        None => None,
        Some("object") => Some(Shape::Object),
        Some("array") => Some(Shape::Array),
        Some(other) => {
            report.add(at, format!("shape `{other}` is neither object nor array"));
            None
        }
    };
    let ids_of = shape.ids_of.as_ref();
    let ids_of = ids_of.and_then(|kind| subjects.find(kind, at, report));
    Part {
        key: String::new(),
        name: String::new(),
        kind: Kind::String,
        range: shape.range,
        clamp: shape.clamp,
        at_most: shape.at_most.clone(),
        values: shape.values.clone(),
        one_of: shape.one_of.clone(),
        drops_unknown,
        aliases: shape.aliases.clone(),
        cut: shape.cut,
        digits: shape.digits,
        shape: json_shape,
        members: Vec::new(),
        bare: shape.bare.clone(),
        max_elements: shape.max_elements,
        ids_of,
        refuses_empty,
        min: shape.min,
        max: shape.max,
        default: shape.default.as_ref().map(json),
        empty: None,
    }
}

fn overrides(
    at: &Location,
    shape: &FieldShape,
    options: &Options,
    report: &mut Report,
) -> Vec<Override> {
    let rules = shape.overrides.iter();
    rules
        .filter_map(|rule| {
            let member = match &rule.at {
                None => None,
                Some(text) => match report.keep(at, place(text))? {
                    Place::Document(place) => {
                        let wanted = wanted(at, &rule.is, &rule.is_not, rule.exists, report)?;
                        Some((place, wanted))
                    }
                    other => {
                        report.add(at, format!("`{other}` is no place in a document"));
                        return None;
                    }
                },
            };
            if rule.at.is_none() && rule.option.is_empty() {
                report.add(at, "an override depends on another member or an option");
            }
            let from = rule.from.as_ref();
            Some(Override {
                at: member,
                options: choices(at, &rule.option, options, report),
                show: rule.show.as_ref().map(json),
                from: from.and_then(|text| report.keep(at, place(text))),
            })
        })
        .collect()
}

/// `is`, `is_not` or `exists`.
pub(super) fn wanted(
    at: &Location,
    is: &[toml::Value],
    is_not: &[toml::Value],
    exists: Option<bool>,
    report: &mut Report,
) -> Option<Wanted> {
    let one_of = |values: &[toml::Value], is| {
        let values = values.iter().map(json).collect();
        Wanted::OneOf { values, is }
    };
    match (is, is_not, exists) {
        ([_, ..], [], None) => Some(one_of(is, true)),
        ([], [_, ..], None) => Some(one_of(is_not, false)),
        ([], [], Some(exists)) => Some(Wanted::Exists(exists)),
        _ => {
            report.add(at, "one of `is`, `is_not` and `exists` says what is wanted");
            None
        }
    }
}

/// v1's value for "nothing there", for each v1 name.
fn empties(
    at: &Location,
    shape: &FieldShape,
    kinds: &[Kind],
    report: &mut Report,
) -> Vec<Option<Value>> {
    let names = kinds.len();
    let empties: Vec<Option<Value>> = match &shape.empty {
        None => vec![None; names],
        Some(toml::Value::Array(values)) if names > 1 => values
            .iter()
            .map(|value| Some(json(value)).filter(|value| value != "absent"))
            .collect(),
        Some(value) => vec![Some(json(value))],
    };
    if empties.len() != names {
        report.add(at, "empty needs one value for each v1 name");
    }
    empties
}

fn kind(text: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|(name, _)| *name == text);
    known.map(|(_, kind)| kind).ok_or_else(|| {
        let names = Kind::ALL.map(|(name, _)| name);
        format!("type `{text}` is none of {}", names.join(", "))
    })
}

pub(super) fn fidelity(text: Option<&str>) -> Result<Fidelity, String> {
    match text {
        None => Ok(Fidelity::Exact),
        Some("lossy") => Ok(Fidelity::Lossy),
        Some("none") => Ok(Fidelity::None),
        Some(other) => Err(format!(
            "fidelity `{other}` is none of lossy, none; exact is the default"
        )),
    }
}

/// What a site's configuration can tell an answer.
const ACCOUNT_ID: &str = "account_id";

/// Reads `settings:/in_meeting/chat`, `given:id`, `list:users`, `clock` or `site:account_id`.
pub(super) fn place(text: &str) -> Result<Place, String> {
    let owned = |name: &str| name.to_owned();
    let (kind, name) = match text.split_once(':') {
        None if text == "clock" => return Ok(Place::Clock),
        None if text == "here" => return Ok(Place::Here),
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => (kind, name),
        _ => {
            return Err(format!(
                "`{text}` is not a place like `settings:/in_meeting/chat`"
            ));
        }
    };
    Ok(match (kind, name) {
        ("given", name) => Place::Given(owned(name)),
        ("site", ACCOUNT_ID) => Place::Site(owned(ACCOUNT_ID)),
        ("clock", "date") => Place::Today,
        ("range", "from") => Place::RangeFrom,
        ("range", "to") => Place::RangeTo,
        ("list", name) => Place::List(owned(name)),
        ("count", list) => Place::Count(owned(list)),
        ("sum", rest) => match rest.split_once(':') {
            Some((list, at)) => Place::Sum(owned(list), pointer(at)?),
            None => return Err(format!("`{text}` is not a sum like `sum:users:/minutes`")),
        },
        ("parts" | "link", rest) => match (kind, place(rest)?) {
            ("parts", Place::Document(place)) => Place::Parts(place),
            (_, Place::Document(place)) => Place::Link(place),
            _ => return Err(format!("`{text}` is not a place like `{kind}:added:/ids`")),
        },
        ("done", call) => Place::Done(owned(call)),
        ("elements", name) => Place::Elements(owned(name)),
        ("option", name) => Place::Option(owned(name)),
        ("text", template) => Place::Text(text_of_places(template)?),
        ("query", name) => Place::Document(DocumentPlace {
            document: "query".into(),
            pointer: name.into(),
        }),
        (document, at) => Place::Document(DocumentPlace {
            document: document.into(),
            pointer: pointer(at)?,
        }),
    })
}

fn text_of_places(text: &str) -> Result<Template, String> {
    let template = Template::parse(text)?;
    for (inner, _) in template.placeholders() {
        if !matches!(place(inner)?, Place::Document(_)) {
            return Err(format!("`{inner}` is no place in a document"));
        }
    }
    Ok(template)
}

fn conversion(
    at: &Location,
    shape: &FieldShape,
    names: &[String],
    report: &mut Report,
) -> Option<Conversion> {
    let tables = !shape.request.is_empty() || !shape.response.is_empty();
    let ways = [
        shape.convert.is_some(),
        tables,
        !shape.table.is_empty(),
        !shape.round_up.is_empty(),
    ];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        report.add(
            at,
            "one conversion is enough: convert, request/response, table or round_up",
        );
    }
    if names.len() > 1 {
        return choice(at, shape, names.len(), report).map(Conversion::Choice);
    }
    if !shape.given.is_empty() {
        report.add(at, "`given` is for two v1 fields that share one place");
    }
    if tables {
        let side = |rows: &[(toml::Value, toml::Value)], report: &mut Report| {
            let rows: Vec<(Value, Value)> = rows
                .iter()
                .map(|(from, to)| (json(from), json(to)))
                .collect();
            for (at_row, (from, to)) in rows.iter().enumerate() {
                for composite in [from, to].into_iter().filter(|value| is_composite(value)) {
                    report.add(
                        at,
                        format!("a table has single values only, not {composite}"),
                    );
                }
                if rows.iter().take(at_row).any(|(earlier, _)| earlier == from) {
                    report.add(
                        at,
                        format!("the row for {from} is never reached: an earlier one has it"),
                    );
                }
            }
            rows
        };
        let request = side(&shape.request, report);
        let response = side(&shape.response, report);
        let others_stay = match shape.others.as_deref() {
            None => false,
            Some("same") => true,
            Some(other) => {
                report.add(at, format!("others `{other}` is not known; `same` is"));
                false
            }
        };
        return Some(Conversion::Table(Table {
            request,
            response,
            others_stay,
        }));
    }
    if !shape.round_up.is_empty() {
        if !shape.round_up.is_sorted() {
            report.add(at, "round_up goes from the smallest to the largest");
        }
        return Some(Conversion::RoundUp(shape.round_up.clone()));
    }
    by_name(at, shape, report)
}

/// The conversion that `convert` names.
fn by_name(at: &Location, shape: &FieldShape, report: &mut Report) -> Option<Conversion> {
    let members = shape
        .member
        .clone()
        .map(OneOrMany::into_vec)
        .unwrap_or_default();
    let separators = shape
        .separator
        .clone()
        .map(OneOrMany::into_vec)
        .unwrap_or_default();
    let conversion = match shape.convert.as_deref() {
        None => Conversion::Same,
        Some("negate") => Conversion::Negate,
        Some("word") => Conversion::Word,
        Some("elements") => {
            let mut members = members.iter().cloned();
            let Some(member) = members.next() else {
                report.add(at, "elements need the name of their `member`");
                return None;
            };
            let address = members.next();
            Conversion::Elements(Elements { member, address })
        }
        Some("joined") => {
            let v1 = separators
                .first()
                .cloned()
                .unwrap_or_else(|| ",".to_owned());
            let v2 = separators.get(1).unwrap_or(&v1).clone();
            Conversion::Joined(Joined { v1, v2 })
        }
        Some("pairs") => {
            let [name, value] = members.as_slice() else {
                report.add(at, "pairs need `member = [\"NAME\", \"VALUE\"]`");
                return None;
            };
            Conversion::Pairs(Pairs {
                name: name.clone(),
                value: value.clone(),
            })
        }
        Some("before_brackets") => Conversion::BeforeBrackets,
        Some("in_brackets") => Conversion::InBrackets,
        Some("before_last_blank") => Conversion::BeforeLastBlank,
        Some("after_last_blank") => Conversion::AfterLastBlank,
        Some("minutes") => Conversion::Minutes,
        Some("elapsed") => Conversion::Elapsed,
        Some(other) => {
            report.add(
                at,
                format!(
                    "convert `{other}` is none of {}; unchanged is the default",
                    Conversion::NAMES.join(", ")
                ),
            );
            return None;
        }
    };
    let takes_members = matches!(conversion, Conversion::Elements(_) | Conversion::Pairs(_));
    if (!members.is_empty() && !takes_members)
        || (!separators.is_empty() && !matches!(conversion, Conversion::Joined(_)))
    {
        report.add(
            at,
            "`member` is for elements and pairs, `separator` for joined",
        );
    }
    Some(conversion)
}

fn choice(at: &Location, shape: &FieldShape, names: usize, report: &mut Report) -> Option<Choice> {
    let mut rows: Vec<(Vec<Cell>, Value)> = Vec::new();
    for row in &shape.table {
        let Some((v2, cells)) = row.split_last().filter(|(_, cells)| cells.len() == names) else {
            report.add(
                at,
                "a row of the table has a value for each v1 name, then the v2 value",
            );
            return None;
        };
        let cells: Vec<Cell> = cells.iter().map(cell).collect();
        if rows
            .iter()
            .any(|(earlier, value)| *earlier == cells || *value == json(v2))
        {
            report.add(
                at,
                format!(
                    "the row for {} is never reached: an earlier one has it",
                    json(v2)
                ),
            );
        }
        let composites = cells.iter().filter_map(|cell| match cell {
            Cell::Is(value) => Some(value),
            Cell::Any | Cell::Absent => None,
        });
        for composite in composites
            .chain([&json(v2)])
            .filter(|value| is_composite(value))
        {
            report.add(
                at,
                format!("a table has single values only, not {composite}"),
            );
        }
        rows.push((cells, json(v2)));
    }
    if rows.is_empty() {
        report.add(at, "two v1 fields that share one place need a table");
    }
    let mut given: Vec<Given> = Vec::new();
    for rule in &shape.given {
        let cells: Vec<Cell> = rule.v1.iter().map(cell).collect();
        if cells.len() != names {
            report.add(at, "v1 of a `given` has a value for each v1 name");
        }
        if given.iter().any(|earlier| earlier.cells == cells) {
            report.add(
                at,
                "a `given` is never reached: an earlier one has the same v1",
            );
        }
        given.push(Given {
            cells,
            now: rule.now.iter().map(json).collect(),
            v2: json(&rule.v2),
        });
    }
    Some(Choice { rows, given })
}

fn is_composite(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

fn cell(value: &toml::Value) -> Cell {
    match value.as_str() {
        Some("any") => Cell::Any,
        Some("absent") => Cell::Absent,
        _ => Cell::Is(json(value)),
    }
}
