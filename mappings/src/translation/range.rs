//! Date range of a request.

use time::Date;

use super::{Translation, units::Unit};
use crate::{
    catalog::{operation::Longer, protocol::PARAMETER_INVALID},
    exchange::V1Error,
    moment,
};

/// Maximum number of windows: ten years.
const MOST_WINDOWS: usize = 120;

impl Translation<'_> {
    /// First and last day; `None` if the operation has no range.
    pub(super) fn range(&self) -> Option<(Date, Date)> {
        let range = self.operation.range.as_ref()?;
        let given = |name: &str, is_end| {
            let text = self.given.value(name)?.as_str()?;
            Some(moment::in_zone(text, self.zone(), is_end)?.date())
        };
        let to = given(&range.to, true).unwrap_or_else(|| moment::day_of(self.now));
        let from = given(&range.from, false).unwrap_or_else(|| {
            if self.given.is_today(self.operation, &range.from) {
                return moment::day_of(self.now).min(to);
            }
            let Some(open) = &range.open else {
                return moment::months_before(to, 1);
            };
            let months = self.site.options.number(&open.months).unwrap_or(1);
            let begin = moment::months_before(to, months);
            let after = open.after.as_ref().and_then(|(call, at)| {
                let found = self.progress.get(*call)?.found.as_ref()?;
                moment::date(found.json().at(at)?.as_str()?)
            });
            // Nothing is older than the `after` date, such as the creation of the account.
            after.map_or(begin, |after| begin.max(after.min(to)))
        });
        let earliest = moment::months_before(to, 1);
        let is_cut = range.longer == Some(Longer::Cut) && from < earliest;
        Some((if is_cut { earliest } else { from }, to))
    }

    /// Time zone of dates without an offset, once known.
    pub(super) fn zone(&self) -> Option<&str> {
        let (call, at) = self.operation.range.as_ref()?.zone.as_ref()?;
        let found = self.progress.get(*call)?.found.as_ref()?;
        found.json().at(at)?.as_str()
    }

    /// Months of the range, latest first, without overlap.
    pub(super) fn windows(&self) -> Vec<Unit> {
        let mut windows = Vec::new();
        let Some((from, mut to)) = self.range() else {
            return windows;
        };
        while from <= to && windows.len() < MOST_WINDOWS {
            let begin = moment::months_before(to, 1).max(from);
            windows.push(Unit::Window(begin, to));
            match begin.previous_day() {
                Some(before) if begin > from => to = before,
                _ => break,
            }
        }
        windows
    }

    /// Rejects ranges that end before they begin or exceed the limit.
    pub(super) fn check_range(&self) -> Result<(), V1Error> {
        let Some(range) = &self.operation.range else {
            return Ok(());
        };
        let Some((from, to)) = self.range() else {
            return Ok(());
        };
        let longest = i64::try_from(MOST_WINDOWS).unwrap_or(i64::MAX) - 1;
        let is_split = range.longer == Some(Longer::Split);
        if from > to || (is_split && from < moment::months_before(to, longest)) {
            let protocol = self.catalog.protocol();
            return Err(protocol.parameter_error(PARAMETER_INVALID, &range.from));
        }
        Ok(())
    }
}
