//! One connection.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Uri};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use http_body::{Frame, SizeHint};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::client_stream::ClientStream;
use super::gathered::{Gathered, Pieces};
use super::room::{Busy, Place, Seat};
use super::tls::{self, Tls};
use super::{Answers, Settings};
use crate::http::Client;

/// More than any client of ours sends; beyond it hyper answers 431.
const MAX_HEADERS: usize = 64;
pub(super) const MAX_HEAD_BYTES: usize = 32 << 10;
/// How long a connection beyond the limit is there: time enough to be told so.
const SURPLUS_TIME: Duration = Duration::from_secs(5);

/// What all connections share.
#[derive(Clone)]
pub(super) struct Connections<S> {
    pub(super) answers: S,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) settings: Arc<Settings>,
    /// The tasks of HTTP/2 streams. Each ends with its connection.
    pub(super) streams: TaskTracker,
    pub(super) drain: CancellationToken,
    pub(super) close: CancellationToken,
}

impl<S: Answers> Connections<S> {
    /// Serves the requests of one connection, and gives its seat back at the end, whatever that is.
    pub(super) async fn serve(self, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        let client = Client {
            is_surplus: seat.is_surplus,
            ..Client::at(peer)
        };
        let place = Arc::clone(&seat.place);
        if !client.is_surplus {
            return self.converse(stream, client, place).await;
        }
        let brief = timeout(SURPLUS_TIME, self.converse(stream, client, place));
        if brief.await.is_err() {
            tracing::debug!(%client, "a connection beyond the limit took too long");
        }
    }

    async fn converse(self, stream: TcpStream, client: Client, place: Arc<Place>) {
        // Replies are written whole: waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let stream = ClientStream::new(stream, Arc::clone(&place), self.settings.write_timeout);
        let Some(tls) = self.tls.as_deref() else {
            return self.http1(stream, client, place).await;
        };
        let handshake = timeout(self.settings.header_timeout, tls::accept(tls, stream));
        let stream = tokio::select! {
            stream = handshake => stream,
            // It has not asked for anything yet.
            () = self.drain.cancelled() => return,
            () = self.close.cancelled() => return,
            () = place.closed() => return,
        };
        let stream = match stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%client, %error, "no TLS with a client");
                return;
            }
        };
        if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
            self.http2(stream, client, place).await;
        } else {
            self.http1(stream, client, place).await;
        }
    }

    async fn http1(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: Client,
        place: Arc<Place>,
    ) {
        let answers = self.answers.clone();
        let is_https = self.tls.is_some();
        let in_place = Arc::clone(&place);
        let service = service_fn(move |request: Request<Incoming>| {
            let busy = in_place.busy();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(client);
            if is_https {
                name_scheme(&mut request);
            }
            let is_chunked = is_chunked(&request);
            let answer = answers.clone().oneshot(request);
            async move {
                let mut response = answer.await?;
                if is_chunked {
                    response.headers_mut().insert(CONNECTION, CLOSE);
                }
                Ok::<_, Infallible>(response.map(|body| Replying {
                    body: Gathered::new(body),
                    _busy: busy,
                }))
            }
        });
        let mut builder = builder(&self.settings);
        if client.is_surplus {
            builder.keep_alive(false);
        }
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut stops = Stops::of(&self.drain, &self.close, &place);
        loop {
            tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        note_end(client, &error);
                    }
                    return;
                }
                stop = stops.next() => match stop {
                    Some(Stop::Drain) => connection.as_mut().graceful_shutdown(),
                    Some(Stop::MakeRoom) => {
                        tracing::debug!(%client, "an idle connection was closed to make room");
                        return;
                    }
                    Some(Stop::Close) | None => return,
                },
            }
        }
    }
}

/// How a connection is told to end.
#[derive(Clone, Copy)]
enum Stop {
    /// After the request that runs.
    Drain,
    /// At once: no request runs, and others want its place.
    MakeRoom,
    /// At once.
    Close,
}

/// Waits for what ends a connection. A token takes a lock, which all connections share, whenever it is
/// asked: this asks it only after it has spoken.
struct Stops<'a>(FuturesUnordered<Pin<Box<dyn Future<Output = Stop> + Send + 'a>>>);

impl<'a> Stops<'a> {
    fn of(drain: &'a CancellationToken, close: &'a CancellationToken, place: &'a Place) -> Self {
        let stops = Self(FuturesUnordered::new());
        stops.push(drain.cancelled(), Stop::Drain);
        stops.push(close.cancelled(), Stop::Close);
        stops.push(place.closed(), Stop::MakeRoom);
        stops
    }

    fn push(&self, signal: impl Future<Output = ()> + Send + 'a, stop: Stop) {
        self.0.push(Box::pin(signal.map(move |()| stop)));
    }

    async fn next(&mut self) -> Option<Stop> {
        self.0.next().await
    }
}

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Tells whether the end of a body is where a `Transfer-Encoding` says. If there was a `Content-Length`
/// too, hyper has taken it out; a proxy that went by that one would take the rest of what it sent for the
/// body, so that nothing after it may be taken for a request (RFC 9112, section 6.1).
fn is_chunked(request: &Request<Body>) -> bool {
    request.headers().contains_key(TRANSFER_ENCODING)
}

/// The body of a reply, with which the request ends.
struct Replying {
    body: Gathered,
    _busy: Busy,
}

impl http_body::Body for Replying {
    type Data = Pieces;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Pieces>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Makes the URI absolute, as those of HTTP/2 are: replies that name the server need its scheme.
fn name_scheme(request: &mut Request<Body>) {
    let host = request.headers().get(HOST);
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = request.uri().clone().into_parts();
    if parts.authority.is_none() && parts.path_and_query.is_some() && authority.is_some() {
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = authority;
    }
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// Clients that go away or are too slow: there is nothing to repair here.
pub(super) fn note_end(client: Client, error: &(dyn Error + 'static)) {
    tracing::debug!(%client, error, "connection ended");
}

/// In clear there is HTTP/1 only: HTTP/2 is for those who negotiate it in a handshake (see
/// [`super::http2`]), and a reader of both would have to guess from the first bytes.
fn builder(settings: &Settings) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        // Runs while a connection is idle, too.
        .header_read_timeout(settings.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
}
