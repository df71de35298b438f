//! The JSON API: lists, charts, versions, removal.

use axum::http::Method;

use crate::support::{TestServer, chart, provenance, steady};

async fn with_charts(charts: &[(&str, &str)]) -> TestServer {
    let server = TestServer::start().await;
    for (name, version) in charts {
        let reply = server.post("/api/charts", chart(name, version)).await;
        assert_eq!(reply.status, 201, "{reply}");
    }
    server
}

#[tokio::test]
async fn the_list_is_by_name_and_newest_first() {
    let server = with_charts(&[
        ("b", "1.0.0"),
        ("a", "1.0.0"),
        ("a", "1.10.0"),
        ("a", "1.9.0"),
    ])
    .await;
    let reply = server.get("/api/charts").await;
    insta::assert_snapshot!(steady(reply.text()), @r#"{"a":[{"name":"a","version":"1.10.0","description":"One \u003cb\u003e \u0026 two","apiVersion":"v2","urls":["charts/a-1.10.0.tgz"],"created":"<time>","digest":"<digest>"},{"name":"a","version":"1.9.0","description":"One \u003cb\u003e \u0026 two","apiVersion":"v2","urls":["charts/a-1.9.0.tgz"],"created":"<time>","digest":"<digest>"},{"name":"a","version":"1.0.0","description":"One \u003cb\u003e \u0026 two","apiVersion":"v2","urls":["charts/a-1.0.0.tgz"],"created":"<time>","digest":"<digest>"}],"b":[{"name":"b","version":"1.0.0","description":"One \u003cb\u003e \u0026 two","apiVersion":"v2","urls":["charts/b-1.0.0.tgz"],"created":"<time>","digest":"<digest>"}]}"#);
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
    let empty = with_charts(&[]).await.get("/api/charts").await;
    assert_eq!((empty.status.as_u16(), empty.text()), (200, "{}"));
}

#[tokio::test]
async fn a_page_counts_names() {
    let server = with_charts(&[("a", "1.0.0"), ("b", "1.0.0"), ("c", "1.0.0")]).await;
    for (query, names) in [
        ("?limit=1", &["a"][..]),
        ("?offset=1", &["b", "c"]),
        ("?offset=1&limit=1", &["b"]),
        ("?offset=9", &[]),
        (
            "?offset=18446744073709551615&limit=18446744073709551615",
            &[],
        ),
    ] {
        let reply = server.get(&format!("/api/charts{query}")).await;
        let list: serde_json::Map<_, _> = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(list.keys().collect::<Vec<_>>(), names, "{query}");
    }
    for (query, error) in [
        ("?offset=-1", "offset is not a valid non-negative integer"),
        (
            "?offset=&limit=0",
            "offset is not a valid non-negative integer",
        ),
        ("?limit=0", "limit is not a valid positive integer"),
        ("?limit=", "limit is not a valid positive integer"),
    ] {
        let reply = server.get(&format!("/api/charts{query}")).await;
        let expected = format!(r#"{{"error":"{error}"}}"#);
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (400, &*expected),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_version_is_found_exactly_as_latest_or_by_a_constraint() {
    let versions = [
        ("a", "1.0.0"),
        ("a", "1.2.0"),
        ("a", "2.0.0-rc.1"),
        ("a", "1.0.0+b1"),
    ];
    let server = with_charts(&versions).await;
    for (wanted, found) in [
        ("latest", "1.2.0"),
        ("1.0.0", "1.0.0"),
        ("1.0.0+b1", "1.0.0+b1"),
        ("1.0.0%2Bb1", "1.0.0+b1"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("1.2", "1.2.0"),
    ] {
        let reply = server.get(&format!("/api/charts/a/{wanted}")).await;
        assert_eq!(reply.status, 200, "{wanted}: {reply}");
        let version: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(version["version"], found, "{wanted}");
    }
    let one = server.get("/api/charts/a/1.2.0").await;
    insta::assert_snapshot!(steady(one.text()), @r#"{"name":"a","version":"1.2.0","description":"One \u003cb\u003e \u0026 two","apiVersion":"v2","urls":["charts/a-1.2.0.tgz"],"created":"<time>","digest":"<digest>"}"#);
}

#[tokio::test]
async fn latest_of_a_chart_with_pre_releases_only_is_the_newest_of_them() {
    let server = with_charts(&[("a", "1.0.0-a"), ("a", "1.0.0-b")]).await;
    let reply = server.get("/api/charts/a/latest").await;
    assert!(reply.text().contains(r#""version":"1.0.0-b""#), "{reply}");
}

#[tokio::test]
async fn what_is_not_there_is_404_in_chartmuseums_words() {
    let server = with_charts(&[("a", "1.0.0")]).await;
    for (path, error) in [
        ("/api/charts/none", "chart not found"),
        ("/api/charts/none/1.0.0", "no chart name found"),
        ("/api/charts/none/latest", "no chart name found"),
        ("/api/charts/a/9.9.9", "no chart version found for a-9.9.9"),
        (
            "/api/charts/a/%3Cx%3E",
            "improper constraint: \\u003cx\\u003e",
        ),
        ("/api/charts/a/1.0.0/values/x", "not found"),
    ] {
        let reply = server.get(path).await;
        let expected = format!(r#"{{"error":"{error}"}}"#);
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (404, &*expected),
            "{path}"
        );
    }
    for (path, status) in [
        ("/api/charts/a", 200),
        ("/api/charts/a/1.0.0", 200),
        ("/api/charts/none", 404),
        ("/api/charts/a/2.0.0", 404),
    ] {
        let head = server.request(Method::HEAD, path, &[]).await;
        assert_eq!(
            (head.status.as_u16(), head.body.len()),
            (status, 0),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_removed_version_is_gone_with_its_provenance() {
    let server = with_charts(&[("a", "1.0.0+b1"), ("a", "2.0.0")]).await;
    server.post("/api/prov", provenance("a", "1.0.0+b1")).await;
    let reply = server
        .request(Method::DELETE, "/api/charts/a/1.0.0%2Bb1", &[])
        .await;
    insta::assert_snapshot!(reply, @r#"
    200
    cache-control: no-cache
    content-length: 16
    content-type: application/json; charset=utf-8
    x-chartroom-generation: 4
    x-request-id: <…>

    {"deleted":true}
    "#);
    assert_eq!(server.stored().await, ["a-2.0.0.tgz"]);
    assert!(!server.get("/index.yaml").await.text().contains("b1"));
    for path in [
        "/api/charts/a/1.0.0+b1",
        "/api/charts/a/latest",
        "/api/charts/%2e%2e/x",
    ] {
        let again = server.request(Method::DELETE, path, &[]).await;
        assert_eq!(again.status, 404, "{path}");
    }
    assert_eq!(server.stored().await, ["a-2.0.0.tgz"]);
}
