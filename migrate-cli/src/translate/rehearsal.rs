//! A translation without v2: driven by assumed answers, so that it hands out the requests that the
//! shim would send.
//!
//! What depends on v2's answers is played through once for each answer that matters, and the
//! requests that differ get conditions.

use std::time::{SystemTime, UNIX_EPOCH};

use mappings::{
    Arguments, Body, Catalog, Outcome, Site, Translation, V1Error, V2Request,
    catalog::{
        field::Place,
        operation::{self, Compared, Condition, Filling, Operation, Plan, Predicate, Segment},
    },
    conversion::Conversion,
    translation::Finished,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::explain::wording;

/// More rounds than any plan has steps: a guard against a plan that would never end.
const ROUNDS: usize = 100;

/// What is translated.
pub(super) struct Rehearsal<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) operation: &'a Operation,
    /// The calls of its plan; none if it is not served from v2.
    pub(super) plan: &'a Plan,
    pub(super) site: &'a Site,
    pub(super) arguments: &'a Arguments,
    /// The id of every item of a list.
    pub(super) item: &'a str,
}

/// A request that is made, or may be.
pub(super) struct Planned {
    /// The index of the call in the plan.
    pub(super) call: usize,
    pub(super) request: V2Request,
    /// It is made only if one of these holds; always if empty.
    pub(super) only_if: Vec<String>,
    /// Members of the body that are sent only under a condition: path and condition.
    pub(super) members: Vec<(String, String)>,
}

/// An answer that decides which requests follow.
#[derive(Clone, PartialEq)]
struct Assumption {
    /// The index of the call that answers.
    call: usize,
    /// The pointer in its answer.
    at: String,
    value: Value,
}

impl Assumption {
    fn in_words(&self, plan: &[operation::Call]) -> String {
        let call = plan.get(self.call).map_or("", |call| &call.name);
        let at = wording::dotted(&self.at);
        format!(
            "{call} finds that {at} is {}",
            wording::literal(&self.value)
        )
    }
}

impl Rehearsal<'_> {
    /// The requests in the order in which they are sent, and the end of the usual course.
    ///
    /// # Errors
    ///
    /// What v1 answers without asking v2.
    pub(super) fn play(&self) -> Result<(Vec<Planned>, Finished), V1Error> {
        let (usual, _) = self.run(&[])?;
        let stored = self.stored_assumptions();
        let mut planned: Vec<(usize, Planned)> = usual
            .into_iter()
            .map(|made| (made.step, unconditional(made)))
            .collect();
        for assumption in once_each(self.assumed_answers().chain(stored.iter().cloned())) {
            let (others, _) = self.run(std::slice::from_ref(&assumption))?;
            for made in others {
                merge(&self.plan.calls, &mut planned, &made, &assumption);
            }
        }
        // v2 stores one value at each place.
        let mut one_each: Vec<Assumption> = Vec::new();
        for assumption in stored {
            let is_same =
                |known: &Assumption| (known.call, &known.at) == (assumption.call, &assumption.at);
            if !one_each.iter().any(is_same) {
                one_each.push(assumption);
            }
        }
        let (_, finished) = self.run(&one_each)?;
        planned.sort_by_key(|(step, planned)| (*step, planned.call));
        for (_, planned) in &mut planned {
            planned.only_if.extend(self.found_out(planned.call));
            planned.only_if.dedup();
        }
        Ok((
            planned.into_iter().map(|(_, planned)| planned).collect(),
            finished,
        ))
    }

    /// What must be found out for a call to be made, if nothing else lets it be made.
    fn found_out(&self, call: usize) -> Option<String> {
        let call = self.plan.calls.get(call)?;
        let chosen = |condition: &&Condition| {
            let mut choices = condition.options.iter();
            choices.all(|(name, value)| self.site.options.get(name) == Some(value))
        };
        let parts = call.when.iter().filter(chosen);
        let parts: Vec<_> = parts
            .map(|condition| wording::found(&self.plan.calls, condition))
            .collect();
        let always = parts.iter().any(Vec::is_empty);
        let parts: Vec<_> = parts.iter().map(|parts| wording::all_of(parts)).collect();
        (!always && !parts.is_empty()).then(|| parts.join(", or if "))
    }

    /// Answers that decide whether a call is made.
    fn assumed_answers(&self) -> impl Iterator<Item = Assumption> {
        let conditions = self.plan.calls.iter().flat_map(|call| &call.when);
        let answers = conditions.filter_map(|condition| condition.answer.as_ref());
        answers.flat_map(|answer| {
            let values = match &answer.predicate {
                Predicate::OneOf { values, .. } => values.as_slice(),
                _ => &[],
            };
            values.iter().map(|value| Assumption {
                call: answer.call,
                at: answer.at.clone(),
                value: value.clone(),
            })
        })
    }

    /// Stored values that decide what a given flag means.
    fn stored_assumptions(&self) -> Vec<Assumption> {
        let mut assumptions = Vec::new();
        for (call, of) in self.plan.calls.iter().enumerate() {
            let documents = of
                .when
                .iter()
                .filter_map(|condition| condition.current.as_ref());
            for (at, value) in documents.flat_map(|document| self.stored_values(document)) {
                assumptions.push(Assumption { call, at, value });
            }
        }
        assumptions
    }

    /// The stored values that decide what half of a given pair of flags means.
    fn stored_values(&self, document: &str) -> Vec<(String, Value)> {
        let mut values = Vec::new();
        for field in self.catalog.fields() {
            let Conversion::Choice(choice) = &field.conversion else {
                continue;
            };
            let is_given = field
                .parts
                .iter()
                .any(|part| self.arguments.get(&part.name).is_some());
            let place = field.places.iter().find_map(|place| match place {
                Place::Document(place) if place.document == document => Some(&place.pointer),
                _ => None,
            });
            if let Some(pointer) = place.filter(|_| is_given) {
                let stored = choice.given.iter().flat_map(|given| &given.now);
                values.extend(stored.map(|value| (pointer.clone(), value.clone())));
            }
        }
        values
    }

    fn run(&self, assumptions: &[Assumption]) -> Result<(Vec<Made>, Finished), V1Error> {
        let mut translation = Translation::begin(
            self.catalog,
            self.operation,
            self.arguments.clone(),
            self.site,
            now(),
        )?;
        let mut made = Vec::new();
        for step in 1..ROUNDS {
            if translation.is_done() {
                break;
            }
            for call in translation.ready() {
                let position = self
                    .plan
                    .calls
                    .iter()
                    .position(|known| known.name == call.name);
                if let Some(index) = position {
                    let answer = self.answer(index, &call.request, assumptions);
                    translation.complete(call.id, answer);
                    made.push(Made {
                        call: index,
                        step,
                        request: call.request,
                    });
                } else {
                    translation.complete(call.id, Outcome::Unreadable { status: 200 });
                }
            }
        }
        Ok((made, translation.finish(0)))
    }

    /// A successful answer with nothing in it but what lets the plan go on.
    fn answer(&self, index: usize, request: &V2Request, assumptions: &[Assumption]) -> Outcome {
        let mut body = json!({});
        if let Some(call) = self.plan.calls.get(index) {
            if let Some(pages) = &call.pages {
                put(&mut body, &pages.items, json!([self.list_item(index)]));
                // v2 supports page numbers and returns the number.
                let number = request.query.iter().find(|(name, _)| *name == pages.number);
                let number = number.and_then(|(_, text)| text.parse::<i64>().ok());
                let members = [(&pages.number, number.into()), (&pages.total, 1.into())];
                for (name, value) in members.into_iter().filter(|(name, _)| !name.is_empty()) {
                    put(&mut body, &format!("/{name}"), value);
                }
            }
            if let Some(items) = &call.items {
                put(&mut body, &items.at, json!([self.list_item(index)]));
            }
            for at in &call.needs {
                let value = if self.has_members(at) {
                    json!({})
                } else {
                    self.item.into()
                };
                put(&mut body, at, value);
            }
            if let Some((at, asked)) = call.names.first().zip(self.asked_for(call, request)) {
                put(&mut body, at, asked.into());
            }
            // What the client gave is right.
            for check in &call.checks {
                match &check.compared {
                    Compared::Parameter(name, members) => {
                        if let (Some(at), Some(given)) =
                            (members.first(), self.arguments.text(name))
                        {
                            put(&mut body, at, json!([given]));
                        }
                    }
                    Compared::Member(at, Predicate::OneOf { values, is: true }) => {
                        put(&mut body, at, values.first().cloned().unwrap_or_default());
                    }
                    Compared::Member(..) | Compared::Subject(_) => {}
                }
            }
        }
        for assumption in assumptions.iter().filter(|assumed| assumed.call == index) {
            put(&mut body, &assumption.at, assumption.value.clone());
        }
        Outcome::Answered {
            status: 200,
            body: Some(body.into()),
        }
    }

    /// What a request asks for: the last id in its path, or whom or what the operation is about.
    fn asked_for(&self, call: &operation::Call, request: &V2Request) -> Option<String> {
        let is_filled = |segment: &Segment| matches!(segment, Segment::Filled { .. });
        let Some(at) = call.path.iter().rposition(is_filled) else {
            let mut given = self.operation.subject.iter();
            return given.find_map(|name| Some(self.arguments.text(name)?.to_string()));
        };
        let encoded = request.path.trim_start_matches('/').split('/').nth(at)?;
        let once = percent_decode_str(encoded).decode_utf8().ok()?;
        // A uuid may be encoded twice.
        let twice = percent_decode_str(&once).decode_utf8().ok()?;
        Some(twice.into_owned())
    }

    /// Whether fields of v2's documents lie below a pointer: what is there must be an object.
    fn has_members(&self, pointer: &str) -> bool {
        let mut places = self.catalog.fields().iter().flat_map(|field| &field.places);
        places.any(|place| match place {
            Place::Document(place) => place
                .pointer
                .strip_prefix(pointer)
                .is_some_and(|below| below.starts_with('/')),
            _ => false,
        })
    }

    /// The one item of the list that a call answers: what the calls that are made for it look at.
    fn list_item(&self, list: usize) -> Value {
        let mut item = json!({});
        for call in &self.plan.calls {
            let is_for_it = self.plan.list_of(call) == Some(list);
            let Some(each) = call.each.as_ref().filter(|_| is_for_it) else {
                continue;
            };
            if let Some(pointer) = &each.subject {
                put(&mut item, pointer, self.item.into());
            }
            for segment in &call.path {
                if let Segment::Filled {
                    by: Filling::Item(pointer),
                    ..
                } = segment
                {
                    put(&mut item, pointer, self.item.into());
                }
            }
            for test in &each.only {
                match &test.predicate {
                    Predicate::Equals(parameter) => {
                        put(&mut item, &test.at, self.arguments.text(parameter).into());
                    }
                    Predicate::OneOf { values, is: true } => {
                        put(
                            &mut item,
                            &test.at,
                            values.first().cloned().unwrap_or_default(),
                        );
                    }
                    _ => {}
                }
            }
        }
        item
    }
}

fn once_each(assumptions: impl Iterator<Item = Assumption>) -> Vec<Assumption> {
    let mut once = Vec::new();
    for assumption in assumptions {
        if !once.contains(&assumption) {
            once.push(assumption);
        }
    }
    once
}

/// A request of one course.
struct Made {
    call: usize,
    step: usize,
    request: V2Request,
}

fn unconditional(made: Made) -> Planned {
    Planned {
        call: made.call,
        request: made.request,
        only_if: Vec::new(),
        members: Vec::new(),
    }
}

/// Adds what another course has beside the usual one, under its condition.
fn merge(
    plan: &[operation::Call],
    planned: &mut Vec<(usize, Planned)>,
    made: &Made,
    assumption: &Assumption,
) {
    let call = plan.get(made.call);
    let known = planned
        .iter()
        .position(|(_, known)| known.call == made.call);
    let at = known.unwrap_or_else(|| {
        let mut request = made.request.clone();
        // Its members come below, each with its condition.
        if let Body::Json(body) = &mut request.body
            && !call.is_some_and(has_state_condition)
        {
            *body = json!({});
        }
        planned.push((
            made.step,
            Planned {
                call: made.call,
                request,
                only_if: Vec::new(),
                members: Vec::new(),
            },
        ));
        planned.len() - 1
    });
    let Some((_, planned)) = planned.get_mut(at) else {
        return;
    };
    // A condition on what is found says the same in the catalog's own words.
    let condition = assumption.in_words(plan);
    let is_unusual = known.is_none() || !planned.only_if.is_empty();
    if is_unusual && !call.is_some_and(has_state_condition) && !planned.only_if.contains(&condition)
    {
        planned.only_if.push(condition.clone());
    }
    let (Body::Json(body), Body::Json(other)) = (&mut planned.request.body, &made.request.body)
    else {
        return;
    };
    let mut more = Vec::new();
    leaves(other, &mut String::new(), &mut more);
    for (pointer, value) in more {
        if body.pointer(&pointer).is_none() {
            put(body, &pointer, value);
            let member = wording::dotted(&pointer);
            planned.members.push((member, condition.clone()));
        }
    }
}

/// The time, in seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

fn has_state_condition(call: &operation::Call) -> bool {
    call.when.iter().any(|condition| condition.answer.is_some())
}

/// The members of a document that are no objects: pointer and value.
fn leaves(value: &Value, pointer: &mut String, found: &mut Vec<(String, Value)>) {
    let Some(members) = value.as_object() else {
        found.push((pointer.clone(), value.clone()));
        return;
    };
    for (name, inner) in members {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(name);
        leaves(inner, pointer, found);
        pointer.truncate(length);
    }
}

/// Puts a value where a pointer says, making the objects on the way.
fn put(into: &mut Value, pointer: &str, value: Value) {
    let mut place = into;
    for name in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = json!({});
        }
        let Value::Object(members) = place else {
            return;
        };
        place = members.entry(name).or_insert(Value::Null);
    }
    *place = value;
}
