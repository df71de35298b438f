//! The listener: accepts connections, bounds them, and drains them at the end.
//!
//! Our own loop instead of `axum::serve`, which sets no timer and so has no deadline for the head of
//! a request. Every connection holds a seat (`room`), of which there are `max_connections` and a few
//! more for refusals. The deadlines see to it that seats come back.

mod client_stream;
mod connection;
mod gathered;
mod http2;
mod listen;
mod open_files;
mod reply;
mod room;
mod signals;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower::Service;

use connection::Connections;
pub use listen::{BindError, bind};
pub use open_files::allow as allow_open_files;
use room::{Room, Seat};
pub use signals::Signals;
pub use tls::{Tls, TlsError};

/// Deadlines and caps of connections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many connections are served at once.
    pub max_connections: usize,
    /// How long the head of a request may take, and a connection may be idle.
    pub header_timeout: Duration,
    /// How long a client may go without taking any of a reply.
    pub write_timeout: Duration,
    /// How long running requests may take to end when the server stops.
    pub drain_timeout: Duration,
}

/// How a server is told to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Accept no more, and let what runs end.
    pub drain: CancellationToken,
    /// Let nothing end: close what is open.
    pub now: CancellationToken,
}

/// What answers requests: a service that is always ready and never fails.
pub trait Answers:
    Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Answers for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Serves what `answers` requests, with TLS or in clear, until it is told to stop, and returns when every connection
/// is closed. `tracker` knows how many there are.
///
/// # Cancellation
/// A future that is dropped closes the listener; its connections go on until the runtime ends.
pub async fn serve(
    listener: TcpListener,
    answers: impl Answers,
    tls: Option<Tls>,
    settings: Settings,
    tracker: TaskTracker,
    stop: Stop,
) {
    let tls = tls.map(Arc::new);
    let following = tls.clone().map(|tls| tokio::spawn(tls.follow()));
    let _following = following.map(AbortOnDropHandle::new);
    let drain_timeout = settings.drain_timeout;
    let room = Room::for_connections(settings.max_connections);
    let close = CancellationToken::new();
    let streams = TaskTracker::new();
    let connections = Connections {
        answers,
        tls,
        settings: Arc::new(settings),
        streams: streams.clone(),
        drain: stop.drain.clone(),
        close: close.clone(),
    };
    while let Some((stream, peer, seat)) = next(&listener, &room, &stop).await {
        tracker.spawn(connections.clone().serve(stream, peer, seat));
    }
    drop(listener);
    tracker.close();
    tracing::info!(
        connections = tracker.len(),
        "stopping: no new connections are accepted"
    );
    tokio::select! {
        () = tracker.wait() => {}
        () = stop.now.cancelled() => {}
        () = sleep(drain_timeout) => {
            let connections = tracker.len();
            tracing::warn!(connections, "requests are cut off: they did not end in time");
        }
    }
    close.cancel();
    tracker.wait().await;
    streams.close();
    streams.wait().await;
}

/// Waits for a client and then for room; `None` when the server is to stop.
async fn next(
    listener: &TcpListener,
    room: &Room,
    stop: &Stop,
) -> Option<(TcpStream, SocketAddr, Seat)> {
    let seated = async {
        let (stream, peer) = accept(listener).await;
        (stream, peer, room.seat().await)
    };
    tokio::select! {
        biased;
        () = stop.drain.cancelled() => None,
        () = stop.now.cancelled() => None,
        seated = seated => Some(seated),
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if listen::is_of_one_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                // Out of file descriptors: the next try would fail at once, for ever.
                sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
