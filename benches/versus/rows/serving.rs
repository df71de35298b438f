//! Requests per second, beside nginx on the same files.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

use crate::corpus::{Shape, chart};
use crate::figures::{Figure, Unit};
use crate::generator::{Target, rate};
use crate::process::Nginx;
use crate::stage::{Program, Stage};
use crate::table::{Line, Mark};

const ROUNDS: usize = 5;
const LASTS: Duration = Duration::from_secs(3);

/// What is asked for, and by how many connections.
struct Case {
    work: &'static str,
    mark: f64,
    connections: usize,
    ours: Target,
    theirs: Option<Target>,
}

pub(super) async fn nginx(stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
    let size = stage.size;
    let directory = stage.copy(Program::Chartroom, size).await?;
    // The line of a request has the level `info`.
    let options = ["--log-level", "warn"];
    let mut process = stage.launch_with(Program::Chartroom, &directory, &options)?;
    stage.client.whole(&mut process, size).await?;

    let ours = process.url.clone();
    let (plain, packed) = (Vec::new(), vec![("accept-encoding", "gzip")]);
    let url = format!("{ours}/index.yaml");
    let index = stage.client.get(&url, &plain).await?;
    let compressed = stage.client.get(&url, &packed).await?;
    anyhow::ensure!(
        compressed.headers.get("content-encoding").is_some(),
        "the index is not compressed"
    );
    let root = stage.new_folder("site");
    stage.corpora.fill(&root.join("charts"), size)?;
    fs::write(root.join("index.yaml"), &index.body)?;
    fs::write(root.join("index.yaml.gz"), &compressed.body)?;
    let beside = match stage.peers.nginx.clone() {
        Some(binary) => {
            let folder = stage.new_folder("server");
            let nginx = Nginx::start(&binary, &root, &folder)?;
            wait(stage, &nginx).await?;
            Some(nginx)
        }
        None => None,
    };
    let theirs = beside.as_ref().map(|nginx| nginx.url.clone());
    let cases = cases(stage, &ours, theirs.as_deref(), size).await?;
    let mut lines = Vec::new();
    for case in cases {
        let mut rates = [Vec::new(), Vec::new()];
        let mut cpus = [Vec::new(), Vec::new()];
        let cpu = |place: usize| match (place, &beside) {
            (0, _) => process.cpu(),
            (_, nginx) => nginx.as_ref().map_or(0.0, Nginx::cpu),
        };
        for _ in 0..ROUNDS {
            for (place, target) in [Some(&case.ours), case.theirs.as_ref()]
                .into_iter()
                .enumerate()
            {
                let Some(target) = target else { continue };
                let wrk = stage.peers.wrk.as_deref();
                let before = cpu(place);
                let rate = rate(target, case.connections, LASTS, wrk).await?;
                cpus[place].push((cpu(place) - before) / (rate * LASTS.as_secs_f64()));
                rates[place].push(rate);
            }
        }
        let [ours, theirs] = rates.map(|rates| Figure::of(Unit::PerSecond, rates));
        let cpus = cpus.map(|cpus| Figure::of(Unit::Seconds, cpus));
        let note: Vec<String> = cpus
            .iter()
            .flatten()
            .map(|cpu| cpu.unit.text(cpu.median))
            .collect();
        lines.push(
            Line::new(case.work, ours)
                .beside("nginx", theirs)
                .times(Mark::AtLeast(case.mark))
                .note(format!("on processors {} each", note.join(" and "))),
        );
    }
    Ok(lines)
}

async fn wait(stage: &Stage, nginx: &Nginx) -> anyhow::Result<()> {
    for _ in 0..1000 {
        if stage.client.index(&nginx.url).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    anyhow::bail!("nginx does not serve")
}

async fn cases(
    stage: &Stage,
    ours: &str,
    theirs: Option<&str>,
    size: usize,
) -> anyhow::Result<Vec<Case>> {
    let archive = format!("/charts/{}", chart(Shape::Spread, size / 2).file());
    let target = |server: &str, path: &str, header, status| Target {
        server: server.to_owned(),
        path: path.to_owned(),
        header,
        status,
    };
    let index = "/index.yaml";
    let gzip = || Some(("Accept-Encoding", "gzip".to_owned()));
    let mut cases = vec![
        Case {
            work: "requests: an archive of 4 KB",
            mark: 1.2,
            connections: 64,
            ours: target(ours, &archive, None, 200),
            theirs: theirs.map(|server| target(server, &archive, None, 200)),
        },
        Case {
            work: "requests: the index",
            mark: 1.5,
            connections: 16,
            ours: target(ours, index, None, 200),
            theirs: theirs.map(|server| target(server, index, None, 200)),
        },
        Case {
            work: "requests: the same as gzip",
            mark: 1.0,
            connections: 16,
            ours: target(ours, index, gzip(), 200),
            theirs: theirs.map(|server| target(server, index, gzip(), 200)),
        },
    ];
    let unchanged =
        |server: String, tag: String| target(&server, index, Some(("If-None-Match", tag)), 304);
    let our_tag = tag(stage, ours).await?;
    let their_tag = match theirs {
        Some(server) => Some((server.to_owned(), tag(stage, server).await?)),
        None => None,
    };
    cases.push(Case {
        work: "requests: the index has not changed (304)",
        mark: 1.2,
        connections: 64,
        ours: unchanged(ours.to_owned(), our_tag),
        theirs: their_tag.map(|(server, tag)| unchanged(server, tag)),
    });
    Ok(cases)
}

async fn tag(stage: &Stage, server: &str) -> anyhow::Result<String> {
    let reply = stage
        .client
        .get(&format!("{server}/index.yaml"), &[])
        .await?;
    let tag = reply.headers.get("etag").context("no ETag")?;
    Ok(tag.to_str()?.to_owned())
}
