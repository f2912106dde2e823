//! Conversions of numbers.

use serde_json::Value;

use super::Sent;

/// Rounds up to the smallest step not less than the number.
pub(super) fn round_up(steps: &[i64], v1: &Value) -> Sent {
    let step = v1.as_i64().and_then(|number| {
        let mut steps = steps.iter();
        Some((*steps.find(|step| **step >= number)?, number))
    });
    match step {
        Some((step, number)) => Sent::Value {
            value: step.into(),
            changed: step != number,
        },
        None => Sent::Impossible,
    }
}

/// Seconds to whole minutes, rounded up.
pub(super) fn minutes(v2: &Value) -> Option<i64> {
    let seconds = v2.as_i64()?;
    Some(seconds.saturating_add(59).div_euclid(60))
}
