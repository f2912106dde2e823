//! The last exchanges, in memory: redacted by the recorder, and bounded in number and size.

use std::{
    collections::VecDeque,
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use mappings::{
    Catalog,
    record::{Exchange, PseudonymKey},
};
use serde_json::Value;

use crate::recorder::{RecordConfig, Recorder, Sink};

/// All of them together, in bytes; lists of hundreds of users are long.
const BYTES: usize = 32 << 20;

/// Keeps the last exchanges.
pub struct Recent {
    recorder: Arc<Recorder>,
    ring: Arc<Mutex<Ring>>,
    most: usize,
}

/// One exchange at a glance.
#[derive(Clone, Debug)]
pub(super) struct Glance {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) operation: String,
    pub(super) micros: u64,
    pub(super) error: Option<i64>,
    pub(super) calls: usize,
}

#[derive(Default)]
struct Ring {
    kept: VecDeque<(Glance, Box<[u8]>)>,
    bytes: usize,
}

/// Where the recorder writes to in place of a file.
struct Memory {
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
        let ring = Arc::default();
        let memory = Memory {
            ring: Arc::clone(&ring),
            most,
        };
        // No file: what is written goes to memory.
        let mut config = RecordConfig::new(PathBuf::new());
        config.pseudonym_key = key;
        let recorder = Recorder::with_sink(config, catalog, memory)?;
        Ok(Self {
            recorder: Arc::new(recorder),
            ring,
            most,
        })
    }

    /// Waits until what was served before is here. Blocks; for tests.
    pub fn settle(&self, patience: std::time::Duration) -> bool {
        self.recorder.stop(patience)
    }

    /// What exchanges are handed to.
    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// How many are kept at the most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// How many were dropped because they came too fast.
    pub(super) fn dropped(&self) -> u64 {
        self.recorder.dropped()
    }

    /// The newest first.
    pub(super) fn glances(&self) -> Vec<Glance> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = ring.kept.iter().rev();
        kept.map(|(glance, _)| glance.clone()).collect()
    }

    pub(super) fn find(&self, id: &str) -> Option<Exchange> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, line) = ring.kept.iter().find(|(glance, _)| glance.id == id)?;
        Exchange::read(str::from_utf8(line).ok()?).ok()
    }
}

impl Sink for Memory {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let lines = str::from_utf8(lines).map_err(io::Error::other)?;
        lines.lines().try_for_each(|line| self.keep(line))
    }
}

impl Memory {
    fn keep(&self, line: &str) -> io::Result<()> {
        let exchange = Exchange::read(line).map_err(io::Error::other)?;
        let code = exchange.v1.answer.pointer("/error/code");
        let glance = Glance {
            error: code.and_then(Value::as_i64),
            calls: exchange.v2.len(),
            id: exchange.id,
            at: exchange.at,
            operation: exchange.v1.operation,
            micros: exchange.micros,
        };
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.bytes += line.len();
        ring.kept.push_back((glance, line.as_bytes().into()));
        while ring.kept.len() > self.most || ring.bytes > BYTES {
            let Some((_, gone)) = ring.kept.pop_front() else {
                break;
            };
            ring.bytes -= gone.len();
        }
        Ok(())
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}
