//! A reply on an HTTP/2 stream, and whose turn it is.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::timeout;

/// How much of a reply is handed over at once: what an HTTP/2 frame holds. The client makes progress
/// when it takes a piece, so one that takes a byte now and then does not count as alive.
const PIECE: usize = 16 << 10;

tokio::task_local! {
    /// The reply of the stream that this task runs. hyper starts the task and the handler from one
    /// request but has no other link between them.
    static CURRENT: Reply;
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The handler's, or the storage's: they have deadlines of their own.
    Ours,
    /// The client has to take a piece.
    Clients,
}

/// Watches that a client takes the reply of a stream.
///
/// The deadline for writes to the socket does not see it: a client that gives no window keeps the
/// socket free. hyper asks the body for the next piece when the client has taken the one before, so
/// the time between is the client's.
#[derive(Clone, Debug)]
pub(super) struct Reply(Arc<watch::Sender<Turn>>);

impl Default for Reply {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Turn::Ours)))
    }
}

impl Reply {
    /// Runs the future of a stream, with this as its reply.
    pub(super) async fn scope(&self, stream: impl Future<Output = ()>) {
        CURRENT.scope(self.clone(), stream).await;
    }

    /// Hands the body of the current stream over in pieces.
    pub(super) fn watch(body: Body) -> Watched {
        Watched {
            body,
            rest: Bytes::new(),
            reply: CURRENT.try_with(Self::clone).unwrap_or_default(),
        }
    }

    /// Waits until the client has taken nothing for `time` while it was its turn.
    pub(super) fn stalled(&self, time: Duration) -> impl Future<Output = ()> + use<> {
        let mut turn = self.0.subscribe();
        async move {
            loop {
                let is_clients = *turn.borrow_and_update() == Turn::Clients;
                let changed = turn.changed();
                let changed = if is_clients {
                    match timeout(time, changed).await {
                        Ok(changed) => changed,
                        Err(_) => return,
                    }
                } else {
                    changed.await
                };
                if changed.is_err() {
                    // The reply is done.
                    pending::<()>().await;
                }
            }
        }
    }

    fn turn(&self, turn: Turn) {
        self.0.send_replace(turn);
    }
}

/// A body in pieces.
pub(super) struct Watched {
    body: Body,
    rest: Bytes,
    reply: Reply,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.reply.turn(Turn::Ours);
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                other => return Poll::Ready(other),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.reply.turn(Turn::Clients);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt, stream};
    use http_body::Body as _;
    use http_body_util::BodyExt;
    use tokio::time::{Instant, advance};

    const LIMIT: Duration = Duration::from_secs(30);
    const NEARLY: Duration = Duration::from_millis(29_999);

    async fn watched(reply: &Reply, body: Body) -> Watched {
        CURRENT
            .scope(reply.clone(), async { Reply::watch(body) })
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_piece_in_time_has_as_long_as_it_needs() {
        let reply = Reply::default();
        let mut body = watched(&reply, Body::from(vec![0; 10 * PIECE])).await;
        let mut stalled = Box::pin(reply.stalled(LIMIT));
        for _ in 0..10 {
            body.frame().await.unwrap().unwrap();
            assert!(stalled.as_mut().now_or_never().is_none());
            advance(NEARLY).await;
            assert!(stalled.as_mut().now_or_never().is_none());
        }
        assert!(body.is_end_stream());
        let start = Instant::now();
        stalled.await;
        assert_eq!(start.elapsed(), Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_storage_and_handlers_take_is_not_the_clients() {
        let reply = Reply::default();
        let mut stalled = Box::pin(reply.stalled(LIMIT));
        advance(LIMIT * 100).await;
        assert!(stalled.as_mut().now_or_never().is_none());

        // A piece, and then nothing for long.
        let first = stream::iter([Ok::<_, axum::Error>(Bytes::from_static(b"x"))]);
        let body = Body::from_stream(first.chain(stream::pending()));
        let mut body = watched(&reply, body).await;
        body.frame().await.unwrap().unwrap();
        assert!(body.frame().now_or_never().is_none());
        advance(LIMIT * 100).await;
        assert!(stalled.as_mut().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_body_is_handed_over_in_pieces_and_says_how_much_is_left() {
        let reply = Reply::default();
        let mut body = watched(&reply, Body::from(vec![7; 2 * PIECE + 1])).await;
        let mut left = 2 * PIECE + 1;
        for length in [PIECE, PIECE, 1] {
            assert_eq!(body.size_hint().exact(), Some(left as u64));
            assert!(!body.is_end_stream());
            let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(piece, vec![7; length]);
            left -= length;
        }
        assert!(body.is_end_stream() && body.frame().await.is_none());
        let empty = watched(&reply, Body::empty()).await;
        assert!(empty.is_end_stream());
    }
}
