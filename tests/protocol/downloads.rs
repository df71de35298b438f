//! Archives that are kept in memory: what is served from there, and for how long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chartroom::chart::name::FileName;
use chartroom::repository::{KeptArchives, Options, RepositoryError};
use chartroom_storage::testing::Op;
use futures_util::TryStreamExt;

use crate::replica::{Answer, Bucket, Replica, bytes, file, key, options};

const FRESHNESS: Duration = Duration::from_secs(1);

async fn keeping(bucket: &Bucket, kept: u64) -> Replica {
    let options = Options {
        freshness: FRESHNESS,
        kept_archives: Arc::new(KeptArchives::of(kept)),
        ..options()
    };
    bucket.replica_with(options).await
}

async fn download(replica: &Replica, version: &str) -> Result<Bytes, RepositoryError> {
    let file = FileName::parse(&file(version)).unwrap();
    let found = replica.repository.find(&file).await?;
    let chunks = replica.repository.read(&found, None).await?;
    let chunks: Vec<_> = chunks.try_collect().await?;
    let part = replica.repository.read(&found, Some(1..3)).await?;
    let part: Vec<_> = part.try_collect().await?;
    let whole: Bytes = chunks.concat().into();
    assert_eq!(part.concat(), whole[1..3]);
    Ok(whole)
}

/// How often archives and records were read since the last time.
fn reads(replica: &Replica) -> usize {
    let count = replica.way.count(Op::Get);
    replica.way.clear_requests();
    count
}

#[tokio::test(start_paused = true)]
async fn a_small_archive_is_read_once_for_each_freshness() {
    let replica = keeping(&Bucket::counting(), 1 << 20).await;
    assert_eq!(replica.upload("1.0.0", "a").await, Answer::Done(1));
    reads(&replica);
    for _ in 0..3 {
        for _ in 0..10 {
            let archive = download(&replica, "1.0.0").await.unwrap();
            assert_eq!(archive, bytes("1.0.0", "a"));
        }
        assert_eq!(reads(&replica), 1);
        tokio::time::sleep(FRESHNESS).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_read_each_time() {
    for kept in [0, 100] {
        let replica = keeping(&Bucket::counting(), kept).await;
        assert_eq!(replica.upload("1.0.0", "a").await, Answer::Done(1));
        reads(&replica);
        for _ in 0..3 {
            download(&replica, "1.0.0").await.unwrap();
            assert_eq!(reads(&replica), 2, "{kept}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_overwrite_and_a_deletion_of_this_replica_leave_the_kept_archive_behind() {
    let replica = keeping(&Bucket::counting(), 1 << 20).await;
    replica.upload("1.0.0", "a").await;
    download(&replica, "1.0.0").await.unwrap();
    assert_eq!(replica.overwrite("1.0.0", "b").await, Answer::Done(2));
    let archive = download(&replica, "1.0.0").await.unwrap();
    assert_eq!(archive, bytes("1.0.0", "b"));
    replica.delete("1.0.0").await;
    let gone = download(&replica, "1.0.0").await.unwrap_err();
    assert!(matches!(gone, RepositoryError::NotFound { .. }), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn what_others_did_to_an_archive_shows_after_the_freshness() {
    let bucket = Bucket::counting();
    let (one, other) = (keeping(&bucket, 1 << 20).await, bucket.replica().await);
    for version in ["1.0.0", "2.0.0", "3.0.0"] {
        one.upload(version, "a").await;
        download(&one, version).await.unwrap();
    }
    other.overwrite("1.0.0", "b").await;
    other.delete("2.0.0").await;
    bucket.hand().delete(&key("3.0.0")).await.unwrap();
    tokio::time::sleep(FRESHNESS).await;
    let replaced = download(&one, "1.0.0").await;
    let replaced = match replaced {
        // As without memory: whoever reads looks for it again.
        Err(RepositoryError::Changed) => download(&one, "1.0.0").await,
        replaced => replaced,
    };
    assert_eq!(replaced.unwrap(), bytes("1.0.0", "b"));
    for version in ["2.0.0", "3.0.0"] {
        let gone = download(&one, version).await.unwrap_err();
        assert!(matches!(gone, RepositoryError::NotFound { .. }), "{gone}");
    }
}
