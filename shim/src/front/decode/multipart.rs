//! `multipart/form-data`, including deviations of older clients.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;

use super::{DecodeError, Parameters, charset::declared_charset};

/// Decodes the parts. A part is a file if it has a file name or its parameter is one.
///
/// Clients use quoted boundaries, unquoted names, headers in any order and `filename*`.
pub(super) async fn decode(
    body: &Bytes,
    boundary: &str,
    parameters: &mut Parameters<'_>,
) -> Result<(), DecodeError> {
    // multer's errors quote the input, so they are not passed on.
    let broken = |_| DecodeError::Unreadable("the multipart body is broken or cut off");

    let whole = stream::once(async { Ok::<_, Infallible>(body.clone()) });
    let mut parts = multer::Multipart::new(whole, boundary);
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let is_file = file_name.is_some() || names_a_file(&part);
        let media_type = part.content_type().map(ToString::to_string);
        let charset = media_type.as_deref().and_then(declared_charset);
        let content = part.bytes().await.map_err(broken)?;
        if is_file {
            parameters.add_file(&name, file_name, content)?;
        } else {
            parameters.add_in(&name, content, charset.or(parameters.charset))?;
        }
    }
    Ok(())
}

/// Detects `filename*` without `filename`, which multer ignores.
fn names_a_file(part: &multer::Field<'_>) -> bool {
    part.headers()
        .get("content-disposition")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("filename*="))
}
