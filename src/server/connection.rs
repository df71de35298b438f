//! One connection.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Settings;
use super::client_stream::ClientStream;
use crate::http::Client;

/// More than any client of ours sends; beyond it hyper answers 431.
const MAX_HEADERS: usize = 64;
const MAX_HEAD_BYTES: usize = 32 << 10;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) router: Router,
    pub(super) settings: Arc<Settings>,
    pub(super) drain: CancellationToken,
    pub(super) close: CancellationToken,
}

impl Connections {
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
        let router = self.router;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(client);
            router.clone().oneshot(request)
        });
        let io = TokioIo::new(ClientStream::new(stream, self.settings.write_timeout));
        let builder = builder(&self.settings);
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.close.cancelled() => return,
            () = self.drain.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    result = connection => result,
                    () = self.close.cancelled() => return,
                }
            }
        };
        if let Err(error) = result {
            // Clients that go away or are too slow: nothing to repair here.
            tracing::debug!(client = %client.0, error = &*error, "connection ended");
        }
    }
}

/// HTTP/1 only, until there is TLS to negotiate HTTP/2: a client that announces HTTP/2 in clear could
/// hold replies with its flow control, which the deadline for writes does not see.
fn builder(settings: &Settings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        // Runs while a connection is idle, too.
        .header_read_timeout(settings.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
}
