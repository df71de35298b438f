//! Starts over a bucket that cannot work: each ends with exit code 1 and one line that says what to do.
//! And starts over one that holds more than charts.

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use chartroom_storage::Key;
use tokio::runtime::Runtime;

use crate::client::{Client, chart};
use crate::impostor::{Conditions, Fault, Impostor, refusal};
use crate::objects;
use crate::program::{SECRET, Storage, store_server};
use crate::stores::{Kind, Start};

#[test]
fn what_an_s3_server_refuses_ends_the_start_with_one_line() {
    let cases: [(&str, Fault, &[&str]); 8] = [
        (
            "wrong region",
            |_, _| {
                let region = [("x-amz-bucket-region", "eu-west-3")];
                Some((region, refusal(301, "PermanentRedirect")).into_response())
            },
            &["the bucket is in the region `eu-west-3`, set that"],
        ),
        (
            "expired credentials",
            |_, _| Some(refusal(400, "ExpiredToken")),
            &["the credentials have expired"],
        ),
        (
            "put denied",
            |method, _| (method == Method::PUT).then(|| refusal(403, "AccessDenied")),
            &["cannot create `some/prefix/.chartroom/", "access denied"],
        ),
        (
            "delete denied",
            |method, _| (method == Method::DELETE).then(|| refusal(403, "AccessDenied")),
            &["cannot delete `some/prefix/.chartroom/", "access denied"],
        ),
        (
            "get denied",
            |method, path| {
                let is_object = method == Method::GET && path.contains(".chartroom");
                is_object.then(|| refusal(403, "AccessDenied"))
            },
            &[
                "cannot read `some/prefix/.chartroom/genesis`",
                "access denied",
            ],
        ),
        (
            "list denied",
            |method, path| {
                let is_listing = method == Method::GET && path.trim_end_matches('/') == "/charts";
                is_listing.then(|| refusal(403, "AccessDenied"))
            },
            &["cannot list `some/prefix/.chartroom/", "access denied"],
        ),
        (
            "a web server that takes everything",
            |_, _| Some("<html><body><h1>It works!</h1></body></html>".into_response()),
            &["does not answer like an object store, check its URL"],
        ),
        (
            "a web server",
            |_, _| {
                let page = "<html><body>default backend</body></html>";
                Some((StatusCode::NOT_FOUND, page).into_response())
            },
            &["does not answer like an object store, check its URL"],
        ),
    ];
    for (case, fault, words) in cases {
        let line = Storage::on_impostor(&Impostor::faulty(fault)).refusal(&[]);
        for words in words.iter().chain(&["s3://charts/some/prefix"]) {
            assert!(line.contains(words), "{case}: {words:?} is not in {line}");
        }
    }
}

#[test]
fn a_wrong_bucket_secret_or_address_ends_the_start_with_one_line() {
    let url = Impostor::good().url().to_owned();
    let line = Storage::at(&url).refusal(&[]);
    assert!(line.contains("the server cannot be reached"), "{line}");

    let what = "starts over MinIO";
    let Some((_runtime, server)) = store_server(Kind::Minio, what, Start::default()) else {
        return;
    };
    let missing = Storage::bucket_on(&server, "missing");
    for options in [&[] as &[&str], &["--depth", "1"]] {
        let line = missing.refusal(options);
        assert!(
            line.contains("the bucket does not exist, make it or correct its name")
                && line.contains("s3://missing/some/prefix"),
            "{line}"
        );
    }
    let mut storage = Storage::on(&server);
    for (name, value) in &mut storage.variables {
        if name == "AWS_SECRET_ACCESS_KEY" {
            SECRET.clone_into(value);
        }
    }
    let line = storage.refusal(&[]);
    assert!(line.contains("access denied"), "{line}");
}

#[test]
fn a_store_that_ignores_the_condition_is_for_a_single_replica_only() {
    let careless = Impostor::start(Conditions::Ignored, |_, _| None);
    let storage = Storage::on_impostor(&careless);
    let line = storage.refusal(&[]);
    assert!(
        line.contains("does not refuse to create an object twice")
            && line.contains("--single-replica"),
        "{line}"
    );
    let server = storage.serve(&["--single-replica"]);
    let warning = "a second replica would lose uploads";
    let said = server.said();
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    let client = Client::of(&server);
    assert_eq!(client.upload(&chart("app", "1.0.0")), 201);
    assert!(client.index().0.contains_key("app-1.0.0.tgz"));
}

#[test]
fn what_is_no_chart_in_a_bucket_is_left_alone() {
    let what = "a bucket with other objects";
    let Some((runtime, server)) = store_server(Kind::Minio, what, Start::default()) else {
        return;
    };
    let storage = Storage::on(&server);
    let store = storage.store();
    let others = [
        "notes.txt",
        "index.yaml",
        "junk-1.0.0.tgz",
        "lonely-1.0.0.tgz.prov",
        "folder/app-9.0.0.tgz",
        ".chartroom/notes",
        ".terraform/state",
    ];
    let mut there: objects::Objects = others
        .iter()
        .map(|name| ((*name).to_owned(), Bytes::from_static(b"foreign")))
        .collect();
    there.insert("app-1.0.0.tgz".to_owned(), chart("app", "1.0.0").into());
    runtime.block_on(objects::write(&store, &there));
    let server = storage.serve(&[]);
    let client = Client::of(&server);
    let (listing, _) = client.index();
    assert_eq!(listing.keys().collect::<Vec<_>>(), ["app-1.0.0.tgz"]);
    assert_eq!(client.upload(&chart("app", "2.0.0")), 201);
    assert!(server.stop().success());
    runtime.block_on(async {
        for name in others {
            let key = Key::parse(name).unwrap();
            assert_eq!(store.get(&key).await.unwrap().body, "foreign", "{name}");
        }
    });
}

#[test]
fn a_log_that_a_newer_version_wrote_ends_the_start_with_one_line() {
    let impostor = Impostor::good();
    let storage = Storage::on_impostor(&impostor);
    let server = storage.serve(&[]);
    assert_eq!(Client::of(&server).upload(&chart("app", "1.0.0")), 201);
    assert!(server.stop().success());
    let runtime = Runtime::new().unwrap();
    let store = storage.store();
    let record = runtime.block_on(async {
        let log = objects::read_log(&store).await;
        let records = log.keys().filter(|key| key.contains("/log/"));
        let next = records.max().unwrap().replace("001", "002");
        let body = r#"{"format":2,"generation":2,"nonce":"n","entries":"new"}"#;
        let new = objects::Objects::from([(next.clone(), Bytes::from_static(body.as_bytes()))]);
        objects::write(&store, &new).await;
        next
    });
    let line = storage.refusal(&[]);
    assert!(
        line.contains("a newer chartroom wrote it, use that one") && line.contains(&record),
        "{line}"
    );
}
