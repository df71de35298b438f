//! Limits of what a repository holds.

use std::time::Duration;

use axum::http::Method;
use bytes::Bytes;
use chartroom::repository::RegistryOptions;

use crate::support::{TestServer, chart, provenance};

async fn with(change: impl FnOnce(&mut RegistryOptions)) -> TestServer {
    TestServer::builder().options(change).build().await
}

async fn status(server: &TestServer, path: &str, body: impl Into<Bytes>) -> u16 {
    server.post(path, body).await.status.as_u16()
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        body.extend_from_slice(
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

async fn send_form(server: &TestServer, parts: &[(&str, &[u8])]) -> u16 {
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    let body = form(parts).into();
    let reply = server
        .post_as(Method::POST, "/api/charts", &headers, body)
        .await;
    reply.status.as_u16()
}

#[tokio::test]
async fn the_storage_limit_holds_on_every_route() {
    let server = with(|options| options.repository.max_objects = Some(2)).await;
    assert_eq!(
        status(&server, "/api/charts", chart("a", "1.0.0")).await,
        201
    );
    let prov = provenance("b", "1.0.0");
    // One more would be the last, two are one too many, and nothing of them is stored.
    let both = [
        ("chart", &chart("b", "1.0.0")[..]),
        ("prov", prov.as_bytes()),
    ];
    assert_eq!(send_form(&server, &both).await, 507);
    assert_eq!(server.stored().await, ["a-1.0.0.tgz"]);
    assert_eq!(status(&server, "/api/prov", prov.clone()).await, 201);
    let full = server.post("/api/charts", chart("b", "1.0.0")).await;
    assert_eq!(full.status, 507);
    let expected = r#"{"error":"repo has reached storage limit","hint":"the limit is 2 archives and provenance files (--max-storage-objects)""#;
    assert!(full.text().starts_with(expected), "{full}");
    assert_eq!(send_form(&server, &both[..1]).await, 507);
    assert_eq!(
        send_form(&server, &[("prov", provenance("c", "1").as_bytes())]).await,
        507
    );
    assert_eq!(
        status(&server, "/api/prov", provenance("c", "1")).await,
        507
    );
    // What is there can be replaced, and refused for what it is.
    assert_eq!(
        status(&server, "/api/charts?force", chart("a", "1.0.0")).await,
        201
    );
    assert_eq!(
        status(&server, "/api/charts", chart("a", "1.0.0")).await,
        409
    );
    assert_eq!(
        status(&server, "/api/charts?force", chart("b", "1.0.0")).await,
        507
    );
    assert_eq!(server.stored().await, ["a-1.0.0.tgz", "b-1.0.0.tgz.prov"]);
    let delete = server
        .request(Method::DELETE, "/api/charts/a/1.0.0", &[])
        .await;
    assert_eq!(delete.status, 200);
    assert_eq!(
        status(&server, "/api/charts", chart("b", "1.0.0")).await,
        201
    );
}

async fn versions(server: &TestServer) -> Vec<String> {
    let reply = server.get("/api/charts/a").await;
    let list: Vec<serde_json::Value> = serde_json::from_slice(&reply.body).unwrap();
    list.iter()
        .map(|version| version["version"].as_str().unwrap().to_owned())
        .collect()
}

/// Waits until the objects of removed versions are gone: they are deleted after the reply.
async fn stored(server: &TestServer, expected: &[&str]) {
    let wait = async {
        while server.stored().await != expected {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(5), wait).await;
    assert!(done.is_ok(), "{:?}", server.stored().await);
}

#[tokio::test]
async fn the_lowest_version_goes_with_its_provenance_when_one_is_too_many() {
    let server = with(|options| options.repository.per_chart_limit = Some(2)).await;
    for version in ["1.10.0", "1.9.0"] {
        let prov = provenance("a", version);
        let both = [
            ("chart", &chart("a", version)[..]),
            ("prov", prov.as_bytes()),
        ];
        assert_eq!(send_form(&server, &both).await, 201);
    }
    assert_eq!(
        status(&server, "/api/charts", chart("b", "0.1.0")).await,
        201
    );
    // By precedence, not by text: 1.9.0 is lower than 1.10.0.
    let reply = server.post("/api/charts", chart("a", "2.0.0")).await;
    assert_eq!(reply.status, 201);
    assert_eq!(versions(&server).await, ["2.0.0", "1.10.0"]);
    let kept = [
        "a-1.10.0.tgz",
        "a-1.10.0.tgz.prov",
        "a-2.0.0.tgz",
        "b-0.1.0.tgz",
    ];
    stored(&server, &kept).await;
    // A fix of an old version is not removed by its own upload.
    let fix = server.post("/api/charts", chart("a", "1.0.1")).await;
    assert_eq!(fix.status, 201);
    assert_eq!(versions(&server).await, ["2.0.0", "1.0.1"]);
    // One change set, so that no reader sees three versions or one.
    let generation = |text: &str| text.parse::<u64>().unwrap();
    let before = generation(fix.header("x-chartroom-generation"));
    stored(&server, &["a-1.0.1.tgz", "a-2.0.0.tgz", "b-0.1.0.tgz"]).await;
    let prerelease = server.post("/api/charts", chart("a", "2.0.0-rc.1")).await;
    let after = generation(prerelease.header("x-chartroom-generation"));
    // That one, and the end of the deletion before it.
    assert_eq!(after, before + 2);
    assert_eq!(versions(&server).await, ["2.0.0", "2.0.0-rc.1"]);
}

#[tokio::test]
async fn an_overwrite_at_the_limit_removes_nothing() {
    let server = with(|options| options.repository.per_chart_limit = Some(2)).await;
    for version in ["1.0.0", "2.0.0"] {
        assert_eq!(
            status(&server, "/api/charts", chart("a", version)).await,
            201
        );
    }
    for version in ["2.0.0", "1.0.0"] {
        let path = "/api/charts?force";
        assert_eq!(status(&server, path, chart("a", version)).await, 201);
        assert_eq!(versions(&server).await, ["2.0.0", "1.0.0"]);
    }
    assert_eq!(
        status(&server, "/api/charts?force", chart("a", "3.0.0")).await,
        201
    );
    assert_eq!(versions(&server).await, ["3.0.0", "2.0.0"]);
}

#[tokio::test]
async fn a_refused_upload_removes_nothing() {
    let server = with(|options| options.repository.per_chart_limit = Some(1)).await;
    assert_eq!(
        status(&server, "/api/charts", chart("a", "1.0.0")).await,
        201
    );
    assert_eq!(
        status(&server, "/api/charts", chart("a", "1.0.0")).await,
        409
    );
    assert_eq!(status(&server, "/api/charts", "junk").await, 400);
    assert_eq!(versions(&server).await, ["1.0.0"]);
}

#[tokio::test]
async fn a_limit_that_comes_later_is_reached_a_few_versions_at_a_time() {
    let all = TestServer::start().await;
    for number in 0..20 {
        let archive = chart("a", &format!("1.{number}.0"));
        assert_eq!(status(&all, "/api/charts", archive).await, 201);
    }
    let server = TestServer::builder()
        .store(all.store.clone())
        .options(|options| options.repository.per_chart_limit = Some(2))
        .build()
        .await;
    assert_eq!(
        status(&server, "/api/charts", chart("a", "2.0.0")).await,
        201
    );
    assert_eq!(versions(&server).await.len(), 5);
    assert_eq!(
        status(&server, "/api/charts", chart("a", "2.1.0")).await,
        201
    );
    assert_eq!(versions(&server).await, ["2.1.0", "2.0.0"]);
}

#[tokio::test]
async fn uploads_at_the_same_time_end_at_the_limit() {
    let server = with(|options| options.repository.per_chart_limit = Some(3)).await;
    let uploads = (0..12).map(|number| {
        let archive = chart("a", &format!("1.{number}.0"));
        server.post("/api/charts", archive)
    });
    let replies = futures_util::future::join_all(uploads).await;
    let taken = replies.iter().filter(|reply| reply.status == 201).count();
    let later = replies.iter().filter(|reply| reply.status == 503).count();
    assert_eq!(taken + later, 12, "{}", replies[0]);
    assert!(taken >= 3);
    assert_eq!(versions(&server).await.len(), 3);
}
