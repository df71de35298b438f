//! The lines of the audit log.

use axum::body::Body;
use axum::http::{Method, Request};
use chartroom::audit::{AuditLog, Destination};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::auth::{Scheme, auth, basic};
use crate::support::{TestServer, chart};

struct Audited {
    server: TestServer,
    directory: TempDir,
}

impl Audited {
    async fn start(scheme: Scheme) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        let log = AuditLog::open(Destination::File(path)).unwrap();
        let server = TestServer::builder().auth(auth(scheme, true)).audit(log);
        let server = server.build().await;
        Self { server, directory }
    }

    async fn send(&self, method: Method, path: &str, header: &str, body: impl Into<Body>) -> u16 {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", header)
            .header("x-request-id", "the-id");
        let request = request.body(body.into()).unwrap();
        let response = self.server.router.clone().oneshot(request).await.unwrap();
        response.status().as_u16()
    }

    /// The lines, without their times.
    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.directory.path().join("audit.jsonl")).unwrap();
        let lines = text.lines().map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let time = line.as_object_mut().unwrap().remove("time").unwrap();
            assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
            line
        });
        lines.collect()
    }
}

#[tokio::test]
async fn each_request_that_needs_a_right_leaves_a_line_before_its_reply() {
    let audited = Audited::start(Scheme::Basic).await;
    let archive = chart("one", "1.0.0");
    let digest = chartroom::chart::Digest::of(&archive).to_string();
    let (alice, mallory) = (basic("alice:hunter2"), basic("mallory:hunter2"));
    let mut seen = 0;
    for (method, path, header, body, status, expected) in [
        (
            Method::POST,
            "/api/charts",
            &mallory,
            archive.clone(),
            401,
            json!({"kind": "anonymous", "action": "push", "repository": "", "allowed": false,
                "rule": "credentials", "reason": "wrong user or password"}),
        ),
        (
            Method::POST,
            "/api/charts",
            &alice,
            archive.clone(),
            201,
            json!({"kind": "user", "who": "alice", "action": "push", "repository": "",
                "chart": "one", "version": "1.0.0", "digest": digest, "generation": 1,
                "allowed": true, "rule": "--basic-auth-user"}),
        ),
        (
            Method::POST,
            "/api/charts",
            &alice,
            chart("one", "1.0.0"),
            409,
            json!({"kind": "user", "who": "alice", "action": "push", "repository": "",
                "chart": "one", "version": "1.0.0", "digest": digest, "generation": 1,
                "allowed": true, "rule": "--basic-auth-user"}),
        ),
        (
            Method::GET,
            "/charts/one-1.0.0.tgz",
            &mallory,
            Vec::new(),
            200,
            json!({"kind": "anonymous", "action": "pull", "repository": "", "file": "one-1.0.0.tgz",
                "chart": "one", "version": "1.0.0", "digest": digest, "generation": 1,
                "allowed": true, "rule": "--auth-anonymous-get"}),
        ),
        (
            Method::DELETE,
            "/api/charts/one/1.0.0",
            &alice,
            Vec::new(),
            200,
            json!({"kind": "user", "who": "alice", "action": "delete", "repository": "",
                "chart": "one", "version": "1.0.0", "generation": 3,
                "allowed": true, "rule": "--basic-auth-user"}),
        ),
        (
            Method::GET,
            "/index.yaml",
            &alice,
            Vec::new(),
            200,
            json!({"kind": "anonymous", "action": "pull", "repository": "", "generation": 3,
                "allowed": true, "rule": "--auth-anonymous-get"}),
        ),
    ] {
        let what = format!("{method} {path}");
        assert_eq!(
            audited.send(method, path, header, body).await,
            status,
            "{what}"
        );
        let mut expected = expected;
        expected["status"] = status.into();
        expected["request_id"] = "the-id".into();
        let lines = audited.lines();
        seen += 1;
        assert_eq!(lines.len(), seen, "{what}");
        assert_eq!(lines[seen - 1], expected, "{what}");
    }
    // What needs no right leaves none.
    for path in ["/health", "/ready", "/nothing/here"] {
        audited.send(Method::GET, path, &alice, Body::empty()).await;
    }
    assert_eq!(audited.lines().len(), seen);
}

#[tokio::test]
async fn an_upload_whose_client_goes_away_leaves_a_line() {
    let audited = Audited::start(Scheme::Open).await;
    let pending = Body::from_stream(futures_util::stream::pending::<
        Result<Vec<u8>, std::io::Error>,
    >());
    let request = Request::post("/api/charts").body(pending).unwrap();
    let response = audited.server.router.clone().oneshot(request);
    let gone = tokio::time::timeout(std::time::Duration::from_millis(50), response).await;
    assert!(gone.is_err());
    // It is written by a thread of its own, and nobody waits for it.
    let waiting = async {
        while audited.lines().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waiting)
        .await
        .unwrap();
    let lines = audited.lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["action"], &lines[0]["status"]),
        (&json!("push"), &json!(499))
    );
}
