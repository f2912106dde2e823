//! Definition of a setting: name, type, range, default and documentation, and its notation in the
//! file, in variables and in flags.

use std::{ops::Range, time::Duration};

use secrecy::SecretString;
use toml::de::DeValue;

use super::{
    BodyStyle, CallerIdentity, LogFormat, OnOutage, Side,
    origin::{Origin, Placed},
};

/// A section of the file.
pub(crate) struct Section {
    /// Name in the file; empty for the keys before the first section.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One setting.
pub(crate) struct Key {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Documentation: a sentence or two.
    pub(crate) doc: &'static str,
    /// Default in the notation of variables.
    pub(crate) default: Option<&'static str>,
    pub(crate) example: Option<&'static str>,
    /// Required, without a default.
    pub(crate) is_required: bool,
    pub(crate) listed_variable: Option<&'static str>,
    /// Flag with the name of its value.
    pub(crate) flag: Option<(&'static str, &'static str)>,
    /// Path prefix of alternatives: the file's are ignored if a variable sets this key.
    pub(crate) replaces: Option<&'static str>,
    /// True if SIGHUP reloads it.
    pub(crate) is_reloaded: bool,
}

/// The type of a value, with its range.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Switch,
    /// Minimum and maximum, and the unit.
    Number(u64, u64, &'static str),
    Text,
    Choice(&'static [&'static str]),
    /// A list; comma-separated in a variable.
    Texts,
    /// A file name.
    File,
    /// A text, or the name of its file if the key ends with `_file`.
    Secret,
    /// The digest of a secret, which is masked like a secret.
    Digest,
}

/// A value of the right type, in range.
pub(super) enum Value {
    Switch(bool),
    Number(u64),
    Text(String),
    Texts(Vec<Placed<String>>),
}

impl Key {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            section: "",
            name: "",
            kind,
            doc: "",
            default: None,
            example: None,
            is_required: false,
            listed_variable: None,
            flag: None,
            replaces: None,
            is_reloaded: false,
        }
    }

    /// A key with its section and name in the file, and its documentation.
    pub(super) const fn named(
        mut self,
        (section, name): (&'static str, &'static str),
        doc: &'static str,
    ) -> Self {
        (self.section, self.name, self.doc) = (section, name, doc.trim_ascii());
        self
    }

    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    pub(super) const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    pub(super) const fn required(mut self, example: &'static str) -> Self {
        self.is_required = true;
        self.example(example)
    }

    /// A variable that the help lists. Other keys have `SHIM_SECTION_KEY`.
    pub(super) const fn listed(mut self, variable: &'static str) -> Self {
        self.listed_variable = Some(variable);
        self
    }

    pub(super) const fn flag(mut self, flag: &'static str, value: &'static str) -> Self {
        self.flag = Some((flag, value));
        self
    }

    pub(super) const fn replaces(mut self, prefix: &'static str) -> Self {
        self.replaces = Some(prefix);
        self
    }

    pub(super) const fn reloaded(mut self) -> Self {
        self.is_reloaded = true;
        self
    }

    /// `limits.requests`
    pub(crate) fn path(&self) -> String {
        join(self.section, self.name)
    }

    /// Its default or an example as TOML, between two quotes.
    pub(crate) fn usual(&self, quote: &str) -> String {
        let toml = |text| format!("{quote}{}{quote}", self.kind.to_toml(text));
        match (self.default, self.example.map(toml)) {
            (Some(default), _) => toml(default),
            (None, Some(example)) if self.is_required => format!("required, as {example}"),
            (None, example) => format!("none; for example {}", example.unwrap_or_default()),
        }
    }

    /// The environment variable that sets it, or its file.
    pub(crate) fn variable(&self, suffix: &str) -> String {
        match self.listed_variable {
            Some(name) => format!("{name}{suffix}").to_uppercase(),
            None => self.derived_variable(suffix),
        }
    }

    /// The variable derived from its path, which works even if a shorter one is listed.
    pub(super) fn derived_variable(&self, suffix: &str) -> String {
        format!("SHIM_{}{suffix}", self.path().replace('.', "_")).to_uppercase()
    }

    /// All variables that set it.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        let suffixes = self.suffixes().iter();
        suffixes.flat_map(|suffix| {
            let (variable, derived) = (self.variable(suffix), self.derived_variable(suffix));
            let other = (derived != variable).then_some(derived);
            std::iter::once(variable).chain(other)
        })
    }

    /// Suffixes of its names: a secret has two.
    pub(super) fn suffixes(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Secret => &["", "_file"],
            _ => &[""],
        }
    }
}

/// A path in the file.
pub(super) fn join(section: &str, name: &str) -> String {
    match (section, name) {
        ("", name) => name.to_owned(),
        (section, "") => section.to_owned(),
        (section, name) => format!("{section}.{name}"),
    }
}

impl Kind {
    /// Description of a valid value.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Number(first, last, _) => format!("a whole number from {first} to {last}"),
            Self::Texts => "a list of texts in quotes".to_owned(),
            _ => "a text in quotes".to_owned(),
        }
    }

    /// Short description with the unit.
    pub(crate) fn range(self) -> String {
        match self {
            Self::Switch => self.expected(),
            Self::Number(first, last, "") => format!("{first} to {last}"),
            Self::Number(first, last, unit) => format!("{first} to {last} {unit}"),
            Self::Text => "text".to_owned(),
            Self::Choice(choices) => {
                let quoted: Vec<_> = choices.iter().map(|choice| format!("{choice:?}")).collect();
                quoted.join(" or ")
            }
            Self::Texts => "list of texts".to_owned(),
            Self::File => "file".to_owned(),
            Self::Secret => "secret".to_owned(),
            Self::Digest => "64 hexadecimal digits".to_owned(),
        }
    }

    /// Parses TOML. `origin` is the place of the items of a list.
    pub(super) fn read(
        self,
        value: &DeValue<'_>,
        origin: impl Fn(Range<usize>) -> Origin,
    ) -> Option<Value> {
        match self {
            Self::Switch => value.as_bool().map(Value::Switch),
            Self::Number(..) => {
                let integer = value.as_integer()?;
                self.number(u64::from_str_radix(integer.as_str(), integer.radix()).ok()?)
            }
            Self::Texts => {
                let items = value.as_array()?.iter().map(|item| {
                    let (value, origin) = (item.get_ref(), origin(item.span()));
                    let number = || value.as_integer().map(toml::de::DeInteger::as_str);
                    let value = value.as_str().or_else(number)?.to_owned();
                    Some(Placed { value, origin })
                });
                items.collect::<Option<_>>().map(Value::Texts)
            }
            _ => Some(Value::Text(value.as_str()?.to_owned())),
        }
    }

    fn number(self, number: u64) -> Option<Value> {
        let is_in_range =
            matches!(self, Self::Number(first, last, _) if (first..=last).contains(&number));
        is_in_range.then_some(Value::Number(number))
    }

    /// Parses the value of a variable, a flag or the table.
    pub(crate) fn to_toml(self, text: &str) -> String {
        match self {
            Self::Switch | Self::Number(..) => text.trim().to_owned(),
            Self::Texts => {
                toml::Value::Array(items(text).map(toml::Value::from).collect()).to_string()
            }
            _ => toml::Value::from(text).to_string(),
        }
    }
}

fn items(text: &str) -> impl Iterator<Item = String> {
    let items = text.split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned)
}

impl Value {
    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            _ => 0,
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            _ => String::new(),
        }
    }

    fn texts(self) -> Vec<Placed<String>> {
        match self {
            Self::Texts(texts) => texts,
            _ => Vec::new(),
        }
    }
}

/// Conversion of a value for the code. The default is only used after a mistake.
pub(super) trait FromValue: Default {
    fn from_value(value: Value) -> Self;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Self {
        Some(T::from_value(value))
    }
}

macro_rules! from_value {
    ($($type:ty: $value:ident => $made:expr;)+) => {
        $(impl FromValue for $type {
            fn from_value($value: Value) -> Self {
                $made
            }
        })+
    };
}

from_value! {
    bool: value => matches!(value, Value::Switch(true));
    u8: value => value.number().try_into().unwrap_or(Self::MAX);
    u16: value => value.number().try_into().unwrap_or(Self::MAX);
    u32: value => value.number().try_into().unwrap_or(Self::MAX);
    u64: value => value.number();
    usize: value => value.number().try_into().unwrap_or(Self::MAX);
    Duration: value => Self::from_secs(value.number());
    String: value => value.text();
    SecretString: value => value.text().into();
    Vec<Placed<String>>: value => value.texts();
    LogFormat: value => if value.text() == "json" { Self::Json } else { Self::Text };
    BodyStyle: value => if value.text() == "json" { Self::Json } else { Self::Form };
    CallerIdentity: value => if value.text() == "address" { Self::Address } else { Self::Key };
    OnOutage: value => if value.text() == "local" { Self::Local } else { Self::RefuseWrites };
    Side: value => if value.text() == "shadow" { Self::Shadow } else { Self::Shim };
}
