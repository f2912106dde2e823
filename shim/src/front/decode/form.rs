//! Form parameters, e.g. `a=b&c=d`, from a query string or a body.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{DecodeError, Parameters, text};

/// Decodes pairs. `+` is a space, an invalid `%` escape is literal, and a name without `=` has an
/// empty value. Values stay bytes, because they may be files.
pub(super) fn decode(encoded: &[u8], parameters: &mut Parameters<'_>) -> Result<(), DecodeError> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .try_for_each(|pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = unescape(parts.next().unwrap_or_default());
            let value = unescape(parts.next().unwrap_or_default());
            // v1's names are ASCII; anything else is an unknown parameter, so a lossy name is
            // enough.
            parameters.add(&text(&name), value.into_owned())
        })
}

fn unescape(part: &[u8]) -> Cow<'_, [u8]> {
    if !part.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(part);
    }
    let blanks: Cow<'_, [u8]> = if part.contains(&b'+') {
        part.iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect()
    } else {
        Cow::Borrowed(part)
    };
    percent_decode(&blanks).collect()
}
