//! HTTP/2: many requests on a connection, and clients that hold their replies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use bytes::Bytes;
use chartroom::server::Settings;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::auth::{Scheme, auth, basic};
use crate::certificates::{Authority, Files};
use crate::sockets::{Running, SHORT, gated, settings, simple, soon, start_with};
use crate::support::TestServer;

/// Smaller than the replies that are not taken.
const WINDOW: u32 = 64 << 10;

struct Https {
    server: Running,
    authority: Authority,
}

/// A connection, and the task that ends with it.
struct Connection {
    requests: SendRequest<Full<Bytes>>,
    task: JoinHandle<hyper::Result<()>>,
}

impl Https {
    async fn start(router: Router, settings: Settings) -> Self {
        let authority = Authority::new("an authority");
        let tls = Files::of(&authority.server()).load().unwrap();
        let server = start_with(Some(tls), router, settings).await;
        Self { server, authority }
    }

    async fn handshake(&self) -> TlsStream<TcpStream> {
        let config = self.authority.trusting().protocol("h2").config();
        let stream = self.server.connect().await;
        let name = ServerName::try_from("localhost").unwrap();
        soon(TlsConnector::from(config).connect(name, stream))
            .await
            .unwrap()
    }

    async fn connect(&self) -> Connection {
        let stream = TokioIo::new(self.handshake().await);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW * 4);
        let (requests, connection) = soon(builder.handshake(stream)).await.unwrap();
        let task = tokio::spawn(connection);
        Connection { requests, task }
    }
}

impl Connection {
    async fn get(&mut self, path: &str) -> Response<Incoming> {
        let uri = format!("https://charts.example:8443{path}");
        let request = Request::get(uri).body(Full::default()).unwrap();
        soon(self.requests.send_request(request)).await.unwrap()
    }

    async fn text(&mut self, path: &str) -> String {
        let body = self.get(path).await.into_body();
        let bytes = soon(body.collect()).await.unwrap().to_bytes();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[tokio::test]
async fn a_refused_body_costs_its_stream_and_not_the_connection() {
    let api = TestServer::builder()
        .auth(auth(Scheme::Basic, false))
        .build()
        .await;
    let https = Https::start(api.router, settings()).await;
    let mut connection = https.connect().await;
    // More than the server takes in before anybody reads it.
    let body = Bytes::from(vec![b'x'; 8 << 20]);
    let password = basic("alice:hunter2");
    for (authorization, status) in [("", 401), (&password, 413), ("", 401)] {
        let request = Request::post("https://x/api/charts")
            .header("authorization", authorization)
            .body(Full::new(body.clone()));
        let reply = connection.requests.send_request(request.unwrap());
        let reply = soon(reply).await.unwrap();
        assert_eq!(reply.status(), status);
        assert!(!reply.headers().contains_key("connection"));
    }
    assert_eq!(connection.text("/health").await, r#"{"healthy":true}"#);
}

#[tokio::test]
async fn a_body_larger_than_a_window_is_received() {
    let api = TestServer::builder()
        .settings(|settings| settings.max_upload_size = 16 << 20)
        .build()
        .await;
    let https = Https::start(api.router, settings()).await;
    let mut connection = https.connect().await;
    let body = Full::new(Bytes::from(vec![b'x'; 8 << 20]));
    let request = Request::post("https://x/api/charts").body(body).unwrap();
    let reply = connection.requests.send_request(request);
    let reply = soon(reply).await.unwrap();
    // It is no archive, which only its reader can tell.
    assert_eq!(reply.status(), 400);
}

fn large() -> Router {
    simple().route("/large", get(|| async { vec![b'x'; 1 << 20] }))
}

#[tokio::test]
async fn requests_share_a_connection_and_name_their_host() {
    let host = async |uri: Uri, headers: HeaderMap| {
        let host = headers["host"].to_str().unwrap();
        format!("{host} {uri}")
    };
    let https = Https::start(large().route("/host", get(host)), settings()).await;
    let mut connection = https.connect().await;
    assert_eq!(connection.text("/").await, "hello");
    assert_eq!(
        connection.text("/host").await,
        "charts.example:8443 https://charts.example:8443/host"
    );
    let reply = connection.get("/large").await;
    assert_eq!(reply.headers()["content-length"], "1048576");
    let body = soon(reply.into_body().collect()).await.unwrap().to_bytes();
    assert_eq!(body, vec![b'x'; 1 << 20]);
}

/// Reads what comes without ever giving the server more room; returns why the stream ended.
async fn take_a_window_only(mut body: h2::RecvStream) -> Option<h2::Reason> {
    while let Some(piece) = soon(body.data()).await {
        if let Err(error) = piece {
            return error.reason();
        }
    }
    None
}

#[tokio::test]
async fn a_reply_that_is_not_taken_is_given_up_and_others_go_on() {
    let settings = Settings {
        write_timeout: SHORT,
        ..settings()
    };
    let https = Https::start(large(), settings).await;
    // The connection has room for all; each stream has not.
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(WINDOW * 4);
    let handshake = builder.handshake::<_, Bytes>(https.handshake().await);
    let (requests, connection) = soon(handshake).await.unwrap();
    let task = tokio::spawn(connection);
    let mut requests = soon(requests.ready()).await.unwrap();
    let mut send = |path: &str| {
        let request = Request::get(format!("https://x{path}")).body(());
        let (reply, _) = requests.send_request(request.unwrap(), true).unwrap();
        async { soon(reply).await.unwrap().into_body() }
    };
    let (stalled, mut other) = (send("/large").await, send("/").await);
    assert_eq!(soon(other.data()).await.unwrap().unwrap(), "hello");
    assert_eq!(take_a_window_only(stalled).await, Some(h2::Reason::CANCEL));
    let mut next = send("/").await;
    assert_eq!(soon(next.data()).await.unwrap().unwrap(), "hello");
    task.abort();
}

#[tokio::test]
async fn a_handler_ends_when_its_client_cancels_or_goes_away() {
    struct Ended(Arc<Semaphore>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }
    let (entered, ended) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (inner_entered, inner_ended) = (Arc::clone(&entered), Arc::clone(&ended));
    let handler = async move || {
        let _ended = Ended(Arc::clone(&inner_ended));
        inner_entered.add_permits(1);
        std::future::pending::<()>().await;
    };
    let https = Https::start(Router::new().route("/", get(handler)), settings()).await;
    let connection = https.connect().await;
    for goes_away in [false, true] {
        let mut requests = connection.requests.clone();
        let request = Request::get("https://x/").body(Full::default()).unwrap();
        let reply = tokio::spawn(async move { requests.send_request(request).await });
        soon(entered.acquire()).await.unwrap().forget();
        if goes_away {
            connection.task.abort();
        }
        reply.abort();
        soon(ended.acquire()).await.unwrap().forget();
    }
}

#[tokio::test]
async fn there_is_a_cap_on_requests_of_a_connection() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let (inner, inner_most, inner_gate) =
        (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate));
    let handler = async move || {
        let now = inner.fetch_add(1, Ordering::SeqCst) + 1;
        inner_most.fetch_max(now, Ordering::SeqCst);
        inner_gate.acquire().await.unwrap().forget();
        inner.fetch_sub(1, Ordering::SeqCst);
        "done"
    };
    let https = Https::start(Router::new().route("/", get(handler)), settings()).await;
    let connection = https.connect().await;
    let mut replies = Vec::new();
    for _ in 0..150 {
        let mut requests = connection.requests.clone();
        replies.push(tokio::spawn(async move {
            let request = Request::get("https://x/").body(Full::default()).unwrap();
            requests.send_request(request).await.unwrap().status()
        }));
    }
    soon(async {
        while running.load(Ordering::SeqCst) < 100 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gate.add_permits(150);
    for reply in replies {
        assert_eq!(soon(reply).await.unwrap(), 200);
    }
    assert_eq!(most.load(Ordering::SeqCst), 100);
}

#[tokio::test]
async fn connections_without_requests_end() {
    let settings = Settings {
        // A handshake has to fit in, on a busy machine too.
        header_timeout: SHORT * 4,
        max_connections: 1,
        ..settings()
    };
    let https = Https::start(simple(), settings).await;
    let mut used = https.connect().await;
    assert_eq!(used.text("/").await, "hello");
    soon(used.task).await.unwrap().unwrap();
    // One that negotiates HTTP/2 and then says nothing.
    let mut silent = https.handshake().await;
    soon(tokio::io::copy(&mut silent, &mut tokio::io::sink()))
        .await
        .ok();
    // There is one permit: both gave it back.
    assert_eq!(https.connect().await.text("/").await, "hello");
}

#[tokio::test]
async fn a_stop_at_once_ends_handlers_and_replies() {
    let (router, entered, _release) = gated();
    let router = router.route("/large", get(|| async { vec![b'x'; 1 << 20] }));
    let https = Https::start(router, settings()).await;
    let mut connection = https.connect().await;
    // One whose reply is not taken, and one whose handler does not answer.
    let _stalled = connection.get("/large").await;
    let mut requests = connection.requests.clone();
    let request = Request::get("https://x/").body(Full::default()).unwrap();
    let waiting = tokio::spawn(async move { requests.send_request(request).await });
    soon(entered.notified()).await;
    https.server.stop.drain.cancel();
    https.server.stop.now.cancel();
    soon(https.server.task).await.unwrap();
    assert!(soon(waiting).await.unwrap().is_err());
}

#[tokio::test]
async fn draining_finishes_what_runs_and_says_goodbye() {
    let (router, entered, release) = gated();
    let https = Https::start(router, settings()).await;
    let connection = https.connect().await;
    let mut requests = connection.requests.clone();
    let running = tokio::spawn(async move {
        let request = Request::get("https://x/")
            .body(Full::<Bytes>::default())
            .unwrap();
        let reply = requests.send_request(request).await.unwrap();
        reply.into_body().collect().await.unwrap().to_bytes()
    });
    soon(entered.notified()).await;
    https.server.stop.drain.cancel();
    while TcpStream::connect(https.server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    release.notify_one();
    assert_eq!(soon(running).await.unwrap(), "finished");
    soon(connection.task).await.unwrap().unwrap();
    soon(https.server.task).await.unwrap();
}
