//! What a request came to, told to the access log and to the metrics when its reply was sent or given
//! up.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::access_log::AccessLog;
use super::error::Cause;
use super::layers::RequestId;
use super::routes::{Endpoint, Route};
use super::settings::{ContextPath, Settings};
use super::{Client, TrustedProxies};
use crate::auth::Identity;
use crate::metrics::{self, Metrics, Url};

/// Who is told.
#[derive(Debug)]
pub(super) struct Observers {
    log: AccessLog,
    metrics: Metrics,
    proxies: TrustedProxies,
    /// What requests without a route are called.
    unknown: Url,
}

impl Observers {
    pub(super) fn new(settings: &Settings, metrics: Metrics) -> Self {
        Self {
            log: AccessLog::new(settings),
            metrics,
            proxies: settings.trusted_proxies.clone(),
            unknown: Url::new("unknown"),
        }
    }
}

/// A request and its reply, as they are at the moment.
#[derive(Debug)]
pub(super) struct Served {
    /// Which request of this process it is, from 1.
    pub(super) number: u64,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) request_id: Arc<str>,
    pub(super) client: Option<Client>,
    pub(super) identity: Identity,
    pub(super) status: u16,
    pub(super) response_bytes: u64,
    pub(super) outcome: Outcome,
    /// Why there was a failure of the server, if there was.
    pub(super) cause: Option<Cause>,
    request_bytes: u64,
    start: Instant,
    route: RouteCell,
}

/// Where the router says what a request was for, even if no reply ever comes.
type RouteCell = Arc<OnceLock<Routed>>;

/// What a request was for.
#[derive(Clone, Debug)]
struct Routed {
    endpoint: Endpoint,
    url: Arc<Url>,
}

/// What the requests of a row of the table are for.
#[derive(Debug)]
pub(super) struct Labels {
    of_root: Routed,
    of_others: Routed,
}

impl Labels {
    pub(super) fn new(route: &Route, context_path: &ContextPath) -> Self {
        let routed = |has_repository| Routed {
            endpoint: route.endpoint,
            url: Arc::new(Url::new(&url(context_path, route.pattern, has_repository))),
        };
        Self {
            of_root: routed(false),
            of_others: routed(true),
        }
    }

    /// Says what a request is for.
    pub(super) fn note(&self, request: &Request, is_of_root: bool) {
        let Some(cell) = request.extensions().get::<RouteCell>() else {
            return;
        };
        let routed = if is_of_root {
            &self.of_root
        } else {
            &self.of_others
        };
        // It is set once: a request is dispatched once.
        let _ = cell.set(routed.clone());
    }
}

/// Writes a route as ChartMuseum does: `/api/:repo/charts/:name`. (There the root repository's is, by a
/// mistake, `/:repoapi/charts/:name`.)
fn url(context_path: &ContextPath, pattern: &str, has_repository: bool) -> String {
    let (api, below) = match pattern.strip_prefix("/api/") {
        Some(below) => ("/api", below),
        None => ("", pattern.strip_prefix('/').unwrap_or(pattern)),
    };
    let repository = if has_repository { "/:repo" } else { "" };
    let mut url = format!("{context_path}{api}{repository}");
    for segment in below.split('/') {
        let capture = segment
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        let (colon, name) = match capture {
            Some("file") => (":", "filename"),
            Some(name) => (":", name),
            None => ("", segment),
        };
        url.push('/');
        url.push_str(colon);
        url.push_str(name);
    }
    url
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Unfinished,
    Finished,
    Failed,
}

impl Served {
    pub(super) fn duration(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns what was asked for, unless there is no such route.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        self.route.get().map(|routed| routed.endpoint)
    }
}

/// Tells the observers when it is dropped: at the end of the reply, or when the client went away.
struct Watch {
    served: Served,
    observers: Arc<Observers>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Self { served, observers } = self;
        observers.log.write(served);
        // As in ChartMuseum, scrapes do not count themselves.
        if served.endpoint() == Some(Endpoint::Metrics) {
            return;
        }
        observers.metrics.request(&metrics::Request {
            status: served.status,
            method: &served.method,
            url: served
                .route
                .get()
                .map_or(&observers.unknown, |routed| &routed.url),
            duration: served.duration(),
            bytes_in: served.request_bytes,
            bytes_out: served.response_bytes,
        });
    }
}

/// Notes the request and hands the watch to the body of the reply.
pub(super) async fn layer<F>(
    observers: &Arc<Observers>,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    observers.proxies.note(&mut request);
    let route = RouteCell::default();
    request.extensions_mut().insert(Arc::clone(&route));
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    let mut watch = Watch {
        served: Served {
            number: observers.log.next_number(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            request_id: id.map_or_else(|| "".into(), |RequestId(id)| Arc::clone(id)),
            client: extensions.get::<Client>().copied(),
            identity: Identity::Anonymous,
            // What is told if the client goes away before there is a reply (nginx's code for it).
            status: 499,
            response_bytes: 0,
            outcome: Outcome::Unfinished,
            cause: None,
            request_bytes: size(&request),
            start: Instant::now(),
            route,
        },
        observers: Arc::clone(observers),
    };
    let mut response = next(request).await;
    let served = &mut watch.served;
    served.status = response.status().as_u16();
    served.cause = response.extensions_mut().remove::<Cause>();
    if let Some(identity) = response.extensions().get() {
        served.identity = Identity::clone(identity);
    }
    if response.body().is_end_stream() {
        served.outcome = Outcome::Finished;
    }
    response.map(|inner| Body::new(Watched { inner, watch }))
}

/// Returns the size of a request as ChartMuseum reckons it: the parts of its head without what is
/// between them, and the body as it is announced.
fn size(request: &Request) -> u64 {
    let headers = request.headers();
    let line = request.method().as_str().len() + request.uri().path().len() + "HTTP/1.1".len();
    let fields = headers.iter().map(|(name, value)| {
        // Go has the host beside the other headers, without a name.
        let name = if name == header::HOST {
            ""
        } else {
            name.as_str()
        };
        name.len() + value.len()
    });
    let head = line + fields.sum::<usize>();
    let body = content_length(headers).unwrap_or_default();
    body.saturating_add(head as u64)
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

struct Watched {
    inner: Body,
    watch: Watch,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        let is_end = self.inner.is_end_stream();
        let served = &mut self.watch.served;
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                served.response_bytes += length as u64;
                if is_end {
                    served.outcome = Outcome::Finished;
                }
            }
            Some(Err(error)) => {
                served.outcome = Outcome::Failed;
                let cause = std::error::Error::source(error).map(ToString::to_string);
                let request_id = &*served.request_id;
                tracing::error!(request.id = request_id, cause, "reply cut short: {error}");
            }
            None => served.outcome = Outcome::Finished,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_called_as_chartmuseum_calls_them() {
        for (context, pattern, has_repository, expected) in [
            ("", "/", false, "/"),
            ("", "/index.yaml", false, "/index.yaml"),
            ("", "/index.yaml", true, "/:repo/index.yaml"),
            ("", "/charts/{file}", true, "/:repo/charts/:filename"),
            ("/ctx", "/api/charts", true, "/ctx/api/:repo/charts"),
            (
                "",
                "/api/charts/{name}/{version}",
                false,
                "/api/charts/:name/:version",
            ),
            ("/ctx", "/health", false, "/ctx/health"),
        ] {
            let context = ContextPath::parse(context).unwrap();
            assert_eq!(url(&context, pattern, has_repository), expected);
        }
    }
}
