//! Provenance at upload against the real helm v3 and v4: who says yes to what.
//!
//! For every case of the table the verdicts of `helm verify` and of a server that requires provenance are
//! the same, but for those where the server is stricter and the table says why. Never is it the other
//! way round.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]
#![cfg(feature = "openpgp")]

#[path = "../support/archive.rs"]
mod archive;
#[path = "../support/binary.rs"]
mod binary;
mod cases;
mod client;
mod keys;
#[path = "../support/report.rs"]
mod report;
mod rings;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "servers are ended by dropping them")]
mod server;
#[path = "../support/tools.rs"]
mod tools;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use cases::{Case, Expected, FILE};
use client::{Reply, post};
use keys::Keys;
use report::say;
use server::Server;
use tools::Helm;

/// Finds what these tests need, or says that they are skipped.
fn programs(what: &str) -> Option<[Helm; 2]> {
    let helms = tools::helms(what)?;
    for program in ["gpg", "gpgconf"] {
        let version = Command::new(program).arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            tools::skip(what, program);
            return None;
        }
    }
    Some(helms)
}

const PULLED: [&str; 5] = [
    "Ed25519",
    "a subkey",
    "CRLF",
    "a tampered text",
    "an expired signature",
];

/// Pulls the chart from the server, with the provenance that it took last.
fn pull(helm: &Helm, server: &Server, ring: &Path, case: &Case) {
    let home = tempfile::tempdir().expect("a temporary directory");
    let ring = ring.to_string_lossy();
    let pull = ["pull", "sealed", "--repo", server.url()];
    let verify = ["--verify", "--keyring", &ring];
    let (is_taken, said) = client::helm(helm, home.path(), &[&pull[..], &verify].concat());
    let expected = case.expected == Expected::Taken;
    assert_eq!(is_taken, expected, "{} {}: {said}", helm.major, case.name);
}

/// What everybody says to a case.
struct Verdicts {
    helm3: bool,
    helm4: bool,
    required: Reply,
    warned: Reply,
}

#[test]
fn helm_and_the_server_agree_on_every_provenance() {
    let Some([helm3, helm4]) = programs("provenance against helm") else {
        return;
    };
    let keys = Keys::new();
    let table = cases::cases(&keys);
    keys.revoke();
    let ring = keys.export("ring.gpg");
    let place = keys.path();
    let [require, warn] = ["require", "warn"].map(|rule| client::serve(place, rule, &ring, rule));
    let mut lines = String::new();
    let mut wrong = Vec::new();
    for case in &table {
        let verdicts = Verdicts {
            helm3: verifies(&helm3, place, &ring, &case.provenance),
            helm4: verifies(&helm4, place, &ring, &case.provenance),
            required: post(&require, &case.provenance),
            warned: post(&warn, &case.provenance),
        };
        let line = line(case, &verdicts);
        if !fits(case.expected, &verdicts) {
            wrong.push(format!("{line} {}", verdicts.required.text));
        }
        writeln!(lines, "{line}").expect("memory");
        // Pulling runs the code of `helm verify`: a part of the table is enough.
        if PULLED.contains(&case.name) {
            for helm in [&helm3, &helm4] {
                pull(helm, &warn, &ring, case);
            }
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("provenance.md");
    fs::write(&file, &lines).expect("the table is kept");
    println!("{lines}");
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    let log = require.said() + &warn.said();
    assert!(!log.contains("panicked"), "{log}");
    say(&format!(
        "provenance: {} cases, helm v3 and v4 and the server as expected; table in {}",
        table.len(),
        file.display()
    ));
}

fn fits(expected: Expected, verdicts: &Verdicts) -> bool {
    let helm = match expected {
        Expected::Taken | Expected::Stricter(_) => (true, true),
        Expected::Refused => (false, false),
        Expected::StricterThan4(_) => (false, true),
    };
    let is_taken = expected == Expected::Taken;
    let is_verified = verdicts.warned.verification == "verified";
    (verdicts.helm3, verdicts.helm4) == helm
        && verdicts.required.is_taken() == is_taken
        && is_verified == is_taken
        && (verdicts.required.verification == "verified") == is_taken
}

fn line(case: &Case, verdicts: &Verdicts) -> String {
    let word = |is_taken| if is_taken { "yes" } else { "no" };
    let reason = match case.expected {
        Expected::Stricter(reason) | Expected::StricterThan4(reason) => reason,
        Expected::Taken | Expected::Refused => "",
    };
    let said = match verdicts.warned.status {
        201 => verdicts.warned.verification.clone(),
        status => status.to_string(),
    };
    format!(
        "| {} | {} | {} | {} | {said} | {reason} |",
        case.name,
        word(verdicts.helm3),
        word(verdicts.helm4),
        word(verdicts.required.is_taken()),
    )
}

/// Tells whether `helm verify` takes the archive with this provenance.
fn verifies(helm: &Helm, place: &Path, ring: &Path, provenance: &[u8]) -> bool {
    let archive = place.join(FILE);
    fs::write(&archive, cases::archive()).expect("a file is written");
    fs::write(place.join(format!("{FILE}.prov")), provenance).expect("a file is written");
    client::helm(
        helm,
        place,
        &[
            "verify",
            &archive.to_string_lossy(),
            "--keyring",
            &ring.to_string_lossy(),
        ],
    )
    .0
}
