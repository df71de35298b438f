//! index.yaml: formats, encodings, conditional requests, and where it is.

use std::io::Read;

use axum::http::Method;
use chartroom::http::settings::IndexFormat;

use crate::support::{Reply, TestServer, chart};

const HELM: (&str, &str) = ("user-agent", "Helm/3.19.0");
const GZIP: (&str, &str) = ("accept-encoding", "gzip");

async fn with_one_chart() -> TestServer {
    let server = TestServer::start().await;
    assert_eq!(
        server
            .post("/api/charts", chart("one", "1.0.0"))
            .await
            .status,
        201
    );
    server
}

async fn index(server: &TestServer, headers: &[(&str, &str)]) -> Reply {
    server.request(Method::GET, "/index.yaml", headers).await
}

#[tokio::test]
async fn helm_gets_json_and_everybody_else_yaml() {
    let server = with_one_chart().await;
    let yaml = index(&server, &[]).await;
    assert_eq!(
        (yaml.status.as_u16(), yaml.header("content-type")),
        (200, "application/x-yaml")
    );
    assert!(
        yaml.text().starts_with("apiVersion: v1\n"),
        "{}",
        yaml.text()
    );
    let json = index(&server, &[HELM]).await;
    assert_eq!(json.header("content-type"), "application/json");
    let parsed: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    assert_eq!(
        parsed["entries"]["one"][0]["urls"][0],
        "charts/one-1.0.0.tgz"
    );
    assert_ne!(yaml.header("etag"), json.header("etag"));
    for reply in [yaml, json] {
        assert_eq!(reply.header("vary"), "User-Agent, Accept-Encoding");
        assert_eq!(reply.header("cache-control"), "no-cache");
        assert_eq!(reply.header("x-chartroom-generation"), "1");
        assert_eq!(reply.header("content-length"), reply.body.len().to_string());
        assert_eq!(reply.header("content-encoding"), "");
    }
}

#[tokio::test]
async fn a_configured_format_is_for_all_clients() {
    for (format, media_type) in [
        (IndexFormat::Yaml, "application/x-yaml"),
        (IndexFormat::Json, "application/json"),
    ] {
        let server = TestServer::builder()
            .settings(|settings| settings.index_format = format)
            .build()
            .await;
        for headers in [&[HELM][..], &[]] {
            let reply = index(&server, headers).await;
            assert_eq!(reply.header("content-type"), media_type);
            assert_eq!(reply.header("vary"), "Accept-Encoding");
        }
    }
}

#[tokio::test]
async fn both_repository_urls_have_the_same_index() {
    let server = with_one_chart().await;
    let below = server.get("/charts/index.yaml").await;
    let root = server.get("/index.yaml").await;
    assert_eq!(below.body, root.body);
    assert_eq!(below.header("etag"), root.header("etag"));
}

#[tokio::test]
async fn gzip_is_for_those_who_ask_and_has_a_weak_tag() {
    let server = with_one_chart().await;
    let plain = index(&server, &[]).await;
    let packed = index(&server, &[GZIP]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.header("etag").starts_with("W/\"") && plain.header("etag").starts_with('"'));
    assert_eq!(
        packed.header("content-length"),
        packed.body.len().to_string()
    );
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, plain.text());
}

#[tokio::test]
async fn a_client_that_has_the_index_gets_304_until_it_changes() {
    let server = with_one_chart().await;
    for headers in [&[][..], &[GZIP], &[HELM], &[HELM, GZIP]] {
        let first = index(&server, headers).await;
        let etag = first.header("etag");
        let again = index(&server, &[headers, &[("if-none-match", etag)]].concat()).await;
        assert_eq!(again.status, 304);
        assert_eq!(again.body.len(), 0);
        for name in ["etag", "vary", "cache-control", "x-chartroom-generation"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
    }
    let old = index(&server, &[]).await.header("etag").to_owned();
    server.post("/api/charts", chart("two", "1.0.0")).await;
    let changed = index(&server, &[("if-none-match", &old)]).await;
    assert_eq!(
        (
            changed.status.as_u16(),
            changed.header("x-chartroom-generation")
        ),
        (200, "2")
    );
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let server = with_one_chart().await;
    for headers in [&[][..], &[GZIP], &[HELM]] {
        let get = index(&server, headers).await;
        let head = server.request(Method::HEAD, "/index.yaml", headers).await;
        assert_eq!(head.body.len(), 0);
        let without_id = |reply: &Reply| {
            let mut headers = reply.headers.clone();
            headers.remove("x-request-id");
            headers
        };
        assert_eq!(without_id(&head), without_id(&get));
    }
}

#[tokio::test]
async fn a_generation_that_is_not_reached_is_503_and_a_malformed_one_400() {
    let server = with_one_chart().await;
    let reached = index(&server, &[("x-chartroom-min-generation", "1")]).await;
    assert_eq!(reached.status, 200);
    let behind = index(
        &server,
        &[
            ("x-chartroom-min-generation", "2"),
            ("x-request-id", "id-1"),
        ],
    )
    .await;
    insta::assert_snapshot!(behind, @r#"
    503
    cache-control: no-cache
    content-length: 132
    content-type: application/json; charset=utf-8
    retry-after: 1
    x-chartroom-generation: 1
    x-request-id: <…>

    {"error":"the repository has not reached the wanted generation","hint":"it is at generation 1, 2 was asked for","request_id":"id-1"}
    "#);
    let malformed = index(&server, &[("x-chartroom-min-generation", "soon")]).await;
    assert_eq!(malformed.status, 400);
}
