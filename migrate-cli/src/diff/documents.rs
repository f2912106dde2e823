//! The v2 documents that a v1 response was built from: from a recorded exchange, or from files.

use mappings::{
    Catalog,
    catalog::{
        field::Place,
        operation::{Call, Plan},
        whole_list,
    },
};
use percent_encoding::percent_decode_str;
use recording::{Exchange, OutcomeKind};
use serde_json::Value;

/// The v2 documents behind one v1 response.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// Documents of the whole response, by name, oldest first.
    pub(crate) own: Vec<(String, Value)>,
    /// Documents of each list item.
    pub(crate) items: Vec<Vec<(String, Value)>>,
}

/// A v2 response that matches no call of the operation.
#[derive(Debug, thiserror::Error)]
#[error("{name} is not a v2 response of {operation}; use one of {known}")]
pub(crate) struct UnknownDocument {
    name: String,
    operation: String,
    known: String,
}

impl Documents {
    /// Collects the documents of a recorded exchange.
    pub(crate) fn of_exchange(plan: &Plan, exchange: &Exchange) -> Self {
        let mut documents = Self::default();
        for recorded in &exchange.v2 {
            let answered = recorded.outcome == OutcomeKind::Answered
                && recorded
                    .status
                    .is_some_and(|status| (200..300).contains(&status));
            let call = plan.calls.iter().find(|call| call.name == recorded.call);
            if let (Some(call), Some(answer), true) = (call, &recorded.answer, answered) {
                documents.add(call, answer, &recorded.path);
            }
        }
        documents
    }

    /// Collects documents from files: document name if given, file name and content.
    pub(crate) fn of_answers(
        catalog: &Catalog,
        operation: &str,
        plan: &Plan,
        answers: Vec<(Option<String>, String, Value)>,
    ) -> Result<Self, UnknownDocument> {
        let mut documents = Self::default();
        for (name, file, answer) in answers {
            let call = match &name {
                Some(name) => plan
                    .calls
                    .iter()
                    .find(|call| produces(call) == Some(name.as_str())),
                None => guess(catalog, plan, &answer),
            };
            let Some(call) = call else {
                let known = plan.calls.iter().filter_map(produces);
                let known: Vec<_> = known.map(|name| format!("{name}={file}")).collect();
                return Err(UnknownDocument {
                    name: name.unwrap_or(file),
                    operation: operation.to_owned(),
                    known: known.join(", "),
                });
            };
            documents.add(call, &answer, "");
        }
        Ok(documents)
    }

    fn add(&mut self, call: &Call, answer: &Value, path: &str) {
        if let Some((_, at, document)) = call.list().filter(|_| call.each.is_none()) {
            let items = answer.pointer(at).and_then(Value::as_array);
            let items = items.cloned().unwrap_or_default();
            let mut page = answer.clone();
            if call.pages.is_none() {
                page = whole_list(items.len());
            }
            self.own.push((PAGE.to_owned(), page));
            let items = items
                .into_iter()
                .map(|item| vec![(document.to_owned(), item)]);
            self.items = items.collect();
        }
        let Some(document) = &call.reads else { return };
        let of = match &call.each {
            Some(each) => self.item_of(each.subject.as_deref(), path),
            None => Some(&mut self.own),
        };
        if let Some(of) = of {
            of.push((document.clone(), answer.clone()));
        }
    }

    /// The list item that a per-item call was made for, found by the id in its path.
    fn item_of(&mut self, subject: Option<&str>, path: &str) -> Option<&mut Vec<(String, Value)>> {
        let subject = subject?;
        let segments: Vec<_> = path
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        self.items.iter_mut().find(|documents| {
            let named = documents
                .first()
                .and_then(|(_, item)| item.pointer(subject));
            let named = named.and_then(Value::as_str);
            named.is_some_and(|named| segments.iter().any(|segment| segment == named))
        })
    }
}

/// Document name of the page itself in the catalog.
const PAGE: &str = "page";

fn produces(call: &Call) -> Option<&str> {
    let list = call.list().map(|(_, _, document)| document);
    call.reads.as_deref().or(list)
}

/// Identifies a response: the call whose documented members it has the most of.
fn guess<'p>(catalog: &Catalog, plan: &'p Plan, answer: &Value) -> Option<&'p Call> {
    let fit = |call: &Call| {
        if let Some((_, at, _)) = call.list() {
            return usize::from(answer.pointer(at).is_some_and(Value::is_array)) * 1000;
        }
        let Some(document) = &call.reads else {
            return 0;
        };
        let places = catalog.fields().iter().flat_map(|field| &field.places);
        places
            .filter(|place| match place {
                Place::Document(place) => {
                    place.document == *document && answer.pointer(&place.pointer).is_some()
                }
                _ => false,
            })
            .count()
    };
    let best = plan.calls.iter().rev().max_by_key(|call| fit(call))?;
    (fit(best) > 0).then_some(best)
}
