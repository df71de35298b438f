//! One connection.

use std::error::Error;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Uri;
use axum::http::header::HOST;
use axum::http::uri::{Authority, Scheme};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::client_stream::ClientStream;
use super::gathered::Gathered;
use super::tls::{self, Tls};
use super::{Answers, Settings};
use crate::http::Client;

/// More than any client of ours sends; beyond it hyper answers 431.
const MAX_HEADERS: usize = 64;
pub(super) const MAX_HEAD_BYTES: usize = 32 << 10;

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
    /// Serves the requests of one connection, and gives its permit back at the end, whatever that is.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        client: Client,
        _permit: OwnedSemaphorePermit,
    ) {
        // Replies are written whole: waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let stream = ClientStream::new(stream, self.settings.write_timeout);
        let Some(tls) = self.tls.as_deref() else {
            return self.http1(stream, client).await;
        };
        let handshake = timeout(self.settings.header_timeout, tls::accept(tls, stream));
        let stream = tokio::select! {
            stream = handshake => stream,
            // It has not asked for anything yet.
            () = self.drain.cancelled() => return,
            () = self.close.cancelled() => return,
        };
        let stream = match stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%client, %error, "no TLS with a client");
                return;
            }
        };
        if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
            self.http2(stream, client).await;
        } else {
            self.http1(stream, client).await;
        }
    }

    async fn http1(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        client: Client,
    ) {
        let answers = self.answers.clone();
        let is_https = self.tls.is_some();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(client);
            if is_https {
                name_scheme(&mut request);
            }
            let answer = answers.clone().oneshot(request);
            async { answer.await.map(|response| response.map(Gathered::new)) }
        });
        let builder = builder(&self.settings);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut stops = Stops::of(&self.drain, &self.close);
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
    /// At once.
    Close,
}

/// Waits for what ends a connection. A token takes a lock, which all connections share, whenever it is
/// asked: this asks it only after it has spoken.
struct Stops<'a>(FuturesUnordered<Pin<Box<dyn Future<Output = Stop> + Send + 'a>>>);

impl<'a> Stops<'a> {
    fn of(drain: &'a CancellationToken, close: &'a CancellationToken) -> Self {
        let of = |token: &'a CancellationToken, stop| {
            let future: Pin<Box<dyn Future<Output = Stop> + Send + 'a>> =
                Box::pin(token.cancelled().map(move |()| stop));
            future
        };
        Self(FuturesUnordered::from_iter([
            of(drain, Stop::Drain),
            of(close, Stop::Close),
        ]))
    }

    async fn next(&mut self) -> Option<Stop> {
        self.0.next().await
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
