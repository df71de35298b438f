//! Requests that are refused before anybody asks who sends them.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use axum::body::Body;
use axum::http::{Method, Request};
use chartroom::http::settings::Settings;
use chartroom::http::{Client, Hosts, TrustedProxies};

use crate::support::{Reply, TestServer, chart};

async fn with(change: impl FnOnce(&mut Settings)) -> TestServer {
    TestServer::builder().settings(change).build().await
}

async fn ask(
    server: &TestServer,
    method: Method,
    path: &str,
    peer: &str,
    headers: &[(&str, &str)],
) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(Client::at(peer));
    server.send(request).await
}

#[tokio::test]
async fn a_client_beyond_its_rate_is_told_when_to_come_back_and_probes_are_answered() {
    let server = with(|settings| settings.client_rate = NonZeroU32::new(1)).await;
    let get = async |path: &str, peer: &str| ask(&server, Method::GET, path, peer, &[]).await;
    for _ in 0..10 {
        assert_eq!(get("/index.yaml", "192.0.2.1:1").await.status, 200);
    }
    // Paths that do not exist count, too.
    for path in ["/index.yaml", "/nothing"] {
        let refused = get(path, "192.0.2.1:2").await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("retry-after")),
            (429, "1")
        );
    }
    insta::assert_snapshot!(
        get("/index.yaml", "192.0.2.1:3").await.text(),
        @r#"{"error":"too many requests","hint":"try again after the time in Retry-After; the limit is set with --client-rate"}"#
    );
    assert_eq!(get("/health", "192.0.2.1:4").await.status, 200);
    assert_eq!(get("/ready", "192.0.2.1:5").await.status, 200);
    assert_eq!(get("/index.yaml", "192.0.2.2:1").await.status, 200);
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_are_told_apart() {
    let proxies = TrustedProxies::from(vec!["10.0.0.0/8".parse().unwrap()]);
    let server = with(|settings| {
        settings.client_rate = NonZeroU32::new(1);
        settings.trusted_proxies = proxies;
    })
    .await;
    let get = async |peer: &str, client: &str| {
        let headers = [("x-forwarded-for", client)];
        let reply = ask(&server, Method::GET, "/index.yaml", peer, &headers).await;
        reply.status.as_u16()
    };
    for _ in 0..10 {
        assert_eq!(get("10.0.0.1:1", "192.0.2.1").await, 200);
    }
    assert_eq!(get("10.0.0.2:1", "198.51.100.9, 192.0.2.1").await, 429);
    assert_eq!(get("10.0.0.1:1", "192.0.2.2").await, 200);
    // Whoever is not trusted is one client, whatever it says.
    for number in 0..10 {
        assert_eq!(get("192.0.2.7:1", &format!("192.0.2.{number}")).await, 200);
    }
    assert_eq!(get("192.0.2.7:1", "192.0.2.99").await, 429);
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let server = TestServer::start().await;
    let host = ("host", "localhost:8879");
    let send = async |method: Method, path: &str, headers: &[(&str, &str)]| {
        let body = chart("a", "1.0.0").into();
        server.post_as(method, path, headers, body).await
    };
    let foreign = [host, ("origin", "https://evil.example")];
    for (method, path) in [
        (Method::POST, "/api/charts"),
        (Method::POST, "/api/charts?force"),
        (Method::POST, "/api/prov"),
        (Method::DELETE, "/api/charts/a/1.0.0"),
        (Method::PUT, "/nothing"),
    ] {
        let refused = send(method, path, &foreign).await;
        assert_eq!(refused.status, 403, "{path}");
        assert_eq!(refused.header("connection"), "close");
    }
    let refused = send(Method::POST, "/api/charts", &[host, ("origin", "null")]).await;
    insta::assert_snapshot!(
        refused.text(),
        @r#"{"error":"a web page of another origin may not change anything","hint":"send the request from a program, or name the page's origin with --cors-alloworigin"}"#
    );
    assert!(server.stored().await.is_empty());
    let own = [host, ("origin", "http://localhost:8879")];
    assert_eq!(send(Method::POST, "/api/charts", &own).await.status, 201);
    let read = server.request(Method::GET, "/index.yaml", &foreign).await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn a_server_on_a_loopback_address_answers_to_its_own_names_only() {
    let names = vec!["charts.example".to_owned()];
    let server = with(|settings| settings.hosts = Hosts::Loopback(names)).await;
    for (host, status) in [
        ("localhost:8879", 200),
        ("127.0.0.1", 200),
        ("charts.example", 200),
        ("evil.example:8879", 421),
    ] {
        for path in ["/index.yaml", "/api/charts", "/health", "/"] {
            let reply = server.request(Method::GET, path, &[("host", host)]).await;
            assert_eq!(reply.status, status, "{host} {path}");
        }
    }
    let refused = server
        .request(Method::GET, "/", &[("host", "evil.example")])
        .await;
    insta::assert_snapshot!(
        refused.text(),
        @r#"{"error":"the host is not a name of this server","hint":"a server that listens on a loopback address answers to localhost and to the names in --allowed-hosts"}"#
    );
    let two = [("host", "localhost"), ("host", "evil.example")];
    let refused = server.request(Method::GET, "/index.yaml", &two).await;
    assert_eq!(refused.status, 400);
}
