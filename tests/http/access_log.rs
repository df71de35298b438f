//! The log: one line per request, in each of the three formats.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request};
use bytes::Bytes;
use chartroom::http::Client;
use chartroom::http::settings::{ContextPath, Settings};
use chartroom::telemetry::{self, LogFormat};
use chartroom_storage::Timeouts;
use chartroom_storage::testing::Faulty;
use futures_util::{FutureExt, stream};
use object_store::memory::InMemory;
use serde_json::Value;
use tower::ServiceExt;
use tracing::Level;
use tracing::dispatcher::DefaultGuard;

use crate::auth::{Scheme, auth, basic};
use crate::support::{TestServer, chart};

/// What is logged on this thread, where all tasks of a test run.
struct Log {
    written: Written,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start(format: LogFormat) -> Self {
        let written = Written::default();
        let writer = written.clone();
        let level = Level::INFO;
        let settings = telemetry::Settings { format, level };
        let lines = telemetry::lines(&settings, move || writer.clone(), false);
        Self {
            written,
            _guard: tracing::dispatcher::set_default(&lines),
        }
    }

    /// The lines since the last call.
    fn lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.written.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn one_line(&self) -> String {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    fn one_json(&self) -> Value {
        serde_json::from_str(&self.one_line()).unwrap()
    }
}

async fn with(format: LogFormat, change: impl FnOnce(&mut Settings)) -> TestServer {
    let set = |settings: &mut Settings| {
        settings.log_format = format;
        change(settings);
    };
    TestServer::builder().settings(set).build().await
}

async fn server(format: LogFormat) -> TestServer {
    with(format, |_| {}).await
}

/// Sends a request as the server does, with the peer's address.
async fn send(server: &TestServer, method: Method, path: &str) {
    let client: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "the-id")
        .header("authorization", "Basic c2VjcmV0OnNlY3JldA==")
        .header("x-forwarded-for", "203.0.113.1")
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(Client::at(client));
    server.send(request).await;
}

/// Takes out what differs from run to run, and checks that it is a number.
fn take_number(line: &str, field: &str) -> String {
    let start = line.find(field).expect(line) + field.len();
    let end = line[start..]
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .map_or(line.len(), |length| start + length);
    assert!(line[start..end].parse::<f64>().is_ok(), "{line}");
    format!("{}<n>{}", &line[..start], &line[end..])
}

#[tokio::test]
async fn each_request_is_one_line_of_text() {
    let server = server(LogFormat::Text).await;
    let log = Log::start(LogFormat::Text);
    for (method, path, expected) in [
        (
            Method::GET,
            "/api/charts?token=secret",
            "INFO GET /api/charts 200 request.id=\"the-id\" client=\"192.0.2.7:4711\" method=\"GET\" path=\"/api/charts\" status=200 bytes=<n> duration_ms=<n>",
        ),
        (
            Method::GET,
            "/charts/a%20b",
            "INFO GET /charts/a%20b 404 request.id=\"the-id\" client=\"192.0.2.7:4711\" method=\"GET\" path=\"/charts/a%20b\" status=404 bytes=<n> duration_ms=<n>",
        ),
        (
            Method::HEAD,
            "/index.yaml",
            "INFO HEAD /index.yaml 200 request.id=\"the-id\" client=\"192.0.2.7:4711\" method=\"HEAD\" path=\"/index.yaml\" status=200 bytes=<n> duration_ms=<n>",
        ),
    ] {
        send(&server, method, path).await;
        let line = take_number(&log.one_line(), "duration_ms=");
        let line = take_number(&line, "bytes=");
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z'), "{line}");
        assert_eq!(rest.trim_start(), expected);
    }
}

#[tokio::test]
async fn each_request_is_one_object_of_json() {
    let server = server(LogFormat::Json).await;
    let log = Log::start(LogFormat::Json);
    send(&server, Method::GET, "/index.yaml?token=secret").await;
    let mut line = log.one_json();
    let line = line.as_object_mut().unwrap();
    assert!(line.remove("duration_ms").unwrap().as_f64().unwrap() > 0.0);
    assert!(line.remove("timestamp").unwrap().is_string());
    let bytes = line.remove("bytes").unwrap().as_u64().unwrap();
    assert!(bytes > 30, "{bytes}");
    insta::assert_snapshot!(serde_json::to_string(line).unwrap(), @r#"
    {"client":"192.0.2.7:4711","level":"INFO","message":"GET /index.yaml 200","method":"GET","path":"/index.yaml","request.id":"the-id","status":200}
    "#);
}

#[tokio::test]
async fn the_line_names_the_user_and_not_the_credentials() {
    let server = TestServer::builder()
        .auth(auth(Scheme::Basic, false))
        .build()
        .await;
    let log = Log::start(LogFormat::Json);
    for (credentials, user, status) in [("alice:hunter2", Some("alice"), 200), ("bob:x", None, 401)]
    {
        let value = basic(credentials);
        let headers = [("authorization", value.as_str())];
        server.request(Method::GET, "/index.yaml", &headers).await;
        let line = log.one_line();
        assert!(
            !line.contains(&value[6..]) && !line.contains("hunter2"),
            "{line}"
        );
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["user"].as_str(), user, "{line}");
        assert_eq!(line["status"], status);
    }
}

/// The keys of an object, in their order.
fn keys(line: &str) -> Vec<&str> {
    let inner = line.strip_prefix('{').unwrap();
    let pairs = inner.split(",\"").enumerate();
    pairs
        .map(|(at, pair)| {
            let pair = if at == 0 { &pair[1..] } else { pair };
            pair.split_once("\":").expect(line).0
        })
        .collect()
}

#[tokio::test]
async fn chartmuseums_form_has_its_keys_in_its_order() {
    let server = server(LogFormat::Chartmuseum).await;
    let log = Log::start(LogFormat::Chartmuseum);
    send(&server, Method::GET, "/charts/a%20b?token=secret").await;
    let text = log.one_line();
    let expected = [
        "L",
        "T",
        "M",
        "path",
        "comment",
        "clientIP",
        "method",
        "statusCode",
        "latency",
        "reqID",
    ];
    assert_eq!(keys(&text), expected);
    let mut line: Value = serde_json::from_str(&text).unwrap();
    let line = line.as_object_mut().unwrap();
    let time = line.remove("T").unwrap();
    let format = "%Y-%m-%dT%H:%M:%S%.3f";
    let time = time.as_str().unwrap();
    let (time, zone) = time.split_at("2026-11-24T11:04:10.706".len());
    assert!(chrono::NaiveDateTime::parse_from_str(time, format).is_ok());
    assert!(zone == "Z" || zone.len() == "+0100".len(), "{zone}");
    let latency = line.remove("latency").unwrap();
    let latency = latency.as_str().unwrap();
    assert!(
        latency.ends_with("µs") || latency.ends_with("ms"),
        "{latency}"
    );
    insta::assert_snapshot!(serde_json::to_string(line).unwrap(), @r#"
    {"L":"WARN","M":"[1] Request served","clientIP":"192.0.2.7","comment":"","method":"GET","path":"/charts/a%20b","reqID":"the-id","statusCode":404}
    "#);
}

#[tokio::test]
async fn chartmuseums_form_counts_requests_and_has_sane_levels() {
    let server = with(LogFormat::Chartmuseum, |settings| {
        settings.log_latency_integer = true;
    })
    .await;
    let log = Log::start(LogFormat::Chartmuseum);
    let archive = Bytes::from(chart("one", "1.0.0"));
    for (number, level, status) in [(1, "INFO", 201), (2, "WARN", 409)] {
        server.post("/api/charts", archive.clone()).await;
        let line = log.one_json();
        assert_eq!(line["M"], format!("[{number}] Request served"));
        assert_eq!(
            (line["L"].as_str(), line["statusCode"].as_u64()),
            (Some(level), Some(status))
        );
        assert!(line["latency"].as_u64().unwrap() > 1000, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn chartmuseums_form_tells_why_the_server_failed() {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let server = TestServer::builder()
        .store(faulty.store(Timeouts::default()))
        .settings(|settings| settings.log_format = LogFormat::Chartmuseum)
        .build()
        .await;
    let log = Log::start(LogFormat::Chartmuseum);
    faulty.partition(true);
    send(&server, Method::GET, "/charts/one-1.0.0.tgz").await;
    let lines = log.lines();
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [failure, line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(failure["reqID"], "the-id");
    assert_eq!(
        (&line["L"], &line["statusCode"]),
        (&"ERROR".into(), &503.into())
    );
    assert_eq!(line["comment"], failure["cause"]);
    let comment = line["comment"].as_str().unwrap();
    assert!(comment.starts_with("the store failed: "), "{comment}");
}

#[tokio::test]
async fn probes_are_silent_while_they_succeed() {
    for (path, context) in [("/health", ""), ("/ready", ""), ("/ctx/health", "/ctx")] {
        for is_logged in [false, true] {
            let server = with(LogFormat::Text, |settings| {
                settings.context_path = ContextPath::parse(context).unwrap();
                settings.log_health = is_logged;
            })
            .await;
            let log = Log::start(LogFormat::Text);
            send(&server, Method::GET, path).await;
            assert_eq!(log.lines().len(), usize::from(is_logged), "{path}");
            // What is not one, and what failed.
            send(&server, Method::GET, &format!("/x{path}")).await;
            send(&server, Method::PUT, path).await;
            assert_eq!(log.lines().len(), 2, "{path}");
        }
    }
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_line() {
    let server = server(LogFormat::Text).await;
    let log = Log::start(LogFormat::Text);
    let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post("/api/charts").body(endless).unwrap();
    assert!(
        server
            .router
            .clone()
            .oneshot(request)
            .now_or_never()
            .is_none()
    );
    let line = log.one_line();
    assert!(
        line.contains("POST /api/charts 499, client went away"),
        "{line}"
    );
}
