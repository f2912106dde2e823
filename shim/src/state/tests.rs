//! Tests that run on every engine, and tests of keys, names and encryption.

mod redis;
mod redis_server;
mod redis_topology;

use std::{
    fs,
    future::Future,
    num::NonZeroU32,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mappings::translation::{Journal, WriteKey};
use shim_upstream::Pace;
use tempfile::TempDir;

use super::{
    AnswerCache, Engine, Key, Name, Outage, Queue, State, StateError,
    engine::{Begun, Ending, Progress, Reservation, Write},
    keyring::{Keyring, Space},
    new_run,
    queue::{Put, Settlement},
    sqlite::Sqlite,
    writes::Entry,
};
use crate::settings::{OnOutage, StateConfig, StateUrl};

const LONG: Duration = Duration::from_secs(60);
const CACHE: AnswerCache = AnswerCache {
    time: LONG,
    bytes: 1 << 20,
};

/// An engine with the resources that it needs.
pub(crate) struct Bench {
    engine: Arc<dyn Engine>,
    folder: Option<TempDir>,
    server: Option<redis_server::Server>,
}

impl Bench {
    /// The file of a SQLite engine.
    pub(crate) fn file(&self) -> PathBuf {
        let folder = self.folder.as_ref().unwrap();
        folder.path().join("state.sqlite")
    }

    /// Kills the server of a Redis engine.
    pub(crate) fn kill_server(&mut self) {
        self.server.as_mut().unwrap().kill();
    }

    /// Restarts the server.
    pub(crate) fn start_server(&mut self) {
        self.server.as_mut().unwrap().start_again();
    }
}

fn memory() -> Bench {
    Bench {
        engine: Arc::new(Sqlite::in_memory().unwrap()),
        folder: None,
        server: None,
    }
}

fn file() -> Bench {
    let folder = TempDir::new().unwrap();
    Bench {
        engine: Arc::new(Sqlite::open(&folder.path().join("state.sqlite")).unwrap()),
        folder: Some(folder),
        server: None,
    }
}

/// State on its own engine; `None` with a message if the server is not installed.
pub(crate) async fn state_on(engine: &str) -> Option<(State, Bench)> {
    let bench = match engine {
        "memory" => memory(),
        "sqlite" => file(),
        _ => redis::bench().await?,
    };
    let state = State::on(Arc::clone(&bench.engine), CACHE).unwrap();
    Some((state, bench))
}

/// State on an engine, with keys made of one repeated byte.
pub(crate) fn state_under(bench: &Bench, key: u8, previous: Option<u8>) -> State {
    let outage = Outage {
        writes: OnOutage::Local,
        local: None,
        replicas: NonZeroU32::MIN,
    };
    let previous = previous.map(|byte| [byte; 32]);
    let keyring = Keyring::new(&[key; 32], previous.as_ref()).unwrap();
    State::with(Arc::clone(&bench.engine), keyring, outage, CACHE)
}

/// Runs each test on each engine.
macro_rules! on_every_engine {
    ($($name:ident)+) => {
        mod on_memory {
            $(#[tokio::test]
            async fn $name() {
                super::run(Some(super::memory()), super::$name).await;
            })+
        }

        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::run(Some(super::file()), super::$name).await;
            })+
        }

        mod on_redis {
            $(#[tokio::test]
            async fn $name() {
                super::run(super::redis::bench().await, super::$name).await;
            })+
        }
    };
}

async fn run<F: Future<Output = ()>>(
    bench: Option<Bench>,
    test: impl FnOnce(Arc<dyn Engine>) -> F,
) {
    if let Some(bench) = bench {
        test(Arc::clone(&bench.engine)).await;
    }
}

on_every_engine! {
    cursors_come_back_with_the_generation
    a_value_is_kept_for_its_time
    a_write_has_one_run_at_a_time
    a_run_that_got_no_answer_begins_again
    a_lost_lease_fences_its_run
    an_unfinished_write_is_resumed
    a_response_is_kept_only_for_waiting_requests
    calls_are_spread_over_time
    a_refusal_is_about_one_subject_or_all_and_takes_nothing
    failures_are_forgotten_after_their_window
    a_group_is_delivered_in_order_and_one_at_a_time
    a_group_waits_for_a_message_that_is_put_off
    a_repeat_is_recognised_after_delivery
    a_dead_letter_is_requeued_at_the_end
    a_lost_lease_of_a_message_settles_nothing
    a_renewed_lease_lasts
    a_delivery_under_a_lost_lease_is_not_repeated
    dead_letters_of_one_moment_are_requeued_in_order
    unreadable_bodies_do_not_block_a_queue
}

fn name(text: &str) -> Name {
    Name(
        text.bytes()
            .fold(0, |name, byte| name << 8 | u128::from(byte)),
    )
}

/// A unique name, for tests that share an engine.
fn fresh() -> Name {
    Name(new_run())
}

fn fresh_write() -> Write {
    Write {
        account: fresh(),
        name: fresh(),
    }
}

async fn soon(mut condition: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.unwrap();
}

async fn cursors_come_back_with_the_generation(on: Arc<dyn Engine>) {
    let (list, account) = (fresh(), fresh());
    assert_eq!(on.list(list, account).await.unwrap(), (None, 0));
    on.save_cursors(list, account, "2:x".into()).await.unwrap();
    on.save_cursors(list, account, "2:y".into()).await.unwrap();
    on.advance(account).await.unwrap();
    on.advance(account).await.unwrap();
    let found = on.list(list, account).await.unwrap();
    assert_eq!(found, (Some("2:y".into()), 2));
    assert_eq!(on.generation(account).await.unwrap(), 2);
    assert_eq!(on.generation(fresh()).await.unwrap(), 0);
}

async fn a_value_is_kept_for_its_time(on: Arc<dyn Engine>) {
    let (name, short) = (fresh(), Duration::from_millis(30));
    assert_eq!(on.value(name).await.unwrap(), None);
    on.set_value(name, "x".into(), LONG).await.unwrap();
    assert_eq!(on.value(name).await.unwrap(), Some("x".into()));
    on.set_value(name, "y".into(), short).await.unwrap();
    soon(async || on.value(name).await.unwrap().is_none()).await;
}

async fn a_write_has_one_run_at_a_time(on: Arc<dyn Engine>) {
    let (write, first, other) = (fresh_write(), new_run(), new_run());
    let begun = on.begin(write, first, LONG, "intent".into()).await.unwrap();
    assert_eq!(begun, Begun::Leased(None));
    let Begun::Busy { run, left } = on.begin(write, other, LONG, "".into()).await.unwrap() else {
        panic!("two runs");
    };
    assert_eq!(run, first);
    assert!(left <= LONG && left > LONG / 2, "{left:?}");
    assert!(
        !on.step(write, other, LONG, Some("theirs".into()))
            .await
            .unwrap()
    );
    assert!(
        !on.end(write, other, Ending::Finished("theirs".into()))
            .await
            .unwrap()
    );
    assert!(
        on.step(write, first, LONG, Some("done".into()))
            .await
            .unwrap()
    );
    assert!(
        on.end(write, first, Ending::Finished("answer".into()))
            .await
            .unwrap()
    );
    let begun = on.begin(write, other, LONG, "".into()).await.unwrap();
    assert_eq!(begun, Begun::Leased(None), "a later request begins anew");
}

async fn a_run_that_got_no_answer_begins_again(on: Arc<dyn Engine>) {
    let (write, run) = (fresh_write(), new_run());
    for _ in 0..2 {
        let begun = on.begin(write, run, LONG, "intent".into()).await.unwrap();
        assert_eq!(begun, Begun::Leased(None));
    }
    let end = Ending::Unfinished("one".into());
    assert!(on.end(write, run, end).await.unwrap());
    for run in [new_run(), new_run()] {
        let begun = on.begin(write, run, Duration::ZERO, "intent".into()).await;
        assert_eq!(begun.unwrap(), Begun::Leased(Some("one".into())));
    }
    assert_eq!(on.generation(write.account).await.unwrap(), 1);
}

async fn a_lost_lease_fences_its_run(on: Arc<dyn Engine>) {
    let (write, first, second) = (fresh_write(), new_run(), new_run());
    let short = Duration::from_millis(20);
    on.begin(write, first, short, "intent".into())
        .await
        .unwrap();
    assert!(
        on.step(write, first, short, Some("one call".into()))
            .await
            .unwrap()
    );
    let mut begun = None;
    soon(async || {
        let found = on.begin(write, second, LONG, "".into()).await.unwrap();
        let is_mine = matches!(found, Begun::Leased(_));
        begun = Some(found);
        is_mine
    })
    .await;
    assert_eq!(begun, Some(Begun::Leased(Some("one call".into()))));
    assert!(!on.step(write, first, LONG, None).await.unwrap());
    assert!(
        !on.end(write, first, Ending::Unfinished("late".into()))
            .await
            .unwrap()
    );
    assert_eq!(on.progress(write, first).await.unwrap(), Progress::Gone);
    assert_eq!(on.progress(write, second).await.unwrap(), Progress::Running);
}

async fn an_unfinished_write_is_resumed(on: Arc<dyn Engine>) {
    let (write, first, second) = (fresh_write(), new_run(), new_run());
    on.begin(write, first, LONG, "intent".into()).await.unwrap();
    assert!(
        on.step(write, first, LONG, Some("one".into()))
            .await
            .unwrap()
    );
    assert!(on.step(write, first, LONG, None).await.unwrap());
    assert!(
        on.end(write, first, Ending::Unfinished("one, two".into()))
            .await
            .unwrap()
    );
    assert!(on.is_open(write).await.unwrap());
    assert_eq!(on.progress(write, first).await.unwrap(), Progress::Gone);
    let begun = on
        .begin(write, second, LONG, "intent".into())
        .await
        .unwrap();
    assert_eq!(begun, Begun::Leased(Some("one, two".into())));
    assert!(on.is_open(write).await.unwrap());
    let finished = Ending::Finished("answer".into());
    assert!(on.end(write, second, finished).await.unwrap());
    assert!(!on.is_open(write).await.unwrap());
    assert!(!on.is_open(fresh_write()).await.unwrap());
}

async fn a_response_is_kept_only_for_waiting_requests(on: Arc<dyn Engine>) {
    let (write, first, second, third) = (fresh_write(), new_run(), new_run(), new_run());
    on.begin(write, first, LONG, "".into()).await.unwrap();
    let busy = on.begin(write, second, LONG, "".into()).await.unwrap();
    assert!(matches!(busy, Begun::Busy { run, .. } if run == first));
    assert_eq!(on.progress(write, first).await.unwrap(), Progress::Running);
    assert!(
        on.end(write, first, Ending::Finished("first".into()))
            .await
            .unwrap()
    );
    // A request that comes now runs, and its end does not remove the response of the first run.
    let begun = on.begin(write, third, LONG, "".into()).await.unwrap();
    assert_eq!(begun, Begun::Leased(None));
    assert!(
        on.end(write, third, Ending::Finished("third".into()))
            .await
            .unwrap()
    );
    let finished = on.progress(write, first).await.unwrap();
    assert_eq!(finished, Progress::Finished("first".into()));
    assert_eq!(on.progress(write, third).await.unwrap(), Progress::Gone);
}

fn reservation(account: Name, burst: u32, most: Duration) -> Reservation {
    let interval = Duration::from_millis(100);
    Reservation {
        account,
        pace: Some((Name(account.0 ^ 1), Pace { interval, burst })),
        daily: None,
        refusal: Name(account.0 ^ 2),
        subject: None,
        most,
    }
}

async fn calls_are_spread_over_time(on: Arc<dyn Engine>) {
    let account = fresh();
    let mut last = None;
    for at in 0..5 {
        let wait = on
            .reserve(reservation(account, 2, LONG))
            .await
            .unwrap()
            .unwrap();
        match at {
            0 | 1 => assert_eq!(wait, Duration::ZERO, "{at}"),
            _ => assert!(wait > last.unwrap_or_default(), "{at}: {wait:?}"),
        }
        assert!(wait <= Duration::from_millis(300));
        last = Some(wait);
    }
    // A call that would wait too long reserves nothing.
    let short = Duration::from_millis(50);
    for _ in 0..3 {
        let refused = on.reserve(reservation(account, 2, short)).await.unwrap();
        assert_eq!(refused, None);
    }
    let next = on
        .reserve(reservation(account, 2, LONG))
        .await
        .unwrap()
        .unwrap();
    assert!(next <= Duration::from_millis(400), "{next:?}");
}

async fn a_refusal_is_about_one_subject_or_all_and_takes_nothing(on: Arc<dyn Engine>) {
    let account = fresh();
    let wanted = || Reservation {
        pace: None,
        daily: Some((Name(account.0 ^ 3), 2)),
        ..reservation(account, 1, LONG)
    };
    for _ in 0..2 {
        let reserved = on.reserve(wanted()).await.unwrap();
        assert_eq!(reserved, Some(Duration::ZERO));
    }
    assert_eq!(on.reserve(wanted()).await.unwrap(), None, "the day");

    let about = |subject: Option<u128>| Reservation {
        pace: None,
        subject: subject.map(|subject| Name(subject << 65).into()),
        ..reservation(account, 1, LONG)
    };
    let refused = async |subject, time| {
        let Reservation {
            refusal, subject, ..
        } = about(subject);
        on.refused(account, refusal, subject, time).await.unwrap();
    };
    let may = async |subject| on.reserve(about(subject)).await.unwrap().is_some();
    let short = Duration::from_millis(500);
    refused(Some(1), short).await;
    refused(Some(1), short).await;
    assert!(!may(Some(1)).await);
    assert!(may(Some(2)).await && may(None).await, "another subject");
    refused(Some(2), short).await;
    assert!(!may(Some(3)).await && !may(None).await, "any subject");
    soon(async || may(Some(1)).await && may(None).await).await;
}

async fn failures_are_forgotten_after_their_window(on: Arc<dyn Engine>) {
    let (who, other) = (fresh(), fresh());
    for expected in 1..=3 {
        assert_eq!(on.fail(who, LONG).await.unwrap(), expected);
    }
    assert_eq!(on.failures(who).await.unwrap(), 3);
    assert_eq!(on.failures(other).await.unwrap(), 0);
    on.fail(other, Duration::from_millis(20)).await.unwrap();
    soon(async || on.failures(other).await.unwrap() == 0).await;
    assert_eq!(on.fail(other, LONG).await.unwrap(), 1);
}

fn queue(on: Arc<dyn Engine>) -> Queue {
    let state = State::on(on, CACHE).unwrap();
    state.queue("tests")
}

fn key(text: &str) -> Key {
    Key::new([text.as_bytes()])
}

async fn put(queue: &Queue, id: &str, group: &str, now: i64) -> Put {
    queue
        .put(key(id), key(group), id.as_bytes(), now)
        .await
        .unwrap()
}

async fn claimed(queue: &Queue, now: i64) -> Option<(super::queue::Claim, String, u32)> {
    let claimed = queue.claim(now, LONG).await.unwrap()?;
    let body = String::from_utf8(claimed.body.to_vec()).unwrap();
    Some((claimed.claim, body, claimed.attempts))
}

async fn a_group_is_delivered_in_order_and_one_at_a_time(on: Arc<dyn Engine>) {
    let queue = queue(on);
    for (id, group, now) in [("a1", "a", 999), ("a2", "a", 999), ("b1", "b", 1000)] {
        assert_eq!(put(&queue, id, group, now).await, Put::Stored);
    }
    let (first, body, attempts) = claimed(&queue, 1000).await.unwrap();
    assert_eq!((body.as_str(), attempts), ("a1", 0));
    let (other, body, _) = claimed(&queue, 1000).await.unwrap();
    assert_eq!(body, "b1");
    assert_eq!(claimed(&queue, 1000).await, None, "a1 is not settled");

    let put_off = Settlement::RetryAt(5000);
    assert!(queue.settle(first, put_off, 1000).await.unwrap());
    assert!(queue.settle(other, Settlement::Done, 1000).await.unwrap());
    assert_eq!(
        claimed(&queue, 4999).await,
        None,
        "the group waits for its first"
    );
    assert_eq!(queue.next_due().await.unwrap(), Some(5000));
    let (first, body, attempts) = claimed(&queue, 5000).await.unwrap();
    assert_eq!((body.as_str(), attempts), ("a1", 1));
    assert!(queue.settle(first, Settlement::Done, 5000).await.unwrap());
    let (second, body, attempts) = claimed(&queue, 5000).await.unwrap();
    assert_eq!((body.as_str(), attempts), ("a2", 0));
    assert!(queue.settle(second, Settlement::Done, 5000).await.unwrap());
    let counts = queue.counts().await.unwrap();
    assert_eq!((counts.waiting, counts.dead), (0, 0));
    assert_eq!(queue.next_due().await.unwrap(), None);
}

async fn a_group_waits_for_a_message_that_is_put_off(on: Arc<dyn Engine>) {
    let queue = queue(on);
    for id in ["1", "2"] {
        assert_eq!(put(&queue, id, "a", 1000).await, Put::Stored);
    }
    let (first, ..) = claimed(&queue, 1000).await.unwrap();
    let put_off = Settlement::PutOff(5000);
    assert!(queue.settle(first, put_off, 1000).await.unwrap());
    assert_eq!(queue.next_due().await.unwrap(), Some(5000));
    assert_eq!(claimed(&queue, 4999).await, None);
    assert!(!queue.settle(first, put_off, 5000).await.unwrap());
    for id in ["1", "2"] {
        let (claim, body, attempts) = claimed(&queue, 5000).await.unwrap();
        assert_eq!((body.as_str(), attempts), (id, 0));
        assert!(queue.settle(claim, Settlement::Done, 5000).await.unwrap());
    }
}

async fn a_repeat_is_recognised_after_delivery(on: Arc<dyn Engine>) {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let queue = queue(on);
    assert_eq!(put(&queue, "one", "a", 0).await, Put::Stored);
    assert_eq!(put(&queue, "one", "a", 0).await, Put::Repeat);
    assert!(queue.has_seen(key("one"), DAY - 1).await.unwrap());
    assert!(!queue.has_seen(key("one"), DAY).await.unwrap());
    assert!(!queue.has_seen(key("other"), 0).await.unwrap());
    let (claim, ..) = claimed(&queue, 0).await.unwrap();
    assert!(queue.settle(claim, Settlement::Done, 0).await.unwrap());
    assert_eq!(put(&queue, "one", "a", DAY - 1).await, Put::Repeat);
    assert_eq!(put(&queue, "one", "a", DAY).await, Put::Stored);
}

/// Milliseconds since 1970.
fn real_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

async fn a_dead_letter_is_requeued_at_the_end(on: Arc<dyn Engine>) {
    const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;
    let queue = queue(on);
    // Letters that are too old by the system clock are swept.
    let now = real_now();
    for id in ["1", "2", "3"] {
        put(&queue, id, "a", now).await;
    }
    let (claim, ..) = claimed(&queue, now).await.unwrap();
    assert!(
        queue
            .settle(claim, Settlement::Dead, now + 7)
            .await
            .unwrap()
    );
    let (claim, body, _) = claimed(&queue, now + 7).await.unwrap();
    assert_eq!(body, "2", "the group goes on");
    assert!(
        queue
            .settle(claim, Settlement::Dead, now + 8)
            .await
            .unwrap()
    );
    let letters = queue.dead_letters(10).await.unwrap();
    let shown: Vec<_> = letters
        .iter()
        .map(|letter| (&letter.body[..], letter.at))
        .collect();
    assert_eq!(shown, [(b"1".as_slice(), now + 7), (b"2", now + 8)]);
    assert_eq!(queue.dead_letters(1).await.unwrap().len(), 1);

    let first = letters.first().unwrap().id;
    assert_eq!(queue.requeue(Some(&[first]), now + 9).await.unwrap(), 1);
    let mut order = Vec::new();
    while let Some((claim, body, attempts)) = claimed(&queue, now + 9).await {
        assert_eq!(attempts, 0);
        order.push(body);
        queue
            .settle(claim, Settlement::Done, now + 9)
            .await
            .unwrap();
    }
    assert_eq!(order, ["3", "1"]);
    assert_eq!(queue.counts().await.unwrap().dead, 1);
    assert_eq!(claimed(&queue, now + 8 + WEEK).await, None);
    assert_eq!(queue.counts().await.unwrap().dead, 0, "too old");
    assert_eq!(queue.requeue(None, now + 9).await.unwrap(), 0);
}

async fn a_lost_lease_of_a_message_settles_nothing(on: Arc<dyn Engine>) {
    let queue = queue(on);
    put(&queue, "one", "a", 0).await;
    let (lost, ..) = claimed(&queue, 0).await.unwrap();
    let after = i64::try_from(LONG.as_millis()).unwrap();
    let (current, _, attempts) = claimed(&queue, after).await.unwrap();
    assert_eq!(attempts, 0, "a lost lease is no attempt");
    for settlement in [Settlement::Dead, Settlement::RetryAt(after)] {
        assert!(!queue.settle(lost, settlement, after).await.unwrap());
    }
    assert!(
        queue
            .settle(current, Settlement::Done, after)
            .await
            .unwrap()
    );
    assert!(
        !queue
            .settle(current, Settlement::Done, after)
            .await
            .unwrap()
    );
}

async fn a_renewed_lease_lasts(on: Arc<dyn Engine>) {
    let queue = queue(on);
    put(&queue, "one", "a", 0).await;
    let (claim, ..) = claimed(&queue, 0).await.unwrap();
    let long = i64::try_from(LONG.as_millis()).unwrap();
    assert!(queue.renew(claim, long - 1, LONG).await.unwrap());
    assert_eq!(claimed(&queue, 2 * long - 2).await, None);
    let (next, ..) = claimed(&queue, 2 * long - 1).await.unwrap();
    assert!(!queue.renew(claim, 2 * long, LONG).await.unwrap());
    assert!(
        queue
            .settle(next, Settlement::Done, 2 * long)
            .await
            .unwrap()
    );
    assert!(!queue.renew(next, 2 * long, LONG).await.unwrap());
}

async fn a_delivery_under_a_lost_lease_is_not_repeated(on: Arc<dyn Engine>) {
    let queue = queue(on);
    for id in ["1", "2"] {
        put(&queue, id, "a", 0).await;
    }
    let (lost, ..) = claimed(&queue, 0).await.unwrap();
    let after = i64::try_from(LONG.as_millis()).unwrap();
    let (current, body, _) = claimed(&queue, after).await.unwrap();
    assert_eq!(body, "1");
    for settlement in [Settlement::Dead, Settlement::RetryAt(0)] {
        assert!(!queue.settle(lost, settlement, after).await.unwrap());
    }
    assert!(!queue.settle(lost, Settlement::Done, after).await.unwrap());
    // The process with the lease may still deliver: the group waits for it.
    assert_eq!(claimed(&queue, after).await, None);
    assert_eq!(queue.counts().await.unwrap().waiting, 1);
    let failed = Settlement::RetryAt(after + 1);
    assert!(!queue.settle(current, failed, after).await.unwrap());
    let (next, body, attempts) = claimed(&queue, after).await.unwrap();
    assert_eq!((body.as_str(), attempts), ("2", 0));
    assert!(queue.settle(next, Settlement::Done, after).await.unwrap());
    assert_eq!(queue.counts().await.unwrap().waiting, 0);
}

async fn dead_letters_of_one_moment_are_requeued_in_order(on: Arc<dyn Engine>) {
    let (queue, now) = (queue(on), real_now());
    // More than one transaction requeues.
    let ids: Vec<String> = (0..450).map(|id| id.to_string()).collect();
    for id in &ids {
        put(&queue, id, "a", now).await;
    }
    while let Some((claim, ..)) = claimed(&queue, now + 1).await {
        assert!(
            queue
                .settle(claim, Settlement::Dead, now + 1)
                .await
                .unwrap()
        );
    }
    assert_eq!(
        queue.requeue(None, now).await.unwrap(),
        0,
        "they died later"
    );
    assert_eq!(queue.requeue(None, now + 1).await.unwrap(), ids.len());
    let mut order = Vec::new();
    while let Some((claim, body, _)) = claimed(&queue, now + 1).await {
        order.push(body);
        assert!(
            queue
                .settle(claim, Settlement::Done, now + 1)
                .await
                .unwrap()
        );
    }
    assert_eq!(order, ids);
}

async fn unreadable_bodies_do_not_block_a_queue(on: Arc<dyn Engine>) {
    let (one, now) = (queue(Arc::clone(&on)), real_now());
    let other = State::on(on, CACHE).unwrap();
    put(&one, "1", "a", now).await;
    // The key was rotated without a previous key.
    let other = Queue {
        state: other,
        ..one
    };
    let claimed = other.claim(now, LONG).await.unwrap().unwrap();
    assert!(claimed.body.is_empty());
    let given_up = other.settle(claimed.claim, Settlement::Dead, now).await;
    assert!(given_up.unwrap());
    assert!(other.dead_letters(1).await.unwrap()[0].body.is_empty());
}

// ---- keys and files
// ------------------------------------------------------------------------------

fn config(folder: &TempDir) -> StateConfig {
    let file = folder.path().join("state.sqlite");
    StateConfig::new(StateUrl::Sqlite(file), None)
}

fn key_file(folder: &TempDir, name: &str, byte: u8) -> PathBuf {
    let file = folder.path().join(name);
    fs::write(&file, [byte; 32]).unwrap();
    file
}

#[test]
fn a_key_is_created_beside_the_file_and_used_again() {
    let folder = TempDir::new().unwrap();
    let opened = || State::open(&config(&folder), CACHE).unwrap();
    let (one, other) = (opened(), opened());
    let of = |state: &State| state.name(Space::Write, &[b"x"]);
    assert_eq!(of(&one), of(&other));
    let sealed = one.seal(of(&one), b"a value").unwrap();
    assert_eq!(other.unseal(of(&one), &sealed).unwrap(), "a value");
    #[cfg(unix)]
    for file in ["state.key", "state.sqlite"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(fs::read(folder.path().join("state.key")).unwrap().len(), 32);
}

#[test]
fn a_value_opens_under_its_name_and_key_only() {
    let folder = TempDir::new().unwrap();
    let mut settings = config(&folder);
    settings.key_file = Some(key_file(&folder, "one", 1));
    let state = State::open(&settings, CACHE).unwrap();
    let sealed = state.seal(name("x"), b"a value").unwrap();
    assert!(!sealed.windows(5).any(|part| part == b"value"));
    assert_eq!(state.unseal(name("y"), &sealed), None);
    let mut changed = sealed.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(state.unseal(name("x"), &changed), None);

    settings.previous_key_file = settings.key_file.take();
    settings.key_file = Some(key_file(&folder, "two", 2));
    let rotated = State::open(&settings, CACHE).unwrap();
    assert_eq!(rotated.unseal(name("x"), &sealed).unwrap(), "a value");
    settings.previous_key_file = None;
    let forgotten = State::open(&settings, CACHE).unwrap();
    assert_eq!(forgotten.unseal(name("x"), &sealed), None);
}

fn journal(text: &str) -> Journal {
    serde_json::from_str(text).unwrap()
}

const SENT: &str = r#"{"answered":{},"sent":{"create":[7]}}"#;

#[tokio::test]
async fn a_write_under_the_previous_key_is_waited_for_and_continued() {
    let folder = TempDir::new().unwrap();
    let mut settings = config(&folder);
    settings.key_file = Some(key_file(&folder, "one", 1));
    let old = State::open(&settings, CACHE).unwrap();
    settings.previous_key_file = settings.key_file.take();
    settings.key_file = Some(key_file(&folder, "two", 2));
    let new = State::open(&settings, CACHE).unwrap();
    settings.previous_key_file = None;
    let newest = State::open(&settings, CACHE).unwrap();
    let (tenant, write) = (key("tenant"), WriteKey([1; 32]));
    let begin = async |state: &State| {
        let name = state.write_name(&tenant, &tenant, &write);
        state.begin(name, &Journal::default()).await.unwrap()
    };
    let Entry::Runs(run, None) = begin(&old).await else {
        panic!("nobody runs it");
    };
    assert!(matches!(begin(&new).await, Entry::Busy(_)));
    run.leave(&journal(SENT)).await;
    let Entry::Runs(run, Some(found)) = begin(&new).await else {
        panic!("it is unfinished");
    };
    assert_eq!(found, journal(SENT));
    run.leave(&found).await;
    let Entry::Runs(_, Some(found)) = begin(&newest).await else {
        panic!("it is under the new key now");
    };
    assert_eq!(found, journal(SENT));
}

#[tokio::test]
async fn a_journal_of_a_neighbouring_version_is_read() {
    let newer = r#"{"answered":{},"sent":{"create":[7]},"later":{"any":1}}"#;
    let older = r#"{"sent":{"create":[7]}}"#;
    let folder = TempDir::new().unwrap();
    let state = State::open(&config(&folder), CACHE).unwrap();
    let tenant = key("tenant");
    for (at, text) in (0..).zip([newer, older]) {
        let name = state.write_name(&tenant, &tenant, &WriteKey([at; 32]));
        let written = state.seal(name.in_process(), text.as_bytes()).unwrap();
        let (write, run) = (name.in_engine(), new_run());
        let begun = state.engine().begin(write, run, Duration::ZERO, written);
        begun.await.unwrap();
        let Entry::Runs(_, Some(found)) = state.begin(name, &Journal::default()).await.unwrap()
        else {
            panic!("it is unfinished");
        };
        assert_eq!(found, journal(SENT));
    }
}

#[test]
fn a_key_file_of_another_length_is_refused() {
    let folder = TempDir::new().unwrap();
    for length in [0, 31, 33] {
        let mut settings = config(&folder);
        let file = folder.path().join("key");
        fs::write(&file, vec![1; length]).unwrap();
        settings.key_file = Some(file);
        let error = State::open(&settings, CACHE).unwrap_err();
        assert!(error.to_string().contains("must hold 32 bytes"), "{error}");
    }
}

#[test]
fn the_file_of_a_newer_shim_is_refused_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("state.sqlite");
    drop(Sqlite::open(&file).unwrap());
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .pragma_update(None, "user_version", super::sqlite::SCHEMA + 1)
        .unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    let before = fs::read(&file).unwrap();
    let error = Sqlite::open(&file).unwrap_err();
    assert!(
        matches!(error, StateError::Newer { version, .. } if version == super::sqlite::SCHEMA + 1)
    );
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn file_of_another_program_is_rejected() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("state.sqlite");
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    assert!(matches!(Sqlite::open(&file), Err(StateError::Foreign(_))));
}

#[tokio::test]
async fn two_processes_share_a_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("state.sqlite");
    let engines = [Sqlite::open(&file).unwrap(), Sqlite::open(&file).unwrap()];
    let (write, first) = (fresh_write(), new_run());
    let begun = engines[0]
        .begin(write, first, LONG, "".into())
        .await
        .unwrap();
    assert_eq!(begun, Begun::Leased(None));
    let begun = engines[1]
        .begin(write, new_run(), LONG, "".into())
        .await
        .unwrap();
    assert!(matches!(begun, Begun::Busy { run, .. } if run == first));
    let account = fresh();
    let advances = (0..200).map(|at| engines[at % 2].advance(account));
    for advanced in futures_util::future::join_all(advances).await {
        advanced.unwrap();
    }
    assert_eq!(engines[0].generation(account).await.unwrap(), 200);
}
