//! What goes wrong with real servers has its kind and a cause in words.

use std::error::Error as _;

use bytes::Bytes;
use chartroom_storage::{BucketOptions, Key, StorageError, StorageErrorKind, Store, Timeouts};

use crate::certificates;
use crate::stores::{self, Kind, Start};

fn key() -> Key {
    Key::parse("a.tgz").unwrap()
}

async fn ask_all(store: &Store) -> Vec<(&'static str, StorageError)> {
    vec![
        ("get", store.get(&key()).await.unwrap_err()),
        (
            "range",
            store.open_range(&key(), Some(0..1)).await.unwrap_err(),
        ),
        ("head", store.head(&key()).await.unwrap_err()),
        ("list", store.list().await.unwrap_err()),
        ("below", store.list_below(&key(), None).await.unwrap_err()),
        ("repositories", store.list_repositories().await.unwrap_err()),
        (
            "create",
            store.create(&key(), Bytes::new()).await.unwrap_err(),
        ),
        (
            "replace",
            store.replace(&key(), Bytes::new()).await.unwrap_err(),
        ),
        ("delete", store.delete(&key()).await.unwrap_err()),
    ]
}

fn cause(error: &StorageError) -> String {
    error.source().unwrap().to_string()
}

async fn a_bucket_is_missing(kind: Kind) {
    let what = format!("a missing bucket on {kind:?}");
    let Some(server) = stores::start(kind, &what).await else {
        return;
    };
    let location = server.location_of("missing", "prefix");
    let store = Store::open(&location, &server.options(), Timeouts::default()).unwrap();
    for (operation, error) in ask_all(&store).await {
        let cause = cause(&error);
        assert_eq!(
            error.kind(),
            StorageErrorKind::Unavailable,
            "{operation}: {cause}"
        );
        assert!(
            cause.starts_with("the bucket does not exist"),
            "{operation}: {cause}"
        );
    }
}

#[tokio::test]
async fn a_missing_bucket_is_told_on_minio() {
    a_bucket_is_missing(Kind::Minio).await;
}

#[tokio::test]
async fn a_missing_bucket_is_told_on_versitygw() {
    a_bucket_is_missing(Kind::Versitygw).await;
}

#[tokio::test]
async fn a_missing_bucket_is_told_on_google() {
    a_bucket_is_missing(Kind::FakeGcs).await;
}

#[tokio::test]
async fn a_missing_bucket_is_told_on_azure() {
    a_bucket_is_missing(Kind::Azurite).await;
}

async fn a_secret_is_wrong(kind: Kind, variable: &str, secret: &str) {
    let what = format!("a wrong secret on {kind:?}");
    let Some(server) = stores::start(kind, &what).await else {
        return;
    };
    let mut options = server.options();
    for (name, value) in &mut options.variables {
        if name == variable {
            secret.clone_into(value);
        }
    }
    let store = Store::open(&server.location(), &options, Timeouts::default()).unwrap();
    for (operation, error) in ask_all(&store).await {
        let cause = cause(&error);
        assert_eq!(
            error.kind(),
            StorageErrorKind::Denied,
            "{operation}: {cause}"
        );
        assert!(!cause.contains(secret), "{operation}: {cause}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_denied_by_minio() {
    a_secret_is_wrong(Kind::Minio, "AWS_SECRET_ACCESS_KEY", "other-secret").await;
}

#[tokio::test]
async fn a_wrong_secret_is_denied_by_versitygw() {
    a_secret_is_wrong(Kind::Versitygw, "AWS_SECRET_ACCESS_KEY", "other-secret").await;
}

#[tokio::test]
async fn a_wrong_secret_is_denied_by_azure() {
    a_secret_is_wrong(
        Kind::Azurite,
        "AZURE_STORAGE_ACCESS_KEY",
        "b3RoZXItc2VjcmV0",
    )
    .await;
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_given() {
    let folder = certificates::make();
    let how = Start {
        certificates: Some(folder.path().to_owned()),
    };
    let what = "an authority of one's own";
    let Some(server) = stores::start_as(Kind::Minio, what, how).await else {
        return;
    };
    let open = |options: &BucketOptions| {
        Store::open(&server.location(), options, Timeouts::default()).unwrap()
    };
    let stranger = open(&server.options());
    for (operation, error) in ask_all(&stranger).await {
        let cause = cause(&error);
        assert_eq!(
            error.kind(),
            StorageErrorKind::Unavailable,
            "{operation}: {cause}"
        );
        assert!(
            cause.contains("name the file with that authority's certificate"),
            "{cause}"
        );
    }
    let bundle = folder.path().join("ca.pem");
    let by_option = BucketOptions {
        ca_certificate: Some(bundle.clone()),
        ..server.options()
    };
    let mut by_variable = server.options();
    let bundle = bundle.to_str().unwrap().to_owned();
    by_variable
        .variables
        .push(("AWS_CA_BUNDLE".to_owned(), bundle));
    open(&by_option)
        .create(&key(), Bytes::from("a"))
        .await
        .unwrap();
    assert_eq!(open(&by_variable).get(&key()).await.unwrap().body, "a");
}

#[tokio::test]
async fn a_server_that_ended_is_unavailable() {
    let what = "a server that ended";
    let Some(server) = stores::start(Kind::Versitygw, what).await else {
        return;
    };
    let store = server.store();
    store.create(&key(), Bytes::from("a")).await.unwrap();
    drop(server);
    for (operation, error) in ask_all(&store).await {
        assert_eq!(error.kind(), StorageErrorKind::Unavailable, "{operation}");
        assert!(error.outcome_unknown());
    }
}
