//! Uses of v1 through client libraries: dependencies, imports, set-ups and calls.

use crate::{
    evidence::libraries::{chooses_v1, imports, is_import, names},
    facts::{FileFacts, syntax::Call},
    judge::{Judge, Use},
    kind::{Confidence, Kind},
    language::Language,
    names::last_identifier,
    rules::{Library, Style},
};

/// The uses of client libraries in a file.
pub(crate) fn uses(judge: &Judge, file: &FileFacts) -> Vec<Use> {
    let mut uses = Vec::new();
    for library in &judge.rules.libraries {
        if judge.evidence.publishes.contains(&library.package) {
            // The library itself.
            continue;
        }
        dependencies(judge, library, file, &mut uses);
        if speaks(library, file) {
            of_library(judge, library, file, &mut uses);
        }
    }
    of_dynamic_client(judge, file, &mut uses);
    uses
}

/// `$zoom->user->custcreate($data)`: calls of a client that makes paths out of names.
fn of_dynamic_client(judge: &Judge, file: &FileFacts, uses: &mut Vec<Use>) {
    if !judge.evidence.dynamic {
        return;
    }
    for (call, place) in &file.calls {
        let names: Vec<&str> = call
            .callee
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|name| !name.is_empty())
            .collect();
        let Some(at) = names
            .iter()
            .rposition(|name| name.to_ascii_lowercase().contains("zoom"))
        else {
            continue;
        };
        let path = names.get(at + 1..).unwrap_or_default().join("/");
        let joined = path.to_ascii_lowercase();
        let spelt = joined.replace('_', "");
        let operation = [joined, spelt]
            .iter()
            .find_map(|path| judge.knowledge.operation(path));
        if let Some(operation) = operation {
            uses.push(Use {
                kind: Kind::SdkCall,
                operation: Some(operation.name.clone()),
                place: place.clone(),
                confidence: Confidence::Medium,
                reason: "a call through the project's own client, which makes paths out of names",
                given: operation
                    .parameters
                    .iter()
                    .filter(|name| call.given.contains(name))
                    .cloned()
                    .collect(),
            });
        }
    }
}

fn dependencies(judge: &Judge, library: &Library, file: &FileFacts, uses: &mut Vec<Use>) {
    for (dependency, place) in &file.dependencies {
        let same =
            dependency.package == library.package && dependency.ecosystem == library.ecosystem;
        let known = judge.evidence.libraries.get(&library.package);
        let (confidence, reason) = match dependency.speaks_v1 {
            Some(true) => (
                Confidence::High,
                "a client library in a version that speaks v1",
            ),
            None if known == Some(&Some(true)) => (
                Confidence::Medium,
                "a client library that speaks v1 in the way in which it is used here",
            ),
            _ => continue,
        };
        if same {
            uses.push(Use {
                kind: Kind::Dependency,
                operation: None,
                place: place.clone(),
                confidence,
                reason,
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
    let modules = modules(library, file);
    let setups: Vec<_> = file
        .calls
        .iter()
        .filter(|(call, _)| is_setup(library, &modules, call))
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
    let loads = !modules.is_empty()
        || file
            .imports
            .iter()
            .any(|(import, _)| is_import(library, &import.text));
    let clients: Vec<&str> = setups
        .iter()
        .filter_map(|(call, _)| call.target.as_deref())
        .map(last_identifier)
        .collect();
    for (call, place) in &file.calls {
        if let Some(operation) = operation(library, call, &clients, loads) {
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

/// The names that a file gives to the library itself: `const Zoom = require('zoomus')`.
fn modules<'f>(library: &Library, file: &'f FileFacts) -> Vec<&'f str> {
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

fn is_setup(library: &Library, modules: &[&str], call: &Call) -> bool {
    let made = call.callee.strip_prefix("new ").unwrap_or(&call.callee);
    let loaded = call.callee.starts_with("require(") && names(library, call);
    let by_name = library.constructors.iter().any(|name| {
        made.strip_suffix(name.as_str())
            .is_some_and(|head| head.is_empty() || head.ends_with(['.', ':', '\\']))
    });
    loaded
        || by_name
        || library.languages.iter().any(|name| name == "javascript") && modules.contains(&made)
}

/// The operation behind a call; an empty name for a method that v1 did not have.
fn operation<'l>(
    library: &'l Library,
    call: &Call,
    clients: &[&str],
    loads: bool,
) -> Option<&'l str> {
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
    let telling = lower.contains("client") && (loads || key.contains('_'));
    (ours || telling).then_some(operation.as_str())
}
