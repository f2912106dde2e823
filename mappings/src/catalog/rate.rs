//! How many calls v2 takes from an account.

use std::{collections::BTreeMap, num::NonZeroU32};

use super::{
    load::{Parts, Report},
    shape::RateShape,
};

/// The calls that v2 takes from an account of a plan, by rate label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Light calls by second.
    pub light: NonZeroU32,
    /// Medium calls by second.
    pub medium: NonZeroU32,
    /// Heavy calls by second.
    pub heavy: NonZeroU32,
    /// Resource-intensive calls by minute.
    pub resource_intensive: NonZeroU32,
}

/// By the name of the plan.
pub(super) fn rates(parts: &mut Parts, report: &mut Report) -> BTreeMap<String, Rates> {
    let mut rates = BTreeMap::new();
    for (at, (plan, shape)) in std::mem::take(&mut parts.rate) {
        let RateShape {
            light,
            medium,
            heavy,
            resource_intensive,
            source,
        } = shape;
        if source.trim().is_empty() {
            report.add(&at, format!("rate `{plan}` has no source"));
        }
        let known = Rates {
            light,
            medium,
            heavy,
            resource_intensive,
        };
        rates.insert(plan, known);
    }
    rates
}
