//! A start over many archives: what there is so far is served, and `/ready` tells how far it is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chartroom::repository::ReadBudget;
use chartroom_storage::testing::{Action, Faulty, Gate, Op};
use chartroom_storage::{Key, Store, Timeouts};
use object_store::memory::InMemory;

use crate::support::{TestServer, chart};

/// A store that hands filled.
async fn filled(names: &[&str]) -> (Store, Faulty) {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    // Deadlines would pass while a request is held: the paused clock leaps.
    let store = faulty.store(Timeouts {
        small: Duration::MAX,
        transfer: Duration::MAX,
    });
    for name in names {
        let key = Key::parse(&format!("{name}-1.0.0.tgz")).unwrap();
        store
            .create(&key, Bytes::from(chart(name, "1.0.0")))
            .await
            .unwrap();
    }
    (store, faulty)
}

#[tokio::test(start_paused = true)]
async fn what_is_read_so_far_is_served_and_ready_says_how_far_it_is() {
    let (store, faulty) = filled(&["one", "two", "three", "four", "five"]).await;
    let gate = faulty.pause_before(Op::Get, |key| key.starts_with("three-"));
    let server = TestServer::builder().store(store).launch().await;
    gate.arrived().await;
    // Readers wait a moment for the rest, and then get what there is.
    let begin = tokio::time::Instant::now();
    let partial = server.get("/api/charts").await;
    assert_eq!(partial.status, 200, "{partial}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    let charts: serde_json::Value = serde_json::from_slice(&partial.body).unwrap();
    let charts: Vec<&String> = charts.as_object().unwrap().keys().collect();
    assert_eq!(charts, ["five", "four", "one", "two"]);
    let begin = tokio::time::Instant::now();
    assert_eq!(server.get("/charts/one-1.0.0.tgz").await.status, 200);
    assert!(begin.elapsed().is_zero(), "once the moment is over");
    let ready = server.get("/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.header("retry-after"), "1");
    let text = ready.text();
    assert!(
        text.contains(r#""hint":"4 of 5 archives are read""#),
        "{text}"
    );
    gate.release();
    while server.get("/ready").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let whole = server.get("/api/charts").await;
    let charts: serde_json::Value = serde_json::from_slice(&whole.body).unwrap();
    assert_eq!(charts.as_object().unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn reads_wait_for_the_first_archive_and_then_say_that_it_takes_long() {
    let (store, faulty) = filled(&["one"]).await;
    let gate = faulty.pause_before(Op::Get, |key| key.starts_with("one-"));
    let server = TestServer::builder().store(store).launch().await;
    gate.arrived().await;
    // An index without anything would look like an empty repository.
    let early = server.get("/index.yaml").await;
    assert_eq!(early.status, 503, "{early}");
    assert_ne!(early.header("retry-after"), "");
    assert!(early.text().contains("0 of 1 archives are read"), "{early}");
    gate.release();
    let late = server.get("/index.yaml").await;
    assert_eq!(late.status, 200, "{late}");
    assert!(late.text().contains("one-1.0.0.tgz"));
}

#[tokio::test(start_paused = true)]
async fn large_archives_are_not_in_memory_all_at_once() {
    let (store, faulty) = filled(&["one", "two", "three"]).await;
    let gate = Gate::new();
    let action = Action::PauseBefore(gate.clone());
    faulty.rule_times(3, Op::Get, |key| key.ends_with(".tgz"), action);
    // Room for one of them.
    let server = TestServer::builder()
        .store(store)
        .options(|options| {
            options.repository.read_budget = Arc::new(ReadBudget::of(1024));
        })
        .launch()
        .await;
    for _ in 0..3 {
        gate.arrived().await;
        let another = tokio::time::timeout(Duration::from_mins(1), gate.arrived()).await;
        assert!(another.is_err(), "two are read at once");
        gate.release();
    }
    while server.get("/ready").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
