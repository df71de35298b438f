//! Snapshots shorten a start and change nothing else; removal never takes what is needed.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::LogOptions;
use chartroom_storage::testing::{Faulty, Op};
use chartroom_storage::{Key, Store, Timeouts};
use object_store::memory::InMemory;

use crate::ledger::{Ledger, LedgerLog, appended, open, proposal, set};

fn options() -> LogOptions {
    LogOptions {
        retention: Duration::from_millis(200),
        snapshot_after: 10,
        ..LogOptions::default()
    }
}

async fn keep_up(log: &mut LedgerLog) -> bool {
    match log.due_snapshot() {
        Some(job) => log.upkeep().run::<_, Ledger>(job).await.unwrap(),
        None => false,
    }
}

async fn keys(store: &Store) -> Vec<String> {
    let folder = Key::parse(".chartroom").unwrap();
    let listed = store.list_below(&folder, None).await.unwrap();
    listed.iter().map(|object| object.key.to_string()).collect()
}

fn numbers(keys: &[String], folder: &str) -> Vec<u64> {
    let marker = format!("/{folder}/");
    keys.iter()
        .filter_map(|key| key.split_once(&marker)?.1.parse().ok())
        .collect()
}

async fn write(log: &mut LedgerLog, from: u64, to: u64) {
    for number in from..to {
        appended(&set(log, &format!("a{}", number % 7), number).await);
    }
}

#[tokio::test]
async fn a_start_from_a_snapshot_gives_the_same_and_reads_few_objects() {
    let way = Faulty::new(Arc::new(InMemory::new()));
    let store = way.store(Timeouts::default());
    let mut log = open(&store, options()).await.unwrap();
    write(&mut log, 0, 40).await;
    assert!(keep_up(&mut log).await);
    assert!(!keep_up(&mut log).await, "no second one for the same");
    write(&mut log, 40, 43).await;
    way.clear_requests();
    let started = open(&store, options()).await.unwrap();
    assert_eq!(started.machine().open(), log.machine().open());
    assert_eq!(started.generation(), 43);
    let reads = way.count(Op::Get);
    assert!(
        reads <= 6,
        "genesis, a snapshot, three records and the missing one; was {reads}"
    );
}

#[tokio::test]
async fn change_sets_of_many_changes_make_a_snapshot_due_sooner() {
    let store = Faulty::new(Arc::new(InMemory::new())).store(Timeouts::default());
    let mut log = open(&store, options()).await.unwrap();
    for set in 0..10 {
        write_many(&mut log, set * 100, 100).await;
    }
    assert!(keep_up(&mut log).await);
    // Ten change sets are few beside a thousand items.
    for account in 0..10 {
        write_many(&mut log, account, 1).await;
    }
    assert!(!keep_up(&mut log).await);
    // Half of what the snapshot holds has changed.
    for set in 0..5 {
        write_many(&mut log, set * 100, 100).await;
    }
    assert!(keep_up(&mut log).await);
    // A start counts what it reads after the snapshot, too.
    for set in 0..10 {
        write_many(&mut log, set * 100, 100).await;
    }
    let mut started = open(&store, options()).await.unwrap();
    assert!(keep_up(&mut started).await);
}

/// Writes some accounts by one change set.
async fn write_many(log: &mut LedgerLog, first: u64, count: u64) {
    let accounts = first..first + count;
    let proposals = accounts.map(|number| proposal(log, &format!("b{number}"), Some(number)));
    let proposals = proposals.collect();
    for outcome in log.append(proposals).await {
        appended(&outcome);
    }
}

#[tokio::test]
async fn a_broken_snapshot_is_passed_over() {
    let store = Faulty::new(Arc::new(InMemory::new())).store(Timeouts::default());
    let mut log = open(&store, options()).await.unwrap();
    write(&mut log, 0, 12).await;
    keep_up(&mut log).await;
    let listed = keys(&store).await;
    let snapshot = listed
        .iter()
        .find(|key| key.contains("/snapshot/"))
        .unwrap();
    store
        .replace(&Key::parse(snapshot).unwrap(), "junk".into())
        .await
        .unwrap();
    let started = open(&store, options()).await.unwrap();
    assert_eq!(started.machine().open(), log.machine().open());
}

#[tokio::test]
async fn removal_waits_for_the_retention_and_never_takes_genesis_or_the_newest() {
    let store = Faulty::new(Arc::new(InMemory::new())).store(Timeouts::default());
    let mut log = open(&store, options()).await.unwrap();
    write(&mut log, 0, 20).await;
    keep_up(&mut log).await;
    assert_eq!(
        numbers(&keys(&store).await, "log").len(),
        20,
        "the snapshot is too young"
    );
    // The store's own times decide, so that a newer object must be written after the retention.
    tokio::time::sleep(Duration::from_millis(250)).await;
    write(&mut log, 20, 32).await;
    keep_up(&mut log).await;
    let left = keys(&store).await;
    assert_eq!(numbers(&left, "log"), (20..=32).collect::<Vec<_>>());
    assert_eq!(numbers(&left, "snapshot"), [20, 32]);
    assert!(left.iter().any(|key| key.ends_with("genesis")));
    let started = open(&store, options()).await.unwrap();
    assert_eq!(started.machine().open(), log.machine().open());
    // Nothing was written since: nothing more is removed, however often it is tried.
    assert_eq!(log.upkeep().remove_old().await.unwrap(), 0);
}

/// Protocol scenario 21: a start listed the snapshots; before it reads the records, another replica
/// writes a snapshot and removes records.
#[tokio::test]
async fn a_start_beside_a_removal_does_not_take_a_removed_number_for_the_end() {
    let bucket = Arc::new(InMemory::new());
    let (way, late) = (Faulty::new(bucket.clone()), Faulty::new(bucket));
    let store = way.store(Timeouts::default());
    let mut log = open(&store, options()).await.unwrap();
    write(&mut log, 0, 15).await;
    let gate = late.pause_after(Op::List, |key| key.ends_with("/snapshot"));
    let late_store = late.store(Timeouts::default());
    let start = tokio::spawn(async move { open(&late_store, options()).await.unwrap() });
    gate.arrived().await;
    keep_up(&mut log).await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    write(&mut log, 15, 30).await;
    keep_up(&mut log).await;
    assert!(
        !numbers(&keys(&store).await, "log").contains(&1),
        "records were removed"
    );
    gate.release();
    let started = start.await.unwrap();
    assert_eq!(started.generation(), 30);
    assert_eq!(started.machine().open(), log.machine().open());
}
