//! Objects that cannot be read, and repositories that cannot be reached.

use std::time::Duration;

use axum::http::Method;
use chartroom::http::settings::Depth;
use chartroom_storage::testing::{Action, Faulty, Op};
use chartroom_storage::{
    BucketOptions, Key, Location, RepositoryPath, StorageErrorKind, Store, Timeouts,
};

use crate::support::{TestServer, archive, chart};

fn faulty() -> (Faulty, Store) {
    let memory = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    let faulty = Faulty::new(memory.object_store());
    let store = faulty.store(Timeouts::default());
    (faulty, store)
}

async fn put(store: &Store, key: &str, body: Vec<u8>) {
    let key = Key::parse(key).unwrap();
    store.replace(&key, body.into()).await.unwrap();
}

/// More often than any test asks.
const ALWAYS: usize = 1_000_000;

/// The failures that one object can have on its own.
const KINDS: [StorageErrorKind; 5] = [
    StorageErrorKind::NotFound,
    StorageErrorKind::Denied,
    StorageErrorKind::Corrupt,
    StorageErrorKind::Unavailable,
    StorageErrorKind::Timeout,
];

#[tokio::test(start_paused = true)]
async fn one_unreadable_object_takes_no_other_chart_away() {
    for kind in KINDS {
        let (faulty, store) = faulty();
        for number in 0..20 {
            let file = format!("c{number}-1.0.0.tgz");
            put(&store, &file, chart(&format!("c{number}"), "1.0.0")).await;
        }
        let is_it = |key: &str| key == "c7-1.0.0.tgz";
        faulty.rule_times(ALWAYS, Op::Get, is_it, Action::Fail(kind));
        // Ready is waited for: it comes although the object stays as it is.
        let wait = TestServer::builder().store(store).build();
        let server = tokio::time::timeout(Duration::from_mins(5), wait).await;
        let server = server.unwrap_or_else(|_| panic!("{kind:?}: never ready"));
        let list = server.get("/api/charts").await;
        let list: serde_json::Map<_, _> = serde_json::from_slice(&list.body).unwrap();
        assert_eq!(list.len(), 19, "{kind:?}: {:?}", list.keys());
        assert!(!list.contains_key("c7"));
        // And when it can be read again, it is there.
        faulty.clear_rules();
        let root = server.repositories.writer(&RepositoryPath::root()).await;
        root.unwrap().refresh().await.unwrap();
        let back = server.get("/api/charts/c7").await;
        assert_eq!(back.status, 200, "{kind:?}: {back}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_immutable_while_reads_fail() {
    for kind in [
        StorageErrorKind::Unavailable,
        StorageErrorKind::Denied,
        StorageErrorKind::Timeout,
    ] {
        let (faulty, store) = faulty();
        let server = TestServer::builder().store(store).build().await;
        let first = chart("one", "1.0.0");
        assert_eq!(server.post("/api/charts", first.clone()).await.status, 201);
        // Reads fail, writes do not: ChartMuseum takes the one for absence and overwrites.
        for op in [Op::Get, Op::Head, Op::List] {
            faulty.rule_times(ALWAYS, op, |_| true, Action::Fail(kind));
        }
        let other = archive("apiVersion: v2\nname: one\nversion: 1.0.0\nhome: x\n");
        let refused = server.post("/api/charts", other).await;
        assert_ne!(refused.status, 201, "{kind:?}: {refused}");
        let download = server.get("/charts/one-1.0.0.tgz").await;
        assert!(download.status.is_server_error(), "{kind:?}: {download}");
        faulty.clear_rules();
        assert_eq!(
            server.get("/charts/one-1.0.0.tgz").await.body,
            first,
            "{kind:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_failed_answers_again_and_the_others_never_stopped() {
    let (faulty, store) = faulty();
    let server = TestServer::builder()
        .store(store)
        .settings(|settings| settings.depth = Depth::Fixed(1))
        .build()
        .await;
    for repository in ["bad", "good"] {
        let path = format!("/api/{repository}/charts");
        assert_eq!(server.post(&path, chart("one", "1.0.0")).await.status, 201);
    }
    let failing = Action::Fail(StorageErrorKind::Unavailable);
    for op in [Op::Get, Op::Head, Op::List, Op::Put] {
        faulty.rule_times(ALWAYS, op, |key| key.starts_with("bad"), failing.clone());
    }
    // Twenty at once: in ChartMuseum those behind the first wait for good.
    let readers = (0..20).map(|_| server.get("/bad/index.yaml"));
    for reply in futures_util::future::join_all(readers).await {
        assert_eq!(reply.status, 503, "{reply}");
    }
    let upload = server.post("/api/bad/charts", chart("two", "1.0.0")).await;
    assert_eq!(upload.status, 503, "{upload}");
    assert_eq!(
        server
            .post("/api/good/charts", chart("two", "1.0.0"))
            .await
            .status,
        201
    );
    assert_eq!(server.get("/good/index.yaml").await.status, 200);
    faulty.clear_rules();
    let again = server
        .post("/api/bad/charts", chart("three", "1.0.0"))
        .await;
    assert_eq!(again.status, 201, "{again}");
    let index = server.get("/bad/index.yaml").await;
    assert!(index.text().contains("charts/three-1.0.0.tgz"), "{index}");
    let deleted = server
        .request(Method::DELETE, "/api/bad/charts/one/1.0.0", &[])
        .await;
    assert_eq!(deleted.status, 200, "{deleted}");
}
