//! Parses the parameters of a v1 request.

mod typed;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Site, values::plain};
use crate::{
    catalog::{
        Catalog,
        field::{Kind, Part},
        operation::Operation,
        protocol::{PARAMETER_INVALID, PARAMETER_MISSING},
    },
    exchange::{Argument, Arguments, File, V1Error, Warning},
};
use typed::{Read, is_below};

/// Warning for an unknown value.
const UNKNOWN: &str = "v1 had no such value: it counts as absent";

/// Parsed parameters of a request, by v1 name.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    values: BTreeMap<&'a str, Value>,
    files: BTreeMap<&'a str, File>,
    defaults: BTreeMap<&'a str, Value>,
    /// Warnings for values that were changed or ignored.
    pub(super) warnings: Vec<Warning>,
    /// Names that the operation does not have.
    pub(super) unknown: Vec<String>,
}

impl<'a> Parameters<'a> {
    /// Parses the arguments of a request.
    ///
    /// # Errors
    ///
    /// A v1 error for the first parameter that is unreadable or out of range, or else for the first
    /// missing one.
    pub(super) fn read(
        catalog: &'a Catalog,
        operation: &'a Operation,
        mut arguments: Arguments,
        site: &Site,
    ) -> Result<Self, V1Error> {
        let mut given = Self::default();
        let mut invalid = None;
        for parameter in &operation.parameters {
            let Some((_, part)) = parameter.field.and_then(|at| catalog.field(at)) else {
                continue;
            };
            if let Some(default) = &part.default {
                let default = limited(part, default.clone(), site);
                given.defaults.insert(&part.name, default);
            }
            let Some(argument) = taken(part, &mut arguments) else {
                continue;
            };
            if is_empty(&argument) {
                if part.refuses_empty {
                    invalid = invalid.or(Some(&part.name));
                } else if part.kind == Kind::Text && clears(operation, site) {
                    given.values.insert(&part.name, Value::from(""));
                }
                continue;
            }
            let read = match (part.kind, argument) {
                (Kind::File, Given::One(Argument::File(file))) => {
                    given.files.insert(&part.name, file);
                    continue;
                }
                (Kind::File, Given::One(Argument::Text(text))) => {
                    let bytes = text.into();
                    given.files.insert(&part.name, File { name: None, bytes });
                    continue;
                }
                (_, Given::One(argument)) => typed::one(catalog, part, argument),
                (_, Given::Several(pairs)) => typed::several(catalog, part, pairs),
            };
            match read {
                Read::Value(value) if is_below(part, &value) => {}
                // An empty id list counts as absent.
                Read::Value(Value::Array(list)) if list.is_empty() && part.kind == Kind::Ids => {}
                Read::Value(value) => {
                    given.values.insert(&part.name, limited(part, value, site));
                }
                Read::Cut(value) => {
                    given.values.insert(&part.name, value);
                    let most = part.cut.unwrap_or_default();
                    let reason = format!("cut to the {most} characters that v2 takes");
                    given
                        .warnings
                        .push(Warning::not_honoured(&part.name, reason));
                }
                Read::Invalid if part.drops_unknown => {
                    given
                        .warnings
                        .push(Warning::not_honoured(&part.name, UNKNOWN));
                }
                Read::Invalid => invalid = invalid.or(Some(&part.name)),
            }
        }
        let error = |name: &str, about: &str| catalog.protocol().parameter_error(name, about);
        // Unreadable parameters take precedence: they are not missing.
        if let Some(name) = invalid {
            return Err(error(PARAMETER_INVALID, name));
        }
        for one_of in &operation.requires {
            let is_there = |name: &String| given.has(name) || given.is_today(operation, name);
            if !one_of.iter().any(is_there) {
                return Err(error(PARAMETER_MISSING, &one_of.join(" or ")));
            }
        }
        given.unknown = arguments.into_names();
        Ok(given)
    }

    /// True if the parameter is given and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.files.contains_key(name)
    }

    /// True for a date that may be missing because it defaults to today.
    pub(super) fn is_today(&self, operation: &Operation, name: &str) -> bool {
        operation.range.as_ref().is_some_and(|range| {
            let today = range.today.as_ref().filter(|today| {
                let value = self.value_or_default(&today.parameter);
                value.is_some_and(|value| today.is.contains(value))
            });
            today.is_some() && (range.from == name || range.to == name)
        })
    }

    /// Given value, without v1's default.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Given value, or v1's default.
    pub(super) fn value_or_default(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.defaults.get(name))
    }

    /// Given file.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// Given value, or v1's default, as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value_or_default(name).map(plain)
    }

    /// Given number, or v1's default.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.value_or_default(name).and_then(Value::as_i64)
    }

    /// Elements of an id list.
    pub(super) fn elements(&self, name: &str) -> &[Value] {
        let list = self.values.get(name).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }

    /// All given values and files in a fixed order, for a digest.
    pub(super) fn bytes(&self) -> impl Iterator<Item = (&str, Vec<u8>)> {
        let values = self
            .values
            .iter()
            .map(|(name, value)| (*name, plain(value).into_bytes()));
        values.chain(
            self.files
                .iter()
                .map(|(name, file)| (*name, file.bytes.to_vec())),
        )
    }
}

/// Arguments of one parameter.
enum Given {
    One(Argument),
    /// Brackets after the name, and the value of each.
    Several(Vec<(String, Argument)>),
}

/// Removes a parameter under any of its names.
fn taken(part: &Part, arguments: &mut Arguments) -> Option<Given> {
    let mut found = None;
    let names = std::iter::once(&part.name).chain(&part.aliases);
    for name in names {
        let mut given = arguments.remove(name).map(Given::One);
        if matches!(part.kind, Kind::Ids | Kind::Json) {
            let pairs = arguments.remove_bracketed(name);
            if !pairs.is_empty() {
                given = Some(with_pairs(part, given, pairs));
            }
        }
        if found.as_ref().is_none_or(is_empty) {
            found = given.or(found);
        }
    }
    found
}

/// Lists combine both forms; for objects the text takes precedence.
fn with_pairs(part: &Part, text: Option<Given>, mut pairs: Vec<(String, Argument)>) -> Given {
    match text {
        Some(Given::One(argument)) if part.kind == Kind::Ids => {
            pairs.insert(0, (String::new(), argument));
            Given::Several(pairs)
        }
        Some(given) if !is_empty(&given) => given,
        _ => Given::Several(pairs),
    }
}

fn is_empty(given: &Given) -> bool {
    match given {
        Given::One(Argument::Text(text)) => text.is_empty(),
        Given::One(Argument::File(_)) => false,
        Given::Several(pairs) => pairs
            .iter()
            .all(|(_, argument)| matches!(argument, Argument::Text(text) if text.is_empty())),
    }
}

/// Caps a number at the site's option.
fn limited(part: &Part, value: Value, site: &Site) -> Value {
    let most = part.at_most.as_ref();
    let most = most.and_then(|option| site.options.number(option));
    match (value.as_i64(), most) {
        (Some(number), Some(most)) => number.min(most).into(),
        _ => value,
    }
}

fn clears(operation: &Operation, site: &Site) -> bool {
    !operation.clears_text.is_empty() && site.options.has_all(&operation.clears_text)
}
