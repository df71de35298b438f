//! DELETE and FINISH.

use std::time::Duration;

use chartroom::repository::{Options, Waits};
use chartroom_storage::testing::{Action, Op};
use chrono::TimeDelta;

use crate::replica::{
    Answer, Bucket, Replica, archives, bytes, digest, file, key, options, records,
};

async fn pair(bucket: &Bucket) -> (Replica, Replica) {
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    a.upload("1.0.0", "one").await;
    (a, b)
}

/// Lets so much time pass that a deletion may be taken over.
async fn outwait() {
    tokio::time::sleep(Waits::default().takeover + Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_version_is_gone_everywhere_and_a_second_delete_finds_nothing() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = pair(&bucket).await;
        assert_eq!(b.delete("1.0.0").await, Answer::Done(3));
        assert_eq!(a.delete("1.0.0").await, Answer::Missing);
        assert!(bucket.hand().get(&key("1.0.0")).await.is_err());
        assert_eq!(bucket.listing().await, [].into());
    }
}

/// 2.
#[tokio::test(start_paused = true)]
async fn a_delete_held_while_an_overwrite_completes_looks_again() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = pair(&bucket).await;
        let gate = a.way.pause_before(Op::Put, records);
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        gate.arrived().await;
        assert_eq!(b.overwrite("1.0.0", "two").await, Answer::Done(2));
        gate.release();
        assert!(matches!(delete.await.unwrap(), Answer::Done(_)));
        assert_eq!(bucket.listing().await, [].into());
    }
}

/// 4: a finisher is held between its look and its delete while the first deleter ends.
#[tokio::test(start_paused = true)]
async fn a_late_finisher_does_not_delete_a_newer_upload() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        // Only the other replica may take over.
        let waits = Waits {
            takeover: Duration::from_hours(1),
            ..Waits::default()
        };
        let a = bucket.replica_with(Options { waits, ..options() }).await;
        let b = bucket.replica().await;
        a.upload("1.0.0", "one").await;
        let deleter = a.way.pause_before(Op::Delete, archives);
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        deleter.arrived().await;
        b.listing().await;
        let finisher = b.way.pause_before(Op::Delete, archives);
        let finish = b.begin(|b| async move {
            outwait().await;
            b.refresh().await;
            Answer::Done(0)
        });
        finisher.arrived().await;
        deleter.release();
        // The takeover came first: the first deleter must not say that it is done by its own record.
        let first = delete.await.unwrap();
        assert_eq!(first, Answer::Busy);
        assert_eq!(
            a.upload("1.0.0", "two").await,
            Answer::Busy,
            "the deletion is open still"
        );
        finisher.release();
        finish.await.unwrap();
        assert!(matches!(a.upload("1.0.0", "two").await, Answer::Done(_)));
        assert_eq!(
            bucket.listing().await,
            [(file("1.0.0"), digest("1.0.0", "two"))].into()
        );
    }
}

/// 5 and 8: a deleter that was held while its deletion was taken over and ended, and a newer upload
/// acknowledged, sends no delete, and its `purged` is refused.
#[tokio::test(start_paused = true)]
async fn a_deleter_that_was_overtaken_leaves_a_newer_upload_alone() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = pair(&bucket).await;
        let removed = a.way.pause_after(Op::Put, records);
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        removed.arrived().await;
        b.listing().await;
        outwait().await;
        b.refresh().await;
        assert!(matches!(b.upload("1.0.0", "two").await, Answer::Done(_)));
        let generation = b.repository.caught_up().await.unwrap().generation;
        removed.release();
        assert!(matches!(
            delete.await.unwrap(),
            Answer::Busy | Answer::Done(_)
        ));
        assert_eq!(a.way.count_of(Op::Delete, archives), 0);
        assert_eq!(
            b.repository.caught_up().await.unwrap().generation,
            generation,
            "no purged"
        );
        assert_eq!(
            bucket.listing().await,
            [(file("1.0.0"), digest("1.0.0", "two"))].into()
        );
    }
}

/// 7.
#[tokio::test(start_paused = true)]
async fn a_deleter_past_its_term_sends_no_delete_and_writes_no_purged() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, _) = pair(&bucket).await;
        let removed = a.way.pause_after(Op::Put, records);
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        removed.arrived().await;
        tokio::time::sleep(Waits::default().term).await;
        a.way.clear_requests();
        removed.release();
        assert_eq!(delete.await.unwrap(), Answer::Busy);
        assert_eq!(a.way.count_of(Op::Delete, archives), 0);
        assert_eq!(a.way.count_of(Op::Put, records), 0);
        assert!(bucket.hand().get(&key("1.0.0")).await.is_ok());
    }
}

/// 6.
#[tokio::test(start_paused = true)]
async fn of_two_finishers_at_once_both_end_and_the_version_is_gone() {
    let bucket = Bucket::hashing();
    let (a, b) = pair(&bucket).await;
    let c = bucket.replica().await;
    let gate = a.way.pause_before(Op::Delete, archives);
    let _delete = a.begin(|a| async move { a.delete("1.0.0").await });
    gate.arrived().await;
    a.kill();
    b.listing().await;
    c.listing().await;
    outwait().await;
    let finishers = [b, c].map(|replica| {
        replica.begin(|replica| async move {
            replica.refresh().await;
            Answer::Done(0)
        })
    });
    for finisher in finishers {
        finisher.await.unwrap();
    }
    assert_eq!(bucket.listing().await, [].into());
    assert!(bucket.hand().get(&key("1.0.0")).await.is_err());
}

/// 9.
#[tokio::test(start_paused = true)]
async fn uploads_and_overwrites_wait_for_an_open_deletion() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = pair(&bucket).await;
        let gate = a.way.pause_before(Op::Delete, archives);
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        gate.arrived().await;
        assert_eq!(b.listing().await, [].into(), "it is not listed any more");
        assert_eq!(b.upload("1.0.0", "two").await, Answer::Busy);
        b.listing().await;
        assert_eq!(b.overwrite("1.0.0", "three").await, Answer::Busy);
        assert_eq!(b.way.count_of(Op::Put, archives), 0, "nothing was put");
        gate.release();
        assert!(matches!(delete.await.unwrap(), Answer::Done(_)));
        assert!(matches!(b.upload("1.0.0", "two").await, Answer::Done(_)));
        bucket.listing().await;
    }
}

/// 10: the delete's reply is lost, and it is executed late, while an upload waits.
#[tokio::test(start_paused = true)]
async fn a_late_delete_is_waited_out() {
    for late_by in [1, 6, 9] {
        let bucket = Bucket::hashing();
        let a = bucket.hasty_replica(TimeDelta::zero()).await;
        let b = bucket.replica().await;
        a.upload("1.0.0", "one").await;
        let lateness = Duration::from_secs(late_by);
        a.way
            .rule(Op::Delete, archives, Action::ExecuteLate(lateness));
        let delete = a.begin(|a| async move { a.delete("1.0.0").await });
        let mut uploaded = b.upload("1.0.0", "two").await;
        while !matches!(uploaded, Answer::Done(_)) {
            assert!(
                matches!(uploaded, Answer::Busy | Answer::Exists),
                "{uploaded:?}"
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
            uploaded = b.upload("1.0.0", "two").await;
            if delete.is_finished() && uploaded == Answer::Busy {
                outwait().await;
                b.refresh().await;
            }
        }
        a.way.settle().await;
        assert_eq!(
            bucket.listing().await,
            [(file("1.0.0"), digest("1.0.0", "two"))].into()
        );
    }
}

/// A crashed deleter: the open deletion is finished by somebody else's refresh.
#[tokio::test(start_paused = true)]
async fn an_open_deletion_is_finished_after_its_holder_died() {
    let bucket = Bucket::hashing();
    let (a, b) = pair(&bucket).await;
    let gate = a.way.pause_before(Op::Delete, archives);
    let _delete = a.begin(|a| async move { a.delete("1.0.0").await });
    gate.arrived().await;
    a.kill();
    b.refresh().await;
    assert!(
        bucket.hand().get(&key("1.0.0")).await.is_ok(),
        "too early to take over"
    );
    outwait().await;
    b.refresh().await;
    assert!(bucket.hand().get(&key("1.0.0")).await.is_err());
    assert!(matches!(b.upload("1.0.0", "two").await, Answer::Done(_)));
}

/// 15: an unlisted half is not "not found", and does not reappear.
#[tokio::test(start_paused = true)]
async fn an_unlisted_half_is_deleted_for_good() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    bucket
        .hand()
        .create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    assert!(matches!(a.delete("1.0.0").await, Answer::Done(_)));
    assert_eq!(bucket.listing().await, [].into());
}

/// 19: a hand puts another object during an open deletion.
#[tokio::test(start_paused = true)]
async fn an_object_put_by_hand_during_a_deletion_is_not_the_one_that_is_deleted() {
    let bucket = Bucket::hashing();
    let (a, _) = pair(&bucket).await;
    let gate = a.way.pause_after(Op::Put, records);
    let delete = a.begin(|a| async move { a.delete("1.0.0").await });
    gate.arrived().await;
    bucket
        .hand()
        .replace(&key("1.0.0"), bytes("1.0.0", "by hand"))
        .await
        .unwrap();
    gate.release();
    assert!(matches!(delete.await.unwrap(), Answer::Done(_)));
    assert_eq!(
        bucket.listing().await,
        [(file("1.0.0"), digest("1.0.0", "by hand"))].into()
    );
}
