//! Archives and provenance files.

use axum::http::Method;

use crate::support::{TestServer, chart, provenance};

async fn with_a_signed_chart() -> (TestServer, Vec<u8>) {
    let server = TestServer::start().await;
    let archive = chart("one", "1.0.0+b1");
    assert_eq!(
        server.post("/api/charts", archive.clone()).await.status,
        201
    );
    let signed = server
        .post("/api/prov", provenance("one", "1.0.0+b1"))
        .await;
    assert_eq!(signed.status, 201, "{signed}");
    (server, archive)
}

#[tokio::test]
async fn archives_are_under_both_repository_urls_with_plus_in_either_spelling() {
    let (server, archive) = with_a_signed_chart().await;
    for path in [
        "/charts/one-1.0.0+b1.tgz",
        "/charts/one-1.0.0%2Bb1.tgz",
        "/charts/one-1.0.0%2bb1.tgz",
        "/charts/charts/one-1.0.0+b1.tgz",
        "/charts/%6fne-1.0.0+b1.tgz",
    ] {
        let reply = server.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body[..]),
            (200, &archive[..]),
            "{path}"
        );
    }
    for path in [
        "/charts/one-1.0.0%252Bb1.tgz",
        "/charts/one-1.0.0%20b1.tgz",
        "/charts/..%2fone-1.0.0.tgz",
    ] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let signature = server.get("/charts/one-1.0.0+b1.tgz.prov").await;
    assert_eq!(
        signature.header("content-type"),
        "application/pgp-signature"
    );
    assert_eq!(signature.text(), provenance("one", "1.0.0+b1"));
}

#[tokio::test]
async fn an_archive_is_never_encoded_and_its_tag_is_its_digest() {
    let (server, archive) = with_a_signed_chart().await;
    let headers = [("accept-encoding", "gzip")];
    let reply = server
        .request(Method::GET, "/charts/one-1.0.0+b1.tgz", &headers)
        .await;
    let digest = chartroom::chart::Digest::of(&archive);
    assert_eq!(reply.header("etag"), format!("\"{digest}\""));
    let length = archive.len().to_string();
    let shown = reply.to_string().replace(&length, "<length>");
    insta::assert_snapshot!(shown, @"
    200
    accept-ranges: bytes
    cache-control: no-cache
    content-length: <length>
    content-type: application/x-tar
    etag: <…>
    last-modified: <…>
    x-chartroom-generation: 1
    x-request-id: <…>

    <<length> bytes>
    ");
}

#[tokio::test]
async fn head_of_an_archive_says_its_length() {
    let (server, archive) = with_a_signed_chart().await;
    let head = server
        .request(Method::HEAD, "/charts/one-1.0.0+b1.tgz", &[])
        .await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), archive.len().to_string());
    assert!(head.body.is_empty());
    let missing = server
        .request(Method::HEAD, "/charts/none-1.0.0.tgz", &[])
        .await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.is_empty());
}

#[tokio::test]
async fn parts_of_an_archive_are_206_and_impossible_ones_416() {
    let (server, archive) = with_a_signed_chart().await;
    let path = "/charts/one-1.0.0+b1.tgz";
    let size = archive.len();
    let part = server
        .request(Method::GET, path, &[("range", "bytes=2-5")])
        .await;
    assert_eq!(
        (part.status.as_u16(), &part.body[..]),
        (206, &archive[2..6])
    );
    assert_eq!(part.header("content-range"), format!("bytes 2-5/{size}"));
    assert_eq!(part.header("content-length"), "4");
    let last = server
        .request(Method::GET, path, &[("range", "bytes=-3")])
        .await;
    assert_eq!(&last.body[..], &archive[size - 3..]);
    let several = server
        .request(Method::GET, path, &[("range", "bytes=0-1,3-4")])
        .await;
    assert_eq!((several.status.as_u16(), several.body.len()), (200, size));
    let none = server
        .request(Method::GET, path, &[("range", "bytes=999999-")])
        .await;
    assert_eq!(
        (none.status.as_u16(), none.header("content-range")),
        (416, &*format!("bytes */{size}"))
    );
    let stale = [("range", "bytes=2-5"), ("if-range", "\"other\"")];
    let stale = server.request(Method::GET, path, &stale).await;
    assert_eq!((stale.status.as_u16(), stale.body.len()), (200, size));
}

#[tokio::test]
async fn a_client_that_has_the_archive_gets_304() {
    let (server, _) = with_a_signed_chart().await;
    let path = "/charts/one-1.0.0+b1.tgz";
    let first = server.get(path).await;
    for (name, value) in [
        ("if-none-match", first.header("etag")),
        ("if-modified-since", first.header("last-modified")),
    ] {
        let again = server.request(Method::GET, path, &[(name, value)]).await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{name}"
        );
        assert_eq!(again.header("etag"), first.header("etag"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_says_so() {
    let (server, _) = with_a_signed_chart().await;
    let missing = server.get("/charts/none-1.0.0.tgz").await;
    insta::assert_snapshot!(missing.text(), @r#"{"error":"object not found","hint":"none-1.0.0.tgz is not in this repository"}"#);
    let other = server.get("/charts/values.yaml").await;
    assert_eq!(other.status, 404);
    insta::assert_snapshot!(other.text(), @r#"{"error":"unsupported file extension","hint":"archives end in .tgz and provenance files in .tgz.prov"}"#);
}
