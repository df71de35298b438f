//! What is said where (10.1: 7, 8).

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::archive::Archive;
use crate::charts::chart;
use crate::subject::Program;
use crate::wire::Ask;

/// ChartMuseum logs the whole archive, in base64.
#[test]
fn a_chart_that_cannot_be_read_is_named_and_not_copied_into_the_log() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    fs::create_dir(&storage).expect("a folder is made");
    let secret = "apiKey: hunter2-correct-horse-battery-staple";
    let bad = Archive::default().file("c/values.yaml", secret).tgz();
    fs::write(storage.join("bad-1.0.0.tgz"), &bad).expect("a file is written");
    let server = Program::under_test().over(&storage, &["--debug"]);
    let reply = server.ask(&Ask::post("/api/charts", bad.clone()));
    assert_eq!(reply.status, 400, "{reply}");
    assert!(server.get("/index.yaml").text().contains("entries: {}"));
    let said = server.said();
    assert!(said.contains("bad-1.0.0.tgz"), "{said}");
    let copy = STANDARD.encode(&bad);
    for part in [secret, "hunter2", &copy[..40]] {
        assert!(!said.contains(part), "{part} is in\n{said}");
        assert!(!reply.text().contains(part), "{reply}");
    }
}

#[test]
fn the_client_in_the_log_is_the_peer_and_not_what_a_header_says() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let server = Program::under_test().over(&scratch.path().join("storage"), &[]);
    for header in ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP"] {
        let ask = Ask::get("/index.yaml").header(header, "203.0.113.77");
        assert_eq!(server.ask(&ask).status, 200);
    }
    let said = server.said();
    assert!(
        said.contains("127.0.0.1") && !said.contains("203.0.113.77"),
        "{said}"
    );
}

#[test]
fn no_reply_tells_where_the_server_keeps_its_files() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("very-private-place");
    fs::create_dir(&storage).expect("a folder is made");
    let server = Program::under_test().over(&storage, &["--cache-interval=0"]);
    assert_eq!(
        server
            .ask(&Ask::post("/api/charts", chart("a", "1.0.0")))
            .status,
        201
    );
    let asks = || {
        vec![
            Ask::delete("/api/charts/none/1.0.0"),
            Ask::get("/charts/none-1.0.0.tgz"),
            Ask::get("/charts/a-1.0.0.tgz"),
            Ask::delete("/api/charts/a/1.0.0"),
            Ask::post("/api/charts", chart("b", "1.0.0")),
            Ask::post("/api/prov", crate::charts::provenance("b", "1.0.0")),
            Ask::get("/index.yaml"),
            Ask::get("/api/charts"),
            Ask::get("/ready"),
        ]
    };
    let check = |ask: Ask| {
        let reply = server.ask(&ask);
        for part in [
            "very-private-place",
            &scratch.path().to_string_lossy(),
            "os error",
            "no such file",
        ] {
            assert!(!reply.text().contains(part), "{ask}: {reply}");
        }
        reply.status
    };
    for ask in asks() {
        check(ask);
    }
    // And when it is gone, as a volume is that was unmounted, nobody is told that there is nothing.
    fs::remove_dir_all(&storage).expect("a folder is removed");
    let statuses: Vec<u16> = asks().into_iter().map(check).collect();
    assert_eq!(statuses.last(), Some(&503), "{statuses:?}");
    assert!(
        statuses
            .iter()
            .all(|status| *status != 404 && *status != 201),
        "{statuses:?}"
    );
}
