//! Starts webhooks and push notifications, and the commands for their queues.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use mappings::Catalog;
use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use shim_sandbox::Subscription;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Failure, Serve, banner, listen::bind_flag, run};
use crate::{
    front::server,
    notifications::{
        Client, ClientError, Deliver as _, Outbox, PATH, Pusher, Targets, Webhooks, router,
        system_clock,
    },
    observe::Observer,
    serve::Shim,
    settings::{Config, Limits, ReceiverConfig, StateUrl, WebhooksConfig},
    state::{AnswerCache, State},
};

/// Suggested variable if the webhook address cannot be bound.
const LISTEN: &str = "SHIM_WEBHOOKS_LISTEN=127.0.0.1:8082";

/// Maximum number of dead letters listed per receiver.
const LISTED: usize = 1000;

/// List, resend or try v1's push notifications.
#[derive(Args, Clone, Debug)]
pub(crate) struct Notifications {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// List the notifications that were given up after their last attempt
    List(Serve),
    /// Queue notifications again that were given up; a running `shim serve` pushes them
    Retry {
        /// Ids from `list`; all if there are none
        ids: Vec<String>,
        #[command(flatten)]
        serve: Serve,
    },
    /// Push STARTED and ENDED of a made-up meeting to every receiver, past the queue
    Test(Serve),
}

/// The bound listener for webhooks.
pub(super) struct Listening {
    listener: TcpListener,
    pub(super) address: SocketAddr,
    config: WebhooksConfig,
}

/// Accepts webhooks and pushes notifications until it is stopped.
pub(super) struct Pushing {
    outbox: Outbox,
    state: State,
    observer: Arc<dyn Observer>,
    webhooks: Option<Arc<Webhooks>>,
    /// The webhook address as configured.
    listen: Option<String>,
    /// Stops the pushers of the current receivers.
    current: Mutex<CancellationToken>,
    tasks: TaskTracker,
}

/// Receivers with their HTTP clients, prepared for [`Pushing::switch`].
pub(super) struct Receivers {
    targets: Targets,
    clients: Vec<Client>,
}

/// Binds the webhook address, if one is configured.
pub(super) async fn bind(config: Option<WebhooksConfig>) -> anyhow::Result<Option<Listening>> {
    let Some(config) = config else {
        return Ok(None);
    };
    let listener = bind_flag(&config.listen, LISTEN).await?;
    Ok(Some(Listening {
        address: listener.local_addr()?,
        listener,
        config,
    }))
}

impl Listening {
    /// The subscription of the shim's own sandbox.
    pub(super) fn subscription(&self) -> Option<Subscription> {
        let token = self.config.secret_tokens.first()?;
        Some(Subscription {
            url: url(self.address),
            secret_token: token.expose_secret().to_owned(),
            faults: Vec::new(),
            retries: Subscription::RETRIES.to_vec(),
        })
    }
}

/// Starts the webhook server and the pushers.
pub(super) fn start(
    listening: Option<Listening>,
    (outbox, state): (&Outbox, State),
    shim: &Shim,
    observer: &Arc<dyn Observer>,
    limits: &Limits,
) -> anyhow::Result<Arc<Pushing>> {
    let listen = listening
        .as_ref()
        .map(|listening| listening.config.listen.clone());
    let webhooks = listening.map(|listening| {
        let webhooks = Arc::new(Webhooks::new(
            shim.clone(),
            listening.config.secret_tokens,
            outbox.clone(),
            Arc::clone(observer),
            system_clock(),
        ));
        let (router, limits) = (router(Arc::clone(&webhooks)), limits.clone());
        // Runs until the process ends: webhooks that come during the shutdown are pushed after the
        // next start.
        tokio::spawn(async move {
            server::serve_ops(listening.listener, router, &limits).await;
        });
        webhooks
    });
    let pushing = Pushing {
        outbox: outbox.clone(),
        state,
        observer: Arc::clone(observer),
        webhooks,
        listen,
        current: Mutex::default(),
        tasks: TaskTracker::new(),
    };
    let targets = outbox.targets();
    let clients = clients(&targets)?;
    pushing.switch(Receivers { targets, clients });
    Ok(Arc::new(pushing))
}

fn clients(targets: &Targets) -> Result<Vec<Client>, ClientError> {
    let clients = targets.iter().map(|target| Client::new(&target.config));
    clients.collect()
}

impl Pushing {
    /// Prepares receivers without changing anything.
    pub(super) fn prepare(&self, receivers: &[ReceiverConfig]) -> Result<Receivers, ClientError> {
        let targets = self.outbox.with(receivers, &self.state);
        let clients = clients(&targets)?;
        Ok(Receivers { targets, clients })
    }

    /// Replaces the receivers. Attempts in progress finish under their leases.
    pub(super) fn switch(&self, receivers: Receivers) {
        let stop = CancellationToken::new();
        self.outbox.replace(Arc::clone(&receivers.targets));
        let mut current = self.current.lock();
        current.cancel();
        *current = stop.clone();
        for (target, client) in receivers.targets.iter().zip(receivers.clients) {
            let (target, observer) = (Arc::clone(target), Arc::clone(&self.observer));
            let pusher = Pusher::new(target, client, observer, system_clock());
            self.tasks.spawn(Arc::new(pusher).run(stop.clone()));
        }
    }

    /// Replaces the secret tokens. The address cannot change.
    pub(super) fn verify_with(&self, config: Option<WebhooksConfig>) {
        let listen = config.as_ref().map(|config| &config.listen);
        if listen != self.listen.as_ref() {
            tracing::warn!("webhooks.listen is changed by a restart only");
        }
        if let Some((webhooks, config)) = self.webhooks.as_ref().zip(config) {
            webhooks.replace_tokens(config.secret_tokens);
        }
    }

    /// Stops after the attempts in progress, or after `within`.
    pub(super) async fn stop(&self, within: Duration) {
        self.current.lock().cancel();
        self.tasks.close();
        // Messages of interrupted attempts stay in the queue.
        let _ = timeout(within, self.tasks.wait()).await;
    }
}

/// `shim notifications`.
pub(super) fn run(arguments: &Notifications) -> Result<(), Failure> {
    let (Command::List(serve) | Command::Retry { serve, .. } | Command::Test(serve)) =
        &arguments.command;
    // Neither v2 nor its tenants are needed.
    let serve = &Serve {
        sandbox: true,
        ..serve.clone()
    };
    let catalog = run::catalog(serve.mappings.as_deref()).map_err(Failure::Settings)?;
    let config = run::config(serve, &catalog).map_err(Failure::Settings)?;
    if config.receivers.is_empty() {
        return Err(Failure::Settings(anyhow!(
            "no receiver is configured; set SHIM_RECEIVER_URL, or a [[receiver]] in the file"
        )));
    }
    let is_test = matches!(arguments.command, Command::Test(_));
    if config.state.url == StateUrl::Memory && !is_test {
        return Err(Failure::Settings(anyhow!(
            "the queue is in the memory of the running shim, see /ui/deliveries there; set state.url, \
             as sqlite:state.sqlite"
        )));
    }
    let done = run::runtime()?.block_on(async {
        let outbox = outbox(&config)?;
        match &arguments.command {
            Command::List(_) => list(&outbox).await,
            Command::Retry { ids, .. } => retry(&outbox, ids).await,
            Command::Test(_) => test(&outbox, &catalog).await,
        }
    });
    done.map_err(Failure::Running)
}

fn outbox(config: &Config) -> anyhow::Result<Outbox> {
    let state = State::open(&config.state, AnswerCache::from(&config.limits))?;
    Ok(Outbox::new(&config.receivers, &state))
}

async fn list(outbox: &Outbox) -> anyhow::Result<()> {
    for dead in outbox.dead(LISTED).await? {
        let (event, notification) = dead.message.map_or_else(
            || ("?".to_owned(), "?".to_owned()),
            |message| (message.event, message.notification),
        );
        let (id, at, receiver) = (dead.id, recording::moment(dead.at), dead.receiver);
        banner::print(&format_args!(
            "{id}\t{at}\t{notification}\tevent {event}\t{receiver}\n"
        ));
    }
    for waiting in outbox.waiting().await? {
        let (receiver, counts) = (waiting.receiver, waiting.counts);
        banner::print(&format_args!(
            "{receiver}: {} waiting, {} given up\n",
            counts.waiting, counts.dead
        ));
    }
    Ok(())
}

async fn retry(outbox: &Outbox, ids: &[String]) -> anyhow::Result<()> {
    let parsed = ids.iter().map(|id| {
        let parsed = id.parse();
        parsed.map_err(|_| anyhow!("{id:?} is not an id from `shim notifications list`"))
    });
    let parsed = parsed.collect::<anyhow::Result<Vec<_>>>()?;
    let chosen = (!ids.is_empty()).then_some(parsed.as_slice());
    let count = outbox.requeue(chosen, system_clock()()).await?;
    banner::print(&format_args!(
        "{count} queued again; a running `shim serve` pushes them\n"
    ));
    Ok(())
}

async fn test(outbox: &Outbox, catalog: &Catalog) -> anyhow::Result<()> {
    let mut failed = 0;
    for target in outbox.targets().iter().filter(|target| !target.is_retired) {
        let client = Client::new(&target.config)?;
        for message in target.samples(catalog, system_clock()()) {
            let notification = message.notification.clone();
            let outcome = match client.deliver(message).await {
                Ok(()) => "delivered".to_owned(),
                Err(failure) => {
                    failed += 1;
                    failure.to_string()
                }
            };
            let receiver = &target.label;
            banner::print(&format_args!("{notification}\t{outcome}\t{receiver}\n"));
        }
    }
    (failed == 0)
        .then_some(())
        .with_context(|| format!("{failed} of the test notifications were not delivered"))
}

/// The URL of the webhook endpoint at an address.
pub(super) fn url(address: SocketAddr) -> String {
    format!("http://{}{PATH}", banner::reachable(address))
}
