//! Declared charset of a media type.

use encoding_rs::Encoding;

/// Parses the charset of a media type, e.g. `text/plain; charset=ISO-8859-1`.
pub(super) fn declared_charset(media_type: &str) -> Option<&'static Encoding> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| Encoding::for_label(value.trim().trim_matches('"').as_bytes()))?
    })
}
