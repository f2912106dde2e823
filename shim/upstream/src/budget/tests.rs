use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use mappings::Catalog;

use super::*;

fn rates(plan: &str) -> Option<Rates> {
    Catalog::embedded().unwrap().rates().get(plan).copied()
}

fn budget(plan: &str) -> Budget {
    Budget::new(rates(plan), None)
}

fn users() -> Arc<str> {
    "/users".into()
}

fn call(template: &Arc<str>, label: RateLabel) -> BudgetCall<'_> {
    BudgetCall {
        label,
        method: Method::Get,
        template,
        subject: None,
    }
}

/// Times at which `count` simultaneous callers get their turns, in order of arrival.
async fn turns(budget: &Budget, count: usize, within: Duration) -> Vec<Option<Duration>> {
    let start = Instant::now();
    let until = start + within;
    let (users, queues) = (users(), TenantQueues::new());
    let call = call(&users, RateLabel::Medium);
    let turns = (0..count).map(|_| async {
        let turn = budget.turn(&call, &queues, until).await;
        turn.ok().map(|()| start.elapsed())
    });
    join_all(turns).await
}

#[tokio::test(start_paused = true)]
async fn stays_within_the_plans_rate() {
    for (plan, rate) in [("free", 2), ("pro", 20), ("business", 60)] {
        let budget = budget(plan);
        let count = 5 * rate;
        let turns = turns(&budget, count, Duration::from_secs(60)).await;
        let turns: Vec<_> = turns.into_iter().flatten().collect();
        assert_eq!(turns.len(), count, "{plan:?}");
        assert!(turns.is_sorted(), "{plan:?}: first come, first served");
        for window in turns.windows(rate + 1) {
            // Timers have millisecond resolution.
            let time = window[rate].saturating_sub(window[0]) + Duration::from_millis(1);
            assert!(time >= Duration::from_secs(1), "{plan:?} {time:?}");
        }
        let last = turns.last().unwrap().as_secs_f64();
        assert!(last < 7.0, "{plan:?} takes {last} s: too little passes");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_wait_until_their_deadline() {
    let budget = budget("free");
    let turns = turns(&budget, 10, Duration::from_millis(1600)).await;
    // At 0, 0.5, 1 and 1.5 seconds.
    let served: Vec<_> = turns.iter().map(Option::is_some).collect();
    assert_eq!(served, [[true; 4].as_slice(), &[false; 6]].concat());
    // Callers that gave up took nothing.
    sleep(Duration::from_millis(400)).await;
    assert_eq!(
        self::turns(&budget, 1, Duration::ZERO).await,
        [Some(Duration::ZERO)]
    );
}

#[tokio::test(start_paused = true)]
async fn the_level_falls_and_rises() {
    let budget = budget("business");
    assert_eq!(budget.level(RateLabel::Medium), Some(12));
    turns(&budget, 5, Duration::ZERO).await;
    assert_eq!(budget.level(RateLabel::Medium), Some(7));
    assert_eq!(budget.level(RateLabel::Light), Some(16));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(budget.level(RateLabel::Medium), Some(12));
    assert_eq!(self::budget("unlimited").level(RateLabel::Medium), None);
}

#[tokio::test(start_paused = true)]
async fn tenants_of_one_account_take_turns() {
    let budget = budget("pro");
    let (users, busy, other) = (users(), TenantQueues::new(), TenantQueues::new());
    let call = call(&users, RateLabel::Heavy);
    let start = Instant::now();
    let until = start + Duration::from_secs(60);
    let turn = async |queues: &TenantQueues| {
        budget.turn(&call, queues, until).await.unwrap();
        start.elapsed()
    };
    let many = join_all((0..100).map(|_| turn(&busy)));
    // It arrives while a hundred calls of the other tenant wait.
    let one = async {
        sleep(Duration::from_millis(500)).await;
        turn(&other).await
    };
    let (_, one) = futures_util::future::join(many, one).await;
    assert!(one < Duration::from_millis(900), "{one:?}");
}

#[tokio::test(start_paused = true)]
async fn enforces_daily_limit() {
    let rates = rates("free").map(|rates| Rates {
        medium_daily: NonZeroU32::new(3),
        ..rates
    });
    let budget = Budget::new(rates, None);
    let turns = turns(&budget, 5, Duration::from_secs(60)).await;
    assert_eq!(turns.iter().flatten().count(), 3);
}

#[tokio::test(start_paused = true)]
async fn heavy_and_resource_intensive_calls_share_a_daily_limit() {
    let rates = rates("business").map(|rates| Rates {
        heavy_daily: NonZeroU32::new(2),
        ..rates
    });
    let budget = Budget::new(rates, None);
    let (users, queues) = (users(), TenantQueues::new());
    let until = Instant::now() + Duration::from_secs(60);
    let turn = async |label| budget.turn(&call(&users, label), &queues, until).await;
    assert_eq!(turn(RateLabel::Heavy).await, Ok(()));
    assert_eq!(turn(RateLabel::ResourceIntensive).await, Ok(()));
    assert_eq!(turn(RateLabel::Heavy).await, Err(Exhausted));
    assert_eq!(turn(RateLabel::Light).await, Ok(()));
}

/// Shared count of four processes, with simulated outages.
#[derive(Debug, Default)]
struct Common {
    is_lost: AtomicBool,
    due: Due,
    refused: Mutex<Vec<Option<u64>>>,
}

impl SharedBudget for Common {
    fn reserve<'a>(&'a self, call: &'a SharedCall<'a>) -> BoxFuture<'a, Reserved> {
        let reserved = if self.is_lost.load(Ordering::SeqCst) {
            Reserved::Unreachable
        } else if lock(&self.refused).contains(&call.subject) {
            Reserved::Refused
        } else {
            match call.pace.map(|pace| self.due.take(pace)) {
                None | Some(Ok(())) => Reserved::After(Duration::ZERO),
                Some(Err(_)) => Reserved::Refused,
            }
        };
        async move { reserved }.boxed()
    }

    fn refused<'a>(&'a self, call: &'a SharedCall<'a>, _: Duration) -> BoxFuture<'a, ()> {
        lock(&self.refused).push(call.subject);
        async {}.boxed()
    }

    fn processes(&self) -> NonZeroU32 {
        NonZeroU32::new(4).unwrap()
    }

    fn is_common(&self) -> bool {
        !self.is_lost.load(Ordering::SeqCst)
    }
}

fn shared(plan: &str) -> (Arc<Common>, Budget) {
    let common = Arc::new(Common::default());
    let budget = Budget::new(rates(plan), Some(([0; 32], Arc::clone(&common) as _)));
    (common, budget)
}

#[tokio::test(start_paused = true)]
async fn without_shared_count_uses_an_equal_share() {
    let (common, budget) = shared("business");
    common.is_lost.store(true, Ordering::SeqCst);
    // Medium: 60 per second, of which four processes share 90 %.
    let turns = turns(&budget, 100, Duration::from_secs(4)).await;
    let served = turns.iter().flatten().count();
    assert!((52..=55).contains(&served), "{served}");
    let first = turns.iter().flatten().take(20);
    assert!(first.last().unwrap() > &Duration::from_secs(1), "no burst");
}

#[tokio::test(start_paused = true)]
async fn rejections_are_shared() {
    let (_, budget) = shared("unlimited");
    let (users, queues) = (users(), TenantQueues::new());
    let call = call(&users, RateLabel::Light);
    let until = Instant::now() + Duration::from_secs(60);
    assert_eq!(budget.turn(&call, &queues, until).await, Ok(()));
    budget.refused(&call, Some(Duration::from_secs(1))).await;
    assert_eq!(budget.turn(&call, &queues, until).await, Ok(()), "short");
    budget.refused(&call, None).await;
    let refused = budget.turn(&call, &queues, until).await;
    assert_eq!(refused, Err(Exhausted));
}

#[tokio::test(start_paused = true)]
async fn long_rejections_are_rechecked() {
    let budget = budget("unlimited");
    let users = users();
    let get = call(&users, RateLabel::Light);
    let post = BudgetCall {
        method: Method::Post,
        ..get
    };
    budget.refused(&get, Some(Duration::from_secs(1))).await;
    assert!(!budget.refuses(&get));
    for (after, pause) in [
        (None, 60),
        (Some(7), 7),
        (Some(86400), 60),
        (Some(u64::MAX), 60),
    ] {
        budget.refused(&get, after.map(Duration::from_secs)).await;
        assert!(budget.refuses(&get));
        assert!(!budget.refuses(&post), "another call");
        sleep(Duration::from_secs(pause)).await;
        assert!(!budget.refuses(&get));
    }
}

#[tokio::test(start_paused = true)]
async fn daily_limit_of_one_user_does_not_block_others() {
    let budget = budget("unlimited");
    let settings: Arc<str> = "/users/{userId}/settings".into();
    let about = |id: Option<&str>| BudgetCall {
        method: Method::Patch,
        subject: id.and_then(|id| Subject::of(&settings, &format!("/users/{id}/settings"))),
        ..call(&settings, RateLabel::Light)
    };
    let day = Some(Duration::from_hours(24));
    budget.refused(&about(Some("grace")), day).await;
    budget.refused(&about(Some("grace")), day).await;
    assert!(budget.refuses(&about(Some("grace"))));
    assert!(!budget.refuses(&about(Some("ada"))));
    assert!(!budget.refuses(&about(None)));

    // Rejected for a second user: the limit applies to the account.
    budget.refused(&about(Some("alan")), day).await;
    assert!(budget.refuses(&about(Some("ada"))));
    assert!(budget.refuses(&about(None)));
    sleep(RECHECK).await;
    assert!(!budget.refuses(&about(Some("grace"))));
}
