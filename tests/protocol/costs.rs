//! How many requests to the store an operation takes. docs/operations.md states these figures with what
//! they cost a month; whoever changes one changes both.

use std::time::Duration;

use chartroom::chart::name::FileName;
use chartroom_storage::testing::{Faulty, Op};
use futures_util::TryStreamExt;

use crate::replica::{Answer, Bucket, Replica, bytes, file, options};

/// Requests by kind: `[put, get, head, list, delete]`.
type Requests = [usize; 5];

fn since_last(way: &Faulty) -> Requests {
    let counts = [Op::Put, Op::Get, Op::Head, Op::List, Op::Delete].map(|op| way.count(op));
    assert_eq!(counts.iter().sum::<usize>(), way.count_all());
    way.clear_requests();
    counts
}

async fn replica() -> Replica {
    let replica = Bucket::counting().replica().await;
    since_last(&replica.way);
    replica
}

#[tokio::test(start_paused = true)]
async fn an_upload_takes_four_requests_and_a_repeated_one_two() {
    let replica = replica().await;
    for (version, generation) in [("1.0.0", 1), ("2.0.0", 2)] {
        let answer = replica.upload(version, "a").await;
        assert_eq!(answer, Answer::Done(generation));
        // The object, its record, and the record before it; a look at the object.
        assert_eq!(since_last(&replica.way), [2, 1, 1, 0, 0], "{version}");
    }
    assert_eq!(replica.upload("1.0.0", "a").await, Answer::Exists);
    assert_eq!(since_last(&replica.way), [0, 2, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn uploads_that_wait_together_share_their_record() {
    let replica = replica().await;
    let uploads = (0..40).map(|number| {
        let replica = &replica;
        async move { replica.upload(&format!("1.{number}.0"), "a").await }
    });
    let answers = futures_util::future::join_all(uploads).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Answer::Done(_)))
    );
    let [put, get, head, list, delete] = since_last(&replica.way);
    // An object and a look at it for each; a few records and looks at the ones before.
    assert!((41..=50).contains(&put), "{put}");
    assert!(get <= 10, "{get}");
    assert_eq!([head, list, delete], [40, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_overwrite_takes_seven_requests_and_a_delete_twelve() {
    let replica = replica().await;
    replica.upload("1.0.0", "a").await;
    since_last(&replica.way);
    assert_eq!(replica.overwrite("1.0.0", "b").await, Answer::Done(2));
    assert_eq!(since_last(&replica.way), [2, 3, 2, 0, 0]);
    assert_eq!(replica.delete("1.0.0").await, Answer::Done(4));
    assert_eq!(since_last(&replica.way), [2, 6, 2, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn readers_share_one_look_at_the_log_for_each_second() {
    let bucket = Bucket::counting();
    let replica = bucket.replica().await;
    for version in 0..200 {
        replica.upload(&format!("1.{version}.0"), "a").await;
    }
    since_last(&replica.way);
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(1001)).await;
        let readers = (0..100).map(|_| replica.repository.current(None));
        for view in futures_util::future::join_all(readers).await {
            assert_eq!(view.unwrap().generation, 200);
        }
    }
    // The next number, which is missing, and the record that proves that this is still the log:
    // whatever the number of readers and of versions.
    assert_eq!(since_last(&replica.way), [0, 20, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn without_slack_each_look_is_shared_by_the_readers_that_wait_for_it() {
    let bucket = Bucket::counting();
    let options = chartroom::repository::Options {
        freshness: Duration::ZERO,
        ..options()
    };
    let replica = bucket.replica_with(options).await;
    since_last(&replica.way);
    for _ in 0..10 {
        replica.repository.current(None).await.unwrap();
    }
    assert_eq!(since_last(&replica.way), [0, 20, 0, 0, 0]);
    let readers = (0..100).map(|_| replica.repository.current(None));
    futures_util::future::join_all(readers).await;
    let [put, get, head, list, delete] = since_last(&replica.way);
    assert!(get <= 4, "{get}");
    assert_eq!([put, head, list, delete], [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_of_a_quiet_repository_is_one_listing_and_one_look_at_the_log() {
    let replica = replica().await;
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        replica.upload(version, "a").await;
    }
    since_last(&replica.way);
    replica.refresh().await;
    assert_eq!(since_last(&replica.way), [0, 2, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_download_takes_one_request_and_one_of_nothing_two() {
    let replica = replica().await;
    replica.upload("1.0.0", "a").await;
    since_last(&replica.way);
    let file = |version| FileName::parse(&file(version)).unwrap();
    let found = replica.repository.find(&file("1.0.0")).await.unwrap();
    let chunks = replica.repository.read(&found, None).await.unwrap();
    let chunks: Vec<_> = chunks.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), bytes("1.0.0", "a"));
    assert_eq!(since_last(&replica.way), [0, 1, 0, 0, 0]);
    replica.repository.find(&file("2.0.0")).await.unwrap_err();
    assert_eq!(since_last(&replica.way), [0, 2, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_for_readiness_takes_two_requests() {
    let replica = replica().await;
    replica.upload("1.0.0", "a").await;
    since_last(&replica.way);
    replica.repository.ready().await.unwrap();
    assert_eq!(since_last(&replica.way), [0, 2, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_start_reads_the_snapshot_and_what_came_after_it() {
    let bucket = Bucket::counting();
    let first = bucket.replica().await;
    for version in 0..300 {
        first.upload(&format!("1.{version}.0"), "a").await;
    }
    first.repository.close().await;
    let second = bucket.replica().await;
    let [put, get, head, list, delete] = since_last(&second.way);
    assert_eq!([put, head, delete], [0; 3]);
    assert!(list <= 4, "{list}");
    // Not one for each of 300 records, and none for an archive.
    assert!(get <= 180, "{get}");
    assert_eq!(second.way.count_of(Op::Get, |key| key.ends_with(".tgz")), 0);
}
