//! What a v1 client gave, with the types that v1 knew.

mod typed;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Site, values::plain};
use crate::{
    catalog::{
        Catalog,
        field::{Kind, Part},
        operation::{Operation, OptionValue},
        protocol::{PARAMETER_INVALID, PARAMETER_MISSING},
    },
    exchange::{Argument, Arguments, File, V1Error, Warning},
};
use typed::{Read, is_below};

/// Said of a value that v1 had not.
const UNKNOWN: &str = "v1 had no such value: it counts as absent";

/// The parameters of a request, by v1 name.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    values: BTreeMap<&'a str, Value>,
    files: BTreeMap<&'a str, File>,
    defaults: BTreeMap<&'a str, Value>,
    /// What could not be taken as it came.
    pub(super) warnings: Vec<Warning>,
    /// The names that the operation does not know.
    pub(super) unknown: Vec<String>,
}

impl<'a> Parameters<'a> {
    /// Reads the arguments of a request.
    ///
    /// # Errors
    ///
    /// v1's error for the first parameter that is missing, or that cannot be read or is out of its
    /// range.
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
                // A list without an element is no list.
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
        // What is there but cannot be read is not missing.
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

    /// True if the parameter was given, and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.files.contains_key(name)
    }

    /// True for a day that may be missing, and is today then.
    pub(super) fn is_today(&self, operation: &Operation, name: &str) -> bool {
        operation.range.as_ref().is_some_and(|range| {
            let today = range.today.as_ref().filter(|today| {
                let value = self.value_or_default(&today.parameter);
                value.is_some_and(|value| today.is.contains(value))
            });
            today.is_some() && (range.from == name || range.to == name)
        })
    }

    /// A given value; without v1's default.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A given value, or v1's default.
    pub(super) fn value_or_default(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.defaults.get(name))
    }

    /// A given file.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// A given value, or v1's default, as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value_or_default(name).map(plain)
    }

    /// A given number, or v1's default.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.value_or_default(name).and_then(Value::as_i64)
    }

    /// The elements of a list of ids.
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

/// True if the site chose all of these.
pub(super) fn chosen(choices: &[(String, OptionValue)], site: &Site) -> bool {
    choices
        .iter()
        .all(|(name, value)| site.options.get(name) == Some(value))
}

/// What the arguments have of one parameter.
enum Given {
    One(Argument),
    /// What stands in brackets behind the name, and the value.
    Several(Vec<(String, Argument)>),
}

/// Takes a parameter, under any of its names.
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

/// A list has the elements of both forms; an object is what its text says.
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

/// A number that is not larger than the site's choice.
fn limited(part: &Part, value: Value, site: &Site) -> Value {
    let most = part.at_most.as_ref();
    let most = most.and_then(|option| site.options.number(option));
    match (value.as_i64(), most) {
        (Some(number), Some(most)) => number.min(most).into(),
        _ => value,
    }
}

fn clears(operation: &Operation, site: &Site) -> bool {
    !operation.clears_text.is_empty() && chosen(&operation.clears_text, site)
}
