use std::sync::atomic::{AtomicBool, Ordering};

use axum::{Json, Router, extract::Request, response::IntoResponse as _};
use serde_json::json;
use shim_upstream::{Access, CallLimits, Endpoint, Http, Token};
use tokio::net::TcpListener;

use super::*;
use crate::{
    front::credential::Credential,
    serve::tenants::Tenants,
    settings::{Limits, Permissions, SecretDigest, TenantConfig, V2Config},
    state::{AnswerCache, State},
};

async fn v2() -> V2Config {
    let router = Router::new().fallback(|request: Request| async move {
        let user = json!({ "id": "u1", "email": "new@example.com", "type": 1 });
        match request.method().as_str() {
            "POST" => (hyper::StatusCode::CREATED, Json(user)).into_response(),
            "GET" => Json(user).into_response(),
            _ => hyper::StatusCode::NO_CONTENT.into_response(),
        }
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}/v2", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    V2Config {
        base: shim_upstream::BaseUrl::parse(&base).unwrap(),
        resolver: shim_upstream::ResolverSettings::default(),
        tenants: vec![TenantConfig {
            api_key: "key".to_owned(),
            api_secret: SecretDigest::of("secret"),
            account_id: None,
            owner: None,
            access: Access::Token(Token::new(&"token".into()).unwrap()),
            rates: None,
            strict: false,
            options: mappings::catalog::protocol::Options::default(),
            tokens: mappings::Tokens::default(),
            permissions: Permissions::default(),
        }],
    }
}

#[tokio::test]
async fn panic_in_a_call_leaves_the_write_resumable() {
    let limits = Limits::default();
    let v2 = v2().await;
    let panics = AtomicBool::new(true);
    let endpoint = Endpoint {
        http: Http::new(&v2.http(&limits)).unwrap(),
        base: v2.base.clone(),
        limits: CallLimits {
            timeout: limits.call,
            response_bytes: limits.answer_bytes,
        },
        on_call: Box::new(move |call| {
            let is_second = call.template.ends_with("/settings");
            assert!(
                !is_second || !panics.swap(false, Ordering::SeqCst),
                "a defect"
            );
        }),
    };
    let catalog = Arc::new(Catalog::embedded().unwrap());
    let tenants = Tenants::new(
        v2,
        &Arc::new(endpoint),
        |_| None,
        1,
        (None, &Tenants::default()),
    );
    let given = Credential::new("key", SecretDigest::of("secret"));
    let tenant = tenants.authenticate(&given).unwrap();
    let executor = Executor {
        catalog: Arc::clone(&catalog),
        state: State::in_memory(AnswerCache::from(&limits)).unwrap(),
        list_calls: limits.list_calls,
        call_time: limits.call,
        in_flight: InFlightWrites::default(),
    };
    let create = async || {
        let operation = catalog.find("user/custcreate").unwrap();
        let parameters = [
            ("email", "new@example.com"),
            ("type", "1"),
            ("disable_chat", "true"),
        ];
        let request = (operation, parameters.into_iter().collect());
        let scope = Scope {
            id: RequestId::fresh(),
            deadline: Instant::now() + limits.request,
        };
        let executed = executor.run(&tenant, request, None, scope).await;
        executed.map(|executed| (executed.calls, executed.finished))
    };
    let (_, finished) = create().await.unwrap();
    let error = finished.answer.result.unwrap_err();
    assert!(error.message.contains("create"), "{}", error.message);
    let (calls, finished) = create().await.unwrap();
    assert!(finished.answer.result.is_ok(), "{:?}", finished.failures);
    assert!(calls >= 1);
}
