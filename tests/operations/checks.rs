//! `chartroom check-storage`: what works, what does not, in words, with whose credentials.

use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;

use crate::certificates;
use crate::impostor::{Conditions, Fault, Impostor, refusal};
use crate::objects;
use crate::program::{Ended, SECRET, Storage, store_server};
use crate::stores::{Kind, Start};

const STEPS: [&str; 7] = [
    "list",
    "create (put if absent)",
    "refuse a second create",
    "replace (put)",
    "get",
    "get a range",
    "delete",
];

impl Ended {
    /// The steps that work.
    fn good(&self) -> Vec<&str> {
        let lines = self.out.lines();
        lines
            .filter_map(|line| line.strip_prefix("ok      "))
            .collect()
    }

    /// The line about a step that does not work.
    fn failed(&self, step: &str) -> &str {
        let begin = format!("FAILED  {step}: ");
        let found = self.out.lines().find(|line| line.starts_with(&begin));
        found.unwrap_or_else(|| panic!("{step} does not fail:\n{}{}", self.out, self.err))
    }

    /// How many steps do not work.
    fn failures(&self) -> usize {
        let lines = self.out.lines();
        lines.filter(|line| line.starts_with("FAILED  ")).count()
    }
}

/// Checks a server with which everything is right.
fn everything_works(kind: Kind, credentials: &str, rights: &[&str]) {
    let what = format!("check-storage on {kind:?}");
    let Some((runtime, server)) = store_server(kind, &what, Start::default()) else {
        return;
    };
    let storage = Storage::on(&server);
    let ended = storage.check();
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(ended.good(), STEPS, "{}", ended.out);
    let head = format!("storage      {}\n", storage.location);
    assert!(ended.out.starts_with(&head), "{}", ended.out);
    let credentials = format!("credentials  {credentials}\n");
    assert!(ended.out.contains(&credentials), "{}", ended.out);
    for right in rights {
        assert!(ended.out.contains(right), "{right}:\n{}", ended.out);
    }
    let left = runtime.block_on(objects::read_log(&server.store()));
    assert!(left.is_empty(), "it leaves {:?}", left.keys());

    let ended = Storage::bucket_on(&server, "missing").check();
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    for step in ["list", "create (put if absent)"] {
        let line = ended.failed(step);
        assert!(
            line.contains("the bucket does not exist, make it or correct its name"),
            "{line}"
        );
    }
}

#[test]
fn everything_is_tried_on_minio() {
    everything_works(
        Kind::Minio,
        "the static keys chartroom-key of AWS_ACCESS_KEY_ID",
        &[
            "\"s3:ListBucket\"",
            "\"s3:GetObject\", \"s3:PutObject\", \"s3:DeleteObject\"",
            "\"arn:aws:s3:::charts\"",
            "\"arn:aws:s3:::charts/some/prefix/*\"",
            "\"s3:prefix\": [\"some/prefix\", \"some/prefix/*\"]",
        ],
    );
}

#[test]
fn everything_is_tried_on_versitygw() {
    everything_works(
        Kind::Versitygw,
        "the static keys chartroom-key of AWS_ACCESS_KEY_ID",
        &["\"s3:ListBucket\""],
    );
}

#[test]
fn everything_is_tried_on_google() {
    everything_works(
        Kind::FakeGcs,
        "nowhere: STORAGE_EMULATOR_HOST is set",
        &["gs://charts", "--role=roles/storage.objectUser"],
    );
}

#[test]
fn everything_is_tried_on_azure() {
    everything_works(
        Kind::Azurite,
        "the key of the storage account of AZURE_STORAGE_ACCESS_KEY",
        &["Storage Blob Data Contributor", "containers/charts"],
    );
}

#[test]
fn a_wrong_secret_is_denied_at_each_step() {
    let Some((_runtime, server)) = store_server(Kind::Minio, "a wrong secret", Start::default())
    else {
        return;
    };
    let mut storage = Storage::on(&server);
    for (name, value) in &mut storage.variables {
        if name == "AWS_SECRET_ACCESS_KEY" {
            SECRET.clone_into(value);
        }
    }
    let ended = storage.check();
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    for step in ["list", "create (put if absent)"] {
        let line = ended.failed(step);
        assert!(
            line.contains("access denied") && line.contains("SignatureDoesNotMatch"),
            "{line}"
        );
    }
    assert!(
        ended.out.contains("the steps after it were not tried"),
        "{}",
        ended.out
    );
}

#[test]
fn a_right_that_is_missing_is_named_by_its_step() {
    let cases: [(Fault, &[&str]); 4] = [
        (
            |method, path| {
                let is_listing = method == Method::GET && path.trim_end_matches('/') == "/charts";
                is_listing.then(|| refusal(403, "AccessDenied"))
            },
            &["list"],
        ),
        (
            |method, path| {
                let is_object = method == Method::GET && path.contains("probe");
                is_object.then(|| refusal(403, "AccessDenied"))
            },
            &["get", "get a range"],
        ),
        (
            |method, _| (method == Method::PUT).then(|| refusal(403, "AccessDenied")),
            &["create (put if absent)"],
        ),
        (
            |method, _| (method == Method::DELETE).then(|| refusal(403, "AccessDenied")),
            &["delete"],
        ),
    ];
    for (fault, steps) in cases {
        let ended = Storage::on_impostor(&Impostor::faulty(fault)).check();
        assert_eq!(ended.code, 3, "{steps:?}: {}{}", ended.out, ended.err);
        assert_eq!(ended.failures(), steps.len(), "{}", ended.out);
        for step in steps {
            let line = ended.failed(step);
            assert!(line.contains("access denied"), "{line}");
        }
    }
}

#[test]
fn a_server_that_is_no_object_store_is_told_by_its_answers() {
    let faults: [Fault; 2] = [
        |_, _| Some("<html><body><h1>It works!</h1></body></html>".into_response()),
        |_, _| {
            let page = "<html><body>default backend</body></html>";
            Some((StatusCode::NOT_FOUND, page).into_response())
        },
    ];
    for fault in faults {
        let ended = Storage::on_impostor(&Impostor::faulty(fault)).check();
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
        for step in ["list", "create (put if absent)"] {
            let line = ended.failed(step);
            assert!(line.contains("check its URL"), "{line}");
        }
    }
}

#[test]
fn nobody_there_is_told() {
    let url = Impostor::good().url().to_owned();
    let ended = Storage::at(&url).check();
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    let line = ended.failed("list");
    assert!(line.contains("the server cannot be reached"), "{line}");
}

#[test]
fn an_unknown_authority_is_told_with_what_to_do() {
    let folder = certificates::make();
    let how = Start {
        certificates: Some(folder.path().to_owned()),
    };
    let what = "check-storage by TLS";
    let Some((_runtime, server)) = store_server(Kind::Minio, what, how) else {
        return;
    };
    let mut storage = Storage::on(&server);
    let ended = storage.check();
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    let line = ended.failed("list");
    assert!(
        line.contains("name the file with that authority's certificate"),
        "{line}"
    );
    let refused = storage.refusal(&[]);
    assert!(
        refused.contains("name the file with that authority's certificate"),
        "{refused}"
    );
    let bundle = folder.path().join("ca.pem");
    let bundle = bundle.to_str().unwrap().to_owned();
    storage
        .variables
        .push(("CHARTROOM_STORAGE_CA_CERT".to_owned(), bundle));
    assert_eq!(storage.check().code, 0);
}

#[test]
fn a_store_that_ignores_the_condition_is_found_out() {
    let careless = Impostor::start(Conditions::Ignored, |_, _| None);
    let ended = Storage::on_impostor(&careless).check();
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert_eq!(ended.failures(), 1, "{}", ended.out);
    let line = ended.failed("refuse a second create");
    assert!(
        line.contains("two uploads of one version would both succeed"),
        "{line}"
    );
}

#[test]
fn a_directory_is_checked_too() {
    let ended = Storage::directory().check();
    assert_eq!((ended.code, ended.good().len()), (0, STEPS.len()));
    assert!(!ended.out.contains("credentials"), "{}", ended.out);
}
