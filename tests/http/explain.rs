//! Why a version is in the index, or why not.

use axum::http::Method;
use chartroom::http::settings::Depth;
use chartroom_storage::testing::{Action, Faulty, Op};
use chartroom_storage::{Key, StorageErrorKind, Timeouts};
use object_store::memory::InMemory;
use serde_json::Value;

use crate::support::{TestServer, chart, steady};

async fn explain(server: &TestServer, path: &str) -> Value {
    let reply = server.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {reply}");
    assert_eq!(
        reply.header("content-type"),
        "application/json; charset=utf-8"
    );
    serde_json::from_slice(&reply.body).unwrap()
}

#[tokio::test]
async fn a_listed_version_is_explained() {
    let server = TestServer::start().await;
    server.post("/api/charts", chart("one", "1.0.0")).await;
    let path = "/api/explain/one/1.0.0";
    let reply = server.get(path).await;
    assert_eq!(reply.header("x-chartroom-generation"), "1");
    let mut json: Value = serde_json::from_slice(&reply.body).unwrap();
    let sentence = json["sentence"].take();
    let sentence = sentence.as_str().unwrap();
    assert!(
        sentence.starts_with("one 1.0.0 is in the index: one-1.0.0.tgz, uploaded at 20"),
        "{sentence}"
    );
    for object in ["known_object", "stored_object"] {
        // Compressors differ in the size.
        json["facts"][object]["e_tag"] = "<…>".into();
        json["facts"][object]["size"] = 1.into();
    }
    let text = serde_json::to_string_pretty(&json).unwrap();
    insta::assert_snapshot!(steady(&text), @r#"
    {
      "advice": "a client that does not see it has an older index: let it update (helm repo update); replicas whose X-Chartroom-Generation is 1 or more have it",
      "facts": {
        "changed_at": "<time>",
        "changed_at_generation": 1,
        "created": "<time>",
        "digest": "<digest>",
        "file": "one-1.0.0.tgz",
        "known_object": {
          "e_tag": "<…>",
          "modified": "<time>",
          "size": 1
        },
        "origin": "upload",
        "stored_object": {
          "e_tag": "<…>",
          "modified": "<time>",
          "size": 1
        }
      },
      "generation": 1,
      "listed": true,
      "name": "one",
      "reason": "listed",
      "sentence": null,
      "version": "1.0.0"
    }
    "#);

    let head = server.request(Method::HEAD, path, &[]).await;
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(
        head.header("content-length"),
        reply.header("content-length")
    );
}

#[tokio::test]
async fn a_version_that_is_not_listed_is_explained_with_200_too() {
    let server = TestServer::start().await;
    server.post("/api/charts", chart("one", "1.0.0+b")).await;
    let key = Key::parse("bad-1.0.0.tgz").unwrap();
    server.store.create(&key, "junk <&>".into()).await.unwrap();
    for (path, reason) in [
        ("/api/explain/one/2.0.0", "not-found"),
        ("/api/explain/one/1.0.0", "spelled-differently"),
        ("/api/explain/bad/1.0.0", "unreadable"),
        ("/api/explain/..%2Fone/1.0.0", "impossible-name"),
    ] {
        let json = explain(&server, path).await;
        assert_eq!(json["listed"], false, "{path}");
        assert_eq!(json["reason"], reason, "{path}");
    }
    for path in ["/api/explain/one/1.0.0+b", "/api/explain/one/1.0.0%2Bb"] {
        assert_eq!(explain(&server, path).await["listed"], true, "{path}");
    }
    server
        .request(Method::DELETE, "/api/charts/one/1.0.0+b", &[])
        .await;
    let json = explain(&server, "/api/explain/one/1.0.0+b").await;
    assert_eq!(json["reason"], "deleted");
    assert_eq!(json["facts"]["changed_at_generation"], 3);
}

#[tokio::test]
async fn each_repository_explains_its_own_and_one_that_is_not_there_is_not_made() {
    let server = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Fixed(1))
        .build()
        .await;
    server.post("/api/team/charts", chart("one", "1.0.0")).await;
    let json = explain(&server, "/api/team/explain/one/1.0.0").await;
    assert_eq!(json["reason"], "listed");
    let json = explain(&server, "/api/other/explain/one/1.0.0").await;
    assert_eq!(json["reason"], "no-repository");
    assert_eq!(json["listed"], false);
    let below = Key::parse("other").unwrap();
    assert_eq!(server.store.list_below(&below, None).await.unwrap(), []);
}

#[tokio::test]
async fn the_charts_of_a_repository_called_explain_keep_their_paths() {
    let server = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Dynamic)
        .build()
        .await;
    server
        .post("/api/explain/charts", chart("one", "1.0.0"))
        .await;
    let json = explain(&server, "/api/explain/charts/one").await;
    assert_eq!(json[0]["name"], "one");
    let json = explain(&server, "/api/explain/explain/one/1.0.0").await;
    assert_eq!(json["reason"], "listed");
}

/// A failing store is not "it is not there".
#[tokio::test]
async fn an_explanation_over_a_failing_store_is_a_5xx() {
    let way = Faulty::new(std::sync::Arc::new(InMemory::new()));
    let server = TestServer::builder()
        .store(way.store(Timeouts::default()))
        .build()
        .await;
    let fail = Action::Fail(StorageErrorKind::Denied);
    way.rule_times(9, Op::Head, |key| key.ends_with(".tgz"), fail);
    let reply = server.get("/api/explain/one/1.0.0").await;
    assert!(reply.status.is_server_error(), "{reply}");
    assert!(!reply.text().contains("one-1.0.0.tgz"), "{reply}");
}

#[tokio::test]
async fn a_generation_that_is_not_there_yet_is_waited_for_elsewhere() {
    let server = TestServer::start().await;
    let headers = [("x-chartroom-min-generation", "9")];
    let reply = server
        .request(Method::GET, "/api/explain/one/1.0.0", &headers)
        .await;
    assert_eq!(reply.status, 503);
}
