//! Readers while others upload, and beside one that hardly reads.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::uploads::upload_all;
use crate::client::missing;
use crate::corpus::{self, Shape};
use crate::figures::{Figure, Unit, p99};
use crate::generator::{head_of, length_of};
use crate::process::Process;
use crate::stage::{Program, Stage};
use crate::table::{Line, Mark};

const ROUNDS: usize = 3;

/// How long each part of a round lasts.
const LASTS: Duration = Duration::from_secs(4);

/// More archives than can be uploaded in that time.
const UPLOADS: usize = 10_000;

const INDEX: usize = 0;
const LIST: usize = 1;
const PATHS: [&str; 2] = ["/index.yaml", "/api/charts"];

/// What is measured with a slow reader, and without one.
#[derive(Debug, Default)]
struct Side {
    /// The 99th percentile of each path in each round.
    idle: [Vec<f64>; 2],
    busy: [Vec<f64>; 2],
    peaks: Vec<f64>,
    uploads: Vec<f64>,
    lost: usize,
}

/// A thread that reads the index and the list by turns, on a connection of its own, and throws the bytes
/// away.
#[derive(Debug)]
struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<[Vec<Duration>; 2]>>,
}

impl Reader {
    fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let mut stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            let mut buffer = vec![0; 256 * 1024];
            let mut times = [Vec::new(), Vec::new()];
            while !stopped.load(Ordering::Relaxed) {
                for (path, times) in PATHS.iter().zip(&mut times) {
                    let begin = Instant::now();
                    exchange(&mut stream, path, &mut buffer)?;
                    times.push(begin.elapsed());
                }
            }
            Ok(times)
        });
        Self { stop, thread }
    }

    /// Returns how long its requests took, by path.
    fn end(self) -> anyhow::Result<[Vec<Duration>; 2]> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("a reader panicked")?
    }
}

fn exchange(stream: &mut TcpStream, path: &str, buffer: &mut [u8]) -> anyhow::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut filled = 0;
    let head = loop {
        let read = stream.read(buffer.get_mut(filled..).unwrap_or_default())?;
        anyhow::ensure!(read > 0, "the connection was closed");
        filled += read;
        if let Some(head) = head_of(buffer.get(..filled).unwrap_or_default()) {
            break head;
        }
    };
    let text = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
    anyhow::ensure!(text.starts_with("HTTP/1.1 200 "), "{path}: {text}");
    let mut left = length_of(text)?.saturating_sub(filled - head);
    while left > 0 {
        let read = stream.read(buffer)?;
        anyhow::ensure!(read > 0, "the connection was closed");
        left = left.saturating_sub(read);
    }
    Ok(())
}

/// A thread that asks for the index and takes a kilobyte of it each second.
#[derive(Debug)]
struct SlowReader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl SlowReader {
    fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let mut stream = TcpStream::connect(address)?;
            stream.write_all(b"GET /index.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            let mut kilobyte = [0; 1024];
            while !stopped.load(Ordering::Relaxed) {
                let read = stream.read(&mut kilobyte)?;
                anyhow::ensure!(read > 0, "the slow reader's connection was closed");
                // The pause is what this is about.
                for _ in 0..10 {
                    if !stopped.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(100));
                    }
                }
            }
            Ok(())
        });
        Self { stop, thread }
    }

    fn end(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .ok()
            .context("the slow reader panicked")?
    }
}

impl Side {
    async fn round(&mut self, stage: &Stage, process: &Process) -> anyhow::Result<()> {
        // What is made when it is first asked for is not what this is about.
        stage.client.index(&process.url).await?;
        stage
            .client
            .get(&format!("{}/api/charts", process.url), &[])
            .await?;
        let reader = Reader::start(process.port);
        tokio::time::sleep(LASTS).await;
        note(&mut self.idle, &reader.end()?);
        let charts = corpus::charts(Shape::Spread, stage.size..stage.size + UPLOADS);
        let reader = Reader::start(process.port);
        let end = Instant::now() + LASTS;
        let outcome = upload_all(&stage.client, &process.url, charts, 16, end).await?;
        note(&mut self.busy, &reader.end()?);
        self.uploads.push(outcome.acknowledged.len() as f64);
        self.peaks.push(process.peak());
        let index = stage.client.index(&process.url).await?;
        self.lost += missing(&index, &outcome.acknowledged) + outcome.refused + outcome.dropped;
        Ok(())
    }
}

fn note(percentiles: &mut [Vec<f64>; 2], times: &[Vec<Duration>; 2]) {
    for (percentiles, times) in percentiles.iter_mut().zip(times) {
        percentiles.extend(p99(times));
    }
}

async fn serve(stage: &mut Stage) -> anyhow::Result<(Process, std::path::PathBuf)> {
    let size = stage.size;
    let directory = stage.copy(Program::Chartroom, size).await?;
    let mut process = stage.launch(Program::Chartroom, &directory)?;
    stage.client.whole(&mut process, size).await?;
    Ok((process, directory))
}

fn clear(process: Process, directory: &Path) -> anyhow::Result<()> {
    drop(process);
    Ok(fs::remove_dir_all(directory)?)
}

pub(super) async fn readers(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let mut alone = Side::default();
    let mut beside = Side::default();
    let mut snapshot = 0.0;
    for _ in 0..ROUNDS {
        let (process, directory) = serve(stage).await?;
        alone.round(stage, &process).await?;
        clear(process, &directory)?;

        let (process, directory) = serve(stage).await?;
        let slow = SlowReader::start(process.port);
        beside.round(stage, &process).await?;
        slow.end()?;
        // Its YAML and its JSON.
        let yaml = stage.client.index(&process.url).await?;
        snapshot = 2.0 * yaml.len() as f64;
        clear(process, &directory)?;
    }
    let times = |samples: &[f64]| Figure::of(Unit::Seconds, samples.to_vec());
    let mut lines = Vec::new();
    let uploads = Figure::of(Unit::Count, alone.uploads.clone());
    let uploads = uploads.map_or_else(String::new, |uploads| uploads.text());
    for (place, name) in [(INDEX, "index"), (LIST, "list")] {
        let (Some(idle), Some(busy), Some(slow)) = (
            alone.idle.get(place),
            alone.busy.get(place),
            beside.idle.get(place),
        ) else {
            continue;
        };
        lines.push(
            Line::new(
                format!("p99 of the {name} while 16 clients upload"),
                times(busy),
            )
            .beside("idle", times(idle))
            .times(Mark::AtMost(3.0))
            .note(format!("{uploads} uploads in each round")),
        );
        lines.push(
            Line::new(
                format!("p99 of the {name} beside a reader at 1 KB/s"),
                times(slow),
            )
            .beside("without it", times(idle))
            .times(Mark::AtMost(1.5)),
        );
    }
    let bytes = |samples: &[f64]| Figure::of(Unit::Bytes, samples.to_vec());
    let (with, without) = (bytes(&beside.peaks), bytes(&alone.peaks));
    if let (Some(with), Some(without)) = (with, without) {
        let snapshots = (with.median - without.median) / snapshot;
        lines.push(
            Line::new(
                "peak memory after that, beside a reader at 1 KB/s",
                Some(with),
            )
            .beside("without it", Some(without))
            .absolute(snapshots, Mark::AtMost(1.0))
            .note("the ratio is the difference in snapshots of YAML and JSON"),
        );
    }
    let lost = alone.lost + beside.lost;
    let lost_figure = Figure::one(Unit::Count, lost as f64);
    lines.push(
        Line::new("uploads lost or refused meanwhile", Some(lost_figure))
            .absolute(lost as f64, Mark::AtMost(0.0)),
    );
    Ok(lines)
}
