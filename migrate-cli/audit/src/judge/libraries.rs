//! Uses of v1 through client libraries: dependencies, imports, configuration and calls.

use crate::{
    evidence::{
        clients::Names,
        dynamic,
        libraries::{
            imports, is_import, is_of_v1_alone, loads, modules, selects_v1, setups,
            supports_language,
        },
    },
    facts::{FileFacts, Place, syntax::Call},
    judge::{Judge, Use, literals},
    kind::{Confidence, Kind},
    names::{contains_zoom, last_identifier, split_member},
    rules::{Library, Style},
};

/// The uses of client libraries in a file.
pub(crate) fn uses(judge: &Judge, file: &FileFacts) -> Vec<Use> {
    let mut uses = Vec::new();
    for library in &judge.rules.libraries {
        if judge.evidence.publishes.contains(&library.package) {
            // The project is the library itself.
            continue;
        }
        dependencies(judge, library, file, &mut uses);
        if supports_language(library, file) {
            of_library(judge, library, file, &mut uses);
        }
    }
    of_dynamic_client(judge, file, &mut uses);
    uses
}

/// `$zoom->user->custcreate($data)`: calls of a client that builds paths from names.
fn of_dynamic_client(judge: &Judge, file: &FileFacts, uses: &mut Vec<Use>) {
    if !judge.evidence.dynamic {
        return;
    }
    let clients = dynamic::Clients::of(file, &judge.evidence.dynamic_classes);
    for (call, place) in &file.calls {
        let Some((head, operation)) = judge.knowledge.spelt(&call.callee) else {
            continue;
        };
        if !contains_zoom(last_identifier(head)) && !clients.is_client(head) {
            continue;
        }
        let given = operation.parameters.iter();
        uses.push(Use {
            kind: Kind::SdkCall,
            operation: Some(operation.name.clone()),
            place: place.clone(),
            confidence: Confidence::Medium,
            reason: "a call through the project's own client, which builds paths from names",
            given: given
                .filter(|name| call.given.contains(name))
                .cloned()
                .collect(),
            values: literals(call.values.iter().map(|(name, value)| (name, Some(value)))),
            whole: call.whole,
            refused: None,
        });
    }
}

fn dependencies(judge: &Judge, library: &Library, file: &FileFacts, uses: &mut Vec<Use>) {
    for (dependency, place) in &file.dependencies {
        let same =
            dependency.package == library.package && dependency.ecosystem == library.ecosystem;
        let known = judge.evidence.libraries.get(&library.package);
        let (confidence, reason) = match dependency.calls_v1 {
            Some(true) => (
                Confidence::High,
                "a version of a client library that calls v1",
            ),
            None if known == Some(&Some(true)) => (
                Confidence::Medium,
                "a client library that calls v1 as it is used here",
            ),
            _ => continue,
        };
        if same {
            uses.push(Use::of_library(
                Kind::Dependency,
                library,
                place,
                confidence,
                reason,
            ));
        }
    }
}

/// The offsets of the calls that configure a client library for v1.
pub(super) fn starts_of_setups(judge: &Judge, file: &FileFacts) -> Vec<usize> {
    let libraries = judge.rules.libraries.iter();
    libraries
        .filter(|library| supports_language(library, file) && is_of_v1(judge, library, file))
        .flat_map(|library| setups(library, file))
        .map(|call| call.start)
        .collect()
}

/// True if the file calls v1 through the library.
fn is_of_v1(judge: &Judge, library: &Library, file: &FileFacts) -> bool {
    match judge.evidence.libraries.get(&library.package).copied() {
        _ if library.is_wrapper() => file.is_wrapped,
        None if !loads(library, file) => false,
        Some(Some(calls_v1)) => calls_v1 || selects_v1(library, file),
        None | Some(None) => library.before.is_none() || selects_v1(library, file),
    }
}

fn of_library(judge: &Judge, library: &Library, file: &FileFacts, uses: &mut Vec<Use>) {
    let of_v1 = is_of_v1(judge, library, file);
    if of_v1 {
        imports_and_setups(library, file, uses);
    }
    if of_v1 || loads(library, file) {
        calls(judge, library, file, of_v1, uses);
    }
}

fn imports_and_setups(library: &Library, file: &FileFacts, uses: &mut Vec<Use>) {
    let mut add = |place: &Place, reason| {
        let confidence = Confidence::High;
        uses.push(Use::of_library(
            Kind::SdkImport,
            library,
            place,
            confidence,
            reason,
        ));
    };
    for place in imports(library, file) {
        add(&place, "imports a client library for v1");
    }
    let starts: Vec<usize> = setups(library, file).map(|call| call.start).collect();
    for (call, place) in &file.calls {
        if starts.contains(&call.start) {
            add(place, "configures a client library for v1");
        }
    }
}

/// Adds the calls of a library's methods: all of them if the file calls v1 through the library,
/// else only methods that v2 does not have.
fn calls(judge: &Judge, library: &Library, file: &FileFacts, of_v1: bool, uses: &mut Vec<Use>) {
    let loads = !modules(library, file).is_empty()
        || file
            .imports
            .iter()
            .any(|(import, _)| is_import(library, &import.text));
    let names = Names::of(library, file, &judge.evidence.clients);
    for (call, place) in &file.calls {
        if !of_v1 && !is_of_v1_alone(library, call) {
            continue;
        }
        let Some(operation) = operation(library, call, &names, loads) else {
            continue;
        };
        let known = judge.knowledge.operation(operation);
        let is_known = |name: &&String| known.is_some_and(|known| known.parameters.contains(*name));
        uses.push(Use {
            kind: Kind::SdkCall,
            operation: (!operation.is_empty()).then(|| operation.to_owned()),
            place: place.clone(),
            confidence: if of_v1 {
                Confidence::High
            } else {
                Confidence::Medium
            },
            reason: if of_v1 {
                "a call through a client library for v1"
            } else {
                "a call of a client library's method that only v1 had"
            },
            given: call.given.iter().filter(is_known).cloned().collect(),
            values: literals(call.values.iter().map(|(name, value)| (name, Some(value)))),
            whole: call.whole,
            refused: None,
        });
    }
}

/// The operation of a call; empty for a method that v1 did not have.
fn operation<'l>(
    library: &'l Library,
    call: &Call,
    names: &Names<'_>,
    loads: bool,
) -> Option<&'l str> {
    let with_resource = match library.style {
        Style::Function => {
            let method = last_identifier(&call.callee);
            return library.methods.get(method).map(String::as_str);
        }
        Style::Method => false,
        Style::ResourceMethod => true,
    };
    let (key, is_ours) = names.method(call, with_resource)?;
    let operation = library.methods.get(&key)?;
    let (mut receiver, _) = split_member(call.callee.trim_end_matches(['!', '?']))?;
    if with_resource {
        receiver = split_member(receiver).map_or("", |(receiver, _)| receiver);
    }
    let name = last_identifier(receiver).to_ascii_lowercase();
    let is_named = name.contains("zoom") || library.names.iter().any(|word| name.contains(word));
    // A receiver called "client" is common in other programs and needs more evidence.
    let is_client = name.contains("client") && (loads || key.contains('_'));
    (is_ours || is_named || is_client).then_some(operation.as_str())
}
