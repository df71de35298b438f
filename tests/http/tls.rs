//! HTTPS: handshakes, files that change, and those who do not speak it.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use chartroom::server::{Settings, TlsError};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::{Authority, Files, Pair, Trust};
use crate::sockets::{PATIENCE, Running, SHORT, receive, rest, settings, simple, soon, start_with};
use crate::support::TestServer;

/// A server with a certificate of a fresh authority.
struct Https {
    server: Running,
    authority: Authority,
}

impl Https {
    async fn start(settings: Settings) -> Self {
        let authority = Authority::new("an authority");
        let tls = Files::of(&authority.server()).load().unwrap();
        let server = start_with(Some(tls), simple(), settings).await;
        Self { server, authority }
    }
}

async fn handshake(
    server: &Running,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = server.connect().await;
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(config).connect(name, stream)).await
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const LAST_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// One request on a connection of its own.
async fn get(server: &Running, trust: Trust) -> io::Result<String> {
    let mut stream = handshake(server, trust.config()).await?;
    stream.write_all(LAST_REQUEST).await?;
    let mut reply = Vec::new();
    soon(tokio::io::AsyncReadExt::read_to_end(
        &mut stream,
        &mut reply,
    ))
    .await?;
    Ok(String::from_utf8(reply).unwrap())
}

#[tokio::test]
async fn http_1_is_served_to_those_who_ask_for_it_or_for_nothing() {
    let https = Https::start(settings()).await;
    let trust = || https.authority.trusting();
    for trust in [
        trust(),
        trust().protocol("http/1.1"),
        trust().version(&rustls::version::TLS12),
        trust().version(&rustls::version::TLS13),
    ] {
        let reply = get(&https.server, trust).await.unwrap();
        assert!(
            reply.starts_with("HTTP/1.1 200") && reply.ends_with("hello"),
            "{reply}"
        );
    }
}

#[tokio::test]
async fn a_handler_sees_that_the_request_came_by_https() {
    let authority = Authority::new("an authority");
    let tls = Files::of(&authority.server()).load().unwrap();
    let uri = async |uri: Uri| uri.to_string();
    let router = Router::new().route("/{*path}", axum::routing::any(uri));
    let server = start_with(Some(tls), router, settings()).await;
    for (head, uri) in [
        (
            "GET /a?b=c HTTP/1.1\r\nHost: charts.example:8443",
            "https://charts.example:8443/a?b=c",
        ),
        (
            "GET https://b.example/c HTTP/1.1\r\nHost: x",
            "https://b.example/c",
        ),
        ("GET /d HTTP/1.1\r\nHost: not a host", "/d"),
        ("GET /e HTTP/1.0", "/e"),
    ] {
        let mut stream = handshake(&server, authority.trusting().config())
            .await
            .unwrap();
        let request = format!("{head}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let reply = rest(&mut stream).await;
        assert!(
            reply.ends_with(&format!("\r\n\r\n{uri}")),
            "{head}: {reply}"
        );
    }
}

#[tokio::test]
async fn http_2_is_negotiated_and_preferred() {
    let https = Https::start(settings()).await;
    let trust = https.authority.trusting();
    let config = trust.protocol("http/1.1").protocol("h2").config();
    let stream = handshake(&https.server, config).await.unwrap();
    let (_, session) = stream.get_ref();
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    let unknown = https.authority.trusting().protocol("http/0.9").config();
    let error = handshake(&https.server, unknown).await.unwrap_err();
    assert!(
        error.to_string().contains("NoApplicationProtocol"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_that_trusts_others_does_not_connect_and_harms_nobody() {
    let https = Https::start(settings()).await;
    let other = Authority::new("another authority").trusting();
    let error = get(&https.server, other).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    let trust = https.authority.trusting();
    assert!(get(&https.server, trust).await.unwrap().ends_with("hello"));
}

#[tokio::test]
async fn with_an_authority_for_clients_every_route_needs_a_certificate_of_it() {
    let authority = Authority::new("an authority");
    let clients = Authority::new("an authority for clients");
    let tls = Files::of(&authority.server()).client_authority(&clients.pem());
    let api = TestServer::start().await;
    let server = start_with(Some(tls.load().unwrap()), api.router, settings()).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let trust = || authority.trusting().version(version);
        let none = get(&server, trust()).await.unwrap_err();
        assert!(
            none.to_string().contains("CertificateRequired")
                || none.to_string().contains("HandshakeFailure"),
            "{none}"
        );
        // Those of a stranger, and the server's own, which is not for clients.
        for wrong in [Authority::new("a stranger").client(), clients.server()] {
            let error = get(&server, trust().identity(wrong)).await.unwrap_err();
            assert!(
                error.to_string().contains("received fatal alert"),
                "{error}"
            );
        }
        let reply = get(&server, trust().identity(clients.client())).await;
        assert!(reply.unwrap().starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn plain_http_is_told_what_to_write() {
    let https = Https::start(settings()).await;
    let expected = "HTTP/1.1 400 Bad Request\r\n\
        Content-Type: application/json; charset=utf-8\r\n\
        Content-Length: 77\r\n\
        Connection: close\r\n\r\n\
        {\"error\":\"this port speaks HTTPS\",\"hint\":\"write https:// instead of http://\"}";
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /api/charts HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nchart",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "G",
    ] {
        let reply = rest(&mut https.server.send(request).await).await;
        assert_eq!(reply, expected);
    }
    let reply = rest(&mut https.server.send("\u{1}\u{2}\u{3}").await).await;
    assert_eq!(reply, "");
}

#[tokio::test]
async fn a_handshake_that_is_never_finished_is_given_up() {
    let settings = Settings {
        // A handshake has to fit in, on a busy machine too.
        header_timeout: SHORT * 4,
        max_connections: 1,
        ..settings()
    };
    let https = Https::start(settings).await;
    // Nothing; the beginning of a record; a record that says that it is longer than what follows.
    for begin in [
        "",
        "\u{16}",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{7c}\u{3}\u{3}",
    ] {
        let mut slow = https.server.send(begin).await;
        assert_eq!(rest(&mut slow).await, "");
    }
    // There is one permit: all of them gave it back.
    let trust = https.authority.trusting();
    assert!(get(&https.server, trust).await.unwrap().ends_with("hello"));
}

#[tokio::test]
async fn a_stalled_handshake_does_not_keep_others_waiting() {
    let https = Https::start(settings()).await;
    let _stalled = https.server.send("\u{16}").await;
    let trust = https.authority.trusting();
    assert!(get(&https.server, trust).await.unwrap().ends_with("hello"));
}

#[tokio::test]
async fn stopping_does_not_wait_for_handshakes() {
    let https = Https::start(settings()).await;
    let mut stalled = https.server.send("\u{16}").await;
    // The connection is accepted when the next one is served.
    let trust = https.authority.trusting();
    assert!(get(&https.server, trust).await.is_ok());
    https.server.stop.drain.cancel();
    soon(https.server.task).await.unwrap();
    assert_eq!(rest(&mut stalled).await, "");
}

/// The certificate that a new connection is shown.
async fn shown(server: &Running, trust: Trust) -> Option<Vec<u8>> {
    let stream = handshake(server, trust.config()).await.ok()?;
    let (_, session) = stream.get_ref();
    Some(session.peer_certificates()?.first()?.to_vec())
}

#[tokio::test]
async fn new_files_are_used_by_new_connections_and_open_ones_go_on() {
    let (old, new) = (Authority::new("the old one"), Authority::new("the new one"));
    let files = Files::of(&old.server());
    let tls = files.load().unwrap().check_every(Duration::from_millis(5));
    let server = start_with(Some(tls), simple(), settings()).await;
    let mut open = handshake(&server, old.trusting().config()).await.unwrap();
    open.write_all(REQUEST).await.unwrap();
    receive(&mut open, "hello").await;

    files.write(&new.server());
    soon(async {
        while shown(&server, new.trusting()).await.is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(shown(&server, old.trusting()).await.is_none());
    open.write_all(LAST_REQUEST).await.unwrap();
    assert!(rest(&mut open).await.ends_with("hello"));
}

fn refusal(files: &Files) -> String {
    let error = files.load().unwrap_err();
    let text = format!("{:#}", anyhow::Error::from(error));
    let directory = files.names.key.parent().unwrap();
    text.replace(directory.to_str().unwrap(), "<dir>")
}

#[test]
fn files_that_cannot_be_used_are_named_at_start() {
    let authority = Authority::new("an authority");
    let Pair { certificate, key } = authority.server();
    let other = authority.server();
    let half = &certificate[..certificate.len() / 2];
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (certificate, key, expected) in [
        (
            certificate.as_str(),
            other.key.as_str(),
            "--tls-key: <dir>/tls.key is not the key of the certificate in <dir>/tls.crt",
        ),
        (
            "",
            &key,
            "--tls-cert: there is no certificate in <dir>/tls.crt",
        ),
        (
            &key,
            &key,
            "--tls-cert: there is no certificate in <dir>/tls.crt",
        ),
        (half, &key, "--tls-cert: <dir>/tls.crt is not PEM: "),
        (
            nonsense,
            &key,
            "--tls-cert, --tls-key: <dir>/tls.crt with <dir>/tls.key cannot be used: ",
        ),
        (
            &certificate,
            "",
            "--tls-key: there is no private key without a passphrase in <dir>/tls.key",
        ),
        (
            &certificate,
            &certificate,
            "--tls-key: there is no private key without a passphrase in <dir>/tls.key",
        ),
        (
            &certificate,
            encrypted,
            "--tls-key: there is no private key without a passphrase in <dir>/tls.key",
        ),
        (
            &certificate,
            no_key,
            "--tls-cert, --tls-key: <dir>/tls.crt with <dir>/tls.key cannot be used: ",
        ),
    ] {
        let files = Files::of(&Pair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        });
        let text = refusal(&files);
        assert!(text.starts_with(expected), "{expected}\n{text}");
    }
    for (pem, expected) in [
        ("", "--tls-ca-cert: there is no certificate in <dir>/ca.crt"),
        (nonsense, "--tls-ca-cert: <dir>/ca.crt cannot be used: "),
        (half, "--tls-ca-cert: <dir>/ca.crt is not PEM: "),
    ] {
        let files = Files::of(&authority.server()).client_authority(pem);
        let text = refusal(&files);
        assert!(text.starts_with(expected), "{expected}\n{text}");
    }
    let files = Files::of(&other);
    fs::remove_file(&files.names.key).unwrap();
    assert!(matches!(
        files.load(),
        Err(TlsError::Read {
            option: "--tls-key",
            ..
        })
    ));
}

#[tokio::test]
async fn a_client_that_does_not_read_its_reply_loses_the_connection() {
    let authority = Authority::new("an authority");
    let tls = Files::of(&authority.server()).load().unwrap();
    let large = Router::new().route("/", axum::routing::get(|| async { vec![0u8; 64 << 20] }));
    let settings = Settings {
        write_timeout: SHORT,
        max_connections: 1,
        ..settings()
    };
    let server = start_with(Some(tls), large, settings).await;
    let mut stalled = handshake(&server, authority.trusting().config())
        .await
        .unwrap();
    stalled.write_all(REQUEST).await.unwrap();
    // There is one permit: the next client is served when the first one has lost it.
    let next = tokio::time::timeout(PATIENCE, handshake(&server, authority.trusting().config()));
    assert!(next.await.unwrap().is_ok());
    drop(stalled);
}
