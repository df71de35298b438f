//! The real program with credentials and certificates: what it refuses, and what it never says.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chartroom::auth::token::{Order, SigningKey, new_pair};
use chartroom_storage::Clock;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::archive::Archive;
use crate::server::{Server, agent};
use crate::starts::start;

const PATIENCE: Duration = Duration::from_secs(30);

fn scratch() -> TempDir {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(scratch.path().join("storage")).expect("a folder is made");
    scratch
}

/// Starts a server that logs all it can, and audits.
fn run(scratch: &TempDir, options: &[&str]) -> Server {
    let audit = audit_of(scratch);
    let mut all = vec!["--log-level", "trace", "--audit-log", &audit];
    all.extend(options);
    let log = scratch.path().join("server.log");
    Server::start(&scratch.path().join("storage"), &all, &log)
}

fn audit_of(scratch: &TempDir) -> String {
    let path = scratch.path().join("audit.jsonl");
    path.to_str().expect("UTF-8").to_owned()
}

/// All that a server said: on stderr, and in its audit log.
fn all_of(scratch: &TempDir, server: &Server) -> String {
    let audit = fs::read_to_string(audit_of(scratch)).expect("an audit log");
    plain(&server.said()) + &audit
}

fn path(directory: &TempDir, name: &str, content: &str) -> String {
    let path = directory.path().join(name);
    fs::write(&path, content).expect("a file is written");
    path.to_str().expect("UTF-8").to_owned()
}

/// Sends an upload and some reads with the header, and returns their statuses.
fn send(server: &Server, header: &str) -> [u16; 3] {
    let client = agent(PATIENCE);
    let chart = Archive::default()
        .file("c/Chart.yaml", "name: one\nversion: 1.0.0\n")
        .tgz();
    let get = |path: &str| {
        let request = client.get(format!("{}{path}", server.url()));
        let reply = request.header("Authorization", header).call();
        reply.expect("a reply").status().as_u16()
    };
    let upload = client.post(format!("{}/api/charts?force", server.url()));
    let upload = upload.header("Authorization", header).send(&chart);
    [
        upload.expect("a reply").status().as_u16(),
        get("/index.yaml"),
        get("/api/charts/none"),
    ]
}

fn check_log(log: &str, secrets: &[&str], lines: &[&str]) {
    for secret in secrets {
        assert!(!log.contains(secret), "`{secret}` is in\n{log}");
    }
    for line in lines {
        assert!(log.contains(line), "`{line}` is not in\n{log}");
    }
}

#[test]
fn passwords_never_show_and_users_do() {
    let scratch = scratch();
    let password = "hunter2-correct-horse";
    let file = path(&scratch, "password", &format!("{password}\n"));
    let options = [
        "--basic-auth-user",
        "alice",
        "--basic-auth-pass-file",
        &file,
    ];
    let server = run(&scratch, &options);
    let basic = |password: &str| format!("Basic {}", STANDARD.encode(format!("alice:{password}")));
    let (right, wrong) = (basic(password), basic("battery-staple"));
    assert_eq!(send(&server, &right), [201, 200, 404]);
    assert_eq!(send(&server, &wrong), [401, 401, 401]);
    let secrets = [password, "battery-staple", &right[6..], &wrong[6..]];
    let lines = [
        r#"user="alice""#,
        "unauthorized: wrong user or password",
        r#""who":"alice""#,
        r#""reason":"wrong user or password""#,
    ];
    check_log(&all_of(&scratch, &server), &secrets, &lines);
}

#[test]
fn tokens_never_show_and_subjects_do() {
    let scratch = scratch();
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let file = path(&scratch, "key.pem", &key.public_key_pem());
    let options = [
        "--bearer-auth",
        "--auth-realm",
        "https://auth.example/token",
        "--auth-service",
        "charts",
        "--auth-cert-path",
        &file,
    ];
    let server = run(&scratch, &options);
    let token = |claims: &Value| {
        let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).expect("a key");
        encode(&Header::new(Algorithm::RS256), claims, &key).expect("a token")
    };
    let access = json!([{"type": "artifact-repository", "name": "repo", "actions": ["pull"]}]);
    let pull = token(&json!({"sub": "ci\nrunner", "access": access}));
    let expired = token(&json!({"sub": "ci", "access": access, "exp": 1_700_000_000}));
    assert_eq!(send(&server, &format!("Bearer {pull}")), [401, 200, 404]);
    assert_eq!(send(&server, &expired), [401, 401, 401]);
    let secrets = [pull.as_str(), &expired, "ci\nrunner"];
    let lines = [
        r#"user="ci\nrunner""#,
        "unauthorized: the token has expired",
        "unauthorized: the token does not grant this action in this repository",
        r#""who":"ci\nrunner""#,
    ];
    check_log(&all_of(&scratch, &server), &secrets, &lines);
}

#[test]
fn users_of_a_file_and_access_tokens_never_show_more_than_their_names() {
    let scratch = scratch();
    let password = "hunter2-correct-horse";
    let hash = bcrypt::hash(password, 5).expect("a password can be hashed");
    let users = path(&scratch, "users", &format!("alice:{hash}\n"));
    let (private, public) = new_pair().expect("a key");
    let private = path(&scratch, "key.pem", private.expose_secret());
    let public = path(&scratch, "key.pem.pub", &public);
    let now = Clock::default().wall();
    let token = |lifetime: TimeDelta| {
        let order = Order {
            issuer: "chartroom".to_owned(),
            audience: "chartroom".to_owned(),
            subject: "ci".to_owned(),
            grants: vec!["pull:/".parse().expect("a grant")],
            now,
            expires: now + lifetime,
        };
        let key = SigningKey::read(Path::new(&private)).expect("a key");
        let issued = key.issue(&order).expect("a token");
        issued.token.expose_secret().to_owned()
    };
    let (good, expired) = (token(TimeDelta::hours(1)), token(TimeDelta::hours(-1)));
    let server = run(&scratch, &["--htpasswd", &users, "--token-key", &public]);
    let basic = |user: &str, password: &str| {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    };
    let (right, wrong) = (basic("alice", password), basic("alice", "battery-staple"));
    let in_place = basic("whoever", &good);
    assert_eq!(send(&server, &right), [201, 200, 404]);
    assert_eq!(send(&server, &wrong), [401, 401, 401]);
    assert_eq!(send(&server, &format!("Bearer {good}")), [403, 200, 404]);
    assert_eq!(send(&server, &in_place), [403, 200, 404]);
    assert_eq!(send(&server, &format!("Bearer {expired}")), [401, 401, 401]);
    let secrets = [
        password,
        "battery-staple",
        &hash,
        &right[6..],
        &wrong[6..],
        &in_place[6..],
        &good,
        &expired,
    ];
    let lines = [
        r#"user="alice""#,
        r#"user="ci""#,
        "unauthorized: wrong user or password",
        "unauthorized: the token has expired",
        "forbidden",
    ];
    check_log(&plain(&server.said()), &secrets, &lines);
}

/// Sends an upload that a proxy passed on.
fn pass_on(server: &Server) -> u16 {
    let chart = Archive::default()
        .file("c/Chart.yaml", "name: one\nversion: 1.0.0\n")
        .tgz();
    let upload = agent(PATIENCE).post(format!("{}/api/charts?force", server.url()));
    let upload = upload.header("X-Forwarded-For", "192.0.2.1").send(&chart);
    upload.expect("a reply").status().as_u16()
}

#[test]
fn writes_from_elsewhere_are_open_to_those_who_say_so_and_the_log_is_loud_about_it() {
    for (options, status, is_loud) in [
        (&[][..], 403, false),
        (&["--listen-host=0.0.0.0"], 403, false),
        (&["--open-writes"], 201, false),
        (&["--open-writes", "--listen-host=0.0.0.0"], 201, true),
    ] {
        let scratch = scratch();
        let server = run(&scratch, options);
        assert_eq!(pass_on(&server), status, "{options:?}");
        // This machine writes in any case.
        assert_eq!(send(&server, "Basic x"), [201, 200, 404], "{options:?}");
        let said = server.said();
        assert_eq!(said.contains("WRITES ARE OPEN"), is_loud, "{said}");
    }
}

#[test]
fn broken_users_and_policies_stop_the_start_and_are_named_by_line() {
    let scratch = scratch();
    let storage = scratch.path().join("storage");
    let users = path(&scratch, "users", "# users\nalice:hunter2\n");
    let policy = path(
        &scratch,
        "policy.yaml",
        "rules:\n  - {to: [alice], allow: [pull], repositories: [x]}\n",
    );
    let key = path(&scratch, "key.pem", "hunter2");
    for (option, file, what) in [
        ("htpasswd", &users, "line 2 has no bcrypt hash"),
        (
            "policy",
            &policy,
            "line 2, rule `rule 1`: `alice` is nobody",
        ),
        ("token-key", &key, "is no public key"),
    ] {
        let storage = storage.to_string_lossy();
        let flag = format!("--{option}={file}");
        let (_, text) = start(&["serve", &storage, "--port=0", &flag]);
        for part in [&format!("--{option}: "), file, what] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(is_empty(&storage), "a start that failed left something");
}

#[test]
fn a_changed_file_of_users_counts_without_a_restart_and_a_broken_one_does_not() {
    let scratch = scratch();
    let hash = |password| bcrypt::hash(password, 4).expect("a password can be hashed");
    let users = path(&scratch, "users", &format!("alice:{}\n", hash("first")));
    let server = run(&scratch, &["--htpasswd", &users]);
    let basic = |password| format!("Basic {}", STANDARD.encode(format!("alice:{password}")));
    let (first, second) = (basic("first"), basic("second"));
    let wait = |is_over: &dyn Fn() -> bool| {
        let begin = Instant::now();
        while !is_over() {
            assert!(begin.elapsed() < PATIENCE, "{}", server.said());
            thread::sleep(Duration::from_millis(20));
        }
    };
    assert_eq!(send(&server, &first), [201, 200, 404]);
    fs::write(&users, "alice:second\n").expect("a file is written");
    wait(&|| plain(&server.said()).contains("changed and cannot be used"));
    assert_eq!(send(&server, &first), [201, 200, 404]);
    assert_eq!(send(&server, &second), [401, 401, 401]);
    fs::write(&users, format!("alice:{}\n", hash("second"))).expect("a file is written");
    wait(&|| send(&server, &second) == [201, 200, 404]);
    assert_eq!(send(&server, &first), [401, 401, 401]);
}

/// Without the colours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut pieces = text.split('\u{1b}');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[test]
fn keys_and_search_paths_that_cannot_be_used_stop_the_start() {
    let scratch = scratch();
    let storage = scratch.path().join("storage");
    let bearer = |file: &str, search_path: &str| {
        let (_, text) = start(&[
            "serve",
            &storage.to_string_lossy(),
            "--port",
            "0",
            "--bearer-auth",
            "--auth-realm=r",
            "--auth-service=s",
            &format!("--auth-cert-path={file}"),
            &format!("--auth-actions-search-path={search_path}"),
        ]);
        text
    };
    let nonsense = path(&scratch, "nonsense.pem", "nonsense");
    let good = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let good = path(&scratch, "good.pem", &good.public_key_pem());
    for (text, option, what) in [
        (
            bearer("/nowhere/key.pem", "a"),
            "auth-cert-path",
            "/nowhere/key.pem",
        ),
        (bearer(&nonsense, "a"), "auth-cert-path", "nonsense.pem"),
        (
            bearer(&good, "access[?"),
            "auth-actions-search-path",
            "access[?",
        ),
    ] {
        assert!(text.contains(option) && text.contains(what), "{text}");
    }
    assert!(is_empty(&storage), "a start that failed left something");
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).expect("a folder").next().is_none()
}

#[test]
fn a_key_of_another_certificate_stops_the_start() {
    let scratch = scratch();
    let storage = scratch.path().join("storage");
    let [first, second] = [(); 2].map(|()| {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate")
    });
    let certificate = path(&scratch, "tls.crt", &first.cert.pem());
    let key = path(&scratch, "tls.key", &second.signing_key.serialize_pem());
    let (_, text) = start(&[
        "serve",
        &storage.to_string_lossy(),
        "--port=0",
        &format!("--tls-cert={certificate}"),
        &format!("--tls-key={key}"),
    ]);
    let expected = format!("--tls-key: {key} is not the key of the certificate in {certificate}");
    assert!(text.contains(&expected), "{text}");
    assert!(is_empty(&storage), "a start that failed left something");
}

#[test]
fn a_server_with_a_certificate_says_https_and_tells_those_who_do_not() {
    let scratch = scratch();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = path(&scratch, "tls.crt", &pair.cert.pem());
    let key = path(&scratch, "tls.key", &pair.signing_key.serialize_pem());
    let options = ["--tls-cert", &certificate, "--tls-key", &key];
    let log = scratch.path().join("server.log");
    let server = Server::launch(&scratch.path().join("storage"), &options, &log);
    let begin = Instant::now();
    let url = server.url().replace("http://", "https://");
    let line = format!("helm repo add local {url}");
    while !server.said().contains(&line) {
        assert!(begin.elapsed() < PATIENCE, "{}", server.said());
        thread::sleep(Duration::from_millis(5));
    }
    let reply = agent(PATIENCE)
        .get(format!("{}/health", server.url()))
        .call();
    let mut reply = reply.expect("a reply");
    assert_eq!(reply.status(), 400);
    let body = reply.body_mut().read_to_string().expect("a body");
    assert!(body.contains("this port speaks HTTPS"), "{body}");
    assert!(server.stop().success());
}
