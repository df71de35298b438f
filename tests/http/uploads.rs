//! Uploads: raw, as a form, and everything that people send by mistake.

use std::future::{Future, poll_fn};
use std::task::Poll;

use axum::body::Body;
use axum::http::{Method, Request};
use bytes::Bytes;
use chartroom::http::settings::Overwriting;
use futures_util::stream;

use crate::support::{Reply, TestServer, archive, chart, provenance, steady};

const FORM: &str = "multipart/form-data; boundary=x";

fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Bytes {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        let file = file
            .map(|file| format!("; filename=\"{file}\""))
            .unwrap_or_default();
        let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body.into()
}

async fn post_form(server: &TestServer, path: &str, body: Bytes) -> Reply {
    server
        .post_as(Method::POST, path, &[("content-type", FORM)], body)
        .await
}

#[tokio::test]
async fn a_raw_upload_is_stored_and_visible_when_it_is_acknowledged() {
    let server = TestServer::start().await;
    let reply = server.post("/api/charts", chart("one", "1.0.0")).await;
    insta::assert_snapshot!(reply, @r#"
    201
    cache-control: no-cache
    content-length: 14
    content-type: application/json; charset=utf-8
    x-chartroom-generation: 1
    x-request-id: <…>

    {"saved":true}
    "#);
    assert_eq!(server.stored().await, ["one-1.0.0.tgz"]);
    assert!(
        server
            .get("/index.yaml")
            .await
            .text()
            .contains("one-1.0.0.tgz")
    );
}

#[tokio::test]
async fn any_media_type_but_that_of_forms_is_a_raw_archive() {
    let server = TestServer::start().await;
    for (minor, media_type) in [
        "application/gzip",
        "application/x-www-form-urlencoded",
        "junk",
    ]
    .iter()
    .enumerate()
    {
        let body = chart("one", &format!("1.{minor}.0")).into();
        let headers = [("content-type", *media_type)];
        let reply = server
            .post_as(Method::POST, "/api/charts", &headers, body)
            .await;
        assert_eq!(reply.status, 201, "{media_type}");
    }
    assert_eq!(server.stored().await.len(), 3);
}

#[tokio::test]
async fn overwriting_is_refused_without_force_and_the_hint_tells_the_digests() {
    let server = TestServer::start().await;
    let first = chart("one", "1.0.0");
    let other = archive("apiVersion: v2\nname: one\nversion: 1.0.0\nhome: https://example.com\n");
    server.post("/api/charts", first.clone()).await;
    let identical = server.post("/api/charts", first.clone()).await;
    assert_eq!(identical.status, 409);
    insta::assert_snapshot!(steady(identical.text()), @r#"{"error":"file already exists","hint":"the stored archive is identical (sha256 <digest>): there is nothing to do"}"#);
    let different = server.post("/api/charts", other.clone()).await;
    assert_eq!(different.status, 409);
    insta::assert_snapshot!(steady(different.text()), @r#"{"error":"file already exists","hint":"the stored archive has sha256 <digest>, the uploaded one <digest>: give the chart a new version"}"#);
    assert_eq!(server.get("/charts/one-1.0.0.tgz").await.body, first);
    // The presence of force counts, not its value.
    let forced = server.post("/api/charts?force=false", other.clone()).await;
    assert_eq!(
        (forced.status.as_u16(), forced.text()),
        (201, r#"{"saved":true}"#)
    );
    assert_eq!(server.get("/charts/one-1.0.0.tgz").await.body, other);
}

#[tokio::test]
async fn overwriting_follows_the_configuration() {
    for (overwriting, path, status) in [
        (Overwriting::Never, "/api/charts?force", 409),
        (Overwriting::WithForce, "/api/charts", 409),
        (Overwriting::WithForce, "/api/charts?force", 201),
        (Overwriting::Always, "/api/charts", 201),
    ] {
        let server = TestServer::builder()
            .settings(|settings| settings.overwriting = overwriting)
            .build()
            .await;
        server.post("/api/charts", chart("one", "1.0.0")).await;
        let again = server.post(path, chart("one", "1.0.0")).await;
        assert_eq!(again.status, status, "{overwriting:?} {path}");
    }
}

#[tokio::test]
async fn a_form_stores_chart_and_provenance_together() {
    let server = TestServer::start().await;
    let archive = chart("one", "1.0.0");
    let signature = provenance("one", "1.0.0");
    let body = form(&[
        ("other", Some("x"), b"junk"),
        ("prov", Some("x"), signature.as_bytes()),
        ("chart", Some("/tmp/x/anything.bin"), &archive),
        ("chart", Some("second"), b"ignored"),
    ]);
    let reply = post_form(&server, "/api/charts?force", body.clone()).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (201, r#"{"saved":true}"#)
    );
    assert_eq!(
        server.stored().await,
        ["one-1.0.0.tgz", "one-1.0.0.tgz.prov"]
    );
    assert_eq!(
        server.get("/charts/one-1.0.0.tgz.prov").await.text(),
        signature
    );
    let again = post_form(&server, "/api/charts", body).await;
    assert_eq!(again.status, 409);
    assert!(
        again
            .text()
            .starts_with(r#"{"error":"chart already exists""#),
        "{}",
        again.text()
    );
}

#[tokio::test]
async fn a_provenance_file_goes_by_the_name_that_it_signs() {
    let server = TestServer::start().await;
    server.post("/api/charts", chart("one", "1.0.0")).await;
    let signature = provenance("one", "1.0.0");
    let body = form(&[("prov", Some("x"), signature.as_bytes())]);
    assert_eq!(post_form(&server, "/api/charts", body).await.status, 201);
    let again = server.post("/api/prov", signature).await;
    assert_eq!(again.status, 409);
    assert!(
        again
            .text()
            .starts_with(r#"{"error":"file already exists""#)
    );
    assert_eq!(
        server.stored().await,
        ["one-1.0.0.tgz", "one-1.0.0.tgz.prov"]
    );
}

#[tokio::test]
async fn a_provenance_file_of_another_chart_is_refused() {
    let server = TestServer::start().await;
    let signature = provenance("two", "1.0.0");
    let body = form(&[
        ("chart", Some("x"), &chart("one", "1.0.0")),
        ("prov", Some("x"), signature.as_bytes()),
    ]);
    let reply = post_form(&server, "/api/charts", body).await;
    assert_eq!(reply.status, 400, "{reply}");
    let escaping = server
        .post("/api/prov", provenance("../../x", "1.0.0"))
        .await;
    assert_eq!(escaping.status, 400, "{escaping}");
    assert!(server.stored().await.is_empty());
}

#[tokio::test]
async fn configured_fields_hold_files_besides_chartmuseums_own() {
    let server = TestServer::builder()
        .settings(|settings| {
            settings.chart_field = "package".to_owned();
            settings.provenance_field = "signature".to_owned();
        })
        .build()
        .await;
    let archive = chart("one", "1.0.0");
    let signature = provenance("one", "1.0.0");
    let file = Some("x");
    for (version, parts) in [
        ("1.0.0", ["package", "signature"]),
        ("1.1.0", ["chart", "prov"]),
        ("1.2.0", ["package", "prov"]),
    ] {
        let [chart_field, provenance_field] = parts;
        let archive = chart("one", version);
        let signature = provenance("one", version);
        let body = form(&[
            (provenance_field, file, signature.as_bytes()),
            (chart_field, file, &archive),
        ]);
        let reply = post_form(&server, "/api/charts", body).await;
        assert_eq!(reply.status, 201, "{reply}");
        for path in [
            format!("/api/charts/one/{version}"),
            format!("/charts/one-{version}.tgz.prov"),
        ] {
            assert_eq!(server.get(&path).await.status, 200, "{path}");
        }
    }
    let same = form(&[("package", file, &archive), ("chart", file, &archive)]);
    let reply = post_form(&server, "/api/charts?force", same).await;
    assert_eq!(reply.status, 201, "{reply}");
    let stored = server.stored().await;
    let other = chart("two", "1.0.0");
    let other_signature = provenance("two", "1.0.0");
    let mut replies = String::new();
    for body in [
        form(&[("file", file, &archive)]),
        form(&[]),
        form(&[("package", file, &archive), ("chart", file, &other)]),
        form(&[
            ("prov", file, signature.as_bytes()),
            ("signature", file, other_signature.as_bytes()),
        ]),
    ] {
        let reply = post_form(&server, "/api/charts?force", body).await;
        assert_eq!(reply.status, 400, "{reply}");
        replies.push_str(reply.text());
        replies.push('\n');
    }
    insta::assert_snapshot!(replies, @r#"
    {"error":"no package or provenance file found in form fields package and signature","hint":"the form has the fields \"file\": send the file in the field package, curl -F package=@mychart-0.1.0.tgz"}
    {"error":"no package or provenance file found in form fields package and signature","hint":"the form is empty: curl -F package=@mychart-0.1.0.tgz"}
    {"error":"the form fields chart and package hold different files","hint":"a form is one chart: send one file at a time"}
    {"error":"the form fields prov and signature hold different files","hint":"a form is one chart: send one file at a time"}
    "#);
    assert_eq!(server.stored().await, stored);
}

#[tokio::test]
async fn a_provenance_file_of_another_archive_of_the_chart_is_refused() {
    let server = TestServer::start().await;
    let other = archive("apiVersion: v2\nname: one\nversion: 1.0.0\nhome: https://example.com\n");
    let signature = provenance("one", "1.0.0");
    let unnamed = signature.replace("one-1.0.0.tgz", "renamed.tgz");
    for (signature, hint) in [(&signature, "says"), (&unnamed, "does not list it")] {
        let body = form(&[
            ("chart", Some("x"), &other),
            ("prov", Some("x"), signature.as_bytes()),
        ]);
        let reply = post_form(&server, "/api/charts?force", body).await;
        assert_eq!(reply.status, 400, "{reply}");
        assert!(reply.text().contains(hint), "{reply}");
    }
    assert!(server.stored().await.is_empty());
}

#[tokio::test]
async fn forms_without_a_file_say_what_was_found() {
    let server = TestServer::start().await;
    let archive = chart("one", "1.0.0");
    let wrong_name = form(&[("file", Some("x.tgz"), &archive), ("<b>", None, b"1")]);
    let text = form(&[("chart", None, b"./one-1.0.0.tgz")]);
    let mut replies = Vec::new();
    for body in [
        wrong_name,
        text,
        form(&[]),
        Bytes::from_static(b"--x\r\njunk"),
    ] {
        let reply = post_form(&server, "/api/charts", body).await;
        assert_eq!(reply.status, 400);
        replies.push(reply.text().to_owned());
    }
    insta::assert_snapshot!(replies.join("\n"), @r#"
    {"error":"no package or provenance file found in form fields chart and prov","hint":"the form has the fields \"file\", \"\u003cb\u003e\": send the file in the field chart, curl -F chart=@mychart-0.1.0.tgz"}
    {"error":"no package or provenance file found in form fields chart and prov","hint":"the field chart holds a text, not a file: did you forget the @? curl -F chart=@mychart-0.1.0.tgz"}
    {"error":"no package or provenance file found in form fields chart and prov","hint":"the form is empty: curl -F chart=@mychart-0.1.0.tgz"}
    {"error":"no package or provenance file found in form fields chart and prov","hint":"the form cannot be read: incomplete multipart stream"}
    "#);
    assert!(server.stored().await.is_empty());
}

#[tokio::test]
async fn bodies_that_are_no_archive_are_400_with_a_hint_and_change_nothing() {
    let server = TestServer::start().await;
    let whole = chart("one", "1.0.0");
    let truncated = &whole[..whole.len() / 2];
    let twice = &[("content-encoding", "gzip")][..];
    let posted = &[("content-type", "application/x-www-form-urlencoded")][..];
    for (headers, body, hint) in [
        (&[][..], &b""[..], "the body is empty"),
        (&[], b"./one-1.0.0.tgz", "did you forget the @?"),
        (&[], b"junk", ""),
        (&[], b"PK\x03\x04", "zip file"),
        (twice, truncated, "Content-Encoding"),
        (posted, truncated, "--data-binary"),
        (&[], truncated, ""),
    ] {
        let body = Bytes::copy_from_slice(body);
        let reply = server
            .post_as(Method::POST, "/api/charts", headers, body)
            .await;
        assert_eq!(reply.status, 400, "{reply}");
        assert!(
            reply.text().starts_with(r#"{"error":""#) && reply.text().contains(hint),
            "{reply}"
        );
    }
    for body in [&b"junk"[..], b"", b"./one.tgz.prov"] {
        let reply = server.post("/api/prov", Bytes::copy_from_slice(body)).await;
        assert_eq!(reply.status, 400, "{reply}");
        assert!(
            reply
                .text()
                .starts_with(r#"{"error":"invalid provenance file""#),
            "{reply}"
        );
    }
    assert!(server.stored().await.is_empty());
    assert_eq!(
        server
            .get("/index.yaml")
            .await
            .header("x-chartroom-generation"),
        "0"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_however_it_is_sent() {
    let archive = chart("one", "1.0.0");
    let limit = archive.len() as u64 - 1;
    let server = TestServer::builder()
        .settings(|settings| settings.max_upload_size = limit)
        .build()
        .await;
    let announced = server.post("/api/charts", archive.clone()).await;
    let shown = announced.to_string().replace(&limit.to_string(), "<limit>");
    insta::assert_snapshot!(shown, @r#"
    413
    cache-control: no-cache
    connection: close
    content-length: 81
    content-type: application/json; charset=utf-8
    x-chartroom-generation: 0
    x-request-id: <…>

    {"error":"request too large","hint":"the limit is <limit> bytes (--max-upload-size)"}
    "#);
    let chunks: Vec<_> = archive
        .chunks(50)
        .map(Bytes::copy_from_slice)
        .map(Ok::<_, std::io::Error>)
        .collect();
    let chunked = Body::from_stream(stream::iter(chunks));
    let request = Request::post("/api/charts").body(chunked).unwrap();
    assert_eq!(server.send(request).await.status, 413);
    let body = form(&[("chart", Some("x"), &archive)]);
    let chunks: Vec<_> = body
        .chunks(50)
        .map(Bytes::copy_from_slice)
        .map(Ok::<_, std::io::Error>)
        .collect();
    let request = Request::post("/api/charts").header("content-type", FORM);
    let request = request
        .body(Body::from_stream(stream::iter(chunks)))
        .unwrap();
    assert_eq!(server.send(request).await.status, 413);
    assert!(server.stored().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_coming_is_408() {
    let server = TestServer::start().await;
    for content_type in ["application/gzip", FORM] {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let request = Request::post("/api/charts").header("content-type", content_type);
        let reply = server.send(request.body(body).unwrap()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("connection")),
            (408, "close")
        );
    }
    assert!(server.stored().await.is_empty());
}

#[tokio::test]
async fn uploads_beyond_the_cap_are_told_to_come_back() {
    let server = TestServer::builder()
        .settings(|settings| settings.max_uploads = 1)
        .build()
        .await;
    let hanging = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let mut hanging = Box::pin(server.send(Request::post("/api/charts").body(hanging).unwrap()));
    let pending = poll_fn(|context| Poll::Ready(hanging.as_mut().poll(context).is_pending()));
    assert!(pending.await);
    let refused = server.post("/api/charts", chart("one", "1.0.0")).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (503, "1")
    );
    drop(hanging);
    assert_eq!(
        server
            .post("/api/charts", chart("one", "1.0.0"))
            .await
            .status,
        201
    );
}
