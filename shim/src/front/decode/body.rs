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

/// Bytes of all bodies that are in memory at a time, unless a single one may have more.
const BUDGET: usize = 64 << 20;

/// What a body takes of the budget at a time, in bytes: forms are a kilobyte or two, and a body that
/// does not arrive holds no more than this.
const STEP: usize = 16 * 1024;

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

/// The share of a body in the budget of all; held as long as the request is in work.
pub(crate) type Place = OwnedSemaphorePermit;

/// Reads request bodies within bounds.
#[derive(Clone, Debug)]
pub(crate) struct BodyReader {
    limit: usize,
    time: Duration,
    /// In steps.
    budget: Arc<Semaphore>,
}

impl BodyReader {
    /// `limit` is in bytes; `time` is for a whole body.
    pub(crate) fn new(limit: usize, time: Duration) -> Self {
        Self {
            limit,
            time,
            budget: Arc::new(Semaphore::new(BUDGET.max(limit).div_ceil(STEP))),
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
        let mut place = self.steps(1).await?;
        let mut collected = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
                continue; // Trailers say nothing.
            };
            if collected.is_empty() && data.len() <= STEP.min(self.limit) && body.is_end_stream() {
                // As forms mostly come: in one piece, which needs no copy.
                return Ok((data, place));
            }
            let length = collected.len().saturating_add(data.len());
            if length > self.limit {
                drop((collected, place));
                drain(&mut body, self.limit.saturating_mul(DRAIN)).await;
                return Err(BodyError::TooLarge);
            }
            let missing = length.div_ceil(STEP).saturating_sub(place.num_permits());
            if missing > 0 {
                place.merge(self.steps(missing).await?);
            }
            collected.extend_from_slice(&data);
        }
        Ok((collected.freeze(), place))
    }

    /// Waits for a share of the budget.
    async fn steps(&self, steps: usize) -> Result<Place, BodyError> {
        let steps = u32::try_from(steps).map_err(|_| BodyError::TooLarge)?;
        let place = Arc::clone(&self.budget).acquire_many_owned(steps).await;
        // The semaphore is never closed.
        place.map_err(|_| BodyError::Broken)
    }
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

    #[tokio::test(start_paused = true)]
    async fn bodies_are_read_within_one_budget() {
        let reader = BodyReader::new(2 * STEP, Duration::from_secs(10));
        let steps = reader.budget.available_permits();
        let taken = Arc::clone(&reader.budget);
        let count = u32::try_from(steps - 1).unwrap();
        let others = taken.try_acquire_many_owned(count).unwrap();
        let form = async || {
            reader
                .read(Body::from("id=1"))
                .await
                .map(|(_, place)| place)
        };
        let first = form().await.unwrap();
        assert_eq!(reader.budget.available_permits(), 0);
        assert_eq!(
            form().await.err(),
            Some(BodyError::TooSlow),
            "no byte is read"
        );
        drop(first);
        let large = async || {
            let pieces = (0..4).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; STEP / 2])));
            let body = Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()));
            reader.read(body).await.map(|(_, place)| place)
        };
        assert_eq!(
            large().await.err(),
            Some(BodyError::TooSlow),
            "room for half"
        );
        drop(others);
        assert_eq!(large().await.unwrap().num_permits(), 2);
        assert_eq!(reader.budget.available_permits(), steps);
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
