//! Recent exchanges in memory: redacted by the recorder, and bounded in number and size.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use mappings::Catalog;
use memchr::memchr_iter;
use parking_lot::Mutex;
use recording::{Exchange, FORMAT, PseudonymKey};
use serde::Deserialize;
use serde_json::Value;

use super::recorder::{Recorder, Sink};
use crate::settings::RecordConfig;

/// Size limit of all exchanges, in bytes. Lists of hundreds of users are long.
const BYTES: usize = 32 << 20;

/// Keeps the most recent exchanges.
pub struct Recent {
    ring: Arc<Mutex<Ring>>,
    limit: usize,
    /// Recorder that writes to `ring` only; `None` if the file recorder does.
    own: Option<Arc<Recorder>>,
}

/// Ids of an exchange and of its request.
#[derive(Deserialize)]
struct Ids {
    id: String,
    request: Option<String>,
}

/// Recorded lines, oldest first.
#[derive(Default)]
struct Ring {
    lines: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

/// Sink of a recorder that appends to the ring.
pub struct Memory {
    ring: Arc<Mutex<Ring>>,
    limit: usize,
}

impl Recent {
    /// Keeps at most `limit` exchanges, with a recorder of its own. With a key, addresses and names
    /// are pseudonymized.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn start(
        limit: usize,
        catalog: Arc<Catalog>,
        key: Option<PseudonymKey>,
    ) -> io::Result<Self> {
        let (recent, memory) = Self::with_sink(limit);
        // No path: the sink is memory.
        let mut config = RecordConfig::new(PathBuf::new());
        config.pseudonym_key = key;
        let recorder = Recorder::with_sink(config, catalog, memory)?;
        Ok(Self {
            own: Some(Arc::new(recorder)),
            ..recent
        })
    }

    /// Keeps at most `limit` of the exchanges that are written to the returned sink.
    pub fn with_sink(limit: usize) -> (Self, Memory) {
        let ring = Arc::<Mutex<Ring>>::default();
        let memory = Memory {
            ring: Arc::clone(&ring),
            limit,
        };
        let own = None;
        (Self { ring, limit, own }, memory)
    }

    /// Waits until all served exchanges are stored. Blocks; for tests.
    pub fn settle(&self, timeout: Duration) -> bool {
        self.own.as_ref().is_none_or(|own| own.stop(timeout))
    }

    /// The recorder to start for each request; `None` if the file recorder writes here.
    pub(crate) fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.own.as_ref()
    }

    /// Maximum number of exchanges.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Maps request ids to exchange ids, for at most `limit` of the newest exchanges.
    pub(crate) fn by_request(&self, limit: usize) -> BTreeMap<String, String> {
        let lines: Vec<_> = self
            .ring
            .lock()
            .lines
            .iter()
            .rev()
            .take(limit)
            .cloned()
            .collect();
        let ids = lines.iter().map(|line| serde_json::from_slice(line));
        let ids = ids.filter_map(Result::<Ids, _>::ok);
        ids.filter_map(|ids| Some((ids.request?, ids.id))).collect()
    }

    pub(crate) fn find(&self, id: &str) -> Option<Exchange> {
        let head = format!("{{\"format\":{FORMAT},\"id\":{},", Value::from(id));
        let line = {
            let ring = self.ring.lock();
            let mut lines = ring.lines.iter();
            lines
                .find(|line| line.starts_with(head.as_bytes()))?
                .clone()
        };
        Exchange::read(str::from_utf8(&line).ok()?).ok()
    }
}

impl Sink for Memory {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut ring = self.ring.lock();
        let mut start = 0;
        for end in memchr_iter(b'\n', lines) {
            let line = lines.get(start..end).unwrap_or_default();
            start = end + 1;
            ring.bytes += line.len();
            ring.lines.push_back(line.into());
            while ring.lines.len() > self.limit || ring.bytes > BYTES {
                let Some(oldest) = ring.lines.pop_front() else {
                    break;
                };
                ring.bytes -= oldest.len();
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
