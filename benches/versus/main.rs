//! chartroom beside ChartMuseum, nginx and helm: every row of the table in `docs/benchmarks.md`.
//!
//! ```text
//! CHARTMUSEUM=/path/to/chartmuseum NGINX=/usr/sbin/nginx HELM=/path/to/helm WRK=/usr/bin/wrk \
//!     cargo bench --bench versus -- --json versus.json --svg docs/upload-latency.svg
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CHARTMUSEUM`, `NGINX`, `HELM` | binaries of the peers; what needs one that is not named stands alone, or is left out |
//! | `WRK` | wrk's binary, for requests per second; without it a generator of this program's own |
//! | `CHARTROOM_BIN` | chartroom's binary; the one that cargo built without it |
//! | `CHARTROOM_BENCH_FOLDER` | where the archives and the repositories are written, up to 2 GB; a temporary folder without it |
//!
//! Programs take turns, so that whatever else the machine does meets all of them. Nothing here fails for
//! being slow.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "figures are rounded, and arrays have a place for each program"
)]

#[expect(clippy::expect_used, reason = "it serves the tests")]
#[path = "../../tests/support/archive.rs"]
mod archive;
#[path = "../../tests/support/binary.rs"]
mod binary;
mod client;
mod corpus;
mod figures;
mod generator;
mod plot;
mod process;
#[path = "../../tests/support/report.rs"]
mod report;
mod rows;
mod stage;
mod table;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use process::Peers;
use report::say;
use rows::Row;
use stage::Stage;
use table::Line;

/// Measures chartroom beside ChartMuseum, nginx and helm
#[derive(Debug, clap::Parser)]
struct Options {
    /// Rows to measure, in their own order; all of the table if there is none
    #[arg(value_parser = row)]
    rows: Vec<Row>,

    /// File for the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// File for the table as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,

    /// File for the plot of upload latency over repository size
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Versions in a repository of the usual size
    #[arg(long, default_value_t = 10_000)]
    size: usize,

    /// Versions in a large repository
    #[arg(long, default_value_t = 100_000)]
    large: usize,

    /// Repositories of 1,000 versions, for the row `repositories`
    #[arg(long, default_value_t = 1_000)]
    repositories: usize,

    /// No row is begun after so many minutes
    #[arg(long, default_value_t = 25)]
    minutes: u64,

    /// Print the names of the rows
    #[arg(long)]
    list: bool,

    /// cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

fn row(name: &str) -> Result<Row, String> {
    let row = Row::ALL.into_iter().find(|row| row.name() == name);
    row.ok_or_else(|| format!("there is no such row; rows are {}", names().join(", ")))
}

fn names() -> Vec<&'static str> {
    Row::ALL.map(Row::name).to_vec()
}

fn main() -> ExitCode {
    // `cargo test --benches` only wants to know that it is there.
    if env::args().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let options = Options::parse();
    if options.list {
        say(&names().join("\n"));
        return ExitCode::SUCCESS;
    }
    match start(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn start(options: &Options) -> anyhow::Result<()> {
    let scratch = match env::var_os("CHARTROOM_BENCH_FOLDER") {
        Some(folder) => TempDir::new_in(folder),
        None => TempDir::new(),
    };
    let scratch = scratch.context("no scratch folder")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        // Whoever is dropped ends its servers.
        tokio::select! {
            done = run(options, &scratch) => done,
            _ = terminated.recv() => anyhow::bail!("asked to end"),
            _ = interrupted.recv() => anyhow::bail!("asked to end"),
        }
    })
}

async fn run(options: &Options, scratch: &TempDir) -> anyhow::Result<()> {
    let begin = Instant::now();
    let peers = Peers::from_environment();
    for (variable, peer) in [
        ("CHARTMUSEUM", &peers.chartmuseum),
        ("NGINX", &peers.nginx),
        ("HELM", &peers.helm),
    ] {
        if peer.is_none() {
            say(&format!(
                "{variable} does not name a binary: chartroom without it"
            ));
        }
    }
    let sizes = [options.size, options.large, options.repositories];
    let mut stage = Stage::new(scratch.path(), peers, sizes);
    let mut lines: Vec<Line> = Vec::new();
    let mut failed = Vec::new();
    let limit = Duration::from_mins(options.minutes);
    for row in Row::ALL {
        let is_wanted = if options.rows.is_empty() {
            !row.is_extra()
        } else {
            options.rows.contains(&row)
        };
        if !is_wanted {
            continue;
        }
        if begin.elapsed() > limit {
            failed.push(format!("{}: no time was left", row.name()));
            continue;
        }
        let started = Instant::now();
        match row.measure(&mut stage).await {
            Ok(measured) => {
                let took = started.elapsed().as_secs_f64();
                say(&format!(
                    "\n{} ({took:.0} s)\n{}",
                    row.name(),
                    table::markdown(&measured)
                ));
                lines.extend(measured);
            }
            // The others may have more luck.
            Err(error) => {
                say(&format!("\n{}: {error:#}", row.name()));
                failed.push(format!("{}: {error:#}", row.name()));
            }
        }
        write(options, &stage, &lines)?;
    }
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    say(&format!(
        "\n{}\n{minutes:.1} minutes",
        table::markdown(&lines)
    ));
    for line in &lines {
        if line.is_met() == Some(false) {
            say(&format!("missed: {}", line.work));
        }
    }
    anyhow::ensure!(failed.is_empty(), "not measured: {}", failed.join("; "));
    Ok(())
}

/// Writes what there is so far.
fn write(options: &Options, stage: &Stage, lines: &[Line]) -> anyhow::Result<()> {
    if let Some(path) = &options.markdown {
        fs::write(path, table::markdown(lines))?;
    }
    if let Some(path) = &options.svg {
        fs::write(path, plot::svg(&stage.points))?;
    }
    if let Some(path) = &options.json {
        let points = stage.points.iter().map(|point| {
            json!({
                "program": format!("{:?}", point.program).to_lowercase(),
                "versions": point.versions, "seconds": point.seconds,
            })
        });
        let points: Vec<_> = points.collect();
        let document = json!({ "rows": table::json(lines), "uploads": points });
        fs::write(path, format!("{document:#}\n"))?;
    }
    Ok(())
}
