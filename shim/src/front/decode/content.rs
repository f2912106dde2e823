//! Content type of a body: as declared, and as detected.

use bytes::Bytes;
use encoding_rs::Encoding;
use recording::Wrapping;

use super::{DecodeError, Parameters, charset::declared_charset, form, json, multipart, text};

/// Parsed `Content-Type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    kind: Kind,
    charset: Option<&'static Encoding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json` and similar.
    Json,
    /// `multipart/form-data`, with its boundary if given.
    Multipart(Option<String>),
    /// Any other type, or none.
    Other,
}

impl Content {
    /// Parses the header.
    pub(crate) fn from_header(value: Option<&[u8]>) -> Self {
        let text = text(value.unwrap_or_default());
        let media_type = text.split(';').next().unwrap_or_default().trim();
        Self {
            kind: kind(media_type, &text),
            charset: declared_charset(&text),
        }
    }

    /// Declared charset, if known.
    pub(super) fn charset(&self) -> Option<&'static Encoding> {
        self.charset
    }

    /// Name of the encoding in recordings.
    pub(crate) fn wrapping(&self, body: &Bytes) -> Wrapping {
        match self.kind {
            _ if body.trim_ascii().is_empty() => Wrapping::Query,
            Kind::Form => Wrapping::Form,
            Kind::Json => Wrapping::Json,
            Kind::Multipart(_) => Wrapping::Multipart,
            Kind::Other => Wrapping::Other,
        }
    }

    /// Returns whether v1 read parameters from such a body, so that an invalid one is an error.
    pub(super) fn is_for_parameters(&self) -> bool {
        matches!(self.kind, Kind::Form | Kind::Multipart(_))
    }

    /// Decodes the body by its declared type if plausible, otherwise by its first bytes, because
    /// forms are sent with a wrong content type or none.
    pub(super) async fn decode(
        &self,
        body: &Bytes,
        parameters: &mut Parameters<'_>,
    ) -> Result<(), DecodeError> {
        let begins = body.trim_ascii_start();
        match &self.kind {
            // Boxed because the future is large and rarely used.
            Kind::Multipart(Some(boundary)) => {
                Box::pin(multipart::decode(body, boundary, parameters)).await
            }
            Kind::Multipart(None) if begins.starts_with(b"--") => Err(DecodeError::Unreadable(
                "multipart/form-data without a boundary in its Content-Type",
            )),
            // `curl -d '{…}'` declares a form.
            _ if begins.starts_with(b"{") => json::decode(body, self.charset, parameters),
            Kind::Form | Kind::Multipart(None) => form::decode(body, parameters),
            Kind::Json | Kind::Other if looks_like_form(begins) => form::decode(body, parameters),
            Kind::Json => json::decode(body, self.charset, parameters),
            Kind::Other => Err(DecodeError::Unreadable("the body is not a form")),
        }
    }
}

fn kind(media_type: &str, header: &str) -> Kind {
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Kind::Form;
    }
    match media_type.to_ascii_lowercase().as_str() {
        "multipart/form-data" => Kind::Multipart(multer::parse_boundary(header).ok()),
        "application/json" | "text/json" => Kind::Json,
        other if other.ends_with("+json") => Kind::Json,
        _ => Kind::Other,
    }
}

/// Returns whether the body begins with a parameter name and `=`.
fn looks_like_form(body: &[u8]) -> bool {
    let name = body
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    name > 0 && body.get(name) == Some(&b'=')
}
