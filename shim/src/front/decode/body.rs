//! Reads a request body within limits of size, time and memory.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

/// Bytes of all short bodies that are in memory at a time, and of all long ones but the last.
const BUDGET: usize = 32 << 20;

/// What a short body has, in bytes: forms are a kilobyte or two, and a body that does not arrive holds no
/// more than this.
const SHORT: usize = 8 * 1024;

/// A body that is too large is still read, and dropped, up to this many times the limit: a client
/// that is still sending would see a broken connection instead of the answer.
const DRAIN: usize = 4;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// The body has more bytes than the limit.
    #[error("the request body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the request body did not arrive in time")]
    TooSlow,
    /// The connection broke, or the transfer encoding is wrong.
    #[error("the request body broke off")]
    Broken,
}

/// The share of a body in the budgets of all; held as long as the request is in work.
pub(crate) type Place = (
    OwnedSemaphorePermit,
    OwnedSemaphorePermit,
    Option<OwnedSemaphorePermit>,
);

/// Reads request bodies within bounds.
///
/// Long bodies never keep a short one waiting. They take room as they arrive; one that finds none may
/// come to its end without, so that those which wait with half of what they need do not wait for each
/// other.
#[derive(Clone, Debug)]
pub(crate) struct BodyReader {
    limit: usize,
    time: Duration,
    /// A permit for each short body, or the beginning of a long one.
    short: Arc<Semaphore>,
    /// A permit for as many bytes as a short body has, beyond those.
    long: Arc<Semaphore>,
    /// One permit, for the long body that needs no more room.
    last: Arc<Semaphore>,
}

impl BodyReader {
    /// `limit` is in bytes; `time` is for a whole body.
    pub(crate) fn new(limit: usize, time: Duration) -> Self {
        Self {
            limit,
            time,
            short: Arc::new(Semaphore::new(BUDGET / SHORT)),
            long: Arc::new(Semaphore::new(BUDGET / SHORT)),
            last: Arc::new(Semaphore::new(1)),
        }
    }

    /// The whole body, and its place.
    pub(crate) async fn read(&self, body: Body) -> Result<(Bytes, Place), BodyError> {
        match time::timeout(self.time, self.collect(body)).await {
            Ok(read) => read,
            Err(_) => Err(BodyError::TooSlow),
        }
    }

    async fn collect(&self, mut body: Body) -> Result<(Bytes, Place), BodyError> {
        let announced = body.size_hint().lower();
        if announced > self.limit as u64 {
            let room = self.limit.saturating_mul(DRAIN);
            if announced <= room as u64 {
                drain(&mut body, room).await;
            }
            return Err(BodyError::TooLarge);
        }

        // Before the first byte: until there is room, the client's window stays as it is.
        let short = permits(&self.short, 1).await?;
        let mut long = permits(&self.long, 0).await?;
        let mut last = None;
        let mut collected = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
                continue; // Trailers say nothing.
            };
            if collected.is_empty() && data.len() <= SHORT.min(self.limit) && body.is_end_stream() {
                // As forms mostly come: in one piece, which needs no copy.
                return Ok((data, (short, long, last)));
            }
            let length = collected.len().saturating_add(data.len());
            if length > self.limit {
                drop((collected, short, long, last));
                drain(&mut body, self.limit.saturating_mul(DRAIN)).await;
                return Err(BodyError::TooLarge);
            }
            let missing = length
                .div_ceil(SHORT)
                .saturating_sub(1 + long.num_permits());
            if missing > 0 && last.is_none() {
                tokio::select! {
                    biased;
                    more = permits(&self.long, missing) => long.merge(more?),
                    alone = permits(&self.last, 1) => last = Some(alone?),
                }
            }
            collected.extend_from_slice(&data);
        }
        Ok((collected.freeze(), (short, long, last)))
    }
}

/// Waits for a share of a budget.
async fn permits(budget: &Arc<Semaphore>, count: usize) -> Result<OwnedSemaphorePermit, BodyError> {
    let count = u32::try_from(count).map_err(|_| BodyError::TooLarge)?;
    let place = Arc::clone(budget).acquire_many_owned(count).await;
    // The semaphore is never closed.
    place.map_err(|_| BodyError::Broken)
}

async fn drain(body: &mut Body, mut room: usize) {
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > room {
            return;
        }
        room -= length;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};

    use super::*;

    const LIMIT: usize = 100;

    async fn read(body: Body) -> Result<usize, BodyError> {
        let reader = BodyReader::new(LIMIT, Duration::from_secs(10));
        reader.read(body).await.map(|(bytes, _)| bytes.len())
    }

    fn chunks(count: usize) -> Body {
        let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 10]));
        Body::from_stream(stream::iter((0..count).map(move |_| chunk())))
    }

    #[tokio::test]
    async fn the_limit_itself_is_allowed() {
        assert_eq!(read(Body::from(vec![b'x'; LIMIT])).await, Ok(LIMIT));
        assert_eq!(read(chunks(10)).await, Ok(LIMIT));
    }

    #[tokio::test]
    async fn one_byte_more_is_not() {
        let body = Body::from(vec![b'x'; LIMIT + 1]);
        assert_eq!(read(body).await, Err(BodyError::TooLarge));
        assert_eq!(read(chunks(11)).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn an_endless_body_is_not_read_to_its_end() {
        let endless =
            stream::repeat(()).map(|()| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 10])));
        let read = read(Body::from_stream(endless)).await;
        assert_eq!(read, Err(BodyError::TooLarge));
    }

    fn pieces(count: usize) -> Body {
        let piece = || Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; SHORT]));
        let pieces: Vec<_> = (0..count).map(|_| piece()).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_read_within_one_budget() {
        let reader = BodyReader::new(4 * SHORT, Duration::from_secs(10));
        let take_all_but = |budget: &Arc<Semaphore>, rest| {
            let all = budget.available_permits() - rest;
            let all = u32::try_from(all).unwrap();
            Arc::clone(budget).try_acquire_many_owned(all).unwrap()
        };
        let read = async |body: Body| reader.read(body).await.map(|(_, place)| place);

        let others = take_all_but(&reader.short, 1);
        let first = read(Body::from("id=1")).await.unwrap();
        assert_eq!(
            read(Body::from("id=1")).await.err(),
            Some(BodyError::TooSlow),
            "no byte is read"
        );
        drop((first, others));

        let others = take_all_but(&reader.long, 1);
        let (_, long, last) = read(pieces(2)).await.unwrap();
        assert_eq!((long.num_permits(), last.is_none()), (1, true));
        let without_room = read(pieces(4)).await.unwrap();
        assert_eq!(
            read(pieces(2)).await.err(),
            Some(BodyError::TooSlow),
            "only one at a time does without"
        );
        assert!(read(Body::from("id=1")).await.is_ok(), "no short one waits");
        drop((others, long, last, without_room));
        assert_eq!(reader.long.available_permits(), BUDGET / SHORT);
        assert_eq!(reader.last.available_permits(), 1);
    }

    /// Each has some of the room, and needs more than there is.
    #[tokio::test(start_paused = true)]
    async fn long_bodies_do_not_wait_for_each_other() {
        let limit = BUDGET / 4;
        let reader = BodyReader::new(limit, Duration::from_secs(10));
        let bodies = (0..16).map(|_| {
            let steps = stream::iter(0..limit / (2 * SHORT)).then(async |_| {
                time::sleep(Duration::from_millis(1)).await;
                Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 2 * SHORT]))
            });
            let reader = reader.clone();
            async move {
                let read = reader.read(Body::from_stream(Box::pin(steps))).await;
                read.map(|(body, _)| body.len())
            }
        });
        for read in futures_util::future::join_all(bodies).await {
            assert_eq!(read, Ok(limit));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(
            read(Body::from_stream(silent)).await,
            Err(BodyError::TooSlow)
        );
    }
}
