//! Which client libraries a file loads, and whether it makes them speak v1.

use crate::{
    facts::{FileFacts, Place, syntax::Call},
    names::last_identifier,
    rules::Library,
};

/// True if a file loads the library.
pub(crate) fn loads(library: &Library, file: &FileFacts) -> bool {
    !imports(library, file).is_empty()
}

/// True if the program tells a library that also speaks v2 to speak v1, or uses what only v1 had.
pub(crate) fn chooses_v1(library: &Library, file: &FileFacts) -> bool {
    let says = |signs: &[String]| {
        signs.iter().any(|sign| {
            file.calls.iter().any(|(call, _)| {
                call.callee.contains(sign.as_str())
                    || sign
                        .strip_suffix('=')
                        .is_some_and(|name| call.given.iter().any(|given| given == name))
            }) || file.excerpts.values().any(|line| {
                let line: String = line.split_whitespace().collect();
                line.contains(sign.as_str())
            })
        })
    };
    says(&library.v1_arguments) || says(&library.v1_only) && !says(&library.v2_only)
}

/// Where a file imports the library.
pub(crate) fn imports(library: &Library, file: &FileFacts) -> Vec<Place> {
    let by_statement = file
        .imports
        .iter()
        .filter(|(import, _)| is_import(library, &import.text))
        .map(|(_, place)| place.clone());
    let by_call = file
        .calls
        .iter()
        .filter(|(call, _)| {
            matches!(
                last_identifier(&call.callee),
                "require" | "import" | "require_relative"
            ) && call
                .strings
                .iter()
                .any(|given| library.imports.contains(given))
        })
        .map(|(_, place)| place.clone());
    by_statement.chain(by_call).collect()
}

/// True if an import statement names the library, and not another one of a similar name.
pub(crate) fn is_import(library: &Library, statement: &str) -> bool {
    let words = statement
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '/' | '.' | '@'));
    words.into_iter().any(|word| {
        library.imports.iter().any(|name| {
            word.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
        })
    })
}

/// True if a call is given the name of the library.
pub(crate) fn names(library: &Library, call: &Call) -> bool {
    call.strings
        .iter()
        .any(|given| library.imports.contains(given))
}
