//! Field mappings: one v1 field (or a pair) and its place in v2.

use serde_json::Value;

use super::Location;
use crate::{conversion::Conversion, fidelity::Fidelity};

/// One field mapping, read in both directions.
#[derive(Debug)]
pub struct Field {
    /// The v1 fields: one, or two that share one place in v2.
    pub parts: Vec<Part>,
    /// Where the value lives, in order of preference.
    pub places: Vec<Place>,
    /// How the value changes on the way.
    pub conversion: Conversion,
    /// v1 values that v2 cannot say and that are therefore not sent.
    pub omit: Vec<Value>,
    /// What v1 shows, whatever v2 says.
    pub always: Option<Value>,
    /// The empty value is shown also when the document was not read at all.
    pub empty_unread: bool,
    /// How faithful the mapping is.
    pub fidelity: Fidelity,
    /// Why it is not exact.
    pub reason: Option<String>,
    /// True if every use in a request is a loss, false if only changed values are.
    pub every_use_is_lossy: bool,
    /// Honoured without being sent.
    pub implied: bool,
    /// Where the mapping is written.
    pub location: Location,
}

/// One v1 field of a mapping.
#[derive(Debug)]
pub struct Part {
    /// What the catalog names it by: unique in its resource.
    pub key: String,
    /// The v1 name.
    pub name: String,
    /// Its type in v1.
    pub kind: Kind,
    /// Smallest and largest number.
    pub range: Option<(i64, i64)>,
    /// Numbers outside the range are moved to its nearer end instead of refused.
    pub clamp: bool,
    /// The only numbers that v1 knew; any if empty.
    pub values: Vec<i64>,
    /// The shortest text, in characters.
    pub min: Option<usize>,
    /// The longest text, in characters.
    pub max: Option<usize>,
    /// What v1 took when the parameter was absent, where that matters to v2.
    pub default: Option<i64>,
    /// v1's documented value for "nothing there".
    pub empty: Option<Value>,
}

/// The type of a v1 field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `true` or `false` in answers; several spellings in requests.
    Bool,
    /// An uploaded file.
    File,
    /// A whole number.
    Int,
    /// A list of objects.
    List,
    /// A password or the like: never shown anywhere.
    Secret,
    /// Text that an empty parameter does not change.
    String,
    /// Text that an empty parameter may clear.
    Text,
    /// A moment: UTC, whole seconds, `2015-01-19T14:47:22Z`.
    Time,
}

/// Where a value lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a v2 document.
    Document(DocumentPlace),
    /// The parameter of this name, as the client sent it.
    Given(String),
    /// The time of the answer.
    Clock,
    /// The configuration of the site.
    Site(String),
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
            Self::Site(name) => write!(f, "site:{name}"),
        }
    }
}

impl Field {
    /// The v1 names, joined for people: `enable_auto_recording, enable_cloud_auto_recording`.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.name.as_str()).collect();
        names.join(", ")
    }

    /// The pointer in a document, if the field has a place there.
    pub fn pointer_in(&self, document: &str) -> Option<&str> {
        self.places.iter().find_map(|place| match place {
            Place::Document(place) if place.document == document => Some(place.pointer.as_str()),
            _ => None,
        })
    }
}
