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

/// Memory for all short bodies, and for all long ones except the last, in bytes.
const BUDGET: usize = 32 << 20;

/// Maximum size of a short body, in bytes. Forms have 1 to 2 kB; a body that never arrives reserves no
/// more than this.
const SHORT: usize = 8 * 1024;

/// An oversized body is read and discarded up to this many times the limit. Otherwise, a client
/// that is still sending would get a connection reset instead of the error response.
const DRAIN: usize = 4;

/// Errors when reading a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// The body exceeds the limit.
    #[error("the request body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the request body did not arrive in time")]
    TooSlow,
    /// The connection broke, or the transfer encoding is invalid.
    #[error("the request body broke off")]
    Broken,
}

/// Reserved memory of a body, held while its request is in progress.
pub(crate) type BodyPermits = (
    OwnedSemaphorePermit,
    OwnedSemaphorePermit,
    Option<OwnedSemaphorePermit>,
);

/// Reads request bodies within the limits.
///
/// Short bodies never wait for long ones. Long bodies reserve memory as they arrive. If there is
/// none left, one of them may finish without, so that several partial bodies cannot deadlock.
#[derive(Clone, Debug)]
pub(crate) struct BodyReader {
    limit: usize,
    time: Duration,
    /// One permit per short body, or the first [`SHORT`] bytes of a long one.
    short: Arc<Semaphore>,
    /// One permit per further [`SHORT`] bytes.
    long: Arc<Semaphore>,
    /// One permit for the long body that may exceed the budget.
    last: Arc<Semaphore>,
}

impl BodyReader {
    /// `limit` in bytes; `time` for the whole body.
    pub(crate) fn new(limit: usize, time: Duration) -> Self {
        Self {
            limit,
            time,
            short: Arc::new(Semaphore::new(BUDGET / SHORT)),
            long: Arc::new(Semaphore::new(BUDGET / SHORT)),
            last: Arc::new(Semaphore::new(1)),
        }
    }

    /// Reads the whole body. The permits reserve its memory.
    pub(crate) async fn read(&self, body: Body) -> Result<(Bytes, BodyPermits), BodyError> {
        match time::timeout(self.time, self.collect(body)).await {
            Ok(read) => read,
            Err(_) => Err(BodyError::TooSlow),
        }
    }

    async fn collect(&self, mut body: Body) -> Result<(Bytes, BodyPermits), BodyError> {
        let announced = body.size_hint().lower();
        if announced > self.limit as u64 {
            let room = self.limit.saturating_mul(DRAIN);
            if announced <= room as u64 {
                drain(&mut body, room).await;
            }
            return Err(BodyError::TooLarge);
        }

        // Acquired before the first byte, so that flow control stops the client until memory is
        // available.
        let short = permits(&self.short, 1).await?;
        let mut long = permits(&self.long, 0).await?;
        let mut last = None;
        let mut collected = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
                continue; // Trailers are ignored.
            };
            if collected.is_empty() && data.len() <= SHORT.min(self.limit) && body.is_end_stream() {
                // Forms usually arrive in one piece, which needs no copy.
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

/// Waits for permits of a budget.
async fn permits(budget: &Arc<Semaphore>, count: usize) -> Result<OwnedSemaphorePermit, BodyError> {
    let count = u32::try_from(count).map_err(|_| BodyError::TooLarge)?;
    let permits = Arc::clone(budget).acquire_many_owned(count).await;
    // The semaphore is never closed.
    permits.map_err(|_| BodyError::Broken)
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
    async fn accepts_a_body_of_the_maximum_size() {
        assert_eq!(read(Body::from(vec![b'x'; LIMIT])).await, Ok(LIMIT));
        assert_eq!(read(chunks(10)).await, Ok(LIMIT));
    }

    #[tokio::test]
    async fn rejects_a_larger_body() {
        let body = Body::from(vec![b'x'; LIMIT + 1]);
        assert_eq!(read(body).await, Err(BodyError::TooLarge));
        assert_eq!(read(chunks(11)).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn stops_reading_an_endless_body() {
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
    async fn bodies_share_one_budget() {
        let reader = BodyReader::new(4 * SHORT, Duration::from_secs(10));
        let take_all_but = |budget: &Arc<Semaphore>, rest| {
            let all = budget.available_permits() - rest;
            let all = u32::try_from(all).unwrap();
            Arc::clone(budget).try_acquire_many_owned(all).unwrap()
        };
        let read = async |body: Body| reader.read(body).await.map(|(_, permits)| permits);

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
        let over_budget = read(pieces(4)).await.unwrap();
        assert_eq!(
            read(pieces(2)).await.err(),
            Some(BodyError::TooSlow),
            "only one body may exceed the budget"
        );
        assert!(
            read(Body::from("id=1")).await.is_ok(),
            "short bodies do not wait"
        );
        drop((others, long, last, over_budget));
        assert_eq!(reader.long.available_permits(), BUDGET / SHORT);
        assert_eq!(reader.last.available_permits(), 1);
    }

    /// Each has reserved part of the budget and needs more than is left.
    #[tokio::test(start_paused = true)]
    async fn long_bodies_do_not_deadlock() {
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
    async fn times_out_on_an_unfinished_body() {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(
            read(Body::from_stream(silent)).await,
            Err(BodyError::TooSlow)
        );
    }
}
