//! A v2 that replays a recording, to test a program without Zoom and without a network.
//!
//! A request gets the recorded responses to the same request in order, then the last one again. A
//! request that was not recorded fails and is logged as an error. A recording with omitted
//! exchanges is refused, because requests would get the responses of earlier exchanges.

mod pseudonyms;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use mappings::Catalog;
use parking_lot::Mutex;
use recording::{Exchange, OutcomeKind, PseudonymKey, REDACTED, V2Exchange};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::form_urlencoded;

use pseudonyms::{Pseudonyms, V2Request};

/// Path prefix of v2.
const PREFIX: &str = "/v2";

const TOKENS: &str = "/oauth/token";

/// Maximum size of a v2 request body, in bytes. A picture has up to 2 MiB.
const LARGEST_BODY: usize = 8 << 20;

/// Maximum number of lines listed in an error message.
const LINES_NAMED: usize = 3;

/// The recorded v2 calls by method and path.
#[derive(Debug, Default)]
pub(super) struct Replay {
    calls: Mutex<BTreeMap<(String, String), Vec<Played>>>,
    /// Pseudonyms of the recording, if it has some.
    pseudonyms: Option<Pseudonyms>,
    /// Number of calls.
    pub(super) count: usize,
}

/// One recorded call.
#[derive(Debug)]
struct Played {
    recorded: V2Exchange,
    status: StatusCode,
    is_used: bool,
}

impl Replay {
    /// Reads a recording with the key of its pseudonyms, if it has some.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read, if a line is not an exchange, if exchanges were omitted, or if
    /// it has pseudonyms and there is no key.
    pub(super) fn read(
        file: &Path,
        catalog: &Arc<Catalog>,
        key: Option<PseudonymKey>,
    ) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("--replay: {} cannot be read", file.display()))?;
        let mut replay = Self {
            pseudonyms: key.map(|key| Pseudonyms::new(catalog, key)),
            ..Self::default()
        };
        let mut wrong = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            match Exchange::read(line) {
                Ok(exchange) => match replay.unusable(&exchange) {
                    Some(why) => bail!("--replay: {} line {number}: {why}", file.display()),
                    None => replay.add(exchange),
                },
                Err(error) => wrong.push(format!("line {number}: {error}")),
            }
        }
        if !wrong.is_empty() {
            let more = wrong.len().saturating_sub(LINES_NAMED);
            wrong.truncate(LINES_NAMED);
            let more = if more > 0 {
                format!("; and {more} more")
            } else {
                String::new()
            };
            bail!("--replay: {}: {}{more}", file.display(), wrong.join("; "));
        }
        Ok(replay)
    }

    /// The reason why an exchange cannot be replayed.
    fn unusable(&self, exchange: &Exchange) -> Option<String> {
        if let Some(settings) = &exchange.incomplete {
            return Some(format!(
                "recorded with {settings}, which leaves exchanges out: their requests would be answered \
                 with older ones; record again without"
            ));
        }
        (self.pseudonyms.is_none() && exchange.has_pseudonyms()).then(|| {
            "addresses and names are pseudonyms, which no request has; set record.pseudonym_key_file to \
             the key of the recording, or record again without one"
                .to_owned()
        })
    }

    fn add(&mut self, exchange: Exchange) {
        let calls = self.calls.get_mut();
        for recorded in exchange.v2 {
            // A call without a response cannot be replayed.
            let status = recorded
                .status
                .and_then(|status| StatusCode::from_u16(status).ok());
            let Some(status) = status else { continue };
            let request = (recorded.method.clone(), recorded.path.clone());
            calls.entry(request).or_default().push(Played {
                recorded,
                status,
                is_used: false,
            });
            self.count += 1;
        }
    }

    /// The next response to a request; `None` if the request was not recorded.
    fn answer(&self, request: V2Request) -> Option<Response> {
        let mut request = match &self.pseudonyms {
            Some(pseudonyms) => pseudonyms.apply(request),
            None => request,
        };
        request.query.sort();
        let (query, body) = (request.query, request.body);
        let mut calls = self.calls.lock();
        let played = calls.get_mut(&(request.method, request.path))?;
        let matches = |played: &&mut Played| played.matches(&query, body.as_ref());
        let mut fitting: Vec<_> = played.iter_mut().filter(matches).collect();
        let next = fitting.iter().position(|played| !played.is_used);
        let at = next.or_else(|| fitting.len().checked_sub(1))?;
        let played = fitting.get_mut(at)?;
        played.is_used = true;
        Some(played.response(self.pseudonyms.as_ref()))
    }
}

impl Played {
    fn matches(&self, query: &[(String, String)], body: Option<&Value>) -> bool {
        let mut recorded = self.recorded.query.clone();
        recorded.sort();
        let is_same = |(one, other): (&(String, String), &(String, String))| {
            one.0 == other.0 && (one.1 == REDACTED || one.1 == other.1)
        };
        recorded.len() == query.len()
            && recorded.iter().zip(query).all(is_same)
            && body_matches(self.recorded.body.as_ref(), body)
    }

    fn response(&self, pseudonyms: Option<&Pseudonyms>) -> Response {
        match (&self.recorded.outcome, &self.recorded.answer) {
            (OutcomeKind::Answered, Some(answer)) => {
                let answered = pseudonyms.map(|pseudonyms| pseudonyms.answer(answer.clone()));
                as_json(self.status, answered.as_ref().unwrap_or(answer))
            }
            (OutcomeKind::Answered, None) => self.status.into_response(),
            _ => (self.status, "This response was not from v2's API.\n").into_response(),
        }
    }
}

/// True if a body equals the recorded one. Redacted values match anything, and files are not
/// compared.
fn body_matches(recorded: Option<&Value>, given: Option<&Value>) -> bool {
    match (recorded, given) {
        (Some(recorded), _) if recorded.get("file").is_some() => true,
        (Some(recorded), Some(given)) => is_equal(recorded, given),
        (recorded, given) => recorded == given,
    }
}

fn is_equal(recorded: &Value, given: &Value) -> bool {
    match (recorded, given) {
        (Value::String(text), _) if text == REDACTED => true,
        (Value::Object(recorded), Value::Object(given)) => {
            let has_equal = |(name, value): (&String, &Value)| {
                given.get(name).is_some_and(|given| is_equal(value, given))
            };
            recorded.len() == given.len() && recorded.iter().all(has_equal)
        }
        (Value::Array(recorded), Value::Array(given)) => {
            let pairs = || recorded.iter().zip(given);
            recorded.len() == given.len() && pairs().all(|(one, other)| is_equal(one, other))
        }
        (recorded, given) => recorded == given,
    }
}

/// Serves a recording until the process ends.
pub(super) fn serve(listener: TcpListener, replay: Replay) {
    let router = Router::new()
        .route(TOKENS, post(token))
        .fallback(play)
        .with_state(Arc::new(replay));
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// Base URL of v2, and URL of the token endpoint.
pub(super) fn urls(address: SocketAddr) -> (String, String) {
    let base = format!("http://{address}");
    (format!("{base}{PREFIX}"), format!("{base}{TOKENS}"))
}

async fn token() -> Response {
    let token = json!({ "access_token": "replay", "token_type": "bearer", "expires_in": 86_400 });
    as_json(StatusCode::OK, &token)
}

async fn play(State(replay): State<Arc<Replay>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_BODY).await;
    let body: Option<Value> = body
        .ok()
        .and_then(|body: Bytes| serde_json::from_slice(&body).ok());
    let path = head.uri.path();
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let query = head.uri.query().unwrap_or_default();
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let method = head.method.as_str();
    let mut names: Vec<_> = query.iter().map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    let names = names.join(", ");
    let request = V2Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query,
        body,
    };
    if let Some(answer) = replay.answer(request) {
        return answer;
    }
    tracing::error!(method, path, parameters = names, "Not in the recording");
    let message = format!("Not in the recording: {method} {path}");
    // v1 repeats the message of this error. Other errors only say that v2 cannot be reached.
    let error = json!({ "code": 400, "message": message });
    as_json(StatusCode::BAD_REQUEST, &error)
}

fn as_json(status: StatusCode, value: &Value) -> Response {
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        value.to_string(),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacted_values_match_anything() {
        let recorded = json!({ "password": REDACTED, "list": [1, { "a": REDACTED }] });
        let given = json!({ "list": [1, { "a": 7 }], "password": "x" });
        assert!(body_matches(Some(&recorded), Some(&given)));
        for other in [
            json!({ "list": [1, { "a": 7 }] }),
            json!({ "list": [2, { "a": 7 }], "password": "x" }),
            json!({ "list": [1], "password": "x" }),
            json!({ "list": [1, { "a": 7 }], "password": "x", "more": 1 }),
        ] {
            assert!(!body_matches(Some(&recorded), Some(&other)), "{other}");
        }
        assert!(!body_matches(Some(&recorded), None));
        assert!(!body_matches(None, Some(&given)));
        assert!(body_matches(None, None));
        let file = json!({ "file": { "part": "pic_file", "bytes": 7 } });
        assert!(
            body_matches(Some(&file), None),
            "a file is sent as multipart"
        );
    }

    #[test]
    fn responses_come_in_order_and_the_last_one_repeats() {
        let mut replay = Replay::default();
        let call = |dept: &str| V2Exchange {
            call: "user".to_owned(),
            method: "GET".to_owned(),
            path: "/users/u1".to_owned(),
            query: vec![
                ("b".to_owned(), "2".to_owned()),
                ("a".to_owned(), "1".to_owned()),
            ],
            body: None,
            outcome: OutcomeKind::Answered,
            status: Some(match dept {
                "Sales" => 200,
                _ => 201,
            }),
            answer: Some(json!({ "dept": dept })),
            micros: 0,
        };
        let unanswered = V2Exchange {
            status: None,
            outcome: OutcomeKind::NoAnswer,
            ..call("")
        };
        let mut exchange = Exchange::read(
            r#"{"format":1,"id":"1","v1":{"operation":"user/get","parameters":{},"answer":{}}}"#,
        )
        .unwrap();
        exchange.v2 = vec![call("Sales"), unanswered, call("Research")];
        replay.add(exchange);
        assert_eq!(replay.count, 2);
        let query = [
            ("a".to_owned(), "1".to_owned()),
            ("b".to_owned(), "2".to_owned()),
        ];
        let status = |path: &str, query: &[(String, String)]| {
            let answer = replay.answer(V2Request {
                method: "GET".to_owned(),
                path: path.to_owned(),
                query: query.to_vec(),
                body: None,
            });
            answer.map(|answer| answer.status().as_u16())
        };
        for expected in [200, 201, 201] {
            assert_eq!(status("/users/u1", &query), Some(expected));
        }
        assert_eq!(status("/users/u2", &query), None);
        assert_eq!(status("/users/u1", &query[..1]), None);
    }
}
