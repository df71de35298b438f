//! Where credentials come from, and what is said if there are none.

use std::error::Error as _;

use bytes::Bytes;
use chartroom_storage::{
    BucketOptions, Encryption, Key, Location, StorageErrorKind, Store, Timeouts,
};

use crate::service::{Answer, KEYS, Service, open, options, refusal};

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn found() -> Answer {
    let headers = "etag: \"1\"\r\nlast-modified: Tue, 24 Nov 2026 10:00:00 GMT\r\n";
    Answer::Reply(200, headers, "body".to_owned())
}

fn fail(location: &str, options: &BucketOptions) -> String {
    let location = Location::parse(location).unwrap();
    let error = Store::open(&location, options, Timeouts::default()).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);
    assert_eq!(error.location(), location.to_string());
    error.source().unwrap().to_string()
}

fn described(location: &str, variables: &[(&str, &str)]) -> String {
    let options = options("http://127.0.0.1:1", variables);
    let store = open(location, &options);
    let shown = format!("{store:?} {options:?}");
    assert!(!shown.contains("hush"), "{shown}");
    store.credentials().unwrap().to_owned()
}

#[tokio::test]
async fn the_source_on_amazon_is_told_without_the_secret() {
    let web_identity = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/charts"),
    ];
    let pod = [
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"),
    ];
    let task = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/1")];
    let cases: [(Vec<(&str, &str)>, &str); 6] = [
        (
            KEYS.to_vec(),
            "the static keys AKIDEXAMPLE of AWS_ACCESS_KEY_ID",
        ),
        (
            [KEYS, web_identity].concat(),
            "the static keys AKIDEXAMPLE of AWS_ACCESS_KEY_ID",
        ),
        (
            [web_identity, pod].concat(),
            "the web identity of the role arn:aws:iam::1:role/charts from \
             AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
        (
            task.to_vec(),
            "the role of the container from AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        ),
        (
            pod.to_vec(),
            "the identity of the pod from AWS_CONTAINER_CREDENTIALS_FULL_URI \
             (http://169.254.170.23/v1)",
        ),
        (
            Vec::new(),
            "the role of the machine from its metadata service",
        ),
    ];
    for (variables, expected) in cases {
        assert_eq!(described("s3://bucket", &variables), expected);
    }
}

#[tokio::test]
async fn a_profile_is_a_source() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let text = "[work]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = hush\n";
    std::fs::write(home.path().join(".aws/credentials"), text).unwrap();
    let text = "[profile corp]\nsso_session = x\n";
    std::fs::write(home.path().join(".aws/config"), text).unwrap();
    let home = ("HOME", home.path().to_str().unwrap());

    let service = Service::start(|_| found()).await;
    let mut named = options(&service.url(), &[home, KEYS[0], KEYS[1]]);
    named.profile = Some("work".to_owned());
    let store = open("s3://bucket", &named);
    let expected = "the static keys AKIDPROFILE of the profile `work`";
    assert_eq!(store.credentials(), Some(expected));
    store.get(&key("a")).await.unwrap();
    let signed = service.asked()[0]
        .header("authorization")
        .unwrap()
        .to_owned();
    assert!(signed.contains("Credential=AKIDPROFILE/"), "{signed}");

    let by_variable = [home, ("AWS_PROFILE", "work")];
    assert_eq!(described("s3://bucket", &by_variable), expected);
    let error = fail(
        "s3://bucket",
        &options("http://x", &[home, ("AWS_PROFILE", "corp")]),
    );
    assert!(
        error.contains("`sso_session`, which is not supported"),
        "{error}"
    );
    let error = fail(
        "s3://bucket",
        &options("http://x", &[home, ("AWS_PROFILE", "none")]),
    );
    assert_eq!(
        error,
        "the profile `none` is not in the AWS configuration files"
    );
}

#[test]
fn what_does_not_fit_together_is_told_at_once() {
    let error = fail("s3://bucket", &options("http://x", &KEYS[..1]));
    assert_eq!(
        error,
        "AWS_ACCESS_KEY_ID is given but AWS_SECRET_ACCESS_KEY is not"
    );
    let file = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")];
    let error = fail("s3://bucket", &options("http://x", &file));
    assert_eq!(
        error,
        "AWS_WEB_IDENTITY_TOKEN_FILE is given but AWS_ROLE_ARN is not"
    );
    let error = fail("s3://bucket", &BucketOptions::default());
    assert_eq!(
        error,
        "the region of the bucket is not known; set the region, or AWS_REGION"
    );
    let error = fail("s3://bucket", &options("ftp://x", &KEYS));
    assert!(
        error.contains("`ftp://x` is not the URL of a server"),
        "{error}"
    );
    let disabled = [("AWS_EC2_METADATA_DISABLED", "true")];
    let error = fail("s3://bucket", &options("http://x", &disabled));
    assert!(
        error.starts_with("a source of credentials is not known"),
        "{error}"
    );
    let odd = [KEYS[0], KEYS[1], ("AWS_SERVER_SIDE_ENCRYPTION", "rot13")];
    fail("s3://bucket", &options("http://x", &odd));
}

#[tokio::test]
async fn credentials_of_a_pod_sign_requests() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "pod-token").unwrap();
    let pods = Service::start(|_| {
        let body = "{\"AccessKeyId\":\"AKIDPOD\",\"SecretAccessKey\":\"hush\",\"Token\":\"session\",\
                    \"Expiration\":\"2036-01-01T00:00:00Z\"}";
        Answer::Reply(200, "", body.to_owned())
    })
    .await;
    let service = Service::start(|_| found()).await;
    let url = pods.url();
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            token.to_str().unwrap(),
        ),
    ];
    let store = open("s3://bucket", &options(&service.url(), &variables));
    for _ in 0..2 {
        store.get(&key("a")).await.unwrap();
    }
    assert_eq!(pods.asked().len(), 1, "they are kept");
    assert_eq!(pods.asked()[0].header("authorization"), Some("pod-token"));
    for asked in service.asked() {
        assert_eq!(asked.header("x-amz-security-token"), Some("session"));
    }
}

#[tokio::test]
async fn refused_credentials_are_denied_and_missing_ones_unavailable() {
    let cases = [
        (
            refusal(403, "AccessDenied"),
            StorageErrorKind::Denied,
            1,
            "it answered 403 AccessDenied",
        ),
        (
            Answer::Reply(503, "", "later".to_owned()),
            StorageErrorKind::Unavailable,
            4,
            "503",
        ),
    ];
    for (answer, kind, requests, words) in cases {
        let metadata = Service::start(move |_| answer.clone()).await;
        let url = metadata.url();
        let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
        let store = open("s3://bucket", &options("http://127.0.0.1:1", &variables));
        let error = store.create(&key("a"), Bytes::new()).await.unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert_eq!(error.kind(), kind, "{cause}");
        let begins = "there are no credentials from the role of the machine";
        assert!(
            cause.starts_with(begins) && cause.contains(words),
            "{cause}"
        );
        assert_eq!(metadata.count(), requests);
    }
}

#[tokio::test]
async fn encryption_and_addresses_reach_the_server() {
    let service = Service::start(|_| found()).await;
    let mut encrypted = options(&service.url(), &KEYS);
    encrypted.encryption = Some(Encryption::Kms {
        key: Some("alias/charts".to_owned()),
    });
    let store = open("s3://bucket/deep/prefix", &encrypted);
    store.create(&key("a+b.tgz"), Bytes::new()).await.unwrap();
    encrypted.encryption = Some(Encryption::Aes256);
    let store = open("s3://bucket", &encrypted);
    store.replace(&key("a"), Bytes::new()).await.unwrap();
    let asked = service.asked();
    assert_eq!(asked[0].path, "/bucket/deep/prefix/a%2Bb.tgz");
    let encryption = "x-amz-server-side-encryption";
    assert_eq!(asked[0].header(encryption), Some("aws:kms"));
    assert_eq!(
        asked[0].header("x-amz-server-side-encryption-aws-kms-key-id"),
        Some("alias/charts")
    );
    assert_eq!(asked[1].header(encryption), Some("AES256"));
    let signed = asked[1].header("authorization").unwrap();
    assert!(signed.contains("/us-east-1/s3/"), "{signed}");
}

#[cfg(feature = "gcs")]
#[tokio::test]
async fn the_source_on_google_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let user = folder.path().join("user.json");
    let text = "{\"type\":\"authorized_user\",\"client_id\":\"a\",\"client_secret\":\"hush\",\
                \"refresh_token\":\"hush\"}";
    std::fs::write(&user, text).unwrap();
    let user = user.to_str().unwrap();
    assert_eq!(
        described("gs://bucket", &[("GOOGLE_APPLICATION_CREDENTIALS", user)]),
        format!("the key of a user in {user}, named by GOOGLE_APPLICATION_CREDENTIALS")
    );
    assert_eq!(
        described("gs://bucket", &[("STORAGE_EMULATOR_HOST", "localhost:1")]),
        "nowhere: STORAGE_EMULATOR_HOST is set"
    );
    assert_eq!(
        described("gs://bucket", &[("HOME", folder.path().to_str().unwrap())]),
        "the identity of the workload or machine from its metadata service"
    );
    let federated = "{\"type\":\"external_account\"}";
    let error = fail(
        "gs://bucket",
        &options("http://x", &[("GOOGLE_SERVICE_ACCOUNT_KEY", federated)]),
    );
    assert!(
        error.contains("`external_account`, which are not supported"),
        "{error}"
    );
    let missing = [("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent")];
    let location = Location::parse("gs://bucket").unwrap();
    Store::open(
        &location,
        &options("http://x", &missing),
        Timeouts::default(),
    )
    .unwrap_err();
}

#[cfg(feature = "azure")]
mod azure {
    use super::*;

    const ACCOUNT: (&str, &str) = ("AZURE_STORAGE_ACCOUNT", "account");
    const CLIENT: [(&str, &str); 2] =
        [("AZURE_CLIENT_ID", "client"), ("AZURE_TENANT_ID", "tenant")];

    #[tokio::test]
    async fn the_source_is_told() {
        let cases: [(Vec<(&str, &str)>, &str); 5] = [
            (
                vec![ACCOUNT, ("AZURE_STORAGE_ACCESS_KEY", "aHVzaA==")],
                "the key of the storage account of AZURE_STORAGE_ACCESS_KEY",
            ),
            (
                vec![ACCOUNT, ("AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=hush")],
                "the shared access signature of AZURE_STORAGE_SAS_TOKEN",
            ),
            (
                vec![
                    ACCOUNT,
                    CLIENT[0],
                    CLIENT[1],
                    ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
                ],
                "the workload identity of the client client from AZURE_FEDERATED_TOKEN_FILE",
            ),
            (
                vec![ACCOUNT],
                "the managed identity of the machine from its metadata service",
            ),
            (
                vec![("AZURE_STORAGE_USE_EMULATOR", "true")],
                "the emulator's key, which everybody knows",
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(described("az://container", &variables), expected);
        }
        let error = fail("az://container", &options("http://x", &[]));
        assert!(
            error.starts_with("the storage account is not known"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_workload_identity_signs_requests() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, "assertion").unwrap();
        let authority = Service::start(|_| {
            let body = "{\"access_token\":\"bearer\",\"expires_in\":3600}";
            Answer::Reply(200, "", body.to_owned())
        })
        .await;
        let service = Service::start(|_| found()).await;
        let url = authority.url();
        let variables = [
            ACCOUNT,
            CLIENT[0],
            CLIENT[1],
            ("AZURE_FEDERATED_TOKEN_FILE", token.to_str().unwrap()),
            ("AZURE_AUTHORITY_HOST", url.as_str()),
        ];
        let store = open(
            "az://container/prefix",
            &options(&service.url(), &variables),
        );
        store.get(&key("a")).await.unwrap();
        assert!(
            authority.asked()[0]
                .body
                .contains("client_assertion=assertion")
        );
        let asked = &service.asked()[0];
        assert_eq!(asked.header("authorization"), Some("Bearer bearer"));
        assert_eq!(asked.path, "/container/prefix/a");
    }

    #[tokio::test]
    async fn a_deletion_in_a_batch_has_its_own_answer() {
        let batch = |status: &str, code: &str| {
            let body = format!(
                "--b\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 \
                 {status}\r\nx-ms-error-code: {code}\r\n\r\n\r\n--b--\r\n"
            );
            Answer::Reply(202, "content-type: multipart/mixed; boundary=b\r\n", body)
        };
        let variables = [ACCOUNT, ("AZURE_STORAGE_ACCESS_KEY", "aHVzaA==")];
        for (status, code, kind) in [
            (
                "403 Forbidden",
                "AuthorizationFailure",
                StorageErrorKind::Denied,
            ),
            ("404 Not Found", "BlobNotFound", StorageErrorKind::NotFound),
            (
                "404 Not Found",
                "ContainerNotFound",
                StorageErrorKind::Unavailable,
            ),
            ("503 Busy", "ServerBusy", StorageErrorKind::Unavailable),
        ] {
            let answer = batch(status, code);
            let service = Service::start(move |_| answer.clone()).await;
            let store = open("az://container", &options(&service.url(), &variables));
            let error = store.delete(&key("a")).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{status}: {:?}", error.source());
            assert_eq!(service.count(), 1);
        }
    }
}
