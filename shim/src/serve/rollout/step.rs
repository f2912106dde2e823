//! The current step of a rollout, synchronized between processes through the state.
//!
//! The latest step wins. A step belongs to one section of the settings: after the section changes,
//! its saved steps no longer apply and the configured share does.

use std::{cmp::Reverse, sync::Arc, time::Duration};

use recording::rollout::{Figures, Left};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::Rollout;
use crate::{
    observe::RolloutRecord,
    serve::Shim,
    state::{Key, State},
};

/// Interval at which a process polls the state for steps of other processes.
const POLL: Duration = Duration::from_secs(1);

/// A share, and when it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    /// Digest of the section of the settings.
    section: [u8; 32],
    /// Logical time of the step, in milliseconds since 1970; always greater than that of all known
    /// earlier steps, so that clock skew between machines is harmless. 0 for a configured share
    /// that was not saved yet.
    made: i64,
    pub(super) percent: u8,
    pub(super) left: Option<Left>,
}

/// Action after comparing the current step with the saved one.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    /// Adopt the saved step.
    Follow,
    /// Save the current step under this time.
    Keep(i64),
}

impl Step {
    /// The step that the settings define.
    pub(super) fn of_settings(section: &Key, percent: u8) -> Self {
        Self {
            section: *section.as_bytes(),
            made: 0,
            percent,
            left: None,
        }
    }

    /// The next step of the same section.
    pub(super) fn next(&self, now: i64, percent: u8, left: Option<Left>) -> Self {
        Self {
            section: self.section,
            made: now.max(self.made.saturating_add(1)),
            percent: percent.min(100),
            left,
        }
    }

    /// Returns whether the step belongs to a section.
    pub(super) fn is_of(&self, section: &Key) -> bool {
        self.section == *section.as_bytes()
    }

    /// Of two steps made at the same time, the one that moves fewer callers wins.
    fn rank(&self) -> (i64, Reverse<u8>) {
        (self.made, Reverse(self.percent))
    }

    /// Compares with the saved step. `is_saved`: whether the current step was saved before.
    fn reconcile(&self, kept: Option<&Self>, is_saved: bool, now: i64) -> Next {
        let its_own = |kept: &&Self| kept.section == self.section;
        match (kept, kept.filter(its_own)) {
            (_, Some(kept)) if kept.rank() > self.rank() => Next::Follow,
            (_, Some(kept)) if kept.rank() == self.rank() => Next::Nothing,
            // Another process has different settings. A step that was already saved must not
            // overwrite its step, or the two would alternate.
            (Some(_), None) if is_saved => Next::Nothing,
            (known, _) if self.made == 0 => {
                let last = known.map_or(0, |known| known.made);
                Next::Keep(now.max(last.saturating_add(1)))
            }
            _ => Next::Keep(self.made),
        }
    }
}

impl Rollout {
    /// Adopts the saved step, or saves the current one. Does nothing if the state is unavailable.
    async fn sync(&self, state: &State) {
        let name = self.config.name.as_str();
        let Some(kept) = state.share(name).await else {
            return;
        };
        // A step that does not parse was written by a newer version.
        let kept = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
        if let Some(step) = self.follow(kept) {
            let text = serde_json::to_vec(&step).unwrap_or_default();
            if state.save_share(name, &text).await {
                self.state.lock().saved = Some(step);
            }
        }
    }

    /// Adopts the saved step if it is later; otherwise returns the step to save, if any.
    fn follow(&self, kept: Option<Step>) -> Option<Step> {
        let now = (self.clock)();
        let mut locked = self.state.lock();
        let is_saved = locked.saved.as_ref() == Some(&locked.step);
        match (locked.step.reconcile(kept.as_ref(), is_saved, now), kept) {
            (Next::Keep(made), _) => {
                locked.step.made = made;
                return Some(locked.step.clone());
            }
            (Next::Follow, Some(kept)) => {
                let is_news =
                    (kept.percent, &kept.left) != (locked.step.percent, &locked.step.left);
                self.enter(&mut locked, kept);
                if is_news {
                    self.observer.rollout(&RolloutRecord::Followed {
                        rollout: &self.config.name,
                        percent: locked.step.percent,
                    });
                }
            }
            (Next::Nothing | Next::Follow, _) => {}
        }
        locked.saved = Some(locked.step.clone());
        None
    }
}

impl Shim {
    /// Sets the share of a rollout at run time; 0 returns all callers. `None` if no rollout has the
    /// name.
    pub(crate) async fn step(&self, name: &str, percent: u8) -> Option<Figures> {
        let now = self.current();
        let mut rollouts = now.0.rollouts.0.iter();
        let rollout = rollouts.find(|rollout| rollout.config.name == name)?;
        rollout.step(percent);
        rollout.sync(&now.0.executor.state).await;
        Some(rollout.figures())
    }

    /// Synchronizes the shares of all rollouts with the state: with other processes, or with this
    /// one before a restart.
    pub async fn sync_rollouts(&self) {
        let now = self.current();
        for rollout in &now.0.rollouts.0 {
            rollout.sync(&now.0.executor.state).await;
        }
    }

    /// Synchronizes rollouts every second, and at once after a local change. Never returns.
    pub async fn keep_rollouts_synced(self) {
        let changed = Arc::clone(&self.current().0.shared.stepped);
        loop {
            tokio::select! {
                () = changed.notified() => {}
                () = sleep(POLL) => {}
            }
            self.sync_rollouts().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, percent: u8) -> Step {
        Step::of_settings(&Key::new([name.as_bytes()]), percent)
    }

    #[test]
    fn latest_step_of_a_section_wins() {
        let five = settings("a", 5).next(100, 5, None);
        let none = five.next(50, 0, None);
        assert_eq!(none.made, 101, "a slow clock cannot make an earlier step");
        assert_eq!(five.reconcile(Some(&none), true, 0), Next::Follow);
        assert_eq!(none.reconcile(Some(&five), false, 0), Next::Keep(101));
        assert_eq!(none.reconcile(Some(&none.clone()), false, 0), Next::Nothing);
        let also = Step {
            percent: 5,
            ..none.clone()
        };
        assert_eq!(also.reconcile(Some(&none), false, 0), Next::Follow);
        assert_eq!(none.reconcile(Some(&also), false, 0), Next::Keep(101));
        assert_eq!(
            none.reconcile(None, true, 0),
            Next::Keep(101),
            "lost by the state"
        );
    }

    #[test]
    fn saved_step_survives_a_restart_but_not_a_change_of_settings() {
        let kept = settings("a", 5).next(100, 0, None);
        assert_eq!(
            settings("a", 5).reconcile(Some(&kept), false, 200),
            Next::Follow
        );
        assert_eq!(
            settings("b", 25).reconcile(Some(&kept), false, 200),
            Next::Keep(200)
        );
        assert_eq!(
            settings("b", 25).reconcile(Some(&kept), false, 50),
            Next::Keep(101)
        );
        let other = settings("b", 25).next(300, 25, None);
        assert_eq!(kept.reconcile(Some(&other), true, 400), Next::Nothing);
        assert_eq!(
            settings("a", 5).reconcile(None, false, 200),
            Next::Keep(200)
        );
    }
}
