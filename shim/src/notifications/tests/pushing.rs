//! Order, retries, dead letters and outages.

use std::collections::BTreeMap;

use futures_util::{FutureExt as _, future::BoxFuture};
use mappings::notification::Event;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::notifications::{Deliver, Failure, Message, Pusher, system_clock};

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
    noted: Arc<Noted>,
    pusher: Pusher,
}

impl Stage {
    fn new(change: impl FnOnce(&mut ReceiverConfig)) -> Self {
        let catalog = catalog();
        let mut config = receiver("http://127.0.0.1:1/zoom", &catalog);
        change(&mut config);
        let outbox = Outbox::new(&[config], &state());
        let (clock, fake, noted) = (TestClock::new(), Fake::default(), Arc::<Noted>::default());
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
        self.outbox
            .store(&event, None, self.clock.now())
            .await
            .unwrap();
    }

    /// Pushes all that is due now.
    async fn push_due(&self) -> usize {
        let mut count = 0;
        while let Some(claimed) = self.pusher.claim().await.unwrap() {
            self.pusher.push(claimed).await;
            count += 1;
        }
        count
    }

    /// Pushes until nothing waits; the clock jumps to what is due next.
    async fn push_all(&self) {
        let target = &self.outbox.targets()[0];
        while let Some(due) = target.queue.next_due().await.unwrap() {
            self.clock.set(self.clock.now().max(due));
            self.push_due().await;
        }
    }

    async fn counts(&self) -> (u64, u64) {
        let counts = self.outbox.waiting().await.unwrap()[0].counts;
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
        stage
            .outbox
            .put_back(None, stage.clock.now())
            .await
            .unwrap(),
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
    let pusher = Pusher::new(target, client, Arc::<Noted>::default(), system_clock());
    let running = tokio::spawn(Arc::new(pusher).run(CancellationToken::new()));
    drop(passed.acquire().await.unwrap());
    running.abort();
}

/// 100 events of each meeting while the receiver is down for an hour.
async fn outage(attempts: u32, meetings: usize) -> Stage {
    let stage = Stage::new(|config| config.attempts = attempts);
    stage.fake.answers(Some(Failure::NoConnection));
    let begun = stage.clock.now();
    for time in 0..100 {
        for meeting in 0..meetings {
            let event = if time % 2 == 0 {
                "meeting.started"
            } else {
                "meeting.ended"
            };
            stage.store(event, &format!("m{meeting}"), time).await;
        }
    }
    let target = &stage.outbox.targets()[0];
    loop {
        let due = target.queue.next_due().await.unwrap();
        match due.filter(|due| *due < begun + 3_600_000) {
            Some(due) => stage.clock.set(stage.clock.now().max(due)),
            None => break,
        }
        stage.push_due().await;
        stage.fake.got.lock().unwrap().clear();
    }
    stage.clock.set(begun + 3_600_000);
    stage.fake.answers(None);
    stage
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

async fn delivered_by_more_attempts(meetings: usize) {
    let stage = outage(100, meetings).await;
    stage.push_all().await;
    check_order(&stage.fake.got(), meetings);
    assert_eq!(stage.counts().await, (0, 0));
}

async fn delivered_by_a_retry(meetings: usize) {
    let stage = outage(3, meetings).await;
    stage.fake.answers(Some(Failure::NoConnection));
    stage.push_all().await;
    assert_eq!(stage.counts().await, (0, 100 * meetings as u64));
    stage.fake.answers(None);
    stage.fake.got.lock().unwrap().clear();
    let put_back = stage.outbox.put_back(None, stage.clock.now()).await;
    assert_eq!(put_back.unwrap(), 100 * meetings);
    stage.push_all().await;
    check_order(&stage.fake.got(), meetings);
    assert_eq!(stage.counts().await, (0, 0));
}

#[tokio::test]
async fn events_of_an_outage_are_delivered_in_order() {
    delivered_by_more_attempts(10).await;
    delivered_by_a_retry(10).await;
}

#[tokio::test]
#[ignore = "minutes; .ci/run long"]
async fn a_hundred_thousand_events_of_an_outage_are_delivered_by_more_attempts() {
    delivered_by_more_attempts(1_000).await;
}

#[tokio::test]
#[ignore = "minutes; .ci/run long"]
async fn a_hundred_thousand_events_of_an_outage_are_delivered_by_a_retry() {
    delivered_by_a_retry(1_000).await;
}
