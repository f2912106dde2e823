//! The front door: one HTTP request in, one answer in v1's words out, whatever happens between.

use std::{collections::BTreeSet, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::State};
use futures_util::FutureExt as _;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
};
use mappings::{
    Argument, Arguments, Catalog, Site, V1Answer, V1Error,
    catalog::{
        field::Kind,
        operation::Operation,
        protocol::{Protocol, ProtocolError},
    },
    translation::Finished,
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::task::TaskTracker;

use crate::{
    config::{Access, Limits, SiteConfig, TenantConfig, V2Config},
    executor::{Executed, Executor},
    inbound::{BodyError, BodyReader, Content, DecodeError, Encoded, Names, operation_path},
    outbound::{self, Format},
    store::{InMemory, Store},
    telemetry::{FailedCall, Log, Observer, Record},
    tenants::{Tenant, Tenants},
    upstream::{OAuth, Tokens, Upstream, UpstreamLimits, http_client},
};

/// An operation that v1 did not have is named in the answer up to this length.
const MAX_SHOWN: usize = 100;

/// The shim: v1 in front, v2 behind. Clones are the same shim.
#[derive(Clone)]
pub struct Shim(Arc<Inner>);

struct Inner {
    executor: Executor,
    tenants: Tenants,
    observer: Arc<dyn Observer>,
    body: BodyReader,
    places: Semaphore,
    request_time: Duration,
    upstream_status: StatusCode,
    /// Writes under way, which outlive the connection of their client.
    writes: TaskTracker,
}

/// What a shim works with and somebody may want to replace.
#[derive(Clone)]
pub struct Seams {
    /// What is remembered between requests.
    pub store: Arc<dyn Store>,
    /// Who is told of every request.
    pub observer: Arc<dyn Observer>,
}

impl Seams {
    /// The memory of this process, and its log.
    pub fn local(limits: &Limits) -> Self {
        Self {
            store: Arc::new(InMemory::new(limits.cache_time, limits.cache_bytes)),
            observer: Arc::new(Log),
        }
    }
}

/// Why there is no shim.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP client cannot be made: no certificates, or a proxy setting that is none.
    #[error("the client for v2 cannot be made; check the system's certificates and proxy settings")]
    Client(#[source] reqwest::Error),
}

/// What is answered, and what there is to tell of it.
struct Reply {
    answer: V1Answer,
    status: StatusCode,
    format: Format,
    calls: u32,
    finished: Option<Finished>,
}

impl Shim {
    /// A shim for a v2 and its tenants.
    ///
    /// # Errors
    ///
    /// If the client for v2 cannot be made.
    pub fn new(
        catalog: Arc<Catalog>,
        v2: V2Config,
        site: &SiteConfig,
        limits: &Limits,
        seams: Seams,
    ) -> Result<Self, StartError> {
        let upstream_limits = UpstreamLimits {
            connect: limits.connect,
            call: limits.call,
            answer: limits.answer_bytes,
        };
        let http = http_client(&upstream_limits, v2.is_local()).map_err(StartError::Client)?;
        let tenants = v2.tenants.into_iter().map(|tenant| {
            let TenantConfig {
                api_key,
                api_secret,
                account_id,
                access,
            } = tenant;
            let tokens = match access {
                Access::Token(token) => Tokens::Fixed(token),
                Access::OAuth {
                    url,
                    account_id,
                    client_id,
                    client_secret,
                } => {
                    let oauth = OAuth {
                        url,
                        account_id,
                        client_id,
                        client_secret,
                    };
                    Tokens::granted(http.clone(), oauth)
                }
            };
            let upstream = Upstream::new(
                http.clone(),
                v2.base.clone(),
                tokens,
                upstream_limits.clone(),
            );
            let site = Site {
                strict: site.strict,
                account_id,
                options: site.options.clone(),
            };
            Tenant::new(&api_key, &api_secret, upstream, site)
        });
        Ok(Self(Arc::new(Inner {
            executor: Executor {
                catalog,
                store: seams.store,
                list_calls: limits.list_calls,
            },
            tenants: Tenants::new(tenants),
            observer: seams.observer,
            body: BodyReader::new(limits.body_bytes, limits.body),
            places: Semaphore::new(limits.requests),
            request_time: limits.request,
            upstream_status: site.upstream_status,
            writes: TaskTracker::new(),
        })))
    }

    /// v1 as an HTTP service.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// Waits for writes whose client may have gone. No request may come any more.
    pub(crate) async fn drain(&self) {
        self.0.writes.close();
        self.0.writes.wait().await;
    }

    fn catalog(&self) -> &Arc<Catalog> {
        &self.0.executor.catalog
    }

    fn protocol(&self) -> &Protocol {
        self.catalog().protocol()
    }
}

async fn serve(State(shim): State<Shim>, request: Request<Body>) -> Response<Body> {
    let started = Instant::now();
    let Some(path) = operation_path(request.uri().path(), &shim.protocol().prefix) else {
        tracing::info!("{} (not below /v1)  404", known_method(request.method()));
        return not_v1();
    };
    let method = request.method().clone();
    // A panic is a defect of the shim: the client gets an answer it can read all the same.
    let replied = AssertUnwindSafe(shim.reply(&path, request)).catch_unwind();
    let reply = match replied.await {
        Ok(reply) => reply,
        Err(_) => shim.refuse(ProtocolError::Internal, "", Format::Json),
    };
    shim.tell(&path, &method, &reply, started);
    let mut response = outbound::response(&reply.answer, reply.format, reply.status);
    if reply.status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// Programs tell a wrong base URL from a wrong operation by this.
fn not_v1() -> Response<Body> {
    let mut response = Response::new(Body::from("404 Not Found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let text = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

impl Shim {
    async fn reply(&self, path: &str, request: Request<Body>) -> Reply {
        let (head, body) = request.into_parts();
        let operation = self.catalog().find(path);
        let names = self.names(operation);
        let query = Encoded {
            query: head.uri.query(),
            content: Content::Other,
            body: bytes::Bytes::new(),
        };
        // Until the body is read, the query is all there is to tell the form of an answer.
        let (of_query, _) = query.decode(&names).await;
        let format = self.format(&of_query);

        if head.method != Method::POST {
            return self.refuse(ProtocolError::MethodNotAllowed, "", format);
        }
        let (body, _body_place) = match self.0.body.read(body).await {
            Ok(body) => body,
            Err(BodyError::TooLarge) => {
                return self.refuse(ProtocolError::BodyTooLarge, "", format);
            }
            Err(error) => {
                return self.refuse(ProtocolError::BodyUnreadable, &error.to_string(), format);
            }
        };
        // Not before the body is there: who sends slowly takes no place from others.
        let Ok(_place) = self.0.places.try_acquire() else {
            return self.refuse(ProtocolError::Overloaded, "", format);
        };
        let content_type = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let encoded = Encoded {
            query: head.uri.query(),
            content: Content::from_header(content_type),
            body,
        };
        let (arguments, decoded) = encoded.decode(&names).await;
        let format = self.format(&arguments);
        match decoded {
            Ok(()) => {}
            Err(DecodeError::NotText { parameter }) => {
                return self.refuse(ProtocolError::ParameterInvalid, &parameter, format);
            }
            Err(error) => {
                return self.refuse(ProtocolError::BodyUnreadable, &error.to_string(), format);
            }
        }
        let Some(operation) = operation else {
            return self.refuse(ProtocolError::OperationUnknown, &shown(path), format);
        };
        match self.authenticate(arguments) {
            Ok((tenant, arguments)) => {
                // The client's own clock runs from the end of its request.
                let deadline = Instant::now() + self.0.request_time;
                let executed = self.execute(tenant, operation, arguments, deadline).await;
                self.replied(executed, format)
            }
            Err(error) => self.refuse(error, "", format),
        }
    }

    /// Takes the credentials out of the parameters.
    fn authenticate(
        &self,
        mut arguments: Arguments,
    ) -> Result<(Arc<Tenant>, Arguments), ProtocolError> {
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
        match self.0.tenants.authenticate(&key, &secret) {
            Some(tenant) => Ok((tenant, arguments)),
            None => Err(ProtocolError::CredentialsWrong),
        }
    }

    /// Runs the operation: a read as long as its client waits, a write to its end.
    async fn execute(
        &self,
        tenant: Arc<Tenant>,
        operation: &Operation,
        arguments: Arguments,
        deadline: Instant,
    ) -> Result<Executed, V1Error> {
        if operation.read {
            let executor = &self.0.executor;
            return executor.run(&tenant, operation, arguments, deadline).await;
        }
        let executor = self.0.executor.clone();
        let name = operation.name.clone();
        let write = self.0.writes.spawn(async move {
            let operation = executor.catalog.find(&name)?;
            Some(executor.run(&tenant, operation, arguments, deadline).await)
        });
        match write.await {
            Ok(Some(executed)) => executed,
            Ok(None) | Err(_) => Err(self.protocol().error(ProtocolError::Internal, "").1),
        }
    }

    fn replied(&self, executed: Result<Executed, V1Error>, format: Format) -> Reply {
        match executed {
            Ok(Executed {
                mut finished,
                calls,
                is_trouble,
            }) => Reply {
                answer: V1Answer {
                    result: std::mem::replace(
                        &mut finished.answer.result,
                        Ok(serde_json::Map::new()),
                    ),
                    warnings: finished.answer.warnings.clone(),
                },
                status: if is_trouble {
                    self.0.upstream_status
                } else {
                    StatusCode::OK
                },
                format,
                calls,
                finished: Some(finished),
            },
            Err(error) => Reply {
                answer: V1Answer {
                    result: Err(error),
                    warnings: Vec::new(),
                },
                status: StatusCode::OK,
                format,
                calls: 0,
                finished: None,
            },
        }
    }

    fn refuse(&self, error: ProtocolError, detail: &str, format: Format) -> Reply {
        let (status, error) = self.protocol().error(error, detail);
        Reply {
            answer: V1Answer {
                result: Err(error),
                warnings: Vec::new(),
            },
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            format,
            calls: 0,
            finished: None,
        }
    }

    fn format(&self, arguments: &Arguments) -> Format {
        Format::named(arguments.text(&self.protocol().format))
    }

    fn names<'a>(&'a self, operation: Option<&'a Operation>) -> Names<'a> {
        let catalog = self.catalog();
        let parameters = || operation.iter().flat_map(|operation| &operation.parameters);
        let parts = parameters().filter_map(|parameter| catalog.field(parameter.field?));
        let files = parts.filter(|(_, part)| part.kind == Kind::File);
        let Protocol {
            key,
            secret,
            format,
            ..
        } = self.protocol();
        let known = parameters().map(|parameter| parameter.name.as_str());
        Names {
            credentials: [key, secret],
            files: files.map(|(_, part)| part.name.as_str()).collect(),
            known: known.chain([key.as_str(), secret, format]).collect(),
        }
    }

    fn tell(&self, path: &str, method: &Method, reply: &Reply, started: Instant) {
        let operation = self.catalog().find(path);
        let finished = reply.finished.as_ref();
        let unknown = finished.map_or(&[][..], |finished| &finished.unknown);
        let failures = finished.map_or(&[][..], |finished| &finished.failures);
        self.0.observer.served(&Record {
            method: known_method(method),
            operation: operation.map(|operation| operation.name.as_str()),
            is_served: operation.is_some_and(Operation::is_served),
            error: reply.answer.result.as_ref().err().map(|error| error.code),
            calls: reply.calls,
            elapsed: started.elapsed(),
            unknown: unknown.len(),
            misplaced: self.known_fields(unknown),
            warnings: &reply.answer.warnings,
            failures: failures
                .iter()
                .map(|failure| FailedCall {
                    method: failure.request.0,
                    template: &failure.request.1,
                    scope: &failure.scope,
                    status: failure.status,
                    code: failure.code,
                })
                .collect(),
        });
    }

    /// The names among these that the catalog has: others may be anything, a secret even.
    fn known_fields(&self, names: &[String]) -> BTreeSet<&str> {
        let parts = self
            .catalog()
            .fields()
            .iter()
            .flat_map(|field| &field.parts);
        parts
            .map(|part| part.name.as_str())
            .filter(|known| names.iter().any(|name| name == known))
            .collect()
    }
}

fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "other",
    }
}

fn shown(path: &str) -> String {
    path.chars().take(MAX_SHOWN).collect()
}
