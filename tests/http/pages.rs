//! Pages for people with a browser. How they look is tested in `tests/browser`.

use axum::http::Method;
use chartroom::http::settings::{ContextPath, Depth};

use crate::support::{Reply, TestServer, archive, chart};

const HOST: (&str, &str) = ("host", "charts.example:8080");

async fn page(server: &TestServer, path: &str) -> Reply {
    let reply = server.request(Method::GET, path, &[HOST]).await;
    assert_eq!(reply.status, 200, "{path}: {reply}");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    reply
}

async fn upload(server: &TestServer, path: &str, archive: Vec<u8>) {
    let reply = server.post(path, archive).await;
    assert_eq!(reply.status, 201, "{reply}");
}

/// The values of all `href`s.
fn links(reply: &Reply) -> Vec<&str> {
    let parts = reply.text().split("href=\"").skip(1);
    parts.map(|part| part.split_once('"').unwrap().0).collect()
}

/// Resolves the links as a browser does and requests them.
async fn follow(server: &TestServer, path: &str) -> Vec<(String, u16)> {
    let base = url::Url::parse("http://charts.example:8080").unwrap();
    let base = base.join(path).unwrap();
    let mut followed = Vec::new();
    for link in links(&page(server, path).await) {
        let target = base.join(link).unwrap().path().to_owned();
        let reply = server.get(&target).await;
        followed.push((target, reply.status.as_u16()));
    }
    followed
}

#[tokio::test]
async fn the_page_is_safe_to_open_and_says_where_the_repository_is() {
    let server = TestServer::start().await;
    let name = "<script>alert(1)</script>";
    let yaml = format!("apiVersion: v2\nname: one\nversion: 1.0.0\ndescription: '{name}'\n");
    upload(&server, "/api/charts", archive(&yaml)).await;
    let page = page(&server, "/").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-cache");
    assert_eq!(page.header("x-chartroom-generation"), "1");
    assert_eq!(page.header("content-length"), page.body.len().to_string());
    assert!(!page.text().contains("<script"), "{page}");
    assert!(
        page.text()
            .contains("helm repo add local http://charts.example:8080<"),
        "{page}"
    );
    let head = server.request(Method::HEAD, "/", &[HOST]).await;
    assert!(head.body.is_empty());
    for (name, value) in &page.headers {
        if name != "x-request-id" {
            assert_eq!(head.headers.get(name), Some(value), "{name}");
        }
    }
}

#[tokio::test]
async fn links_lead_to_archives_wherever_the_page_is() {
    let server = TestServer::start().await;
    upload(&server, "/api/charts", chart("one", "1.0.0+b.1")).await;
    for (path, target) in [
        ("/", "/charts/one-1.0.0+b.1.tgz"),
        ("/charts/", "/charts/charts/one-1.0.0+b.1.tgz"),
    ] {
        assert_eq!(follow(&server, path).await, [(target.to_owned(), 200)]);
    }
    let page = page(&server, "/charts/").await;
    assert!(
        page.text()
            .contains("helm repo add local http://charts.example:8080/charts<")
    );

    let server = TestServer::builder()
        .settings(|settings| {
            settings.context_path = ContextPath::parse("/a/ctx").unwrap();
            settings.depth = Depth::Fixed(1);
        })
        .build()
        .await;
    upload(
        &server,
        "/a/ctx/api/org x/charts".replace(' ', "%20").as_str(),
        chart("one", "1.0.0"),
    )
    .await;
    for (path, target) in [
        ("/a/ctx", "/a/ctx/org%20x/"),
        ("/a/ctx/", "/a/ctx/org%20x/"),
        ("/a/ctx/org%20x/", "/a/ctx/org%20x/charts/one-1.0.0.tgz"),
        (
            "/a/ctx/org%20x/charts/",
            "/a/ctx/org%20x/charts/charts/one-1.0.0.tgz",
        ),
    ] {
        assert_eq!(
            follow(&server, path).await,
            [(target.to_owned(), 200)],
            "{path}"
        );
    }
    let page = page_of(&server, "/a/ctx/org%20x/").await;
    assert!(
        page.contains("helm repo add org-x http://charts.example:8080/a/ctx/org%20x<"),
        "{page}"
    );

    let server = TestServer::builder()
        .settings(|settings| settings.context_path = ContextPath::parse("ctx").unwrap())
        .build()
        .await;
    upload(&server, "/ctx/api/charts", chart("one", "1.0.0")).await;
    for path in ["/ctx", "/ctx/"] {
        let target = "/ctx/charts/one-1.0.0.tgz".to_owned();
        assert_eq!(follow(&server, path).await, [(target, 200)], "{path}");
    }
}

async fn page_of(server: &TestServer, path: &str) -> String {
    page(server, path).await.text().to_owned()
}

#[tokio::test]
async fn a_server_of_several_repositories_lists_them() {
    let fixed = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Fixed(1))
        .build()
        .await;
    let none = page_of(&fixed, "/").await;
    assert!(none.contains("There are no repositories yet."), "{none}");
    for repository in ["a", "charts"] {
        upload(
            &fixed,
            &format!("/api/{repository}/charts"),
            chart("one", "1.0.0"),
        )
        .await;
    }
    let list = page(&fixed, "/").await;
    assert_eq!(links(&list), ["./a/", "./charts/"]);
    assert_eq!(list.header("x-chartroom-generation"), "");
    let unknown = page_of(&fixed, "/unknown/").await;
    assert!(unknown.contains("There are no charts yet."), "{unknown}");
    assert!(unknown.contains("Last generated: never"), "{unknown}");
    assert!(
        fixed
            .stored()
            .await
            .iter()
            .all(|key| !key.starts_with("unknown"))
    );

    let dynamic = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Dynamic)
        .build()
        .await;
    for repository in ["", "/org", "/org/team"] {
        upload(
            &dynamic,
            &format!("/api{repository}/charts"),
            chart("one", "1.0.0"),
        )
        .await;
    }
    let root = page(&dynamic, "/").await;
    assert_eq!(
        links(&root),
        ["./charts/one-1.0.0.tgz", "./org/", "./org/team/"]
    );
    let org = page(&dynamic, "/org/").await;
    assert_eq!(links(&org), ["./charts/one-1.0.0.tgz"]);
}

#[tokio::test]
async fn a_configured_url_is_the_repository_s() {
    let server = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Fixed(1))
        .options(|options| options.chart_url = Some("https://cdn.example".to_owned()))
        .build()
        .await;
    upload(&server, "/api/org/charts", chart("one", "1.0.0")).await;
    let page = page(&server, "/org/").await;
    assert!(
        page.text()
            .contains("helm repo add org https://cdn.example/org<"),
        "{page}"
    );
    assert_eq!(
        links(&page),
        ["https://cdn.example/org/charts/one-1.0.0.tgz"]
    );
}

#[tokio::test]
async fn a_page_has_an_offset() {
    let server = TestServer::start().await;
    for name in ["a", "b"] {
        upload(&server, "/api/charts", chart(name, "1.0.0")).await;
    }
    assert_eq!(
        links(&page(&server, "/?offset=1").await),
        ["./charts/b-1.0.0.tgz", "?offset=0"]
    );
    assert_eq!(links(&page(&server, "/?offset=9").await), ["?offset=0"]);
    let reply = server.get("/?offset=x").await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_page_is_as_new_as_the_reader_wants() {
    let server = TestServer::start().await;
    upload(&server, "/api/charts", chart("one", "1.0.0")).await;
    let wanted = |generation| [("x-chartroom-min-generation", generation)];
    let reply = server.request(Method::GET, "/", &wanted("1")).await;
    assert_eq!(reply.status, 200);
    let reply = server.request(Method::GET, "/", &wanted("2")).await;
    assert_eq!(reply.status, 503);
}
