//! Many repositories in one server.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::count;
use crate::figures::{Figure, Unit};
use crate::process::Process;
use crate::stage::{Program, Stage};
use crate::table::Line;

/// How many versions each has.
const VERSIONS: usize = 1_000;

/// A little more than the default of `--refresh-interval`.
const QUIET: Duration = Duration::from_secs(35);

/// Reads the index of every repository once, and looks at the memory: all in memory, and a tenth.
pub(super) async fn repositories(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let repositories = stage.repositories;
    let kept = stage.state(Program::Chartroom, VERSIONS).await?;
    let directory = stage.new_folder("repositories");
    for number in 0..repositories {
        link(&kept, &directory.join(format!("team-{number}")))?;
    }
    let mut lines = Vec::new();
    for loaded in [repositories, repositories / 10] {
        let most = loaded.max(1).to_string();
        let options = ["--depth", "1", "--max-loaded-repositories", &most];
        let mut process = stage.launch_with(Program::Chartroom, &directory, &options)?;
        wait(stage, &mut process).await?;
        let before = process.resident();
        let mut times = Vec::new();
        for number in 0..repositories {
            let begin = Instant::now();
            let url = format!("{}/team-{number}", process.url);
            let index = stage.client.index(&url).await?;
            times.push(begin.elapsed());
            anyhow::ensure!(count(&index) == VERSIONS, "team-{number} is not whole");
        }
        let cpu = process.cpu();
        tokio::time::sleep(QUIET).await;
        let cpu = (process.cpu() - cpu) / QUIET.as_secs_f64();
        // Those that are too many leave some seconds after their last use.
        let each = (process.resident() - before) / loaded as f64;
        let one = |unit, value| Some(Figure::one(unit, value));
        let work = |what: &str| {
            format!(
                "{what}, {repositories} repositories of {VERSIONS} versions, {loaded} in memory"
            )
        };
        lines.extend([
            Line::new(
                work("first index of a repository"),
                Figure::of_times(&times),
            ),
            Line::new(work("memory of each"), one(Unit::Bytes, each)),
            Line::new(work("peak memory of all"), one(Unit::Bytes, process.peak())),
            Line::new(
                work("processors in use when nobody asks"),
                one(Unit::Count, cpu),
            ),
        ]);
        drop(process);
    }
    fs::remove_dir_all(&directory)?;
    Ok(lines)
}

async fn wait(stage: &Stage, process: &mut Process) -> anyhow::Result<()> {
    let health = format!("{}/health", process.url);
    while stage.client.get(&health, &[]).await.is_err() {
        anyhow::ensure!(process.runs(), "the server ended");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Copies a directory as links: chartroom never changes a file in place, nor do those who are only read.
fn link(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link(&entry.path(), &target)?;
        } else {
            fs::hard_link(entry.path(), target)?;
        }
    }
    Ok(())
}
