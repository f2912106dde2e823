//! What a v1 client gave, with the types that v1 knew.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Site;
use crate::{
    catalog::{
        Catalog,
        field::{Kind, Part},
        operation::{Operation, OptionValue},
        protocol::{PARAMETER_INVALID, PARAMETER_MISSING},
    },
    document::Json,
    exchange::{Argument, Arguments, File, V1Error},
};

/// The parameters of a request, by v1 name.
#[derive(Default)]
pub(super) struct Given<'a> {
    values: BTreeMap<&'a str, Value>,
    files: BTreeMap<&'a str, File>,
    defaults: BTreeMap<&'a str, Value>,
}

impl<'a> Given<'a> {
    /// Reads the arguments of a request; the names that the operation does not know come back too.
    ///
    /// # Errors
    ///
    /// v1's error for the first parameter that is missing, or that cannot be read or is out of its
    /// range.
    pub(super) fn read(
        catalog: &'a Catalog,
        operation: &'a Operation,
        arguments: Arguments,
        site: &Site,
    ) -> Result<(Self, Vec<String>), V1Error> {
        let mut given = Self::default();
        let mut invalid = None;
        let mut arguments = arguments;
        for parameter in &operation.parameters {
            let Some((_, part)) = parameter.field.and_then(|at| catalog.field(at)) else {
                continue;
            };
            if let Some(default) = part.default {
                given.defaults.insert(&part.name, default.into());
            }
            let Some(argument) = arguments.remove(&part.name) else {
                continue;
            };
            if is_empty(&argument) {
                if part.kind == Kind::Text && clears(operation, site) {
                    given.values.insert(&part.name, Value::from(""));
                }
                continue;
            }
            match (part.kind, argument) {
                (Kind::File, Argument::File(file)) => {
                    given.files.insert(&part.name, file);
                }
                (Kind::File, Argument::Text(text)) => {
                    given.files.insert(
                        &part.name,
                        File {
                            name: None,
                            bytes: text.into(),
                        },
                    );
                }
                (_, argument) => match value(catalog, part, argument) {
                    Some(value) => {
                        given.values.insert(&part.name, value);
                    }
                    None => invalid = invalid.or(Some(&part.name)),
                },
            }
        }
        let error = |name: &str, about: &str| catalog.protocol().parameter_error(name, about);
        // What is there but cannot be read is not missing.
        if let Some(name) = invalid {
            return Err(error(PARAMETER_INVALID, name));
        }
        for one_of in &operation.requires {
            if !one_of.iter().any(|name| given.has(name)) {
                return Err(error(PARAMETER_MISSING, &one_of.join(" or ")));
            }
        }
        let unknown = arguments.iter().map(|(name, _)| name.to_owned()).collect();
        Ok((given, unknown))
    }

    /// True if the parameter was given, and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.files.contains_key(name)
    }

    /// A given value; without v1's default.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A given file.
    pub(super) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// A given value, or v1's default, as it stands in a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values
            .get(name)
            .or_else(|| self.defaults.get(name))
            .map(plain)
    }

    /// A given number, or v1's default.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.values
            .get(name)
            .or_else(|| self.defaults.get(name))
            .and_then(Value::as_i64)
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

/// A JSON value as it stands in a URL or a sentence.
pub(super) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A value of a document as it stands in a URL or a sentence.
pub(super) fn text_of(value: Json<'_>) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_value().to_string(), str::to_owned)
}

fn is_empty(argument: &Argument) -> bool {
    matches!(argument, Argument::Text(text) if text.is_empty())
}

fn clears(operation: &Operation, site: &Site) -> bool {
    !operation.clears_text.is_empty() && chosen(&operation.clears_text, site)
}

/// True if the site chose all of these.
pub(super) fn chosen(choices: &[(String, OptionValue)], site: &Site) -> bool {
    choices
        .iter()
        .all(|(name, value)| site.options.get(name) == Some(value))
}

fn value(catalog: &Catalog, part: &Part, argument: Argument) -> Option<Value> {
    let text = match argument {
        Argument::Text(text) => text,
        // A part with a file name whose parameter is not a file: its content is the value.
        Argument::File(file) => String::from_utf8(file.bytes.to_vec()).ok()?,
    };
    match part.kind {
        Kind::Bool => catalog.protocol().bool(&text).map(Value::from),
        Kind::Int => number(part, &text).map(Value::from),
        Kind::Secret | Kind::String | Kind::Text => {
            let length = text.chars().count();
            let fits = part.min.is_none_or(|min| min <= length)
                && part.max.is_none_or(|max| length <= max);
            fits.then(|| Value::from(text))
        }
        Kind::File | Kind::List | Kind::Time => None,
    }
}

fn number(part: &Part, text: &str) -> Option<i64> {
    let number: i64 = text.trim().parse().ok()?;
    let number = match part.range {
        Some((least, most)) if part.clamp => number.clamp(least, most),
        Some((least, most)) if !(least..=most).contains(&number) => return None,
        _ => number,
    };
    (part.values.is_empty() || part.values.contains(&number)).then_some(number)
}
