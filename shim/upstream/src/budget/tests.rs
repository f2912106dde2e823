use futures_util::future::join_all;
use mappings::Catalog;

use super::*;

fn rates(plan: &str) -> Option<Rates> {
    Catalog::embedded().unwrap().rates().get(plan).copied()
}

fn budget(plan: &str) -> Budget {
    Budget::new(rates(plan))
}

/// When so many callers who come at the same time get their turn, in the order in which they came.
async fn turns(budget: &Budget, count: usize, within: Duration) -> Vec<Option<Duration>> {
    let start = Instant::now();
    let until = start + within;
    let turns = (0..count).map(|_| async {
        let turn = budget.turn(RateLabel::Medium, until).await;
        turn.ok().map(|()| start.elapsed())
    });
    join_all(turns).await
}

#[tokio::test(start_paused = true)]
async fn no_second_has_more_calls_than_the_plan_allows() {
    for (plan, rate) in [("free", 2), ("pro", 20), ("business", 60)] {
        let budget = budget(plan);
        let count = 5 * rate;
        let turns = turns(&budget, count, Duration::from_secs(60)).await;
        let turns: Vec<_> = turns.into_iter().flatten().collect();
        assert_eq!(turns.len(), count, "{plan:?}");
        assert!(turns.is_sorted(), "{plan:?}: first come, first served");
        for window in turns.windows(rate + 1) {
            // Timers are by the millisecond.
            let time = window[rate].saturating_sub(window[0]) + Duration::from_millis(1);
            assert!(time >= Duration::from_secs(1), "{plan:?} {time:?}");
        }
        let last = turns.last().unwrap().as_secs_f64();
        assert!(last < 7.0, "{plan:?} takes {last} s: too little passes");
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_beyond_its_deadline() {
    let budget = budget("free");
    let turns = turns(&budget, 10, Duration::from_millis(1600)).await;
    // At 0, 0.5, 1 and 1.5 seconds.
    let served: Vec<_> = turns.iter().map(Option::is_some).collect();
    assert_eq!(served, [[true; 4].as_slice(), &[false; 6]].concat());
    // Those who gave up took nothing.
    tokio::time::sleep(Duration::from_millis(400)).await;
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
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(budget.level(RateLabel::Medium), Some(12));
    assert_eq!(self::budget("unlimited").level(RateLabel::Medium), None);
}

#[tokio::test(start_paused = true)]
async fn what_v2_refuses_for_long_is_asked_again_after_a_while() {
    let budget = budget("unlimited");
    let users: Arc<str> = "/users".into();
    let refuses = |method| budget.refuses((method, &users), None);
    budget.refused((Method::Get, &users), None, Some(Duration::from_secs(1)));
    assert!(!refuses(Method::Get));
    for (after, pause) in [
        (None, 60),
        (Some(7), 7),
        (Some(86400), 60),
        (Some(u64::MAX), 60),
    ] {
        budget.refused((Method::Get, &users), None, after.map(Duration::from_secs));
        assert!(refuses(Method::Get));
        assert!(!refuses(Method::Post), "another call");
        tokio::time::sleep(Duration::from_secs(pause)).await;
        assert!(!refuses(Method::Get));
    }
}

#[tokio::test(start_paused = true)]
async fn the_daily_limit_of_one_user_is_not_that_of_others() {
    let budget = budget("unlimited");
    let settings: Arc<str> = "/users/{userId}/settings".into();
    let call = (Method::Patch, &settings);
    let user = |id: &str| Subject::of(&settings, &format!("/users/{id}/settings"));
    let day = Some(Duration::from_hours(24));
    budget.refused(call, user("grace"), day);
    budget.refused(call, user("grace"), day);
    assert!(budget.refuses(call, user("grace")));
    assert!(!budget.refuses(call, user("ada")));
    assert!(!budget.refuses(call, None));

    // A second user: it is a limit of the account.
    budget.refused(call, user("alan"), day);
    assert!(budget.refuses(call, user("ada")));
    assert!(budget.refuses(call, None));
    tokio::time::sleep(RECHECK).await;
    assert!(!budget.refuses(call, user("grace")));
}
