//! Field mappings: one v1 field (or a pair) and its place in v2.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::place::{DocumentPlace, Place};
use super::{Location, option::OptionValue, protocol::Subject, wanted::Wanted};
use crate::{conversion::Conversion, fidelity::Fidelity};

/// One field mapping, read in both directions.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties")]
pub struct Field {
    /// The v1 fields: one, or two that share one place in v2.
    pub parts: Vec<Part>,
    /// Where the value lives, in order of preference.
    pub places: Vec<Place>,
    /// How the value changes on the way.
    pub conversion: Conversion,
    /// The only document whose values change so in answers; any if there is none.
    pub converts: Option<String>,
    /// v1 values that v2 cannot say and that are therefore not sent.
    pub omit: Vec<Value>,
    /// A value that v2 has stored already is not sent: v2 may refuse to take it.
    pub unless_stored: bool,
    /// What v1 shows, whatever v2 says.
    pub always: Option<Value>,
    /// The empty value is shown also when the document was not read at all.
    pub empty_unread: bool,
    /// What is shown instead if another member is so; the first that fits counts.
    pub overrides: Vec<Override>,
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
#[derive(Clone, Debug)]
pub struct Part {
    /// What the catalog names it by: unique in its resource.
    pub key: String,
    /// The v1 name.
    pub name: String,
    /// Its type in v1.
    pub kind: Kind,
    /// Smallest and largest number.
    pub range: Option<(i64, i64)>,
    /// Numbers above the range become its largest, numbers below it count as absent; else both are
    /// refused.
    pub clamp: bool,
    /// Larger numbers, defaults included, count as the site's choice for this option.
    pub at_most: Option<String>,
    /// The only numbers that v1 knew; any if empty.
    pub values: Vec<i64>,
    /// The only texts that v1 knew, in any case; any if empty.
    pub one_of: Vec<String>,
    /// Any other value, or one that cannot be read, counts as absent, with a warning.
    pub drops_unknown: bool,
    /// Other names of the parameter.
    pub aliases: Vec<String>,
    /// Longer texts are cut to this many characters, with a warning.
    pub cut: Option<usize>,
    /// How many digits an id of digits has.
    pub digits: Option<(usize, usize)>,
    /// What a JSON text is to be.
    pub shape: Option<Shape>,
    /// The fields that the members of a JSON object, or of the objects of an array, are: the index
    /// of each in the catalog and of its part. Any member if empty.
    pub members: Vec<(usize, usize)>,
    /// The member of an object that a text is which is not JSON.
    pub bare: Option<String>,
    /// The most elements of a list of ids.
    pub max_elements: Option<usize>,
    /// The subject whose ids the elements are.
    pub ids_of: Option<Subject>,
    /// A parameter that is there but empty is refused instead of counting as absent.
    pub refuses_empty: bool,
    /// The shortest text, in characters.
    pub min: Option<usize>,
    /// The longest text, in characters.
    pub max: Option<usize>,
    /// What v1 took when the parameter was absent, where that matters to v2.
    pub default: Option<Value>,
    /// v1's documented value for "nothing there".
    pub empty: Option<Value>,
}

/// What is shown instead if another member is so.
#[derive(Debug)]
pub struct Override {
    /// The other member, and what it is.
    pub at: Option<(DocumentPlace, Wanted)>,
    /// Only if the site chose so.
    pub options: Vec<(String, OptionValue)>,
    /// What is shown then; the member is left out if there is nothing.
    pub show: Option<Value>,
    /// The place of what is shown then, if it has a value.
    pub from: Option<Place>,
}

/// What a JSON text is to be.
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
    /// A day: `2015-01-19`, of any spelling of a day or a moment.
    Date,
    /// An id of digits: a JSON number in answers; blanks and hyphens between the digits in requests.
    Digits,
    /// An uploaded file.
    File,
    /// Ids in one text, with commas or semicolons between, or in several parameters.
    Ids,
    /// A whole number.
    Int,
    /// An object or array: unchanged in answers; a JSON text, or `name[member]=`, in requests.
    Json,
    /// A list of objects.
    List,
    /// A day or a moment of a request; without an offset, in the time zone of the operation's range.
    LocalTime,
    /// A number that may have decimals.
    Number,
    /// An object with a view of its own.
    Object,
    /// A password or the like: never shown anywhere.
    Secret,
    /// Text that an empty parameter does not change.
    String,
    /// Text that an empty parameter may clear.
    Text,
    /// A moment: UTC, whole seconds, `2015-01-19T14:47:22Z`; several spellings in requests.
    Time,
    /// The id of an occurrence of a meeting, also percent-encoded.
    Uuid,
}

impl Kind {
    /// All of them, by the name that the catalog has for each.
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

    /// The name that the catalog has for it.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// True if its values are objects or arrays of them that a view shows.
    pub fn has_view(self) -> bool {
        matches!(self, Self::List | Self::Object)
    }
}

impl Field {
    /// The v1 names, joined for people: `enable_auto_recording, enable_cloud_auto_recording`.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.name.as_str()).collect();
        names.join(", ")
    }

    /// True if what v2 has stored decides whether the value is sent: see [`Field::keeps`].
    pub(crate) fn is_ambiguous(&self, v1: &Value) -> bool {
        self.unless_stored || self.conversion.is_ambiguous(v1)
    }

    /// True if the value is not sent over a stored one that v1 shows so: what was read is written
    /// back, and changes nothing.
    pub(crate) fn keeps(&self, v1: &Value, stored: &Value) -> bool {
        (self.unless_stored && v1 == stored) || self.conversion.keeps(v1, stored)
    }

    /// The pointer in a document, if the field has a place there.
    pub fn pointer_in(&self, document: &str) -> Option<&str> {
        self.places.iter().find_map(|place| match place {
            Place::Document(place) if place.document == document => Some(place.pointer.as_str()),
            _ => None,
        })
    }
}
