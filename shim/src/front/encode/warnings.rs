//! Losses as values of the header `X-Shim-Warning`.

use hyper::header::HeaderValue;
use mappings::Warning;

/// Maximum number of losses with reasons. Some client libraries fail at 100 headers.
const MAX_VALUES: usize = 24;

/// Maximum length of a value, in bytes; enough for all v1 field names, or a reason.
const MAX_LENGTH: usize = 1500;

/// Limit of all values except the last, in bytes. Some proxies reject more than a few kilobytes of
/// headers.
const MAX_TOTAL: usize = 3000;

/// One value per loss, `field: reason`. Fields beyond the limits share the last value.
pub(super) fn header_values(warnings: &[Warning]) -> Vec<HeaderValue> {
    let mut values = Vec::new();
    let mut total = 0;
    let mut rest = Vec::new();
    for warning in warnings {
        let Some(value) = value(&format!("{}: {}", warning.field, warning.reason)) else {
            continue;
        };
        if values.len() == MAX_VALUES || total + value.len() > MAX_TOTAL {
            rest.push(warning.field.as_str());
        } else {
            total += value.len();
            values.push(value);
        }
    }
    if !rest.is_empty() {
        let text = format!("... {} more: {}", rest.len(), rest.join(", "));
        values.extend(value(&text));
    }
    values
}

/// Replaces everything except printable ASCII, in particular line breaks.
fn value(text: &str) -> Option<HeaderValue> {
    let printable = text.chars().map(|char| match char {
        ' '..='~' => char,
        '—' | '–' => '-',
        _ => '?',
    });
    let text: String = printable.take(MAX_LENGTH).collect();
    HeaderValue::from_str(text.trim_end()).ok()
}

#[cfg(test)]
mod tests {
    use mappings::WarningKind;

    use super::*;

    fn values(warnings: &[(&str, &str)]) -> Vec<String> {
        let warnings: Vec<_> = warnings
            .iter()
            .map(|(field, reason)| Warning {
                kind: WarningKind::NotHonoured,
                field: (*field).to_owned(),
                reason: (*reason).to_owned(),
            })
            .collect();
        header_values(&warnings)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn values_are_printable_ascii() {
        assert_eq!(
            values(&[("dept", "gone — really\r\nSet-Cookie: é=1")]),
            ["dept: gone - really??Set-Cookie: ?=1"]
        );
    }

    #[test]
    fn names_all_of_many_losses() {
        let many = vec![("track_id", "gone"); MAX_VALUES + 2];
        let values = values(&many);
        assert_eq!(values.len(), MAX_VALUES + 1);
        assert_eq!(values[0], "track_id: gone");
        assert_eq!(values[MAX_VALUES], "... 2 more: track_id, track_id");
    }

    #[test]
    fn total_length_is_bounded() {
        let long = "x".repeat(10_000);
        let values = values(&[("dept", &long), ("pmi", &long), ("type", &long)]);
        assert_eq!(values[..2].concat().len(), MAX_TOTAL);
        assert_eq!(values[2], "... 1 more: type");
    }
}
