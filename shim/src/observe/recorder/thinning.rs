//! Leaves near-duplicate exchanges out of a recording.

use std::{
    collections::{HashMap, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
};

use recording::{Exchange, V2Exchange, comparison::ERROR};
use serde_json::Value;

/// Limit of distinct kinds that are counted; exchanges of further kinds are all kept.
const KINDS: usize = 100_000;

/// Counts exchanges by kind.
#[derive(Debug)]
pub(super) struct Thinning {
    limit: usize,
    seen: HashMap<u64, usize>,
}

impl Thinning {
    /// Keeps the first `limit` exchanges of each kind.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            seen: HashMap::new(),
        }
    }

    /// Returns whether an exchange is among the first of its kind.
    pub(super) fn keeps(&mut self, exchange: &Exchange) -> bool {
        let kind = kind(exchange);
        if self.seen.len() >= KINDS && !self.seen.contains_key(&kind) {
            return true;
        }
        let count = self.seen.entry(kind).or_default();
        *count = count.saturating_add(1);
        *count <= self.limit
    }
}

/// Hash that ignores values: operation, wrapping, parameter names, v2 calls with their statuses,
/// and the members of the answer or its error code.
fn kind(exchange: &Exchange) -> u64 {
    let mut hasher = DefaultHasher::new();
    let v1 = &exchange.v1;
    (&v1.operation, v1.wrapping as u8).hash(&mut hasher);
    for name in v1.parameters.keys() {
        name.hash(&mut hasher);
    }
    if let Some(error) = v1.answer.get(ERROR) {
        // The calls made before an error depend on timing.
        error.get("code").map(Value::to_string).hash(&mut hasher);
        return hasher.finish();
    }
    for (name, _) in v1.answer.as_object().into_iter().flatten() {
        name.hash(&mut hasher);
    }
    // Responses arrive in any order.
    let mut calls: Vec<_> = exchange.v2.iter().map(call).collect();
    calls.sort_unstable();
    // A list has one call per entry.
    calls.dedup();
    calls.hash(&mut hasher);
    hasher.finish()
}

fn call(call: &V2Exchange) -> (&str, &str, Option<u16>) {
    (&call.call, &call.method, call.status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exchange(parameters: &Value, answer: &Value, statuses: &[u16]) -> Exchange {
        let calls = statuses.iter().map(|status| {
            json!({ "call": "user", "method": "GET", "path": "/users/u1", "status": status })
        });
        let text = json!({
            "format": 1, "id": "1",
            "v1": { "operation": "user/get", "parameters": parameters, "answer": answer },
            "v2": calls.collect::<Vec<_>>(),
        });
        Exchange::read(&text.to_string()).unwrap()
    }

    #[test]
    fn values_do_not_change_the_kind() {
        let mut thinning = Thinning::new(1);
        let user = |id: &str| json!({ "id": id });
        let error = |code: i64| json!({ "error": { "code": code } });
        let (u1, u2) = (user("u1"), user("u2"));
        assert!(thinning.keeps(&exchange(&u1, &u1, &[200])));
        assert!(!thinning.keeps(&exchange(&u2, &u2, &[200])));
        assert!(!thinning.keeps(&exchange(&u2, &u2, &[200, 200])));
        let more = json!({ "id": "u1", "dept": "" });
        for other in [
            exchange(&more, &u1, &[200]),
            exchange(&u1, &more, &[200]),
            exchange(&u1, &u1, &[200, 404]),
            exchange(&u1, &error(1001), &[404]),
            exchange(&u1, &error(1010), &[404]),
        ] {
            assert!(thinning.keeps(&other), "{other:?}");
            assert!(!thinning.keeps(&other));
        }
    }
}
