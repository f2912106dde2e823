//! Embedded data files.

use serde::de::DeserializeOwned;

/// Parses an embedded TOML file.
///
/// # Panics
///
/// If the file does not match `T`. This is a build mistake, found by any test that starts a
/// sandbox.
pub(crate) fn toml<T: DeserializeOwned>(name: &str, text: &str) -> T {
    read(name, toml::from_str(text))
}

/// Parses an embedded JSON file, like [`toml`].
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
