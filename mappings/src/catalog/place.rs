//! Places of values: in v2 documents, requests, lists and elsewhere.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::template::Template;

/// Name of the synthetic document with the pagination members of a list.
pub const PAGE: &str = "page";

/// [`PAGE`] document of an unpaged list.
pub fn whole_list(records: usize) -> Value {
    json!({ "total_records": records })
}

/// [`PAGE`] document of one page.
pub(crate) fn page(number: i64, size: i64, pages: i64, records: i64) -> Value {
    json!({
        "page_count": pages, "page_number": number, "page_size": size, "total_records": records,
    })
}

/// Document name of a nested object within its own view.
pub const ITEM: &str = "item";

/// The only `site:` value.
const ACCOUNT_ID: &str = "account_id";

/// Place of a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Place {
    /// Member of a v2 document.
    Document(DocumentPlace),
    /// Parameter as sent by the client.
    Given(String),
    /// Time of the response.
    Clock,
    /// Date of the response, in UTC.
    Today,
    /// Setting of the site.
    Site(String),
    /// First day of the operation's date range.
    RangeFrom,
    /// Last day of the operation's date range.
    RangeTo,
    /// Entries of a list.
    List(String),
    /// Number of entries of a list.
    Count(String),
    /// Sum over a member of the entries of a list.
    Sum(String, String),
    /// Number of comma-separated parts, summed over all documents with this name, one for each
    /// batch of a call.
    Parts(DocumentPlace),
    /// Number of successful requests of a call.
    Done(String),
    /// Number of elements of a parameter.
    Elements(String),
    /// Value of an option.
    Option(String),
    /// For objects: nested view over the same documents.
    Here,
    /// Text with document members: `text:{file:/url}?token={recording:/token}`.
    Text(Template),
    /// Link of the site that stands for the file URL in a document.
    Link(DocumentPlace),
}

/// Member of a v2 document: `settings:/in_meeting/chat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    /// Name of the document.
    pub document: String,
    /// JSON pointer (RFC 6901) to the member.
    pub pointer: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Document(place) => write!(f, "{}:{}", place.document, place.pointer),
            Self::Given(name) => write!(f, "given:{name}"),
            Self::Clock => f.write_str("clock"),
            Self::Today => f.write_str("clock:date"),
            Self::Site(name) => write!(f, "site:{name}"),
            Self::RangeFrom => f.write_str("range:from"),
            Self::RangeTo => f.write_str("range:to"),
            Self::List(name) => write!(f, "list:{name}"),
            Self::Count(list) => write!(f, "count:{list}"),
            Self::Sum(list, pointer) => write!(f, "sum:{list}:{pointer}"),
            Self::Parts(place) => write!(f, "parts:{}:{}", place.document, place.pointer),
            Self::Done(call) => write!(f, "done:{call}"),
            Self::Elements(name) => write!(f, "elements:{name}"),
            Self::Option(name) => write!(f, "option:{name}"),
            Self::Here => f.write_str("here"),
            Self::Text(template) => write!(f, "text:{template}"),
            Self::Link(place) => write!(f, "link:{}:{}", place.document, place.pointer),
        }
    }
}

/// Nonempty JSON pointer (RFC 6901) without escapes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pointer(pub String);

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_well_formed = text.len() > 1
            && text.starts_with('/')
            && !text.contains("//")
            && !text.contains('~')
            && !text.ends_with('/')
            && !text.contains(char::is_whitespace);
        if is_well_formed {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not a JSON pointer like `/in_meeting/chat`"
            ))
        }
    }
}

/// Deserializes a [`Pointer`] into a `String`.
pub(super) fn pointer<'de, D: Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    Pointer::deserialize(reader).map(|pointer| pointer.0)
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Place {
    /// Parses `settings:/in_meeting/chat`, `given:id`, `list:users`, `clock` or `site:account_id`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pointer = |text: &str| Pointer::try_from(text.to_owned()).map(|pointer| pointer.0);
        let (kind, name) = match text.split_once(':') {
            None if text == "clock" => return Ok(Self::Clock),
            None if text == "here" => return Ok(Self::Here),
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() => (kind, name),
            _ => {
                return Err(format!(
                    "`{text}` is not a place like `settings:/in_meeting/chat`"
                ));
            }
        };
        Ok(match (kind, name) {
            ("given", name) => Self::Given(name.into()),
            ("site", ACCOUNT_ID) => Self::Site(ACCOUNT_ID.into()),
            ("clock", "date") => Self::Today,
            ("range", "from") => Self::RangeFrom,
            ("range", "to") => Self::RangeTo,
            ("list", name) => Self::List(name.into()),
            ("count", list) => Self::Count(list.into()),
            ("sum", rest) => match rest.split_once(':') {
                Some((list, at)) => Self::Sum(list.into(), pointer(at)?),
                None => return Err(format!("`{text}` is not a sum like `sum:users:/minutes`")),
            },
            ("parts" | "link", rest) => match (kind, Self::parse(rest)?) {
                ("parts", Self::Document(place)) => Self::Parts(place),
                (_, Self::Document(place)) => Self::Link(place),
                _ => return Err(format!("`{text}` is not a place like `{kind}:added:/ids`")),
            },
            ("done", call) => Self::Done(call.into()),
            ("elements", name) => Self::Elements(name.into()),
            ("option", name) => Self::Option(name.into()),
            ("text", text) => {
                let template = Template::parse(text)?;
                for (inner, _) in template.placeholders() {
                    Self::in_document(inner)?;
                }
                Self::Text(template)
            }
            ("query", name) => Self::Document(DocumentPlace {
                document: "query".into(),
                pointer: name.into(),
            }),
            (document, at) => Self::Document(DocumentPlace {
                document: document.into(),
                pointer: pointer(at)?,
            }),
        })
    }

    /// Parses the place of a document member.
    pub(super) fn in_document(text: &str) -> Result<DocumentPlace, String> {
        match Self::parse(text)? {
            Self::Document(place) => Ok(place),
            _ => Err(format!("`{text}` is not a place in a document")),
        }
    }
}
