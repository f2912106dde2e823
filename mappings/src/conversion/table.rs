//! Value tables.

use serde_json::Value;

use super::Sent;
use crate::scalar::Scalar;

/// Value tables. A direction without a table leaves the value as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// v1 to v2.
    pub request: Vec<(Value, Value)>,
    /// v2 to v1.
    pub response: Vec<(Value, Value)>,
    /// A value that a table does not list stays as it is; else it cannot be converted.
    pub others_stay: bool,
}

impl Table {
    pub(super) fn to_v2(&self, v1: &Value) -> Sent {
        if self.request.is_empty() {
            return Sent::exact(v1.clone());
        }
        match self.request.iter().find(|(from, _)| from == v1) {
            Some((_, to)) => Sent::Value {
                value: to.clone(),
                changed: to != v1,
            },
            None if self.others_stay => Sent::exact(v1.clone()),
            None => Sent::Impossible,
        }
    }

    #[inline]
    pub(super) fn to_v1<'v>(&'v self, v2: Scalar<'v>) -> Option<Scalar<'v>> {
        if self.response.is_empty() {
            return Some(v2);
        }
        let row = self.response.iter().find(|(from, _)| v2.is(from));
        match row {
            Some((_, to)) => Some(to.into()),
            None => self.others_stay.then_some(v2),
        }
    }
}
