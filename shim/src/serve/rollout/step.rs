//! The step that a rollout is at, which processes agree on through the state.
//!
//! The later step holds. A step is about one section of the settings: to another section, also a later one
//! in the same place, it means nothing, and what the settings say holds.

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

/// The interval at which a process looks for the steps of others.
const LOOK: Duration = Duration::from_secs(1);

/// A share, and since when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    /// The section of the settings that it is a step of.
    section: [u8; 32],
    /// When it was made, in milliseconds since 1970: later than all that were known then, whatever the
    /// clocks of other machines say. 0 for the settings' own, until no earlier one is found.
    made: i64,
    pub(super) percent: u8,
    pub(super) left: Option<Left>,
}

/// What a process does after it has seen the step that is kept.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Nothing,
    /// The kept one holds here, too.
    Follow,
    /// This one is kept; its number if it has none yet.
    Keep(i64),
}

impl Step {
    /// The one of the settings.
    pub(super) fn of_settings(section: &Key, percent: u8) -> Self {
        Self {
            section: *section.as_bytes(),
            made: 0,
            percent,
            left: None,
        }
    }

    /// The next one of the same section.
    pub(super) fn next(&self, now: i64, percent: u8, left: Option<Left>) -> Self {
        Self {
            section: self.section,
            made: now.max(self.made.saturating_add(1)),
            percent: percent.min(100),
            left,
        }
    }

    /// True if another one is of the same section.
    pub(super) fn is_of(&self, section: &Key) -> bool {
        self.section == *section.as_bytes()
    }

    /// Of two that were made at the same time, the one that moves fewer callers holds.
    fn rank(&self) -> (i64, Reverse<u8>) {
        (self.made, Reverse(self.percent))
    }

    /// `is_saved`: whether this one was kept before.
    fn beside(&self, kept: Option<&Self>, is_saved: bool, now: i64) -> Next {
        let its_own = |kept: &&Self| kept.section == self.section;
        match (kept, kept.filter(its_own)) {
            (_, Some(kept)) if kept.rank() > self.rank() => Next::Follow,
            (_, Some(kept)) if kept.rank() == self.rank() => Next::Nothing,
            // Another process has other settings: its step stays, unless this one is news.
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
    /// Takes over the step that is kept, or has this one kept. Without the state, nothing changes.
    async fn agree(&self, state: &State) {
        let name = self.config.name.as_str();
        let Some(kept) = state.share(name).await else {
            return;
        };
        // What a newer shim wrote otherwise is none for this one.
        let kept = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
        if let Some(step) = self.follow(kept) {
            let text = serde_json::to_vec(&step).unwrap_or_default();
            if state.save_share(name, &text).await {
                self.lock().saved = Some(step);
            }
        }
    }

    /// Takes over a kept step if that holds; gives the one that is to be kept, if another one holds.
    fn follow(&self, kept: Option<Step>) -> Option<Step> {
        let now = (self.clock)();
        let mut locked = self.lock();
        let is_saved = locked.saved.as_ref() == Some(&locked.step);
        match (locked.step.beside(kept.as_ref(), is_saved, now), kept) {
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
    /// Begins a step of a rollout by hand: a share of 0 takes all callers back. `None` if there is none of
    /// the name.
    pub(crate) async fn step(&self, name: &str, percent: u8) -> Option<Figures> {
        let now = self.now();
        let mut rollouts = now.0.rollouts.0.iter();
        let rollout = rollouts.find(|rollout| rollout.config.name == name)?;
        rollout.step(percent);
        rollout.agree(&now.0.executor.state).await;
        Some(rollout.figures())
    }

    /// Brings the shares of all rollouts in line with what other processes, or this one before a restart,
    /// have made of them.
    pub async fn agree(&self) {
        let now = self.now();
        for rollout in &now.0.rollouts.0 {
            rollout.agree(&now.0.executor.state).await;
        }
    }

    /// Does so until the process ends.
    pub async fn keep_agreed(self) {
        let changed = Arc::clone(&self.now().0.shared.stepped);
        loop {
            tokio::select! {
                () = changed.notified() => {}
                () = sleep(LOOK) => {}
            }
            self.agree().await;
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
    fn the_later_step_of_the_same_section_holds() {
        let five = settings("a", 5).next(100, 5, None);
        let none = five.next(50, 0, None);
        assert_eq!(none.made, 101, "a slow clock makes no earlier step");
        assert_eq!(five.beside(Some(&none), true, 0), Next::Follow);
        assert_eq!(none.beside(Some(&five), false, 0), Next::Keep(101));
        assert_eq!(none.beside(Some(&none.clone()), false, 0), Next::Nothing);
        let also = Step {
            percent: 5,
            ..none.clone()
        };
        assert_eq!(also.beside(Some(&none), false, 0), Next::Follow);
        assert_eq!(none.beside(Some(&also), false, 0), Next::Keep(101));
        assert_eq!(
            none.beside(None, true, 0),
            Next::Keep(101),
            "it was forgotten"
        );
    }

    #[test]
    fn after_a_restart_the_kept_step_holds_and_after_a_change_the_settings() {
        let kept = settings("a", 5).next(100, 0, None);
        assert_eq!(
            settings("a", 5).beside(Some(&kept), false, 200),
            Next::Follow
        );
        assert_eq!(
            settings("b", 25).beside(Some(&kept), false, 200),
            Next::Keep(200)
        );
        assert_eq!(
            settings("b", 25).beside(Some(&kept), false, 50),
            Next::Keep(101)
        );
        let other = settings("b", 25).next(300, 25, None);
        assert_eq!(kept.beside(Some(&other), true, 400), Next::Nothing);
        assert_eq!(settings("a", 5).beside(None, false, 200), Next::Keep(200));
    }
}
