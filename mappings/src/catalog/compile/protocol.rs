//! Compiles the rules shared by all operations: spellings, errors, subjects and options.

use std::collections::BTreeMap;

use super::{
    super::{
        problem::Location,
        protocol::{CORE_ERRORS, NamedError, OVERLOADED, Protocol, ProtocolError},
    },
    Names,
};

pub(super) fn protocol(names: &Names<'_>) -> Option<Protocol> {
    let mut found = names
        .files
        .list(|file| file.protocol.as_slice())
        .into_iter();
    let Some((at, shape)) = found.next() else {
        let nowhere = Location {
            file: "common/protocol.toml".to_owned(),
            line: 1,
        };
        names.report.add(&nowhere, "[protocol] is not defined");
        return None;
    };
    for (second, _) in found {
        let reason = format!("[protocol] is already defined at {at}");
        names.report.add(&second, reason);
    }
    spellings(names, &at, shape);
    options(names);
    subjects(names);
    let mut protocol = shape.clone();
    protocol.errors = errors(names, &at);
    Some(protocol)
}

fn spellings(names: &Names<'_>, at: &Location, shape: &Protocol) {
    let scope = names.scope(at);
    for spelling in shape.bool_true.iter().chain(&shape.bool_false) {
        if *spelling != spelling.to_lowercase() {
            scope.add(format!(
                "`{spelling}` never matches: it is compared in lower case"
            ));
        }
        if shape.bool_true.contains(spelling) && shape.bool_false.contains(spelling) {
            scope.add(format!("`{spelling}` is both true and false"));
        }
    }
    for prefix in shape.prefixes() {
        if prefix.split('/').any(str::is_empty) {
            scope.add(format!("`{prefix}` never matches: it has an empty segment"));
        }
    }
    for word in shape.secret_words.iter().chain(&shape.secret_words_in_code) {
        if word.is_empty() || *word != word.to_lowercase() {
            scope.add(format!(
                "`{word}` of the words of secrets is empty or not in lower case"
            ));
        }
    }
}

fn options(names: &Names<'_>) {
    for option in &names.option.0 {
        let scope = names.scope(&option.at);
        let rule = option.value;
        let is_one = rule.values.is_empty() || rule.range.is_none();
        scope.expect(is_one, "an option has `values` or a `range`, not both");
        if let Err(reason) = rule.check(&rule.default) {
            scope.add(format!("default: {reason}"));
        }
    }
}

fn subjects(names: &Names<'_>) {
    for subject in &names.subject.0 {
        let scope = names.scope(&subject.at);
        scope.error(&subject.value.unknown);
        let mut reserved = subject.value.reserved.iter();
        if let Some(word) = reserved.find(|word| **word != word.to_lowercase()) {
            scope.add(format!(
                "`{word}` never matches: it is compared in lower case"
            ));
        }
    }
}

fn errors(names: &Names<'_>, protocol: &Location) -> BTreeMap<String, NamedError> {
    let of_protocol = ProtocolError::ALL.map(ProtocolError::catalog_name);
    let needed = CORE_ERRORS.into_iter().chain([OVERLOADED]);
    for needed in needed.chain(of_protocol) {
        names.scope(protocol).error(needed);
    }
    let errors = names.error.0.iter().map(|error| {
        let scope = names.scope(&error.at);
        let NamedError {
            status, message, ..
        } = error.value;
        scope.error_text(message);
        if !(100..600).contains(status) {
            scope.add(format!("{status} is not an HTTP status"));
        }
        (error.name.to_owned(), error.value.clone())
    });
    errors.collect()
}
