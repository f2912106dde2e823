//! Templates: texts with `{expressions}`, evaluated in the scope of a request.
//!
//! A text that is one expression has that expression's JSON type; any other text is a string.
//! Objects and arrays are rendered member by member; members without a value are left out.
//!
//! | expression | value |
//! |---|---|
//! | `topic`, `self.topic`, `host.email` | member of `self` or of a named object |
//! | `query.from or today`, `dept or 'none'` | the first that is not empty; quotes make a literal |
//! | `now`, `today` | the clock's time; its midnight |
//! | `this year`, `this month` | integers of the clock's date |
//! | `start_time + duration min`, `now - 3*n days` | a time moved by days, hours, min or s |
//! | `n + 1` | a sum of integers |
//! | `new id`, `new number`, `new uuid` | a fresh id: 22 characters, 11 digits, base64 of 16 bytes |
//! | `hash 8 uuid n`, `digits 6 id`, `uid 1 uuid`, `mod 100 uuid n` | the same characters, digits, id or number for the same values |
//! | `pick devices n` | an entry of a list of words |
//! | `sum all minutes`, `length list` | over an array |
//! | `… \| date`, `time`, `clock`, `millis`, `two` (digits), `text`, `day`, `url` | another form of the value |
//!
//! Some objects are rendered as a whole:
//!
//! - `$repeat` (a count, at most `$max`): an array of `$entry` with `n` from 0, and a `person` from
//!   position `$people` on.
//! - `$each` (the path of an array): an array of `$entry`, with each element as `self`.
//! - `$when` (conditions): `$value` or `$else`.
//! - `$document` (a name): `self`, or the object at the path `$of`, as that document.

mod condition;
mod view;

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize as _;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::calendar;
use crate::random::random_text;
pub(super) use condition::Conditions;
pub(super) use view::{Document, View};

/// Maximum number of entries of one `$repeat`.
const MAX_REPEATED: i64 = 2_000;

/// Environment of templates, besides the scope.
pub(crate) struct Environment {
    pub(crate) now: OffsetDateTime,
    /// Users who are participants.
    pub(crate) people: Vec<Value>,
    pub(crate) words: &'static BTreeMap<String, Vec<String>>,
    pub(crate) documents: &'static BTreeMap<String, Document>,
    pub(crate) random: RefCell<fastrand::Rng>,
}

/// Named values; inner ones shadow outer ones.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    names: &'a [(&'a str, &'a Value)],
    outer: Option<&'a Scope<'a>>,
    env: &'a Environment,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(env: &'a Environment, names: &'a [(&'a str, &'a Value)]) -> Self {
        Self {
            names,
            outer: None,
            env,
        }
    }

    /// A nested scope with more names.
    pub(crate) fn inner<'b>(&'b self, names: &'b [(&'b str, &'b Value)]) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope {
            names,
            outer: Some(self),
            env: self.env,
        }
    }

    fn named(&self, name: &str) -> Option<&'a Value> {
        let own = self.names.iter().find(|(own, _)| *own == name);
        own.map(|(_, value)| *value)
            .or_else(|| self.outer?.named(name))
    }

    /// The value at a dotted path that begins with a name, or else with a member of `self`.
    pub(crate) fn at(&self, path: &str) -> Option<&'a Value> {
        let (first, rest) = path
            .split_once('.')
            .map_or((path, None), |(first, rest)| (first, Some(rest)));
        let start = match self.named(first) {
            Some(value) => value,
            None => self.named("self")?.get(first)?,
        };
        let found = rest.map_or(Some(start), |rest| member(start, rest))?;
        (!found.is_null()).then_some(found)
    }

    /// Renders a template.
    pub(crate) fn render(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => self.text(text),
            Value::Array(entries) => entries
                .iter()
                .map(|entry| self.render(entry))
                .filter(|value| !value.is_null())
                .collect(),
            Value::Object(members) => {
                if let Some(times) = members.get("$repeat") {
                    self.repeated(times, members)
                } else if let Some(list) = members.get("$each") {
                    let entry = members.get("$entry").unwrap_or(&Value::Null);
                    let list = list.as_str().and_then(|list| self.at(list)?.as_array());
                    let entries = list.into_iter().flatten();
                    entries
                        .map(|own| self.inner(&[("self", own)]).render(entry))
                        .collect()
                } else if let Some(name) = members.get("$document") {
                    let name = name.as_str().unwrap_or_default();
                    match members.get("$of").and_then(Value::as_str) {
                        Some(path) => self.at(path).map_or(Value::Null, |own| {
                            self.inner(&[("self", own)]).document(name)
                        }),
                        None => self.document(name),
                    }
                } else if let Some(conditions) = members.get("$when") {
                    let conditions = Conditions::deserialize(conditions).unwrap_or_default();
                    let branch = if conditions.hold(self) {
                        "$value"
                    } else {
                        "$else"
                    };
                    members
                        .get(branch)
                        .map_or(Value::Null, |template| self.render(template))
                } else {
                    Value::Object(self.members(members))
                }
            }
            constant => constant.clone(),
        }
    }

    /// Renders an object of templates, without members that have no value.
    pub(crate) fn members(&self, templates: &Map<String, Value>) -> Map<String, Value> {
        templates
            .iter()
            .map(|(name, template)| (name.clone(), self.render(template)))
            .filter(|(_, value)| !value.is_null())
            .collect()
    }

    /// Renders a template as text; empty if it has no value.
    pub(crate) fn plain(&self, text: &str) -> String {
        shown(&self.text(text))
    }

    /// `self` as a named document.
    pub(crate) fn document(&self, name: &str) -> Value {
        match self.env.documents.get(name) {
            Some(document) => document.of(self),
            None => Value::Null,
        }
    }

    /// `{ "$repeat" = "{count}", "$people" = …, "$entry" = … }`.
    fn repeated(&self, times: &Value, members: &Map<String, Value>) -> Value {
        let max = members.get("$max").and_then(Value::as_i64);
        let max = max.unwrap_or(MAX_REPEATED);
        let times = self.render(times).as_i64().unwrap_or_default();
        let first = members.get("$people").map(|first| self.render(first));
        let first = first.as_ref().and_then(Value::as_i64).unwrap_or_default();
        let entry = members.get("$entry").unwrap_or(&Value::Null);
        let entries = (0..times.clamp(0, max)).map(|n| {
            let (number, person) = (Value::from(n), self.env.person(first + n));
            self.inner(&[("n", &number), ("person", &person)])
                .render(entry)
        });
        entries.filter(|entry| !entry.is_null()).collect()
    }

    fn text(&self, text: &str) -> Value {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((expression, after)) = after.split_once('}') else {
                break;
            };
            let value = self.expression(expression);
            if before.is_empty() && after.is_empty() && result.is_empty() {
                return value;
            }
            result.push_str(before);
            result.push_str(&shown(&value));
            rest = after;
        }
        result.push_str(rest);
        Value::String(result)
    }

    fn expression(&self, expression: &str) -> Value {
        let mut parts = expression.split('|');
        let alternatives = parts.next().unwrap_or_default().split(" or ");
        let value = alternatives
            .map(|alternative| self.sum(alternative))
            .find(|value| !shown(value).is_empty())
            .unwrap_or_default();
        parts.fold(value, |value, form| formed(&value, form.trim()))
    }

    fn sum(&self, text: &str) -> Value {
        let tokens: Vec<_> = text.split_whitespace().collect();
        let Some((first, rest)) = tokens.split_first() else {
            return Value::Null;
        };
        let operators = ["+", "-"];
        let split = rest
            .iter()
            .position(|token| operators.contains(token))
            .unwrap_or(rest.len());
        let (arguments, mut rest) = rest.split_at(split);
        let mut value = self.call(first, arguments);
        while let [sign, amount, following @ ..] = rest {
            let (unit, following) = match following {
                [unit, following @ ..] if !operators.contains(unit) => (*unit, following),
                _ => ("", following),
            };
            let amount = self.product(amount);
            let amount = if *sign == "-" {
                amount.saturating_neg()
            } else {
                amount
            };
            value = moved(&value, amount, unit);
            rest = following;
        }
        value
    }

    fn product(&self, text: &str) -> i64 {
        let factors = text.split('*').map(|factor| {
            let integer = || self.at(factor).and_then(Value::as_i64);
            factor.parse().ok().or_else(integer).unwrap_or_default()
        });
        factors.fold(1, i64::saturating_mul)
    }

    fn call(&self, function: &str, arguments: &[&str]) -> Value {
        let env = self.env;
        match (function, arguments) {
            ("now", []) => calendar::timestamp(env.now).into(),
            ("today", []) => calendar::timestamp(calendar::midnight(env.now.date())).into(),
            ("this", ["year"]) => env.now.year().into(),
            ("this", ["month"]) => u8::from(env.now.month()).into(),
            ("new", ["id"]) => random_text(&mut env.random.borrow_mut(), 22).into(),
            ("new", ["number"]) => env
                .random
                .borrow_mut()
                .i64(80_000_000_000..99_000_000_000)
                .into(),
            ("new", ["uuid"]) => env.uuid().into(),
            ("hash", [length, values @ ..]) => {
                let length = length.parse().unwrap_or_default();
                random_text(&mut self.rng_for(values), length).into()
            }
            ("uid", values) => {
                // Formatted like an RFC 4122 UUID.
                let hex = format!("{:032x}", self.rng_for(values).u128(..));
                let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
                let parts = parts.map(|part| hex.get(part).unwrap_or_default());
                parts.join("-").into()
            }
            ("digits", [length, values @ ..]) => {
                let mut rng = self.rng_for(values);
                let digits = 0..length.parse().unwrap_or_default();
                let digits: String = digits.map(|_: u32| rng.digit(10)).collect();
                digits.into()
            }
            ("mod", [modulus, values @ ..]) => {
                let modulus: i64 = modulus.parse().unwrap_or(1);
                self.rng_for(values).i64(0..modulus.max(1)).into()
            }
            ("pick", [list, index]) => {
                let words = env.words.get(*list).map_or(&[][..], Vec::as_slice);
                let index = usize::try_from(self.product(index)).unwrap_or_default();
                let word = words.get(index % words.len().max(1));
                word.map_or(Value::Null, |word| word.as_str().into())
            }
            ("sum", [list, path]) => {
                let entries = self
                    .at(list)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten();
                let numbers = entries.filter_map(|entry| member(entry, path)?.as_i64());
                numbers.sum::<i64>().into()
            }
            ("length", [list]) => self
                .at(list)
                .and_then(Value::as_array)
                .map_or(0, Vec::len)
                .into(),
            (path, []) => match (path.parse::<i64>(), path.strip_prefix('\'')) {
                (Ok(number), _) => number.into(),
                (Err(_), Some(literal)) => literal.trim_end_matches('\'').into(),
                (Err(_), None) => self.at(path).cloned().unwrap_or_default(),
            },
            _ => Value::Null,
        }
    }

    /// Deterministic generator seeded with these values (FNV-1a).
    fn rng_for(&self, paths: &[&str]) -> fastrand::Rng {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for path in paths {
            let text = self.at(path).map_or_else(|| (*path).to_owned(), shown);
            for byte in text.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        fastrand::Rng::with_seed(hash)
    }
}

impl Environment {
    /// The person at a position: a user, or a guest after the last user.
    pub(crate) fn person(&self, position: i64) -> Value {
        let user = usize::try_from(position)
            .ok()
            .and_then(|position| self.people.get(position));
        user.cloned().unwrap_or_else(|| {
            let name = format!("Guest {position}");
            Value::from_iter([("display_name", name)])
        })
    }

    fn uuid(&self) -> String {
        let mut random = self.random.borrow_mut();
        loop {
            let uuid = STANDARD.encode(random.u128(..).to_be_bytes());
            // Only seeds contain ids that need double encoding.
            if !uuid.starts_with('/') && !uuid.contains("//") {
                return uuid;
            }
        }
    }
}

/// The value at a dotted path within another.
pub(crate) fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

/// A value as text.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn moved(value: &Value, amount: i64, unit: &str) -> Value {
    match value {
        Value::Number(number) => number
            .as_i64()
            .unwrap_or_default()
            .saturating_add(amount)
            .into(),
        Value::String(text) => {
            let time = calendar::time(text).zip(calendar::duration(amount, unit));
            let moved = time.and_then(|(time, duration)| time.checked_add(duration));
            moved.map_or(Value::Null, |time| calendar::timestamp(time).into())
        }
        _ => Value::Null,
    }
}

fn formed(value: &Value, form: &str) -> Value {
    let number = value.as_i64().unwrap_or_default();
    let text = shown(value);
    if value.is_null() {
        return Value::Null;
    }
    match form {
        "date" => text.get(..10).unwrap_or_default().into(),
        "time" => text.get(11..19).unwrap_or_default().into(),
        "day" => calendar::date(&text).map_or(Value::Null, |date| {
            calendar::timestamp(calendar::midnight(date)).into()
        }),
        "clock" => calendar::clock(number.saturating_mul(60)).into(),
        "two" => format!("{number:02}").into(),
        "millis" => calendar::time(&text).map_or(Value::Null, |time| {
            time.unix_timestamp().saturating_mul(1000).into()
        }),
        "text" => text.into(),
        "url" => {
            let pair = serde_urlencoded::to_string([("", &text)]).unwrap_or_default();
            pair.trim_start_matches('=').into()
        }
        _ => value.clone(),
    }
}
