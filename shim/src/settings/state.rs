//! The section `[state]`.

use std::{num::NonZeroU32, path::PathBuf};

use secrecy::SecretString;

use super::{
    Sources,
    origin::{Mistakes, Placed},
    redis_url::{RedisUrl, Topology},
    table::State,
};

/// Settings of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// The engine.
    pub url: StateUrl,
    /// Key file of 32 bytes; `None` to create one beside a SQLite file.
    pub key_file: Option<PathBuf>,
    /// File of the previous key.
    pub previous_key_file: Option<PathBuf>,
    /// Behavior of writes while the engine cannot be reached.
    pub on_outage: OnOutage,
    /// File of PEM certificates that may issue the certificate of Redis; `None` for those of the
    /// system.
    pub ca_file: Option<PathBuf>,
    /// Number of replicas until they have been counted.
    pub replicas: NonZeroU32,
    /// Number of Redis replicas that must have the lease of a write before its first call.
    pub wait_replicas: u32,
}

/// Storage of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateUrl {
    /// The memory of this process.
    Memory,
    /// A SQLite file.
    Sqlite(PathBuf),
    /// Redis or Valkey.
    Redis(RedisUrl),
}

/// Behavior of writes while the engine cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnOutage {
    /// Keep them in this process.
    #[default]
    Local,
    /// Reject them.
    RefuseWrites,
}

/// Default file in the state folder.
const FILE: &str = "state.sqlite";

/// Default number of replicas.
const REPLICAS: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

impl StateConfig {
    /// Defaults except for engine and key.
    pub fn new(url: StateUrl, key_file: Option<PathBuf>) -> Self {
        Self {
            url,
            key_file,
            previous_key_file: None,
            on_outage: OnOutage::default(),
            ca_file: None,
            replicas: REPLICAS,
            wait_replicas: 0,
        }
    }

    /// `None` after a mistake.
    pub(super) fn from_settings(
        state: State,
        sources: &Sources<'_>,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let url = match state.url.transpose() {
            Some(url) => parsed(&url, state.password.value.as_ref(), mistakes)?,
            None => usual(sources),
        };
        let (key_file, origin) = (state.key_file.value, state.key_file.origin);
        if matches!(url, StateUrl::Redis(_)) && key_file.is_none() {
            let text = "state.key_file is missing: with Redis, all replicas need the same 32 bytes \
                        (head -c 32 /dev/urandom > state.key)";
            mistakes.add(origin, text);
        }
        let is_cluster = matches!(&url, StateUrl::Redis(url) if url.topology == Topology::Cluster);
        let wait_replicas = state.wait_replicas;
        if is_cluster && wait_replicas.value > 0 {
            let text = "state.wait_replicas is not for clusters: leave it out";
            mistakes.add(wait_replicas.origin, text);
        }
        Some(Self {
            url,
            ca_file: state.ca_file.value.map(PathBuf::from),
            replicas: NonZeroU32::new(state.replicas.value).unwrap_or(REPLICAS),
            wait_replicas: wait_replicas.value,
            key_file: key_file.map(PathBuf::from),
            previous_key_file: state.previous_key_file.value.map(PathBuf::from),
            on_outage: state.on_outage.value,
        })
    }
}

/// A file in systemd's state folder; memory without one.
fn usual(sources: &Sources<'_>) -> StateUrl {
    let folders = (sources.environment)("STATE_DIRECTORY").unwrap_or_default();
    match folders.split(':').next() {
        None | Some("") => StateUrl::Memory,
        Some(folder) => StateUrl::Sqlite(PathBuf::from(folder).join(FILE)),
    }
}

fn parsed(
    written: &Placed<String>,
    password: Option<&SecretString>,
    mistakes: &Mistakes,
) -> Option<StateUrl> {
    let text = written.value.trim();
    let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
    // The URL may contain a password, so that no message repeats it.
    let url = match scheme {
        "memory" if rest.is_empty() => Ok(StateUrl::Memory),
        // Other programs write `sqlite:///var/lib/state.sqlite`.
        "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
            "" => Err("has no file".to_owned()),
            file => Ok(StateUrl::Sqlite(file.into())),
        },
        scheme if RedisUrl::has_scheme(scheme) => RedisUrl::read(text, password)
            .map(StateUrl::Redis)
            .map_err(str::to_owned),
        _ => Err(format!("has no engine of this shim (scheme {scheme:?})")),
    };
    url.map_err(|wrong| {
        let text = format!(
            "state.url {wrong}; write \"memory:\", \"sqlite:FILE\", \"redis://HOST:6379/0\", \
             \"redis+sentinel://H1,H2/MASTER/0\" or \"redis+cluster://H1,H2\""
        );
        mistakes.add(written.origin.clone(), text);
    })
    .ok()
}
