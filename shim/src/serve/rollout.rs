//! Rollouts: moves callers by share to a second v1, and leaves it when it answers otherwise.
//!
//! The side of a caller follows from a hash of the caller, keyed by the name of the rollout. It is the
//! same after a restart and at every replica, and who is moved at 5 % stays moved at 25 %. A read that the
//! other side does not answer is answered here; a write goes to one side only. What was made of a share
//! beside the settings is kept in the state, where other processes see it.

mod moved;
mod stage;
mod step;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use hyper::header::{HeaderName, HeaderValue};
use mappings::{Arguments, Catalog, catalog::operation::Operation};
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
use stage::{Judged, Stage};
use step::Step;

/// Names the rollout that moved a request or gave an answer. A shim never moves such a request on.
pub(super) const ROLLOUT: HeaderName = HeaderName::from_static("x-shim-rollout");

/// The verdict of a comparison that was made before the answer left.
pub(super) const COMPARED: HeaderName = HeaderName::from_static("x-shim-compared");

/// The address of the client, for the other side.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Another name than before v2: that one is refused by a shim, which would be asking itself.
const USER_AGENT: &str = concat!("shim-rollout/", env!("CARGO_PKG_VERSION"));

/// Parts of a percent that callers are told apart by.
const PARTS: u64 = 100;

/// All rollouts; the first that concerns a request decides.
#[derive(Default)]
pub(super) struct Rollouts(Vec<Arc<Rollout>>);

/// One `[[rollout]]`.
pub(super) struct Rollout {
    config: RolloutConfig,
    other: Other,
    observer: Arc<dyn Observer>,
    clock: Clock,
    header: HeaderValue,
    /// The share of `state.step`: the settings', the operator's, or 0 after an excess.
    percent: AtomicU8,
    state: Mutex<State>,
    stepped: Arc<Notify>,
}

/// Where callers are moved to.
enum Other {
    V1(V1Client),
    /// Served by this shim.
    Mappings(Arc<Catalog>),
}

/// A request for the other side.
enum There {
    V1(Box<reqwest::RequestBuilder>),
    Mappings(Arc<Catalog>),
}

struct State {
    stage: Stage,
    step: Step,
    /// The step that is known to be kept in the state of all processes.
    saved: Option<Step>,
    /// When the stage began, in milliseconds since 1970.
    since: i64,
}

impl Rollouts {
    /// Those of the settings. What did not change goes on as it was: a side that was left stays left.
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
            // With other credentials only, it goes on, too.
            let known = before.0.iter().map(|known| known.lock().step.clone());
            let step = known.into_iter().find(|step| step.is_of(&section));
            let step = step.unwrap_or_else(|| Step::of_settings(&section, config.percent));
            let other = match &config.other {
                OtherSide::V1(other) => {
                    Other::V1(V1Client::new(other.clone(), USER_AGENT, &shared.limits)?)
                }
                OtherSide::Mappings(other) => Other::Mappings(Arc::clone(&other.catalog)),
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
    /// True if the other side answers this caller now.
    fn moves(&self, key: &str, peer: Peer) -> bool {
        let percent = self.percent.load(Ordering::Relaxed);
        let address = || match self.config.by {
            CallerIdentity::Key => String::new(),
            CallerIdentity::Address => peer.0.to_string(),
        };
        percent > 0 && place(&self.config.name, key, &address()) < u64::from(percent) * PARTS
    }

    /// True for the share of the moved reads that both sides answer.
    fn compares(&self) -> bool {
        let percent = self.config.compare_percent;
        percent >= 100 || fastrand::u8(0..100) < percent
    }

    /// A request to the other side; `None` if it cannot be made.
    fn request(
        &self,
        catalog: &Catalog,
        operation: &Operation,
        arguments: &Arguments,
        client: (&str, &str),
        peer: Peer,
    ) -> Option<There> {
        let other = match &self.other {
            Other::V1(other) => other,
            Other::Mappings(catalog) => {
                catalog.find(&operation.name)?;
                return Some(There::Mappings(Arc::clone(catalog)));
            }
        };
        let request = other.request(catalog, operation, arguments, Some(client))?;
        let request = request.header(ROLLOUT, self.header.clone());
        let request = request.header(FORWARDED_FOR, peer.0.to_string());
        Some(There::V1(Box::new(request)))
    }

    /// This side has answered.
    fn answered_here(&self, elapsed: Duration, is_failed: bool) {
        self.lock().stage.this.note(elapsed, is_failed);
        self.tell_answer(RolloutSide::This, elapsed, is_failed);
    }

    /// The other side has answered, or failed to. It is left if it must be.
    fn judge(&self, judged: Judged) {
        self.tell_answer(RolloutSide::Other, judged.elapsed, judged.is_failed);
        let mut state = self.lock();
        let excess = state.stage.note(judged);
        let Some(excess) = excess else { return };
        let percent = state.step.percent;
        // Others that were under way may find the same.
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
        let mut state = self.lock();
        let step = state.step.next((self.clock)(), percent, None);
        self.enter(&mut state, step);
        drop(state);
        let rollout = self.config.name.as_str();
        self.observer
            .rollout(&RolloutRecord::Step { rollout, percent });
    }

    /// Goes on with a step. The figures of one that was left stay, for whoever wants to know why.
    fn enter(&self, state: &mut State, step: Step) {
        if step.left.is_none() {
            state.stage = Stage::new(self.config.allowed);
            state.since = (self.clock)();
        }
        self.percent.store(step.percent.min(100), Ordering::Relaxed);
        state.step = step;
    }

    fn tell_answer(&self, side: RolloutSide, elapsed: Duration, is_failed: bool) {
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
        let locked = self.lock();
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
        // What both sides answered is the other's: this one was asked for the comparison only.
        let answered = sides.other.answers.saturating_sub(sides.other.errors);
        let all = answered + sides.this.answers.saturating_sub(compared);
        figures.share = share(answered, all);
        figures.consistency = share(compared - figures.unexpected(), compared);
        figures
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a caller among all, from 0 up to the parts of a hundred percent.
fn place(rollout: &str, key: &str, address: &str) -> u64 {
    let digest = Key::new(["rollout", rollout, key, address].map(str::as_bytes));
    let first = digest.as_bytes().first_chunk().copied();
    let number = u64::from_be_bytes(first.unwrap_or_default());
    let place = (u128::from(number) * u128::from(100 * PARTS)) >> u64::BITS;
    u64::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_keys_hold_within_a_percent() {
        const KEYS: usize = 20_000;
        for rollout in ["next", "new-build", "other"] {
            let places: Vec<_> = (0..KEYS)
                .map(|number| place(rollout, &format!("key-{number}"), ""))
                .collect();
            for percent in [1, 5, 25, 50, 100] {
                let moved = places
                    .iter()
                    .filter(|place| **place < percent * PARTS)
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
    fn another_rollout_moves_others_first() {
        let keys = (0..1000).map(|number| format!("key-{number}"));
        let is_first = |rollout: &str, key: &str| place(rollout, key, "") < 10 * PARTS;
        let both = keys.filter(|key| is_first("a", key) && is_first("b", key));
        assert!(both.count() < 50, "of a hundred each, some ten are in both");
    }
}
