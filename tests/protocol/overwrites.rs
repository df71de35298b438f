//! OVERWRITE.

use std::time::Duration;

use chartroom_storage::testing::{Action, Op};
use chrono::TimeDelta;

use crate::replica::{Answer, Bucket, archives, digest, file, records};

#[tokio::test(start_paused = true)]
async fn an_overwrite_replaces_and_is_listed() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        assert_eq!(
            a.overwrite("1.0.0", "one").await,
            Answer::Done(1),
            "also what is not there"
        );
        assert_eq!(b.overwrite("1.0.0", "two").await, Answer::Done(2));
        assert_eq!(
            a.listing().await,
            [(file("1.0.0"), digest("1.0.0", "two"))].into()
        );
        bucket.listing().await;
    }
}

/// 1.
#[tokio::test(start_paused = true)]
async fn an_overwrite_held_after_its_replace_does_not_list_what_a_delete_deleted() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        a.upload("1.0.0", "one").await;
        let gate = a.way.pause_before(Op::Put, records);
        let overwrite = a.begin(|a| async move { a.overwrite("1.0.0", "two").await });
        gate.arrived().await;
        assert!(matches!(b.delete("1.0.0").await, Answer::Done(_)));
        gate.release();
        let answer = overwrite.await.unwrap();
        let listing = bucket.listing().await;
        // Either it began again after the delete, or it is not acknowledged.
        match answer {
            Answer::Done(_) => {
                assert_eq!(listing, [(file("1.0.0"), digest("1.0.0", "two"))].into());
            }
            other => assert_eq!(other, Answer::Busy),
        }
    }
}

/// 17.
#[tokio::test(start_paused = true)]
async fn overwrites_in_lockstep_both_end_and_agree_with_the_index() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        a.upload("1.0.0", "zero").await;
        let gates = [
            a.way.pause_before(Op::Put, records),
            b.way.pause_before(Op::Put, records),
        ];
        let first = a.begin(|a| async move { a.overwrite("1.0.0", "one").await });
        let second = b.begin(|b| async move { b.overwrite("1.0.0", "two").await });
        for gate in &gates {
            gate.arrived().await;
        }
        gates[0].release();
        gates[1].release();
        assert!(matches!(first.await.unwrap(), Answer::Done(_)));
        assert!(matches!(second.await.unwrap(), Answer::Done(_)));
        assert_eq!(bucket.listing().await.len(), 1);
        let replaces = a.way.count_of(Op::Put, archives) + b.way.count_of(Op::Put, archives);
        assert!(
            replaces <= 5,
            "{replaces} puts for one upload and two overwrites"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn many_overwrites_at_once_end_with_index_and_object_in_agreement() {
    let bucket = Bucket::hashing();
    let replicas = [
        bucket.replica().await,
        bucket.replica().await,
        bucket.replica().await,
    ];
    let overwrites: Vec<_> = (0..12)
        .map(|number: usize| {
            replicas[number % 3].begin(|replica| async move {
                replica.overwrite("1.0.0", &number.to_string()).await
            })
        })
        .collect();
    for overwrite in overwrites {
        assert!(matches!(
            overwrite.await.unwrap(),
            Answer::Done(_) | Answer::Busy
        ));
    }
    assert_eq!(bucket.listing().await.len(), 1);
}

/// 12: a replace whose reply is lost; a later overwrite is acknowledged and must stay.
#[tokio::test(start_paused = true)]
async fn a_replace_in_doubt_is_never_sent_again() {
    for action in [
        Action::LoseReply,
        Action::Drop,
        Action::ExecuteLate(Duration::from_secs(62)),
    ] {
        let bucket = Bucket::hashing();
        let a = bucket.hasty_replica(TimeDelta::zero()).await;
        let b = bucket.replica().await;
        a.upload("1.0.0", "zero").await;
        a.way.clear_requests();
        a.way.rule(Op::Put, archives, action.clone());
        let first = a.overwrite("1.0.0", "one").await;
        assert_eq!(a.way.count_of(Op::Put, archives), 1, "{action:?}");
        a.way.settle().await;
        assert!(matches!(b.overwrite("1.0.0", "two").await, Answer::Done(_)));
        assert_eq!(
            b.listing().await[&file("1.0.0")],
            digest("1.0.0", "two"),
            "{first:?}"
        );
        bucket.listing().await;
    }
}

/// 18.
#[tokio::test(start_paused = true)]
async fn an_overwriter_killed_after_its_replace_then_a_delete_stays_away() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        a.upload("1.0.0", "one").await;
        let gate = a.way.pause_before(Op::Put, records);
        let _overwrite = a.begin(|a| async move { a.overwrite("1.0.0", "two").await });
        gate.arrived().await;
        a.kill();
        assert!(matches!(b.delete("1.0.0").await, Answer::Done(_)));
        assert_eq!(bucket.listing().await, [].into());
    }
}

/// 18, without the delete: the crashed half is what is served.
#[tokio::test(start_paused = true)]
async fn an_overwriter_killed_after_its_replace_leaves_an_index_that_heals() {
    let bucket = Bucket::hashing();
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    a.upload("1.0.0", "one").await;
    let gate = a.way.pause_before(Op::Put, records);
    let _overwrite = a.begin(|a| async move { a.overwrite("1.0.0", "two").await });
    gate.arrived().await;
    a.kill();
    b.refresh().await;
    assert_eq!(
        b.listing().await,
        [(file("1.0.0"), digest("1.0.0", "two"))].into()
    );
}
