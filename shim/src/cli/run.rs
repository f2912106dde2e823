//! Starts the shim or the sandbox, reloads settings on SIGHUP, and stops.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use mappings::Catalog;
use shim_sandbox::{Faults, Sandbox, SandboxConfig, Subscription};
use tokio::{net::TcpListener, runtime::Runtime, task::spawn_blocking, time};
use url::Url;

use super::{
    Failure, SandboxArguments, Serve,
    banner::{self, Backend, SANDBOX_CHAT_TOKEN, SandboxServing, Serving},
    listen::{bind, bind_ops, check_way_to_v2, open},
    notifications::{self, Listening, Pushing},
    open_files,
    replay::{self, Replay},
    signals::{ReloadSignals, reload_signals, stop_signal, survive_file_size_limit},
    watchers::{self, Watchers},
};
use crate::{
    front::server::{self, Stopped, Tls},
    notifications::Outbox,
    observe::{Log, Metrics, Observer, Observers, StartedLog, Traces, start_log},
    operate::{
        self, Process,
        pages::{self, Counters},
    },
    serve::{Dependencies, Shim},
    settings::{
        Config, Flags, LogConfig, LogFormat, MappingsFolder, SANDBOX_KEY, SANDBOX_SECRET,
        SiteConfig, Source, Sources, TlsConfig, UnknownVariable, V2Config,
    },
    state::{AnswerCache, State},
};

/// Grace period for running requests when the sandbox stops.
const SANDBOX_GRACE: Duration = Duration::from_secs(1);

/// Time to send pending traces when the shim stops.
const TRACES_GRACE: Duration = Duration::from_secs(1);

pub(super) fn serve(arguments: &Serve) -> Result<(), Failure> {
    let catalog = Arc::new(catalog(arguments.mappings.as_deref()).map_err(Failure::Settings)?);
    let config = config(arguments, &catalog).map_err(Failure::Settings)?;
    let replay = arguments.replay.as_deref();
    let replay = replay.map(|file| Replay::read(file, &catalog, config.pseudonym_key.clone()));
    let replay = replay.transpose();
    let replay = replay.map_err(Failure::Settings)?;
    let _log = log(&config.log)?;
    let traces = config.traces.as_ref().map(Traces::start).transpose();
    let traces = traces.map_err(Failure::Running)?.map(Arc::new);
    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::new(Log::new(config.log.format))];
    observers.extend(traces.clone().map(|traces| traces as _));
    let served = runtime()?.block_on(serve_until_stopped(
        config,
        catalog,
        (arguments, replay),
        observers,
    ));
    if let Some(traces) = traces {
        traces.stop(TRACES_GRACE);
    }
    served.map_err(Failure::Running)
}

/// Environment variables with the shim's prefix that are not settings.
pub(super) fn unknown_variables() -> Vec<UnknownVariable> {
    // Names that are not UTF-8 are not settings.
    let variables = std::env::vars_os();
    let texts = variables.filter_map(|(name, value)| {
        Some((
            name.into_string().ok()?,
            value.into_string().unwrap_or_default(),
        ))
    });
    let texts: Vec<_> = texts.collect();
    let borrowed = texts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    UnknownVariable::among(borrowed)
}

pub(super) fn sandbox(arguments: &SandboxArguments) -> Result<(), Failure> {
    let _log = log(&LogConfig::default())?;
    runtime()?
        .block_on(serve_sandbox(&arguments.listen, arguments.sandbox_users))
        .map_err(Failure::Running)
}

fn log(config: &LogConfig) -> Result<StartedLog, Failure> {
    let log = start_log(config).context("cannot start the thread of the log");
    log.map_err(Failure::Running)
}

pub(super) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Runtime::new().context("cannot start threads");
    runtime.map_err(Failure::Running)
}

#[expect(
    clippy::too_many_lines,
    reason = "the parts of the program, in the order they start"
)]
async fn serve_until_stopped(
    config: Config,
    catalog: Arc<Catalog>,
    (arguments, replay): (&Serve, Option<Replay>),
    mut observers: Vec<Arc<dyn Observer>>,
) -> anyhow::Result<()> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    for unknown in unknown_variables() {
        tracing::warn!("{unknown}");
    }
    let format = config.log.format;
    let Config {
        listen,
        tls,
        ops,
        source,
        site,
        mut limits,
        record,
        ledger,
        state,
        pseudonym_key,
        shadow,
        ui,
        webhooks,
        receivers,
        ..
    } = config;
    survive_file_size_limit();
    open_files::fit(&mut limits);
    let listeners = open(listen.as_deref(), tls.as_ref()).await?;
    let address = listeners.plain.as_ref().map(TcpListener::local_addr);
    let address = address.transpose()?;
    let tls_address = listeners.tls.as_ref().map(|(tls, _)| tls.local_addr());
    let tls_address = tls_address.transpose()?;
    let tls_in_use = listeners.tls.as_ref().map(|(_, tls)| tls.clone());
    let ops_listener = bind_ops(&ops, !matches!(source, Source::V2(_))).await?;
    let webhooks = notifications::bind(webhooks).await?;
    let (mut sandbox_users, mut replayed) = (None, None);
    let v2 = match source {
        Source::V2(v2) => v2,
        Source::Sandbox { users } => {
            sandbox_users = Some(users);
            let subscription = webhooks.as_ref().and_then(Listening::subscription);
            start_sandbox(users, &site, arguments.sandbox_faults.clone(), subscription).await?
        }
        Source::Replay => {
            let replay = replay.context("--replay names no recording")?;
            replayed = Some(replay.count);
            // A program under test repeats its calls, and each must reach the recording.
            limits.cache_time = Duration::ZERO;
            start_replay(replay, &site).await?
        }
    };
    let own: Vec<_> = address.into_iter().chain(tls_address).collect();
    check_way_to_v2(&v2, own).await?;
    // Sandbox and recording keep their address across reloads.
    let in_process = (sandbox_users.is_some() || replayed.is_some()).then(|| v2.clone());
    let (base, tenants) = v2.shown();
    // Without an operations address, nothing reads the counters.
    let counters = ops_listener
        .as_ref()
        .map(|_| counters(&catalog, &mut observers));
    let counters = counters.transpose()?;
    let recent = if counters.is_some() { ui.recent } else { 0 };
    let cache = AnswerCache::from(&limits);
    let state = spawn_blocking(move || State::open(&state, cache)).await??;
    let outbox = Outbox::new(&receivers, &state);
    let queued_in = state.clone();
    let mut dependencies = Dependencies::with(state);
    dependencies.observer = Arc::new(Observers(observers));
    let watchers = Watchers {
        recent,
        record,
        ledger,
        shadow,
        pseudonym_key,
    };
    watchers.add_to(&mut dependencies, &catalog, &limits)?;
    let (recorder, ledger) = (dependencies.recorder.clone(), dependencies.ledger.clone());
    let observer = Arc::clone(&dependencies.observer);
    let shim = Shim::new(Arc::clone(&catalog), v2, &site, &limits, dependencies)?;
    // Before the first request, so that a rollout that was rolled back stays so.
    shim.sync_rollouts().await;
    tokio::spawn(shim.clone().keep_rollouts_synced());
    let webhooks_address = webhooks.as_ref().map(|listening| listening.address);
    let queues = (&outbox, queued_in);
    let pushing = notifications::start(webhooks, queues, &shim, &observer, &limits)?;
    let ops_address = ops_listener.as_ref().map(TcpListener::local_addr);
    let (stop, reload) = (stop_signal(), reload_signals());
    let process = Process {
        tls: tls_in_use.clone(),
        outbox: outbox.clone(),
        connections: listeners.open.clone(),
        ..Process::default()
    };
    let stopping = process.stopping.clone();
    let banner = Serving {
        address,
        tls_address,
        backend: match (sandbox_users, replayed.zip(arguments.replay.as_deref())) {
            (Some(users), _) => Backend::Sandbox { users },
            (None, Some((calls, file))) => Backend::Replay { file, calls },
            (None, None) => Backend::V2 {
                base: &base,
                tenants,
            },
        },
        ops: ops_address.transpose()?,
        webhooks: webhooks_address.map(|address| (address, receivers.len())),
        catalog: &catalog,
    };
    match format {
        LogFormat::Text => banner::print(&banner),
        LogFormat::Json => banner::print(&banner.json()),
    }
    tokio::spawn(check_tenants(shim.clone()));

    if let Some((listener, (metrics, counters))) = ops_listener.zip(counters) {
        let pages = pages::router(shim.clone(), counters, process.clone(), &ui);
        let (router, limits) = (
            operate::router(shim.clone(), metrics, &ui, process).merge(pages),
            limits.clone(),
        );
        // Runs until the process ends, so that it can be used while the last requests finish.
        tokio::spawn(async move { server::serve_ops(listener, router, &limits).await });
    }
    tokio::spawn(reload_on_signals(
        reload,
        shim.clone(),
        (arguments.clone(), in_process),
        (tls_in_use, Arc::clone(&pushing)),
    ));
    let stop = async {
        stop.await;
        stopping.cancel();
        let (drain, finish) = (limits.drain.as_secs(), limits.shutdown.as_secs());
        tracing::info!("Stopping: draining {drain} s, then up to {finish} s for running requests");
    };
    let again = async {
        stopping.cancelled().await;
        stop_signal().await;
    };
    let stopped = tokio::select! {
        stopped = server::serve(listeners, shim, &limits, stop) => stopped,
        () = again => Stopped::CutOff,
    };
    pushing.stop(limits.shutdown).await;
    watchers::write_the_rest(recorder, ledger).await;
    if stopped == Stopped::CutOff {
        tracing::warn!("Stopped; some requests in work were cut off");
    }
    Ok(())
}

/// Timeout of the first tokens.
const FIRST_TOKENS: Duration = Duration::from_secs(30);

/// Requests a token for every tenant, so that a wrong secret or a missing scope is logged before
/// the first request needs it.
async fn check_tenants(shim: Shim) {
    for tenant in shim
        .tenant_statuses(time::Instant::now() + FIRST_TOKENS)
        .await
    {
        let key = &tenant.key;
        match (&tenant.access, tenant.missing.as_deref()) {
            (Err(error), _) => {
                tracing::error!("Tenant {key} has no v2 token: {error}; try shim doctor");
            }
            (Ok(()), Some([first, others @ ..])) => {
                let (scope, operations) = (&first.scope, first.operations.join(", "));
                let more = others.len();
                tracing::warn!(
                    more,
                    "The OAuth app of tenant {key} lacks the scope {scope}, needed by {operations}; \
                     shim doctor lists all"
                );
            }
            (Ok(()), _) => {}
        }
    }
}

/// Counters for the operations address.
fn counters(
    catalog: &Catalog,
    observers: &mut Vec<Arc<dyn Observer>>,
) -> anyhow::Result<(Arc<Metrics>, Counters)> {
    let (metrics, counters) = (Arc::new(Metrics::new(catalog)?), Counters::default());
    observers.push(Arc::clone(&metrics) as _);
    observers.extend(counters.observers());
    Ok((metrics, counters))
}

/// Logs the warnings about a certificate and its key.
fn warn_of(tls: &TlsConfig) {
    for warning in tls.warnings() {
        tracing::warn!("tls: {warning}");
    }
}

/// Starts the sandbox on a free port. It is used like v2: over HTTP, with OAuth tokens.
pub(super) async fn start_sandbox(
    users: usize,
    site: &SiteConfig,
    faults: Option<Faults>,
    subscription: Option<Subscription>,
) -> anyhow::Result<V2Config> {
    let listener = bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let config = SandboxConfig {
        users,
        ..SandboxConfig::default()
    };
    // Runs until the process ends.
    tokio::spawn(async move {
        let (sandbox, never) = (Sandbox::new(config), std::future::pending());
        if let Some(subscription) = subscription {
            sandbox.subscribe(subscription);
        }
        match faults {
            Some(faults) => {
                shim_sandbox::serve_faulty(listener, sandbox.router(), &faults, never).await
            }
            None => shim_sandbox::serve(listener, sandbox, never).await,
        }
    });
    in_process_v2(
        &Sandbox::v2_base(address),
        Sandbox::token_url(address).parse()?,
        site,
    )
}

fn in_process_v2(base: &str, token_url: Url, site: &SiteConfig) -> anyhow::Result<V2Config> {
    V2Config::sandbox(
        base,
        (SANDBOX_KEY, SANDBOX_SECRET),
        token_url,
        (
            shim_sandbox::ACCOUNT_ID,
            shim_sandbox::CLIENT_ID,
            shim_sandbox::CLIENT_SECRET,
        ),
        SANDBOX_CHAT_TOKEN,
        site,
    )
    .ok_or_else(|| anyhow!("v2 in this process has no usable address"))
}

/// Serves a recording on a free port, with the credentials of the sandbox.
async fn start_replay(recording: Replay, site: &SiteConfig) -> anyhow::Result<V2Config> {
    let listener = bind("127.0.0.1:0").await?;
    let (base, token_url) = replay::urls(listener.local_addr()?);
    replay::serve(listener, recording);
    in_process_v2(&base, token_url.parse()?, site)
}

/// Reloads mappings and settings at every signal. After an error, everything stays as it was.
async fn reload_on_signals(
    mut signals: ReloadSignals,
    shim: Shim,
    (arguments, in_process): (Serve, Option<V2Config>),
    (tls_in_use, pushing): (Option<Tls>, Arc<Pushing>),
) {
    while signals.recv().await.is_some() {
        let arguments = arguments.clone();
        let read = move || {
            let catalog = Arc::new(catalog(arguments.mappings.as_deref())?);
            let config = config(&arguments, &catalog)?;
            anyhow::Ok((catalog, config))
        };
        let read = spawn_blocking(read).await;
        let reloaded = read.map_err(anyhow::Error::from).flatten();
        let reloaded = reloaded.and_then(|(catalog, config)| {
            let v2 = match (config.source, &in_process) {
                (Source::V2(v2), _) => v2,
                (Source::Sandbox { .. } | Source::Replay, Some(v2)) => {
                    v2.sandbox_with(&config.site)
                }
                (Source::Sandbox { .. } | Source::Replay, None) => {
                    bail!(
                        "a restart is needed to change between --sandbox, --replay and a v2 account"
                    )
                }
            };
            let (_, tenants) = v2.shown();
            let receivers = pushing.prepare(&config.receivers)?;
            shim.reload(catalog, v2, &config.site)?;
            pushing.switch(receivers);
            pushing.verify_with(config.webhooks);
            match (&tls_in_use, &config.tls) {
                (Some(in_use), Some(tls)) => {
                    in_use.replace(&tls.identity);
                    warn_of(tls);
                }
                (None, None) => {}
                _ => tracing::warn!("TLS is switched on or off by a restart only"),
            }
            Ok(tenants)
        });
        shim.sync_rollouts().await;
        match reloaded {
            Ok(tenants) => tracing::info!(
                tenants,
                "Reloaded mappings, tenants, options, receivers, secrets and certificate"
            ),
            Err(error) => tracing::error!("Reload failed, settings are unchanged: {error:#}"),
        }
    }
}

async fn serve_sandbox(listen: &str, users: usize) -> anyhow::Result<()> {
    let listener = bind(listen).await?;
    let address = listener.local_addr()?;
    let config = SandboxConfig {
        users,
        ..SandboxConfig::default()
    };
    let stop_signal = stop_signal();
    banner::print(&SandboxServing { address, users });

    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop_signal.await;
        let _ = stopping.send(());
    };
    let grace = async {
        // The sender is dropped only if the server stops by itself.
        let _ = stopped.await;
        time::sleep(SANDBOX_GRACE).await;
    };
    tokio::select! {
        served = shim_sandbox::serve(listener, Sandbox::new(config), stop) => served?,
        () = grace => {}
    }
    Ok(())
}

pub(super) fn catalog(folder: Option<&Path>) -> anyhow::Result<Catalog> {
    match folder {
        Some(folder) => Ok(MappingsFolder::read(folder, "--mappings")?.catalog()?),
        None => Ok(Catalog::embedded()?),
    }
}

pub(super) fn config(arguments: &Serve, catalog: &Catalog) -> anyhow::Result<Config> {
    with_sources(arguments, |sources| Ok(Config::load(sources, catalog)?))
}

pub(super) fn with_sources<T>(
    arguments: &Serve,
    then: impl FnOnce(&Sources<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut file = None;
    if let Some(path) = &arguments.config {
        let text = fs::read_to_string(path)
            .with_context(|| format!("--config: {} cannot be read", path.display()))?;
        file = Some((path.display().to_string(), text));
    }
    let sources = Sources {
        file: file
            .as_ref()
            .map(|(name, text)| (name.as_str(), text.as_str())),
        environment: &|name| std::env::var(name).ok(),
        flags: Flags {
            given: arguments.settings.0.clone(),
            sandbox: arguments.sandbox.then_some(arguments.sandbox_users),
            replay: arguments.replay.is_some(),
        },
        read: &|path| fs::read_to_string(path),
    };
    // A misspelt variable is a common cause of a missing setting.
    then(&sources).map_err(|error| {
        let unknown = unknown_variables();
        if unknown.is_empty() || error.source().is_some() {
            return error;
        }
        let lines: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        anyhow!("{error}\n  {}", lines.join("\n  "))
    })
}
