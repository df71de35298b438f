//! Checks and repairs beside deletions, uploads and overwrites that are under way, and over a store
//! that fails.

use std::sync::Arc;
use std::time::Duration;

use chartroom::repository::check::{Kind, Repair, Severity};
use chartroom::repository::{Overwrite, RepositoryError, Waits};
use chartroom_storage::StorageErrorKind;
use chartroom_storage::testing::{Action, Gate, Op};

use crate::checks::{assert_mended, check, found, repair, the, upload_signed};
use crate::provenance;
use crate::replica::{
    Answer, Bucket, Fits, answer, archives, bytes, digest, file, key, records, upload,
};

use Kind::{ChangedMeanwhile, MissingArchive, OpenDeletion, OrphanedProvenance, UnlistedArchive};
use Severity::{Error, Information, Warning};

/// A deleter that died: no upload of the version is let in until somebody finishes.
#[tokio::test(start_paused = true)]
async fn a_half_finished_delete_is_found_and_finished() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        upload_signed(&a, "1.0.0", "one").await;
        let gate = a.way.pause_before(Op::Delete, archives);
        let _delete = a.begin(|a| async move { a.delete("1.0.0").await });
        gate.arrived().await;
        a.kill();
        // A replica would finish it by itself: these only look.
        let early = bucket.visit(Duration::from_secs(1)).await;
        let report = early.check(Repair::No).await.unwrap();
        assert_eq!(
            found(&report),
            [(OpenDeletion, Information, "app-1.0.0.tgz")],
            "it may be under way"
        );
        let what = &the(&report, OpenDeletion).what;
        assert!(
            what.contains("generation 2") && what.contains("still there"),
            "{what}"
        );
        let late = bucket.visit(Waits::default().takeover).await;
        let report = late.check(Repair::No).await.unwrap();
        assert_eq!(found(&report), [(OpenDeletion, Warning, "app-1.0.0.tgz")]);

        // Whoever has only just learned of it waits before it takes over.
        let began = tokio::time::Instant::now();
        let report = late.check(Repair::Yes).await.unwrap();
        let a_look = Duration::from_secs(2);
        assert!(began.elapsed() + a_look >= Waits::default().takeover);
        assert!(the(&report, OpenDeletion).mended);
        assert!(bucket.hand().list().await.unwrap().is_empty());
        let c = bucket.replica().await;
        assert_mended(&c).await;
        assert!(matches!(c.upload("1.0.0", "two").await, Answer::Done(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_goes_on_is_left_to_its_holder() {
    let bucket = Bucket::hashing();
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    a.upload("1.0.0", "one").await;
    let gate = a.way.pause_before(Op::Delete, archives);
    let delete = a.begin(|a| async move { a.delete("1.0.0").await });
    gate.arrived().await;
    let repairing = tokio::spawn({
        let b = Arc::clone(&b.repository);
        async move { b.check(Repair::Yes).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    gate.release();
    assert!(matches!(delete.await.unwrap(), Answer::Done(3)));
    let report = repairing.await.unwrap();
    assert!(!report.finds_something_wrong(), "{report:?}");
    let view = b.repository.caught_up().await.unwrap();
    assert_eq!(view.generation, 3, "nobody took it over");
}

#[tokio::test(start_paused = true)]
async fn orphaned_provenance_is_deleted_after_it_was_watched() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        a.upload("2.0.0", "two").await;
        let hand = bucket.hand();
        let orphan = provenance::of("app", "1.0.0", &bytes("1.0.0", "one"));
        hand.create(&provenance::key("1.0.0"), orphan)
            .await
            .unwrap();
        hand.create(&provenance::key("1.5.0"), "junk".into())
            .await
            .unwrap();
        // One whose archive a hand removed: the entry is dropped first.
        upload_signed(&a, "3.0.0", "three").await;
        hand.delete(&key("3.0.0")).await.unwrap();
        let report = check(&a).await;
        let expected = [
            (OrphanedProvenance, Warning, "app-1.0.0.tgz.prov"),
            (OrphanedProvenance, Warning, "app-1.5.0.tgz.prov"),
            (MissingArchive, Error, "app-3.0.0.tgz"),
        ];
        assert_eq!(found(&report), expected);
        let began = tokio::time::Instant::now();
        let report = repair(&a).await;
        let waits = Waits::default();
        assert!(
            began.elapsed() >= waits.takeover + waits.late,
            "the archive may be on its way"
        );
        assert_eq!(found(&report), expected);
        assert!(report.findings.iter().all(|finding| finding.mended));
        let names: Vec<String> = hand
            .list()
            .await
            .unwrap()
            .iter()
            .map(|object| object.key.to_string())
            .collect();
        assert_eq!(names, ["app-2.0.0.tgz"]);
        assert_mended(&a).await;
        assert!(matches!(
            upload_signed(&a, "1.0.0", "one").await,
            Answer::Done(_)
        ));
    }
}

/// The archive comes while the repair waits.
#[tokio::test(start_paused = true)]
async fn provenance_that_was_put_before_its_archive_stays() {
    let bucket = Bucket::hashing();
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    let archive = bytes("1.0.0", "one");
    let signed = provenance::of("app", "1.0.0", &archive);
    bucket
        .hand()
        .create(&provenance::key("1.0.0"), signed.clone())
        .await
        .unwrap();
    let repairing = tokio::spawn({
        let b = Arc::clone(&b.repository);
        async move { b.check(Repair::Yes).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(a.upload("1.0.0", "one").await, Answer::Done(1));
    let report = repairing.await.unwrap();
    assert!(!report.finds_something_wrong(), "{report:?}");
    let there = bucket.hand().get(&provenance::key("1.0.0")).await.unwrap();
    assert_eq!(there.body, signed);
    assert_eq!(found(&check(&a).await), []);
}

/// The archive comes between the repair's last look and its `removed`.
#[tokio::test(start_paused = true)]
async fn an_upload_that_is_faster_than_the_deletion_of_an_orphan_keeps_its_provenance() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        bucket
            .hand()
            .create(&provenance::key("1.0.0"), "old".into())
            .await
            .unwrap();
        let gate = b.way.pause_before(Op::Put, records);
        let repairing = tokio::spawn({
            let b = Arc::clone(&b.repository);
            async move { b.check(Repair::Yes).await.unwrap() }
        });
        gate.arrived().await;
        assert_eq!(upload_signed(&a, "1.0.0", "one").await, Answer::Done(1));
        gate.release();
        let report = repairing.await.unwrap();
        assert!(!report.finds_something_wrong(), "{report:?}");
        assert_eq!(b.way.count(Op::Delete), 0);
        assert_eq!(found(&check(&a).await), [], "the new provenance is there");
        assert!(bucket.hand().get(&provenance::key("1.0.0")).await.is_ok());
    }
}

/// The archive comes after the repair's `removed`: its upload waits, or is told to come back.
#[tokio::test(start_paused = true)]
async fn an_upload_during_the_deletion_of_an_orphan_is_told_to_come_back() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        bucket
            .hand()
            .create(&provenance::key("1.0.0"), "old".into())
            .await
            .unwrap();
        let gate = b.way.pause_before(Op::Delete, |key| key.ends_with(".prov"));
        let repairing = tokio::spawn({
            let b = Arc::clone(&b.repository);
            async move { b.check(Repair::Yes).await.unwrap() }
        });
        gate.arrived().await;
        a.listing().await;
        assert_eq!(upload_signed(&a, "1.0.0", "one").await, Answer::Busy);
        gate.release();
        let report = repairing.await.unwrap();
        assert!(the(&report, OrphanedProvenance).mended);
        assert!(matches!(
            upload_signed(&a, "1.0.0", "one").await,
            Answer::Done(_)
        ));
        assert!(bucket.hand().get(&provenance::key("1.0.0")).await.is_ok());
        assert_eq!(found(&check(&a).await), []);
    }
}

/// An upload that looked at the log before the repair's `removed` and puts its object after `purged`.
#[tokio::test(start_paused = true)]
async fn an_upload_across_the_deletion_of_an_orphan_can_be_sent_again() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        bucket
            .hand()
            .create(&provenance::key("1.0.0"), "old".into())
            .await
            .unwrap();
        let gate = a.way.pause_before(Op::Put, archives);
        let uploading = a.begin(|a| async move { upload_signed(&a, "1.0.0", "one").await });
        gate.arrived().await;
        assert!(the(&repair(&b).await, OrphanedProvenance).mended);
        gate.release();
        let first = uploading.await.unwrap();
        if first == Answer::Busy {
            assert!(matches!(
                upload_signed(&a, "1.0.0", "one").await,
                Answer::Done(_) | Answer::Exists
            ));
        }
        let expected = [(file("1.0.0"), digest("1.0.0", "one"))];
        assert_eq!(bucket.listing().await, expected.into());
        assert!(bucket.hand().get(&provenance::key("1.0.0")).await.is_ok());
        assert_eq!(found(&check(&a).await), []);
    }
}

/// An overwrite that puts object and provenance while the repair is about to delete the orphan.
#[tokio::test(start_paused = true)]
async fn an_overwrite_across_the_deletion_of_an_orphan_keeps_its_provenance() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        bucket
            .hand()
            .create(&provenance::key("1.0.0"), "old".into())
            .await
            .unwrap();
        let deletion = b.way.pause_before(Op::Delete, |key| key.ends_with(".prov"));
        let repairing = tokio::spawn({
            let b = Arc::clone(&b.repository);
            async move { b.check(Repair::Yes).await.unwrap() }
        });
        deletion.arrived().await;
        let append = a.way.pause_before(Op::Put, records);
        let overwriting = a.begin(async move |a| {
            let mut signed = upload("1.0.0", "one", Overwrite::Allow);
            signed.provenance = Some(provenance::of("app", "1.0.0", &signed.archive));
            answer(a.repository.publish(signed).await)
        });
        append.arrived().await;
        deletion.release();
        repairing.await.unwrap();
        append.release();
        assert!(matches!(overwriting.await.unwrap(), Answer::Done(_)));
        assert!(bucket.hand().get(&provenance::key("1.0.0")).await.is_ok());
        assert_eq!(found(&check(&b).await), []);
    }
}

/// An upload is held between its object and its record, before or after its provenance.
#[tokio::test(start_paused = true)]
async fn an_upload_under_way_is_not_damaged_by_a_repair() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        for fits in [records as fn(&str) -> bool, |key: &str| {
            key.ends_with(".prov")
        }] {
            let (a, b) = (bucket.replica().await, bucket.replica().await);
            let version = if fits("x.prov") { "1.0.0" } else { "2.0.0" };
            let gate = a.way.pause_before(Op::Put, fits);
            let uploading = a.begin(async move |a| upload_signed(&a, version, "one").await);
            gate.arrived().await;
            let report = repair(&b).await;
            assert!(the(&report, UnlistedArchive).mended);
            gate.release();
            assert!(matches!(uploading.await.unwrap(), Answer::Done(_)));
            assert!(bucket.hand().get(&provenance::key(version)).await.is_ok());
            assert_eq!(
                bucket.listing().await.get(&file(version)),
                Some(&digest(version, "one"))
            );
            assert_eq!(found(&check(&b).await), []);
        }
    }
}

/// What only one look shows is an operation that went on.
#[tokio::test(start_paused = true)]
async fn an_upload_that_ends_between_two_looks_is_not_a_finding() {
    let bucket = Bucket::hashing();
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    let append = a.way.pause_before(Op::Put, records);
    let uploading = a.begin(|a| async move { a.upload("1.0.0", "one").await });
    append.arrived().await;
    let listed = b.way.pause_after(Op::List, |_| true);
    let checking = tokio::spawn({
        let b = Arc::clone(&b.repository);
        async move { b.check(Repair::No).await.unwrap() }
    });
    listed.arrived().await;
    append.release();
    assert_eq!(uploading.await.unwrap(), Answer::Done(1));
    listed.release();
    assert_eq!(found(&checking.await.unwrap()), []);
}

/// A file that is replaced each time is said to be so, and nothing else of it.
#[tokio::test(start_paused = true)]
async fn a_file_that_changes_all_the_time_is_not_judged() {
    let bucket = Bucket::hashing();
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    a.upload("1.0.0", "one").await;
    let gate = Gate::new();
    b.way
        .rule_times(2, Op::Get, archives, Action::PauseBefore(gate.clone()));
    let checking = tokio::spawn({
        let b = Arc::clone(&b.repository);
        async move { b.check(Repair::No).await.unwrap() }
    });
    for number in 0..2 {
        gate.arrived().await;
        let body = bytes("1.0.0", &format!("version {number}"));
        bucket.hand().replace(&key("1.0.0"), body).await.unwrap();
        gate.release();
    }
    let report = checking.await.unwrap();
    assert_eq!(
        found(&report),
        [(ChangedMeanwhile, Information, "app-1.0.0.tgz")]
    );
}

/// An error of the store is never "all is fine".
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_a_check_with_its_error() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    upload_signed(&a, "1.0.0", "one").await;
    let places: [(Op, Fits); 4] = [
        (Op::List, |_| true),
        (Op::Get, records),
        (Op::Get, archives),
        (Op::Get, |key| key.ends_with(".prov")),
    ];
    for (op, fits) in places {
        for mode in [Repair::No, Repair::Yes] {
            let fail = Action::Fail(StorageErrorKind::Denied);
            a.way.rule_times(9, op, fits, fail);
            let result = a.repository.check(mode).await;
            assert!(
                matches!(result, Err(RepositoryError::Storage(_))),
                "{op:?}: {result:?}"
            );
            a.way.clear_rules();
        }
    }
    // One that fails while it is being mended.
    let hand = bucket.hand();
    hand.create(&key("2.0.0"), bytes("2.0.0", "two"))
        .await
        .unwrap();
    let fail = Action::Fail(StorageErrorKind::Denied);
    a.way.rule_times(9, Op::Put, records, fail);
    let result = a.repository.check(Repair::Yes).await;
    assert!(
        matches!(result, Err(RepositoryError::Storage(_))),
        "{result:?}"
    );
    a.way.clear_rules();
    assert!(the(&repair(&a).await, UnlistedArchive).mended);
}
