//! Compressed request bodies.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use hyper::header::HeaderValue;

use super::DecodeError;

/// Maximum decompressed size, in bytes: forms have 1 to 2 kB, and pictures hardly compress.
const MAX_DECOMPRESSED: u64 = 1024 * 1024;

/// Decompresses the body according to its `Content-Encoding`.
pub(crate) fn decompressed(
    encoding: Option<&HeaderValue>,
    body: Bytes,
) -> Result<Bytes, DecodeError> {
    let encoding = encoding.map_or(b"".as_slice(), HeaderValue::as_bytes);
    match encoding.trim_ascii().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Ok(body),
        b"gzip" | b"x-gzip" => inflate(MultiGzDecoder::new(&body[..])),
        b"deflate" => inflate(ZlibDecoder::new(&body[..])),
        _ => Err(DecodeError::Unreadable(
            "its Content-Encoding is none of gzip, deflate and identity",
        )),
    }
}

fn inflate(reader: impl Read) -> Result<Bytes, DecodeError> {
    let mut inflated = Vec::new();
    let read = reader.take(MAX_DECOMPRESSED + 1).read_to_end(&mut inflated);
    if read.is_err() {
        return Err(DecodeError::Unreadable("the compressed body is broken"));
    }
    if inflated.len() as u64 > MAX_DECOMPRESSED {
        return Err(DecodeError::Unreadable(
            "the compressed body holds more than 1 MiB",
        ));
    }
    Ok(inflated.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(content: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap().into()
    }

    fn of(encoding: &'static str, body: Bytes) -> Result<Bytes, DecodeError> {
        decompressed(Some(&HeaderValue::from_static(encoding)), body)
    }

    #[test]
    fn decompresses_gzip() {
        for encoding in ["gzip", "GZIP ", "x-gzip"] {
            assert_eq!(of(encoding, gzip(b"id=1")).unwrap(), "id=1");
        }
    }

    #[test]
    fn passes_an_unencoded_body_through() {
        assert_eq!(decompressed(None, "id=1".into()).unwrap(), "id=1");
        assert_eq!(of("identity", "id=1".into()).unwrap(), "id=1");
    }

    #[test]
    fn rejects_unknown_broken_and_huge_bodies() {
        let huge = gzip(&vec![b'x'; 2 * 1024 * 1024]);
        assert!(of("gzip", huge).is_err());
        assert!(of("gzip", "id=1".into()).is_err());
        assert!(of("br", "id=1".into()).is_err());
    }
}
