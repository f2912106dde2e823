//! Starts the recorder, the ledger and the shadow as they are configured, and stops them.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use mappings::Catalog;
use recording::PseudonymKey;
use tokio::task::spawn_blocking;

use crate::{
    observe::{Observer, Recent, ledger::Ledger, recorder::Recorder, shadow::Shadow},
    serve::Dependencies,
    settings::{LedgerConfig, Limits, MappingsFolder, RecordConfig, ShadowConfig},
};

/// Time to write pending ledger notes when the shim stops.
const LEDGER_GRACE: Duration = Duration::from_secs(2);

/// Time to write pending exchanges when the shim stops.
const RECORDER_GRACE: Duration = Duration::from_secs(1);

/// The configured watchers.
pub(super) struct Watchers {
    /// Number of recent exchanges kept for the pages.
    pub(super) recent: usize,
    pub(super) record: Option<RecordConfig>,
    pub(super) ledger: Option<LedgerConfig>,
    pub(super) shadow: Option<ShadowConfig>,
    pub(super) pseudonym_key: Option<PseudonymKey>,
}

impl Watchers {
    /// Starts the watchers. They need the observer of the dependencies.
    pub(super) fn add_to(
        self,
        dependencies: &mut Dependencies,
        catalog: &Arc<Catalog>,
        limits: &Limits,
    ) -> anyhow::Result<()> {
        let Self {
            recent,
            record,
            ledger,
            shadow,
            pseudonym_key: key,
        } = self;
        (dependencies.recorder, dependencies.recent) = match record {
            Some(record) => recorded(record, recent, catalog)?,
            None => (None, shown(recent, catalog, key.clone())?),
        };
        dependencies.ledger = ledger
            .map(|ledger| start_ledger(ledger, catalog))
            .transpose()?;
        if let Some(config) = shadow {
            let observer = Arc::clone(&dependencies.observer);
            dependencies.shadow = Some(self::shadow(config, catalog, key, limits, observer)?);
        }
        Ok(())
    }
}

/// Writes pending exchanges and ledger notes, within a grace period.
pub(super) async fn write_the_rest(recorder: Option<Arc<Recorder>>, ledger: Option<Arc<Ledger>>) {
    if let Some(recorder) = recorder {
        let written = spawn_blocking(move || recorder.stop(RECORDER_GRACE));
        if !written.await.unwrap_or_default() {
            tracing::warn!("Stopped before all exchanges were recorded");
        }
    }
    if let Some(ledger) = ledger {
        let written = spawn_blocking(move || ledger.stop(LEDGER_GRACE));
        if !written.await.unwrap_or_default() {
            tracing::warn!("Stopped before all requests were recorded in the ledger");
        }
    }
}

/// The recorder, and the recent exchanges for the pages.
type Recorders = (Option<Arc<Recorder>>, Option<Arc<Recent>>);

/// Starts a recorder. Recent exchanges are redacted like recorded ones.
fn recorded(
    record: RecordConfig,
    recent: usize,
    catalog: &Arc<Catalog>,
) -> anyhow::Result<Recorders> {
    let (recent, memory) = (recent > 0).then(|| Recent::with_sink(recent)).unzip();
    let memory = memory.map(|memory| Box::new(memory) as _);
    let file = record.file.display().to_string();
    let recorder = Recorder::start(record, Arc::clone(catalog), memory)
        .with_context(|| format!("record.file = {file:?} cannot be written"))?;
    tracing::info!(file, "Recording exchanges");
    Ok((Some(Arc::new(recorder)), recent.map(Arc::new)))
}

/// Starts the recent exchanges for the pages, without a recorder.
fn shown(
    recent: usize,
    catalog: &Arc<Catalog>,
    key: Option<PseudonymKey>,
) -> anyhow::Result<Option<Arc<Recent>>> {
    if recent == 0 {
        return Ok(None);
    }
    let recent = Recent::start(recent, Arc::clone(catalog), key);
    let recent = recent.context("cannot start a thread for recent exchanges")?;
    Ok(Some(Arc::new(recent)))
}

fn shadow(
    config: ShadowConfig,
    catalog: &Catalog,
    key: Option<PseudonymKey>,
    limits: &Limits,
    observer: Arc<dyn Observer>,
) -> anyhow::Result<Arc<Shadow>> {
    let mappings = shadow_mappings(Some(&config))?.map(Arc::new);
    let shadow = Shadow::new(config, catalog, mappings, key, limits, observer)?;
    tracing::info!(with = shadow.shown(), "Comparing responses");
    Ok(Arc::new(shadow))
}

/// The mappings of a shadow with its own mappings.
pub(super) fn shadow_mappings(config: Option<&ShadowConfig>) -> anyhow::Result<Option<Catalog>> {
    let folder = config.and_then(|config| config.mappings.as_deref());
    folder
        .map(|folder| Ok(MappingsFolder::read(folder, "shadow.mappings")?.catalog()?))
        .transpose()
}

fn start_ledger(config: LedgerConfig, catalog: &Catalog) -> anyhow::Result<Arc<Ledger>> {
    let place = config.place.to_string();
    let ledger = Ledger::start(config, catalog)
        .with_context(|| format!("ledger.file = {place:?} cannot be used"))?;
    tracing::info!(place, "Recording callers in the ledger");
    Ok(Arc::new(ledger))
}
