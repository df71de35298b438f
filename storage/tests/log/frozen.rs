//! Processes that were frozen for longer than the log keeps its records.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::{LogOptions, Outcome};
use chartroom_storage::testing::{Faulty, Op};
use chartroom_storage::{Key, Store, Timeouts};
use object_store::memory::InMemory;

use crate::ledger::{Ledger, LedgerLog, appended, open, proposal, set};

/// Proofs last a quarter of it.
const RETENTION: Duration = Duration::from_millis(400);

fn options() -> LogOptions {
    LogOptions {
        retention: RETENTION,
        snapshot_after: 5,
        ..LogOptions::default()
    }
}

fn replicas() -> (Faulty, Faulty) {
    let bucket = Arc::new(InMemory::new());
    (Faulty::new(bucket.clone()), Faulty::new(bucket))
}

/// Lets the others go on until the records up to the frozen one's number are removed.
async fn outlive(log: &mut LedgerLog) {
    for round in 0..2 {
        for number in 0..6 {
            appended(&set(log, &format!("other-{number}"), round).await);
        }
        let job = log.due_snapshot().unwrap();
        log.upkeep().run::<_, Ledger>(job).await.unwrap();
        tokio::time::sleep(RETENTION + Duration::from_millis(50)).await;
    }
    appended(&set(log, "last", 1).await);
    log.upkeep().remove_old().await.unwrap();
}

async fn record_exists(store: &Store, log: &LedgerLog, generation: u64) -> bool {
    let key = format!(".chartroom/{}/log/{generation:020}", log.identity());
    store.head(&Key::parse(&key).unwrap()).await.is_ok()
}

/// Protocol scenario 20, before a catch-up.
#[tokio::test]
async fn a_frozen_replica_does_not_take_its_removed_number_for_the_end() {
    let (way, other) = replicas();
    let mut frozen = open(&way.store(Timeouts::default()), options())
        .await
        .unwrap();
    let store = other.store(Timeouts::default());
    let mut log = open(&store, options()).await.unwrap();
    outlive(&mut log).await;
    assert!(
        !record_exists(&store, &log, 1).await,
        "its next number was removed"
    );
    frozen.catch_up().await.unwrap();
    assert_eq!(frozen.generation(), log.generation());
    assert_eq!(frozen.machine().open(), log.machine().open());
}

/// Protocol scenario 20, an append without a catch-up before it.
#[tokio::test]
async fn a_frozen_writer_does_not_acknowledge_a_record_that_nobody_reads() {
    let (way, other) = replicas();
    let mut frozen = open(&way.store(Timeouts::default()), options())
        .await
        .unwrap();
    let decided = proposal(&frozen, "mine", Some(1));
    let mut log = open(&other.store(Timeouts::default()), options())
        .await
        .unwrap();
    outlive(&mut log).await;
    let outcomes = frozen.append(vec![decided]).await;
    assert!(matches!(outcomes[..], [Outcome::Failed(_)]), "{outcomes:?}");
    assert_eq!(
        frozen.generation(),
        log.generation(),
        "it knows the log again"
    );
    let outcome = set(&mut frozen, "mine", 2).await;
    log.catch_up().await.unwrap();
    assert_eq!(log.generation(), appended(&outcome));
    assert!(log.machine().open().contains(&("mine".to_owned(), 2)));
}

/// Protocol scenario 20, between a create and its reply.
#[tokio::test]
async fn a_writer_frozen_between_create_and_reply_acknowledges_only_what_is_in_the_log() {
    let (way, other) = replicas();
    let mut frozen = open(&way.store(Timeouts::default()), options())
        .await
        .unwrap();
    let gate = way.pause_after(Op::Put, |key| key.contains("/log/"));
    let append = tokio::spawn(async move {
        let outcome = set(&mut frozen, "mine", 1).await;
        (frozen, outcome)
    });
    gate.arrived().await;
    let mut log = open(&other.store(Timeouts::default()), options())
        .await
        .unwrap();
    assert_eq!(
        log.generation(),
        1,
        "the record is there, others go on from it"
    );
    outlive(&mut log).await;
    gate.release();
    let (frozen, outcome) = append.await.unwrap();
    // The record was read by all, but is removed now: whether it was cannot be told any more.
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(frozen.machine().open(), log.machine().open());
}

/// Protocol scenario 24: a hand removes `.chartroom/` under running replicas.
#[tokio::test]
async fn a_log_that_was_removed_is_left_for_the_new_one() {
    for length_of_new in [1, 3, 6] {
        let (way, other) = replicas();
        let store = other.store(Timeouts::default());
        let mut running = open(&way.store(Timeouts::default()), LogOptions::default())
            .await
            .unwrap();
        for number in 0..3 {
            appended(&set(&mut running, &format!("old-{number}"), number).await);
        }
        let stale = proposal(&running, "stale", Some(1));
        let folder = Key::parse(".chartroom").unwrap();
        for object in store.list_below(&folder, None).await.unwrap() {
            store.delete(&object.key).await.unwrap();
        }
        let mut log = open(&store, LogOptions::default()).await.unwrap();
        for number in 0..length_of_new {
            appended(&set(&mut log, &format!("new-{number}"), number).await);
        }
        let outcomes = running.append(vec![stale]).await;
        assert!(matches!(outcomes[..], [Outcome::Failed(_)]), "{outcomes:?}");
        running.catch_up().await.unwrap();
        assert_eq!(running.machine(), log.machine());
    }
}
