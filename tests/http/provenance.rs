//! What is asked of provenance at upload.

use std::path::{Path, PathBuf};

use axum::http::Method;
use bytes::Bytes;
use chartroom::signature::{Policy, Rule};
use chartroom_storage::Clock;

use crate::support::{Reply, TestServer, chart, provenance};

const FORM: &str = "multipart/form-data; boundary=x";

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/provenance")
}

fn vector(name: &str) -> Bytes {
    std::fs::read(vectors().join(name)).unwrap().into()
}

async fn server(rule: Rule) -> TestServer {
    let ring = vectors().join("keyring.gpg");
    let policy = Policy::load(rule, &ring, Clock::default()).unwrap();
    TestServer::builder()
        .settings(|settings| {
            settings.provenance = policy;
            settings.metrics = true;
        })
        .build()
        .await
}

async fn post(server: &TestServer, path: &str, parts: &[(&str, &Bytes)]) -> Reply {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    let headers = [("content-type", FORM)];
    server
        .post_as(Method::POST, path, &headers, body.into())
        .await
}

#[tokio::test]
async fn what_is_signed_by_a_trusted_key_is_stored() {
    for rule in [Rule::Warn, Rule::Require] {
        let server = server(rule).await;
        let (archive, signed) = (vector("sealed-1.0.0.tgz"), vector("verified-rsa.prov"));
        let parts = [("chart", &archive), ("prov", &signed)];
        let reply = post(&server, "/api/charts", &parts).await;
        let said = (reply.status.as_u16(), reply.text());
        assert_eq!(said, (201, r#"{"saved":true}"#));
        assert_eq!(reply.header("x-chartroom-provenance"), "verified");
        let other = vector("verified-edwards.prov");
        assert_eq!(server.post("/api/prov", other.clone()).await.status, 409);
        let reply = server.post("/api/prov?force", other).await;
        assert_eq!(reply.header("x-chartroom-provenance"), "verified");
        let metrics = server.get("/metrics").await;
        assert!(
            metrics
                .text()
                .contains("chartroom_provenance_uploads_total{result=\"verified\"} 3"),
            "{metrics}"
        );
    }
}

#[tokio::test]
async fn a_server_that_requires_provenance_stores_nothing_without() {
    let server = server(Rule::Require).await;
    let archive = vector("sealed-1.0.0.tgz");
    let mut texts = vec![server.post("/api/charts", archive.clone()).await];
    texts.push(post(&server, "/api/charts?force", &[("chart", &archive)]).await);
    for name in [
        "unknown-key",
        "bad-signature",
        "weak-hash",
        "expired-key",
        "revoked",
    ] {
        let signed = vector(&format!("{name}.prov"));
        if name != "bad-signature" {
            let parts = [("chart", &archive), ("prov", &signed)];
            texts.push(post(&server, "/api/charts", &parts).await);
        }
        texts.push(server.post("/api/prov", signed.clone()).await);
        texts.push(post(&server, "/api/charts", &[("prov", &signed)]).await);
    }
    texts.dedup_by(|one, other| one.text() == other.text());
    for reply in &texts {
        assert_eq!(reply.status, 400, "{reply}");
    }
    let texts: Vec<&str> = texts.iter().map(Reply::text).collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    {"error":"this server takes signed charts only","hint":"make sealed-1.0.0.tgz.prov with helm package --sign --key NAME --keyring SECRET_KEYS, and send both: curl -F chart=@sealed-1.0.0.tgz -F prov=@sealed-1.0.0.tgz.prov"}
    {"error":"the provenance file does not verify","hint":"no key of the keyring made the signature: helm verify sealed-1.0.0.tgz --keyring PUBLIC_KEYS tries it with keys of yours"}
    {"error":"the provenance file does not verify","hint":"the signature is not that of the text: helm verify sealed-1.0.1.tgz --keyring PUBLIC_KEYS tries it with keys of yours"}
    {"error":"the provenance file does not verify","hint":"the signature was made with SHA-1, which can be forged: helm verify sealed-1.0.0.tgz --keyring PUBLIC_KEYS tries it with keys of yours"}
    {"error":"the provenance file does not verify","hint":"the key or the signature has expired: helm verify sealed-1.0.0.tgz --keyring PUBLIC_KEYS tries it with keys of yours"}
    {"error":"the provenance file does not verify","hint":"the key was revoked: helm verify sealed-1.0.0.tgz --keyring PUBLIC_KEYS tries it with keys of yours"}
    "#);
    assert!(server.stored().await.is_empty());
}

#[tokio::test]
async fn a_server_that_warns_stores_it_and_says_so() {
    let server = server(Rule::Warn).await;
    let archive = vector("sealed-1.0.0.tgz");
    let reply = server.post("/api/charts", archive.clone()).await;
    assert_eq!(reply.header("x-chartroom-provenance"), "missing");
    for name in ["unknown-key", "weak-hash", "revoked"] {
        let signed = vector(&format!("{name}.prov"));
        let parts = [("chart", &archive), ("prov", &signed)];
        let reply = post(&server, "/api/charts?force", &parts).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (201, r#"{"saved":true}"#)
        );
        assert_eq!(reply.header("x-chartroom-provenance"), name);
    }
    // Not even this can be stored: it is of another archive, as without a policy.
    let signed = vector("bad-signature.prov");
    let reply = post(
        &server,
        "/api/charts?force",
        &[("chart", &archive), ("prov", &signed)],
    )
    .await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn provenance_that_comes_alone_is_held_against_the_archive_that_is_there() {
    let strict = server(Rule::Require).await;
    let signed = vector("verified-rsa.prov");
    // Its archive may be put by hand later.
    assert_eq!(strict.post("/api/prov", signed.clone()).await.status, 201);

    let server = server(Rule::Warn).await;
    let other = chart("sealed", "1.0.0");
    assert_eq!(server.post("/api/charts", other).await.status, 201);
    let reply = server.post("/api/prov", signed).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("x-chartroom-provenance"), "mismatch");
    // Its signature is no packet at all.
    let reply = server.post("/api/prov", provenance("one", "1.0.0")).await;
    assert_eq!(reply.header("x-chartroom-provenance"), "unknown-key");
    let reply = server.post("/api/prov", "junk").await;
    assert!(reply.text().contains("invalid provenance file"), "{reply}");
}

#[tokio::test]
async fn without_a_policy_nobody_looks() {
    let server = TestServer::start().await;
    let archive = vector("sealed-1.0.0.tgz");
    let signed = vector("unknown-key.prov");
    let parts = [("chart", &archive), ("prov", &signed)];
    let reply = post(&server, "/api/charts", &parts).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("x-chartroom-provenance"), "");
}
