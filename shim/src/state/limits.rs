//! Limits that processes share: calls of a v2 account, and failed logins.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use shim_upstream::{Pace, Reserved, SharedBudget, SharedCall};

use super::{
    Name, State,
    engine::{Reservation, Subject},
    keyring::Space,
};

/// Time for which failed logins are counted.
const LOGIN_WINDOW: Duration = Duration::from_secs(60);

impl State {
    /// The budget that processes share; `None` if only this process uses the engine.
    pub(crate) fn shared_budget(&self) -> Option<Arc<dyn SharedBudget>> {
        self.engine().processes()?;
        Some(Arc::new(self.clone()))
    }

    /// Counts a failed login and returns the count of all processes within a minute; `None` if the
    /// engine is not shared.
    pub(crate) async fn failed_login(&self, who: &[u8; 32]) -> Option<u64> {
        self.engine().processes()?;
        let who = self.name(Space::Failures, &[who]);
        self.logged(self.engine().fail(who, LOGIN_WINDOW).await)
    }

    /// Takes a turn to check a login beyond the limit: all processes together have one in `pause`.
    /// `None` if the engine is not shared.
    pub(crate) async fn login_turn(&self, who: &[u8; 32], pause: Duration) -> Option<bool> {
        self.engine().processes()?;
        let pace = Pace {
            interval: pause,
            burst: 1,
        };
        let looked = self.engine().reserve(Reservation {
            account: self.name(Space::Failures, &[who]),
            pace: Some((self.name(Space::Rate, &[who]), pace)),
            daily: None,
            refusal: self.name(Space::Call, &[who]),
            subject: None,
            most: Duration::ZERO,
        });
        self.logged(looked.await).map(|turn| turn.is_some())
    }

    fn reservation(&self, call: &SharedCall<'_>) -> Reservation {
        let account = call.account.as_slice();
        let label = call.label.as_str().as_bytes();
        let daily = call.daily.map(|daily| {
            let label = daily.label.as_str().as_bytes();
            let parts = [account, label, &daily.day.to_be_bytes()];
            (self.name(Space::Day, &parts), daily.calls.into())
        });
        let pace = call.pace.map(|pace| {
            let name = self.name(Space::Rate, &[account, label]);
            (name, pace)
        });
        Reservation {
            account: self.name(Space::Account, &[account]),
            pace,
            daily,
            refusal: self.refusal(call),
            subject: self.subject(call),
            most: call.most,
        }
    }

    fn refusal(&self, call: &SharedCall<'_>) -> Name {
        let method = call.method.as_str().as_bytes();
        let parts = [call.account.as_slice(), method, call.template.as_bytes()];
        self.name(Space::Call, &parts)
    }

    fn subject(&self, call: &SharedCall<'_>) -> Option<Subject> {
        let subject = call.subject?.to_be_bytes();
        Some(self.name(Space::Subject, &[&subject]).into())
    }
}

impl SharedBudget for State {
    fn reserve<'a>(&'a self, call: &'a SharedCall<'a>) -> BoxFuture<'a, Reserved> {
        async move {
            // Checked before the names are computed.
            if self.engine().is_down() {
                return Reserved::Unreachable;
            }
            match self.logged(self.engine().reserve(self.reservation(call)).await) {
                Some(Some(wait)) => Reserved::After(wait),
                Some(None) => Reserved::Refused,
                None => Reserved::Unreachable,
            }
        }
        .boxed()
    }

    fn refused<'a>(&'a self, call: &'a SharedCall<'a>, time: Duration) -> BoxFuture<'a, ()> {
        async move {
            let account = self.name(Space::Account, &[call.account]);
            let (refusal, subject) = (self.refusal(call), self.subject(call));
            let noted = self.engine().refused(account, refusal, subject, time);
            self.logged(noted.await);
        }
        .boxed()
    }

    fn processes(&self) -> NonZeroU32 {
        let counted = self.engine().processes().and_then(|known| known.count);
        counted.unwrap_or(self.0.outage.replicas)
    }

    fn is_common(&self) -> bool {
        let processes = self.engine().processes();
        processes.is_none_or(|processes| processes.is_complete)
    }
}
