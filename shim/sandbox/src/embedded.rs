//! Data files that are compiled in.

use serde::de::DeserializeOwned;

/// Reads an embedded TOML file.
///
/// # Panics
/// When the file does not have the shape of `T`: a mistake of the build, which any test that starts
/// a sandbox finds.
pub(crate) fn toml<T: DeserializeOwned>(name: &str, text: &str) -> T {
    read(name, toml::from_str(text))
}

/// As [`toml`], for JSON.
pub(crate) fn json<T: DeserializeOwned>(name: &str, text: &str) -> T {
    read(name, serde_json::from_str(text))
}

#[expect(
    clippy::panic,
    reason = "the text is part of the program, no input reaches it"
)]
fn read<T, E: std::fmt::Display>(name: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("embedded {name}: {error}"))
}
