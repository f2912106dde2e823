//! Losses as values of the `X-Shim-Warning` header.

use hyper::header::HeaderValue;
use mappings::Warning;

/// Losses with their reasons. Some client libraries give up at 100 headers, and proxies at a few
/// kilobytes of them.
const MAX_VALUES: usize = 24;

/// Bytes in one value.
const MAX_LENGTH: usize = 200;

/// Bytes in the last value, which has room for the name of every v1 field.
const MAX_LAST_LENGTH: usize = 1500;

/// One value a loss, `field: reason`; the fields of those beyond the bound share a last one.
pub(super) fn header_values(warnings: &[Warning]) -> impl Iterator<Item = HeaderValue> {
    let (told, rest) = warnings.split_at(warnings.len().min(MAX_VALUES));
    let told = told
        .iter()
        .map(|warning| format!("{}: {}", warning.field, warning.reason))
        .filter_map(|text| value(&text, MAX_LENGTH));
    let rest = (!rest.is_empty()).then(|| {
        let fields: Vec<_> = rest.iter().map(|warning| warning.field.as_str()).collect();
        format!("... {} more: {}", rest.len(), fields.join(", "))
    });
    told.chain(rest.and_then(|text| value(&text, MAX_LAST_LENGTH)))
}

/// Printable ASCII only: what a header may carry everywhere, and no line break among it.
fn value(text: &str, length: usize) -> Option<HeaderValue> {
    let printable = text.chars().map(|char| match char {
        ' '..='~' => char,
        '—' | '–' => '-',
        _ => '?',
    });
    let text: String = printable.take(length).collect();
    HeaderValue::from_str(text.trim_end()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(warnings: &[(&str, &str)]) -> Vec<String> {
        let warnings: Vec<_> = warnings
            .iter()
            .map(|(field, reason)| Warning {
                field: (*field).to_owned(),
                reason: (*reason).to_owned(),
            })
            .collect();
        header_values(&warnings)
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_value_is_printable_ascii() {
        assert_eq!(
            values(&[("dept", "gone — really\r\nSet-Cookie: é=1")]),
            ["dept: gone - really??Set-Cookie: ?=1"]
        );
    }

    #[test]
    fn many_losses_are_all_named() {
        let many = vec![("track_id", "gone"); MAX_VALUES + 2];
        let values = values(&many);
        assert_eq!(values.len(), MAX_VALUES + 1);
        assert_eq!(values[0], "track_id: gone");
        assert_eq!(values[MAX_VALUES], "... 2 more: track_id, track_id");
    }

    #[test]
    fn a_value_is_short() {
        let long = "x".repeat(10_000);
        assert_eq!(values(&[("dept", &long)])[0].len(), MAX_LENGTH);
    }
}
