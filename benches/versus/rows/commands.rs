//! Programs that are run once: `chartroom index` beside `helm repo index`, and helm as a client.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::corpus::{Shape, chart};
use crate::figures::{Figure, Unit};
use crate::process::{self, Cost};
use crate::stage::Stage;
use crate::table::{Line, Mark};

const ROUNDS: usize = 5;

/// The index of a directory.
pub(super) fn index(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let size = stage.size;
    let directory = stage.new_folder("directory");
    stage.corpora.fill(&directory, size)?;
    let mut ours = Costs::default();
    let mut theirs = Costs::default();
    for _ in 0..ROUNDS {
        let mut command = Command::new(crate::binary::chartroom());
        command.arg("index").arg(&directory);
        ours.push(process::run(command)?);
        fs::remove_file(directory.join("index.yaml"))?;
        if let Some(helm) = &stage.peers.helm {
            let mut command = Command::new(helm);
            command.args(["repo", "index"]).arg(&directory);
            theirs.push(process::run(command)?);
            fs::remove_file(directory.join("index.yaml"))?;
        }
    }
    let wall = Line::new(format!("`chartroom index` on {size} archives"), ours.wall())
        .beside("`helm repo index`", theirs.wall())
        .smaller_by(Mark::AtLeast(20.0));
    let cpu = Line::new("its time on processors", ours.cpu())
        .beside("`helm repo index`", theirs.cpu())
        .smaller_by(Mark::None);
    let peak = Line::new("its peak memory", ours.peak())
        .beside("`helm repo index`", theirs.peak())
        .smaller_by(Mark::AtLeast(10.0));
    Ok(vec![wall, cpu, peak])
}

#[derive(Debug, Default)]
struct Costs {
    walls: Vec<Duration>,
    cpus: Vec<f64>,
    peaks: Vec<f64>,
}

impl Costs {
    fn push(&mut self, cost: Cost) {
        self.walls.push(cost.wall);
        self.cpus.push(cost.cpu);
        self.peaks.push(cost.peak);
    }

    fn wall(&self) -> Option<Figure> {
        Figure::of_times(&self.walls)
    }

    fn cpu(&self) -> Option<Figure> {
        Figure::of(Unit::Seconds, self.cpus.clone())
    }

    fn peak(&self) -> Option<Figure> {
        Figure::of(Unit::Bytes, self.peaks.clone())
    }
}

/// `helm repo update` and `helm pull` against a repository.
pub(super) async fn helm(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let Some(binary) = stage.peers.helm.clone() else {
        return Ok(Vec::new());
    };
    let mut costs = [Costs::default(), Costs::default()];
    let mut homes = Vec::new();
    for program in stage.programs() {
        let home = stage.new_folder("helm");
        fs::create_dir_all(&home)?;
        let url = stage.server(program).await?;
        let mut command = client(&binary, &home);
        command.args(["repo", "add", "charts", &url]);
        process::run(command)?;
        homes.push(home);
    }
    let chart = chart(Shape::Spread, stage.size / 2);
    for _ in 0..ROUNDS {
        for (home, costs) in homes.iter().zip(&mut costs) {
            let mut update = client(&binary, home);
            update.args(["repo", "update"]);
            let update = process::run(update)?;
            let mut pull = client(&binary, home);
            pull.args(["pull", &format!("charts/{}", chart.name)])
                .args(["--version", &chart.version, "--destination"])
                .arg(home);
            let pull = process::run(pull)?;
            costs.push(Cost {
                wall: update.wall + pull.wall,
                cpu: update.cpu + pull.cpu,
                peak: update.peak.max(pull.peak),
            });
        }
    }
    let [ours, theirs] = costs;
    let wall = Line::new("`helm repo update` and `helm pull`", ours.wall())
        .beside("from ChartMuseum", theirs.wall())
        .smaller_by(Mark::AtLeast(2.5));
    let cpu = Line::new("helm's time on processors", ours.cpu())
        .beside("from ChartMuseum", theirs.cpu())
        .smaller_by(Mark::None);
    let peak = Line::new("helm's peak memory", ours.peak())
        .beside("from ChartMuseum", theirs.peak())
        .smaller_by(Mark::AtLeast(2.5));
    Ok(vec![wall, cpu, peak])
}

/// A helm that keeps everything in a folder.
fn client(binary: &Path, home: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .env("HOME", home)
        .env("HELM_CACHE_HOME", home.join("cache"))
        .env("HELM_CONFIG_HOME", home.join("config"))
        .env("HELM_DATA_HOME", home.join("data"));
    command
}
