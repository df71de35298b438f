//! UPLOAD.

use std::time::Duration;

use chartroom_storage::testing::{Action, Op};
use chrono::TimeDelta;

use crate::replica::{Answer, Bucket, archives, bytes, digest, file, key, records};

#[tokio::test(start_paused = true)]
async fn an_upload_is_listed_everywhere_and_a_second_one_is_refused() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        assert_eq!(a.upload("1.0.0", "one").await, Answer::Done(1));
        assert_eq!(a.upload("1.0.0", "two").await, Answer::Exists);
        assert_eq!(b.upload("1.0.0", "two").await, Answer::Exists);
        assert_eq!(
            b.upload("1.0.0", "one").await,
            Answer::Exists,
            "equal bytes too"
        );
        assert_eq!(b.listing().await, bucket.listing().await);
        assert_eq!(
            bucket.listing().await,
            [(file("1.0.0"), digest("1.0.0", "one"))].into()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn of_racing_uploads_exactly_one_wins() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let replicas = [bucket.replica().await, bucket.replica().await];
        for round in 0..10 {
            let version = format!("{round}.0.0");
            let uploads: Vec<_> = (0..6)
                .map(|number| {
                    let version = version.clone();
                    replicas[number % 2].begin(|replica| async move {
                        // Some bring the same bytes.
                        replica.upload(&version, &format!("{}", number % 4)).await
                    })
                })
                .collect();
            let mut winners = 0;
            for upload in uploads {
                winners += usize::from(matches!(upload.await.unwrap(), Answer::Done(_)));
            }
            assert_eq!(winners, 1, "round {round}");
        }
        assert_eq!(bucket.listing().await.len(), 10);
    }
}

/// 11, executed: the object is there and mine.
#[tokio::test(start_paused = true)]
async fn a_create_whose_reply_is_lost_is_sent_once_and_succeeds() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    a.way.rule(Op::Put, archives, Action::LoseReply);
    assert_eq!(a.upload("1.0.0", "one").await, Answer::Done(1));
    assert_eq!(a.way.count_of(Op::Put, archives), 1);
}

/// 11, never executed, and executed late: one create is sent, and the answer is not a refusal.
#[tokio::test(start_paused = true)]
async fn a_create_in_doubt_is_never_sent_again_nor_refused() {
    for action in [Action::Drop, Action::ExecuteLate(Duration::from_secs(64))] {
        let bucket = Bucket::hashing();
        let a = bucket.hasty_replica(TimeDelta::zero()).await;
        a.way.rule(Op::Put, archives, action);
        assert_eq!(a.upload("1.0.0", "one").await, Answer::Busy);
        assert_eq!(a.way.count_of(Op::Put, archives), 1);
        a.way.settle().await;
        // The retry of the same request heals what is there.
        assert!(matches!(a.upload("1.0.0", "one").await, Answer::Done(_)));
        assert_eq!(
            bucket.listing().await,
            [(file("1.0.0"), digest("1.0.0", "one"))].into()
        );
    }
}

/// 13: a refresh enters the object between the upload's create and its append.
#[tokio::test(start_paused = true)]
async fn an_upload_that_a_refresh_entered_first_gets_its_201() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        let gate = a.way.pause_before(Op::Put, records);
        let upload = a.begin(|a| async move { a.upload("1.0.0", "one").await });
        gate.arrived().await;
        b.refresh().await;
        assert_eq!(b.listing().await.len(), 1, "the refresh entered it");
        gate.release();
        assert_eq!(upload.await.unwrap(), Answer::Done(2));
        assert_eq!(b.upload("1.0.0", "one").await, Answer::Exists);
    }
}

/// 13: two uploads of equal bytes and a refresh: exactly one 201.
#[tokio::test(start_paused = true)]
async fn of_two_uploads_of_equal_bytes_and_a_refresh_one_wins() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        let gate = a.way.pause_before(Op::Put, records);
        let first = a.begin(|a| async move { a.upload("1.0.0", "one").await });
        gate.arrived().await;
        b.refresh().await;
        let second = b.upload("1.0.0", "one").await;
        gate.release();
        let first = first.await.unwrap();
        let wins = [first, second]
            .iter()
            .filter(|a| matches!(a, Answer::Done(_)))
            .count();
        assert_eq!(wins, 1, "{first:?} {second:?}");
    }
}

/// 14.
#[tokio::test(start_paused = true)]
async fn a_version_deleted_elsewhere_can_be_uploaded_at_once() {
    let bucket = Bucket::hashing();
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    a.upload("1.0.0", "one").await;
    b.listing().await;
    assert_eq!(a.delete("1.0.0").await, Answer::Done(3));
    assert_eq!(
        b.upload("1.0.0", "two").await,
        Answer::Done(4),
        "not refused from stale knowledge"
    );
}

/// 15: a crash left an object without a record.
#[tokio::test(start_paused = true)]
async fn an_unlisted_half_heals_by_the_retry_of_the_same_upload() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    bucket
        .hand()
        .create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    assert_eq!(a.upload("1.0.0", "one").await, Answer::Done(1));
}

/// 15: other bytes are refused, and what is there is listed.
#[tokio::test(start_paused = true)]
async fn an_unlisted_half_of_other_bytes_is_listed_before_the_refusal() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    bucket
        .hand()
        .create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    assert_eq!(a.upload("1.0.0", "two").await, Answer::Exists);
    assert_eq!(
        a.listing().await,
        [(file("1.0.0"), digest("1.0.0", "one"))].into()
    );
}

/// 16: an upload resumes after its object was entered and deleted by others.
#[tokio::test(start_paused = true)]
async fn an_upload_that_resumes_after_a_deletion_lists_nothing_without_object() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b) = (bucket.replica().await, bucket.replica().await);
        let gate = a.way.pause_before(Op::Put, records);
        let upload = a.begin(|a| async move { a.upload("1.0.0", "one").await });
        gate.arrived().await;
        b.refresh().await;
        assert!(matches!(b.delete("1.0.0").await, Answer::Done(_)));
        gate.release();
        assert_eq!(upload.await.unwrap(), Answer::Busy);
        assert_eq!(bucket.listing().await, [].into());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_to_a_store_that_is_away_is_neither_done_nor_refused() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    a.way.partition(true);
    assert_eq!(a.upload("1.0.0", "one").await, Answer::Busy);
    a.way.partition(false);
    assert_eq!(a.upload("1.0.0", "one").await, Answer::Done(1));
}

#[tokio::test(start_paused = true)]
async fn replicas_whose_clocks_differ_agree() {
    let bucket = Bucket::hashing();
    let a = bucket.hasty_replica(TimeDelta::days(30)).await;
    let b = bucket.hasty_replica(TimeDelta::days(-30)).await;
    assert_eq!(a.upload("1.0.0", "one").await, Answer::Done(1));
    assert_eq!(b.upload("2.0.0", "two").await, Answer::Done(2));
    let (first, second) = (
        a.repository.caught_up().await.unwrap(),
        b.repository.caught_up().await.unwrap(),
    );
    assert_eq!(first.generated, second.generated);
    assert_eq!(first.generation, second.generation);
}
