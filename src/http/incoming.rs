//! Bodies of requests, read under a limit and a deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body::Body as _;
use tokio::time::{Sleep, sleep};

use super::settings::Settings;

/// Space that is set aside for a body whatever its announced length.
const FIRST_SPACE: u64 = 1 << 20;

/// Why a body could not be received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    /// It is, or says that it is, larger than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// It did not arrive as a whole in time. The time since the last piece does not count: a client
    /// that sends a byte now and then would never be too slow.
    #[error("the body took longer than {deadline:?}")]
    TooSlow { deadline: Duration },
    /// The client broke off, or broke the rules of chunks.
    #[error("the body ended early")]
    Broken,
}

/// A body that ends in an error at its limit or deadline.
pub(super) struct Incoming {
    data: BodyDataStream,
    announced: u64,
    received: u64,
    limit: u64,
    deadline: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Incoming {
    /// Starts the deadline. A body that announces more than the limit is refused before any of it is
    /// read, so that a client that waits for `100 Continue` never sends it.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`].
    pub(super) fn start(body: Body, settings: &Settings) -> Result<Self, BodyError> {
        let limit = settings.max_upload_size;
        let announced = body.size_hint().lower();
        if announced > limit {
            return Err(BodyError::TooLarge { limit });
        }
        let deadline = settings.read_timeout;
        Ok(Self {
            data: body.into_data_stream(),
            announced,
            received: 0,
            limit,
            deadline,
            timer: Box::pin(sleep(deadline)),
        })
    }

    /// Reads the body to its end.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub(super) async fn whole(mut self) -> Result<Bytes, BodyError> {
        // A client's number is believed only as far as it costs little: the rest must arrive first.
        let space = usize::try_from(self.announced.min(FIRST_SPACE)).unwrap_or_default();
        let mut whole = BytesMut::with_capacity(space);
        while let Some(chunk) = self.next().await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.freeze())
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.timer.as_mut().poll(context).is_ready() {
            let deadline = self.deadline;
            return Poll::Ready(Some(Err(BodyError::TooSlow { deadline })));
        }
        match self.data.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(chunk))) => {
                self.received += chunk.len() as u64;
                let limit = self.limit;
                if self.received > limit {
                    return Poll::Ready(Some(Err(BodyError::TooLarge { limit })));
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(BodyError::Broken))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn settings(limit: u64) -> Settings {
        Settings {
            max_upload_size: limit,
            max_uploads: 1,
            ..Settings::default()
        }
    }

    fn chunked(chunks: &[&'static [u8]]) -> Body {
        let chunks: Vec<Result<Bytes, std::io::Error>> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk)))
            .collect();
        Body::from_stream(stream::iter(chunks))
    }

    async fn read(body: Body, limit: u64) -> Result<Bytes, BodyError> {
        Incoming::start(body, &settings(limit))?.whole().await
    }

    #[tokio::test]
    async fn exactly_the_limit_passes_and_one_more_does_not() {
        let too_large = Err(BodyError::TooLarge { limit: 4 });
        assert_eq!(read(chunked(&[b"ab", b"cd"]), 4).await.unwrap(), "abcd");
        assert_eq!(read(chunked(&[b"ab", b"cde"]), 4).await, too_large);
        assert_eq!(read(Body::from("abcd"), 4).await.unwrap(), "abcd");
        assert_eq!(read(Body::from("abcde"), 4).await, too_large);
        assert_eq!(read(Body::empty(), 4).await.unwrap(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_or_trickles_ends_at_the_deadline() {
        let deadline = Duration::from_secs(30);
        let stopped = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(read(stopped, 9).await, Err(BodyError::TooSlow { deadline }));
        let trickle = stream::unfold((), |()| async {
            sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let trickle = Body::from_stream(trickle);
        assert_eq!(
            read(trickle, 1000).await,
            Err(BodyError::TooSlow { deadline })
        );
    }
}
