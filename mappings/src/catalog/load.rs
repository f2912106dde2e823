//! Parses catalog files and applies a site's overlays of single fields.

use serde::{Deserialize as _, de::DeserializeOwned};

use super::{
    Catalog, CatalogError,
    compile::compile,
    files::{Files, Placed, Source},
    problem::{COMMON, Report, reason},
    shape::{FieldShape, FileShape, OverlayShape},
};

/// File name of a site's overlay for a resource.
const OVERLAY: &str = "/overlay.toml";

pub(super) fn load(
    files: impl IntoIterator<Item = (String, String)>,
) -> Result<Catalog, CatalogError> {
    let report = Report::default();
    let mut texts: Vec<_> = files.into_iter().collect();
    // Field order is response order; `common` comes first.
    texts.sort_by_cached_key(|(name, _)| (folder(name) != COMMON, name.clone()));
    let (overlays, texts): (Vec<_>, Vec<_>) = texts
        .into_iter()
        .partition(|(name, _)| name.ends_with(OVERLAY));
    let mut files = Files::default();
    for (name, text) in &texts {
        let source = Source::new(name, text);
        let shape = read::<FileShape>(&source, text, &report);
        files.0.extend(shape.map(|shape| (source, shape)));
    }
    let mut fields = files.take_fields();
    for (name, text) in &overlays {
        let source = Source::new(name, text);
        if let Some(changes) = read(&source, text, &report) {
            overlay(&texts, &source, changes, &mut fields, &report);
        }
    }
    // Skip compilation after a syntax error: references into that file would be reported, too.
    let is_read = report.is_empty();
    let catalog = is_read.then(|| compile(&files, fields, &report)).flatten();
    report.end(catalog)
}

fn folder(file: &str) -> &str {
    file.split_once('/').map_or(COMMON, |(folder, _)| folder)
}

fn read<T: DeserializeOwned>(source: &Source, text: &str, report: &Report) -> Option<T> {
    let note = |error: &toml::de::Error| {
        let at = source.at(&error.span().unwrap_or(0..0));
        report.add(&at, reason(error));
    };
    toml::from_str(text).inspect_err(note).ok()
}

/// Replaces keys of single fields.
fn overlay(
    texts: &[(String, String)],
    source: &Source,
    changes: OverlayShape,
    fields: &mut Placed<FieldShape>,
    report: &Report,
) {
    for (key, changes) in changes.field {
        let at = source.at(&key.span());
        let key = key.into_inner();
        let is_it = |field: &&toml::Value| {
            let name = field.get("key").or_else(|| field.get("v1"));
            name.and_then(toml::Value::as_str) == Some(&key)
        };
        let written = |(file, text): &(String, String)| {
            let is_own = folder(file) == at.resource();
            let table: toml::Table = toml::from_str(text).ok().filter(|_| is_own)?;
            let mut fields = table.get("field")?.as_array()?.iter();
            fields.find(is_it)?.as_table().cloned()
        };
        let Some(mut field) = texts.iter().find_map(written) else {
            report.add(&at, format!("unknown field `{key}`"));
            continue;
        };
        field.extend(changes);
        let known = fields
            .iter_mut()
            .find(|(place, field)| place.resource() == at.resource() && field.keys() == [&*key]);
        match FieldShape::deserialize(toml::Value::Table(field)) {
            Err(error) => report.add(&at, reason(&error)),
            Ok(shape) => {
                if let Some(known) = known {
                    *known = (at, shape);
                }
            }
        }
    }
}
