//! One request: decode, authenticate, execute.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::body::Body;
use futures_util::{FutureExt as _, future::join};
use hyper::{
    Method,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT},
    http::request::Parts,
};
use mappings::{
    Argument, Arguments, V1Error, Warning, WarningKind,
    catalog::{
        field::Kind,
        operation::Operation,
        protocol::{Protocol, ProtocolError},
    },
};
use recording::Wrapping;
use secrecy::{ExposeSecret as _, SecretString};
use shim_upstream::{RequestId, Scope};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tracing::Instrument as _;

use super::{
    Generation,
    executor::{Executed, Executor},
    reply::Reply,
    tenants::Tenant,
};
use crate::{
    front::{
        boxed_future::boxed,
        credential::Credential,
        decode::{BodyError, Content, DecodeError, Decoded, Decoder, ParameterNames, decompressed},
        encode::Format,
        server::Peer,
        throttle::{self, Attempt},
    },
    observe::{Taps, guarded, ledger::Note, shadow::is_shadow_of_another},
    settings::SecretDigest,
};

/// Maximum length of an unknown operation's name in the error, in characters.
const MAX_SHOWN: usize = 100;

/// A request that passed all checks and may be executed.
pub(super) struct Accepted<'r> {
    pub(super) tenant: Arc<Tenant>,
    pub(super) operation: &'r Operation,
    /// Credentials are removed.
    pub(super) arguments: Arguments,
    pub(super) taps: Option<Box<Taps>>,
    pub(super) scope: Scope,
    /// One from the global limit, one from the tenant's.
    pub(super) permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// Reasons to refuse a request.
pub(super) enum Refusal {
    /// The request did not reach an operation; the text is the detail in the message.
    Protocol(ProtocolError, String),
    /// The operation fails without a call to v2.
    Operation(V1Error),
    /// v1 is switched off on purpose for a while.
    Brownout(V1Error),
}

impl Generation {
    pub(super) async fn reply(
        &self,
        path: &str,
        operation: Option<&Operation>,
        (head, body, peer): (&Parts, Body, Peer),
        id: RequestId,
        note: Option<&mut Note>,
    ) -> Reply {
        let (mut format, mut key) = (Format::default(), None);
        let seen = (&mut format, &mut key);
        let mut reply = match self
            .exchange(path, operation, (head, body, peer), (id, note), seen)
            .await
        {
            Ok(executed) => Reply::executed(executed, self.0.upstream_status),
            Err(Refusal::Protocol(error, detail)) => {
                Reply::refusal(self.protocol(), error, &detail)
            }
            Err(Refusal::Operation(error)) => Reply::error(error),
            Err(Refusal::Brownout(error)) => Reply::brownout(error),
        };
        reply.format = format;
        reply.key = key;
        reply
    }

    async fn exchange(
        &self,
        path: &str,
        operation: Option<&Operation>,
        (head, body, peer): (&Parts, Body, Peer),
        (id, note): (RequestId, Option<&mut Note>),
        (format, key): (&mut Format, &mut Option<Arc<str>>),
    ) -> Result<Executed, Refusal> {
        let names = self.names(operation);
        let decoder = Decoder::query(head.uri.query(), &names);
        *format = self.format(decoder.arguments());
        if head.method != Method::POST {
            return Err(ProtocolError::MethodNotAllowed.into());
        }

        let (body, _body_permits) = self.0.shared.body.read(body).await?;
        let body = decompressed(head.headers.get(CONTENT_ENCODING), body)?;
        // After the body has arrived, so that slow senders hold no permit.
        let Ok(permit) = Arc::clone(&self.0.shared.request_permits).try_acquire_owned() else {
            return Err(ProtocolError::Overloaded.into());
        };
        let content_type = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let content = Content::from_header(content_type);
        let wrapping = content.wrapping(&body);
        let Decoded {
            arguments,
            guessed,
            result,
        } = decoder.body(&content, &body).await;
        *format = self.format(&arguments);
        result?;

        let operation = operation.ok_or_else(|| {
            let shown = path.chars().take(MAX_SHOWN).collect();
            Refusal::Protocol(ProtocolError::OperationUnknown, shown)
        })?;
        let agent = head.headers.get(USER_AGENT).map(HeaderValue::as_bytes);
        let taps = guarded(|| self.taps(operation, wrapping, &arguments, (agent, id)));
        let taps = taps.flatten();
        let (tenant, secret, arguments) = self.authenticate(arguments, peer).await?;
        *key = Some(Arc::clone(tenant.api_key()));
        if let Some(note) = note {
            let secret = secret.expose_secret();
            guarded(|| note.authenticated(tenant.api_key(), secret, operation, &arguments));
        }
        if !tenant.may(operation) {
            let name = operation.name.clone();
            return Err(Refusal::Protocol(ProtocolError::OperationNotAllowed, name));
        }
        if let Some(error) = self.brownout(tenant.api_key(), operation) {
            return Err(Refusal::Brownout(error));
        }
        let Some(tenant_permit) = tenant.permit() else {
            return Err(ProtocolError::Overloaded.into());
        };
        // The client's timeout starts when its request is sent.
        let deadline = Instant::now() + self.0.shared.request_time;
        let scope = Scope { id, deadline };
        let accepted = Accepted {
            tenant,
            operation,
            arguments,
            taps,
            scope,
            permits: (permit, tenant_permit),
        };
        let route = self.route(&accepted, secret.expose_secret(), peer, &head.headers);
        let mut executed = match route {
            None => self.execute(accepted).await?,
            Some(route) => boxed(|| self.execute_routed(route, accepted)).await?,
        };
        let warnings = &mut executed.finished.answer.warnings;
        warnings.extend(guessed.into_iter().map(|field| Warning {
            kind: WarningKind::Guessed,
            field,
            reason: "not UTF-8 and no charset was declared: read as windows-1252".to_owned(),
        }));
        Ok(executed)
    }

    /// Starts recording and shadowing of a request. They receive the credentials in order to redact
    /// them.
    fn taps(
        &self,
        operation: &Operation,
        wrapping: Wrapping,
        arguments: &Arguments,
        (agent, id): (Option<&[u8]>, RequestId),
    ) -> Option<Box<Taps>> {
        let shared = &self.0.shared;
        let recent = shared.recent.as_ref().and_then(|recent| recent.recorder());
        let recorders = shared.recorder.iter().chain(recent);
        let begun = recorders.filter_map(|known| known.begin(operation, wrapping, arguments, id));
        // Two shims configured as each other's shadow would forward requests forever.
        let is_shadow_request = agent.is_some_and(is_shadow_of_another);
        let shadow = shared.shadow.as_ref().filter(|_| !is_shadow_request);
        let taps = Taps {
            recordings: begun.collect(),
            shadowed: shadow.and_then(|shadow| shadow.begin(operation, wrapping, arguments)),
        };
        (!taps.is_empty()).then(|| Box::new(taps))
    }

    /// Removes the credentials from the parameters, and returns the secret that matched.
    async fn authenticate(
        &self,
        mut arguments: Arguments,
        peer: Peer,
    ) -> Result<(Arc<Tenant>, SecretString, Arguments), ProtocolError> {
        let Protocol {
            key,
            secret,
            format,
            ..
        } = self.protocol();
        let mut take = |name| match arguments.remove(name) {
            Some(Argument::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let given = (take(key), take(secret));
        take(format);
        let (Some(key), Some(secret)) = given else {
            return Err(ProtocolError::CredentialsMissing);
        };
        let given = Credential::new(&key, SecretDigest::of(&secret));
        let attempt = self.attempt(given.key(), peer).await;
        if attempt == Attempt::Refused {
            return Err(ProtocolError::Overloaded);
        }
        let Some(tenant) = self.0.tenants.authenticate(&given) else {
            // The same error for a wrong secret and for one that was not checked.
            let is_beyond = self.failed(given.key(), peer).await || attempt == Attempt::Last;
            return Err(if is_beyond {
                ProtocolError::Overloaded
            } else {
                ProtocolError::CredentialsWrong
            });
        };
        Ok((tenant, secret.into(), arguments))
    }

    /// Checks the failed-login limit. Beyond it, all processes together check one login a second.
    async fn attempt(&self, key: &[u8; 32], peer: Peer) -> Attempt {
        let throttle = &self.0.shared.throttle;
        let attempt = throttle.attempt(key, peer, std::time::Instant::now());
        if attempt == Attempt::Last {
            let (state, who) = (&self.0.executor.state, throttle::digest(key, peer));
            if state.login_turn(&who, throttle::PAUSE).await == Some(false) {
                return Attempt::Refused;
            }
        }
        attempt
    }

    /// Counts a failed login. Returns true if other processes have reached the limit.
    async fn failed(&self, key: &[u8; 32], peer: Peer) -> bool {
        let throttle = &self.0.shared.throttle;
        if !throttle.failed(key, peer) {
            return false;
        }
        let (state, who) = (&self.0.executor.state, throttle::digest(key, peer));
        let count = state.failed_login(&who).await;
        count.is_some_and(|count| throttle.counted(key, peer, count))
    }

    /// Executes the operation: a read until the client disconnects, a write to its end. Permits are
    /// held until then, so that disconnecting early does not allow more concurrent writes.
    pub(super) async fn execute(&self, accepted: Accepted<'_>) -> Result<Executed, Refusal> {
        self.execute_with(self.0.executor.clone(), accepted).await
    }

    /// Executes with the mappings of `executor`, which `accepted.operation` must belong to.
    pub(super) async fn execute_with(
        &self,
        executor: Executor,
        accepted: Accepted<'_>,
    ) -> Result<Executed, Refusal> {
        let Accepted {
            tenant,
            operation,
            arguments,
            mut taps,
            scope,
            permits,
        } = accepted;
        if operation.read {
            let request = (operation, arguments);
            let shadowed = taps.as_mut().and_then(|taps| taps.shadowed.as_mut());
            let catalog = &executor.catalog;
            let other = shadowed
                .and_then(|shadowed| guarded(|| shadowed.answer(catalog, scope.deadline)).flatten())
                .map(|answer| AssertUnwindSafe(answer).catch_unwind());
            let executed = executor.run(&tenant, request, taps, scope);
            let Some(other) = other else {
                return executed.await.map_err(Refusal::Operation);
            };
            return match join(executed, other).await {
                (executed, Ok(Some(answer))) => Ok(match executed {
                    Ok(executed) => executed.with_answer(answer),
                    Err(_) => Executed::answered(answer),
                }),
                (executed, Ok(None) | Err(_)) => executed.map_err(Refusal::Operation),
            };
        }
        let name = operation.name.clone();
        let write = async move {
            let operation = executor.catalog.find(&name)?;
            let request = (operation, arguments);
            let executed = executor.run(&tenant, request, taps, scope).await;
            drop(permits);
            Some(executed)
        };
        let write = self.0.shared.writes.spawn(write.in_current_span());
        match write.await {
            Ok(Some(executed)) => executed.map_err(Refusal::Operation),
            Ok(None) | Err(_) => Err(ProtocolError::Internal.into()),
        }
    }

    fn format(&self, arguments: &Arguments) -> Format {
        Format::named(arguments.text(&self.protocol().format))
    }

    fn names<'a>(&'a self, operation: Option<&'a Operation>) -> ParameterNames<'a> {
        let catalog = self.catalog();
        let parameters = || operation.iter().flat_map(|operation| &operation.parameters);
        let parts = || parameters().filter_map(|parameter| catalog.field(parameter.field?));
        let files = parts().filter(|(_, part)| part.kind == Kind::File);
        let nested = parts().filter(|(_, part)| matches!(part.kind, Kind::Ids | Kind::Json));
        let nested = nested.flat_map(|(_, part)| std::iter::once(&part.name).chain(&part.aliases));
        let Protocol {
            key,
            secret,
            format,
            ..
        } = self.protocol();
        let known = parameters().map(|parameter| parameter.name.as_str());
        ParameterNames {
            credentials: [key, secret],
            files: files.map(|(_, part)| part.name.as_str()).collect(),
            nested: nested.map(String::as_str).collect(),
            known: known.chain([key.as_str(), secret, format]).collect(),
        }
    }
}

impl From<ProtocolError> for Refusal {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error, String::new())
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => ProtocolError::BodyTooLarge.into(),
            BodyError::Broken | BodyError::TooSlow => {
                Self::Protocol(ProtocolError::BodyUnreadable, error.to_string())
            }
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::NotText { parameter } => {
                Self::Protocol(ProtocolError::ParameterInvalid, parameter)
            }
            DecodeError::TooMany | DecodeError::Unreadable(_) => {
                Self::Protocol(ProtocolError::BodyUnreadable, error.to_string())
            }
        }
    }
}
