//! State kept between requests, behind one trait with several engines.
//!
//! [`State`] names and encrypts entries, and caches v2's responses about users in this process. An
//! [`Engine`] stores names and encrypted values: SQLite in memory or in a file, or Redis.
//!
//! | engine | survives a kill | shared by |
//! |---|---|---|
//! | `memory:` | no | one process |
//! | `sqlite:FILE` | yes | the processes of one machine |
//! | `redis://…` | yes | replicas on any machines |

pub mod engine;
mod keyring;
mod limits;
mod lists;
pub mod queue;
mod redis;
mod shares;
mod sqlite;
mod writes;

use std::{
    num::NonZeroU32,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

pub use engine::Engine;
pub use keyring::Name;
pub(crate) use keyring::Space;
pub use queue::Queue;
pub(crate) use writes::{Entry, OtherOutcome, OtherRun, WriteName, WriteRun};

use self::redis::Redis;
use crate::settings::{Limits, OnOutage, StateConfig, StateUrl};
use engine::Run;
use keyring::{KEY_BYTES, Keyring, read_key, read_or_create_key};
use sqlite::Sqlite;

/// Name of the key file beside a SQLite file, unless `state.key_file` is set.
const KEY_FILE: &str = "state.key";

/// Approximate memory of a cached response besides its text, in bytes.
const OVERHEAD: usize = 200;

/// Error of opening, reading or writing state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The key file cannot be read or created.
    #[error("state.key_file {} cannot be used", file.display())]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The key file has another length.
    #[error("state.key_file {} must hold 32 bytes: head -c 32 /dev/urandom > FILE", .0.display())]
    KeyLength(PathBuf),
    /// The file of a certificate authority cannot be read.
    #[error("state.ca_file {} cannot be read", file.display())]
    CaFile {
        /// The file.
        file: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The system has no random bytes.
    #[error("the system returned no random bytes")]
    Random,
    /// No key decrypts a stored value.
    #[error("a stored value opens with no key; set state.previous_key_file to the one before")]
    Sealed,
    /// The file cannot be created or opened.
    #[error("state.url: {} cannot be opened", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The file is the SQLite database of another program.
    #[error("{} is another program's database; name another file in state.url", .0.display())]
    Foreign(PathBuf),
    /// A later version wrote the file.
    #[error(
        "a newer shim wrote {} (schema {version}, this one supports {known}); use that one, or name \
         another file in state.url", file.display(), known = sqlite::SCHEMA
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its schema.
        version: i64,
    },
    /// Redis requires a key file, because all replicas must use the same key.
    #[error("state.key_file is missing")]
    NoKey,
    /// Redis reported an error.
    #[error("Redis: {0}")]
    Redis(String),
    /// Redis cannot be reached, or did not reply in time.
    #[error("Redis is down")]
    Down,
    /// A script returned an unknown reply.
    #[error("Redis answered what this version does not understand")]
    Unreadable,
    /// SQLite failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The engine's thread has ended.
    #[error("the state engine has stopped")]
    Stopped,
}

/// State kept between requests. Clones share it.
#[derive(Clone, Debug)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Arc<dyn Engine>,
    keyring: Keyring,
    outage: Outage,
    failures: AtomicU64,
    answers: Cache<Key, Bytes>,
}

/// Behavior while the engine cannot be reached.
#[derive(Debug)]
struct Outage {
    writes: OnOutage,
    /// In-memory fallback.
    local: Option<Arc<dyn Engine>>,
    /// Number of processes if the engine has never counted them.
    replicas: NonZeroU32,
}

/// Time to live and size of the cache for v2's responses about the users of a list.
#[derive(Clone, Copy, Debug)]
pub struct AnswerCache {
    /// Time to live.
    pub time: Duration,
    /// Maximum size in bytes.
    pub bytes: u64,
}

impl From<&Limits> for AnswerCache {
    fn from(limits: &Limits) -> Self {
        Self {
            time: limits.cache_time,
            bytes: limits.cache_bytes,
        }
    }
}

impl State {
    /// State that is lost when the process ends.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random bytes or cannot start a thread.
    pub fn in_memory(answers: AnswerCache) -> Result<Self, StateError> {
        Self::on(Arc::new(Sqlite::in_memory()?), answers)
    }

    /// Opens the configured state. Blocks.
    ///
    /// # Errors
    ///
    /// Fails if a key or the engine cannot be opened.
    pub fn open(config: &StateConfig, answers: AnswerCache) -> Result<Self, StateError> {
        let key = config.key_file.as_deref().map(read_key).transpose()?;
        let previous = config.previous_key_file.as_deref().map(read_key);
        let previous = previous.transpose()?;
        let keyring = |key: &[u8; KEY_BYTES]| Keyring::new(key, previous.as_ref());
        let (engine, keyring): (Arc<dyn Engine>, _) = match &config.url {
            StateUrl::Memory => return Self::in_memory(answers),
            StateUrl::Sqlite(file) => {
                let engine = Sqlite::open(file)?;
                let beside = || read_or_create_key(&file.with_file_name(KEY_FILE));
                let key = key.map_or_else(beside, Ok)?;
                (Arc::new(engine), keyring(&key)?)
            }
            StateUrl::Redis(url) => {
                let key = key.ok_or(StateError::NoKey)?;
                let ca_file = config.ca_file.as_deref();
                let engine = Redis::open(url, ca_file, config.wait_replicas)?;
                (Arc::new(engine), keyring(&key)?)
            }
        };
        let outage = Outage {
            writes: config.on_outage,
            local: Some(Arc::new(Sqlite::in_memory()?)),
            replicas: config.replicas,
        };
        Ok(Self::with(engine, keyring, outage, answers))
    }

    /// State in an engine, with a random key.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random bytes.
    pub fn on(engine: Arc<dyn Engine>, answers: AnswerCache) -> Result<Self, StateError> {
        let outage = Outage {
            writes: OnOutage::Local,
            local: None,
            replicas: NonZeroU32::MIN,
        };
        Ok(Self::with(engine, Keyring::random()?, outage, answers))
    }

    fn with(
        engine: Arc<dyn Engine>,
        keyring: Keyring,
        outage: Outage,
        answers: AnswerCache,
    ) -> Self {
        let answers = Cache::builder()
            .time_to_live(answers.time)
            .max_capacity(answers.bytes)
            .weigher(|_, value: &Bytes| u32::try_from(value.len() + OVERHEAD).unwrap_or(u32::MAX))
            .build();
        Self(Arc::new(Inner {
            engine,
            keyring,
            outage,
            answers,
            failures: AtomicU64::new(0),
        }))
    }

    /// True while the engine cannot be reached.
    pub fn is_degraded(&self) -> bool {
        self.0.engine.is_down()
    }

    /// The queue with that name.
    pub fn queue(&self, name: &str) -> Queue {
        Queue {
            name: self.name(Space::Queue, &[name.as_bytes()]),
            state: self.clone(),
            is_previous: false,
        }
    }

    /// The same queue under the previous key, if there is one.
    pub fn previous_queue(&self, name: &str) -> Option<Queue> {
        let keyring = &self.0.keyring;
        Some(Queue {
            name: keyring.previous_name(Space::Queue, &[name.as_bytes()])?,
            state: self.clone(),
            is_previous: true,
        })
    }

    /// The cached response of v2 about a user.
    pub(crate) fn answer(&self, key: Key) -> Option<Bytes> {
        self.0.answers.get(&key)
    }

    /// Caches a response of v2 about a user.
    pub(crate) fn save_answer(&self, key: Key, text: Bytes) {
        self.0.answers.insert(key, text);
    }

    /// The in-memory engine that replaces [`engine`](Self::engine) while that cannot be reached.
    fn local(&self) -> Result<&Arc<dyn Engine>, StateError> {
        self.0.outage.local.as_ref().ok_or(StateError::Stopped)
    }

    /// Logs a failure of the engine. Logs only the 1st, 2nd, 4th, 8th and so on.
    fn log_failure(&self, error: &StateError) {
        let failures = self.0.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures.is_power_of_two() {
            let engine = self.engine().kind();
            tracing::warn!(engine, failures, %error, "State cannot be used");
        }
    }

    /// The engine, without names and encryption.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.0.engine
    }

    pub(crate) fn name(&self, space: Space, parts: &[&[u8]]) -> Name {
        self.0.keyring.name(space, parts)
    }

    /// Keys that sign links: the current one, then the previous one. All processes with the same
    /// key file have the same keys.
    pub(crate) fn link_keys(&self) -> Vec<[u8; KEY_BYTES]> {
        self.0.keyring.mac_keys(Space::LinkKey)
    }

    fn seal(&self, name: Name, value: &[u8]) -> Result<Bytes, StateError> {
        self.0.keyring.seal(name, value)
    }

    fn unseal(&self, name: Name, sealed: &[u8]) -> Option<Bytes> {
        self.0.keyring.open(name, sealed)
    }
}

/// An unkeyed digest, for use within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The digest of these parts.
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A random run id.
pub(crate) fn new_run() -> Run {
    fastrand::u128(..)
}

#[cfg(test)]
pub(crate) mod tests;
