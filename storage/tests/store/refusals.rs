//! What a service answers instead of objects never looks like their absence.

use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use chartroom_storage::{Key, StorageError, StorageErrorKind, Store};

use crate::service::{Answer, KEYS, LIMITS, Service, open, options, refusal};

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// The errors of everything that can be asked.
async fn ask_all(store: &Store) -> Vec<(&'static str, StorageError)> {
    let a = key("a.tgz");
    let mut errors = reads(store).await;
    errors.push(("list", store.list().await.unwrap_err()));
    errors.push(("list_below", store.list_below(&a, None).await.unwrap_err()));
    errors.push(("repositories", store.list_repositories().await.unwrap_err()));
    errors.push(("create", store.create(&a, Bytes::new()).await.unwrap_err()));
    errors.push((
        "replace",
        store.replace(&a, Bytes::new()).await.unwrap_err(),
    ));
    errors.push(("delete", store.delete(&a).await.unwrap_err()));
    errors
}

async fn reads(store: &Store) -> Vec<(&'static str, StorageError)> {
    let a = key("a.tgz");
    vec![
        ("get", store.get(&a).await.unwrap_err()),
        ("range", store.open_range(&a, Some(0..1)).await.unwrap_err()),
        ("head", store.head(&a).await.unwrap_err()),
    ]
}

async fn expect(answer: Answer, kind: StorageErrorKind, words: &str) {
    let service = Service::start(move |_| answer.clone()).await;
    for (operation, error) in ask_all(&service.s3()).await {
        let cause = error.source().unwrap().to_string();
        assert_eq!(error.kind(), kind, "{operation}: {cause}");
        assert!(cause.contains(words), "{operation}: {cause}");
    }
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_object() {
    let words =
        "the bucket does not exist, make it or correct its name: it answered 404 NoSuchBucket";
    expect(
        refusal(404, "NoSuchBucket"),
        StorageErrorKind::Unavailable,
        words,
    )
    .await;
}

#[tokio::test]
async fn a_server_that_is_no_object_store_misses_no_objects() {
    let page = "<html><body>default backend - 404</body></html>".to_owned();
    let words = "does not answer like an object store, check its URL: it answered 404";
    let answer = Answer::Reply(404, "content-type: text/html\r\n", page);
    expect(answer, StorageErrorKind::Unavailable, words).await;
}

#[tokio::test]
async fn the_page_of_a_web_server_is_no_empty_bucket() {
    let page = "<html><body><h1>It works!</h1></body></html>";
    let service = Service::start(|_| Answer::Reply(200, "", page.to_owned())).await;
    let store = service.s3();
    let a = key("a.tgz");
    let mut errors = reads(&store).await;
    errors.push(("list", store.list().await.unwrap_err()));
    errors.push(("list_below", store.list_below(&a, None).await.unwrap_err()));
    errors.push(("repositories", store.list_repositories().await.unwrap_err()));
    errors.push(("create", store.create(&a, Bytes::new()).await.unwrap_err()));
    errors.push((
        "replace",
        store.replace(&a, Bytes::new()).await.unwrap_err(),
    ));
    for (operation, error) in errors {
        assert_eq!(
            error.kind(),
            StorageErrorKind::Unavailable,
            "{operation}: {error}"
        );
    }
}

#[tokio::test]
async fn refused_access_is_denied() {
    let denied = StorageErrorKind::Denied;
    expect(refusal(403, "AccessDenied"), denied, "403 AccessDenied").await;
    expect(
        refusal(403, "InvalidAccessKeyId"),
        denied,
        "InvalidAccessKeyId",
    )
    .await;
    let words = "the credentials have expired: it answered 400 ExpiredToken";
    expect(refusal(400, "ExpiredToken"), denied, words).await;
    let words = "the clock of this machine or of the server is wrong";
    expect(refusal(403, "RequestTimeTooSkewed"), denied, words).await;
}

#[tokio::test]
async fn another_region_is_named() {
    let answer = Answer::Reply(
        301,
        "x-amz-bucket-region: eu-west-3\r\n",
        "<Error><Code>PermanentRedirect</Code></Error>".to_owned(),
    );
    let words = "the bucket is in the region `eu-west-3`, set that";
    expect(answer, StorageErrorKind::Unavailable, words).await;
}

#[tokio::test]
async fn what_the_service_says_is_missing_is_not_found() {
    let service = Service::start(|_| refusal(404, "NoSuchKey")).await;
    let store = service.s3();
    for (operation, error) in reads(&store).await {
        assert_eq!(error.kind(), StorageErrorKind::NotFound, "{operation}");
    }
    // A HEAD is asked again as a GET, and that is all.
    let asked = service.asked();
    let methods: Vec<&str> = asked.iter().map(|asked| asked.method.as_str()).collect();
    assert_eq!(methods, ["GET", "GET", "HEAD", "GET"]);
    assert_eq!(asked[0].path, "/bucket/prefix/a.tgz");
    // What a listing or a write misses is no object.
    for error in [
        store.list().await.unwrap_err(),
        store.create(&key("a"), Bytes::new()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn writes_are_sent_once_and_reads_a_few_times() {
    for answer in [
        refusal(500, "InternalError"),
        refusal(503, "SlowDown"),
        Answer::Reply(502, "", "bad gateway".to_owned()),
        Answer::Cut,
    ] {
        let shown = format!("{answer:?}");
        let service = Service::start(move |_| answer.clone()).await;
        let store = service.s3();
        let a = key("a");
        for error in [
            store.create(&a, Bytes::from("a")).await.unwrap_err(),
            store.replace(&a, Bytes::from("a")).await.unwrap_err(),
            store.delete(&a).await.unwrap_err(),
        ] {
            assert!(error.outcome_unknown(), "{shown}: {error}");
            assert_eq!(error.kind(), StorageErrorKind::Unavailable, "{shown}");
        }
        assert_eq!(service.count(), 3, "{shown}");
        store.get(&a).await.unwrap_err();
        assert_eq!(service.count(), 3, "{shown}");
    }
}

#[tokio::test]
async fn silence_ends_by_the_deadline() {
    let service = Service::start(|_| Answer::Silence).await;
    let store = service.s3();
    let begin = Instant::now();
    for error in [
        store.create(&key("a"), Bytes::new()).await.unwrap_err(),
        store.get(&key("a")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Timeout);
    }
    assert!(begin.elapsed() < LIMITS.small * 2 + LIMITS.small / 2);
    assert_eq!(service.count(), 2);
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let url = Service::start(|_| Answer::Cut).await.url();
    let store = open("s3://bucket", &options(&url, &KEYS));
    let error = store.get(&key("a")).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("cannot be reached"), "{cause}");
}

#[tokio::test]
async fn a_create_that_met_another_one_is_tried_again() {
    let tries = AtomicUsize::new(0);
    let service = Service::start(move |_| {
        if tries.fetch_add(1, Ordering::Relaxed) < 2 {
            refusal(409, "ConditionalRequestConflict")
        } else {
            Answer::Reply(200, "etag: \"1\"\r\n", String::new())
        }
    })
    .await;
    let written = service.s3().create(&key("a"), Bytes::from("a")).await;
    assert_eq!(written.unwrap().e_tag.as_deref(), Some("\"1\""));
    let asked = service.asked();
    assert_eq!(asked.len(), 3);
    for one in asked {
        assert_eq!(one.header("if-none-match"), Some("*"));
        assert_eq!(one.body, "a");
    }

    let service = Service::start(|_| refusal(409, "ConditionalRequestConflict")).await;
    let error = service
        .s3()
        .create(&key("a"), Bytes::new())
        .await
        .unwrap_err();
    // It is not said that there is an object.
    assert_eq!(error.kind(), StorageErrorKind::Unavailable);
    assert_eq!(service.count(), 5);
}

#[tokio::test]
async fn names_that_are_no_keys_do_not_break_a_listing() {
    let line = |key: &str| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>&quot;1&quot;</ETag><Size>1</Size></Contents>"
        )
    };
    let lines = [
        line("prefix/a.tgz"),
        line("prefix//b.tgz"),
        line("prefix/"),
        line("prefix/c&#x1;.tgz"),
        line("prefix/d&amp;e.tgz"),
    ];
    let page = format!("<ListBucketResult>{}</ListBucketResult>", lines.concat());
    let service = Service::start(move |_| Answer::Reply(200, "", page.clone())).await;
    let listed = service.s3().list().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|line| line.key.as_str()).collect();
    assert_eq!(names, ["a.tgz", "d&e.tgz"]);
}
