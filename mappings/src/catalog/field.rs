//! Field mappings: one v1 field (or a pair) and its place in v2.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::place::{DocumentPlace, Place};
use super::{Location, option::OptionValue, predicate::Predicate, protocol::Subject};
use crate::{conversion::Conversion, fidelity::Fidelity};

/// One field mapping, read in both directions.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
pub struct Field {
    /// The v1 fields: one, or two that share one place in v2.
    pub parts: Vec<Part>,
    /// Places of the value in v2, in order of preference.
    pub places: Vec<Place>,
    /// Conversion of the value between v1 and v2.
    pub conversion: Conversion,
    /// Restricts the conversion of response values to this document; all documents if `None`.
    pub converts: Option<String>,
    /// v1 values that v2 cannot represent; they are not sent.
    pub omit: Vec<Value>,
    /// A value equal to the stored one is not sent, because v2 may reject it.
    pub unless_stored: bool,
    /// Fixed value in v1 responses, regardless of v2.
    pub always: Option<Value>,
    /// Show the empty value even if the document was not read.
    pub empty_unread: bool,
    /// Conditional replacements of the shown value; the first match wins.
    pub overrides: Vec<Override>,
    /// Fidelity of the mapping.
    pub fidelity: Fidelity,
    /// Reason if the mapping is not exact.
    pub reason: Option<String>,
    /// True if every use in a request is a loss; false if only changed values are.
    pub every_use_is_lossy: bool,
    /// Accepted without being sent: v2 behaves this way anyway.
    pub implied: bool,
    /// Location in the catalog files.
    pub location: Location,
}

/// One v1 field of a mapping.
#[derive(Clone, Debug)]
pub struct Part {
    /// Catalog key, unique in its resource.
    pub key: String,
    /// v1 name.
    pub name: String,
    /// v1 type.
    pub kind: Kind,
    /// Minimum and maximum of a number.
    pub range: Option<(i64, i64)>,
    /// Clamp numbers above the range and ignore those below it, instead of rejecting both.
    pub clamp: bool,
    /// Numeric option that caps the number, including the default.
    pub at_most: Option<String>,
    /// Allowed numbers; any if empty.
    pub values: Vec<i64>,
    /// Allowed texts, ignoring case; any if empty.
    pub one_of: Vec<String>,
    /// Ignore unknown or unreadable values with a warning.
    pub drops_unknown: bool,
    /// Other accepted names of the parameter.
    pub aliases: Vec<String>,
    /// Truncate longer texts to this many characters, with a warning.
    pub cut: Option<usize>,
    /// Minimum and maximum number of digits of an id.
    pub digits: Option<(usize, usize)>,
    /// Expected shape of a JSON text.
    pub shape: Option<Shape>,
    /// Fields of the JSON object's members, or of the members of each object in the array: index of
    /// the field and its part. Any member is accepted if empty.
    pub members: Vec<(usize, usize)>,
    /// Wrap a text that is not JSON into an object with this member.
    pub bare: Option<String>,
    /// Maximum number of elements of an id list.
    pub max_elements: Option<usize>,
    /// Subject that the ids in the list refer to.
    pub ids_of: Option<Subject>,
    /// Reject an empty parameter instead of treating it as absent.
    pub refuses_empty: bool,
    /// Minimum length in characters.
    pub min: Option<usize>,
    /// Maximum length in characters.
    pub max: Option<usize>,
    /// v1's default for an absent parameter, where it matters to v2.
    pub default: Option<Value>,
    /// v1's documented empty value.
    pub empty: Option<Value>,
}

/// Conditional replacement of a shown value.
#[derive(Debug)]
pub struct Override {
    /// Condition on another member; always true if `None`.
    pub at: Option<(DocumentPlace, Predicate)>,
    /// Option values under which the override applies.
    pub options: Vec<(String, OptionValue)>,
    /// Replacement value; the member is omitted if `None`.
    pub show: Option<Value>,
    /// Place of the replacement value; takes precedence over `show` if it has a value.
    pub from: Option<Place>,
}

/// Expected shape of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// An object.
    Object,
    /// An array.
    Array,
}

/// The type of a v1 field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(serialize = "lowercase", deserialize = "snake_case"))]
pub enum Kind {
    /// `true` or `false` in answers; several spellings in requests.
    Bool,
    /// Date such as `2015-01-19`; requests may use any spelling of a date or timestamp.
    Date,
    /// Numeric id: a JSON number in responses; requests may contain blanks and hyphens.
    Digits,
    /// An uploaded file.
    File,
    /// List of ids, separated by commas or semicolons or in repeated parameters.
    Ids,
    /// Integer.
    Int,
    /// Object or array: unchanged in responses; JSON text or `name[member]=` in requests.
    Json,
    /// List of objects.
    List,
    /// Date or timestamp of a request; without an offset, in the time zone of the operation's
    /// range.
    LocalTime,
    /// Number that may have decimals.
    Number,
    /// Object with a view of its own.
    Object,
    /// Password or other secret; never logged or shown.
    Secret,
    /// Text; an empty parameter leaves the stored text unchanged.
    String,
    /// Text; an empty parameter may clear the stored text.
    Text,
    /// Timestamp in UTC with whole seconds, `2015-01-19T14:47:22Z`; requests may use several
    /// spellings.
    Time,
    /// Id of a meeting occurrence; requests may percent-encode it.
    Uuid,
}

impl Kind {
    /// All kinds with their catalog names.
    pub const ALL: [(&'static str, Self); 16] = [
        ("bool", Self::Bool),
        ("date", Self::Date),
        ("digits", Self::Digits),
        ("file", Self::File),
        ("ids", Self::Ids),
        ("int", Self::Int),
        ("json", Self::Json),
        ("list", Self::List),
        ("local_time", Self::LocalTime),
        ("number", Self::Number),
        ("object", Self::Object),
        ("secret", Self::Secret),
        ("string", Self::String),
        ("text", Self::Text),
        ("time", Self::Time),
        ("uuid", Self::Uuid),
    ];

    /// Catalog name.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// True if values are shown by a nested view.
    pub fn has_view(self) -> bool {
        matches!(self, Self::List | Self::Object)
    }
}

impl Field {
    /// v1 names, separated by commas: `enable_auto_recording, enable_cloud_auto_recording`.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.name.as_str()).collect();
        names.join(", ")
    }

    /// True if the stored v2 value decides whether the value is sent: see [`Field::keeps`].
    pub(crate) fn is_ambiguous(&self, v1: &Value) -> bool {
        self.unless_stored || self.conversion.is_ambiguous(v1)
    }

    /// True if writing `v1` over `stored` would change nothing that v1 shows, so that it is not
    /// sent. Values that a client read and writes back thus never change the stored value.
    pub(crate) fn keeps(&self, v1: &Value, stored: &Value) -> bool {
        (self.unless_stored && v1 == stored) || self.conversion.keeps(v1, stored)
    }

    /// JSON pointer of the field in a document, if it has a place there.
    pub fn pointer_in(&self, document: &str) -> Option<&str> {
        self.places.iter().find_map(|place| match place {
            Place::Document(place) if place.document == document => Some(place.pointer.as_str()),
            _ => None,
        })
    }
}
