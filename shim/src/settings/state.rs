//! The section `[state]`.

use std::path::PathBuf;

use url::Url;

use super::{
    Sources,
    origin::{Mistakes, Placed},
    table::State,
};

/// Where state is kept, and its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// The engine.
    pub url: StateUrl,
    /// 32 bytes; one is created beside a SQLite file if this is `None`.
    pub key_file: Option<PathBuf>,
    /// The key before the current one.
    pub previous_key_file: Option<PathBuf>,
    /// What becomes of writes while the engine cannot be reached.
    pub on_outage: OnOutage,
}

/// The engine that keeps state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateUrl {
    /// The memory of this process.
    Memory,
    /// A SQLite file.
    Sqlite(PathBuf),
    /// Redis or Valkey.
    Redis(Url),
}

/// What becomes of writes while the engine cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnOutage {
    /// They are remembered in this process.
    #[default]
    Local,
    /// They are rejected.
    RefuseWrites,
}

/// The file in the state folder, unless a site names one.
const FILE: &str = "state.sqlite";

/// The schemes of Redis and Valkey.
const REDIS: [&str; 6] = [
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "redis+sentinel",
    "redis+cluster",
];

impl StateConfig {
    /// `None` after a mistake.
    pub(super) fn from_settings(
        state: State,
        sources: &Sources<'_>,
        mistakes: &Mistakes,
    ) -> Option<Self> {
        let url = match state.url.transpose() {
            Some(url) => parsed(&url, mistakes)?,
            None => usual(sources),
        };
        let (key_file, origin) = (state.key_file.value, state.key_file.origin);
        if matches!(url, StateUrl::Redis(_)) && key_file.is_none() {
            let text = "state.key_file is missing: with Redis, all replicas need the same 32 bytes \
                        (head -c 32 /dev/urandom > state.key)";
            mistakes.add(origin, text);
        }
        Some(Self {
            url,
            key_file: key_file.map(PathBuf::from),
            previous_key_file: state.previous_key_file.value.map(PathBuf::from),
            on_outage: state.on_outage.value,
        })
    }
}

/// A file in the folder that systemd gives; without one, memory.
fn usual(sources: &Sources<'_>) -> StateUrl {
    let folders = (sources.environment)("STATE_DIRECTORY").unwrap_or_default();
    match folders.split(':').next() {
        None | Some("") => StateUrl::Memory,
        Some(folder) => StateUrl::Sqlite(PathBuf::from(folder).join(FILE)),
    }
}

fn parsed(written: &Placed<String>, mistakes: &Mistakes) -> Option<StateUrl> {
    let text = written.value.trim();
    let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
    let url = match scheme {
        "memory" if rest.is_empty() => Some(StateUrl::Memory),
        // `sqlite:FILE`, and what others write: `sqlite:///var/lib/state.sqlite`.
        "sqlite" => {
            let file = rest.strip_prefix("//").unwrap_or(rest);
            (!file.is_empty()).then(|| StateUrl::Sqlite(file.into()))
        }
        scheme if REDIS.contains(&scheme) => Url::parse(text).ok().map(StateUrl::Redis),
        _ => None,
    };
    if url.is_none() {
        // It may hold a password.
        let text = format!(
            "state.url has no engine of this shim (scheme {scheme:?}); write \"memory:\", \
             \"sqlite:FILE\" or \"redis://HOST:6379/0\""
        );
        mistakes.add(written.origin.clone(), text);
    }
    url
}
