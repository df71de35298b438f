//! Keyrings in every form, keyrings that change, and what happens to charts without provenance.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::cases::{self, FILE};
use crate::client::{self, post, send};
use crate::keys::{Keys, pen};
use crate::programs;
use crate::server::Server;

/// The keyring is looked at every five seconds.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn keyrings_are_read_in_the_forms_that_gpg_writes() {
    let Some(_) = programs("forms of keyrings") else {
        return;
    };
    let keys = Keys::two();
    let good = cases::good(&keys);
    let own = ["rsa2048"];
    let armored = keys.export_some("armored.asc", &own, &["--armor", "--export"]);
    let other = keys.export_some("other.asc", &["ed25519"], &["--armor", "--export"]);
    let both = keys.path().join("both.asc");
    let blocks = [other, armored.clone()].map(|file| fs::read(file).expect("it was written"));
    fs::write(&both, blocks.concat()).expect("a file is written");
    let secret = keys.export_some("secret.gpg", &own, &["--export-secret-keys"]);
    for (name, ring) in [("armored", armored), ("both", both), ("secret", secret)] {
        let server = client::serve(keys.path(), name, &ring, "require");
        let reply = post(&server, &good);
        assert_eq!(reply.status, 201, "{name}: {}", reply.text);
        let is_told = server.said().contains("secret part");
        assert_eq!(is_told, name == "secret", "{name}");
    }
}

#[test]
fn a_file_without_keys_stops_the_start() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/provenance");
    let ring = fs::read(vectors.join("keyring.gpg")).expect("it is committed");
    let mut keybox = vec![0, 0, 0, 32, 1, 1, 0, 2];
    keybox.extend_from_slice(b"KBXf\0\0\0\0");
    for (name, content, expected) in [
        ("empty", Vec::new(), "there is no key in it"),
        ("text", b"hello".to_vec(), "no keyring"),
        (
            "cut",
            ring[..ring.len() - 3].to_vec(),
            "the end of it is missing",
        ),
        ("keybox", keybox, "gpg --export"),
        (
            "signature",
            b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n".to_vec(),
            "PGP SIGNATURE and not public keys",
        ),
    ] {
        let file = place.path().join(name);
        fs::write(&file, content).expect("a file is written");
        let file = file.to_string_lossy();
        let options = ["--provenance", "warn", "--keyring", &*file];
        let storage = place.path().join("storage");
        let log = place.path().join(format!("{name}.log"));
        let mut server = Server::launch(&storage, &options, &log);
        assert!(server.wait_until_ready().is_err(), "{name}");
        let said = server.said();
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn a_keyring_that_changes_counts_and_a_broken_one_does_not() {
    let Some(_) = programs("keyrings that change") else {
        return;
    };
    let keys = Keys::two();
    let good = cases::good(&keys);
    let ring = keys.export_some("ring.gpg", &["ed25519"], &["--export"]);
    let server = client::serve(keys.path(), "require", &ring, "require");
    assert_eq!(post(&server, &good).status, 400);
    fs::write(&ring, "broken").expect("a file is written");
    wait_for(|| server.said().contains("the old one stays in use"));
    let other = keys.sign(
        b"name: x\nversion: 1.0.0\n\n...\nfiles: {}\n",
        pen("ed25519"),
    );
    assert_eq!(post(&server, &other).status, 400);
    keys.export_some("ring.gpg", &["rsa2048"], &["--export"]);
    wait_for(|| post(&server, &good).status == 201);
}

fn wait_for(condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "it does not come");
        // The condition is polled: a process has no other way to say so.
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn archives_without_provenance_are_refused_or_told() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/provenance");
    let ring = vectors.join("keyring.gpg");
    let archive = cases::archive();
    let require = client::serve(place.path(), "require", &ring, "require");
    let reply = send(&require, "/api/charts", "application/gzip", &archive);
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(reply.text.contains("helm package --sign"), "{}", reply.text);
    assert!(
        reply.text.contains(&format!("-F chart=@{FILE}")),
        "{}",
        reply.text
    );
    let warn = client::serve(place.path(), "warn", &ring, "warn");
    let reply = send(&warn, "/api/charts", "application/gzip", &archive);
    assert_eq!((reply.status, &*reply.verification), (201, "missing"));
    assert_eq!(reply.text, "{\"saved\":true}");
    assert!(warn.said().contains("provenance is not verified"));
}
