//! The last exchanges, in memory: redacted by the recorder, and bounded in number and size.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mappings::Catalog;
use memchr::memchr_iter;
use recording::{Exchange, FORMAT, PseudonymKey};
use serde::Deserialize;
use serde_json::Value;

use super::recorder::{Recorder, Sink};
use crate::settings::RecordConfig;

/// All of them together, in bytes; lists of hundreds of users are long.
const BYTES: usize = 32 << 20;

/// Keeps the last exchanges.
pub struct Recent {
    ring: Arc<Mutex<Ring>>,
    most: usize,
    /// Who writes here, and nowhere else.
    own: Option<Arc<Recorder>>,
}

/// The ids of an exchange.
#[derive(Deserialize)]
struct Ids {
    id: String,
    request: Option<String>,
}

/// Lines of a recording, the newest last.
#[derive(Default)]
struct Ring {
    lines: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

/// Where a recorder writes the exchanges that are kept here.
pub struct Memory {
    ring: Arc<Mutex<Ring>>,
    most: usize,
}

impl Recent {
    /// Keeps so many exchanges; with a key, addresses and names are pseudonyms.
    ///
    /// # Errors
    ///
    /// If there is no thread.
    pub fn start(
        most: usize,
        catalog: Arc<Catalog>,
        key: Option<PseudonymKey>,
    ) -> io::Result<Self> {
        let (recent, memory) = Self::fed(most);
        // No file: what is written goes to memory.
        let mut config = RecordConfig::new(PathBuf::new());
        config.pseudonym_key = key;
        let recorder = Recorder::with_sink(config, catalog, memory)?;
        Ok(Self {
            own: Some(Arc::new(recorder)),
            ..recent
        })
    }

    /// Keeps so many of the exchanges that somebody writes into the memory.
    pub fn fed(most: usize) -> (Self, Memory) {
        let ring = Arc::<Mutex<Ring>>::default();
        let memory = Memory {
            ring: Arc::clone(&ring),
            most,
        };
        let own = None;
        (Self { ring, most, own }, memory)
    }

    /// Waits until what was served before is here, if it is not fed. Blocks; for tests.
    pub fn settle(&self, patience: Duration) -> bool {
        self.own.as_ref().is_none_or(|own| own.stop(patience))
    }

    /// What exchanges are handed to, if they are not recorded anyway.
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.own.as_ref()
    }

    /// How many are kept at the most.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// The ids of the newest exchanges, so many at the most, by those of their requests.
    pub(crate) fn by_request(&self, most: usize) -> BTreeMap<String, String> {
        let lines: Vec<_> = self.ring().lines.iter().rev().take(most).cloned().collect();
        let ids = lines.iter().map(|line| serde_json::from_slice(line));
        let ids = ids.filter_map(Result::<Ids, _>::ok);
        ids.filter_map(|ids| Some((ids.request?, ids.id))).collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Exchange> {
        let head = format!("{{\"format\":{FORMAT},\"id\":{},", Value::from(id));
        let line = {
            let ring = self.ring();
            let mut lines = ring.lines.iter();
            lines
                .find(|line| line.starts_with(head.as_bytes()))?
                .clone()
        };
        Exchange::read(str::from_utf8(&line).ok()?).ok()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Memory {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let mut start = 0;
        for end in memchr_iter(b'\n', lines) {
            let line = lines.get(start..end).unwrap_or_default();
            start = end + 1;
            ring.bytes += line.len();
            ring.lines.push_back(line.into());
            while ring.lines.len() > self.most || ring.bytes > BYTES {
                let Some(gone) = ring.lines.pop_front() else {
                    break;
                };
                ring.bytes -= gone.len();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}
