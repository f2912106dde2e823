//! Dry run of a translation: fed with assumed v2 responses, it yields the requests that the shim
//! would send.
//!
//! The translation is run once per v2 response that matters. Requests that differ between runs
//! become conditional.

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

/// Upper bound of steps; no plan has as many.
const ROUNDS: usize = 100;

/// A request to translate without v2.
pub(super) struct DryRun<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) operation: &'a Operation,
    /// Plan of the operation; empty if it is not served from v2.
    pub(super) plan: &'a Plan,
    pub(super) site: &'a Site,
    pub(super) arguments: &'a Arguments,
    /// Marker for the id of list items.
    pub(super) item: &'a str,
}

/// A request, possibly conditional.
pub(super) struct Planned {
    /// Index of the call in the plan.
    pub(super) call: usize,
    pub(super) request: V2Request,
    /// Conditions of which one must hold; unconditional if empty.
    pub(super) only_if: Vec<String>,
    /// Conditional members of the body: path and condition.
    pub(super) members: Vec<(String, String)>,
}

/// Assumed value in a v2 response that decides which requests follow.
#[derive(Clone, PartialEq)]
struct Assumption {
    /// Index of the call that returns it.
    call: usize,
    /// Pointer into its response.
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

impl DryRun<'_> {
    /// The requests in sending order, and the result of the run without assumptions.
    ///
    /// # Errors
    ///
    /// The v1 error that is returned without calling v2.
    pub(super) fn requests(&self) -> Result<(Vec<Planned>, Finished), V1Error> {
        let (usual, _) = self.run(&[])?;
        let stored = self.stored_assumptions();
        let mut planned: Vec<(usize, Planned)> = usual
            .into_iter()
            .map(|made| (made.step, unconditional(made)))
            .collect();
        for assumption in unique(self.assumed_answers().chain(stored.iter().cloned())) {
            let (others, _) = self.run(std::slice::from_ref(&assumption))?;
            for made in others {
                merge(&self.plan.calls, &mut planned, &made, &assumption);
            }
        }
        // v2 stores one value per place.
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

    /// Condition on earlier responses, if every condition of the call has one.
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

    /// Response values that decide whether a call is made.
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

    /// Stored values that decide the meaning of a parameter.
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

    /// Stored values that decide the meaning of one parameter of a pair that shares a place in v2.
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

    fn run(&self, assumptions: &[Assumption]) -> Result<(Vec<SentRequest>, Finished), V1Error> {
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
                    made.push(SentRequest {
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

    /// A minimal successful response that lets the plan continue.
    fn answer(&self, index: usize, request: &V2Request, assumptions: &[Assumption]) -> Outcome {
        let mut body = json!({});
        if let Some(call) = self.plan.calls.get(index) {
            if let Some(pages) = &call.pages {
                put(&mut body, &pages.items, json!([self.list_item(index)]));
                // v2 echoes the page number.
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
            // Checks succeed.
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

    /// Id that a request is about: the last one in its path, else the subject of the operation.
    fn asked_for(&self, call: &operation::Call, request: &V2Request) -> Option<String> {
        let is_filled = |segment: &Segment| matches!(segment, Segment::Filled { .. });
        let Some(at) = call.path.iter().rposition(is_filled) else {
            let mut given = self.operation.subject.iter();
            return given.find_map(|name| Some(self.arguments.text(name)?.to_string()));
        };
        let encoded = request.path.trim_start_matches('/').split('/').nth(at)?;
        let once = percent_decode_str(encoded).decode_utf8().ok()?;
        // UUIDs may be encoded twice.
        let twice = percent_decode_str(&once).decode_utf8().ok()?;
        Some(twice.into_owned())
    }

    /// True if v2 fields are below a pointer, so that it must be an object.
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

    /// The single list item of a response, with the members that later calls read.
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

fn unique(assumptions: impl Iterator<Item = Assumption>) -> Vec<Assumption> {
    let mut once = Vec::new();
    for assumption in assumptions {
        if !once.contains(&assumption) {
            once.push(assumption);
        }
    }
    once
}

/// A request of one run.
struct SentRequest {
    call: usize,
    step: usize,
    request: V2Request,
}

fn unconditional(made: SentRequest) -> Planned {
    Planned {
        call: made.call,
        request: made.request,
        only_if: Vec::new(),
        members: Vec::new(),
    }
}

/// Adds the requests and body members of a run under an assumption, with its condition.
fn merge(
    plan: &[operation::Call],
    planned: &mut Vec<(usize, Planned)>,
    made: &SentRequest,
    assumption: &Assumption,
) {
    let call = plan.get(made.call);
    let known = planned
        .iter()
        .position(|(_, known)| known.call == made.call);
    let at = known.unwrap_or_else(|| {
        let mut request = made.request.clone();
        // Members are added below, each with its condition.
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
    // A response condition is described by the catalog's own words.
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

/// Current time, in seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

fn has_state_condition(call: &operation::Call) -> bool {
    call.when.iter().any(|condition| condition.answer.is_some())
}

/// Leaves of a document, as pointer and value.
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

/// Sets the value at a pointer, creating objects on the way.
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
