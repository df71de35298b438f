//! The rights that `chartroom check-storage` prints are enough for a server, and not one of them is
//! too many: on MinIO, whose token service gives out keys with exactly the rights of a policy.

use http::{Method, Request};
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpRequestBody, ReqwestConnector};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::client::{Client, chart};
use crate::program::{Storage, store_server};
use crate::stores::{Kind, Start};

/// Reads the policy out of what the command prints.
fn policy(printed: &str) -> Value {
    let (begin, end) = (printed.find('{').unwrap(), printed.rfind('}').unwrap());
    serde_json::from_str(&printed[begin..=end]).unwrap()
}

/// Gets keys that have the rights of the policy and no others.
async fn keys_for(policy: &Value, storage: &Storage) -> Vec<(String, String)> {
    let value = |name: &str| {
        let found = storage.variables.iter().find(|(found, _)| found == name);
        found.unwrap().1.clone()
    };
    let credential = AwsCredential {
        key_id: value("AWS_ACCESS_KEY_ID"),
        secret_key: value("AWS_SECRET_ACCESS_KEY"),
        token: None,
    };
    let policy = policy.to_string();
    let body = format!(
        "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600&Policy={}",
        utf8_percent_encode(&policy, NON_ALPHANUMERIC)
    );
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/", storage.endpoint.as_deref().unwrap()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", body.len())
        .body(HttpRequestBody::from(body))
        .unwrap();
    AwsAuthorizer::new(&credential, "sts", "us-east-1")
        .try_authorize(&mut request, None)
        .unwrap();
    let options = ClientOptions::new().with_allow_http(true);
    let client = ReqwestConnector::default().connect(&options).unwrap();
    let answer = client.execute(request).await.unwrap();
    let answer = answer.into_body().bytes().await.unwrap();
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    let element = |name: &str| {
        let after = answer.split_once(&format!("<{name}>"));
        let (_, after) = after.unwrap_or_else(|| panic!("{answer}"));
        after.split_once('<').unwrap().0.to_owned()
    };
    [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ]
    .map(|(variable, name)| (variable.to_owned(), element(name)))
    .to_vec()
}

#[test]
fn the_rights_that_are_printed_are_enough_and_none_is_too_many() {
    let what = "the least rights on MinIO";
    let Some((runtime, server)) = store_server(Kind::Minio, what, Start::default()) else {
        return;
    };
    let root = Storage::on(&server);
    let printed = policy(&root.check().out);

    let mut storage = Storage::on(&server);
    storage.variables = runtime.block_on(keys_for(&printed, &root));
    let ended = storage.check();
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let replica = storage.serve(&["--refresh-interval", "100ms"]);
    let client = Client::of(&replica);
    let archive = chart("app", "1.0.0");
    assert_eq!(client.upload(&archive), 201);
    assert_eq!(client.upload(&archive), 409);
    assert_eq!(client.get("/charts/app-1.0.0.tgz", 200), archive);
    client.get("/charts/app-2.0.0.tgz", 404);
    assert_eq!(client.delete("/api/charts/app/1.0.0"), 200);
    assert!(client.index().0.is_empty());
    assert!(replica.stop().success());

    // Nothing beside the prefix.
    let mut beside = Storage::prefix_on(&server, "some/other");
    beside.variables.clone_from(&storage.variables);
    assert_eq!(beside.check().code, 3);

    for (action, step) in [
        ("s3:ListBucket", "list"),
        ("s3:GetObject", "get"),
        ("s3:PutObject", "create (put if absent)"),
        ("s3:DeleteObject", "delete"),
    ] {
        let mut fewer = printed.clone();
        let statements = fewer["Statement"].as_array_mut().unwrap();
        statements.retain(|statement| statement["Action"] != action);
        for statement in statements {
            if let Some(actions) = statement["Action"].as_array_mut() {
                actions.retain(|found| found != action);
            }
        }
        assert_ne!(fewer, printed, "{action}");
        storage.variables = runtime.block_on(keys_for(&fewer, &root));
        let ended = storage.check();
        assert_eq!(ended.code, 3, "{action}: {}{}", ended.out, ended.err);
        let line = format!("FAILED  {step}: ");
        assert!(ended.out.contains(&line), "{action}: {}", ended.out);
        assert!(
            ended.out.contains("access denied"),
            "{action}: {}",
            ended.out
        );
        let refused = storage.refusal(&[]);
        assert!(refused.contains("access denied"), "{action}: {refused}");
    }
}
