//! One line per request, written when its reply was sent or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::Client;
use super::layers::RequestId;
use crate::auth::Identity;

/// What is logged.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccessLog {
    /// Also successful probes.
    pub(super) log_health: bool,
}

/// Counts the bytes of a reply and writes the line when it is dropped: at its end, or when the client
/// went away.
struct Line {
    method: String,
    path: String,
    request_id: Arc<str>,
    client: Option<Client>,
    identity: Identity,
    start: Instant,
    status: u16,
    bytes: u64,
    outcome: Outcome,
    is_silent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Unfinished,
    Finished,
    Failed,
}

/// Notes the request and hands the line to the body of the reply. The query is left out of the line:
/// people put credentials there.
pub(super) async fn layer(State(log): State<AccessLog>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    let path = request.uri().path();
    let is_probe = matches!(path, "/health" | "/ready");
    let mut line = Line {
        method: request.method().to_string(),
        path: path.to_owned(),
        request_id: id.map_or_else(|| "".into(), |RequestId(id)| Arc::clone(id)),
        client: extensions.get::<Client>().copied(),
        identity: Identity::Anonymous,
        start: Instant::now(),
        // What is logged if the client goes away before there is a reply (nginx's code for it).
        status: 499,
        bytes: 0,
        outcome: Outcome::Unfinished,
        is_silent: false,
    };
    let response = next.run(request).await;
    line.status = response.status().as_u16();
    if let Some(identity) = response.extensions().get() {
        line.identity = Identity::clone(identity);
    }
    line.is_silent = is_probe && response.status().is_success() && !log.log_health;
    if response.body().is_end_stream() {
        line.outcome = Outcome::Finished;
    }
    response.map(|inner| Body::new(Logged { inner, line }))
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.is_silent {
            return;
        }
        let client = self
            .client
            .map_or_else(String::new, |Client(address)| address.to_string());
        let outcome = match self.outcome {
            Outcome::Finished => "",
            Outcome::Unfinished => ", client went away",
            Outcome::Failed => ", cut short",
        };
        let Self {
            method,
            path,
            status,
            bytes,
            ..
        } = self;
        let duration_ms = self.start.elapsed().as_secs_f64() * 1000.0;
        // Whole microseconds: the rest is noise.
        let duration_ms = (duration_ms * 1000.0).round() / 1000.0;
        tracing::info!(
            request.id = &*self.request_id,
            client,
            user = self.identity.name(),
            method,
            path,
            status,
            bytes,
            duration_ms,
            "{method} {path} {status}{outcome}"
        );
    }
}

struct Logged {
    inner: Body,
    line: Line,
}

impl http_body::Body for Logged {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.line.bytes += length as u64;
                if self.inner.is_end_stream() {
                    self.line.outcome = Outcome::Finished;
                }
            }
            Some(Err(error)) => {
                self.line.outcome = Outcome::Failed;
                let cause = std::error::Error::source(error).map(ToString::to_string);
                let request_id = &*self.line.request_id;
                tracing::error!(request.id = request_id, cause, "reply cut short: {error}");
            }
            None => self.line.outcome = Outcome::Finished,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
