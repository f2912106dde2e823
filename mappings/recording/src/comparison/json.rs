//! Compares two JSON values, independent of the API.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Keys that identify array items: the first one that is present and unique in all of them is used.
const PAIRED_BY: [&str; 2] = ["id", "email"];

/// Kind of difference between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only on the old side.
    Missing,
    /// Only on the new side.
    Extra,
    /// Different JSON types.
    Type,
    /// Different values of the same type.
    Value,
    /// Same items in a different order.
    Order,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Type => "type",
            Self::Value => "value",
            Self::Order => "order",
        })
    }
}

/// Pair of values at the same path.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Path of the values.
    pub path: Path,
    /// Old value.
    pub old: Option<Value>,
    /// New value.
    pub new: Option<Value>,
    /// `None` if both values are equal.
    pub kind: Option<Kind>,
}

/// Path of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    /// Array item, by id or index.
    Item(String),
}

impl Path {
    /// Path of a member of this object.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.with(Step::Member(name.to_owned()))
    }

    /// Path of an item of this array, by id or index.
    #[must_use]
    pub fn item(&self, key: &str) -> Self {
        self.with(Step::Item(key.to_owned()))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Member names, without items: `users`, `pmi`.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            Step::Item(_) => None,
        })
    }

    /// Path without item ids: `users[].pmi`.
    pub fn field(&self) -> String {
        self.written(|_| "[]".to_owned())
    }

    fn written(&self, item: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for step in &self.0 {
            match step {
                Step::Item(key) => text.push_str(&item(key)),
                Step::Member(name) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(name);
                }
            }
        }
        if text.is_empty() {
            "(all)".to_owned()
        } else {
            text
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(|key| format!("[{key}]")))
    }
}

/// Differing pairs only.
#[cfg(test)]
pub(crate) fn diff(old: &Value, new: &Value) -> Vec<Pair> {
    let mut pairs = pairs(old, new);
    pairs.retain(|pair| pair.kind.is_some());
    pairs
}

/// All pairs in the order of the old value; those only in the new one come last.
pub fn pairs(old: &Value, new: &Value) -> Vec<Pair> {
    let mut pairs = Vec::new();
    both(&Path::default(), old, new, &mut pairs);
    pairs
}

fn both(path: &Path, old: &Value, new: &Value, pairs: &mut Vec<Pair>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !old.is_empty() || !new.is_empty() => {
            objects(path, old, new, pairs);
        }
        (Value::Array(old), Value::Array(new)) if !old.is_empty() || !new.is_empty() => {
            arrays(path, old, new, pairs);
        }
        (old, new) => pairs.push(Pair {
            path: path.clone(),
            old: Some(old.clone()),
            new: Some(new.clone()),
            kind: difference(old, new),
        }),
    }
}

fn one(path: Path, old: Option<&Value>, new: Option<&Value>, pairs: &mut Vec<Pair>) {
    match (old, new) {
        (Some(old), Some(new)) => both(&path, old, new, pairs),
        (None, None) => {}
        (old, new) => pairs.push(Pair {
            path,
            kind: Some(if new.is_none() {
                Kind::Missing
            } else {
                Kind::Extra
            }),
            old: old.cloned(),
            new: new.cloned(),
        }),
    }
}

fn objects(path: &Path, old: &Map<String, Value>, new: &Map<String, Value>, pairs: &mut Vec<Pair>) {
    for (name, value) in old {
        one(path.member(name), Some(value), new.get(name), pairs);
    }
    for (name, value) in new {
        if !old.contains_key(name) {
            one(path.member(name), None, Some(value), pairs);
        }
    }
}

fn arrays(path: &Path, old: &[Value], new: &[Value], pairs: &mut Vec<Pair>) {
    if let Some((old, new)) = keyed(old, new) {
        return keyed_arrays(path, &old, &new, pairs);
    }
    if old != new && is_permutation(old, new) {
        return pairs.push(Pair {
            path: path.clone(),
            old: Some(old.to_vec().into()),
            new: Some(new.to_vec().into()),
            kind: Some(Kind::Order),
        });
    }
    for at in 0..old.len().max(new.len()) {
        one(path.item(&at.to_string()), old.get(at), new.get(at), pairs);
    }
}

type Keyed<'v> = Vec<(String, &'v Value)>;

/// Items by id, if all items of both sides have unique ids.
fn keyed<'v>(old: &'v [Value], new: &'v [Value]) -> Option<(Keyed<'v>, Keyed<'v>)> {
    PAIRED_BY
        .iter()
        .find_map(|name| Some((with_keys(old, name)?, with_keys(new, name)?)))
}

fn with_keys<'v>(items: &'v [Value], name: &str) -> Option<Keyed<'v>> {
    let mut seen = BTreeSet::new();
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let key = match item.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        if !seen.insert(key.clone()) {
            return None;
        }
        keyed.push((key, item));
    }
    Some(keyed)
}

fn keyed_arrays(path: &Path, old: &Keyed<'_>, new: &Keyed<'_>, pairs: &mut Vec<Pair>) {
    let in_new: BTreeMap<_, _> = new.iter().map(|(key, value)| (key, *value)).collect();
    let in_old: BTreeSet<_> = old.iter().map(|(key, _)| key).collect();
    let of_both = |side: &Keyed<'_>| -> Vec<Value> {
        side.iter()
            .filter(|(key, _)| in_old.contains(key) && in_new.contains_key(key))
            .map(|(key, _)| Value::from(key.as_str()))
            .collect()
    };
    let (old_order, new_order) = (of_both(old), of_both(new));
    if old_order != new_order {
        pairs.push(Pair {
            path: path.clone(),
            old: Some(old_order.into()),
            new: Some(new_order.into()),
            kind: Some(Kind::Order),
        });
    }
    for (key, value) in old {
        one(path.item(key), Some(value), in_new.get(key).copied(), pairs);
    }
    for (key, value) in new {
        if !in_old.contains(key) {
            one(path.item(key), None, Some(value), pairs);
        }
    }
}

fn is_permutation(old: &[Value], new: &[Value]) -> bool {
    let sorted = |items: &[Value]| {
        let mut texts: Vec<_> = items.iter().map(Value::to_string).collect();
        texts.sort_unstable();
        texts
    };
    old.len() == new.len() && sorted(old) == sorted(new)
}

fn difference(old: &Value, new: &Value) -> Option<Kind> {
    match (old, new) {
        (Value::Number(old), Value::Number(new)) => {
            // 1 and 1.0 are the same number to every client.
            let is_same =
                old == new || (old.is_f64() || new.is_f64()) && old.as_f64() == new.as_f64();
            (!is_same).then_some(Kind::Value)
        }
        (old, new) if old == new => None,
        (old, new) if type_name(old) == type_name(new) => Some(Kind::Value),
        _ => Some(Kind::Type),
    }
}

/// Name of a value's JSON type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn differences(old: &Value, new: &Value) -> Vec<String> {
        diff(old, new)
            .iter()
            .map(|pair| format!("{} {}", pair.path, pair.kind.unwrap()))
            .collect()
    }

    #[test]
    fn classifies_each_kind_of_difference() {
        assert_eq!(differences(&json!({ "a": 1 }), &json!({})), ["a missing"]);
        assert_eq!(differences(&json!({}), &json!({ "a": 1 })), ["a extra"]);
        assert_eq!(
            differences(&json!({ "a": 1 }), &json!({ "a": "1" })),
            ["a type"]
        );
        assert_eq!(
            differences(&json!({ "a": 1 }), &json!({ "a": 2 })),
            ["a value"]
        );
        assert_eq!(differences(&json!([1, 2]), &json!([2, 1])), ["(all) order"]);
        assert_eq!(differences(&json!([1, 2]), &json!([1, 3])), ["[1] value"]);
        assert_eq!(differences(&json!({}), &json!([])), ["(all) type"]);
        assert_eq!(
            differences(&json!({ "a": {} }), &json!({ "a": [] })),
            ["a type"]
        );
    }

    #[test]
    fn ignores_member_order_and_number_format() {
        assert!(diff(&json!({ "a": 1, "b": 2 }), &json!({ "b": 2, "a": 1 })).is_empty());
        assert!(diff(&json!(1), &json!(1.0)).is_empty());
        assert!(!diff(&json!(1), &json!(1.5)).is_empty());
        assert!(
            !diff(
                &json!(9_007_199_254_740_993_i64),
                &json!(9_007_199_254_740_992_i64)
            )
            .is_empty()
        );
    }

    #[test]
    fn pairs_users_by_id() {
        let old = json!({ "users": [{ "id": "a", "x": 1 }, { "id": "b", "x": 2 }, { "id": "c" }] });
        let new = json!({ "users": [{ "id": "b", "x": 3 }, { "id": "a", "x": 1 }, { "id": "d" }] });
        assert_eq!(
            differences(&old, &new),
            [
                "users order",
                "users[b].x value",
                "users[c] missing",
                "users[d] extra"
            ]
        );
        let field = diff(&old, &new).get(1).unwrap().path.field();
        assert_eq!(field, "users[].x");
    }

    #[test]
    fn pairs_items_by_index_without_unique_ids() {
        let old = json!([{ "id": "a", "x": 1 }, { "id": "a", "x": 2 }]);
        let new = json!([{ "id": "a", "x": 1 }, { "id": "a", "x": 3 }]);
        assert_eq!(differences(&old, &new), ["[1].x value"]);
        let old = json!([{ "email": "a", "x": 1 }]);
        assert_eq!(
            differences(&old, &json!([{ "email": "a", "x": 2 }])),
            ["[a].x value"]
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-3_i32..3).prop_map(|number| json!(f64::from(number) / 2.0)),
            "[a-c]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("(id|email|[a-c])", inner), 0..5)
                    .prop_map(|members| { Value::Object(members.into_iter().collect()) }),
            ]
        })
    }

    fn mirrored(pair: Pair) -> (Path, Option<Value>, Option<Value>, Option<Kind>) {
        let kind = match pair.kind {
            Some(Kind::Missing) => Some(Kind::Extra),
            Some(Kind::Extra) => Some(Kind::Missing),
            same => same,
        };
        (pair.path, pair.new, pair.old, kind)
    }

    proptest! {
        #[test]
        fn value_equals_itself(value in values()) {
            prop_assert_eq!(diff(&value, &value), []);
        }

        #[test]
        fn differences_are_symmetric(old in values(), new in values()) {
            let sorted = |mut found: Vec<_>| {
                found.sort_by_cached_key(|found| format!("{found:?}"));
                found
            };
            let there = diff(&old, &new).into_iter();
            let back = diff(&new, &old).into_iter().map(mirrored);
            prop_assert_eq!(
                sorted(there.map(|pair| (pair.path, pair.old, pair.new, pair.kind)).collect()),
                sorted(back.collect())
            );
        }

        #[test]
        fn equal_values_have_no_differences(old in values(), new in values()) {
            let equal = old == new;
            prop_assert!(!equal || diff(&old, &new).is_empty());
        }
    }
}
