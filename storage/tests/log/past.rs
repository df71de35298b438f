//! Looking at a log without writing: opening one that is there, and reading back its past.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::{self, History, Log, LogOptions, Sought};
use chartroom_storage::testing::{Action, Faulty, Op};
use chartroom_storage::{Clock, Key, StorageErrorKind, Store, Timeouts};
use chrono::DateTime;
use object_store::memory::InMemory;

use crate::ledger::{Entry, Ledger, LedgerLog, appended, open, set};

fn way() -> (Faulty, Store) {
    let way = Faulty::new(Arc::new(InMemory::new()));
    let store = way.store(Timeouts::default());
    (way, store)
}

async fn open_existing(
    store: &Store,
) -> Result<Option<LedgerLog>, chartroom_storage::StorageError> {
    let clock = Clock::paused(DateTime::UNIX_EPOCH);
    Log::open_existing(store.clone(), clock, LogOptions::default(), ()).await
}

async fn written(store: &Store, values: &[(&str, u64)]) -> (LedgerLog, History) {
    let mut log = open(store, LogOptions::default()).await.unwrap();
    for (account, value) in values {
        appended(&set(&mut log, account, *value).await);
    }
    let history = History::of(store.clone(), log.identity());
    (log, history)
}

fn is_about(account: &'static str) -> impl Fn(&Entry) -> bool {
    move |entry| entry.account == account
}

#[tokio::test]
async fn a_log_that_is_not_there_is_not_begun() {
    let (way, store) = way();
    assert!(open_existing(&store).await.unwrap().is_none());
    assert!(!log::exists(&store).await.unwrap());
    assert_eq!(way.count(Op::Put), 0);
}

#[tokio::test]
async fn a_failing_store_is_not_a_log_that_is_not_there() {
    let (way, store) = way();
    let fail = Action::Fail(StorageErrorKind::Denied);
    way.rule_times(9, Op::Get, |_| true, fail.clone());
    let error = open_existing(&store).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Denied);
    way.rule_times(9, Op::Head, |_| true, fail);
    let error = log::exists(&store).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Denied);
}

#[tokio::test]
async fn a_log_that_is_there_is_read_without_a_write() {
    let (way, store) = way();
    let (log, _) = written(&store, &[("a", 1), ("b", 2)]).await;
    assert!(log::exists(&store).await.unwrap());
    way.clear_requests();
    let mut found = open_existing(&store).await.unwrap().unwrap();
    found.catch_up().await.unwrap();
    assert_eq!(found.machine(), log.machine());
    assert_eq!(way.count(Op::Put) + way.count(Op::Delete), 0);
}

/// A reload finds no genesis: a reader must not make one.
#[tokio::test]
async fn a_log_that_a_hand_removes_is_not_begun_anew_by_a_reader() {
    let (way, store) = way();
    let (_, _) = written(&store, &[("a", 1)]).await;
    let mut found = open_existing(&store).await.unwrap().unwrap();
    let folder = Key::parse(".chartroom").unwrap();
    for object in store.list_below(&folder, None).await.unwrap() {
        store.delete(&object.key).await.unwrap();
    }
    way.clear_requests();
    let error = found.catch_up().await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::NotFound);
    assert_eq!(way.count(Op::Put), 0);
}

#[tokio::test]
async fn the_newest_change_that_fits_is_found() {
    let (_, store) = way();
    let (log, history) = written(&store, &[("a", 1), ("b", 2), ("a", 3), ("b", 4), ("c", 5)]).await;
    let found = history
        .find_last(log.generation(), 100, is_about("a"))
        .await
        .unwrap();
    let Sought::Found(past) = found else {
        panic!("{found:?}");
    };
    assert_eq!(past.generation, 3);
    assert_eq!(past.changes[0].value, Some(3));
    assert_eq!(history.at::<Entry>(3).await.unwrap(), Some(past));
    let before = history.find_last(2, 100, is_about("a")).await.unwrap();
    assert!(matches!(before, Sought::Found(past) if past.generation == 1));
    let none = history.find_last(5, 100, is_about("d")).await.unwrap();
    assert_eq!(none, Sought::NotSince(1));
    assert_eq!(history.at::<Entry>(6).await.unwrap(), None);
}

#[tokio::test]
async fn a_search_reads_no_more_records_than_it_may() {
    let (way, store) = way();
    let values: Vec<(&str, u64)> = (0..40).map(|number| ("b", number)).collect();
    let (log, history) = written(&store, &[&[("a", 1)], values.as_slice()].concat()).await;
    way.clear_requests();
    let found = history.find_last(log.generation(), 10, is_about("a")).await;
    assert_eq!(found.unwrap(), Sought::NotSince(32));
    assert_eq!(way.count(Op::Get), 10);
    let nothing = history.find_last(0, 10, is_about("a")).await.unwrap();
    assert_eq!(nothing, Sought::NotSince(1), "an empty log");
}

#[tokio::test]
async fn a_search_ends_where_records_were_removed() {
    let (way, store) = way();
    let options = LogOptions {
        retention: Duration::from_millis(200),
        snapshot_after: 10,
        ..LogOptions::default()
    };
    let mut log = open(&store, options).await.unwrap();
    for number in 0..40 {
        appended(&set(&mut log, if number == 0 { "a" } else { "b" }, number).await);
    }
    let job = log.due_snapshot().unwrap();
    log.upkeep().run::<_, Ledger>(job).await.unwrap();
    // What stands for the removal: ascending, below the snapshot.
    let folder = Key::parse(&format!(".chartroom/{}/log", log.identity())).unwrap();
    for object in store
        .list_below(&folder, None)
        .await
        .unwrap()
        .iter()
        .take(9)
    {
        store.delete(&object.key).await.unwrap();
    }
    way.clear_requests();
    let history = History::of(store, log.identity());
    let found = history.find_last(40, 1_000, is_about("a")).await.unwrap();
    assert_eq!(found, Sought::NotSince(10));
    assert!(way.count(Op::Get) <= 31 + 8, "{}", way.count(Op::Get));
}

#[tokio::test]
async fn a_failing_store_is_not_a_removed_record() {
    let (way, store) = way();
    let (log, history) = written(&store, &[("a", 1), ("b", 2)]).await;
    let fail = Action::Fail(StorageErrorKind::Denied);
    way.rule_times(9, Op::Get, |_| true, fail);
    let error = history.find_last(log.generation(), 9, is_about("a")).await;
    assert_eq!(error.unwrap_err().kind(), StorageErrorKind::Denied);
}
