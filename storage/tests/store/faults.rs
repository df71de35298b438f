//! The decorator does to requests what it says, and the store answers as it has to.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chartroom_storage::testing::{Action, Faulty, Op, Plan};
use chartroom_storage::{BucketOptions, Key, StorageErrorKind, Store, Timeouts};
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use tokio::time::Instant;

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn any(_: &str) -> bool {
    true
}

fn one_replica() -> (Faulty, Store) {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let store = faulty.store(Timeouts::default());
    (faulty, store)
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_is_not_sent_again() {
    let (faulty, store) = one_replica();
    let unavailable = Action::Fail(StorageErrorKind::Unavailable);
    faulty.rule_times(3, Op::Put, any, unavailable.clone());
    faulty.rule(Op::Delete, any, unavailable);
    for outcome in [
        store.create(&key("a"), Bytes::new()).await,
        store.replace(&key("a"), Bytes::new()).await,
    ] {
        assert!(outcome.unwrap_err().outcome_unknown());
    }
    store.delete(&key("a")).await.unwrap_err();
    let puts = (Op::Put, "a".to_owned());
    let expected = [puts.clone(), puts, (Op::Delete, "a".to_owned())];
    assert_eq!(faulty.requests(), expected);
    assert_eq!(faulty.clear_rules(), 1);
}

#[tokio::test(start_paused = true)]
async fn failed_reads_are_tried_again_a_few_times() {
    let (faulty, store) = one_replica();
    store.create(&key("a"), Bytes::from("a")).await.unwrap();
    let unavailable = Action::Fail(StorageErrorKind::Unavailable);
    for op in [Op::Get, Op::Head, Op::List] {
        faulty.rule_times(2, op, any, unavailable.clone());
    }
    store.get(&key("a")).await.unwrap();
    store.head(&key("a")).await.unwrap();
    store.list().await.unwrap();
    assert_eq!(
        [
            faulty.count(Op::Get),
            faulty.count(Op::Head),
            faulty.count(Op::List)
        ],
        [3; 3]
    );

    faulty.rule_times(3, Op::Get, any, unavailable);
    let error = store.get(&key("a")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    assert_eq!(faulty.count(Op::Get), 6);
}

#[tokio::test(start_paused = true)]
async fn other_failures_are_told_at_once() {
    use StorageErrorKind::{AlreadyExists, Corrupt, Denied, NotFound, Timeout, Unsupported};
    let (faulty, store) = one_replica();
    for kind in [
        NotFound,
        AlreadyExists,
        Denied,
        Timeout,
        Unsupported,
        Corrupt,
    ] {
        faulty.rule(Op::Get, any, Action::Fail(kind));
        faulty.clear_requests();
        assert_eq!(store.get(&key("a")).await.unwrap_err().kind(), kind);
        assert_eq!(faulty.count_all(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_has_a_deadline() {
    let (faulty, store) = one_replica();
    let limits = Timeouts::default();
    let large = Bytes::from(vec![0; 1024 * 1024]);
    for op in [Op::Put, Op::Get, Op::Head, Op::List, Op::Delete] {
        faulty.rule_times(9, op, any, Action::Drop);
    }
    let start = Instant::now();
    let mut errors = Vec::new();
    errors.push((
        store.create(&key("a"), Bytes::new()).await.unwrap_err(),
        limits.small,
    ));
    errors.push((
        store.replace(&key("a"), large).await.unwrap_err(),
        limits.transfer,
    ));
    errors.push((store.get(&key("a")).await.unwrap_err(), limits.small));
    errors.push((
        store.open_range(&key("a"), None).await.unwrap_err(),
        limits.small,
    ));
    errors.push((store.head(&key("a")).await.unwrap_err(), limits.small));
    errors.push((store.list().await.unwrap_err(), limits.transfer));
    errors.push((
        store.list_below(&key("a"), None).await.unwrap_err(),
        limits.transfer,
    ));
    errors.push((store.delete(&key("a")).await.unwrap_err(), limits.small));
    let mut expected = Duration::ZERO;
    for (error, limit) in errors {
        assert_eq!(error.kind(), StorageErrorKind::Timeout, "{error}");
        expected += limit;
    }
    let rest = start.elapsed().saturating_sub(expected);
    assert!(
        start.elapsed() >= expected && rest < Duration::from_secs(1),
        "{rest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn limits_beyond_all_time_are_allowed() {
    let limits = Timeouts {
        small: Duration::MAX,
        transfer: Duration::MAX,
    };
    let store = Faulty::new(Arc::new(InMemory::new())).store(limits);
    store.create(&key("a"), Bytes::from("a")).await.unwrap();
    store.get(&key("a")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_was_executed() {
    let (faulty, store) = one_replica();
    faulty.rule(Op::Put, |key| key == "a", Action::LoseReply);
    let error = store.create(&key("a"), Bytes::from("mine")).await;
    assert!(error.unwrap_err().outcome_unknown());
    assert_eq!(
        store.get(&key("a")).await.unwrap().body,
        Bytes::from("mine")
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_request_is_executed_after_its_caller_gave_up() {
    let (faulty, store) = one_replica();
    store.create(&key("a"), Bytes::new()).await.unwrap();
    faulty.rule(
        Op::Delete,
        any,
        Action::ExecuteLate(Duration::from_secs(20)),
    );
    let error = store.delete(&key("a")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Timeout);
    store.head(&key("a")).await.unwrap();
    faulty.settle().await;
    let gone = store.head(&key("a")).await.unwrap_err();
    assert_eq!(gone.kind(), StorageErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_cut_body_is_never_a_short_success() {
    let (faulty, store) = one_replica();
    store
        .create(&key("a"), Bytes::from("0123456789"))
        .await
        .unwrap();
    faulty.rule_times(3, Op::Get, any, Action::CutBody(4));
    let error = store.get(&key("a")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    faulty.rule(Op::Get, any, Action::CutBody(0));
    assert_eq!(store.get(&key("a")).await.unwrap().body.len(), 10);
    faulty.rule(Op::Get, any, Action::CutBody(4));
    let stream = store.open_range(&key("a"), Some(2..9)).await.unwrap();
    let error = stream.body.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
}

#[tokio::test]
async fn a_cut_body_of_a_file_is_an_error_too() {
    let directory = tempfile::tempdir().unwrap();
    let location = directory.path().to_owned().into();
    let local = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap();
    let faulty = Faulty::new(local.object_store());
    let store = faulty.store(Timeouts::default());
    store
        .create(&key("a"), Bytes::from("0123456789"))
        .await
        .unwrap();
    faulty.rule(Op::Get, any, Action::CutBody(4));
    let stream = store.open_range(&key("a"), None).await.unwrap();
    let error = stream.body.try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn two_replicas_are_two_ways_to_one_bucket() {
    let bucket = Arc::new(InMemory::new());
    let (first, second) = (Faulty::new(bucket.clone()), Faulty::new(bucket));
    let stores = [&first, &second].map(|way| way.store(Timeouts::default()));
    let [mine, theirs] = stores.clone();

    let before = first.pause_before(Op::Put, |key| key.ends_with('a'));
    let paused = tokio::spawn(async move { mine.create(&key("a"), Bytes::from("1")).await });
    before.arrived().await;
    theirs.create(&key("a"), Bytes::from("2")).await.unwrap();
    before.release();
    let lost = paused.await.unwrap().unwrap_err();
    assert_eq!(lost.kind(), StorageErrorKind::AlreadyExists);

    let [mine, theirs] = stores;
    let after = first.pause_after(Op::List, any);
    let paused = tokio::spawn(async move { mine.list().await });
    after.arrived().await;
    theirs.delete(&key("a")).await.unwrap();
    after.release();
    assert_eq!(
        paused.await.unwrap().unwrap().len(),
        1,
        "the listing is as old as its execution"
    );
    assert_eq!((first.count_all(), second.count_all()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_partition_fails_requests_and_loses_replies() {
    let (faulty, store) = one_replica();
    let after = faulty.pause_after(Op::Put, any);
    let paused = store.clone();
    let paused = tokio::spawn(async move { paused.create(&key("a"), Bytes::new()).await });
    after.arrived().await;
    faulty.partition(true);
    after.release();
    assert!(paused.await.unwrap().unwrap_err().outcome_unknown());
    let error = store.create(&key("b"), Bytes::new()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    store.list().await.unwrap_err();
    faulty.partition(false);
    let listed = store.list().await.unwrap();
    assert_eq!(listed.len(), 1, "only `a` was executed");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_by_the_paused_clock() {
    let (faulty, store) = one_replica();
    faulty.rule(Op::Put, any, Action::Delay(Duration::from_secs(3)));
    let start = Instant::now();
    store.create(&key("a"), Bytes::new()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

/// Does the same things on a fresh store and returns how each ended.
async fn history(seed: u64) -> Vec<Option<StorageErrorKind>> {
    let (faulty, store) = one_replica();
    faulty.follow(Plan::stormy(seed, 3));
    let mut outcomes = Vec::new();
    for number in 0..40 {
        let key = key(&format!("a{}", number % 5));
        let body = Bytes::from(vec![1; 100]);
        let create = store.create(&key, body).await.map(drop);
        let get = store.get(&key).await;
        if let Ok(object) = &get {
            assert_eq!(object.body.len(), 100);
        }
        let delete = store.delete(&key).await;
        for outcome in [create, get.map(drop), delete] {
            outcomes.push(outcome.err().map(|error| error.kind()));
        }
    }
    outcomes
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_faults() {
    let first = history(7).await;
    assert_eq!(first, history(7).await);
    assert_ne!(first, history(8).await);
    for kind in [StorageErrorKind::Unavailable, StorageErrorKind::Timeout] {
        assert!(first.contains(&Some(kind)), "{kind}");
    }
    assert!(first.contains(&None));
}
