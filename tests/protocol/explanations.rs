//! Why a version is in the index, or why not.

use std::time::Duration;

use chartroom::repository::explain::{Explanation, Reason};
use chartroom::repository::{Options, Origin, RepositoryError, Visit};
use chartroom_storage::log::LogOptions;
use chartroom_storage::testing::{Action, Faulty, Op};
use chartroom_storage::{Clock, Key, StorageErrorKind, Timeouts};
use object_store::memory::InMemory;

use crate::charts;
use crate::replica::{Answer, Bucket, Fits, Replica, archives, bytes, digest, file, key, options};

async fn explain(replica: &Replica, name: &str, version: &str) -> Explanation {
    let explanation = replica.repository.explain(name, version).await.unwrap();
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["listed"], explanation.listed);
    assert!(!explanation.sentence.is_empty() && !explanation.advice.is_empty());
    explanation
}

async fn reason(replica: &Replica, name: &str, version: &str) -> Reason {
    explain(replica, name, version).await.reason
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_uploaded_is_listed() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        a.upload("0.9.0", "before").await;
        a.upload("1.0.0", "one").await;
        // The other replica catches up before it answers.
        let explanation = explain(&b, "app", "1.0.0").await;
        assert!(explanation.listed);
        assert_eq!(explanation.reason, Reason::Listed);
        assert_eq!(explanation.generation, Some(2));
        let facts = explanation.facts;
        assert_eq!(facts.file, Some(file("1.0.0")));
        assert_eq!(facts.digest, Some(digest("1.0.0", "one")));
        assert_eq!(facts.origin, Some(Origin::Upload));
        assert_eq!(facts.changed_at_generation, Some(2));
        assert!(facts.created.is_some() && facts.changed_at.is_some());
        let (known, stored) = (facts.known_object.unwrap(), facts.stored_object.unwrap());
        assert!(known.same_object(&stored));
        assert!(
            explanation.sentence.contains("app-1.0.0.tgz, uploaded at"),
            "{}",
            explanation.sentence
        );
        assert!(explanation.near.is_empty() && explanation.versions.is_empty());
        assert!(!explain(&b, "app", "2.0.0").await.listed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_a_refresh_found_is_listed_with_those_behind_it() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    for name in ["copy.tgz", "app-1.0.0.tgz"] {
        let key = Key::parse(name).unwrap();
        let body = bytes("1.0.0", name);
        bucket.hand().create(&key, body).await.unwrap();
    }
    assert_eq!(
        reason(&a, "app", "1.0.0").await,
        Reason::NotEntered,
        "no refresh has looked yet"
    );
    a.refresh().await;
    let explanation = explain(&a, "app", "1.0.0").await;
    assert_eq!(explanation.reason, Reason::Listed);
    assert_eq!(explanation.facts.origin, Some(Origin::Refresh));
    assert_eq!(explanation.facts.waiting, ["copy.tgz"]);
    assert!(explanation.sentence.contains("copy.tgz"));
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_the_store_does_not_bear_out_is_said() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    a.upload("1.0.0", "one").await;
    a.upload("2.0.0", "two").await;
    let hand = bucket.hand();
    hand.delete(&key("1.0.0")).await.unwrap();
    let other = bytes("2.0.0", "by hand");
    hand.replace(&key("2.0.0"), other).await.unwrap();
    let explanation = explain(&a, "app", "1.0.0").await;
    assert!(explanation.listed);
    assert_eq!(explanation.reason, Reason::ListedWithoutObject);
    assert_eq!(
        reason(&a, "app", "2.0.0").await,
        Reason::ListedAsAnotherObject
    );
    hand.replace(&key("2.0.0"), "junk, and more junk".into())
        .await
        .unwrap();
    let explanation = explain(&a, "app", "2.0.0").await;
    assert_eq!(explanation.reason, Reason::ListedAsAnotherObject);
    assert!(explanation.sentence.contains("gzip: invalid header"));
    assert!(explanation.advice.contains("backup"));
    hand.replace(&key("2.0.0"), bytes("2.0.0", "by hand"))
        .await
        .unwrap();
    a.refresh().await;
    assert_eq!(reason(&a, "app", "2.0.0").await, Reason::Listed);
    let explanation = explain(&a, "app", "1.0.0").await;
    assert_eq!(explanation.reason, Reason::Dropped);
    assert!(explanation.facts.changed_at.is_some());
    assert_eq!(explanation.versions, ["2.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_and_not_listed_is_read_now() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    let hand = bucket.hand();
    hand.create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    hand.create(&key("2.0.0"), "junk, and more junk".into())
        .await
        .unwrap();
    hand.create(&key("3.0.0"), "".into()).await.unwrap();
    let other = charts::chart("other", "3.0.0", "x");
    hand.create(&key("4.0.0"), other).await.unwrap();
    a.way.clear_requests();
    assert_eq!(reason(&a, "app", "1.0.0").await, Reason::NotEntered);
    let explanation = explain(&a, "app", "2.0.0").await;
    assert_eq!(explanation.reason, Reason::Unreadable);
    assert!(
        explanation.sentence.contains("gzip: invalid header"),
        "{}",
        explanation.sentence
    );
    assert_eq!(reason(&a, "app", "3.0.0").await, Reason::Unreadable);
    for _ in 0..2 {
        let explanation = explain(&a, "app", "4.0.0").await;
        assert_eq!(explanation.reason, Reason::OtherChart);
        let held = explanation.facts.holds.unwrap();
        assert_eq!((&*held.name, &*held.version), ("other", "3.0.0"));
        // The second time it is in the log as what it is.
        assert_eq!(a.way.count(Op::Put), 0, "an explanation writes nothing");
        a.refresh().await;
        a.way.clear_requests();
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_explained_while_it_is_open_and_after() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        a.upload("1.0.0", "one").await;
        let gate = a.way.pause_before(Op::Delete, archives);
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        gate.arrived().await;
        let explanation = explain(&b, "app", "1.0.0").await;
        assert_eq!(explanation.reason, Reason::BeingDeleted);
        assert_eq!(explanation.facts.changed_at_generation, Some(2));
        assert!(explanation.sentence.contains("is still there"));
        gate.release();
        assert_eq!(delete.await.unwrap(), Answer::Done(3));
        for replica in [&a, &b, &bucket.replica().await] {
            let explanation = explain(replica, "app", "1.0.0").await;
            assert_eq!(explanation.reason, Reason::Deleted);
            assert_eq!(explanation.facts.changed_at_generation, Some(3));
            assert!(explanation.sentence.contains("was deleted at"));
        }
    }
}

/// What a replica does not remember because it started from a snapshot, the log's records tell.
#[tokio::test(start_paused = true)]
async fn a_deletion_before_a_snapshot_is_found_in_the_log() {
    let bucket = Bucket::hashing();
    let log = LogOptions {
        snapshot_after: 10,
        ..LogOptions::default()
    };
    let a = bucket.replica_with(Options { log, ..options() }).await;
    a.upload("1.0.0", "one").await;
    a.delete("1.0.0").await;
    for number in 2..20 {
        a.upload(&format!("{number}.0.0"), "x").await;
    }
    a.repository.close().await;
    let b = bucket.replica().await;
    b.way.clear_requests();
    let explanation = explain(&b, "app", "1.0.0").await;
    assert_eq!(explanation.reason, Reason::Deleted);
    assert_eq!(explanation.facts.changed_at_generation, Some(3));
    assert_eq!(explanation.versions.len(), 5, "the newest of many");
    assert_eq!(explanation.versions[0], "19.0.0");
    let explanation = explain(&b, "app", "1.5.0").await;
    assert_eq!(explanation.reason, Reason::NotFound);
    assert_eq!(explanation.facts.unmentioned_since, Some(1));
    assert!(explanation.sentence.contains("never mentioned"));
}

#[tokio::test(start_paused = true)]
async fn other_spellings_are_offered() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    for (name, version) in [
        ("app", "v1.0.0"),
        ("app", "v2.0"),
        ("app", "3.0.0+build"),
        ("My_App", "1.0.0"),
        ("other", "1.0.0"),
    ] {
        let key = Key::parse(&format!("{name}-{version}.tgz")).unwrap();
        let body = charts::chart(name, version, "x");
        bucket.hand().create(&key, body).await.unwrap();
    }
    a.refresh().await;
    for (name, version, expected) in [
        ("app", "1.0.0", "app v1.0.0"),
        ("app", "1", "app v1.0.0"),
        ("app", "2.0.0", "app v2.0"),
        ("App", "v2.0.0", "app v2.0"),
        ("app", "3.0.0", "app 3.0.0+build"),
        ("my-app", "1.0.0", "My_App 1.0.0"),
    ] {
        let explanation = explain(&a, name, version).await;
        assert_eq!(explanation.reason, Reason::SpelledDifferently);
        assert!(!explanation.listed);
        let near: Vec<String> = explanation
            .near
            .iter()
            .map(|near| format!("{} {}", near.name, near.version))
            .collect();
        assert_eq!(near, [expected], "{name} {version}");
        assert!(explanation.sentence.contains(expected));
    }
    assert_eq!(reason(&a, "app", "3.0.1").await, Reason::NotFound);
    assert_eq!(reason(&a, "nothing", "1.0.0").await, Reason::NotFound);
    assert_eq!(reason(&a, "../app", "1.0.0").await, Reason::ImpossibleName);
    let long = "x".repeat(300);
    assert_eq!(reason(&a, &long, "1.0.0").await, Reason::ImpossibleName);
}

#[tokio::test(start_paused = true)]
async fn without_a_log_the_files_are_explained_and_nothing_is_written() {
    let way = Faulty::new(std::sync::Arc::new(InMemory::new()));
    let store = way.store(Timeouts::default());
    store
        .create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    way.clear_requests();
    let visit = Visit::begin(store, Clock::default(), options())
        .await
        .unwrap();
    let there = visit.explain("app", "1.0.0").await.unwrap();
    assert_eq!((there.listed, there.reason), (false, Reason::NoLog));
    assert_eq!(there.generation, None);
    let missing = visit.explain("app", "2.0.0").await.unwrap();
    assert_eq!(missing.reason, Reason::NotFound);
    assert_eq!(way.count(Op::Put) + way.count(Op::Delete), 0);
}

/// An error of the store is never "it is not there".
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_an_explanation_with_its_error() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    a.upload("1.0.0", "one").await;
    a.delete("1.0.0").await;
    bucket
        .hand()
        .create(&key("2.0.0"), bytes("2.0.0", "two"))
        .await
        .unwrap();
    let places: [(Op, Fits, &str); 4] = [
        (Op::Head, archives, "1.0.0"),
        (Op::Get, |key| key.ends_with("03"), "1.0.0"),
        (Op::Get, archives, "2.0.0"),
        (Op::Head, archives, "2.0.0"),
    ];
    for (op, fits, version) in places {
        let fail = Action::Fail(StorageErrorKind::Denied);
        a.way.rule_times(9, op, fits, fail);
        let result = a.repository.explain("app", version).await;
        assert!(
            matches!(result, Err(RepositoryError::Storage(_))),
            "{op:?} {version}: {result:?}"
        );
        a.way.clear_rules();
    }
    assert_eq!(reason(&a, "app", "1.0.0").await, Reason::Deleted);
    assert_eq!(reason(&a, "app", "2.0.0").await, Reason::NotEntered);
}

/// The log is read back some way, and no further.
#[tokio::test(start_paused = true)]
async fn a_search_of_a_long_log_has_an_end() {
    let bucket = Bucket::hashing();
    let log = LogOptions {
        snapshot_after: 10_000,
        ..LogOptions::default()
    };
    let a = bucket.replica_with(Options { log, ..options() }).await;
    for number in 0..1_100 {
        a.overwrite("1.0.0", &number.to_string()).await;
    }
    a.way.clear_requests();
    let began = tokio::time::Instant::now();
    let explanation = explain(&a, "app", "2.0.0").await;
    assert_eq!(explanation.reason, Reason::NotFound);
    assert_eq!(explanation.facts.unmentioned_since, Some(101));
    assert!(a.way.count(Op::Get) <= 1_010);
    assert!(began.elapsed() < Duration::from_secs(1));
}
