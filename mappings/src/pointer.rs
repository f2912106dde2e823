//! Places in JSON documents, without the allocations of `Value::pointer`: the catalog's pointers
//! hold no escapes, which is checked when it is loaded.

use serde_json::Value;

/// The value at a JSON pointer without escapes; array elements count from 0.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer
        .split('/')
        .skip(1)
        .try_fold(value, |value, token| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => items.get(index(token)?),
            _ => None,
        })
}

/// An element's number as RFC 6901 writes it: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || token.starts_with(|first: char| matches!(first, '1'..='9'));
    token.parse().ok().filter(|_| plain)
}

/// Takes the value at a pointer to an object's member out of the document.
pub(crate) fn take(value: &mut Value, pointer: &str) -> Option<Value> {
    let place = pointer
        .split('/')
        .skip(1)
        .try_fold(value, |value, token| match value {
            Value::Object(members) => members.get_mut(token),
            _ => None,
        });
    place.map(Value::take)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn members_and_elements_are_found() {
        let value = json!({ "a": { "b": [1, { "c": null }] } });
        for pointer in [
            "", "/a", "/a/b", "/a/b/0", "/a/b/1/c", "/a/x", "/a/b/7", "/a/b/0/c", "/a/b/x",
        ] {
            assert_eq!(at(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut value = json!({ "a": { "b": [1] } });
        assert_eq!(take(&mut value, "/a/b"), Some(json!([1])));
        assert_eq!(value, json!({ "a": { "b": null } }));
        assert_eq!(take(&mut value, "/a/x"), None);
    }

    proptest! {
        #[test]
        fn pointers_mean_what_they_mean_to_serde(pointer in "(/[a-c0-2]{1,2}){0,3}") {
            let value = json!({ "a": { "b": { "c": 1 }, "0": 2 }, "b": [[3], { "a": 4 }], "aa": 5 });
            prop_assert_eq!(at(&value, &pointer), value.pointer(&pointer));
        }
    }
}
