//! Requests, under ChartMuseum's names.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::float;
use super::summary::Summary;

/// ChartMuseum's one value of the label `handler`.
const HANDLER: &str = "helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm";

/// The bounds of ChartMuseum's histogram, which are the Go client's default.
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A request whose reply has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) status: u16,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) duration: Duration,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

/// The pattern of a route, as ChartMuseum writes it, with the series that were found for it. To find
/// one takes longer than to count in it.
#[derive(Debug)]
pub(crate) struct Url {
    text: Arc<str>,
    /// As many as there are methods and statuses on the route.
    known: ArcSwap<Vec<Series>>,
}

/// Where the requests of one route, method and status are counted.
#[derive(Clone, Debug)]
struct Series {
    code: u16,
    method: &'static str,
    total: Counter,
    durations: Histogram,
}

impl Url {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            known: ArcSwap::default(),
        }
    }

    /// Does something with the series of a method and a status.
    fn with(
        &self,
        code: u16,
        method: &'static str,
        find: impl Fn() -> Series,
        count: impl Fn(&Series),
    ) {
        let is_it = |series: &&Series| series.code == code && series.method == method;
        if let Some(series) = self.known.load().iter().find(is_it) {
            return count(series);
        }
        let found = find();
        count(&found);
        self.known.rcu(|known| {
            let mut known = Vec::clone(known);
            // Somebody else may have found it meanwhile.
            if !known.iter().any(|series| is_it(&series)) {
                known.push(found.clone());
            }
            known
        });
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    code: u16,
    method: &'static str,
    handler: &'static str,
    /// Where the server listens. ChartMuseum has the client's Host header here, so that anybody can make
    /// as many series as they like.
    host: Arc<str>,
    url: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    code: u16,
    method: &'static str,
    url: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: u16,
}

#[derive(Clone, Debug)]
pub(super) struct Requests {
    host: Arc<str>,
    total: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    request_sizes: Summary,
    response_sizes: Summary,
    not_found: Family<Code, Counter>,
    uploads_refused: Counter,
}

impl Requests {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.into(),
            total: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            request_sizes: Summary::default(),
            response_sizes: Summary::default(),
            not_found: not_found(),
            uploads_refused: Counter::default(),
        }
    }

    /// As in ChartMuseum, what is answered 404 or 405 is not among the requests: it would give a series
    /// to every guess of a scanner. It is counted apart.
    pub(super) fn count(&self, request: &Request<'_>) {
        let code = request.status;
        if is_not_found(code) {
            self.not_found.get_or_create(&Code { code }).inc();
            return;
        }
        let method = method(request.method);
        let seconds = request.duration.as_secs_f64();
        request.url.with(
            code,
            method,
            || self.series(code, method, &request.url.text),
            |series| {
                series.total.inc();
                series.durations.observe(seconds);
            },
        );
        self.request_sizes.observe(float(request.bytes_in));
        self.response_sizes.observe(float(request.bytes_out));
    }

    fn series(&self, code: u16, method: &'static str, url: &Arc<str>) -> Series {
        let labels = RequestLabels {
            code,
            method,
            handler: HANDLER,
            host: Arc::clone(&self.host),
            url: Arc::clone(url),
        };
        let total = self.total.get_or_create(&labels).clone();
        let url = Arc::clone(url);
        let labels = DurationLabels { code, method, url };
        let durations = self.durations.get_or_create(&labels).clone();
        Series {
            code,
            method,
            total,
            durations,
        }
    }

    pub(super) fn upload_refused(&self) {
        self.uploads_refused.inc();
    }

    /// The full stop at the end of a help text is the registry's.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartmuseum_requests",
            "How many HTTP requests processed, partitioned by status code and HTTP method",
            self.total.clone(),
        );
        registry.register(
            "chartmuseum_request_duration_seconds",
            "The HTTP request latencies in seconds",
            self.durations.clone(),
        );
        registry.register(
            "chartmuseum_request_size_bytes",
            "The HTTP request sizes in bytes",
            self.request_sizes.clone(),
        );
        registry.register(
            "chartmuseum_response_size_bytes",
            "The HTTP response sizes in bytes",
            self.response_sizes.clone(),
        );
        registry.register(
            "chartroom_requests_not_found",
            "Requests answered 404 or 405, which chartmuseum_requests_total leaves out",
            self.not_found.clone(),
        );
        registry.register(
            "chartroom_uploads_refused",
            "Uploads refused because there were too many at once",
            self.uploads_refused.clone(),
        );
    }
}

fn is_not_found(code: u16) -> bool {
    [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED]
        .iter()
        .any(|status| status.as_u16() == code)
}

/// Both series are there from the start: a rate needs the value before the first request.
fn not_found() -> Family<Code, Counter> {
    let counts = Family::default();
    for status in [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED] {
        let code = status.as_u16();
        drop(counts.get_or_create(&Code { code }));
    }
    counts
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_makes_up_is_no_method() {
        assert_eq!(method(&Method::DELETE), "DELETE");
        for made_up in ["get", "X", "PROPFIND"] {
            assert_eq!(method(&made_up.parse().unwrap()), "other");
        }
    }
}
