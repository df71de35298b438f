//! Uploads per second by two replicas over one bucket of a local S3 server, from many clients, as the
//! repository grows; beside two of ChartMuseum over the same server, if `CHARTMUSEUM` names its binary.
//!
//! ```text
//! CHARTMUSEUM=/path/to/chartmuseum cargo bench --bench replicas
//! ```
//!
//! | variable | default | |
//! |---|---|---|
//! | `CHARTROOM_BENCH_UPLOADS` | 20000 | versions at the end |
//! | `CHARTROOM_BENCH_BLOCK` | 1000 | uploads of one server before it is the other one's turn |
//! | `CHARTROOM_BENCH_CLIENTS` | 32 | requests at the same time |
//! | `CHARTROOM_BENCH_SLOWEST` | 20 | uploads/s; a server that is slower in a block takes no further turns |
//! | `CHARTROOM_BIN` | the one that cargo built | chartroom's binary |
//!
//! The servers take turns in blocks, so that whatever else the machine does meets both. Nothing here
//! fails for being slow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its figures are rounded"
)]

#[path = "../../tests/support/archive.rs"]
mod archive;
#[path = "../../tests/support/binary.rs"]
mod binary;
mod charts;
#[path = "../../tests/support/google.rs"]
#[allow(dead_code, reason = "the bucket is Amazon's here")]
mod google;
mod load;
#[path = "../../tests/support/report.rs"]
mod report;
#[path = "../../tests/support/stores.rs"]
#[allow(dead_code, reason = "the bucket is Amazon's here")]
mod stores;
mod subject;
#[path = "../../tests/support/tools.rs"]
#[allow(dead_code, reason = "helm is for others")]
mod tools;

use std::env;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use report::say;
use stores::Kind;
use subject::{Program, Subject};
use tempfile::TempDir;

fn main() {
    // `cargo test --benches` only wants to know that it is there.
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run());
}

async fn run() {
    let uploads = number("CHARTROOM_BENCH_UPLOADS", 20_000);
    let block = number("CHARTROOM_BENCH_BLOCK", 1_000).min(uploads);
    let clients = number("CHARTROOM_BENCH_CLIENTS", 32);
    let slowest = number("CHARTROOM_BENCH_SLOWEST", 20);
    let Some(bucket) = stores::start(Kind::Minio, "uploads per second").await else {
        return;
    };
    let scratch = TempDir::new().expect("a scratch directory");
    let mut programs = vec![Program::Chartroom];
    match env::var_os("CHARTMUSEUM").map(PathBuf::from) {
        Some(path) => programs.push(Program::ChartMuseum(path)),
        None => say("CHARTMUSEUM does not name a binary: chartroom alone"),
    }
    let mut subjects = Vec::new();
    for program in programs {
        subjects.push(Subject::start(program, &bucket, scratch.path()).await);
    }
    say(&format!(
        "{uploads} uploads by {clients} clients to 2 replicas each, in blocks of {block}; uploads/s, and requests that were not acknowledged"
    ));
    for first in (0..uploads).step_by(block) {
        let mut line = format!("{:>6} versions:", first + block);
        for subject in &mut subjects {
            let is_too_slow = |took: &Duration| block as f64 / took.as_secs_f64() < slowest as f64;
            if subject.took.last().is_some_and(is_too_slow) {
                continue;
            }
            let figures = subject.load(first..first + block, clients).await;
            let rate = block as f64 / figures.took.as_secs_f64();
            let (name, refused) = (subject.name(), figures.refused);
            write!(line, "  {name} {rate:>6.1}/s ({refused} refused)").unwrap();
        }
        say(&line);
    }
    for subject in &subjects {
        let rate = |took: &[Duration]| {
            let seconds: f64 = took.iter().map(Duration::as_secs_f64).sum();
            (block * took.len()) as f64 / seconds
        };
        let tenth = subject.took.len().div_ceil(10);
        let last = subject.took.len() - tenth;
        let listed = subject.listed().await;
        say(&format!(
            "{}: {} uploads, {:.1}/s over all ({:.1}/s in the first tenth, {:.1}/s in the last); {} acknowledged, the replicas list {listed:?}; peak memory {:?} MiB",
            subject.name(),
            block * subject.took.len(),
            rate(&subject.took),
            rate(&subject.took[..tenth]),
            rate(&subject.took[last..]),
            subject.acknowledged,
            subject.peak_memory(),
        ));
    }
}

fn number(variable: &str, default: usize) -> usize {
    env::var_os(variable).map_or(default, |text| {
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.unwrap_or_else(|| panic!("{variable} is a number"))
    })
}
