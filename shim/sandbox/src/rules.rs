//! Validation of requests. The rules are data: `fields.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::error::{ApiError, RefusedField};
use super::request::{Members, QueryPairs};
use super::{calendar, email, embedded};

/// Validates the body of an operation and returns its known members. Unknown members are dropped,
/// because v2 ignores them.
pub(crate) fn checked_body(operation: &str, body: Members) -> Result<Members, ApiError> {
    match RULES.body.get(operation) {
        Some(shape) => shape.checked(body),
        None => Ok(Members::new()),
    }
}

/// Validates the query of an operation and returns its typed parameters. Empty free texts count as
/// absent.
pub(crate) fn checked_query(operation: &str, query: &QueryPairs) -> Result<Members, ApiError> {
    match RULES.query.get(operation) {
        Some(shape) => shape.checked_query(query),
        None => Ok(Members::new()),
    }
}

/// Members of users in list responses.
pub(crate) fn list_item_members() -> &'static [String] {
    &RULES.answer.list_item
}

static RULES: LazyLock<Rules> =
    LazyLock::new(|| embedded::toml("fields.toml", include_str!("fields.toml")));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    body: BTreeMap<String, Shape>,
    query: BTreeMap<String, Shape>,
    answer: AnswerMembers,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerMembers {
    list_item: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RuleEntry {
    Type(JsonType),
    Table(Rule),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum JsonType {
    #[default]
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    is: JsonType,
    #[serde(default)]
    required: bool,
    one_of: Option<Vec<Value>>,
    min: Option<i64>,
    max: Option<i64>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    max_items: Option<usize>,
    max_han: Option<usize>,
    format: Option<Format>,
    /// Default of an absent query parameter.
    default: Option<Value>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    Email,
    /// Begins with a valid date, `2026-01-31`.
    Date,
    /// RFC 3339, optionally without an offset.
    DateTime,
}

/// Members of an object, compiled from dotted keys.
#[derive(Default, Deserialize)]
#[serde(from = "BTreeMap<String, RuleEntry>")]
pub(crate) struct Shape {
    members: BTreeMap<String, Node>,
}

#[derive(Default)]
struct Node {
    rule: Rule,
    shape: Shape,
    items: Option<Box<Node>>,
}

impl From<BTreeMap<String, RuleEntry>> for Shape {
    fn from(entries: BTreeMap<String, RuleEntry>) -> Self {
        let mut shape = Self::default();
        for (key, entry) in entries {
            let rule = match entry {
                RuleEntry::Type(is) => Rule {
                    is,
                    ..Rule::default()
                },
                RuleEntry::Table(rule) => rule,
            };
            shape.insert(&key, rule);
        }
        shape
    }
}

impl Shape {
    /// Known members of a body.
    ///
    /// # Errors
    ///
    /// If a member breaks its rule.
    pub(crate) fn checked(&self, body: Members) -> Result<Members, ApiError> {
        let mut refused = Vec::new();
        let known = self.check_members("", body, &mut refused);
        if refused.is_empty() {
            Ok(known)
        } else {
            Err(ApiError::validation(refused))
        }
    }

    /// Known parameters of a query. Empty free texts count as absent.
    ///
    /// # Errors
    ///
    /// If a parameter breaks its rule.
    pub(crate) fn checked_query(&self, query: &QueryPairs) -> Result<Members, ApiError> {
        let mut given = Members::new();
        for (name, node) in &self.members {
            match query.first(name) {
                Some(text) if !(text.is_empty() && node.rule.is_free_text()) => {
                    given.insert(name.clone(), node.rule.typed(text));
                }
                _ => {
                    if let Some(default) = &node.rule.default {
                        given.insert(name.clone(), default.clone());
                    }
                }
            }
        }
        self.checked(given)
    }

    /// True if a query may have this parameter.
    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    fn insert(&mut self, key: &str, rule: Rule) {
        let (name, rest) = key
            .split_once('.')
            .map_or((key, None), |(name, rest)| (name, Some(rest)));
        let bare = name.trim_end_matches("[]");
        let mut node = self.members.entry(bare.to_owned()).or_default();
        if name != bare {
            node = node.items.get_or_insert_default();
        }
        match rest {
            Some(rest) => node.shape.insert(rest, rule),
            None => node.rule = rule,
        }
    }

    fn check_members(
        &self,
        place: &str,
        mut given: Members,
        refused: &mut Vec<RefusedField>,
    ) -> Members {
        let mut known = Members::new();
        for (name, node) in &self.members {
            let place = if place.is_empty() {
                name.clone()
            } else {
                format!("{place}.{name}")
            };
            match given.shift_remove(name) {
                Some(value) => {
                    known.insert(name.clone(), node.check(&place, value, refused));
                }
                None if node.rule.required => {
                    refused.push(RefusedField {
                        field: place,
                        reason: "This field is required.".to_owned(),
                    });
                }
                None => {}
            }
        }
        known
    }
}

impl Node {
    fn check(&self, place: &str, value: Value, refused: &mut Vec<RefusedField>) -> Value {
        if let Err(reason) = self.rule.accepts(&value) {
            refused.push(RefusedField {
                field: place.to_owned(),
                reason,
            });
            return value;
        }
        match value {
            Value::Object(members) if !self.shape.members.is_empty() => {
                Value::Object(self.shape.check_members(place, members, refused))
            }
            Value::Array(values) => match &self.items {
                Some(items) => values
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| items.check(&format!("{place}[{index}]"), value, refused))
                    .collect(),
                None => Value::Array(values),
            },
            // Numbers such as 1.0 are stored as integers.
            Value::Number(_) => integer(&value).map_or(value, Value::from),
            other => other,
        }
    }
}

impl Rule {
    fn is_free_text(&self) -> bool {
        let is_date = matches!(self.format, Some(Format::Date | Format::DateTime));
        self.is == JsonType::String && self.one_of.is_none() && !is_date
    }

    /// Converts a query parameter to the rule's JSON type. An invalid text is returned unchanged,
    /// so that validation rejects it.
    fn typed(&self, text: &str) -> Value {
        let typed = match self.is {
            JsonType::Integer => text.parse().ok().map(|number: i64| Value::from(number)),
            JsonType::Boolean => text.parse().ok().map(Value::Bool),
            JsonType::Number => text.parse().ok().map(|number: f64| Value::from(number)),
            JsonType::String | JsonType::Array | JsonType::Object => None,
        };
        typed.unwrap_or_else(|| Value::from(text))
    }

    fn accepts(&self, value: &Value) -> Result<(), String> {
        let right_type = match self.is {
            JsonType::Object => value.is_object(),
            JsonType::Array => value.is_array(),
            JsonType::String => value.is_string(),
            JsonType::Integer => integer(value).is_some(),
            JsonType::Number => value.is_number(),
            JsonType::Boolean => value.is_boolean(),
        };
        if !right_type {
            return Err(format!("Must be {}.", self.is.with_article()));
        }
        if let Some(allowed) = &self.one_of
            && !allowed.iter().any(|allowed| same(allowed, value))
        {
            return Err("Invalid field.".to_owned());
        }
        match value {
            Value::String(text) => self.accepts_text(text),
            Value::Array(items) if self.max_items.is_some_and(|max| items.len() > max) => {
                Err("Too many items.".to_owned())
            }
            Value::Number(_) if self.is == JsonType::Integer => {
                self.accepts_number(integer(value).unwrap_or_default())
            }
            _ => Ok(()),
        }
    }

    fn accepts_text(&self, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        if let Some(max) = self.max_length.filter(|max| length > *max) {
            return Err(format!("Cannot contain more than {max} characters."));
        }
        if let Some(min) = self.min_length.filter(|min| length < *min) {
            return Err(format!("Must contain at least {min} characters."));
        }
        let han = text.chars().filter(|character| is_han(*character)).count();
        if let Some(max) = self.max_han.filter(|max| han > *max) {
            return Err(format!(
                "Cannot contain more than {max} Chinese characters."
            ));
        }
        match self.format {
            Some(Format::Email) if !email::is_valid(text) => {
                Err("Invalid email address.".to_owned())
            }
            Some(Format::Date) if calendar::date(text).is_none() => Err("Invalid date.".to_owned()),
            Some(Format::DateTime) if calendar::time(text).is_none() => {
                Err("Invalid date-time.".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn accepts_number(&self, number: i64) -> Result<(), String> {
        if let Some(min) = self.min.filter(|min| number < *min) {
            return Err(format!("Must be at least {min}."));
        }
        if let Some(max) = self.max.filter(|max| number > *max) {
            return Err(format!("Must be at most {max}."));
        }
        Ok(())
    }
}

impl JsonType {
    fn with_article(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
        }
    }
}

/// Integer in the sense of JSON Schema: `1.0` is one, `1.5` is not.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and small"
        )]
        Some(float as i64)
    })
}

fn same(allowed: &Value, value: &Value) -> bool {
    allowed == value || integer(allowed).is_some_and(|number| integer(value) == Some(number))
}

/// Unicode blocks of Chinese characters.
fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}
