//! How costs grow with the repository.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::uploads::upload_all;
use crate::client::Client;
use crate::corpus::{self, Chart, Shape};
use crate::figures::{Figure, Unit, digits};
use crate::plot::Point;
use crate::process::Process;
use crate::stage::{Program, Stage, settle};
use crate::table::{Line, Mark};

/// At which sizes uploads are timed on the way.
const SIZES: [usize; 7] = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];

/// How many uploads are timed at each.
const SAMPLES: usize = 100;

/// After how long no further upload is timed.
const LONGEST: Duration = Duration::from_secs(30);

/// What a repository of the usual size may take.
const MEMORY: f64 = 100e6;

/// The most memory that servers over the usual size had in the rows before.
pub(super) fn memory(stage: &mut Stage) -> Vec<Line> {
    let figure = |peak: Option<f64>| peak.map(|peak| Figure::one(Unit::Bytes, peak));
    let ours = stage.peak(Program::Chartroom);
    let theirs = figure(stage.peak(Program::ChartMuseum));
    let line = Line::new(
        format!(
            "peak memory at {} versions, of all rows so far (MB)",
            stage.size
        ),
        figure(ours),
    )
    .beside("ChartMuseum", theirs);
    let line = match ours {
        Some(ours) => line.absolute(ours / 1e6, Mark::AtMost(MEMORY / 1e6)),
        None => line,
    };
    stage.end();
    vec![line]
}

/// A server that grows by uploads alone.
struct Growing {
    process: Process,
    next: usize,
}

impl Growing {
    /// Uploads with 16 clients until there are `size` versions.
    async fn grow(&mut self, client: &Client, size: usize) -> anyhow::Result<()> {
        while self.next < size {
            let end = size.min(self.next + 5_000);
            let charts = corpus::charts(Shape::Spread, self.next..end);
            let limit = Instant::now() + Duration::from_mins(5);
            let outcome = upload_all(client, &self.process.url, charts, 16, limit).await?;
            anyhow::ensure!(
                outcome.acknowledged.len() == end - self.next,
                "of {} uploads {} were refused and {} not answered",
                end - self.next,
                outcome.refused,
                outcome.dropped
            );
            self.next = end;
        }
        Ok(())
    }

    /// Times uploads by one client.
    async fn sample(&mut self, client: &Client, count: usize) -> anyhow::Result<Vec<Duration>> {
        let charts = corpus::charts(Shape::Spread, self.next..self.next + count);
        let times = publish(client, &self.process.url, &charts).await?;
        self.next += times.len();
        Ok(times)
    }
}

async fn publish(client: &Client, url: &str, charts: &[Chart]) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let end = Instant::now() + LONGEST;
    for chart in charts {
        times.push(client.publish(url, chart).await?);
        if Instant::now() > end {
            break;
        }
    }
    Ok(times)
}

/// From nothing to the large size.
pub(super) async fn growth(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let client = stage.client.clone();
    let large = stage.large;
    let directory = stage.new_folder("growing");
    fs::create_dir_all(&directory)?;
    let mut growing = Growing {
        process: stage.launch(Program::Chartroom, &directory)?,
        next: 0,
    };
    client.whole(&mut growing.process, 0).await?;
    let begin = Instant::now();
    let mut lines = Vec::new();
    let mut at_size = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= large) {
        growing.grow(&client, size).await?;
        let times = growing.sample(&client, SAMPLES).await?;
        let Some(figure) = Figure::of_times(&times) else {
            continue;
        };
        at_size.push(format!("{size}: {}", Unit::Seconds.text(figure.median)));
        // The row of the usual size has measured it beside ChartMuseum.
        stage
            .points
            .retain(|point| (point.program, point.versions) != (Program::Chartroom, size));
        stage.points.push(Point {
            program: Program::Chartroom,
            versions: size,
            seconds: figure.median,
        });
    }
    let took = begin.elapsed();
    lines.push(against_small(stage, &mut growing).await?.note(format!(
        "on the way there {}; all {large} uploads took {}",
        at_size.join(", "),
        Unit::Seconds.text(took.as_secs_f64())
    )));
    let yaml = read_all(&client, &growing.process).await?;
    let by_uploads = growing.process.peak();
    settle(&directory).await?;
    let versions = growing.next;
    growing.process.stop()?;
    let (start, after_start) = large_start(stage, &directory, versions).await?;
    lines.push(start);
    for (way, peak) in [("grown by uploads", by_uploads), ("started", after_start)] {
        let limit = 2.0 * yaml + 64.0 * 1024.0 * 1024.0;
        lines.push(
            Line::new(
                format!("peak memory at {large} versions, {way}"),
                Some(Figure::one(Unit::Bytes, peak)),
            )
            .beside(
                "twice its YAML and 64 MiB",
                Some(Figure::one(Unit::Bytes, limit)),
            )
            .times(Mark::AtMost(1.0))
            .note(format!("the index has {} MB as YAML", digits(yaml / 1e6))),
        );
    }
    fs::remove_dir_all(&directory)?;
    their_points(stage).await?;
    Ok(lines)
}

/// Uploads to the large one and to a small one by turns.
async fn against_small(stage: &mut Stage, growing: &mut Growing) -> anyhow::Result<Line> {
    const SMALL: usize = 1_000;
    let client = stage.client.clone();
    let directory = stage.new_folder("small");
    stage.corpora.fill(&directory, SMALL)?;
    let mut small = Growing {
        process: stage.launch(Program::Chartroom, &directory)?,
        next: SMALL,
    };
    client.whole(&mut small.process, SMALL).await?;
    let mut medians = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (growing, medians) in [&mut *growing, &mut small].into_iter().zip(&mut medians) {
            let figure = Figure::of_times(&growing.sample(&client, 30).await?);
            medians.extend(figure.map(|figure| figure.median));
        }
    }
    small.process.stop()?;
    fs::remove_dir_all(&directory)?;
    let [large, small] = medians.map(|medians| Figure::of(Unit::Seconds, medians));
    let work = format!("upload at {} versions", stage.large);
    let beside = "at 1,000";
    Ok(Line::new(work, large)
        .beside(beside, small)
        .times(Mark::AtMost(1.3)))
}

/// Reads the index in each form once, and returns the size of its YAML.
async fn read_all(client: &Client, process: &Process) -> anyhow::Result<f64> {
    let url = format!("{}/index.yaml", process.url);
    for header in [("accept-encoding", "gzip"), ("user-agent", "Helm/3.19.0")] {
        client.get(&url, &[header]).await?;
    }
    Ok(client.index(&process.url).await?.len() as f64)
}

/// Starts over the large one and over the usual size by turns, and returns the most memory of it.
async fn large_start(
    stage: &mut Stage,
    directory: &Path,
    versions: usize,
) -> anyhow::Result<(Line, f64)> {
    let size = stage.size;
    let usual = stage.state(Program::Chartroom, size).await?;
    let client = stage.client.clone();
    let mut times = [Vec::new(), Vec::new()];
    let mut peak: f64 = 0.0;
    for _ in 0..5 {
        let mut process = stage.launch(Program::Chartroom, directory)?;
        times[0].push(client.whole(&mut process, versions).await?);
        read_all(&client, &process).await?;
        peak = peak.max(process.peak());
        process.stop()?;
        let mut process = stage.launch(Program::Chartroom, &usual)?;
        times[1].push(client.whole(&mut process, size).await?);
        process.stop()?;
    }
    let [large, usual] = times.map(|times| Figure::of_times(&times));
    let line = Line::new(
        format!("start with saved state at {} versions", stage.large),
        large,
    )
    .beside("at the usual size", usual)
    .times(Mark::AtMost(10.0));
    Ok((line, peak))
}

/// ChartMuseum's uploads at sizes where they can be waited for.
async fn their_points(stage: &mut Stage) -> anyhow::Result<()> {
    if !stage.has_chartmuseum() {
        return Ok(());
    }
    let usual = stage.size;
    for size in SIZES.into_iter().filter(|size| *size <= usual) {
        let is_known =
            |point: &Point| (point.program, point.versions) == (Program::ChartMuseum, size);
        if stage.points.iter().any(is_known) {
            continue;
        }
        let directory = stage.copy(Program::ChartMuseum, size).await?;
        let mut process = stage.launch(Program::ChartMuseum, &directory)?;
        stage.client.whole(&mut process, size).await?;
        let charts = corpus::charts(Shape::Spread, size..size + 10);
        let times = publish(&stage.client, &process.url, &charts).await?;
        stage
            .points
            .extend(Figure::of_times(&times).map(|figure| Point {
                program: Program::ChartMuseum,
                versions: size,
                seconds: figure.median,
            }));
        drop(process);
        fs::remove_dir_all(&directory)?;
    }
    Ok(())
}

/// Repositories of unusual shapes.
pub(super) async fn extremes(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let client = stage.client.clone();
    let large = stage.large;
    let mut lines = Vec::new();
    for shape in [Shape::OneChart, Shape::ManyCharts, Shape::LongNames] {
        let directory = stage.new_folder("extreme");
        corpus::write(&directory, shape, large)?;
        let mut process = stage.launch(Program::Chartroom, &directory)?;
        let first = client.whole(&mut process, large).await?;
        let charts = corpus::charts(shape, large..large + SAMPLES);
        let times = publish(&client, &process.url, &charts).await?;
        let yaml = read_all(&client, &process).await?;
        let begin = Instant::now();
        client.index(&process.url).await?;
        let index = begin.elapsed();
        lines.push(
            Line::new(
                format!("upload at {large} {}", shape.label()),
                Figure::of_times(&times),
            )
            .note(format!(
                "first start {}, index of {} MB in {}, peak memory {} MB",
                Unit::Seconds.text(first.as_secs_f64()),
                digits(yaml / 1e6),
                Unit::Seconds.text(index.as_secs_f64()),
                digits(process.peak() / 1e6)
            )),
        );
        drop(process);
        fs::remove_dir_all(&directory)?;
    }
    Ok(lines)
}
