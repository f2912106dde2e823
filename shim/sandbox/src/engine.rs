//! Engine that serves the endpoints described by data: `api/AREA/{endpoints,objects,seed}.toml`.
//!
//! The crate's README.md is the reference of these files. A request passes these stages: validation
//! of query and body, lookup of the path's objects, rejections, behaviour. Endpoints without a
//! behaviour implement their method: GET shows, POST creates, PATCH and PUT merge, DELETE removes.

mod behaviour;
mod catalog;
mod list;
mod seed;
mod store;
mod template;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Extension, State as Shared};
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};

use self::behaviour::Outcome;
use self::catalog::{Catalog, CollectionRules, Endpoint, Refusal, method_and_path};
use self::store::ObjectKey;
use self::template::{Scope, shown};
use crate::Sandbox;
use crate::account::Account;
use crate::error::ApiError;
use crate::request::{Answer, JsonObject, Members, QueryPairs, Segments, merge};
use crate::response::json_response;
use crate::{calendar, settings};

pub(crate) use self::behaviour::recordings::download;
pub(crate) use self::seed::seeded_store;
pub(crate) use self::store::Store;

/// The routes of all endpoints.
pub(crate) fn routes() -> Router<Sandbox> {
    let endpoints = Catalog::embedded().endpoints.iter();
    endpoints.fold(Router::new(), |router, (operation, endpoint)| {
        let (method, path) = method_and_path(operation);
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::GET);
        let route = on(filter, serve).layer(Extension((operation.as_str(), endpoint)));
        router.route(path, route)
    })
}

/// The scopes of all endpoints.
pub(crate) fn scopes() -> impl Iterator<Item = &'static str> {
    let endpoints = Catalog::embedded().endpoints.values();
    endpoints
        .map(|endpoint| endpoint.scope.as_str())
        .filter(|scope| !scope.is_empty())
}

async fn serve(
    Shared(sandbox): Shared<Sandbox>,
    Extension((operation, endpoint)): Extension<(&'static str, &'static Endpoint)>,
    segments: Segments,
    query: QueryPairs,
    headers: HeaderMap,
    JsonObject(body): JsonObject,
) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let base = format!("http://{}", host.unwrap_or("localhost"));
    let answer = answer(
        &sandbox,
        (operation, endpoint),
        &base,
        &segments,
        &query,
        body,
    );
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert(
        HeaderName::from_static("x-ratelimit-category"),
        HeaderValue::from_static(endpoint.label.name()),
    );
    response
}

fn answer(
    sandbox: &Sandbox,
    (operation, endpoint): (&'static str, &'static Endpoint),
    base: &str,
    segments: &Segments,
    query: &QueryPairs,
    body: Members,
) -> Answer {
    let catalog = Catalog::embedded();
    let query = match endpoint.query.shape(&catalog.queries) {
        Some(rules) => rules.checked_query(query)?,
        None => Members::new(),
    };
    let body = match endpoint.body.shape(&catalog.bodies) {
        Some(rules) => rules.checked(body)?,
        None => Members::new(),
    };
    let mut state = sandbox.state();
    let (account, store) = state.parts();
    store.env.now = OffsetDateTime::now_utc();
    let mut call = Call {
        operation,
        endpoint,
        names: vec![
            ("body", Value::Object(body)),
            ("config", json!({ "im_groups": account.config.im_groups })),
            ("request", json!({ "base": base })),
            ("path", segments.document()),
            ("query", Value::Object(query.clone())),
        ],
        query,
        keys: Vec::new(),
        account,
        store,
    };
    call.answer(segments)
}

/// Request with the objects looked up so far.
pub(crate) struct Call<'a> {
    operation: &'static str,
    endpoint: &'static Endpoint,
    query: Members,
    /// The scope of templates and conditions: `path`, `query`, `body`, the objects of the path.
    names: Vec<(&'static str, Value)>,
    /// The objects of the path, in its order.
    keys: Vec<ObjectKey>,
    account: &'a mut Account,
    store: &'a mut Store,
}

impl Call<'_> {
    fn answer(&mut self, segments: &Segments) -> Answer {
        if self
            .account
            .config
            .missing_scopes
            .contains(&self.endpoint.scope)
        {
            return Err(self.error("scope_missing"));
        }
        for (position, subject) in self.endpoint.path.iter().enumerate() {
            let rules = Catalog::embedded().subjects.get(subject);
            match rules.filter(|rules| rules.double_encoded) {
                Some(_) => {
                    let segment = segments.decoded_again(position);
                    self.find(
                        subject,
                        &segment.ok_or_else(|| ApiError::new("unknown_endpoint"))?,
                    )?;
                }
                None => self.find(subject, segments.at(position))?,
            }
        }
        self.refuse(&self.endpoint.refuse)?;
        if let Some(host) = &self.endpoint.daily {
            let host = self.scope(&self.named()).plain(&format!("{{{host}}}"));
            if !self.store.count(self.operation, &host) {
                return Ok(self.daily_limit());
            }
        }
        let outcome = match self.endpoint.behaviour {
            Some(behaviour) => behaviour.run(self)?,
            None => Outcome::Default,
        };
        let object = match outcome {
            Outcome::Answer(value) => value,
            Outcome::Default => self.act()?,
        };
        let status = StatusCode::from_u16(self.endpoint.status).unwrap_or_default();
        let body = match &self.endpoint.answer {
            Some(view) => view.of(&self.scope(&self.named()).inner(&[("self", &object)])),
            None if self.endpoint.list.is_some() => object,
            None => return Ok(status.into_response()),
        };
        Ok(json_response(status, &body))
    }

    fn refuse(&self, refusals: &[Refusal]) -> Result<(), ApiError> {
        let named = self.named();
        let scope = self.scope(&named);
        match refusals.iter().find(|refusal| refusal.when.hold(&scope)) {
            Some(refusal) => Err(self.error(&refusal.error)),
            None => Ok(()),
        }
    }

    /// Lists, creates, or implements the method.
    fn act(&mut self) -> Result<Value, ApiError> {
        if let Some(list) = &self.endpoint.list {
            return list.answer(self);
        }
        let body = self.body().clone();
        if let Some(collection) = &self.endpoint.create {
            return self.create(collection, body);
        }
        let Some(key) = self.keys.last().copied() else {
            return Ok(Value::Null);
        };
        match method_and_path(self.operation).0 {
            Method::GET => Ok(self.store.get(key).cloned().unwrap_or_default()),
            Method::DELETE => {
                self.delete(key);
                Ok(Value::Null)
            }
            _ => self.update(key, body),
        }
    }

    /// Adds an object with these members.
    pub(crate) fn create(
        &mut self,
        collection: &'static str,
        members: Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let rules = rules(collection);
        if self.store.len(collection) >= rules.max {
            return Err(self.error(&rules.full));
        }
        let mut object = self.scope(&self.named()).members(&rules.new);
        merge(&mut object, members);
        let object = self.derived(collection, object, None)?;
        self.store.insert(collection, object.clone());
        Ok(object)
    }

    /// Merges changes into a stored object.
    pub(crate) fn update(
        &mut self,
        key: ObjectKey,
        changes: Map<String, Value>,
    ) -> Result<Value, ApiError> {
        let mut object = match self.store.get(key) {
            Some(Value::Object(object)) => object.clone(),
            _ => Members::new(),
        };
        merge(&mut object, changes);
        let object = self.derived(key.collection, object, Some(key))?;
        self.store.set(key, object.clone());
        Ok(object)
    }

    /// The object with its computed members.
    ///
    /// # Errors
    ///
    /// If another object has the value of a unique member.
    fn derived(
        &self,
        collection: &'static str,
        object: Members,
        own: Option<ObjectKey>,
    ) -> Result<Value, ApiError> {
        let rules = rules(collection);
        let mut object = Value::Object(object);
        for (member, error) in &rules.unique {
            let key = |object: &Value| object.get(member).map(|value| shown(value).to_lowercase());
            let taken = |(number, other): (u64, &Value)| {
                own.is_none_or(|own| own.number != number) && key(other) == key(&object)
            };
            if key(&object).is_some() && self.store.all(collection).any(taken) {
                return Err(self.error(error));
            }
        }
        let derived = self
            .scope(&self.named())
            .inner(&[("self", &object)])
            .members(&rules.derive);
        if let Some(members) = object.as_object_mut() {
            merge(members, derived);
            if let Some(behaviour) = rules.prepare {
                behaviour.prepare(members);
            }
        }
        Ok(object)
    }

    /// Removes an object and its children.
    pub(crate) fn delete(&mut self, key: ObjectKey) {
        let object = self.store.get(key).cloned().unwrap_or_default();
        for (collection, conditions) in &rules(key.collection).children {
            let children: Vec<_> = {
                let named = self.named();
                let scope = self.scope(&named);
                let belongs = |child: &Value| {
                    conditions.hold(&scope.inner(&[("parent", &object), ("self", child)]))
                };
                let all = self.store.all(collection);
                all.filter(|(_, child)| belongs(child))
                    .map(|(number, _)| number)
                    .collect()
            };
            for number in children {
                self.store.remove(ObjectKey { collection, number });
            }
        }
        self.store.remove(key);
    }

    /// Looks up the object of a path segment and adds it to the scope.
    fn find(&mut self, subject: &'static str, segment: &str) -> Result<(), ApiError> {
        if subject == "any" {
            return Ok(());
        }
        if subject == "user" {
            let user = user_document(self.account, segment)?;
            self.names.push(("user", user));
            return Ok(());
        }
        let Some(rules) = Catalog::embedded().subjects.get(subject) else {
            return Err(self.error("collection_full"));
        };
        self.refuse(&rules.refuse)?;
        let found = {
            let named = self.named();
            let scope = self.scope(&named);
            let wanted = |object: &Value| rules.filter.hold(&scope.inner(&[("self", object)]));
            let found = self.store.find_where(&rules.of, &rules.by, segment, wanted);
            found.map(|(key, object)| (key, object.clone()))
        };
        let Some((key, object)) = found else {
            let elsewhere = rules.elsewhere.iter().find(|(collection, _)| {
                self.store
                    .find_where(collection, &rules.by, segment, |_| true)
                    .is_some()
            });
            let unknown = self.endpoint.unknown.as_ref().unwrap_or(&rules.unknown);
            let error = elsewhere.map_or(unknown, |(_, error)| error);
            return Err(self.error(error));
        };
        for (name, member) in &rules.users {
            let id = object.get(member).map(shown).unwrap_or_default();
            // Empty for a deleted host.
            self.names
                .push((name, user_document(self.account, &id).unwrap_or_default()));
        }
        self.keys.push(key);
        self.names.push((subject, object));
        Ok(())
    }

    /// The error of a row, with its message rendered.
    pub(crate) fn error(&self, name: &str) -> ApiError {
        let error = Catalog::embedded().error(name);
        error.map_message(|message| self.scope(&self.named()).plain(message))
    }

    fn daily_limit(&self) -> Response {
        let tomorrow = calendar::midnight(self.now().date()) + Duration::DAY;
        let mut response = self.error("daily_limit").into_response();
        let headers = [
            ("x-ratelimit-type", "Daily-limit".to_owned()),
            ("retry-after", calendar::timestamp(tomorrow)),
        ];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response
                    .headers_mut()
                    .insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    pub(crate) fn named(&self) -> Vec<(&str, &Value)> {
        // Later names hide earlier ones.
        self.names
            .iter()
            .rev()
            .map(|(name, value)| (*name, value))
            .collect()
    }

    pub(crate) fn scope<'s>(&'s self, named: &'s [(&'s str, &'s Value)]) -> Scope<'s> {
        Scope::new(&self.store.env, named)
    }

    /// A named value of the scope.
    pub(crate) fn value(&self, name: &str) -> &Value {
        let named = self.names.iter().rev().find(|(own, _)| *own == name);
        named.map_or(&Value::Null, |(_, value)| value)
    }

    pub(crate) fn body(&self) -> &Members {
        static NONE: LazyLock<Members> = LazyLock::new(Members::new);
        self.value("body").as_object().unwrap_or(&NONE)
    }

    /// A parameter of the query, as text.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.query.get(name).map(shown)
    }

    /// The last object of the path.
    pub(crate) fn target(&self) -> Option<ObjectKey> {
        self.keys.last().copied()
    }

    /// The request's method.
    pub(crate) fn method(&self) -> &'static str {
        self.operation
            .split_once(' ')
            .map_or(self.operation, |(method, _)| method)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.store.env.now
    }

    /// Identifies the list that a page token is valid for: path and parameters without those of
    /// pagination.
    fn list_name(&self) -> String {
        let paging = ["next_page_token", "page_number", "page_size"];
        let query = self.query.iter();
        let query: Map<_, _> = query
            .filter(|(name, _)| !paging.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        format!(
            "{} {} {}",
            self.operation,
            self.value("path"),
            Value::Object(query)
        )
    }
}

fn rules(collection: &str) -> &'static CollectionRules {
    static NONE: LazyLock<CollectionRules> = LazyLock::new(CollectionRules::default);
    Catalog::embedded()
        .collections
        .get(collection)
        .unwrap_or(&NONE)
}

/// Transfers a deleted host's objects in a collection to another user (id and email address), or
/// deletes them.
pub(crate) fn delete_or_transfer(
    store: &mut Store,
    collection: &str,
    id: &str,
    transfer_to: Option<&(String, String)>,
) {
    while let Some((key, object)) = store.find(collection, "host_id", id) {
        let mut object = object.clone();
        match (transfer_to, object.as_object_mut()) {
            (Some((id, email)), Some(members)) => {
                members.insert("host_id".to_owned(), id.as_str().into());
                if let Some(address) = members.get_mut("host_email") {
                    *address = email.as_str().into();
                }
                store.set(key, object);
            }
            _ => store.remove(key),
        }
    }
}

/// Starts a meeting or webinar.
///
/// # Errors
///
/// If the id is unknown.
pub(crate) fn start(account: &Account, store: &mut Store, id: &str) -> Result<(), ApiError> {
    store.env.now = OffsetDateTime::now_utc();
    if behaviour::start(store, account, id) {
        return Ok(());
    }
    Err(ApiError::new("unknown_endpoint"))
}

/// True if `errors.toml` or an area declares this error.
pub(crate) fn is_error(name: &str) -> bool {
    Catalog::embedded().errors.contains_key(name)
}

/// The error with this name, with empty placeholders.
pub(crate) fn named_error(name: &str) -> ApiError {
    Catalog::embedded().error(name).map_message(|message| {
        let mut parts = message.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        let rest = parts.map(|part| part.split_once('}').map_or(part, |(_, after)| after));
        rest.fold(first, |message, part| message + part)
    })
}

/// # Errors
///
/// If the id is unknown.
pub(crate) fn check_group(store: &Store, id: &str) -> Result<(), ApiError> {
    if store.find("groups", "id", id).is_some() {
        return Ok(());
    }
    Err(Catalog::embedded()
        .error("group_unknown")
        .with("path.groupId", id))
}

/// Template scope of a user: the document, and its `feature` switches.
fn user_document(account: &Account, key: &str) -> Result<Value, ApiError> {
    let user = account.joined_user(key)?;
    let mut document = user.document();
    let feature = settings::effective(user, settings::MAIN);
    if let (Some(members), Some(feature)) = (document.as_object_mut(), feature.get("feature")) {
        members.insert("feature".to_owned(), feature.clone());
    }
    Ok(document)
}
