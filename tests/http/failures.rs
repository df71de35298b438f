//! What a failing store looks like from outside.

use axum::http::Method;
use chartroom_storage::testing::Faulty;
use chartroom_storage::{Location, Store, Timeouts};

use crate::support::{TestServer, chart};

async fn over_a_faulty_store() -> (TestServer, Faulty) {
    let memory = Store::open(&Location::Memory, Timeouts::default()).unwrap();
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
