//! What is remembered between requests, behind one trait with engines.
//!
//! [`State`] names and seals, and keeps v2's answers about users in the process; an [`Engine`] stores
//! names and sealed values: SQLite in memory, in a file, or Redis.
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
    path::{Path, PathBuf},
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
pub(crate) use writes::{Elsewhere, Ended, Entry, WriteName, WriteRun};

use self::redis::Redis;
use crate::settings::{Limits, OnOutage, StateConfig, StateUrl};
use engine::Run;
use keyring::{KEY_BYTES, Keyring, read_key, read_or_create_key};
use sqlite::Sqlite;

/// The key file beside a SQLite file, unless a site names one.
const KEY_FILE: &str = "state.key";

/// What a cached answer takes beside its text, in bytes, roughly.
const OVERHEAD: usize = 200;

/// Why state cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The key file cannot be read or created.
    #[error("state.key_file {} cannot be used", file.display())]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// Why.
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
        /// Why.
        source: std::io::Error,
    },
    /// No random bytes, or no key from them.
    #[error("the system gives no random bytes")]
    Random,
    /// No key opens a stored value.
    #[error("a stored value opens with no key; set state.previous_key_file to the one before")]
    Sealed,
    /// The file cannot be created or opened.
    #[error("state.url: {} cannot be opened", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is a SQLite file of another program.
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
    /// Redis needs a key that all replicas have.
    #[error("state.key_file is missing")]
    NoKey,
    /// Redis reported an error.
    #[error("Redis: {0}")]
    Redis(String),
    /// Redis cannot be reached, or did not answer in time.
    #[error("Redis is down")]
    Down,
    /// A script answered what this version does not understand.
    #[error("Redis answered what this version does not understand")]
    Unreadable,
    /// SQLite failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The engine's thread has ended.
    #[error("the state engine has stopped")]
    Stopped,
}

/// What is remembered between requests. Clones are the same state.
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

/// What holds while the engine cannot be reached.
#[derive(Debug)]
struct Outage {
    writes: OnOutage,
    /// In memory.
    local: Option<Arc<dyn Engine>>,
    /// The processes that are assumed if the engine never counted them.
    replicas: NonZeroU32,
}

/// How long v2's answers about the users of a list are reused, and the size of that cache.
#[derive(Clone, Copy, Debug)]
pub struct AnswerCache {
    /// Time to live.
    pub time: Duration,
    /// In bytes.
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
    /// State that ends with the process.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes or no thread.
    pub fn in_memory(answers: AnswerCache) -> Result<Self, StateError> {
        Self::on(Arc::new(Sqlite::in_memory()?), answers)
    }

    /// Opens the state that is configured. Blocks.
    ///
    /// # Errors
    ///
    /// If a key or the engine cannot be opened.
    pub fn open(config: &StateConfig, answers: AnswerCache) -> Result<Self, StateError> {
        let key = config.key_file.as_deref().map(read_key).transpose()?;
        let previous = config.previous_key_file.as_deref().map(read_key);
        let previous = previous.transpose()?;
        let keyring = |key: &[u8; KEY_BYTES]| Keyring::new(key, previous.as_ref());
        let (engine, keyring): (Arc<dyn Engine>, _) = match &config.url {
            StateUrl::Memory => return Self::in_memory(answers),
            StateUrl::Sqlite(file) => {
                let engine = Sqlite::open(file)?;
                let key = key.map_or_else(|| read_or_create_key(&beside(file)), Ok)?;
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

    /// State in an engine, under a key that ends with the process.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
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

    /// A queue of this state.
    pub fn queue(&self, name: &str) -> Queue {
        Queue::new(self.clone(), name)
    }

    /// The same queue before the key was replaced, if there is a previous key.
    pub fn previous_queue(&self, name: &str) -> Option<Queue> {
        Queue::previous(self.clone(), name)
    }

    /// v2's answer about a user, if it was read within the cache's time to live.
    pub(crate) fn answer(&self, key: Key) -> Option<Bytes> {
        self.0.answers.get(&key)
    }

    /// Remembers v2's answer about a user, in this process.
    pub(crate) fn save_answer(&self, key: Key, text: Bytes) {
        self.0.answers.insert(key, text);
    }

    /// The engine that stands in while [`engine`](Self::engine) cannot be reached.
    fn local(&self) -> Result<&Arc<dyn Engine>, StateError> {
        self.0.outage.local.as_ref().ok_or(StateError::Stopped)
    }

    /// Logs that the engine failed: the first time, the second, the fourth and so on.
    fn missed(&self, error: &StateError) {
        let failures = self.0.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures.is_power_of_two() {
            let engine = self.engine().kind();
            tracing::warn!(engine, failures, %error, "State cannot be used");
        }
    }

    /// Where it is kept, without names and seals.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.0.engine
    }

    pub(crate) fn name(&self, space: Space, parts: &[&[u8]]) -> Name {
        self.0.keyring.name(space, parts)
    }

    /// Keys that sign links: the current one, and the one before. All processes with the key file have
    /// the same.
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

/// A digest of what a thing is, within the process: it is not keyed.
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

/// A run that no other one equals.
pub(crate) fn fresh_run() -> Run {
    fastrand::u128(..)
}

fn beside(file: &Path) -> PathBuf {
    file.with_file_name(KEY_FILE)
}

#[cfg(test)]
pub(crate) mod tests;
