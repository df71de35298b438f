//! What is inside a chart.

use std::time::Duration;

use axum::http::Method;
use chartroom::http::settings::Depth;
use chartroom_storage::testing::{Faulty, Op};
use chartroom_storage::{BucketOptions, Location, Store, Timeouts};
use futures_util::future::join_all;

use crate::archive_builder::ArchiveBuilder;
use crate::support::{TestServer, chart};

const VALUES: &str = "# <defaults>\nreplicaCount: 1\nimage: {tag: 1.10, name: <b>&}\n";

fn full(name: &str, version: &str) -> Vec<u8> {
    ArchiveBuilder::chart(name, version)
        .file(&format!("{name}/values.yaml"), VALUES)
        .file(&format!("{name}/templates/pod.yaml"), "kind: Pod\n")
        .file(&format!("{name}/templates/<a>.tpl"), "")
        .file(
            &format!("{name}/charts/sub/Chart.yaml"),
            "name: sub\nversion: 1.0.0\n",
        )
        .file(&format!("{name}/charts/sub/templates/x.yaml"), "no")
        .tgz()
}

async fn upload(server: &TestServer, archive: Vec<u8>) {
    let reply = server.post("/api/charts", archive).await;
    assert_eq!(reply.status, 201, "{reply}");
}

#[tokio::test]
async fn templates_and_values_are_those_of_the_archive() {
    let server = TestServer::start().await;
    upload(&server, full("one", "1.0.0")).await;
    let templates = server.get("/api/charts/one/1.0.0/templates").await;
    insta::assert_snapshot!(templates, @r#"
    200
    cache-control: no-cache
    content-length: 197
    content-type: application/json; charset=utf-8
    x-chartroom-generation: 1
    x-request-id: <…>

    {"templates":[{"name":"templates/pod.yaml","data":"a2luZDogUG9kCg=="},{"name":"templates/\u003ca\u003e.tpl","data":""}],"values":{"image":{"name":"\u003cb\u003e\u0026","tag":1.1},"replicaCount":1}}
    "#);
    let values = server.get("/api/charts/one/1.0.0/values").await;
    insta::assert_snapshot!(values, @"
    200
    cache-control: no-cache
    content-length: 60
    content-type: application/yaml
    x-chartroom-generation: 1
    x-request-id: <…>

    # <defaults>
    replicaCount: 1
    image: {tag: 1.10, name: <b>&}
    ");
    assert_eq!(values.text(), VALUES);
    for (path, got) in [
        ("/api/charts/one/1.0.0/templates", templates),
        ("/api/charts/one/1.0.0/values", values),
    ] {
        let head = server.request(Method::HEAD, path, &[]).await;
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "x-chartroom-generation"] {
            assert_eq!(head.header(name), got.header(name), "{name}");
        }
    }
}

#[tokio::test]
async fn a_chart_without_templates_and_values_has_null() {
    let server = TestServer::start().await;
    upload(&server, chart("one", "1.0.0")).await;
    let templates = server.get("/api/charts/one/1.0.0/templates").await;
    assert_eq!(templates.text(), r#"{"templates":null,"values":null}"#);
    let values = server.get("/api/charts/one/1.0.0/values").await;
    assert_eq!(
        (values.status.as_u16(), values.text()),
        (404, r#"{"error":"values.yaml not found"}"#)
    );
    let empty = ArchiveBuilder::chart("empty", "1.0.0").file("empty/values.yaml", "");
    upload(&server, empty.tgz()).await;
    let templates = server.get("/api/charts/empty/1.0.0/templates").await;
    assert_eq!(templates.text(), r#"{"templates":null,"values":{}}"#);
    let values = server.get("/api/charts/empty/1.0.0/values").await;
    assert_eq!((values.status.as_u16(), values.text()), (200, ""));
}

#[tokio::test]
async fn versions_are_looked_up_as_everywhere() {
    let server = TestServer::start().await;
    for version in ["0.1.0", "0.2.0", "1.0.0-rc.1"] {
        let archive = ArchiveBuilder::chart("one", version)
            .file("one/values.yaml", format!("version: {version}\n"));
        upload(&server, archive.tgz()).await;
    }
    for (wanted, version) in [
        ("0.1.0", "0.1.0"),
        ("latest", "0.2.0"),
        ("%5E0.1", "0.1.0"),
        ("*", "0.2.0"),
        ("1.0.0-rc.1", "1.0.0-rc.1"),
    ] {
        let reply = server
            .get(&format!("/api/charts/one/{wanted}/values"))
            .await;
        assert_eq!(reply.text(), format!("version: {version}\n"), "{wanted}");
        let reply = server
            .get(&format!("/api/charts/one/{wanted}/templates"))
            .await;
        let expected = format!(r#"{{"templates":null,"values":{{"version":"{version}"}}}}"#);
        assert_eq!(reply.text(), expected, "{wanted}");
    }
    for (path, error) in [
        ("none/1.0.0", "no chart name found"),
        ("none/latest", "no chart name found"),
        ("one/9.9.9", "no chart version found for one-9.9.9"),
        ("one/x.y", "improper constraint: x.y"),
    ] {
        for what in ["templates", "values"] {
            let reply = server.get(&format!("/api/charts/{path}/{what}")).await;
            let expected = format!(r#"{{"error":"{error}"}}"#);
            assert_eq!((reply.status.as_u16(), reply.text()), (404, &*expected));
        }
    }
}

/// ChartMuseum takes the file's name out of the first URL and answers 500.
#[tokio::test]
async fn absolute_urls_do_not_matter() {
    let server = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Fixed(2))
        .options(|options| options.chart_url = Some("https://cdn.example/x".to_owned()))
        .build()
        .await;
    let reply = server
        .post("/api/org/team/charts", full("one", "1.0.0"))
        .await;
    assert_eq!(reply.status, 201, "{reply}");
    let version = server.get("/api/org/team/charts/one/1.0.0").await;
    let url = "https://cdn.example/x/org/team/charts/one-1.0.0.tgz";
    assert!(version.text().contains(url), "{version}");
    let values = server.get("/api/org/team/charts/one/latest/values").await;
    assert_eq!(values.text(), VALUES);
    let templates = server
        .get("/api/org/team/charts/one/latest/templates")
        .await;
    assert!(
        templates.text().contains("templates/pod.yaml"),
        "{templates}"
    );
}

#[tokio::test]
async fn a_file_of_any_name_is_found() {
    let store = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    let key = "by-hand.tgz".parse().unwrap();
    store
        .create(&key, full("one", "1.0.0").into())
        .await
        .unwrap();
    let server = TestServer::builder().store(store).build().await;
    let values = server.get("/api/charts/one/1.0.0/values").await;
    assert_eq!(values.text(), VALUES);
}

#[tokio::test]
async fn an_archive_that_was_removed_by_hand_is_404() {
    let server = TestServer::start().await;
    upload(&server, full("one", "1.0.0")).await;
    let key = "one-1.0.0.tgz".parse().unwrap();
    server.store.delete(&key).await.unwrap();
    for what in ["templates", "values"] {
        let reply = server.get(&format!("/api/charts/one/1.0.0/{what}")).await;
        assert_eq!(reply.status, 404, "{reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_503() {
    let memory = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    let faulty = Faulty::new(memory.object_store());
    let store = faulty.store(Timeouts::default());
    let server = TestServer::builder().store(store).build().await;
    upload(&server, full("one", "1.0.0")).await;
    faulty.partition(true);
    for what in ["templates", "values"] {
        let reply = server.get(&format!("/api/charts/one/1.0.0/{what}")).await;
        assert_eq!(reply.status, 503, "{reply}");
    }
}

/// Each request holds an archive in memory; those that wait for their turn wait for a while only.
#[tokio::test(start_paused = true)]
async fn four_archives_are_looked_into_at_once() {
    let memory = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    let faulty = Faulty::new(memory.object_store());
    let timeouts = Timeouts {
        small: Duration::from_mins(5),
        transfer: Duration::from_mins(5),
    };
    let server = TestServer::builder()
        .store(faulty.store(timeouts))
        .build()
        .await;
    upload(&server, full("one", "1.0.0")).await;
    let path = "/api/charts/one/1.0.0/values";
    let is_archive = |key: &str| key.ends_with(".tgz");
    let gates = [(); 4].map(|()| faulty.pause_before(Op::Get, is_archive));
    let held = join_all((0..4).map(|_| server.get(path)));
    let others = async {
        for gate in &gates {
            gate.arrived().await;
        }
        let fifth = server.get(path).await;
        assert_eq!(fifth.status, 503, "{fifth}");
        assert_eq!(fifth.header("retry-after"), "5");
        for gate in &gates {
            gate.release();
        }
    };
    let (held, ()) = tokio::join!(held, others);
    for reply in held {
        assert_eq!(reply.text(), VALUES, "{reply}");
    }
    assert_eq!(server.get(path).await.status, 200);
}

/// Some 40 KB in the store, and more than the limit when they are shown.
#[tokio::test]
async fn what_would_fill_the_memory_is_not_shown() {
    let server = TestServer::builder()
        .settings(|settings| settings.max_upload_size = 1 << 20)
        .build()
        .await;
    let mut archive = ArchiveBuilder::chart("big", "1.0.0");
    for number in 0..5 {
        let noise = "0123456789abcdef".repeat(1 << 8) + &number.to_string();
        archive = archive.file(
            &format!("big/templates/{number}.yaml"),
            noise.repeat(1 << 10),
        );
    }
    upload(&server, archive.tgz()).await;
    let reply = server.get("/api/charts/big/1.0.0/templates").await;
    insta::assert_snapshot!(reply.text(), @r#"{"error":"the chart's templates and values are larger than 16777216 bytes","hint":"download the archive instead"}"#);
    assert_eq!(reply.status, 422);
}

#[tokio::test]
async fn artifact_hub_finds_the_owner_of_each_repository() {
    let server = TestServer::builder()
        .settings(|settings| {
            settings.depth = Depth::Dynamic;
            for (path, id) in [("", "id-of-root"), ("org/team", "id-of-team")] {
                let path = path.parse().unwrap();
                settings.artifact_hub_ids.insert(path, id.to_owned());
            }
        })
        .build()
        .await;
    let root = server.get("/artifacthub-repo.yml").await;
    insta::assert_snapshot!(root, @"
    200
    cache-control: no-cache
    content-length: 25
    content-type: application/x-yaml
    x-request-id: <…>

    repositoryID: id-of-root
    ");
    let team = server.get("/org/team/artifacthub-repo.yml").await;
    assert_eq!(team.text(), "repositoryID: id-of-team\n");
    let path = "/org/team/artifacthub-repo.yml";
    let head = server.request(Method::HEAD, path, &[]).await;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length")),
        (200, "25")
    );
    let none = server.get("/org/artifacthub-repo.yml").await;
    insta::assert_snapshot!(none.text(), @r#"{"error":"Artifact Hub repository ID not found","hint":"it is configured with --artifact-hub-repo-id"}"#);
    assert_eq!(none.status, 404);
}
