//! REFRESH.

use chartroom_storage::Key;
use chartroom_storage::testing::Op;

use crate::charts;
use crate::replica::{Answer, Bucket, Replica, bytes, digest, file, key};

/// 26.
#[tokio::test(start_paused = true)]
async fn a_second_refresh_of_a_quiet_store_appends_nothing() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        for number in 0..5 {
            let version = format!("{number}.0.0");
            bucket
                .hand()
                .create(&key(&version), bytes(&version, "by hand"))
                .await
                .unwrap();
        }
        let a = bucket.replica().await;
        a.upload("9.0.0", "uploaded").await;
        let generation = a.repository.caught_up().await.unwrap().generation;
        let refreshed = a.repository.refresh().await.unwrap();
        assert_eq!((refreshed.entered, refreshed.dropped), (0, 0));
        let b = bucket.replica().await;
        assert_eq!(
            b.repository.caught_up().await.unwrap().generation,
            generation
        );
        assert_eq!(b.listing().await.len(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn what_hands_put_replace_and_remove_shows_up() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        a.upload("1.0.0", "one").await;
        a.upload("2.0.0", "two").await;
        let hand = bucket.hand();
        hand.create(&key("3.0.0"), bytes("3.0.0", "three"))
            .await
            .unwrap();
        hand.replace(&key("2.0.0"), bytes("2.0.0", "two by hand"))
            .await
            .unwrap();
        hand.delete(&key("1.0.0")).await.unwrap();
        hand.create(&Key::parse("junk-1.0.0.tgz").unwrap(), "junk".into())
            .await
            .unwrap();
        hand.create(&Key::parse("notes.txt").unwrap(), "notes".into())
            .await
            .unwrap();
        let refreshed = a.repository.refresh().await.unwrap();
        assert_eq!(
            (refreshed.entered, refreshed.dropped, refreshed.unreadable),
            (2, 1, 1)
        );
        let expected = [
            (file("2.0.0"), digest("2.0.0", "two by hand")),
            (file("3.0.0"), digest("3.0.0", "three")),
        ];
        assert_eq!(a.listing().await, expected.into());
    }
}

/// A move to another store gives every object another identity.
#[tokio::test(start_paused = true)]
async fn a_copy_of_the_same_bytes_keeps_the_time_of_its_upload() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        a.upload("1.0.0", "one").await;
        a.upload("2.0.0", "two").await;
        let hand = bucket.hand();
        let shadow = Key::parse("copy.tgz").unwrap();
        hand.create(&shadow, bytes("1.0.0", "one")).await.unwrap();
        a.refresh().await;
        let before = a.created().await;
        let entered = hand.get(&shadow).await.unwrap().id.modified;
        let [one, two] = ["1.0.0", "2.0.0"].map(key);
        hand.replace(&one, bytes("1.0.0", "one")).await.unwrap();
        hand.replace(&two, bytes("2.0.0", "other")).await.unwrap();
        hand.replace(&shadow, bytes("1.0.0", "one")).await.unwrap();
        a.refresh().await;
        let after = a.created().await;
        assert_eq!(after["1.0.0"], before["1.0.0"]);
        assert_ne!(after["2.0.0"], before["2.0.0"]);
        // What waited in the shadow comes out of it with its own time.
        hand.delete(&one).await.unwrap();
        a.refresh().await;
        assert_eq!(a.created().await["1.0.0"], entered);
    }
}

/// Identity is what Chart.yaml says, and a version is listed once.
#[tokio::test(start_paused = true)]
async fn a_copy_under_another_name_waits_in_the_shadow() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    let copy = Key::parse("a-copy.tgz").unwrap();
    bucket
        .hand()
        .create(&copy, bytes("1.0.0", "copy"))
        .await
        .unwrap();
    a.refresh().await;
    assert_eq!(
        a.listing().await,
        [("a-copy.tgz".to_owned(), digest("1.0.0", "copy"))].into()
    );
    assert_eq!(
        a.upload("1.0.0", "one").await,
        Answer::Exists,
        "the version is taken"
    );
    bucket
        .hand()
        .create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    a.refresh().await;
    let expected = [(file("1.0.0"), digest("1.0.0", "one"))];
    assert_eq!(
        a.listing().await,
        expected.clone().into(),
        "the canonical name is shown"
    );
    assert_eq!(bucket.listing().await, expected.into(), "by every history");
    bucket.hand().delete(&key("1.0.0")).await.unwrap();
    a.refresh().await;
    assert_eq!(
        a.listing().await.len(),
        1,
        "the copy comes out of the shadow"
    );
    assert!(matches!(a.delete("1.0.0").await, Answer::Done(_)));
    assert_eq!(
        bucket.listing().await,
        [].into(),
        "a deletion takes all archives of the version"
    );
}

/// `foo-1` at 2.0.0 and `foo` at 1-2.0.0 have the same file name.
#[tokio::test(start_paused = true)]
async fn two_identities_with_one_file_name_do_not_overwrite_each_other() {
    let bucket = Bucket::hashing();
    let first = charts::chart("foo", "1-2.0.0", "first");
    let second = charts::chart("foo-1", "2.0.0", "second");
    let a = bucket.replica().await;
    let key = Key::parse("foo-1-2.0.0.tgz").unwrap();
    bucket.hand().create(&key, first.clone()).await.unwrap();
    a.refresh().await;
    let chart = chartroom::chart::archive::read(
        &second,
        &chartroom::chart::limits::Limits::default(),
        chartroom::chart::archive::Acceptance::Upload,
    )
    .unwrap();
    let upload = chartroom::repository::Upload {
        archive: second,
        metadata: chart.metadata,
        digest: chart.digest,
        provenance: None,
        overwrite: chartroom::repository::Overwrite::Forbid,
    };
    assert_eq!(
        crate::replica::answer(a.repository.publish(upload).await),
        Answer::Exists
    );
    assert_eq!(bucket.hand().get(&key).await.unwrap().body, first);
    // Deleting the one that is not there must not delete the other.
    let deleted = crate::replica::answer(a.repository.withdraw("foo-1", "2.0.0").await);
    assert_eq!(deleted, Answer::Missing);
    assert_eq!(a.listing().await.len(), 1);
}

async fn held_refresh(bucket: &Bucket) -> (Replica, Replica, Held) {
    let (a, b) = (bucket.replica().await, bucket.replica().await);
    a.upload("1.0.0", "one").await;
    b.listing().await;
    let gate = b.way.pause_after(Op::List, |_| true);
    let refresh = b.begin(|b| async move {
        b.refresh().await;
        Answer::Done(0)
    });
    gate.arrived().await;
    (a, b, Held { gate, refresh })
}

struct Held {
    gate: chartroom_storage::testing::Gate,
    refresh: tokio::task::JoinHandle<Answer>,
}

impl Held {
    async fn resume(self) {
        self.gate.release();
        self.refresh.await.unwrap();
    }
}

/// 3, upload.
#[tokio::test(start_paused = true)]
async fn a_refresh_with_an_old_listing_does_not_drop_a_fresh_upload() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b, held) = held_refresh(&bucket).await;
        assert_eq!(a.upload("2.0.0", "two").await, Answer::Done(2));
        held.resume().await;
        assert_eq!(b.listing().await.len(), 2);
        assert_eq!(bucket.listing().await.len(), 2);
    }
}

/// 3, delete.
#[tokio::test(start_paused = true)]
async fn a_refresh_with_an_old_listing_does_not_revive_a_deleted_version() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b, held) = held_refresh(&bucket).await;
        assert!(matches!(a.delete("1.0.0").await, Answer::Done(_)));
        held.resume().await;
        assert_eq!(b.listing().await, [].into());
    }
}

/// 3, overwrite.
#[tokio::test(start_paused = true)]
async fn a_refresh_with_an_old_listing_does_not_undo_an_overwrite() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let (a, b, held) = held_refresh(&bucket).await;
        assert!(matches!(a.overwrite("1.0.0", "two").await, Answer::Done(_)));
        held.resume().await;
        assert_eq!(
            b.listing().await,
            [(file("1.0.0"), digest("1.0.0", "two"))].into()
        );
    }
}

/// 23.
#[tokio::test(start_paused = true)]
async fn two_replicas_that_adopt_a_bucket_at_once_agree() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        for number in 0..30 {
            let version = format!("{number}.0.0");
            bucket
                .hand()
                .create(&key(&version), bytes(&version, "by hand"))
                .await
                .unwrap();
        }
        let (a, b) = tokio::join!(bucket.replica(), bucket.replica());
        assert_eq!(a.listing().await.len(), 30);
        assert_eq!(a.listing().await, b.listing().await);
        let (first, second) = (a.repository.latest_known(), b.repository.latest_known());
        assert_eq!(first.identity, second.identity);
        assert_eq!(first.generation, second.generation);
    }
}

/// An error of the store is never taken for an empty bucket.
#[tokio::test(start_paused = true)]
async fn a_failing_listing_drops_nothing() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    a.upload("1.0.0", "one").await;
    a.way.rule_times(
        9,
        Op::List,
        |_| true,
        chartroom_storage::testing::Action::Fail(chartroom_storage::StorageErrorKind::Unavailable),
    );
    assert!(a.repository.refresh().await.is_err());
    a.way.clear_rules();
    assert_eq!(a.listing().await.len(), 1);
}
