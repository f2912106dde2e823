//! Order, retries, dead letters and outages.

use std::{collections::BTreeMap, time::Instant};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use mappings::notification::Event;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    notifications::{Deliver, Failure, Message, Pusher, system_clock},
    state::{
        StateError,
        tests::{Bench, state_on, state_under},
    },
};

/// A receiver that answers as the test says, and keeps what it got.
#[derive(Clone, Default)]
struct Fake {
    got: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Option<Failure>>>,
}

impl Fake {
    fn answers(&self, failure: Option<Failure>) {
        *self.answer.lock().unwrap() = failure;
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

impl Deliver for Fake {
    fn deliver(&self, message: Message) -> BoxFuture<'_, Result<(), Failure>> {
        self.got.lock().unwrap().push(message.body);
        let answer = *self.answer.lock().unwrap();
        async move { answer.map_or(Ok(()), Err) }.boxed()
    }
}

struct Stage {
    catalog: Arc<Catalog>,
    outbox: Outbox,
    clock: TestClock,
    fake: Fake,
    noted: Arc<RecordingObserver>,
    pusher: Pusher,
}

impl Stage {
    fn new(change: impl FnOnce(&mut ReceiverConfig)) -> Self {
        Self::on(&state(), change)
    }

    fn on(state: &State, change: impl FnOnce(&mut ReceiverConfig)) -> Self {
        let catalog = catalog();
        let mut config = receiver("http://127.0.0.1:1/zoom", &catalog);
        change(&mut config);
        let outbox = Outbox::new(&[config], state);
        // What is older than a week by the real clock is swept away.
        let clock = TestClock::at(system_clock()());
        let (fake, noted) = (Fake::default(), Arc::<RecordingObserver>::default());
        let pusher = Pusher::new(
            Arc::clone(&outbox.targets()[0]),
            fake.clone(),
            Arc::clone(&noted) as _,
            clock.clock(),
        );
        Self {
            catalog,
            outbox,
            clock,
            fake,
            noted,
            pusher,
        }
    }

    async fn store(&self, event: &str, meeting: &str, time: i64) {
        let body = webhook(event, meeting, time).to_string();
        let event = Event::read(&self.catalog, body.as_bytes()).unwrap();
        until_reached(async || self.outbox.store(&event, None, self.clock.now()).await).await;
    }

    /// Pushes all that is due now, several meetings side by side.
    async fn push_due(&self) -> usize {
        let mut count = 0;
        loop {
            let claims = (0..16).map(|_| until_reached(async || self.pusher.claim().await));
            let claimed = join_all(claims).await.into_iter().flatten();
            let pushed = join_all(claimed.map(|claimed| self.pusher.push(claimed))).await;
            if pushed.is_empty() {
                return count;
            }
            count += pushed.len();
        }
    }

    async fn next_due(&self) -> Option<i64> {
        let targets = self.outbox.targets();
        let queue = &targets[0].queue;
        until_reached(async || queue.next_due().await).await
    }

    /// Pushes until nothing waits; the clock jumps to what is due next.
    async fn push_all(&self) {
        while let Some(due) = self.next_due().await {
            self.clock.set(self.clock.now().max(due));
            self.push_due().await;
        }
    }

    async fn counts(&self) -> (u64, u64) {
        let waiting = until_reached(async || self.outbox.waiting().await).await;
        let counts = waiting[0].counts;
        (counts.waiting, counts.dead)
    }
}

#[tokio::test]
async fn three_attempts_then_a_dead_letter() {
    use DeliveryOutcome::{Dead, Failed};
    let stage = Stage::new(|_| ());
    stage.fake.answers(Some(Failure::Status(404)));
    stage.store("meeting.started", "m", 1).await;
    let mut attempts = Vec::new();
    for wait in [0, 9_999, 1, 59_999, 1, 1_000_000] {
        stage.clock.set(stage.clock.now() + wait);
        attempts.push(stage.push_due().await);
    }
    assert_eq!(attempts, [1, 0, 1, 0, 1, 0]);
    assert_eq!(stage.counts().await, (0, 1));
    let dead = stage.outbox.dead(10).await.unwrap();
    assert_eq!(dead[0].message.as_ref().unwrap().notification, "STARTED");
    assert_eq!(
        *stage.noted.deliveries.lock().unwrap(),
        [Failed, Failed, Dead]
    );
    // Sent again, with three attempts.
    stage.fake.answers(None);
    assert_eq!(
        stage.outbox.requeue(None, stage.clock.now()).await.unwrap(),
        1
    );
    assert_eq!(stage.push_due().await, 1);
    assert_eq!(stage.counts().await, (0, 0));
}

#[tokio::test]
async fn a_meeting_waits_for_its_own_attempts_and_for_no_other() {
    let stage = Stage::new(|_| ());
    stage.fake.answers(Some(Failure::Timeout));
    stage.store("meeting.started", "slow", 1).await;
    assert_eq!(stage.push_due().await, 1);
    stage.fake.answers(None);
    stage.store("meeting.ended", "slow", 2).await;
    stage.store("meeting.started", "quick", 3).await;
    assert_eq!(stage.push_due().await, 1);
    assert!(stage.fake.got()[1].contains("uuid=quick"));
    stage.clock.set(stage.clock.now() + 10_000);
    assert_eq!(stage.push_due().await, 2);
    let statuses: Vec<_> = stage.fake.got()[2..]
        .iter()
        .map(|form| form.contains("STARTED"))
        .collect();
    assert_eq!(statuses, [true, false]);
}

#[tokio::test]
async fn a_dead_letter_does_not_hold_its_meeting() {
    let stage = Stage::new(|config| config.attempts = 1);
    stage.fake.answers(Some(Failure::Status(404)));
    stage.store("meeting.started", "m", 1).await;
    stage.store("meeting.ended", "m", 2).await;
    assert_eq!(stage.push_due().await, 2);
    assert_eq!(stage.counts().await, (0, 2));
}

/// Engines on which this machine can run a test.
async fn benches() -> Vec<Bench> {
    let mut benches = Vec::new();
    for engine in ["memory", "sqlite", "redis"] {
        benches.extend(state_on(engine).await.map(|(_, bench)| bench));
    }
    benches
}

#[tokio::test]
async fn a_recording_is_pushed_after_its_pause_and_its_meeting_waits_behind_it() {
    for bench in benches().await {
        let engine = state_under(&bench, 1, None);
        let paused = |config: &mut ReceiverConfig| config.pause = Duration::from_secs(30);
        let stage = Stage::on(&engine, paused);
        stage.store("meeting.started", "m", 1).await;
        stage.store("recording.completed", "m", 2).await;
        stage.store("meeting.ended", "m", 3).await;
        stage.store("meeting.started", "other", 4).await;
        stage.push_due().await;
        let got = stage.fake.got();
        assert!(got.iter().all(|form| form.contains("status=STARTED")));
        assert_eq!(got.len(), 2);
        let due = stage.clock.now() + 30_000;
        assert_eq!(stage.next_due().await, Some(due));

        // Another process, for whose receiver the pause is over; it counts from the webhook.
        let next = Stage::on(&engine, |_| ());
        next.clock.set(due - 1);
        next.push_due().await;
        assert_eq!(next.fake.got(), [""; 0]);
        // The pause was no attempt: three are left.
        next.fake.answers(Some(Failure::Status(404)));
        next.clock.set(due);
        next.push_all().await;
        let recorded = |form: &String| form.contains("RECORDING_MEETING_COMPLETED");
        let order: Vec<bool> = next.fake.got().iter().map(recorded).collect();
        assert_eq!(order, [true, true, true, false, false, false]);
        // What is sent again does not pause again.
        next.fake.answers(None);
        let now = next.clock.now();
        let requeued = until_reached(async || next.outbox.requeue(None, now).await).await;
        assert_eq!(requeued, 2);
        assert_eq!(next.push_due().await, 2);
    }
}

#[tokio::test]
async fn repeats_are_recognised_across_a_replaced_key() {
    for bench in benches().await {
        let before = Stage::on(&state_under(&bench, 1, None), |_| ());
        before.store("meeting.started", "m", 1).await;
        before.push_due().await;
        before.store("meeting.ended", "m", 2).await;

        let after = Stage::on(&state_under(&bench, 2, Some(1)), |_| ());
        after.store("meeting.started", "m", 1).await;
        after.store("meeting.ended", "m", 2).await;
        after.store("meeting.started", "m", 3).await;
        assert_eq!(after.counts().await, (2, 0), "ENDED of before, and STARTED");
        // A day later nothing is remembered.
        after.clock.set(after.clock.now() + 24 * 60 * 60 * 1000);
        after.store("meeting.started", "m", 1).await;
        assert_eq!(after.counts().await, (3, 0));

        // Without the previous key, its messages cannot be recognised.
        let forgot = Stage::on(&state_under(&bench, 3, None), |_| ());
        forgot.store("meeting.started", "m", 1).await;
        assert_eq!(forgot.counts().await, (1, 0));
    }
}

#[tokio::test]
async fn repeats_are_recognised_across_a_changed_secret_in_the_url() {
    for bench in benches().await {
        let engine = state_under(&bench, 1, None);
        let stage = Stage::on(&engine, |config| {
            config.url = "http://a/?secret=1".parse().unwrap();
        });
        stage.store("meeting.started", "m", 1).await;
        stage.push_due().await;
        for secret in ["http://a/?secret=2", "http://a/?secret=3"] {
            let config = receiver(secret, &stage.catalog);
            let targets = stage.outbox.with(&[config], &engine);
            stage.outbox.replace(targets);
            stage.store("meeting.started", "m", 1).await;
            assert_eq!(stage.counts().await, (0, 0));
        }
        stage.store("meeting.started", "m", 2).await;
        assert_eq!(stage.counts().await, (1, 0));
    }
}

#[tokio::test]
async fn hanging_receivers_do_not_hold_other_meetings() {
    /// Hangs for all meetings but one.
    struct Hanging(Arc<Semaphore>);
    impl Deliver for Hanging {
        fn deliver(&self, message: Message) -> BoxFuture<'_, Result<(), Failure>> {
            let passed = Arc::clone(&self.0);
            async move {
                if !message.body.contains("uuid=fifth") {
                    std::future::pending::<()>().await;
                }
                passed.add_permits(1);
                Ok(())
            }
            .boxed()
        }
    }
    let (catalog, state) = (catalog(), state());
    let outbox = outbox(&state, &catalog);
    for meeting in ["first", "second", "third", "fourth", "fifth"] {
        let body = webhook("meeting.started", meeting, 1).to_string();
        let event = Event::read(&catalog, body.as_bytes()).unwrap();
        outbox.store(&event, None, system_clock()()).await.unwrap();
    }
    let passed = Arc::new(Semaphore::new(0));
    let client = Hanging(Arc::clone(&passed));
    let target = Arc::clone(&outbox.targets()[0]);
    let pusher = Pusher::new(
        target,
        client,
        Arc::<RecordingObserver>::default(),
        system_clock(),
    );
    let running = tokio::spawn(Arc::new(pusher).run(CancellationToken::new()));
    drop(passed.acquire().await.unwrap());
    running.abort();
}

/// What an engine answers, which a busy machine may not reach in time.
async fn until_reached<T>(mut ask: impl AsyncFnMut() -> Result<T, StateError>) -> T {
    let reached = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(600), reached)
        .await
        .unwrap()
}

/// 100 events of each meeting while the receiver is down for an hour.
async fn outage(state: &State, attempts: u32, meetings: usize) -> Stage {
    let site = Stage::on(state, |config| config.attempts = attempts);
    site.fake.answers(Some(Failure::NoConnection));
    let begun = site.clock.now();
    for time in 0..100 {
        let event = if time % 2 == 0 {
            "meeting.started"
        } else {
            "meeting.ended"
        };
        let meetings: Vec<_> = (0..meetings).map(|meeting| format!("m{meeting}")).collect();
        // Side by side, but not so many that a busy machine exceeds the timeouts of Redis.
        for meetings in meetings.chunks(16) {
            join_all(
                meetings
                    .iter()
                    .map(|meeting| site.store(event, meeting, time)),
            )
            .await;
        }
    }
    loop {
        match site.next_due().await.filter(|due| *due < begun + 3_600_000) {
            Some(due) => site.clock.set(site.clock.now().max(due)),
            None => break,
        }
        site.push_due().await;
        site.fake.got.lock().unwrap().clear();
    }
    site.clock.set(begun + 3_600_000);
    site.fake.answers(None);
    site
}

/// Every meeting got each of its events once, started and ended in turn.
fn check_order(got: &[String], meetings: usize) {
    let mut by_meeting: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for form in got {
        let meeting = form
            .split("uuid=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap();
        by_meeting
            .entry(meeting)
            .or_default()
            .push(form.contains("STARTED"));
    }
    assert_eq!(by_meeting.len(), meetings);
    for order in by_meeting.values() {
        assert_eq!(order.len(), 100);
        assert!(
            order
                .iter()
                .enumerate()
                .all(|(at, started)| *started == (at % 2 == 0))
        );
    }
}

async fn delivered_by_more_attempts(state: &State, meetings: usize) {
    let site = outage(state, 100, meetings).await;
    site.push_all().await;
    check_order(&site.fake.got(), meetings);
    assert_eq!(site.counts().await, (0, 0));
}

async fn delivered_by_a_retry(state: &State, meetings: usize) {
    let site = outage(state, 3, meetings).await;
    site.fake.answers(Some(Failure::NoConnection));
    site.push_all().await;
    assert_eq!(site.counts().await, (0, 100 * meetings as u64));
    site.fake.answers(None);
    site.fake.got.lock().unwrap().clear();
    let now = site.clock.now();
    until_reached(async || site.outbox.requeue(None, now).await).await;
    assert_eq!(site.counts().await, (100 * meetings as u64, 0));
    site.push_all().await;
    check_order(&site.fake.got(), meetings);
    assert_eq!(site.counts().await, (0, 0));
}

#[tokio::test]
async fn events_of_an_outage_are_delivered_in_order() {
    for engine in ["memory", "sqlite", "redis"] {
        for is_retried in [false, true] {
            let Some((state, _bench)) = state_on(engine).await else {
                continue;
            };
            if is_retried {
                delivered_by_a_retry(&state, 3).await;
            } else {
                delivered_by_more_attempts(&state, 3).await;
            }
        }
    }
}

/// The most memory that this process had, in MiB.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.unwrap_or(0) / 1024
}

/// Prints time and peak memory of 100,000 events on an engine, and checks that memory is bounded.
/// With `OUTAGE_MEETINGS`, 100 events of that number of meetings.
async fn hundred_thousand(engine: &str, deliver: impl AsyncFnOnce(&State, usize)) {
    let Some((state, _bench)) = state_on(engine).await else {
        return;
    };
    let meetings = std::env::var("OUTAGE_MEETINGS").ok();
    let meetings: usize = meetings.map_or(1_000, |meetings| meetings.parse().unwrap());
    let begun = Instant::now();
    deliver(&state, meetings).await;
    let (seconds, peak) = (begun.elapsed().as_secs(), peak_memory());
    eprintln!("{meetings}00 events on {engine}: {seconds} s, at most {peak} MiB");
    assert!(peak < 400, "{peak} MiB");
}

macro_rules! on_every_engine {
    ($($engine:ident)+) => {$(
        mod $engine {
            use super::*;

            #[tokio::test]
            #[ignore = "minutes; .ci/run long"]
            async fn a_hundred_thousand_events_are_delivered_by_more_attempts() {
                hundred_thousand(stringify!($engine), delivered_by_more_attempts).await;
            }

            #[tokio::test]
            #[ignore = "minutes; .ci/run long"]
            async fn a_hundred_thousand_events_are_delivered_by_a_retry() {
                hundred_thousand(stringify!($engine), delivered_by_a_retry).await;
            }
        }
    )+};
}

on_every_engine! { memory sqlite redis }

/// A receiver that answers when the test says so.
struct Slow(Arc<Semaphore>);

impl Deliver for Slow {
    fn deliver(&self, _: Message) -> BoxFuture<'_, Result<(), Failure>> {
        async {
            self.0
                .acquire()
                .await
                .map(drop)
                .map_err(|_| Failure::Timeout)
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_lease_is_renewed_while_a_receiver_takes_its_time() {
    let (catalog, state, clock) = (catalog(), state(), TestClock::new());
    let outbox = outbox(&state, &catalog);
    let answers = Arc::new(Semaphore::new(0));
    let pusher = || {
        let target = Arc::clone(&outbox.targets()[0]);
        let client = Slow(Arc::clone(&answers));
        Arc::new(Pusher::new(
            target,
            client,
            Arc::<RecordingObserver>::default(),
            clock.clock(),
        ))
    };
    for (event, time) in [("meeting.started", 1), ("meeting.ended", 2)] {
        let body = webhook(event, "m", time).to_string();
        let event = Event::read(&catalog, body.as_bytes()).unwrap();
        outbox.store(&event, None, NOW).await.unwrap();
    }
    let (slow, other) = (pusher(), pusher());
    let claimed = slow.claim().await.unwrap().unwrap();
    let first = claimed.claim.id;
    let delivery = tokio::spawn(async move { slow.push(claimed).await });
    // Nearly twice as long as a lease by the clock of leases; renewals come in real time.
    for _ in 0..2 {
        clock.set(clock.now() + 9_000);
        while outbox.targets()[0].queue.next_due().await.unwrap() != Some(clock.now() + 10_000) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(other.claim().await.unwrap(), None);
    }
    answers.add_permits(1);
    delivery.await.unwrap();
    let next = other.claim().await.unwrap().unwrap();
    assert_ne!(next.claim.id, first, "it was settled by who delivered it");
}

#[tokio::test]
async fn reloaded_receivers_keep_queued_notifications() {
    let (catalog, state) = (catalog(), state());
    let of = |url: &str| receiver(url, &catalog);
    let outbox = Outbox::new(
        &[of("http://a/?secret=1"), of("http://b/"), of("http://c/")],
        &state,
    );
    let store = async |time| {
        let body = webhook("meeting.started", "m", time).to_string();
        let event = Event::read(&catalog, body.as_bytes()).unwrap();
        outbox.store(&event, None, NOW).await.unwrap();
    };
    store(1).await;
    // The secret of a is another one, b is gone, d is new.
    let next = [of("http://a/?secret=2"), of("http://c/"), of("http://d/")];
    for _ in 0..2 {
        outbox.replace(outbox.with(&next, &state));
    }
    store(2).await;
    let mut queued = Vec::new();
    for target in outbox.targets().iter() {
        let waiting = target.queue.counts().await.unwrap().waiting;
        queued.push((target.config.url.to_string(), target.is_retired, waiting));
    }
    let of = |url: &str, is_retired, waiting| (url.to_owned(), is_retired, waiting);
    let all = [
        of("http://a/?secret=2", true, 1),
        of("http://a/?secret=2", false, 1),
        of("http://c/", false, 2),
        of("http://d/", false, 1),
        of("http://b/", true, 1),
    ];
    assert_eq!(queued, all);
    let waiting = outbox.waiting().await.unwrap();
    assert_eq!(
        (waiting[0].receiver.as_str(), waiting[0].counts.waiting),
        ("http://a/", 2)
    );
    // What came back takes over its own queue.
    outbox.replace(outbox.with(&[receiver("http://b/", &catalog)], &state));
    let targets = outbox.targets();
    let back = targets
        .iter()
        .find(|target| target.label == "http://b/")
        .unwrap();
    assert!(!back.is_retired);
    assert_eq!(back.queue.counts().await.unwrap().waiting, 1);
}
