//! Several repositories in one server.

use std::time::Duration;

use axum::http::Method;
use chartroom::http::settings::{ContextPath, Depth};
use chartroom_storage::RepositoryPath;

use crate::support::{Builder, TestServer, chart, provenance};

fn at(depth: Depth) -> Builder {
    TestServer::builder().settings(|settings| settings.depth = depth)
}

fn path(text: &str) -> RepositoryPath {
    RepositoryPath::parse(text).unwrap()
}

async fn upload(server: &TestServer, repository: &str, name: &str, version: &str) {
    let slash = if repository.is_empty() { "" } else { "/" };
    let path = format!("/api{slash}{repository}/charts");
    let reply = server.post(&path, chart(name, version)).await;
    assert_eq!(reply.status, 201, "{repository}: {reply}");
}

#[tokio::test]
async fn siblings_with_the_same_beginning_never_see_each_other() {
    let server = at(Depth::Fixed(1)).build().await;
    let repositories = ["a", "aa", "org", "org-org", "charts", "api"];
    for repository in repositories {
        upload(&server, repository, &format!("of-{repository}"), "1.0.0").await;
    }
    for repository in repositories {
        let own = format!("of-{repository}");
        let list = server.get(&format!("/api/{repository}/charts")).await;
        let list: serde_json::Map<_, _> = serde_json::from_slice(&list.body).unwrap();
        assert_eq!(list.keys().collect::<Vec<_>>(), [&own]);
        for other in repositories {
            let file = format!("/{repository}/charts/of-{other}-1.0.0.tgz");
            let expected = if repository == other { 200 } else { 404 };
            assert_eq!(server.get(&file).await.status, expected, "{file}");
            let version = format!("/api/{repository}/charts/of-{other}/1.0.0");
            assert_eq!(server.get(&version).await.status, expected, "{version}");
        }
    }
    let delete = server
        .request(Method::DELETE, "/api/a/charts/of-aa/1.0.0", &[])
        .await;
    assert_eq!(delete.status, 404);
    assert_eq!(server.get("/aa/charts/of-aa-1.0.0.tgz").await.status, 200);
}

#[tokio::test]
async fn a_dynamic_depth_has_repositories_within_repositories() {
    let server = at(Depth::Dynamic).build().await;
    for repository in ["", "org", "org/team", "org/team/sub"] {
        upload(&server, repository, "one", "1.0.0").await;
    }
    for index in [
        "/index.yaml",
        "/org/index.yaml",
        "/org/team/index.yaml",
        "/org/team/sub/index.yaml",
    ] {
        let reply = server.get(index).await;
        assert!(reply.text().contains("- charts/one-1.0.0.tgz"), "{reply}");
    }
    let delete = server
        .request(Method::DELETE, "/api/org/team/charts/one/1.0.0", &[])
        .await;
    assert_eq!(delete.status, 200);
    for (file, status) in [
        ("/charts/one-1.0.0.tgz", 200),
        ("/org/charts/one-1.0.0.tgz", 200),
        ("/org/team/charts/one-1.0.0.tgz", 404),
        ("/org/team/sub/charts/one-1.0.0.tgz", 200),
    ] {
        assert_eq!(server.get(file).await.status, status, "{file}");
    }
}

#[tokio::test]
async fn an_unknown_repository_reads_as_empty_and_leaves_nothing() {
    let server = at(Depth::Fixed(1)).build().await;
    for repository in (0..200).map(|number| format!("none{number}")) {
        let index = server.get(&format!("/{repository}/index.yaml")).await;
        assert_eq!(index.status, 200);
        assert!(index.text().contains("entries: {}"), "{index}");
        let list = server.get(&format!("/api/{repository}/charts")).await;
        assert_eq!(list.text(), "{}");
        for missing in [
            format!("/{repository}/charts/a-1.0.0.tgz"),
            format!("/{repository}/charts/a-1.0.0.tgz.prov"),
            format!("/api/{repository}/charts/a"),
            format!("/api/{repository}/charts/a/1.0.0"),
        ] {
            assert_eq!(server.get(&missing).await.status, 404, "{missing}");
        }
        let delete = format!("/api/{repository}/charts/a/1.0.0");
        let delete = server.request(Method::DELETE, &delete, &[]).await;
        assert_eq!(delete.status, 404);
        let charts = format!("/api/{repository}/charts");
        assert_eq!(server.post(&charts, "junk").await.status, 400);
    }
    assert!(server.repositories.all_loaded().is_empty());
    assert_eq!(server.store.list_repositories().await.unwrap(), []);
    // And a reader that has seen a generation is not told that there is none.
    let headers = [("x-chartroom-min-generation", "3")];
    let behind = server.request(Method::GET, "/none/index.yaml", &headers);
    assert_eq!(behind.await.status, 503);
}

#[tokio::test]
async fn an_unknown_repository_is_there_with_its_first_upload() {
    let server = at(Depth::Fixed(2)).build().await;
    assert_eq!(server.get("/o/t/index.yaml").await.status, 200);
    upload(&server, "o/t", "one", "1.0.0").await;
    let index = server.get("/o/t/index.yaml").await;
    assert!(index.text().contains("one-1.0.0.tgz"), "{index}");
    assert_eq!(index.header("x-chartroom-generation"), "1");
    let prov = server
        .post("/api/p/q/prov", provenance("one", "1.0.0"))
        .await;
    assert_eq!(prov.status, 201);
    let stored = server.get("/p/q/charts/one-1.0.0.tgz.prov").await;
    assert_eq!(stored.status, 200);
}

#[tokio::test]
async fn nothing_outside_of_the_store_is_read_or_written_by_a_path() {
    for depth in [Depth::Fixed(1), Depth::Dynamic] {
        let server = at(depth).build().await;
        for path in [
            "/api/../charts",
            "/api/%2e%2e/charts",
            "/api/..%2f..%2fetc/charts",
            "/api/.chartroom/charts",
            "/api/a%5c..%5cb/charts",
        ] {
            let reply = server.post(path, chart("one", "1.0.0")).await;
            let is_inside = path.contains("%5c");
            assert_eq!(reply.status == 404, !is_inside, "{path}: {reply}");
        }
        for path in [
            "/../index.yaml",
            "/../charts/one-1.0.0.tgz",
            "/.chartroom/charts/one-1.0.0.tgz",
            "/a/charts/..%2f..%2fone-1.0.0.tgz",
            "/a/charts/..%5cone-1.0.0.tgz",
        ] {
            assert_eq!(server.get(path).await.status, 404, "{path}");
        }
    }
}

#[tokio::test]
async fn a_repository_is_listed_at_its_depth() {
    let server = at(Depth::Fixed(1)).build().await;
    for repository in ["b", "a", "a-b"] {
        upload(&server, repository, "one", "1.0.0").await;
    }
    let list = server.get("/api/repos").await;
    assert_eq!(
        list.text(),
        r#"{"repositories":["a","a-b","b"],"more":false}"#
    );
    let page = server.get("/api/repos?offset=1&limit=1").await;
    assert_eq!(page.text(), r#"{"repositories":["a-b"],"more":true}"#);

    let server = at(Depth::Dynamic).build().await;
    assert_eq!(
        server.get("/api/repos").await.text(),
        r#"{"repositories":[],"more":false}"#
    );
    for repository in ["", "o/t", "o/t/u"] {
        upload(&server, repository, "one", "1.0.0").await;
    }
    let list = server.get("/api/repos").await;
    assert_eq!(
        list.text(),
        r#"{"repositories":["","o/t","o/t/u"],"more":false}"#
    );
}

#[tokio::test(start_paused = true)]
async fn an_unused_repository_leaves_memory_and_comes_back() {
    let server = at(Depth::Fixed(1))
        .options(|options| options.idle_after = Duration::from_mins(1))
        .build()
        .await;
    for repository in ["a", "b"] {
        upload(&server, repository, "one", "1.0.0").await;
    }
    let loaded = || {
        let loaded = server.repositories.all_loaded();
        loaded.into_iter().map(|(path, _)| path).collect::<Vec<_>>()
    };
    assert_eq!(loaded(), [path("a"), path("b")]);
    for _ in 0..7 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(server.get("/a/index.yaml").await.status, 200);
    }
    assert_eq!(loaded(), [path("a")]);
    let back = server.get("/b/charts/one-1.0.0.tgz").await;
    assert_eq!(back.status, 200);
    assert_eq!(loaded(), [path("a"), path("b")]);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_most_repositories_the_longest_unused_leaves() {
    let server = at(Depth::Fixed(1))
        .options(|options| options.max_loaded = 2)
        .build()
        .await;
    for repository in ["a", "b", "c", "d"] {
        upload(&server, repository, "one", "1.0.0").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Somebody who works with one keeps it.
    let held = server.repositories.writer(&path("a")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let loaded = server.repositories.all_loaded();
    let loaded: Vec<_> = loaded.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(loaded, ["a", "d"]);
    assert_eq!(held.latest_known().generation, 1);
}

#[tokio::test]
async fn a_context_path_stands_before_everything_and_is_in_the_index() {
    let server = TestServer::builder()
        .settings(|settings| {
            settings.context_path = ContextPath::parse("/ctx").unwrap();
            settings.depth = Depth::Fixed(1);
        })
        .build()
        .await;
    let reply = server
        .post("/ctx/api/org/charts", chart("one", "1.0.0"))
        .await;
    assert_eq!(reply.status, 201);
    let index = server.get("/ctx/org/index.yaml").await;
    assert!(
        index.text().ends_with("serverInfo:\n  contextPath: /ctx\n"),
        "{index}"
    );
    let file = server.get("/ctx/org/charts/one-1.0.0.tgz").await;
    assert_eq!(file.status, 200);
    for path in [
        "/org/index.yaml",
        "/ctxorg/index.yaml",
        "/ctx-a/org/index.yaml",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let plain = at(Depth::Fixed(1)).build().await;
    let index = plain.get("/org/index.yaml").await;
    assert!(!index.text().contains("serverInfo"), "{index}");
}

#[tokio::test]
async fn a_chart_url_is_completed_by_context_path_and_repository() {
    for (depth, prefix, url) in [
        (
            Depth::Fixed(0),
            "",
            "https://x.io/base/charts/one-1.0.0+b.tgz",
        ),
        (
            Depth::Fixed(1),
            "/org",
            "https://x.io/base/org/charts/one-1.0.0+b.tgz",
        ),
    ] {
        let server = at(depth)
            .options(|options| options.chart_url = Some("https://x.io/base".to_owned()))
            .build()
            .await;
        upload(&server, prefix.trim_start_matches('/'), "one", "1.0.0+b").await;
        let index = server.get(&format!("{prefix}/index.yaml")).await;
        assert!(index.text().contains(&format!("- {url}\n")), "{index}");
        let other = at(depth).build().await;
        upload(&other, prefix.trim_start_matches('/'), "one", "1.0.0+b").await;
        let other = other.get(&format!("{prefix}/index.yaml")).await;
        let variant = |etag: &str| etag.trim_matches('"').split('-').count();
        assert_eq!(variant(index.header("etag")), 4, "{index}");
        assert_eq!(variant(other.header("etag")), 3, "{other}");
    }
}

#[tokio::test]
async fn the_api_and_deletion_can_be_switched_off() {
    let server = TestServer::builder()
        .settings(|settings| settings.delete = false)
        .build()
        .await;
    upload(&server, "", "one", "1.0.0").await;
    let delete = server
        .request(Method::DELETE, "/api/charts/one/1.0.0", &[])
        .await;
    assert_eq!(
        (delete.status.as_u16(), delete.header("allow")),
        (405, "GET, HEAD")
    );
    let server = TestServer::builder()
        .store(server.store.clone())
        .settings(|settings| settings.api = false)
        .build()
        .await;
    assert_eq!(server.get("/charts/one-1.0.0.tgz").await.status, 200);
    for path in ["/api/charts", "/api/charts/one", "/api/repos"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let upload = server.post("/api/charts", chart("two", "1.0.0")).await;
    assert_eq!(upload.status, 404);
}
