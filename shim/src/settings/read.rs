//! Reads the settings of the table from the file, the environment and the flags; later ones win.

use std::{cell::RefCell, path::Path};

use mappings::{Catalog, catalog::operation::OptionValue};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Sources,
    effective::Effective,
    key::{FromValue, Key, Kind, Section, Value, join},
    origin::{Mistakes, Origin, Placed},
};

/// The option of the catalog that has a key outside of `[options]`.
pub(super) const LIST_DETAIL: &str = "list_detail";

/// The sections that are read for themselves.
const TENANT: &str = "tenant";
const OPTIONS: &str = "options";

/// Choices for the catalog's options: names, and what was written.
pub(super) type Choices = Vec<(Placed<String>, toml::Value)>;

/// What all sections share.
pub(super) struct Reader<'a> {
    sources: &'a Sources<'a>,
    mistakes: &'a Mistakes,
    pub(super) effective: RefCell<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sources: &'a Sources<'a>, mistakes: &'a Mistakes) -> Self {
        let file = sources.file.map(|(name, _)| name.to_owned());
        Self {
            sources,
            mistakes,
            effective: Effective::new(file).into(),
        }
    }

    fn origin<T>(&self, at: &Spanned<T>) -> Origin {
        let text = self.sources.file.map_or("", |(_, text)| text);
        line(text, at.span().start)
    }

    fn written<T>(&self, at: &Spanned<T>) -> String {
        let text = self.sources.file.map_or("", |(_, text)| text);
        text.get(at.span()).unwrap_or_default().to_owned()
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.sources.environment)(name).filter(|value| !value.is_empty())
    }

    /// The value as a table, with its place; nothing and a mistake if it is something else.
    fn table<'t>(
        &self,
        name: &str,
        shown: &str,
        value: Option<&'t Spanned<DeValue<'t>>>,
    ) -> (Origin, Option<&'t DeTable<'t>>) {
        let origin = value.map_or(Origin::Default, |value| self.origin(value));
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

/// The file itself, or one `[[tenant]]`; all its keys are absent if it is.
pub(super) struct TableReader<'a> {
    reader: &'a Reader<'a>,
    /// What the paths of its sections begin with.
    root: &'static str,
    /// In place of that, for people.
    shown: String,
    origin: Origin,
    table: Option<&'a DeTable<'a>>,
    sections: &'static [Section],
    /// The environment is about it.
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

    /// Every `[[tenant]]`; a single `[tenant]` counts as one. The environment is for one tenant.
    pub(super) fn tenants(&self, sections: &'static [Section]) -> Vec<Self> {
        let reader = self.reader;
        let keys = sections.iter().flat_map(|section| section.keys);
        let mut variables = keys.flat_map(Key::variables);
        let variable = variables.find(|(_, name)| reader.variable(name).is_some());
        let written = match self.table.and_then(|table| table.get(TENANT)) {
            None if variable.is_some() => vec![None],
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().map(Some).collect(),
                _ => vec![Some(value)],
            },
        };
        let count = written.len();
        if let Some((_, variable)) = variable
            && count > 1
        {
            let text =
                format!("{variable} is for a single tenant, and the file has {count}; unset it");
            reader.mistakes.add(Origin::Default, text);
        }
        let tenants = written.into_iter().enumerate().map(|(at, value)| {
            let (origin, table) = reader.table(TENANT, "[[tenant]]", value);
            Self {
                reader,
                root: TENANT,
                shown: format!("{TENANT}.{}", at + 1),
                origin,
                table,
                sections,
                has_variables: count == 1,
            }
        });
        tenants.collect()
    }

    /// The section `[options]`, whose keys the catalog knows.
    pub(super) fn choices(&self, catalog: &Catalog) -> Choices {
        let reader = self.reader;
        let value = self.table.and_then(|table| table.get(OPTIONS));
        let (_, table) = reader.table(OPTIONS, "[options]", value);
        let mut choices = Choices::new();
        for (name, value) in table.into_iter().flatten() {
            let origin = reader.origin(name);
            let chosen = match value.get_ref() {
                DeValue::Boolean(value) => toml::Value::Boolean(*value),
                DeValue::String(value) => toml::Value::String(value.to_string()),
                _ => {
                    let text = format!("`{}` must be a switch or a text", name.get_ref());
                    reader.mistakes.add(origin, text);
                    continue;
                }
            };
            let value = name.get_ref().to_string();
            choices.push((Placed { value, origin }, chosen));
        }
        let rules = catalog.option_rules().iter();
        for (name, rule) in rules.filter(|(name, _)| *name != LIST_DETAIL) {
            let variable = format!("SHIM_OPTIONS_{}", name.to_uppercase());
            if let Some(text) = reader.variable(&variable) {
                let chosen = match text.parse() {
                    Ok(switch) if rule.values.is_empty() => toml::Value::Boolean(switch),
                    _ => text.into(),
                };
                let name = Placed {
                    value: name.clone(),
                    origin: Origin::Variable(variable),
                };
                choices.push((name, chosen));
            }
            let chosen = choices.iter().rev().find(|(known, _)| known.value == *name);
            let (value, origin) = match chosen {
                Some((name, value)) => (value.to_string(), name.origin.clone()),
                None => (shown(&rule.default), Origin::Default),
            };
            let mut effective = reader.effective.borrow_mut();
            effective.add(join(OPTIONS, name), value, origin);
        }
        choices
    }
}

/// A value that one of the sources holds.
struct Found {
    suffix: &'static str,
    value: Value,
    /// As TOML.
    shown: String,
    origin: Origin,
}

/// What is known of a section as a whole.
pub(super) struct SectionState {
    /// Where it begins.
    pub(super) origin: Origin,
    /// A key of it is a mistake already: nothing else is reported as missing.
    pub(super) is_broken: bool,
}

/// Reads one section of a table.
pub(super) struct SectionReader<'a> {
    parent: &'a TableReader<'a>,
    reader: &'a Reader<'a>,
    /// Its path below the parent; empty for the parent's own keys.
    name: &'static str,
    section: Option<&'static Section>,
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
            section: parent.sections.iter().find(|section| section.name == path),
            is_broken: value.is_some() && table.is_none(),
            origin,
            table,
        }
    }

    /// The value of the last source that has one.
    pub(super) fn read<T: FromValue>(&mut self, key: &'static Key) -> Placed<T> {
        let default = |text: &str| self.parsed(key, "", text, Origin::Default);
        let default = key.default.and_then(default);
        let found = [
            default,
            self.in_file(key),
            self.in_environment(key),
            self.in_flags(key),
        ];
        let Some(found) = found.into_iter().flatten().next_back() else {
            return Placed {
                value: T::from_value(None),
                origin: Origin::Default,
            };
        };
        let Found {
            suffix,
            value,
            shown,
            origin,
        } = found;
        let name = format!("{}{suffix}", key.name);
        let path = join(&join(&self.parent.shown, self.name), &name);
        let is_hidden = key.is_hidden && suffix.is_empty();
        let shown = if is_hidden {
            "(hidden)".to_owned()
        } else {
            shown
        };
        self.reader
            .effective
            .borrow_mut()
            .add(path, shown, origin.clone());

        let mut value = Some(value);
        match (key.kind, &value) {
            (Kind::Choice([one, other]), Some(Value::Text(text)))
                if text != one && text != other =>
            {
                let text = format!("{} = {text:?} is neither {one:?} nor {other:?}", key.path());
                self.mistake(origin.clone(), text);
            }
            (Kind::Secret, Some(Value::Text(file))) if !suffix.is_empty() => {
                value = match (self.reader.sources.read)(Path::new(file)) {
                    Ok(text) => Some(Value::Text(text.trim().to_owned())),
                    Err(error) => {
                        let text = format!("{name} = {file:?} cannot be read: {error}");
                        self.mistake(origin.clone(), text);
                        None
                    }
                };
            }
            _ => {}
        }
        Placed {
            value: T::from_value(value),
            origin,
        }
    }

    fn in_file(&mut self, key: &Key) -> Option<Found> {
        let (table, reader) = (self.table?, self.reader);
        let mut all = Vec::new();
        for suffix in key.suffixes() {
            let name = format!("{}{suffix}", key.name);
            let Some(value) = table.get(name.as_str()) else {
                continue;
            };
            let origin = reader.origin(value);
            let place = |item: &_, value| Placed {
                value,
                origin: reader.origin(item),
            };
            match key.kind.read(value.get_ref(), place) {
                None => self.mistake(origin, format!("`{name}` must be {}", key.kind.expected())),
                Some(read) => all.push(Found {
                    suffix,
                    value: read,
                    shown: reader.written(value),
                    origin,
                }),
            }
        }
        let found = self.only(key, all);
        found.filter(|_| !self.is_replaced(key))
    }

    fn in_environment(&mut self, key: &Key) -> Option<Found> {
        if !self.parent.has_variables {
            return None;
        }
        let mut all = Vec::new();
        for (suffix, name) in key.variables() {
            let value = self.reader.variable(&name);
            all.extend(
                value.and_then(|text| self.parsed(key, suffix, &text, Origin::Variable(name))),
            );
        }
        self.only(key, all)
    }

    fn in_flags(&mut self, key: &Key) -> Option<Found> {
        let (flag, _) = key.flag?;
        let text = self.reader.sources.flags.given.get(flag)?;
        self.parsed(key, "", text, Origin::Flag(flag))
    }

    fn parsed(
        &mut self,
        key: &Key,
        suffix: &'static str,
        text: &str,
        origin: Origin,
    ) -> Option<Found> {
        let place = |value| Placed {
            value,
            origin: origin.clone(),
        };
        let Some(value) = key.kind.parse(text, place) else {
            let text = format!("`{}` must be {}", key.name, key.kind.expected());
            self.mistake(origin, text);
            return None;
        };
        Some(Found {
            suffix,
            value,
            shown: key.kind.to_toml(text),
            origin,
        })
    }

    /// A secret stands in one place, itself or as a file.
    fn only(&mut self, key: &Key, mut all: Vec<Found>) -> Option<Found> {
        let last = all.pop()?;
        if !all.is_empty() {
            let name = key.name;
            let text = format!("`{name}` and `{name}_file` are both set; leave one");
            self.mistake(last.origin.clone(), text);
        }
        Some(last)
    }

    /// True if the environment sets an alternative to what the file says.
    fn is_replaced(&self, key: &Key) -> bool {
        let path = key.path();
        let mut keys = self.parent.sections.iter().flat_map(|section| section.keys);
        self.parent.has_variables
            && keys.any(|other| {
                let is_alternative = |prefix| path.starts_with(prefix);
                other.replaces.is_some_and(is_alternative)
                    && other
                        .variables()
                        .any(|(_, name)| self.reader.variable(&name).is_some())
            })
    }

    /// Reports unknown keys.
    pub(super) fn finish(mut self) -> SectionState {
        let keys = self.section.into_iter().flat_map(|section| section.keys);
        let names = keys.flat_map(|key| {
            let suffixes = key.suffixes().iter();
            suffixes.map(|suffix| format!("{}{suffix}", key.name))
        });
        let mut known: Vec<_> = names.collect();
        let own = (self.name, self.parent.root);
        if own.0.is_empty() {
            let paths = self.parent.sections.iter().map(|section| section.name);
            known.extend(paths.map(|path| relative(path, own.1).to_owned()));
            known.retain(|name| !name.is_empty());
        }
        if own == ("", "") {
            known.extend([TENANT, OPTIONS].map(str::to_owned));
        }
        known.sort_unstable();
        let place = match own {
            ("", "") => String::new(),
            ("", root) => format!(" in [[{root}]]"),
            (name, _) => format!(" in [{name}]"),
        };
        for written in self.table.into_iter().flat_map(|table| table.keys()) {
            let name: &str = written.get_ref();
            if known.iter().any(|known| known == name) {
                continue;
            }
            let hint = nearest(name, known.iter().map(String::as_str)).map_or_else(
                || format!("known are {}", known.join(", ")),
                |known| format!("did you mean `{known}`?"),
            );
            let text = format!("unknown key `{name}`{place}; {hint}");
            self.mistake(self.reader.origin(written), text);
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
        OptionValue::Choice(choice) => toml::Value::from(choice.as_str()).to_string(),
    }
}

/// A path below another one.
fn relative(path: &'static str, root: &str) -> &'static str {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.trim_start_matches('.')
}

/// The known name that a mistyped one is most like.
pub(super) fn nearest<'k>(
    written: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    // Whole words are alike from 0.8 on; below, the hint would be a guess.
    const ALIKE: f64 = 0.8;
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(written, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}
