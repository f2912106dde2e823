//! What a setting is: its name, type, range, default and documentation; and how its value is
//! written in the file, a variable or a flag.

use std::time::Duration;

use secrecy::SecretString;
use toml::de::DeValue;

use super::{LogFormat, Side, origin::Placed};

/// A section of the file.
pub(crate) struct Section {
    /// As in the file, empty for the keys before the first section.
    pub(crate) name: &'static str,
    about: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One setting.
pub(crate) struct Key {
    pub(crate) section: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    doc: &'static str,
    /// As a variable holds it, like every value that stands here.
    pub(crate) default: Option<&'static str>,
    pub(crate) example: Option<&'static str>,
    /// Without a default, and nothing works until a site sets it.
    pub(crate) is_required: bool,
    pub(crate) variable: Option<&'static str>,
    /// With the name of its value.
    pub(crate) flag: Option<(&'static str, &'static str)>,
    /// Keys whose path begins so are alternatives: the file's are ignored if a variable sets this.
    pub(crate) replaces: Option<&'static str>,
    /// SIGHUP reads it again.
    pub(crate) is_reloaded: bool,
    pub(crate) is_hidden: bool,
}

/// The type of a value, with its range.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Switch,
    /// The first and the last number, and the unit.
    Number(u64, u64, &'static str),
    Text,
    Choice([&'static str; 2]),
    /// In a variable with commas between them.
    Texts,
    /// The name of a file.
    File,
    /// A text; or, under the name with `_file`, the name of the file that holds it.
    Secret,
}

/// A value of the right type and in range.
pub(super) enum Value {
    Switch(bool),
    Number(u64),
    Text(String),
    Texts(Vec<Placed<String>>),
}

impl Section {
    pub(super) const fn new(name: &'static str, about: &'static str, keys: &'static [Key]) -> Self {
        let about = about.trim_ascii();
        Self { name, about, keys }
    }

    /// What it is for.
    pub(crate) fn about(&self) -> &'static str {
        self.about
    }
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
            variable: None,
            flag: None,
            replaces: None,
            is_reloaded: false,
            is_hidden: matches!(kind, Kind::Secret),
        }
    }

    pub(super) const fn named(
        self,
        section: &'static str,
        name: &'static str,
        doc: &'static str,
    ) -> Self {
        Self {
            section,
            name,
            doc: doc.trim_ascii(),
            ..self
        }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    pub(super) const fn example(self, example: &'static str) -> Self {
        Self {
            example: Some(example),
            ..self
        }
    }

    pub(super) const fn required(self, example: &'static str) -> Self {
        Self {
            is_required: true,
            ..self.example(example)
        }
    }

    /// A variable that the help lists; keys without one have `SHIM_SECTION_KEY`.
    pub(super) const fn variable(self, variable: &'static str) -> Self {
        Self {
            variable: Some(variable),
            ..self
        }
    }

    pub(super) const fn flag(self, flag: &'static str, value: &'static str) -> Self {
        Self {
            flag: Some((flag, value)),
            ..self
        }
    }

    pub(super) const fn replaces(self, prefix: &'static str) -> Self {
        Self {
            replaces: Some(prefix),
            ..self
        }
    }

    pub(super) const fn reloaded(self) -> Self {
        Self {
            is_reloaded: true,
            ..self
        }
    }

    pub(super) const fn hidden(self) -> Self {
        Self {
            is_hidden: true,
            ..self
        }
    }

    /// `limits.requests`
    pub(crate) fn path(&self) -> String {
        join(self.section, self.name)
    }

    /// What it is for: a sentence or two.
    pub(crate) fn doc(&self) -> &'static str {
        self.doc
    }

    /// The variable of the environment that sets it.
    pub(crate) fn variable_name(&self) -> String {
        self.variable.map_or_else(
            || format!("SHIM_{}", self.path().to_uppercase().replace('.', "_")),
            str::to_owned,
        )
    }

    /// The variables that may set it, each after the ending of the key's name that it stands for.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let name = self.variable_name();
        let suffixes = self.suffixes().iter();
        suffixes.map(move |suffix| (*suffix, format!("{name}{}", suffix.to_uppercase())))
    }

    /// The endings of its names: a secret has two.
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
    /// What a value must be.
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Number(first, last, _) => format!("a whole number from {first} to {last}"),
            Self::Text | Self::Choice(_) | Self::File | Self::Secret => {
                "a text in quotes".to_owned()
            }
            Self::Texts => "a list of texts in quotes".to_owned(),
        }
    }

    /// The same in a word or two, with the unit.
    pub(crate) fn range(self) -> String {
        match self {
            Self::Switch => self.expected(),
            Self::Number(first, last, unit) => {
                format!("{first} to {last} {unit}").trim_end().to_owned()
            }
            Self::Text => "text".to_owned(),
            Self::Choice([one, other]) => format!("\"{one}\" or \"{other}\""),
            Self::Texts => "list of texts".to_owned(),
            Self::File => "file".to_owned(),
            Self::Secret => "secret".to_owned(),
        }
    }

    /// A value of the file. `place` gives the items of a list their place.
    pub(super) fn read<'v>(
        self,
        value: &DeValue<'v>,
        place: impl Fn(&toml::Spanned<DeValue<'v>>, String) -> Placed<String>,
    ) -> Option<Value> {
        match self {
            Self::Switch => value.as_bool().map(Value::Switch),
            Self::Number(first, last, _) => {
                let integer = value.as_integer()?;
                let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok()?;
                (first..=last)
                    .contains(&number)
                    .then_some(Value::Number(number))
            }
            Self::Text | Self::Choice(_) | Self::File | Self::Secret => {
                value.as_str().map(|text| Value::Text(text.to_owned()))
            }
            Self::Texts => {
                let items = value.as_array()?.iter();
                let items =
                    items.map(|item| Some(place(item, item.get_ref().as_str()?.to_owned())));
                items.collect::<Option<_>>().map(Value::Texts)
            }
        }
    }

    /// A value of a variable, a flag or the table.
    pub(super) fn parse(
        self,
        text: &str,
        place: impl Fn(String) -> Placed<String>,
    ) -> Option<Value> {
        match self {
            Self::Switch => text.trim().parse().ok().map(Value::Switch),
            Self::Number(first, last, _) => {
                let number = text.trim().parse().ok()?;
                (first..=last)
                    .contains(&number)
                    .then_some(Value::Number(number))
            }
            Self::Text | Self::Choice(_) | Self::File | Self::Secret => {
                Some(Value::Text(text.to_owned()))
            }
            Self::Texts => Some(Value::Texts(items(text).map(place).collect())),
        }
    }

    /// The same value as TOML.
    pub(crate) fn to_toml(self, text: &str) -> String {
        match self {
            Self::Switch | Self::Number(..) => text.trim().to_owned(),
            Self::Texts => {
                let items = items(text).map(toml::Value::from);
                toml::Value::Array(items.collect()).to_string()
            }
            _ => toml::Value::from(text).to_string(),
        }
    }
}

fn items(text: &str) -> impl Iterator<Item = String> {
    let items = text.split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned)
}

/// What the code makes of a value.
pub(super) trait FromValue: Sized {
    /// Without a value, which only happens where there is no default or after a mistake, anything.
    fn from_value(value: Option<Value>) -> Self;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Option<Value>) -> Self {
        value.map(|value| T::from_value(Some(value)))
    }
}

impl FromValue for bool {
    fn from_value(value: Option<Value>) -> Self {
        matches!(value, Some(Value::Switch(true)))
    }
}

impl FromValue for u64 {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Number(number)) => number,
            _ => 0,
        }
    }
}

macro_rules! smaller_number {
    ($($number:ty),+) => {
        $(impl FromValue for $number {
            fn from_value(value: Option<Value>) -> Self {
                u64::from_value(value).try_into().unwrap_or(Self::MAX)
            }
        })+
    };
}
smaller_number!(u8, u16, u32, usize);

impl FromValue for Duration {
    fn from_value(value: Option<Value>) -> Self {
        Self::from_secs(u64::from_value(value))
    }
}

impl FromValue for String {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Text(text)) => text,
            _ => Self::new(),
        }
    }
}

impl FromValue for SecretString {
    fn from_value(value: Option<Value>) -> Self {
        String::from_value(value).into()
    }
}

impl FromValue for Vec<Placed<String>> {
    fn from_value(value: Option<Value>) -> Self {
        match value {
            Some(Value::Texts(texts)) => texts,
            _ => Self::new(),
        }
    }
}

impl FromValue for LogFormat {
    fn from_value(value: Option<Value>) -> Self {
        match String::from_value(value).as_str() {
            "json" => Self::Json,
            _ => Self::Text,
        }
    }
}

impl FromValue for Side {
    fn from_value(value: Option<Value>) -> Self {
        match String::from_value(value).as_str() {
            "shadow" => Self::Shadow,
            _ => Self::Shim,
        }
    }
}
