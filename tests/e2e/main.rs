//! The real helm v3 and v4, and the real curl, against the real server.
//!
//! Every combination of index format and repository URL gets a server of its own. The commands and
//! their exit codes are kept as a transcript, which `--nocapture` shows and a file keeps.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/binary.rs"]
mod binary;
mod fixture;
mod guarded;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/server.rs"]
mod server;
mod session;
mod story;
#[path = "../support/tools.rs"]
mod tools;

use std::fs;
use std::path::Path;
use std::process::Command;

use fixture::Fixture;
use report::say;
use session::Session;
use tools::Helm;

#[test]
fn helm_v3_lives_with_the_server() {
    live(0);
}

#[test]
fn helm_v4_lives_with_the_server() {
    live(1);
}

/// Whether a program can be started by its name.
fn is_on_path(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

fn live(which: usize) {
    let what = "the real clients end to end";
    let Some(helms) = tools::helms(what) else {
        return;
    };
    for program in ["curl", "gpg", "gpgconf"] {
        if !is_on_path(program) {
            tools::skip(what, program);
            return;
        }
    }
    let helm: &Helm = &helms[which];
    let fixture = Fixture::new(helm);
    let mut transcript = String::new();
    let mut commands = 0;
    for format in ["auto", "yaml", "json"] {
        for path in ["", "/charts"] {
            let mut session = Session::new(helm, &fixture);
            story::tell(&mut session, format, path);
            commands += session.commands();
            transcript += &session.transcript();
        }
    }
    for opens_provenance in [false, true] {
        let mut session = Session::new(helm, &fixture);
        guarded::tell(&mut session, opens_provenance);
        commands += session.commands();
        transcript += &session.transcript();
    }
    println!("{transcript}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("e2e-helm-{}.txt", helm.major));
    fs::write(&file, transcript).expect("the transcript is kept");
    say(&format!(
        "e2e: helm {}: {commands} commands as expected, in 3 formats at 2 repository URLs and with users and tokens; transcript in {}",
        helm.major,
        file.display()
    ));
}
