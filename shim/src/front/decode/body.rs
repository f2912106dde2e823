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

/// A body up to this size is kept without asking; forms are a kilobyte or two.
const SMALL: usize = 64 * 1024;

/// How many larger bodies are in memory at a time. Only pictures are that large.
const LARGE_BODIES: usize = 16;

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

/// A place among the large bodies, or none for a small one; held as long as the request is in work.
pub(crate) type Place = Option<OwnedSemaphorePermit>;

/// Reads request bodies within bounds.
#[derive(Clone, Debug)]
pub(crate) struct BodyReader {
    limit: usize,
    time: Duration,
    large: Arc<Semaphore>,
}

impl BodyReader {
    /// `limit` is in bytes; `time` is for a whole body.
    pub(crate) fn new(limit: usize, time: Duration) -> Self {
        Self {
            limit,
            time,
            large: Arc::new(Semaphore::new(LARGE_BODIES)),
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
            if announced <= (self.limit * DRAIN) as u64 {
                drain(&mut body, self.limit * DRAIN).await;
            }
            return Err(BodyError::TooLarge);
        }

        let mut place = None;
        let mut collected = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else {
                continue; // Trailers say nothing.
            };
            if collected.is_empty() && data.len() <= SMALL.min(self.limit) && body.is_end_stream() {
                // As forms mostly come: in one piece, which needs no copy.
                return Ok((data, place));
            }
            if collected.len() + data.len() > self.limit {
                drop((collected, place));
                drain(&mut body, self.limit * DRAIN).await;
                return Err(BodyError::TooLarge);
            }
            collected.extend_from_slice(&data);
            if collected.len() > SMALL && place.is_none() {
                // The semaphore is never closed; without a place the body would still be whole.
                place = Arc::clone(&self.large).acquire_owned().await.ok();
            }
        }
        Ok((collected.freeze(), place))
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
    async fn a_body_that_never_ends_is_given_up() {
        let silent = stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(
            read(Body::from_stream(silent)).await,
            Err(BodyError::TooSlow)
        );
    }
}
