use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use mappings::{File, RateLabel};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::{
    http::HttpSettings,
    resolver::ResolverSettings,
    token::{Access, OAuth},
};

const LIMITS: CallLimits = CallLimits {
    timeout: Duration::from_secs(5),
    response_bytes: 1000,
};

/// Server that counts requests and responds with the result of a function.
#[derive(Clone)]
struct Scripted {
    address: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Scripted {
    async fn start<R: IntoResponse>(
        answer: impl Fn(usize, Request) -> R + Clone + Send + Sync + 'static,
    ) -> Self {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let router = Router::new().fallback(move |request: Request| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let response: Response = answer(number, request).into_response();
            async move { response }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, count }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn base(&self) -> BaseUrl {
        BaseUrl::parse(&format!("http://{}/v2", self.address)).unwrap()
    }

    fn oauth(&self) -> OAuth {
        OAuth {
            url: format!("http://{}/oauth/token", self.address)
                .parse()
                .unwrap(),
            account_id: "an account".to_owned(),
            client_id: "client".to_owned(),
            client_secret: "client-secret".into(),
        }
    }
}

fn client() -> Client {
    let base = BaseUrl::parse("http://127.0.0.1/v2").unwrap();
    http(base).client().clone()
}

fn http(base: BaseUrl) -> Http {
    let settings = HttpSettings {
        base,
        resolver: ResolverSettings::default(),
        connect_timeout: Duration::from_secs(3),
        max_idle: 8,
        is_local: true,
    };
    Http::new(&settings).unwrap()
}

fn fixed(base: BaseUrl) -> Upstream {
    let token = Token::new(&"t0".into()).unwrap();
    upstream(base, Tokens::Fixed(token))
}

fn upstream(base: BaseUrl, tokens: Tokens) -> Upstream {
    let http = http(base.clone());
    with_http(http, base, tokens)
}

pub(crate) fn with_http(http: Http, base: BaseUrl, tokens: Tokens) -> Upstream {
    let endpoint = Endpoint {
        http,
        base,
        limits: LIMITS,
        on_call: Box::new(|_| {}),
    };
    Upstream::new(
        Arc::new(endpoint),
        tokens,
        Arc::new(Account::new(None, None)),
    )
}

pub(crate) fn request(method: Method, body: Body) -> V2Request {
    V2Request {
        method,
        path: "/users/a%40b.c%2F..".to_owned(),
        query: Vec::new(),
        body,
        template: "/users/{userId}".into(),
        label: RateLabel::Light,
    }
}

pub(crate) fn get() -> V2Request {
    request(Method::Get, Body::None)
}

pub(crate) fn soon() -> Scope {
    within(Duration::from_secs(10))
}

fn within(time: Duration) -> Scope {
    Scope {
        id: RequestId::fresh(),
        deadline: Instant::now() + time,
    }
}

pub(crate) fn answered(status: u16, body: Value) -> Outcome {
    Outcome::Answered {
        status,
        body: Some(body.into()),
    }
}

fn bearer(request: &Request) -> String {
    request.headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned()
}

async fn echo(request: Request) -> axum::Json<Value> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name| parts.headers.get(name).map(|value| value.to_str().unwrap());
    axum::Json(json!({
        "line": format!("{} {}", parts.method, parts.uri),
        "authorization": header("authorization"),
        "content_type": header("content-type").map(|value| value.split(';').next()),
        "body": body.escape_ascii().to_string(),
    }))
}

#[tokio::test]
async fn sends_requests_unchanged() {
    let router = Router::new().fallback(echo);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let base = BaseUrl::parse(&format!("http://{address}/v2/")).unwrap();
    let upstream = fixed(base);

    let mut list = get();
    list.query = vec![("a".to_owned(), "b&c=d é".to_owned())];
    let Outcome::Answered { body, .. } = upstream.send(&list, soon(), false).await else {
        panic!("no answer");
    };
    let get = json!({
        "line": "GET /v2/users/a%40b.c%2F..?a=b%26c%3Dd+%C3%A9",
        "authorization": "Bearer t0",
        "content_type": null,
        "body": "",
    });
    assert_eq!(body.unwrap().json().to_value(), get);

    let patch = request(Method::Patch, Body::Json(json!({ "dept": "R&D" })));
    let patched = upstream.send(&patch, soon(), false).await;
    let expected = json!({
        "line": "PATCH /v2/users/a%40b.c%2F..",
        "authorization": "Bearer t0",
        "content_type": "application/json",
        "body": r#"{\"dept\":\"R&D\"}"#,
    });
    assert_eq!(patched, answered(200, expected));

    let picture = Body::File {
        part: "pic_file".to_owned(),
        media_type: "image/jpeg".to_owned(),
        file: File {
            name: Some("a\"\r\nX: y.jpg".to_owned()),
            bytes: Bytes::from_static(b"\xff\xd8\0"),
        },
    };
    let uploaded = upstream
        .send(&request(Method::Post, picture), soon(), false)
        .await;
    let Outcome::Answered {
        body: Some(body), ..
    } = uploaded
    else {
        panic!("no answer");
    };
    let body = body.json().to_value();
    assert_eq!(body["content_type"], "multipart/form-data");
    let parts = body["body"].as_str().unwrap();
    assert!(
        parts.contains(r#"name=\"pic_file\"; filename=\"a___X__y.jpg\""#),
        "{parts}"
    );
    assert!(
        parts.contains(r"image/jpeg\r\n\r\n\xff\xd8\x00\r\n"),
        "{parts}"
    );
}

#[tokio::test]
async fn concurrent_calls_share_one_token_request() {
    let grants = Scripted::start(|number, request: Request| {
        assert_eq!(request.method(), "POST");
        assert_eq!(
            request.uri().query(),
            Some("grant_type=account_credentials&account_id=an+account")
        );
        assert_eq!(bearer(&request), "Basic Y2xpZW50OmNsaWVudC1zZWNyZXQ=");
        axum::Json(json!({ "access_token": format!("t{number}"), "expires_in": 3599 }))
    })
    .await;
    let v2 = Scripted::start(|_, request: Request| axum::Json(bearer(&request))).await;
    let tokens = Tokens::granted(client(), grants.oauth());
    let upstream = upstream(v2.base(), tokens);

    let get = get();
    let calls = (0..40).map(|_| upstream.send(&get, soon(), false));
    for outcome in join_all(calls).await {
        assert_eq!(outcome, answered(200, json!("Bearer t0")));
    }
    assert_eq!((grants.count(), v2.count()), (1, 40));
}

#[tokio::test]
async fn rejected_token_is_renewed_once() {
    let grants =
        Scripted::start(|number, _| axum::Json(json!({ "access_token": format!("t{number}") })))
            .await;
    let v2 = Scripted::start(|_, request: Request| match bearer(&request).as_str() {
        "Bearer t1" => axum::Json(json!("good")).into_response(),
        _ => reqwest::StatusCode::UNAUTHORIZED.into_response(),
    })
    .await;
    let tokens = Tokens::granted(client(), grants.oauth());
    let upstream = upstream(v2.base(), tokens);

    let get = get();
    let calls = (0..40).map(|_| upstream.send(&get, soon(), false));
    for outcome in join_all(calls).await {
        assert_eq!(outcome, answered(200, json!("good")));
    }
    assert_eq!(grants.count(), 2);
}

#[tokio::test]
async fn always_rejected_token_is_renewed_only_once() {
    let grants = Scripted::start(|_, _| axum::Json(json!({ "access_token": "t" }))).await;
    let v2 = Scripted::start(|_, _| reqwest::StatusCode::UNAUTHORIZED).await;
    let tokens = Tokens::granted(client(), grants.oauth());
    let upstream = upstream(v2.base(), tokens);
    assert_eq!(upstream.send(&get(), soon(), false).await, Outcome::Refused);
    assert_eq!((grants.count(), v2.count()), (2, 2));

    let upstream = fixed(v2.base());
    assert_eq!(upstream.send(&get(), soon(), false).await, Outcome::Refused);
    assert_eq!(v2.count(), 3);
}

#[tokio::test]
async fn sends_nothing_without_a_token() {
    use reqwest::StatusCode;
    let unreached = Outcome::NoAnswer { maybe_done: false };
    for (status, body, expected) in [
        (StatusCode::BAD_REQUEST, "{}", Outcome::Refused),
        (StatusCode::INTERNAL_SERVER_ERROR, "{}", unreached.clone()),
        (StatusCode::TOO_MANY_REQUESTS, "{}", Outcome::Limited),
        (StatusCode::OK, "<html>", Outcome::Refused),
        (
            StatusCode::OK,
            r#"{"access_token":"a\nb"}"#,
            Outcome::Refused,
        ),
    ] {
        let grants = Scripted::start(move |_, _| (status, body)).await;
        let v2 = Scripted::start(|_, _| "{}").await;
        let tokens = Tokens::granted(client(), grants.oauth());
        let upstream = upstream(v2.base(), tokens);
        let outcome = upstream.send(&get(), soon(), false).await;
        assert_eq!((outcome, v2.count()), (expected, 0), "{status} {body}");
    }
}

#[tokio::test]
async fn failing_token_endpoint_is_backed_off() {
    use reqwest::StatusCode;
    for status in [
        StatusCode::BAD_REQUEST,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::OK,
    ] {
        let grants = Scripted::start(move |_, _| (status, [("retry-after", "30")], "{}")).await;
        let v2 = Scripted::start(|_, _| "{}").await;
        let upstream = upstream(v2.base(), Tokens::granted(client(), grants.oauth()));
        let first = upstream.send(&get(), soon(), false).await;
        for _ in 0..10 {
            assert_eq!(upstream.send(&get(), soon(), false).await, first);
        }
        assert_eq!((grants.count(), v2.count()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn unchanged_credentials_keep_tokens() {
    let grants = Scripted::start(|_, _| axum::Json(json!({ "access_token": "t" }))).await;
    let oauth = grants.oauth();
    let before = Tokens::granted(client(), oauth.clone());
    before.current().await.unwrap();
    let kept = before.of_same_access(&Access::OAuth(oauth.clone()));
    kept.unwrap().current().await.unwrap();
    assert_eq!(grants.count(), 1);

    let other = OAuth {
        client_secret: "another secret".into(),
        ..oauth
    };
    assert!(before.of_same_access(&Access::OAuth(other)).is_none());
}

#[tokio::test]
async fn accepts_retry_after_of_any_length() {
    for after in ["9999999999999999999", "18446744073709551616", "-1", "9e99"] {
        let v2 = Scripted::start(move |_, _| {
            (
                reqwest::StatusCode::TOO_MANY_REQUESTS,
                [("retry-after", after)],
            )
        })
        .await;
        for method in [Method::Get, Method::Patch] {
            let request = request(method, Body::None);
            let outcome = fixed(v2.base()).send(&request, soon(), false).await;
            assert_eq!(outcome, Outcome::Limited, "{after}");
        }
    }
}

#[tokio::test]
async fn renews_tokens_before_expiry() {
    let grants = Scripted::start(|number, _| {
        axum::Json(json!({ "access_token": format!("t{number}"), "expires_in": 0 }))
    })
    .await;
    let v2 = Scripted::start(|_, request: Request| axum::Json(bearer(&request))).await;
    let tokens = Tokens::granted(client(), grants.oauth());
    let upstream = upstream(v2.base(), tokens);
    for token in ["Bearer t0", "Bearer t1"] {
        assert_eq!(
            upstream.send(&get(), soon(), false).await,
            answered(200, json!(token))
        );
    }
}

#[tokio::test]
async fn waits_out_short_limits_only() {
    let limited = |after: &'static str| {
        (
            reqwest::StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", after)],
        )
            .into_response()
    };
    let v2 = Scripted::start(move |number, _| match number {
        0 | 1 => limited("0"),
        _ => axum::Json(json!("done")).into_response(),
    })
    .await;
    let patch = request(Method::Patch, Body::Json(json!({})));
    let outcome = fixed(v2.base()).send(&patch, soon(), false).await;
    assert_eq!((outcome, v2.count()), (answered(200, json!("done")), 3));

    for after in ["3600", "2030-01-01T00:00:00Z"] {
        let v2 = Scripted::start(move |_, _| limited(after)).await;
        let outcome = fixed(v2.base()).send(&patch, soon(), false).await;
        assert_eq!((outcome, v2.count()), (Outcome::Limited, 1));
    }
}

#[tokio::test]
async fn foreign_responses_are_unreadable() {
    let elsewhere = Scripted::start(|_, _| "{}").await;
    let location = format!("http://{}/v2", elsewhere.address);
    let v2 = Scripted::start(move |number, _| match number {
        0 => "<html>Sign in</html>".into_response(),
        1 => axum::Json("x".repeat(LIMITS.response_bytes)).into_response(),
        2 => {
            let chunks = (0..200).map(|_| Ok::<_, std::io::Error>("[[[[[[[["));
            axum::body::Body::from_stream(futures_util::stream::iter(chunks)).into_response()
        }
        3 => (reqwest::StatusCode::FOUND, [("location", location.clone())]).into_response(),
        _ => (reqwest::StatusCode::NO_CONTENT, "").into_response(),
    })
    .await;
    let upstream = fixed(v2.base());
    for status in [200, 200, 200, 302] {
        let outcome = upstream.send(&get(), soon(), false).await;
        assert_eq!(outcome, Outcome::Unreadable { status });
    }
    assert_eq!(elsewhere.count(), 0);
    let empty = Outcome::Answered {
        status: 204,
        body: None,
    };
    assert_eq!(upstream.send(&get(), soon(), false).await, empty);
}

/// Accepts connections, reads one request from each, writes these bytes and closes.
async fn hang_up(answer: &'static [u8]) -> (BaseUrl, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = BaseUrl::parse(&format!("http://{}/v2", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            assert!(stream.read(&mut buffer).await.unwrap() > 0);
            counted.fetch_add(1, Ordering::SeqCst);
            stream.write_all(answer).await.unwrap();
        }
    });
    (base, count)
}

#[tokio::test]
async fn does_not_retry_writes_that_may_have_arrived() {
    let halves: [&[u8]; 2] = [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"];
    for half in halves {
        let (base, count) = hang_up(half).await;
        let upstream = fixed(base);
        let lost = Outcome::NoAnswer { maybe_done: true };
        let post = request(Method::Post, Body::Json(json!({})));
        assert_eq!(upstream.send(&post, soon(), false).await, lost);
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(upstream.send(&get(), soon(), false).await, lost);
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn refused_connection_is_certainly_not_done() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = BaseUrl::parse(&format!("http://{}/v2", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let post = request(Method::Post, Body::None);
    let outcome = fixed(base).send(&post, soon(), false).await;
    assert_eq!(outcome, Outcome::NoAnswer { maybe_done: false });
}

#[tokio::test]
async fn deadline_ends_unanswered_calls() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = BaseUrl::parse(&format!("http://{}/v2", listener.local_addr().unwrap())).unwrap();
    let upstream = fixed(base);
    let scope = within(Duration::from_millis(50));
    let outcome = upstream.send(&get(), scope, false).await;
    assert_eq!(outcome, Outcome::NoAnswer { maybe_done: true });
    let outcome = upstream.send(&get(), scope, false).await;
    assert_eq!(outcome, Outcome::NoAnswer { maybe_done: false });
}

#[tokio::test]
async fn never_sends_paths_with_url_structure() {
    let v2 = Scripted::start(|_, _| "{}").await;
    let mut dots = get();
    dots.path = "/users/%2e%2e/settings".to_owned();
    let outcome = fixed(v2.base()).send(&dots, soon(), false).await;
    let unsent = Outcome::NoAnswer { maybe_done: false };
    assert_eq!((outcome, v2.count()), (unsent, 0));
}
