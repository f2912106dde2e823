//! Where a value lives: places in v2's documents, and elsewhere.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::template::Template;

/// The document that the core makes up of a page of a list.
pub const PAGE: &str = "page";

/// The members of [`PAGE`] for a whole list.
pub fn whole_list(records: usize) -> Value {
    json!({ "total_records": records })
}

/// The members of [`PAGE`].
pub(crate) fn page(number: i64, size: i64, pages: i64, records: i64) -> Value {
    json!({
        "page_count": pages, "page_number": number, "page_size": size, "total_records": records,
    })
}

/// The document that an object or an element of an array in another document is for its own view.
pub const ITEM: &str = "item";

/// What a site's configuration can fill in an answer.
const ACCOUNT_ID: &str = "account_id";

/// Where a value lives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Place {
    /// In a v2 document.
    Document(DocumentPlace),
    /// The parameter of this name, as the client sent it.
    Given(String),
    /// The time of the answer.
    Clock,
    /// The day of the answer, in UTC.
    Today,
    /// The configuration of the site.
    Site(String),
    /// The first day of the operation's range.
    RangeFrom,
    /// The last day of the operation's range.
    RangeTo,
    /// The entries of a list.
    List(String),
    /// The number of entries of a list.
    Count(String),
    /// The sum of a member of the entries of a list.
    Sum(String, String),
    /// The number of parts of a text in all documents of a name, as of each batch of a call.
    Parts(DocumentPlace),
    /// The number of successful requests of a call.
    Done(String),
    /// The number of elements of a parameter.
    Elements(String),
    /// The site's choice for an option.
    Option(String),
    /// Of an object: the same documents, whose members its view names.
    Here,
    /// A text with places of documents in it: `text:{file:/url}?token={recording:/token}`.
    Text(Template),
    /// A link of the site's own to the file whose URL is in a document.
    Link(DocumentPlace),
}

/// A place in a v2 document: `settings:/in_meeting/chat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    /// The document.
    pub document: String,
    /// The JSON pointer (RFC 6901) in it.
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

/// A JSON pointer (RFC 6901) that does not point at the whole document.
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

/// Reads a member that is a [`Pointer`].
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
    /// Reads `settings:/in_meeting/chat`, `given:id`, `list:users`, `clock` or `site:account_id`.
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

    /// Reads a place in a document.
    pub(super) fn in_document(text: &str) -> Result<DocumentPlace, String> {
        match Self::parse(text)? {
            Self::Document(place) => Ok(place),
            _ => Err(format!("`{text}` is no place in a document")),
        }
    }
}
