//! Reads a section of the configuration file. A key that nothing reads is a mistake.

use std::{collections::BTreeSet, ops::RangeInclusive, path::Path, time::Duration};

use secrecy::SecretString;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Chosen, mistakes::Mistakes};

/// A value and the line on which it stands; `None` if it does not come from the file.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) line: Option<usize>,
}

/// What all sections of a file share.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) text: &'a str,
    pub(super) mistakes: &'a Mistakes,
    pub(super) read: &'a dyn Fn(&Path) -> std::io::Result<String>,
}

impl File<'_> {
    pub(super) fn line<T>(&self, at: &Spanned<T>) -> usize {
        let before = self.text.get(..at.span().start).unwrap_or_default();
        before.matches('\n').count() + 1
    }
}

/// One table; all its keys are absent if the table is.
pub(super) struct Section<'a> {
    file: File<'a>,
    /// As it stands in the file: `[[tenant]]`; empty for the file itself.
    name: String,
    line: Option<usize>,
    table: Option<&'a DeTable<'a>>,
    asked: BTreeSet<&'static str>,
    sound: bool,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        file: File<'a>,
        name: impl Into<String>,
        line: Option<usize>,
        table: Option<&'a DeTable<'a>>,
    ) -> Self {
        Self {
            file,
            name: name.into(),
            line,
            table,
            asked: BTreeSet::new(),
            sound: true,
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Placed<String>> {
        self.value(key, "a text in quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Placed<String>>> {
        let file = self.file;
        let text = |item: &Spanned<DeValue<'a>>| {
            Some(Placed {
                value: item.get_ref().as_str()?.to_owned(),
                line: Some(file.line(item)),
            })
        };
        let texts = self.value(key, "a list of texts in quotes", |value| {
            value.as_array()?.iter().map(text).collect()
        });
        texts.map(|placed| placed.value)
    }

    pub(super) fn switch(&mut self, key: &'static str) -> Option<bool> {
        self.value(key, "true or false", DeValue::as_bool)
            .map(|placed| placed.value)
    }

    /// A whole number in a range.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Placed<u64>> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.value(key, &expected, |value| {
            integer(value).filter(|number| range.contains(number))
        })
    }

    /// A number of things of which there must be one.
    pub(super) fn count(&mut self, key: &'static str) -> Option<usize> {
        let count = self.number(key, 1..=1_000_000)?;
        count.value.try_into().ok()
    }

    /// A size in memory: at least a kilobyte.
    pub(super) fn bytes(&mut self, key: &'static str) -> Option<usize> {
        let bytes = self.number(key, 1024..=1 << 30)?;
        bytes.value.try_into().ok()
    }

    /// Whole seconds in a range.
    pub(super) fn seconds(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Duration> {
        let seconds = self.number(key, range)?;
        Some(Duration::from_secs(seconds.value))
    }

    /// A secret, or, under `{key}_file`, the name of the file that holds it. Its value is in no
    /// message.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        key_file: &'static str,
    ) -> Option<Placed<SecretString>> {
        let direct = self.text(key);
        let Some(path) = self.text(key_file) else {
            return direct.map(|placed| Placed {
                value: placed.value.into(),
                line: placed.line,
            });
        };
        if direct.is_some() {
            self.mistake(
                path.line,
                &format!("`{key}` and `{key_file}` are both set; leave one"),
            );
        }
        match (self.file.read)(Path::new(&path.value)) {
            Ok(text) => Some(Placed {
                value: text.trim().into(),
                line: path.line,
            }),
            Err(error) => {
                let reason = format!("{key_file} = {:?} cannot be read: {error}", path.value);
                self.mistake(path.line, &reason);
                None
            }
        }
    }

    pub(super) fn section(&mut self, key: &'static str) -> Section<'a> {
        let value = self.find(key);
        self.table_of(key, format!("[{key}]"), value)
    }

    /// The sections of an array, `[[key]]`; a single `[key]` counts as one.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let items: Vec<_> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        items
            .into_iter()
            .map(|item| self.table_of(key, format!("[[{key}]]"), Some(item)))
            .collect()
    }

    fn table_of(
        &mut self,
        key: &str,
        name: String,
        value: Option<&'a Spanned<DeValue<'a>>>,
    ) -> Section<'a> {
        let line = value.map(|value| self.file.line(value));
        let table = value.and_then(|value| value.get_ref().as_table());
        if value.is_some() && table.is_none() {
            self.mistake(line, &format!("`{key}` must be a section: {name}"));
        }
        Section::new(self.file, name, line, table)
    }

    /// All keys, for a section whose keys the catalog knows.
    pub(super) fn into_choices(mut self) -> Vec<(Placed<String>, toml::Value)> {
        self.table
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| {
                let line = Some(self.file.line(key));
                let value = match value.get_ref() {
                    DeValue::Boolean(value) => toml::Value::Boolean(*value),
                    DeValue::String(value) => toml::Value::String(value.to_string()),
                    _ => {
                        self.mistake(
                            line,
                            &format!("`{}` must be a switch or a text", key.get_ref()),
                        );
                        return None;
                    }
                };
                let value_of = Placed {
                    value: key.get_ref().to_string(),
                    line,
                };
                Some((value_of, value))
            })
            .collect()
    }

    /// The line on which the section begins, if it is there.
    pub(super) fn line(&self) -> Option<usize> {
        self.line
    }

    /// Names the keys that nobody asked for; true if nothing in the section is a mistake.
    pub(super) fn finish(mut self) -> bool {
        for key in self.table.into_iter().flat_map(|table| table.keys()) {
            let written: &str = key.get_ref();
            if self.asked.contains(written) {
                continue;
            }
            let place = match self.name.as_str() {
                "" => String::new(),
                name => format!(" in {name}"),
            };
            let known = || self.asked.iter().copied().collect::<Vec<_>>().join(", ");
            let hint = nearest(written, self.asked.iter().copied()).map_or_else(
                || format!("known are {}", known()),
                |known| format!("did you mean `{known}`?"),
            );
            let reason = format!("unknown key `{written}`{place}; {hint}");
            self.mistake(Some(self.file.line(key)), &reason);
        }
        self.sound
    }

    fn mistake(&mut self, line: Option<usize>, text: &str) {
        self.sound = false;
        self.file.mistakes.add(line, text);
    }

    fn find(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.insert(key);
        self.table?.get(key)
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<Placed<T>> {
        let value = self.find(key)?;
        let line = Some(self.file.line(value));
        let read = read(value.get_ref()).map(|value| Placed { value, line });
        if read.is_none() {
            self.mistake(line, &format!("`{key}` must be {expected}"));
        }
        read
    }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
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

/// The choices themselves, without where they stand.
pub(super) fn values(choices: &[(Placed<String>, toml::Value)]) -> Chosen {
    choices
        .iter()
        .map(|(name, value)| (name.value.clone(), value.clone()))
        .collect()
}
