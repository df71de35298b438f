//! What only shows on a socket: deadlines, the cap of connections, draining, panics.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router};
use chartroom::http::Client;
use chartroom::server::{self, Settings, Stop, Tls};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::support::TestServer;

/// Longer than anything here takes; a test that hangs fails by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Shorter than a person notices, longer than a reply on loopback takes.
pub(crate) const SHORT: Duration = Duration::from_millis(150);

pub(crate) fn settings() -> Settings {
    Settings {
        max_connections: 16,
        header_timeout: PATIENCE,
        write_timeout: PATIENCE,
        drain_timeout: PATIENCE,
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<()>,
}

async fn start(router: Router, settings: Settings) -> Running {
    start_with(None, router, settings).await
}

pub(crate) async fn start_with(tls: Option<Tls>, router: Router, settings: Settings) -> Running {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::default();
    let connections = TaskTracker::new();
    let task = tokio::spawn(server::serve(
        listener,
        router,
        tls,
        settings,
        connections,
        stop.clone(),
    ));
    Running {
        address,
        stop,
        task,
    }
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it took too long")
}

impl Running {
    pub(crate) async fn connect(&self) -> TcpStream {
        soon(TcpStream::connect(self.address)).await.unwrap()
    }

    pub(crate) async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// One request on a connection of its own.
    async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        rest(&mut self.send(&request).await).await
    }
}

/// Everything up to the end of the connection.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Until the text was received.
pub(crate) async fn receive(stream: &mut (impl AsyncRead + Unpin), text: &str) {
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains(text) {
        let mut space = [0; 1024];
        let count = soon(stream.read(&mut space)).await.unwrap();
        assert!(count > 0, "the connection ended");
        received.extend_from_slice(&space[..count]);
    }
}

pub(crate) fn simple() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn a_head_that_is_never_finished_is_given_up() {
    let settings = Settings {
        header_timeout: SHORT,
        ..settings()
    };
    let server = start(simple(), settings).await;
    let mut half = server.send("GET / HTTP/1.1\r\nHost: x\r\n").await;
    assert_eq!(rest(&mut half).await, "");
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    assert!(server.get("/").await.ends_with("hello"));
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_408_and_the_connection_closed() {
    let api = TestServer::builder()
        .settings(|settings| settings.read_timeout = SHORT)
        .build()
        .await;
    let server = start(api.router, settings()).await;
    let head = "POST /api/charts HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    let reply = rest(&mut server.send(head).await).await;
    assert!(reply.starts_with("HTTP/1.1 408"), "{reply}");
}

#[tokio::test]
async fn a_client_that_still_sends_its_refused_body_gets_the_reply() {
    let api = TestServer::builder()
        .settings(|settings| settings.max_upload_size = 1000)
        .build()
        .await;
    let server = start(api.router, settings()).await;
    let mut stream = server
        .send("POST /api/charts HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n")
        .await;
    stream.write_all(&vec![0; 8_000_000]).await.unwrap();
    let reply = rest(&mut stream).await;
    assert!(
        reply.starts_with("HTTP/1.1 413") && reply.contains("request too large"),
        "{reply}"
    );
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_send_is_refused_before_it_does() {
    let api = TestServer::builder()
        .settings(|settings| settings.max_upload_size = 1000)
        .build()
        .await;
    let server = start(api.router, settings()).await;
    let head = "POST /api/charts HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\nExpect: 100-continue\r\n\r\n";
    let reply = rest(&mut server.send(head).await).await;
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_reply_loses_the_connection() {
    let large = Router::new().route("/", get(|| async { vec![0u8; 64 << 20] }));
    let large = large.route("/place", get(place));
    let settings = Settings {
        write_timeout: SHORT,
        max_connections: 1,
        ..settings()
    };
    let server = start(large, settings).await;
    let stalled = server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // There is one regular place: it is free again when the first one has lost it.
    let regular = async {
        while server.get("/place").await.contains("surplus: true") {
            tokio::task::yield_now().await;
        }
    };
    soon(regular).await;
    drop(stalled);
}

/// Says what the server says of the connection.
async fn place(Extension(client): Extension<Client>) -> String {
    format!("surplus: {}", client.is_surplus)
}

#[tokio::test]
async fn beyond_the_cap_of_connections_clients_are_told_to_come_back() {
    let api = TestServer::start().await;
    let (gated, entered, _release) = gated();
    let settings = Settings {
        max_connections: 1,
        ..settings()
    };
    let router = Router::new()
        .nest_service("/gated", gated)
        .fallback_service(api.router);
    let server = start(router, settings).await;
    let busy = server.send("GET /gated HTTP/1.1\r\nHost: x\r\n\r\n").await;
    soon(entered.notified()).await;
    // No `Connection: close` of the client's: the server closes.
    let mut second = server
        .send("GET /index.yaml HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    let reply = rest(&mut second).await.to_lowercase();
    assert!(reply.starts_with("http/1.1 503"), "{reply}");
    assert!(reply.contains("\r\nretry-after: 1\r\n"), "{reply}");
    assert!(reply.contains("\r\nconnection: close\r\n"), "{reply}");
    assert!(reply.contains("too many connections"), "{reply}");
    // Who asks whether the server is alive is answered.
    for probe in ["/health", "/ready"] {
        let reply = server.get(probe).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }
    drop(busy);
    let admitted = async {
        while !server.get("/index.yaml").await.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    soon(admitted).await;
}

#[tokio::test]
async fn connections_that_wait_for_a_request_make_room_for_others() {
    let settings = Settings {
        max_connections: 3,
        ..settings()
    };
    let router = simple().route("/place", get(place));
    let server = start(router, settings).await;
    // One that says nothing, one that never ends its head, and one that has had a reply.
    let mut silent = server.connect().await;
    let mut half = server.send("GET / HTTP/1.1\r\nHost").await;
    let mut used = server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    receive(&mut used, "hello").await;
    let admitted = async {
        // They are left alone for a second.
        while server.get("/place").await.contains("surplus: true") {
            tokio::task::yield_now().await;
        }
    };
    soon(admitted).await;
    for stream in [&mut silent, &mut half, &mut used] {
        // The end, or a reset where something was not read.
        let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    }
}

/// A route that answers when it is told to.
pub(crate) fn gated() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inner_entered, inner_release) = (Arc::clone(&entered), Arc::clone(&release));
    let router = Router::new().route(
        "/",
        get(async move || {
            inner_entered.notify_one();
            inner_release.notified().await;
            "finished"
        }),
    );
    (router, entered, release)
}

#[tokio::test]
async fn draining_finishes_what_runs_and_accepts_no_more() {
    let (router, entered, release) = gated();
    let server = start(router, settings()).await;
    let mut running = server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut idle = server.connect().await;
    soon(entered.notified()).await;
    server.stop.drain.cancel();
    assert_eq!(rest(&mut idle).await, "");
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.notify_one();
    let reply = rest(&mut running).await;
    assert!(reply.ends_with("finished"), "{reply}");
    soon(server.task).await.unwrap();
}

#[tokio::test]
async fn draining_ends_at_its_timeout_or_at_once_when_told() {
    for (drain_timeout, now) in [(SHORT, false), (PATIENCE * 10, true)] {
        let (router, entered, _release) = gated();
        let settings = Settings {
            drain_timeout,
            ..settings()
        };
        let server = start(router, settings).await;
        let mut running = server.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        soon(entered.notified()).await;
        server.stop.drain.cancel();
        if now {
            server.stop.now.cancel();
        }
        soon(server.task).await.unwrap();
        assert_eq!(rest(&mut running).await, "");
    }
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    async fn panicking() {
        std::panic::panic_any("the test's panic");
    }
    let router = simple().route("/panic", get(panicking));
    let settings = Settings {
        max_connections: 1,
        ..settings()
    };
    let server = start(router, settings).await;
    assert_eq!(server.get("/panic").await, "");
    assert!(server.get("/").await.ends_with("hello"));
    server.stop.drain.cancel();
    soon(server.task).await.unwrap();
}

#[tokio::test]
async fn a_used_port_is_told_with_what_to_do() {
    let server = start(simple(), settings()).await;
    let error = server::bind(server.address).await.unwrap_err().to_string();
    let error = error.replace(&server.address.port().to_string(), "<port>");
    insta::assert_snapshot!(error, @"127.0.0.1:<port> is in use: another server runs there; stop it, or choose another port with --port");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = start(simple(), settings()).await;
    let many = "x: y\r\n".repeat(100);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    for fields in [many, long] {
        let mut stream = server.connect().await;
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        // The server may close before it has read all.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut reply = [0; 12];
        soon(stream.read_exact(&mut reply)).await.unwrap();
        assert_eq!(&reply, b"HTTP/1.1 431");
    }
}
