//! Routes. Each handler reads the input, locks, checks, changes and responds.

mod assistants;
mod credentials;
mod lookup;
mod own;
mod picture;
mod profile;
mod settings;
mod users;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};

use crate::error::ApiError;
use crate::{Sandbox, engine, faults, oauth, webhooks};

/// Maximum JSON body in bytes.
const MAX_BODY: usize = 256 * 1024;

pub(super) fn router(sandbox: &Sandbox) -> Router {
    let api = users()
        .merge(engine::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        // Added later, because it has its own limit: pictures may be larger.
        .merge(picture::routes())
        .route_layer(from_fn_with_state(sandbox.clone(), oauth::require_token));
    Router::new()
        .nest("/v2", api)
        .merge(own::routes().route_layer(from_fn_with_state(sandbox.clone(), oauth::require_token)))
        .route("/oauth/token", post(oauth::token))
        .route("/rec/download/{fileId}", get(engine::download))
        .fallback(async || ApiError::new("unknown_endpoint"))
        .method_not_allowed_fallback(async || ApiError::new("method_not_allowed"))
        .layer(from_fn_with_state(sandbox.clone(), webhooks::after))
        .layer(from_fn_with_state(sandbox.clone(), faults::inject_faults))
        .with_state(sandbox.clone())
}

fn users() -> Router<Sandbox> {
    Router::new()
        .route("/users", get(users::list).post(users::create))
        .route("/users/email", get(lookup::email))
        .route("/users/vanity_name", get(lookup::vanity_name))
        .route("/users/me/zak", get(credentials::own_zak))
        .route(
            "/users/{userId}",
            get(users::show)
                .patch(profile::update)
                .delete(users::delete),
        )
        .route(
            "/users/{userId}/settings",
            get(settings::show).patch(settings::update),
        )
        .route("/users/{userId}/status", put(users::change_status))
        .route("/users/{userId}/email", put(users::change_email))
        .route(
            "/users/{userId}/password",
            put(credentials::change_password),
        )
        .route(
            "/users/{userId}/token",
            get(credentials::token).delete(credentials::revoke_token),
        )
        .route("/users/{userId}/permissions", get(lookup::permissions))
        .route(
            "/users/{userId}/assistants",
            get(assistants::list)
                .post(assistants::add)
                .delete(assistants::remove_all),
        )
        .route(
            "/users/{userId}/assistants/{assistantId}",
            delete(assistants::remove),
        )
        .route(
            "/users/{userId}/schedulers",
            get(assistants::list_schedulers).delete(assistants::remove_all_schedulers),
        )
        .route(
            "/users/{userId}/schedulers/{schedulerId}",
            delete(assistants::remove_scheduler),
        )
}
