//! The route table, and what is around every route.

use axum::http::Method;
use chartroom::http::routes::ROUTES;
use chartroom_storage::RepositoryPath;

use crate::archive_builder::ArchiveBuilder;
use crate::support::{TestServer, chart};

/// A path that the pattern captures, and that exists for a GET.
pub(crate) fn path_of(pattern: &str) -> String {
    pattern
        .replace("{file}", "one-1.0.0.tgz")
        .replace("{name}", "one")
        .replace("{version}", "1.0.0")
}

#[tokio::test]
async fn every_row_is_answered_and_every_get_has_a_head() {
    let server = TestServer::builder()
        .settings(|settings| {
            let id = "4a2e".to_owned();
            settings.artifact_hub_ids.insert(RepositoryPath::root(), id);
            settings.metrics = true;
        })
        .build()
        .await;
    let archive = || {
        ArchiveBuilder::chart("one", "1.0.0")
            .file("one/values.yaml", "")
            .tgz()
    };
    server.post("/api/charts", archive()).await;
    for route in ROUTES {
        let reply = server
            .request(route.method.clone(), &path_of(route.pattern), &[])
            .await;
        let expected = if route.method == Method::POST {
            400
        } else {
            200
        };
        assert_eq!(reply.status, expected, "{route:?}: {reply}");
        if route.method == Method::DELETE {
            server.post("/api/charts", archive()).await;
        }
        let is_head = |other: &&chartroom::http::routes::Route| {
            other.method == Method::HEAD && other.pattern == route.pattern
        };
        assert!(
            route.method != Method::GET || ROUTES.iter().find(is_head).is_some(),
            "{route:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_names_the_right_ones() {
    let server = TestServer::start().await;
    for (path, allow) in [
        ("/index.yaml", "GET, HEAD"),
        ("/charts/one-1.0.0.tgz", "GET, HEAD"),
        ("/api/charts", "GET, HEAD, POST"),
        ("/api/prov", "POST"),
        ("/api/charts/one/1.0.0", "GET, HEAD, DELETE"),
    ] {
        let reply = server.request(Method::PUT, path, &[]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("allow")),
            (405, allow),
            "{path}"
        );
    }
    let reply = server.request(Method::OPTIONS, "/index.yaml", &[]).await;
    insta::assert_snapshot!(reply, @r#"
    405
    allow: GET, HEAD
    cache-control: no-cache
    content-length: 87
    content-type: application/json; charset=utf-8
    x-request-id: <…>

    {"error":"method not allowed","hint":"the Allow header names the methods of this path"}
    "#);
}

#[tokio::test]
async fn an_unknown_path_is_404() {
    let server = TestServer::start().await;
    let reply = server.get("/nothing/here").await;
    insta::assert_snapshot!(reply, @r#"
    404
    cache-control: no-cache
    content-length: 21
    content-type: application/json; charset=utf-8
    x-request-id: <…>

    {"error":"not found"}
    "#);
    for path in [
        "/index.yaml/",
        "//index.yaml",
        "/../index.yaml",
        "/charts",
        "/api",
        "/metrics",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for path in ["/charts/%ff.tgz", "/api/charts/%ff"] {
        assert_eq!(server.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn every_reply_has_a_request_id_the_clients_own_if_it_is_sane() {
    let server = TestServer::start().await;
    for path in ["/health", "/nothing", "/index.yaml"] {
        let echoed = server
            .request(Method::GET, path, &[("x-request-id", "abc-1")])
            .await;
        assert_eq!(echoed.header("x-request-id"), "abc-1");
        for id in ["with space", "", &"x".repeat(129)] {
            let fresh = server
                .request(Method::GET, path, &[("x-request-id", id)])
                .await;
            let fresh: uuid::Uuid = fresh.header("x-request-id").parse().unwrap();
            assert_eq!(fresh.get_version_num(), 4);
        }
    }
}

#[tokio::test]
async fn replies_of_the_repository_say_its_generation_and_those_of_the_server_do_not() {
    let server = TestServer::start().await;
    server.post("/api/charts", chart("one", "1.0.0")).await;
    for (path, generation) in [
        ("/index.yaml", "1"),
        ("/charts/one-1.0.0.tgz", "1"),
        ("/charts/none-1.0.0.tgz", "1"),
        ("/api/charts", "1"),
        ("/api/charts/none", "1"),
        ("/health", ""),
        ("/ready", ""),
        ("/info", ""),
        ("/", "1"),
        ("/nothing", ""),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.header("x-chartroom-generation"), generation, "{path}");
    }
}

#[tokio::test]
async fn probes_answer_without_a_chart() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/health").await.text(), r#"{"healthy":true}"#);
    assert_eq!(server.get("/ready").await.text(), r#"{"ready":true}"#);
    assert!(
        server
            .get("/info")
            .await
            .text()
            .starts_with(r#"{"version":""#)
    );
}
