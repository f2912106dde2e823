//! Value tables.

use serde_json::Value;

use super::Sent;
use crate::scalar::Scalar;

/// Value tables. A direction without a table leaves values unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// v1 to v2.
    pub request: Vec<(Value, Value)>,
    /// v2 to v1.
    pub response: Vec<(Value, Value)>,
    /// Values that a table does not list stay unchanged; otherwise they cannot be converted.
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

    /// True if v1 shows some v2 value as `v1` although a request would send another one. Sent back,
    /// `v1` would change the stored value.
    pub(super) fn is_ambiguous(&self, v1: &Value) -> bool {
        let mut rows = self.response.iter();
        rows.any(|(from, to)| to == v1 && self.is_other(v1, from))
    }

    /// True if `stored` is such a value.
    pub(super) fn keeps(&self, v1: &Value, stored: &Value) -> bool {
        let mut rows = self.response.iter();
        self.is_other(v1, stored) && rows.any(|(from, to)| from == stored && to == v1)
    }

    fn is_other(&self, v1: &Value, v2: &Value) -> bool {
        !matches!(self.to_v2(v1), Sent::Value { value, .. } if value == *v2)
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
