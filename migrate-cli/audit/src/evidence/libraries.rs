//! Use of client libraries in a file, and whether it calls v1.

use crate::{
    facts::{FileFacts, Place, syntax::Call},
    language::Language,
    names::last_identifier,
    rules::Library,
};

/// True if programs in the language of a file can use the library.
pub(crate) fn supports_language(library: &Library, file: &FileFacts) -> bool {
    file.language.is_some_and(|language| {
        let name = language.name().to_ascii_lowercase();
        library.languages.contains(&name)
            || language == Language::Tsx
                && library.languages.iter().any(|known| known == "typescript")
    })
}

/// The calls that construct a client of a library or configure the library.
pub(crate) fn setups<'f>(
    library: &'f Library,
    file: &'f FileFacts,
) -> impl Iterator<Item = &'f Call> {
    let modules = modules(library, file);
    let is_script = library.languages.iter().any(|name| name == "javascript");
    file.calls.iter().map(|(call, _)| call).filter(move |call| {
        let made = call.callee.strip_prefix("new ").unwrap_or(&call.callee);
        let mut quoted = call.callee.split(['"', '\'']);
        let loaded = call.callee.starts_with("require(")
            && quoted.any(|name| library.imports.iter().any(|import| import == name));
        let set_up = library.setups.iter().any(|name| name == made);
        loaded || set_up || constructs(library, made) || is_script && modules.contains(&made)
    })
}

/// True for the name of a constructor of a library.
pub(crate) fn constructs(library: &Library, name: &str) -> bool {
    library.constructors.iter().any(|constructor| {
        name.strip_suffix(constructor.as_str())
            .is_some_and(|head| head.is_empty() || head.ends_with(['.', ':', '\\']))
    })
}

/// The names that a file gives to the module of a library: `const Zoom = require('zoomus')`.
pub(crate) fn modules<'f>(library: &Library, file: &'f FileFacts) -> Vec<&'f str> {
    let by_call = file
        .calls
        .iter()
        .filter(|(call, _)| call.callee == "require" && names(library, call))
        .filter_map(|(call, _)| call.target.as_deref())
        .map(last_identifier);
    // `import Zoom from 'zoomus'`
    let by_statement = file
        .imports
        .iter()
        .filter(|(import, _)| is_import(library, &import.text))
        .filter_map(|(import, _)| import.text.strip_prefix("import "))
        .filter_map(|rest| rest.split_whitespace().next())
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    by_call.chain(by_statement).collect()
}

/// True if a file imports the library, or configures it by its own name, as in programs that load
/// all packages in one place: `Zoomus.new`.
pub(crate) fn loads(library: &Library, file: &FileFacts) -> bool {
    let is_named = |call: &Call| {
        let mut names = call
            .callee
            .split(|c: char| !c.is_alphanumeric() && c != '_');
        names.any(|name| {
            let mut imports = library.imports.iter();
            imports.any(|import| import.eq_ignore_ascii_case(name))
        })
    };
    !imports(library, file).is_empty() || setups(library, file).any(is_named)
}

/// True for a call that only v1 had: `client.meeting.end(host_id=…)`.
pub(crate) fn is_of_v1_alone(library: &Library, call: &Call) -> bool {
    let matches = |signs: &[String]| {
        signs.iter().any(|sign| match sign.strip_suffix('=') {
            Some(parameter) => call.given.iter().any(|given| given == parameter),
            None => call.callee.contains(sign.as_str()),
        })
    };
    matches(&library.v1_only) && !matches(&library.v2_only)
}

/// True if the program selects v1 in a library that also supports v2, or uses a method that only v1
/// had.
pub(crate) fn selects_v1(library: &Library, file: &FileFacts) -> bool {
    let matches = |signs: &[String]| {
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
    matches(&library.v1_arguments) || matches(&library.v1_only) && !matches(&library.v2_only)
}

/// The places at which a file imports the library.
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
            ) && names(library, call)
        })
        .map(|(_, place)| place.clone());
    by_statement.chain(by_call).collect()
}

/// True if an import statement names the library itself, not one with a similar name.
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

/// True if the name of the library is an argument of a call.
pub(crate) fn names(library: &Library, call: &Call) -> bool {
    call.strings
        .iter()
        .any(|given| library.imports.contains(given))
}
