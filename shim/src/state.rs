//! What is remembered between requests, behind one small trait: in the memory of this process unless
//! replicas share it.

mod memory;

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
pub use memory::InMemory;
use sha2::{Digest as _, Sha256};

/// What kind of thing is remembered. Each has its own bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// v2's answers about users of a list, for seconds.
    Answers,
    /// The tokens of the pages of a list, for minutes.
    Cursors,
    /// What an unfinished write has done, for a day.
    Unfinished,
}

/// The name of a remembered thing: a digest, nothing can be read off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The name of what these parts describe together.
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

/// Remembers values for a while. Forgetting early is allowed: it costs time, never correctness,
/// except that an unfinished create is then answered as a user who is there already.
pub trait Store: fmt::Debug + Send + Sync {
    /// The value, if it is remembered.
    fn load(&self, space: Space, key: Key) -> BoxFuture<'_, Option<Bytes>>;

    /// Remembers a value in place of an earlier one.
    fn save(&self, space: Space, key: Key, value: Bytes) -> BoxFuture<'_, ()>;

    /// Forgets a value.
    fn forget(&self, space: Space, key: Key) -> BoxFuture<'_, ()>;
}
