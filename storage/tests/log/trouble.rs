//! Records that cannot be read: a clear error, and nothing damaged.

use chartroom_storage::log::LogOptions;
use chartroom_storage::{
    BucketOptions, Key, Location, StorageError, StorageErrorKind, Store, Timeouts,
};

use crate::ledger::{appended, open, set};

async fn store_with_record(body: &'static str) -> (tempfile::TempDir, Store, Key) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let store = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap();
    let mut log = open(&store, LogOptions::default()).await.unwrap();
    appended(&set(&mut log, "a", 1).await);
    let key = Key::parse(&format!(".chartroom/{}/log/{:020}", log.identity(), 2)).unwrap();
    store.create(&key, body.into()).await.unwrap();
    (folder, store, key)
}

fn text_of(error: &StorageError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[tokio::test]
async fn broken_records_stop_the_start_by_name_and_stay_as_they_are() {
    for body in [
        "",
        "junk",
        "{}",
        r#"{"format":1}"#,
        r#"{"format":1,"generation":7,"nonce":"n","time":"2026-01-01T00:00:00Z","changes":[]}"#,
    ] {
        let (_folder, store, key) = store_with_record(body).await;
        let error = open(&store, LogOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{body}");
        let text = text_of(&error);
        assert!(
            text.contains(key.as_str()) && text.contains("remove `.chartroom/`"),
            "{text}"
        );
        assert_eq!(store.get(&key).await.unwrap().body, body);
    }
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_refused_and_never_guessed_at() {
    let body = r#"{"format":2,"generation":2,"nonce":"n","entries":"new"}"#;
    let (_folder, store, _key) = store_with_record(body).await;
    let error = open(&store, LogOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);
    assert!(
        text_of(&error).contains("a newer chartroom wrote it"),
        "{}",
        text_of(&error)
    );
}

#[tokio::test]
async fn a_running_replica_keeps_what_it_knows_when_the_next_record_is_broken() {
    let (_folder, store, key) = store_with_record("junk").await;
    store.delete(&key).await.unwrap();
    let mut log = open(&store, LogOptions::default()).await.unwrap();
    store.create(&key, "junk".into()).await.unwrap();
    assert_eq!(
        log.catch_up().await.unwrap_err().kind(),
        StorageErrorKind::Corrupt
    );
    assert_eq!(log.machine().open(), [("a".to_owned(), 1)]);
}

#[tokio::test]
async fn a_gap_that_no_snapshot_covers_is_an_error() {
    let (_folder, store, key) = store_with_record("junk").await;
    store.delete(&key).await.unwrap();
    let mut log = open(&store, LogOptions::default()).await.unwrap();
    for number in 0..4 {
        appended(&set(&mut log, "b", number).await);
    }
    store.delete(&key).await.unwrap();
    let error = open(&store, LogOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Corrupt);
    let text = text_of(&error);
    assert!(
        text.contains("gap") && text.contains("remove `.chartroom/`"),
        "{text}"
    );
}
