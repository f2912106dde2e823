//! Reads the settings of the table from file, environment and flags; later ones override earlier
//! ones.

use std::{cell::RefCell, collections::BTreeSet, ops::Range, path::Path};

use mappings::{Catalog, catalog::operation::OptionValue};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Sources,
    effective::{Effective, without_password},
    key::{FromValue, Key, Kind, Section, Value, join},
    origin::{Mistakes, Origin, Placed},
};

/// The catalog's option with a key outside of `[options]`.
pub(super) const LIST_DETAIL: &str = "list_detail";
/// The catalog's option that tenants may override.
pub(super) const PLAN_WRITES: &str = "plan_writes";

/// Sections with a reader of their own.
pub(super) const TENANT: &str = "tenant";
pub(super) const RECEIVER: &str = "receiver";
pub(super) const ROLLOUT: &str = "rollout";
pub(super) const BROWNOUT: &str = "brownout";
const OPTIONS: &str = "options";

/// Values of the catalog's options, by name.
pub(super) type Choices = Vec<(Placed<String>, toml::Value)>;

/// State shared by all sections.
pub(super) struct Reader<'a> {
    sources: &'a Sources<'a>,
    /// The text of the file.
    text: &'a str,
    mistakes: &'a Mistakes,
    pub(super) effective: RefCell<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources<'a>, mistakes: &'a Mistakes) -> Self {
        Self {
            sources,
            text: sources.file.map_or("", |(_, text)| text),
            mistakes,
            effective: RefCell::default(),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.sources.environment)(name).filter(|value| !value.is_empty())
    }

    /// The value as a table with its place. Reports a mistake if it is not a table.
    fn table<'t>(
        &self,
        name: &str,
        shown: &str,
        value: Option<&'t Spanned<DeValue<'t>>>,
    ) -> (Origin, Option<&'t DeTable<'t>>) {
        let origin = value.map(|value| line(self.text, value.span().start));
        let origin = origin.unwrap_or_default();
        let table = value.and_then(|value| value.get_ref().as_table());
        if value.is_some() && table.is_none() {
            let text = format!("`{name}` must be a section: {shown}");
            self.mistakes.add(origin.clone(), text);
        }
        (origin, table)
    }
}

pub(super) fn line(text: &str, at: usize) -> Origin {
    let before = text.get(..at).unwrap_or(text);
    Origin::Line(before.matches('\n').count() + 1)
}

/// The file, or one `[[tenant]]`. If it is missing, all its keys are.
pub(super) struct TableReader<'a> {
    reader: &'a Reader<'a>,
    /// Path prefix of its sections.
    root: &'static str,
    /// The same for messages.
    shown: String,
    origin: Origin,
    table: Option<&'a DeTable<'a>>,
    sections: &'static [Section],
    /// True if environment variables apply to it.
    has_variables: bool,
}

impl<'a> TableReader<'a> {
    pub(super) fn root(
        reader: &'a Reader<'a>,
        table: Option<&'a DeTable<'a>>,
        sections: &'static [Section],
    ) -> Self {
        Self {
            reader,
            root: "",
            shown: String::new(),
            origin: Origin::Default,
            table,
            sections,
            has_variables: true,
        }
    }

    /// Every `[[tenant]]`, `[[receiver]]` and so on. A single `[tenant]` counts as one. Environment
    /// variables apply to one of them.
    pub(super) fn several(&self, root: &'static str, sections: &'static [Section]) -> Vec<Self> {
        let reader = self.reader;
        let keys = sections.iter().flat_map(|section| section.keys);
        let mut variables = keys.flat_map(Key::variables);
        let variable = variables.find(|name| reader.variable(name).is_some());
        let written = match self.table.and_then(|table| table.get(root)) {
            None if variable.is_some() => vec![None],
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().map(Some).collect(),
                _ => vec![Some(value)],
            },
        };
        let count = written.len();
        if let Some(variable) = variable
            && count > 1
        {
            let text =
                format!("{variable} is for a single {root}, and the file has {count}; unset it");
            reader.mistakes.add(Origin::Default, text);
        }
        let several = written.into_iter().enumerate().map(|(at, value)| {
            let (origin, table) = reader.table(root, &format!("[[{root}]]"), value);
            Self {
                reader,
                root,
                shown: format!("{root}.{}", at + 1),
                origin,
                table,
                sections,
                has_variables: count == 1,
            }
        });
        several.collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = self.reader.variable(name);
        value.filter(|_| self.has_variables)
    }

    /// The section `[options]`, whose keys come from the catalog.
    pub(super) fn choices(&self, catalog: &Catalog) -> Choices {
        let reader = self.reader;
        let value = self.table.and_then(|table| table.get(OPTIONS));
        let (_, table) = reader.table(OPTIONS, "[options]", value);
        let mut choices = Choices::new();
        for (name, value) in table.into_iter().flatten() {
            let origin = line(reader.text, name.span().start);
            let chosen = match value.get_ref() {
                DeValue::Boolean(value) => toml::Value::Boolean(*value),
                DeValue::String(value) => toml::Value::String(value.to_string()),
                DeValue::Integer(value)
                    if let Ok(value) = i64::from_str_radix(value.as_str(), value.radix()) =>
                {
                    toml::Value::Integer(value)
                }
                _ => {
                    let text = format!(
                        "`{}` must be a switch, a whole number or a text",
                        name.get_ref()
                    );
                    reader.mistakes.add(origin, text);
                    continue;
                }
            };
            let value = name.get_ref().to_string();
            choices.push((Placed { value, origin }, chosen));
        }
        let rules = catalog.option_rules().iter();
        for (name, rule) in rules.filter(|(name, _)| *name != LIST_DETAIL) {
            let chosen = choices.iter().find(|(known, _)| known.value == *name);
            let (value, origin) = match chosen {
                Some((name, value)) => (value.to_string(), name.origin.clone()),
                None => (shown(&rule.default), Origin::Default),
            };
            let mut effective = reader.effective.borrow_mut();
            effective.add(&join(OPTIONS, name), &value, origin);
        }
        choices
    }
}

/// A value in one of the sources.
struct Found {
    suffix: &'static str,
    value: Value,
    /// As TOML.
    shown: String,
    origin: Origin,
}

/// Properties of a section as a whole.
pub(super) struct SectionState {
    /// Its start.
    pub(super) origin: Origin,
    /// True if a key has a mistake, so that missing keys are not reported as well.
    pub(super) is_broken: bool,
}

/// Reads one section of a table.
pub(super) struct SectionReader<'a> {
    parent: &'a TableReader<'a>,
    reader: &'a Reader<'a>,
    /// Its path below the parent; empty for the parent's own keys.
    name: &'static str,
    origin: Origin,
    table: Option<&'a DeTable<'a>>,
    is_broken: bool,
}

impl<'a> SectionReader<'a> {
    pub(super) fn new(parent: &'a TableReader<'a>, path: &'static str) -> Self {
        let reader = parent.reader;
        let name = relative(path, parent.root);
        let value = parent.table.and_then(|table| table.get(name));
        let (origin, table) = match name {
            "" => (parent.origin.clone(), parent.table),
            _ => reader.table(name, &format!("[{name}]"), value),
        };
        Self {
            parent,
            reader,
            name,
            is_broken: value.is_some() && table.is_none(),
            origin,
            table,
        }
    }

    /// The value from the last source that has one.
    pub(super) fn read<T: FromValue>(&mut self, key: &Key) -> Placed<T> {
        let default = key.default.map(|text| (text, Origin::Default));
        let flag = key.flag.and_then(|(flag, _)| {
            let text = self.reader.sources.flags.given.get(flag)?;
            Some((text.as_str(), Origin::Flag(flag)))
        });
        let found = [
            default.and_then(|(text, origin)| self.parsed(key, "", text, origin)),
            self.only(key, Self::in_file),
            self.only(key, Self::in_environment),
            flag.and_then(|(text, origin)| self.parsed(key, "", text, origin)),
        ];
        let found = found.into_iter().flatten().next_back();
        let origin = found.as_ref().map(|found| found.origin.clone());
        Placed {
            value: found
                .and_then(|found| self.value(key, found))
                .map_or_else(T::default, T::from_value),
            origin: origin.unwrap_or_default(),
        }
    }

    /// The effective value. It is recorded for `check-config`, and a secret is read from its file.
    fn value(&mut self, key: &Key, found: Found) -> Option<Value> {
        let (reader, origin) = (self.reader, found.origin);
        let name = format!("{}{}", key.name, found.suffix);
        let shown = match key.kind {
            Kind::Secret | Kind::Digest if found.suffix.is_empty() => "(hidden)".to_owned(),
            _ => without_password(&found.shown).into_owned(),
        };
        let path = join(&join(&self.parent.shown, self.name), &name);
        reader
            .effective
            .borrow_mut()
            .add(&path, &shown, origin.clone());
        match (key.kind, found.value) {
            (Kind::Choice(choices), Value::Text(text)) if !choices.contains(&text.as_str()) => {
                let wrong = match choices {
                    [one, other] => format!("is neither {one:?} nor {other:?}"),
                    _ => format!("is none of {}", choices.join(", ")),
                };
                let text = format!("{} = {text:?} {wrong}", key.path());
                self.mistake(origin, text);
                None
            }
            (_, Value::Text(file)) if !found.suffix.is_empty() => {
                let text = (reader.sources.read)(Path::new(&file));
                let text = text.map_err(|error| {
                    self.mistake(origin, format!("{name} = {file:?} cannot be read: {error}"));
                });
                text.ok().map(|text| Value::Text(text.trim().to_owned()))
            }
            (_, value) => Some(value),
        }
    }

    /// The value in one source. A secret may be given as itself or as a file, not both.
    fn only(
        &mut self,
        key: &Key,
        find: fn(&mut Self, &Key, &'static str) -> Option<Found>,
    ) -> Option<Found> {
        let mut all = Vec::new();
        for suffix in key.suffixes() {
            all.extend(find(self, key, suffix));
        }
        let last = all.pop()?;
        if !all.is_empty() {
            let name = key.name;
            let text = format!("`{name}` and `{name}_file` are both set; leave one");
            self.mistake(last.origin.clone(), text);
        }
        Some(last)
    }

    fn in_file(&mut self, key: &Key, suffix: &'static str) -> Option<Found> {
        let reader = self.reader;
        let value = self.table?.get(format!("{}{suffix}", key.name).as_str())?;
        let origin = |span: Range<usize>| line(reader.text, span.start);
        let shown = reader.text.get(value.span()).unwrap_or_default();
        let read = key.kind.read(value.get_ref(), origin);
        let found = self.found(key, suffix, read, shown.to_owned(), origin(value.span()));
        found.filter(|_| !self.is_replaced(key))
    }

    fn in_environment(&mut self, key: &Key, suffix: &'static str) -> Option<Found> {
        let names = [key.variable(suffix), key.derived_variable(suffix)];
        let set = names
            .into_iter()
            .find_map(|name| Some((self.parent.variable(&name)?, name)));
        let (text, variable) = set?;
        self.parsed(key, suffix, &text, Origin::Variable(variable))
    }

    fn parsed(
        &mut self,
        key: &Key,
        suffix: &'static str,
        text: &str,
        origin: Origin,
    ) -> Option<Found> {
        let shown = key.kind.to_toml(text);
        let value = DeValue::parse(&shown).ok();
        let read = value.and_then(|value| key.kind.read(value.get_ref(), |_| origin.clone()));
        self.found(key, suffix, read, shown, origin)
    }

    fn found(
        &mut self,
        key: &Key,
        suffix: &'static str,
        read: Option<Value>,
        shown: String,
        origin: Origin,
    ) -> Option<Found> {
        let Some(value) = read else {
            let text = format!("`{}{suffix}` must be {}", key.name, key.kind.expected());
            self.mistake(origin, text);
            return None;
        };
        Some(Found {
            suffix,
            value,
            shown,
            origin,
        })
    }

    /// True if the environment sets an alternative to the file's keys.
    fn is_replaced(&self, key: &Key) -> bool {
        let path = key.path();
        let mut keys = self.parent.sections.iter().flat_map(|section| section.keys);
        keys.any(|other| {
            let is_alternative = other
                .replaces
                .is_some_and(|prefix| path.starts_with(prefix));
            is_alternative
                && other
                    .variables()
                    .any(|name| self.parent.variable(&name).is_some())
        })
    }

    /// Reports unknown keys.
    pub(super) fn finish(mut self) -> SectionState {
        let (reader, root) = (self.reader, self.parent.root);
        let mut known = BTreeSet::new();
        for section in self.parent.sections {
            let name = relative(section.name, root);
            if name == self.name {
                for key in section.keys {
                    known.extend(
                        key.suffixes()
                            .iter()
                            .map(|suffix| format!("{}{suffix}", key.name)),
                    );
                }
            } else if self.name.is_empty() {
                known.insert(name.to_owned());
            }
        }
        let place = match (self.name, root) {
            ("", "") => {
                known.extend([TENANT, RECEIVER, ROLLOUT, BROWNOUT, OPTIONS].map(str::to_owned));
                String::new()
            }
            ("", root) => format!(" in [[{root}]]"),
            (name, _) => format!(" in [{name}]"),
        };
        for written in self.table.into_iter().flat_map(|table| table.keys()) {
            let name: &str = written.get_ref();
            if known.contains(name) {
                continue;
            }
            let hint = match nearest(name, known.iter().map(String::as_str)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known are {}", Vec::from_iter(known.clone()).join(", ")),
            };
            let text = format!("unknown key `{name}`{place}; {hint}");
            self.mistake(line(reader.text, written.span().start), text);
        }
        SectionState {
            origin: self.origin,
            is_broken: self.is_broken,
        }
    }

    fn mistake(&mut self, origin: Origin, text: String) {
        self.is_broken = true;
        self.reader.mistakes.add(origin, text);
    }
}

/// A default of the catalog, as TOML.
fn shown(option: &OptionValue) -> String {
    match option {
        OptionValue::Switch(switch) => switch.to_string(),
        OptionValue::Number(number) => number.to_string(),
        OptionValue::Choice(choice) => toml::Value::from(choice.as_str()).to_string(),
    }
}

/// Joins two paths.
fn relative(path: &'static str, root: &str) -> &'static str {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.trim_start_matches('.')
}

/// The known name most similar to a mistyped one.
pub(super) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    // Above 0.8, whole words are similar. Below, a suggestion would be a guess.
    const ALIKE: f64 = 0.8;
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(written, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}
