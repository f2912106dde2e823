//! Writes while more than a quarter of v2's calls fail in nine ways. No call that v2 may have
//! executed is sent again, and all claims in the responses are true.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::http::Method;
use end_to_end::{Answer, Stage, Tampered};

use crate::{random_writes::writes, write_effects::Write};

/// Faults, in the sandbox's notation. With the first ones, v2 certainly did nothing.
const FAULTS: [&str; 9] = [
    "status=429,retry_after=0",
    "answer=expired-token",
    "answer=drop",
    "answer=drop,when=after",
    "status=500",
    "status=502,when=after",
    "status=503",
    "answer=html,when=after",
    "answer=truncate",
];
const HARMLESS: usize = 2;
const SHARE: f64 = 0.28;

/// Environment variable with the number of rounds, each with its own seed. Set by `.ci/run long`.
const ROUNDS: &str = "RANDOM_FAULT_ROUNDS";

/// Claim of a response about a call: number of effects stored and not stored.
#[derive(Debug, Default, Clone, Copy)]
struct Claim {
    stored: usize,
    missing: usize,
}

/// Parses the claims of a response, by call.
fn claims(answer: &Answer, write: &Write) -> BTreeMap<&'static str, Claim> {
    let all = |claim: fn(usize) -> Claim| {
        let effects = write.effects.iter();
        effects
            .map(|(call, effect)| (*call, claim(effect.size())))
            .collect()
    };
    let error = &answer.body["error"];
    if error.is_null() {
        return all(|stored| Claim { stored, missing: 0 });
    }
    let message = error["message"].as_str().unwrap();
    let Some((_, progress)) = message.rsplit_once(" (") else {
        return if message.contains("nothing is known about the outcome") {
            BTreeMap::new()
        } else {
            all(|missing| Claim { stored: 0, missing })
        };
    };
    // Without parentheses within the sentence, such as `add (30 of 35)`.
    let progress = message
        .find("; the same request again")
        .map_or(progress, |end| &message[..end]);
    let progress = progress
        .split_once(": ")
        .map_or(progress, |(_, parts)| parts);
    let mut claimed: BTreeMap<_, Claim> = BTreeMap::new();
    let mut open: Vec<&str> = Vec::new();
    for part in progress.split(", ") {
        let ended = [" not stored", " unknown", " stored"]
            .iter()
            .find_map(|how| Some((part.strip_suffix(how)?, *how)));
        let Some((name, how)) = ended else {
            open.push(part);
            continue;
        };
        for part in open.drain(..).chain([name]) {
            let (name, count) = match part.split_once(" (") {
                Some((name, count)) => (name, count.split(' ').next().unwrap().parse().ok()),
                None => (part, None),
            };
            let effect = write.effects.iter().find(|(call, _)| *call == name);
            if let Some((call, effect)) = effect {
                let count = count.unwrap_or(effect.size());
                let claim = claimed.entry(*call).or_default();
                match how {
                    " stored" => claim.stored = count,
                    " not stored" => claim.missing = count,
                    _ => {}
                }
            }
        }
    }
    claimed
}

/// Panics if a request repeated a write that v2 may have executed.
fn nothing_was_sent_twice(calls: &[Tampered]) {
    let mut open = BTreeSet::new();
    for Tampered {
        request,
        call,
        fault,
    } in calls
    {
        if call.method == Method::GET || !call.path.starts_with("/v2/") {
            continue;
        }
        let key = (request, call.line(), call.body.to_vec());
        assert!(!open.contains(&key), "sent twice: {call:?}");
        let is_harmless = fault.is_some_and(|fault| FAULTS[..HARMLESS].contains(&fault));
        if !is_harmless {
            open.insert(key);
        }
    }
}

async fn ask(stage: &Stage, write: &Write) -> Answer {
    let given = write.given.iter();
    let given: Vec<_> = given
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    stage.ask(&write.operation, &given).await
}

#[tokio::test]
async fn claims_are_true_and_writes_are_not_repeated() {
    let rounds = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok());
    for round in 0..rounds.unwrap_or(2) {
        let account = shim_sandbox::SandboxConfig {
            users: 150,
            ..shim_sandbox::SandboxConfig::default()
        };
        let stage = Stage::with(account, "[options]\nplan_writes = true").await;
        let writes = Arc::new(writes(&stage).await);
        stage.wire().mend();
        stage.wire().fail_by_chance(round, SHARE, &FAULTS);
        let mut answers = Vec::new();
        for at in 0..writes.len() {
            let (stage, writes) = (stage.clone(), Arc::clone(&writes));
            answers.push(tokio::spawn(async move { ask(&stage, &writes[at]).await }));
        }
        let mut told = Vec::new();
        for answer in answers {
            told.push(answer.await.unwrap());
        }
        nothing_was_sent_twice(&stage.wire().mend());
        let mut kinds = [0, 0];
        for (write, answer) in writes.iter().zip(&told) {
            kinds[usize::from(answer.body.get("error").is_some())] += 1;
            let claimed = claims(answer, write);
            for (call, effect) in &write.effects {
                let Some(claim) = claimed.get(call) else {
                    continue;
                };
                let (done, all) = (effect.done(&stage).await, effect.size());
                assert!(
                    claim.stored <= done && done + claim.missing <= all,
                    "round {round}: {done} of {all} done by {call} of {} {:?}: {answer:?}",
                    write.operation,
                    write.given
                );
            }
        }
        // Both outcomes occurred.
        assert!(kinds.iter().all(|count| *count > 5), "{kinds:?}");
        // Writes whose error announces completion on retry are completed.
        for (write, answer) in writes.iter().zip(told) {
            let message = answer.body["error"]["message"].as_str().unwrap_or_default();
            if message.contains("does what is missing)") {
                ask(&stage, write).await.success();
                for (call, effect) in &write.effects {
                    let (done, all) = (effect.done(&stage).await, effect.size());
                    assert_eq!(done, all, "{call} of {:?}", write.given);
                }
            }
        }
    }
}

/// All served writes are covered, except one that needs a picture.
#[tokio::test]
async fn covers_all_writes() {
    let stage = Stage::with(
        shim_sandbox::SandboxConfig {
            users: 150,
            ..shim_sandbox::SandboxConfig::default()
        },
        "[options]\nplan_writes = true",
    )
    .await;
    let tried: BTreeSet<_> = writes(&stage)
        .await
        .into_iter()
        .map(|write| write.operation)
        .collect();
    let catalog = mappings::Catalog::embedded().unwrap();
    let served = catalog.operations().iter();
    let served = served.filter(|operation| !operation.read && operation.plan().is_some());
    let missing: Vec<_> = served
        .map(|operation| operation.name.as_str())
        .filter(|name| !tried.contains(*name))
        .collect();
    assert_eq!(missing, ["user/uploadpicture"]);
}
