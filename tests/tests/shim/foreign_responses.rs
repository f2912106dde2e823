//! Invalid 2xx responses of v2 for every call of every operation: an empty object, null, an error,
//! a web page, another user's data. Reads invent nothing, writes do not rely on them, and no
//! outcome is claimed.

use std::collections::BTreeSet;

use axum::http::Method;
use end_to_end::{Fault, Stage, V2Call, fits};
use mappings::{
    Catalog,
    catalog::operation::{Call, Operation, Plan},
};
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;

use crate::valid_requests::{Ids, REQUESTS, ask};

/// The read of a sub account that was found in v2's list, and the picture upload.
const UNREACHED: [&str; 2] = [
    "ma/account/create GET /accounts/{accountId}",
    "user/updatepassword POST /users/{userId}/picture",
];

/// A free sub account, without price plans.
const NO_PLANS: (&str, &str) = ("nothing", "/accounts/{accountId}/plans");

fn method(call: &Call) -> Method {
    Method::from_bytes(call.method.as_str().as_bytes()).unwrap()
}

/// Invalid responses, by name.
fn faults(calls: &[&Call]) -> Vec<(&'static str, Fault)> {
    let disguised = json!({ "code": 300, "message": "Odd." });
    let mut faults = vec![
        ("an error", Fault::Refused(200, disguised)),
        ("a page", Fault::Page),
    ];
    // An empty response to a write is valid.
    if calls
        .iter()
        .any(|call| call.method.is_read() || !call.needs.is_empty())
    {
        faults.push(("nothing", Fault::Refused(200, json!({}))));
        faults.push(("null", Fault::Refused(200, Value::Null)));
    }
    if calls.iter().any(|call| !call.names.is_empty()) {
        faults.push(("another", Fault::Renamed));
    }
    faults
}

/// Plans of an operation and its variants.
fn plans(operation: &Operation) -> impl Iterator<Item = &Plan> {
    let variants = operation.variants.iter();
    let all = std::iter::once(operation).chain(variants.map(|variant| &variant.operation));
    all.filter_map(Operation::plan)
}

/// Runs the requests of an area with each fault in each call. Returns the calls reached.
async fn check(settings: &str, area: &str) -> BTreeSet<String> {
    let catalog = Catalog::embedded().unwrap();
    let stage = Stage::with(SandboxConfig::default(), settings).await;
    let mut ids = Ids::of(&stage).await;
    let mut reached = BTreeSet::new();
    let mut wrong = Vec::new();
    for request in REQUESTS.iter().filter(|one| one.starts_with(area)) {
        let filled = ids.fill(request).await;
        stage.wire().take();
        let well = ask(&stage, &filled).await;
        if well.body.get("error").is_some() {
            wrong.push(format!("{filled}: {}", well.body));
            continue;
        }
        let made = stage.wire().take();
        let operation = request.split(' ').next().unwrap();
        let has = |plan: &Plan, made: &V2Call| {
            let mut calls = plan.calls.iter();
            calls.any(|call| made.method == method(call) && fits(&call.template, &made.path))
        };
        let mut plans = plans(catalog.find(operation).unwrap());
        let plan = plans.find(|plan| made.iter().all(|made| has(plan, made)));
        let plan = plan.unwrap();
        let first_write = plan.calls.iter().position(|call| !call.method.is_read());
        let mut endpoints: Vec<(Method, String)> = Vec::new();
        for (index, first) in plan.calls.iter().enumerate() {
            let (method, template) = (method(first), first.template.to_string());
            let is_it = |made: &V2Call| made.method == method && fits(&template, &made.path);
            let endpoint = (method.clone(), template.clone());
            if endpoints.contains(&endpoint) || !made.iter().any(is_it) {
                continue;
            }
            endpoints.push(endpoint);
            reached.insert(format!("{operation} {method} {template}"));
            let calls = plan.calls.iter();
            let calls: Vec<_> = calls
                .filter(|call| call.method == first.method && call.template == first.template)
                .collect();
            let may_fail = calls.iter().any(|call| call.may_fail());
            for (kind, fault) in faults(&calls) {
                if (kind, template.as_str()) == NO_PLANS {
                    continue;
                }
                let filled = ids.fill(request).await;
                stage.wire().take();
                stage.wire().fail_always(method.clone(), &template, fault);
                let answer = ask(&stage, &filled).await;
                stage.wire().mend();
                let made = stage.wire().take();
                let error = &answer.body["error"]["message"];
                let is_lost = |warning: &String| warning.contains("could not be");
                let is_warned = answer.warnings.len() > well.warnings.len()
                    || well.warnings.iter().any(is_lost);
                let told = match error.as_str() {
                    None => may_fail && is_warned,
                    Some(_) if kind == "an error" || first.method.is_read() => true,
                    Some(error) => error.contains("nothing is known about the outcome"),
                };
                let is_write = |made: &V2Call| made.method != Method::GET;
                let relied = error.is_string()
                    && !may_fail
                    && first_write.is_some_and(|first| index < first)
                    && made.iter().any(is_write);
                if !told || relied {
                    wrong.push(format!(
                        "{kind} for {method} {template} of {filled}: {:?} {}",
                        answer.warnings, answer.body
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    reached
}

#[tokio::test]
async fn invalid_v2_responses_are_not_used() {
    let choices = [
        "plan_writes = true",
        "plan_writes = true\ntoken = true\nlist_detail = \"full\"\nlist_pictures = true\n\
         room_passcode = true\nreport_logins = \"full\"\nwebinar_lists = \"all\"\n\
         registration_status = \"all\"\nlive_source = \"users\"\n\
         scheduleforhost = \"schedulers\"\nrecording_downloads = \"plain\"\n\
         assistant_delete = \"all\"",
    ];
    let mut reached = BTreeSet::new();
    let all = choices.map(|options| (options, ""));
    let contacts = ("im_groups = \"contact\"", "im/group/");
    for (options, area) in all.into_iter().chain([contacts]) {
        let settings = format!("[cache]\nseconds = 0\n[options]\n{options}");
        reached.extend(check(&settings, area).await);
    }
    let catalog = Catalog::embedded().unwrap();
    let mut all = BTreeSet::new();
    for operation in catalog.operations() {
        // Calls that verify a lost create are only sent after one.
        let calls = plans(operation)
            .flat_map(|plan| &plan.calls)
            .filter(|call| !call.is_verification());
        all.extend(calls.map(|call| {
            format!(
                "{} {} {}",
                operation.name,
                call.method.as_str(),
                call.template
            )
        }));
    }
    let unreached: Vec<_> = all.difference(&reached).collect();
    assert_eq!(unreached, UNREACHED);
}
