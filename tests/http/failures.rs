//! What a failing store looks like from outside.

use std::time::Duration;

use axum::http::Method;
use chartroom_storage::testing::Faulty;
use chartroom_storage::{BucketOptions, Location, Store, Timeouts};

use crate::support::{TestServer, chart};

async fn over_a_faulty_store() -> (TestServer, Faulty) {
    let memory = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    let faulty = Faulty::new(memory.object_store());
    let store = faulty.store(Timeouts::default());
    let server = TestServer::builder().store(store).build().await;
    assert_eq!(
        server
            .post("/api/charts", chart("one", "1.0.0"))
            .await
            .status,
        201
    );
    (server, faulty)
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_503_with_a_time_to_come_back_and_no_detail() {
    let (server, faulty) = over_a_faulty_store().await;
    faulty.partition(true);
    let download = server.get("/charts/one-1.0.0.tgz").await;
    let missing = server.get("/charts/none-1.0.0.tgz").await;
    let upload = server.post("/api/charts", chart("two", "1.0.0")).await;
    let again = server.post("/api/charts", chart("one", "1.0.0")).await;
    let ready = server.get("/ready").await;
    for reply in [download, missing, upload, again, ready] {
        assert_eq!(reply.status, 503, "{reply}");
        assert_ne!(reply.header("retry-after"), "");
        let id = format!(r#""request_id":"{}""#, reply.header("x-request-id"));
        assert!(reply.text().contains(&id), "{reply}");
        assert!(
            !reply.text().contains("tgz") && !reply.text().contains("onnection"),
            "{reply}"
        );
    }
    assert_eq!(server.get("/health").await.status, 200);
    faulty.partition(false);
    assert_eq!(server.get("/ready").await.status, 200);
    assert_eq!(server.get("/charts/one-1.0.0.tgz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_outage_never_lets_a_version_be_replaced() {
    let (server, faulty) = over_a_faulty_store().await;
    let before = server.get("/charts/one-1.0.0.tgz").await.body;
    faulty.partition(true);
    let other = crate::support::archive("apiVersion: v2\nname: one\nversion: 1.0.0\nhome: x\n");
    let refused = server.post("/api/charts", other).await;
    assert_eq!(refused.status, 503);
    let removed = server
        .request(Method::DELETE, "/api/charts/one/1.0.0", &[])
        .await;
    assert_eq!(removed.status, 503);
    faulty.partition(false);
    assert_eq!(server.get("/charts/one-1.0.0.tgz").await.body, before);
}

#[tokio::test(start_paused = true)]
async fn reads_of_what_is_known_go_on_while_the_store_is_away() {
    let memory = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    let faulty = Faulty::new(memory.object_store());
    let server = TestServer::builder()
        .store(faulty.store(Timeouts::default()))
        .options(|options| options.repository.freshness = Duration::from_secs(1))
        .build()
        .await;
    let uploaded = server.post("/api/charts", chart("one", "1.0.0")).await;
    assert_eq!(uploaded.status, 201);
    let before = server.get("/index.yaml").await;
    assert_eq!(before.header("x-chartroom-stale"), "");
    faulty.partition(true);
    tokio::time::sleep(Duration::from_mins(1)).await;
    for path in ["/index.yaml", "/api/charts", "/api/charts/one/1.0.0"] {
        let begin = tokio::time::Instant::now();
        let stale = server.get(path).await;
        assert_eq!(stale.status, 200, "{stale}");
        let age: u64 = stale.header("x-chartroom-stale").parse().unwrap();
        assert!((60..70).contains(&age), "{stale}");
        assert!(begin.elapsed() <= Duration::from_secs(2), "{path}");
    }
    assert_eq!(server.get("/index.yaml").await.body, before.body);
    // What others may have written is not denied, and nothing is written.
    assert_eq!(server.get("/api/charts/none/1.0.0").await.status, 503);
    let newer = [("x-chartroom-min-generation", "2")];
    let newer = server.request(Method::GET, "/index.yaml", &newer).await;
    assert_eq!(newer.status, 503);
    let upload = server.post("/api/charts", chart("two", "1.0.0")).await;
    assert_eq!(upload.status, 503);
    assert_eq!(server.get("/ready").await.status, 503);
    faulty.partition(false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = server.get("/index.yaml").await;
    assert_eq!(after.header("x-chartroom-stale"), "");
    let upload = server.post("/api/charts", chart("two", "1.0.0")).await;
    assert_eq!(upload.status, 201);
}
