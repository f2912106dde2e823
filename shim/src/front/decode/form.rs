//! Form parameters, `a=b&c=d`, from a query string or a body.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{DecodeError, Parameters, text};

/// Reads pairs. `+` is a blank; a `%` that starts no escape stands for itself; a name without `=`
/// has an empty value. Bytes stay bytes, because a file may come this way.
pub(super) fn decode(encoded: &[u8], parameters: &mut Parameters<'_>) -> Result<(), DecodeError> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .try_for_each(|pair| {
            let mut parts = pair.splitn(2, |byte| *byte == b'=');
            let name = unescape(parts.next().unwrap_or_default());
            let value = unescape(parts.next().unwrap_or_default());
            // v1 had ASCII names only: what is not UTF-8 is some unknown parameter.
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
