//! Runs of writes, with a renewed lease and a journal.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mappings::translation::{Journal, WriteKey};
use tokio::time::{Instant, sleep, sleep_until};

use crate::observe::WriteId;

use super::{
    Engine, Key, Name, OnOutage, State, StateError,
    engine::{Answer, Begun, Ending, Progress, Run, Write},
    keyring::Space,
    new_run,
};

/// Duration of a lease.
const LEASE: Duration = Duration::from_secs(15);

/// The interval at which a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(5);

/// Pause before an operation without a reply is repeated, while the lost connection is replaced.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// A write, named with the current key and with the previous one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteName {
    current: Write,
    previous: Option<Write>,
}

impl WriteName {
    #[cfg(test)]
    pub(super) fn in_engine(self) -> Write {
        self.current
    }

    /// Its id in records.
    pub(crate) fn id(self) -> WriteId {
        let Write { account, name } = self.current;
        WriteId {
            account: account.0,
            name: name.0,
        }
    }

    /// Equal for equal writes in this process.
    pub(crate) fn in_process(self) -> Name {
        self.current.name
    }
}

/// Result of starting a write.
pub(crate) enum Entry {
    /// This request runs it, from the journal of an unfinished run if there is one.
    Runs(WriteRun, Option<Journal>),
    /// An equal request runs in another process.
    Busy(OtherRun),
}

/// A run in another process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherRun {
    write: Write,
    run: Run,
}

/// State of a run in another process.
pub(crate) enum OtherOutcome {
    /// Finished, with the response given to [`WriteRun::finish`].
    Finished(Vec<u8>),
    /// Still running.
    Running,
    /// Ended without a response.
    Gone,
}

/// A run of this process.
pub(crate) struct WriteRun {
    state: State,
    engine: Arc<dyn Engine>,
    write: Write,
    run: Run,
    lease_end: Instant,
    renew_at: Instant,
    is_lost: bool,
}

impl State {
    /// The name of a write of a tenant to its account.
    pub(crate) fn write_name(&self, tenant: &Key, account: &Key, write: &WriteKey) -> WriteName {
        let parts = [tenant.as_bytes().as_slice(), &write.0];
        let account = self.name(Space::Account, &[account.as_bytes()]);
        let of = |name| Write { account, name };
        WriteName {
            current: of(self.name(Space::Write, &parts)),
            previous: self.0.keyring.previous_name(Space::Write, &parts).map(of),
        }
    }

    /// Starts a run of a write, or finds the run of another process. `intent` is stored unless an
    /// earlier run left a journal.
    ///
    /// # Errors
    ///
    /// Fails if the engine cannot be reached and `state.on_outage` refuses writes.
    pub(crate) async fn begin(
        &self,
        write: WriteName,
        intent: &Journal,
    ) -> Result<Entry, StateError> {
        match self.begin_on(self.engine(), write, intent).await {
            Err(error) if self.0.outage.writes == OnOutage::Local => {
                self.log_failure(&error);
                self.begin_on(self.local()?, write, intent).await
            }
            begun => begun,
        }
    }

    async fn begin_on(
        &self,
        engine: &Arc<dyn Engine>,
        write: WriteName,
        intent: &Journal,
    ) -> Result<Entry, StateError> {
        let (name, run) = (write.current, new_run());
        let intended = self.sealed_journal(name, intent)?;
        let since = Instant::now();
        let begin = || engine.begin(name, run, LEASE, intended.clone());
        let mut journal = match retried(engine, begin).await? {
            Begun::Busy { run, .. } => return Ok(Entry::Busy(OtherRun { write: name, run })),
            Begun::Leased(journal) => journal.and_then(|journal| self.journal(name, &journal)),
        };
        // A run under the previous key continues under the current one.
        if let (None, Some(previous)) = (&journal, write.previous) {
            let unused = self.sealed_journal(previous, &Journal::default())?;
            match engine.begin(previous, run, LEASE, unused).await? {
                Begun::Busy { run: other, .. } => {
                    engine
                        .end(name, run, Ending::Finished(Bytes::new()))
                        .await?;
                    return Ok(Entry::Busy(OtherRun {
                        write: previous,
                        run: other,
                    }));
                }
                Begun::Leased(found) => {
                    journal = found.and_then(|found| self.journal(previous, &found));
                    if let Some(journal) = &journal {
                        let sealed = self.sealed_journal(name, journal)?;
                        engine.step(name, run, LEASE, Some(sealed)).await?;
                    }
                    engine
                        .end(previous, run, Ending::Finished(Bytes::new()))
                        .await?;
                }
            }
        }
        let runs = WriteRun {
            state: self.clone(),
            engine: Arc::clone(engine),
            write: name,
            run,
            lease_end: since + LEASE,
            renew_at: since + RENEWAL,
            is_lost: false,
        };
        Ok(Entry::Runs(runs, journal))
    }

    /// State of a run in another process.
    pub(crate) async fn other_run(&self, other: OtherRun) -> OtherOutcome {
        let progress = self.engine().progress(other.write, other.run).await;
        match progress {
            Ok(Progress::Finished(sealed)) => match self.unseal(other.write.name, &sealed) {
                Some(answer) => OtherOutcome::Finished(answer.to_vec()),
                None => OtherOutcome::Gone,
            },
            // The engine cannot be reached, but the lease may still run.
            Ok(Progress::Running) | Err(_) => OtherOutcome::Running,
            Ok(Progress::Gone) => OtherOutcome::Gone,
        }
    }

    /// True if an unfinished write is still unfinished, or if the engine fails.
    pub(crate) async fn is_open(&self, id: WriteId) -> bool {
        let write = Write {
            account: Name(id.account),
            name: Name(id.name),
        };
        let is_open = self.logged(self.engine().is_open(write).await);
        if is_open == Some(false)
            && let Ok(local) = self.local()
        {
            return local.is_open(write).await.unwrap_or(true);
        }
        is_open.unwrap_or(true)
    }

    fn journal(&self, Write { name, .. }: Write, sealed: &[u8]) -> Option<Journal> {
        let opened = self.unseal(name, sealed)?;
        // A journal in an unknown format of a newer shim is ignored.
        serde_json::from_slice(&opened).ok()
    }

    fn sealed_journal(
        &self,
        Write { name, .. }: Write,
        journal: &Journal,
    ) -> Result<Bytes, StateError> {
        self.seal(name, &serde_json::to_vec(journal).unwrap_or_default())
    }
}

impl WriteRun {
    /// Stores changes of the journal before calls that take up to `call_time` are sent. False if
    /// the lease is lost: nothing more may be sent.
    pub(crate) async fn note(&mut self, changed: Option<&Journal>, call_time: Duration) -> bool {
        let left = self.lease_end.saturating_duration_since(Instant::now());
        if changed.is_some() || left < call_time {
            self.step(changed).await;
        }
        !self.is_lost
    }

    /// Renews the lease while a future runs.
    pub(crate) async fn renewing<T>(&mut self, awaited: impl Future<Output = T>) -> T {
        let mut awaited = std::pin::pin!(awaited);
        loop {
            tokio::select! {
                done = &mut awaited => return done,
                () = sleep_until(self.renew_at), if !self.is_lost => self.step(None).await,
            }
        }
    }

    async fn step(&mut self, changed: Option<&Journal>) {
        let since = Instant::now();
        self.renew_at = since + RENEWAL;
        let sealed = changed.map(|journal| self.state.sealed_journal(self.write, journal));
        let stepped = match sealed.transpose() {
            Ok(sealed) => self.engine.step(self.write, self.run, LEASE, sealed).await,
            Err(error) => Err(error),
        };
        match stepped {
            Ok(true) => self.lease_end = since + LEASE,
            Ok(false) => self.is_lost = true,
            // The lease is valid until its end, even if it cannot be renewed.
            Err(error) => {
                self.state.log_failure(&error);
                let may_continue = self.state.0.outage.writes == OnOutage::Local;
                self.is_lost = !may_continue && self.lease_end <= since;
            }
        }
    }

    /// Finishes the write, with a response for the waiting requests of other processes. Cached
    /// responses of the account become out of date.
    pub(crate) async fn finish(self, answer: &[u8]) {
        if let Ok(sealed) = self.state.seal(self.write.name, answer) {
            self.end(Ending::Finished(sealed)).await;
        }
    }

    /// Ends the run with an unfinished write; the journal is for the run that resumes it.
    pub(crate) async fn leave(self, journal: &Journal) {
        if let Ok(sealed) = self.state.sealed_journal(self.write, journal) {
            self.end(Ending::Unfinished(sealed)).await;
        }
    }

    async fn end(self, ending: Ending) {
        let end = || self.engine.end(self.write, self.run, ending.clone());
        let ended = retried(&self.engine, end).await;
        if let Err(error) = ended {
            self.state.log_failure(&error);
        }
        if !Arc::ptr_eq(&self.engine, self.state.engine()) {
            self.state.wrote(self.write.account).await;
        }
    }
}

/// Repeats an operation without a reply until the engine is down. If one of two processes fell back
/// to its local engine too early, both could send the same calls.
async fn retried<'e, T>(
    engine: &Arc<dyn Engine>,
    operation: impl Fn() -> Answer<'e, T>,
) -> Result<T, StateError> {
    loop {
        match operation().await {
            Err(StateError::Down) if !engine.is_down() => sleep(RETRY_PAUSE).await,
            answer => return answer,
        }
    }
}
