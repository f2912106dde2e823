//! Uses of v1 through client libraries: dependencies, imports, set-ups and calls.

use super::{
    decide::{Judge, Use},
    extract::{Call, last_identifier},
    finding::{Confidence, Kind},
    language::Language,
    rules::{Library, Style},
    scan::FileFacts,
};

/// The uses of client libraries in a file.
pub(crate) fn uses(judge: &Judge, file: &FileFacts) -> Vec<Use> {
    let mut uses = Vec::new();
    for library in &judge.rules.libraries {
        if judge.evidence.publishes.contains(&library.package) {
            // The library itself.
            continue;
        }
        dependencies(library, file, &mut uses);
        if speaks(library, file) {
            of_library(judge, library, file, &mut uses);
        }
    }
    uses
}

fn dependencies(library: &Library, file: &FileFacts, uses: &mut Vec<Use>) {
    for (dependency, place) in &file.dependencies {
        let same =
            dependency.package == library.package && dependency.ecosystem == library.ecosystem;
        if same && dependency.speaks_v1 == Some(true) {
            uses.push(Use {
                kind: Kind::Dependency,
                operation: None,
                place: place.clone(),
                confidence: Confidence::High,
                reason: "a client library in a version that speaks v1",
                given: Vec::new(),
            });
        }
    }
}

fn speaks(library: &Library, file: &FileFacts) -> bool {
    file.language.is_some_and(|language| {
        let name = language.name().to_ascii_lowercase();
        library.languages.contains(&name)
            || language == Language::Tsx
                && library.languages.iter().any(|known| known == "typescript")
    })
}

fn of_library(judge: &Judge, library: &Library, file: &FileFacts, uses: &mut Vec<Use>) {
    let known = judge.evidence.libraries.get(&library.package).copied();
    let setups: Vec<_> = file
        .calls
        .iter()
        .filter(|(call, _)| is_setup(library, call))
        .collect();
    let imports = imports(library, file);
    if known.is_none() && imports.is_empty() {
        return;
    }
    let v1 = match known.flatten() {
        Some(speaks) => speaks || chooses_v1(library, file),
        None => library.before.is_none() || chooses_v1(library, file),
    };
    if !v1 {
        return;
    }
    for place in imports {
        uses.push(Use {
            kind: Kind::SdkImport,
            operation: None,
            place,
            confidence: Confidence::High,
            reason: "imports a client library that speaks v1",
            given: Vec::new(),
        });
    }
    for (_, place) in &setups {
        uses.push(Use {
            kind: Kind::SdkImport,
            operation: None,
            place: place.clone(),
            confidence: Confidence::High,
            reason: "sets up a client library that speaks v1",
            given: Vec::new(),
        });
    }
    let clients: Vec<&str> = setups
        .iter()
        .filter_map(|(call, _)| call.target.as_deref())
        .map(last_identifier)
        .collect();
    for (call, place) in &file.calls {
        if let Some(operation) = operation(library, call, &clients) {
            let given = call.given.clone();
            uses.push(Use {
                kind: Kind::SdkCall,
                operation: (!operation.is_empty()).then(|| operation.to_owned()),
                place: place.clone(),
                confidence: Confidence::High,
                reason: "a call through a client library that speaks v1",
                given: given
                    .into_iter()
                    .filter(|name| {
                        judge
                            .knowledge
                            .operation(operation)
                            .is_some_and(|known| known.parameters.contains(name))
                    })
                    .collect(),
            });
        }
    }
}

fn imports(library: &Library, file: &FileFacts) -> Vec<super::scan::Place> {
    let by_statement = file
        .imports
        .iter()
        .filter(|(import, _)| {
            library.imports.iter().any(|name| {
                import
                    .text
                    .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '/' | '.'))
                    .any(|word| {
                        word == name
                            || word.starts_with(&format!("{name}."))
                            || word.starts_with(&format!("{name}/"))
                    })
            })
        })
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

fn is_setup(library: &Library, call: &Call) -> bool {
    library.constructors.iter().any(|name| {
        call.callee
            .strip_suffix(name.as_str())
            .is_some_and(|head| head.is_empty() || head.ends_with(['.', ' ', ':']))
            && (!name.starts_with(|c: char| c.is_lowercase()) || call.callee == *name)
    }) || call
        .strings
        .iter()
        .any(|given| library.imports.contains(given))
        && call.callee.starts_with("require(")
}

/// True if the program tells a library that also speaks v2 to speak v1, or uses what only v1 had.
fn chooses_v1(library: &Library, file: &FileFacts) -> bool {
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

/// The operation behind a call; an empty name for a method that v1 did not have.
fn operation<'l>(library: &'l Library, call: &Call, clients: &[&str]) -> Option<&'l str> {
    let callee = call.callee.trim_end_matches(['!', '?']);
    let parts: Vec<&str> = callee
        .split(['.', ':', '>'])
        .map(|part| {
            part.trim_matches(|c: char| !c.is_alphanumeric() && c != '_' && c != '$' && c != '@')
        })
        .filter(|part| !part.is_empty())
        .collect();
    let (method, head) = parts.split_last()?;
    let (key, receiver) = match library.style {
        Style::Function => return library.methods.get(*method).map(String::as_str),
        Style::Method => ((*method).to_owned(), head.last()?),
        Style::ResourceMethod => {
            let (resource, head) = head.split_last()?;
            (format!("{resource}.{method}"), head.last()?)
        }
    };
    let operation = library.methods.get(&key)?;
    let name = receiver.trim_start_matches(['$', '@']);
    let lower = name.to_ascii_lowercase();
    let ours = clients.contains(&name)
        || clients
            .iter()
            .any(|client| client.trim_start_matches(['$', '@']) == name)
        || lower.contains("zoom")
        || library
            .names
            .iter()
            .any(|word| lower.contains(word.as_str()));
    // A name that is common in other programs needs more than a receiver called "client".
    let telling = key.bytes().filter(|byte| *byte == b'_').count() > 0 && lower == "client";
    (ours || telling).then_some(operation.as_str())
}
