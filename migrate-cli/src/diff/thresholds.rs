//! Thresholds of a comparison: consistency and response times.

/// What a comparison must meet to pass.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Thresholds {
    /// Minimum consistency, in percent. Without it, any unexpected difference fails.
    pub(crate) consistency: Option<f64>,
    /// Maximum 99th percentile of response times, in milliseconds.
    pub(crate) p99: Option<u64>,
}

impl Thresholds {
    /// `98.50 % consistent, less than 99.9 %`, if a consistency in percent is too low.
    pub(crate) fn consistency_failure(self, consistency: f64) -> Option<String> {
        let least = self.consistency.filter(|least| consistency < *least)?;
        Some(format!(
            "{} consistent, less than {least} %",
            percent(consistency)
        ))
    }

    /// `p99 of the shim is 2100.0 ms, more than 1500 ms`, if a 99th percentile in milliseconds is
    /// too high.
    pub(crate) fn p99_failure(self, side: &str, p99: f64) -> Option<String> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let most = self.p99.filter(|most| p99 > *most as f64)?;
        Some(format!("p99 of {side} is {p99:.1} ms, more than {most} ms"))
    }
}

/// `99.99 %`. Rounds down, so that only full consistency reads 100 %.
pub(crate) fn percent(consistency: f64) -> String {
    // 1e-9 absorbs what multiplication loses: 99.95 must not read 99.94.
    format!("{:.2} %", (consistency * 100.0 + 1e-9).floor() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_down() {
        for (share, text) in [
            (100.0, "100.00 %"),
            (99.999, "99.99 %"),
            (99.95, "99.95 %"),
            (66.666_666, "66.66 %"),
            (0.0, "0.00 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
