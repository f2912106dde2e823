//! The content type of a body: as a client declares it, and as it turns out to be.

use bytes::Bytes;
use encoding_rs::Encoding;
use recording::Wrapping;

use super::{DecodeError, Parameters, charset::declared_charset, form, json, multipart, text};

/// What a `Content-Type` announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    kind: Kind,
    charset: Option<&'static Encoding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json` and its relatives.
    Json,
    /// `multipart/form-data`, with its boundary unless the client forgot it.
    Multipart(Option<String>),
    /// Anything else, and nothing at all.
    Other,
}

impl Content {
    /// Reads the value of the header.
    pub(crate) fn from_header(value: Option<&[u8]>) -> Self {
        let text = text(value.unwrap_or_default());
        let media_type = text.split(';').next().unwrap_or_default().trim();
        Self {
            kind: kind(media_type, &text),
            charset: declared_charset(&text),
        }
    }

    /// The charset that is declared; `None` if there is none, or an unknown one.
    pub(super) fn charset(&self) -> Option<&'static Encoding> {
        self.charset
    }

    /// What a record calls it.
    pub(crate) fn wrapping(&self, body: &Bytes) -> Wrapping {
        match self.kind {
            _ if body.trim_ascii().is_empty() => Wrapping::Query,
            Kind::Form => Wrapping::Form,
            Kind::Json => Wrapping::Json,
            Kind::Multipart(_) => Wrapping::Multipart,
            Kind::Other => Wrapping::Other,
        }
    }

    /// True if v1 took parameters from such a body, so that a broken one is the client's mistake.
    pub(super) fn is_for_parameters(&self) -> bool {
        matches!(self.kind, Kind::Form | Kind::Multipart(_))
    }

    /// Reads the body: by what it is said to be if that is plausible, else by how it begins,
    /// because forms are in use under no content type and under wrong ones.
    pub(super) async fn decode(
        &self,
        body: &Bytes,
        parameters: &mut Parameters<'_>,
    ) -> Result<(), DecodeError> {
        let begins = body.trim_ascii_start();
        match &self.kind {
            // It needs much room, and is rare.
            Kind::Multipart(Some(boundary)) => {
                Box::pin(multipart::decode(body, boundary, parameters)).await
            }
            Kind::Multipart(None) if begins.starts_with(b"--") => Err(DecodeError::Unreadable(
                "multipart/form-data without a boundary in its Content-Type",
            )),
            // `curl -d '{…}'` says form.
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

/// True if the body begins with a name as v1's parameters have them, and `=`.
fn looks_like_form(body: &[u8]) -> bool {
    let name = body
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    name > 0 && body.get(name) == Some(&b'=')
}
