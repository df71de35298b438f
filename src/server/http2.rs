//! HTTP/2, for clients that negotiate it in the handshake.
//!
//! What HTTP/1 bounds by itself has to be bounded here. A client decides with its flow control when it
//! takes a reply, and the connection's socket stays free meanwhile: each reply has a deadline of its
//! own ([`Reply`]). Many requests share a connection, and with it one permit: there is a cap on them.
//! A connection without requests, or one that never begins any, ends after the time for a head.
//! What the client has not taken of a reply's end is at most a piece: it goes with the connection.
//!
//! A connection holds at most 100 times 80 KiB of replies (mostly slices of what the index holds anyway)
//! and 1 MiB, hyper's window, of bodies that nobody has read yet.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::connection::{Connections, MAX_HEAD_BYTES, note_end};
use super::reply::Reply;
use super::room::Place;
use super::{Answers, Settings};
use crate::http::Client;

/// Requests on a connection at once. RFC 9113, section 6.5.2 advises against fewer.
const MAX_STREAMS: u32 = 100;
/// How long the place of an idle connection is waited for.
const GOODBYE: Duration = Duration::from_millis(50);
/// What is kept of a reply that the socket does not take yet.
const MAX_SEND_BUFFER: usize = 64 << 10;

impl<S: Answers> Connections<S> {
    pub(super) async fn http2(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: Client,
        place: Arc<Place>,
    ) {
        let answers = self.answers;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(client);
            name_host(&mut request);
            let answers = answers.clone();
            async move {
                let response = answers.oneshot(request).await?;
                Ok::<_, std::convert::Infallible>(response.map(Reply::watch))
            }
        });
        let streams = Streams {
            running: watch::Sender::new(0),
            place: Arc::clone(&place),
            tasks: self.streams,
            write_timeout: self.settings.write_timeout,
        };
        let idle_time = self.settings.header_timeout;
        let builder = builder(&self.settings, streams.clone());
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            result = connection.as_mut() => Some(result),
            () = self.close.cancelled() => return,
            () = self.drain.cancelled() => None,
            () = streams.idle(idle_time) => None,
            () = place.closed() => {
                // Time for a goodbye, not for more.
                connection.as_mut().graceful_shutdown();
                let _ = timeout(GOODBYE, connection).await;
                tracing::debug!(%client, "an idle connection was closed to make room");
                return;
            }
        };
        let result = if let Some(result) = ended {
            result
        } else {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection => result,
                () = self.close.cancelled() => return,
                // The client does not say goodbye, or does not take the rest of a reply.
                () = streams.idle(idle_time) => return,
            }
        };
        if let Err(error) = result {
            note_end(client, &error);
        }
    }
}

fn builder(settings: &Settings, streams: Streams) -> Builder<Streams> {
    let mut builder = Builder::new(streams);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
        .max_send_buf_size(MAX_SEND_BUFFER)
        .keep_alive_interval(settings.header_timeout)
        // A ping waits behind the replies that are being sent: it has as long as they have.
        .keep_alive_timeout(settings.write_timeout);
    builder
}

/// HTTP/2 has the host in `:authority` (RFC 9113, section 8.3.1); handlers read `Host` only.
fn name_host(request: &mut Request<Body>) {
    let authority = request.uri().authority();
    let host = authority.map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = host {
        request.headers_mut().insert(HOST, host);
    }
}

/// Runs the requests of one connection, each in a task, and ends those whose reply the client does not
/// take. When the connection ends hyper ends them all: it asks for that in each of their steps.
#[derive(Clone)]
struct Streams {
    running: watch::Sender<usize>,
    place: Arc<Place>,
    tasks: TaskTracker,
    write_timeout: Duration,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let running = Running::new(self.running.clone());
        let busy = self.place.busy();
        let reply = Reply::default();
        let stalled = reply.stalled(self.write_timeout);
        self.tasks.spawn(async move {
            let _running = (running, busy);
            tokio::select! {
                () = reply.scope(stream) => {}
                // Dropping the stream resets it; others go on.
                () = stalled => tracing::debug!("a reply was given up: the client does not take it"),
            }
        });
    }
}

impl Streams {
    /// Waits until no request was running for a while.
    async fn idle(&self, time: Duration) {
        let mut running = self.running.subscribe();
        loop {
            let is_idle = *running.borrow_and_update() == 0;
            // Cannot fail: `self` holds the sender.
            let changed = running.changed();
            if !is_idle {
                let _ = changed.await;
            } else if timeout(time, changed).await.is_err() {
                return;
            }
        }
    }
}

/// Counts one request while it exists.
struct Running(watch::Sender<usize>);

impl Running {
    fn new(count: watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
