//! Rollouts: moves a share of the callers to a second v1, and returns them if its answers deviate.
//!
//! Whether a caller is moved follows from a hash of the caller, keyed by the rollout's name. The
//! result survives restarts, is the same at every replica, and is monotonic: a caller moved at 5 %
//! is also moved at 25 %. If the other side does not answer a read, this one does; a write goes to
//! one side only. Changes of the share at run time are saved in the state, where other processes
//! see them.

mod routing;
mod stage;
mod step;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use hyper::header::{HeaderName, HeaderValue};
use mappings::{Arguments, Catalog, catalog::operation::Operation};
use parking_lot::Mutex;
use recording::{
    moment,
    rollout::{Figures, Left, Side, Sides},
};
use tokio::sync::Notify;

use crate::{
    clock::Clock,
    front::server::Peer,
    observe::{Observer, RolloutRecord, RolloutSide},
    serve::Shared,
    settings::{CallerIdentity, OtherSide, RolloutConfig},
    state::Key,
    v1_client::V1Client,
};
use stage::{Sample, Stage};
use step::Step;

/// Name of the rollout that moved a request or produced an answer. A shim does not move such a
/// request again.
pub(super) const ROLLOUT: HeaderName = HeaderName::from_static("x-shim-rollout");

/// Verdict of a comparison made before the answer was sent.
pub(super) const COMPARED: HeaderName = HeaderName::from_static("x-shim-compared");

/// Client address, for the other side.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Differs from the user agent towards v2, which a shim refuses because it would be calling itself.
const USER_AGENT: &str = concat!("shim-rollout/", env!("CARGO_PKG_VERSION"));

/// Resolution of the hash: buckets per percent of callers.
const BUCKETS: u64 = 100;

/// All rollouts, in order; the first that matches a request applies.
#[derive(Default)]
pub(super) struct Rollouts(Vec<Arc<Rollout>>);

/// One `[[rollout]]`.
pub(super) struct Rollout {
    config: RolloutConfig,
    other: Target,
    observer: Arc<dyn Observer>,
    clock: Clock,
    header: HeaderValue,
    /// Share in effect, in percent: `state.step.percent`, readable without the lock.
    percent: AtomicU8,
    state: Mutex<State>,
    stepped: Arc<Notify>,
}

/// The other side of a rollout.
enum Target {
    V1(V1Client),
    /// Other mappings, in this process.
    Mappings(Arc<Catalog>),
}

/// A request to the other side.
enum TargetRequest {
    V1(Box<reqwest::RequestBuilder>),
    Mappings(Arc<Catalog>),
}

struct State {
    stage: Stage,
    step: Step,
    /// The step last saved in, or read from, the state.
    saved: Option<Step>,
    /// Start of the stage, in milliseconds since 1970.
    since: i64,
}

impl Rollouts {
    /// Builds the rollouts of the settings. Unchanged ones keep their state, so a reload does not
    /// resume a rollout that was left.
    pub(super) fn new(
        configs: &[RolloutConfig],
        before: &Self,
        shared: &Shared,
    ) -> reqwest::Result<Self> {
        let rollouts = configs.iter().map(|config| {
            if let Some(known) = before.0.iter().find(|known| known.config == *config) {
                return Ok(Arc::clone(known));
            }
            let name = &config.name;
            if config.is_exposed() {
                tracing::warn!(
                    rollout = name,
                    "rollout.url is http: credentials and users can be read on the way to it"
                );
            }
            let clock = Arc::clone(&shared.clock);
            let section = Key::new([config.section().as_bytes()]);
            // A change of credentials only keeps the step.
            let known = before.0.iter().map(|known| known.state.lock().step.clone());
            let step = known.into_iter().find(|step| step.is_of(&section));
            let step = step.unwrap_or_else(|| Step::of_settings(&section, config.percent));
            let other = match &config.other {
                OtherSide::V1(other) => {
                    Target::V1(V1Client::new(other.clone(), USER_AGENT, &shared.limits)?)
                }
                OtherSide::Mappings(other) => Target::Mappings(Arc::clone(&other.catalog)),
            };
            Ok(Arc::new(Rollout {
                other,
                header: HeaderValue::from_str(name).unwrap_or(HeaderValue::from_static("rollout")),
                percent: AtomicU8::new(step.percent),
                state: Mutex::new(State {
                    stage: Stage::new(config.allowed),
                    step,
                    saved: None,
                    since: clock(),
                }),
                config: config.clone(),
                observer: Arc::clone(&shared.observer),
                stepped: Arc::clone(&shared.stepped),
                clock,
            }))
        });
        Ok(Self(rollouts.collect::<reqwest::Result<_>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn figures(&self) -> Vec<Figures> {
        self.0.iter().map(|rollout| rollout.figures()).collect()
    }

    fn find(&self, key: &str, operation: &Operation) -> Option<&Arc<Rollout>> {
        let mut rollouts = self.0.iter();
        rollouts.find(|rollout| rollout.config.concerns(key, operation))
    }
}

impl Rollout {
    /// Returns whether the other side answers this caller.
    fn moves(&self, key: &str, peer: Peer) -> bool {
        let percent = self.percent.load(Ordering::Relaxed);
        let address = || match self.config.by {
            CallerIdentity::Key => String::new(),
            CallerIdentity::Address => peer.0.to_string(),
        };
        percent > 0 && bucket(&self.config.name, key, &address()) < u64::from(percent) * BUCKETS
    }

    /// Samples the moved reads that both sides answer.
    fn compares(&self) -> bool {
        let percent = self.config.compare_percent;
        percent >= 100 || fastrand::u8(0..100) < percent
    }

    /// Builds a request to the other side; `None` if that is not possible.
    fn request(
        &self,
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
        client: (&str, &str),
        peer: Peer,
    ) -> Option<TargetRequest> {
        let other = match &self.other {
            Target::V1(other) => other,
            Target::Mappings(catalog) => {
                catalog.find(&operation.name)?;
                return Some(TargetRequest::Mappings(Arc::clone(catalog)));
            }
        };
        let request = other.request(catalog, operation, arguments, Some(client))?;
        let request = request.header(ROLLOUT, self.header.clone());
        let request = request.header(FORWARDED_FOR, peer.0.to_string());
        Some(TargetRequest::V1(Box::new(request)))
    }

    /// Records an answer of this side.
    fn record_this(&self, elapsed: Duration, is_failed: bool) {
        self.state.lock().stage.this.note(elapsed, is_failed);
        self.report_answer(RolloutSide::This, elapsed, is_failed);
    }

    /// Records an answer of the other side, or its failure, and returns all callers if a limit is
    /// exceeded.
    fn record_other(&self, sample: Sample) {
        self.report_answer(RolloutSide::Other, sample.elapsed, sample.is_failed);
        let mut state = self.state.lock();
        let excess = state.stage.note(sample);
        let Some(excess) = excess else { return };
        let percent = state.step.percent;
        // A concurrent answer may already have ended the rollout.
        if percent == 0 {
            return;
        }
        let now = (self.clock)();
        let left = Left {
            at: moment(now),
            percent,
            reason: excess.to_string(),
        };
        let step = state.step.next(now, 0, Some(left));
        self.enter(&mut state, step);
        drop(state);
        self.stepped.notify_one();
        let rollout = self.config.name.as_str();
        self.observer.rollout(&RolloutRecord::Left {
            rollout,
            percent,
            excess: excess.as_str(),
            reason: &excess.to_string(),
        });
    }

    fn step(&self, percent: u8) {
        let mut state = self.state.lock();
        let step = state.step.next((self.clock)(), percent, None);
        self.enter(&mut state, step);
        drop(state);
        let rollout = self.config.name.as_str();
        self.observer
            .rollout(&RolloutRecord::Step { rollout, percent });
    }

    /// Puts a step into effect. After an excess, the figures are kept, because they explain it.
    fn enter(&self, state: &mut State, step: Step) {
        if step.left.is_none() {
            state.stage = Stage::new(self.config.allowed);
            state.since = (self.clock)();
        }
        self.percent.store(step.percent.min(100), Ordering::Relaxed);
        state.step = step;
    }

    fn report_answer(&self, side: RolloutSide, elapsed: Duration, is_failed: bool) {
        self.observer.rollout(&RolloutRecord::Answered {
            rollout: &self.config.name,
            side,
            is_failed,
            elapsed,
        });
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "shares are shown to a few digits"
    )]
    fn figures(&self) -> Figures {
        let locked = self.state.lock();
        let stage = &locked.stage;
        let side = |figures: &stage::SideFigures| Side {
            answers: figures.answers,
            errors: figures.errors,
            p99_ms: figures.p99().map(|p99| p99.as_secs_f64() * 1000.0),
        };
        let share = |part: u64, all: u64| (all > 0).then(|| part as f64 / all as f64);
        let sides = Sides {
            this: side(&stage.this),
            other: side(&stage.other),
        };
        let mut figures = Figures {
            name: self.config.name.clone(),
            other: match &self.config.other {
                OtherSide::V1(other) => other.base.as_str().to_owned(),
                OtherSide::Mappings(other) => other.folder.clone(),
            },
            percent: self.percent.load(Ordering::Relaxed),
            configured_percent: self.config.percent,
            since: moment(locked.since),
            left: locked.step.left.clone(),
            share: None,
            consistency: None,
            compared: stage.compared.clone(),
            sides,
            recently: stage.recently(),
        };
        let compared = figures.compared();
        // Reads answered by both sides count for the other one.
        let answered = sides.other.answers.saturating_sub(sides.other.errors);
        let all = answered + sides.this.answers.saturating_sub(compared);
        figures.share = share(answered, all);
        figures.consistency = share(compared - figures.unexpected(), compared);
        figures
    }
}

/// Bucket of a caller, from 0 to `100 * BUCKETS - 1`.
fn bucket(rollout: &str, key: &str, address: &str) -> u64 {
    let digest = Key::new(["rollout", rollout, key, address].map(str::as_bytes));
    let first = digest.as_bytes().first_chunk().copied();
    let number = u64::from_be_bytes(first.unwrap_or_default());
    let bucket = (u128::from(number) * u128::from(100 * BUCKETS)) >> u64::BITS;
    u64::try_from(bucket).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_share_of_keys_is_exact_within_one_percent() {
        const KEYS: usize = 20_000;
        for rollout in ["next", "new-build", "other"] {
            let buckets: Vec<_> = (0..KEYS)
                .map(|number| bucket(rollout, &format!("key-{number}"), ""))
                .collect();
            for percent in [1, 5, 25, 50, 100] {
                let moved = buckets
                    .iter()
                    .filter(|bucket| **bucket < percent * BUCKETS)
                    .count();
                let wanted = KEYS * usize::try_from(percent).unwrap() / 100;
                assert!(
                    moved.abs_diff(wanted) <= KEYS / 100,
                    "{rollout} {percent}: {moved}"
                );
            }
        }
    }

    #[test]
    fn rollouts_with_other_names_move_other_callers_first() {
        let keys = (0..1000).map(|number| format!("key-{number}"));
        let is_first = |rollout: &str, key: &str| bucket(rollout, key, "") < 10 * BUCKETS;
        let both = keys.filter(|key| is_first("a", key) && is_first("b", key));
        assert!(both.count() < 50, "about 10 of 100 are expected in both");
    }
}
