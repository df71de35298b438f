//! What rows share: the folder, the archives, and the servers over a repository of the usual size.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::client::Client;
use crate::corpus::{self, Chart, Corpora, Shape};
use crate::plot::Point;
use crate::process::{self, Peers, Process};

/// A program that takes uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Chartroom,
    ChartMuseum,
}

/// A server over a repository of the usual size, and what it was given so far.
#[derive(Debug)]
struct Subject {
    process: Process,
    next: usize,
}

/// What rows share.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: PathBuf,
    pub(crate) peers: Peers,
    pub(crate) client: Client,
    pub(crate) corpora: Corpora,
    /// How many versions a repository of the usual size has.
    pub(crate) size: usize,
    /// How many a large one has.
    pub(crate) large: usize,
    /// How many repositories there are, where there are many.
    pub(crate) repositories: usize,
    ours: Option<Subject>,
    theirs: Option<Subject>,
    folders: usize,
    /// The most memory that a server over the usual size had.
    peak_ours: f64,
    peak_theirs: f64,
    pub(crate) points: Vec<Point>,
}

impl Stage {
    pub(crate) fn new(
        folder: &Path,
        peers: Peers,
        [size, large, repositories]: [usize; 3],
    ) -> Self {
        Self {
            folder: folder.to_owned(),
            peers,
            client: Client::new(),
            corpora: Corpora::new(folder),
            size,
            large,
            repositories,
            ours: None,
            theirs: None,
            folders: 0,
            peak_ours: 0.0,
            peak_theirs: 0.0,
            points: Vec::new(),
        }
    }

    /// Names a folder that nobody has.
    pub(crate) fn new_folder(&mut self, name: &str) -> PathBuf {
        self.folders += 1;
        self.folder.join(format!("{name}-{}", self.folders))
    }

    pub(crate) fn has_chartmuseum(&self) -> bool {
        self.peers.chartmuseum.is_some()
    }

    /// Returns the programs that can be measured.
    pub(crate) fn programs(&self) -> Vec<Program> {
        let mut programs = vec![Program::Chartroom];
        if self.has_chartmuseum() {
            programs.push(Program::ChartMuseum);
        }
        programs
    }

    /// Starts a program over a directory.
    pub(crate) fn launch(&self, program: Program, directory: &Path) -> anyhow::Result<Process> {
        self.launch_with(program, directory, &[])
    }

    /// Starts a program over a directory; the options are chartroom's.
    pub(crate) fn launch_with(
        &self,
        program: Program,
        directory: &Path,
        options: &[&str],
    ) -> anyhow::Result<Process> {
        match program {
            Program::Chartroom => {
                process::chartroom(directory, options, &self.folder.join("chartroom.log"))
            }
            Program::ChartMuseum => {
                let binary = self.peers.chartmuseum.as_deref();
                let binary = binary.context("there is no ChartMuseum")?;
                process::chartmuseum(binary, directory, &self.folder.join("chartmuseum.log"))
            }
        }
    }

    /// Makes a directory that a program has served with `count` versions, and left in peace.
    pub(crate) async fn state(
        &mut self,
        program: Program,
        count: usize,
    ) -> anyhow::Result<PathBuf> {
        let (name, saved) = match program {
            Program::Chartroom => ("state", ".chartroom"),
            Program::ChartMuseum => ("their-state", "index-cache.yaml"),
        };
        let directory = self.folder.join(format!("{name}-{count}"));
        if directory.join(saved).try_exists()? {
            return Ok(directory);
        }
        self.corpora.fill(&directory, count)?;
        let mut process = self.launch(program, &directory)?;
        self.client.whole(&mut process, count).await?;
        settle(&directory).await?;
        self.note_peak(program, count, &process);
        process.stop()?;
        Ok(directory)
    }

    /// Makes a copy of [`Self::state`], to be used up.
    pub(crate) async fn copy(&mut self, program: Program, count: usize) -> anyhow::Result<PathBuf> {
        let state = self.state(program, count).await?;
        let directory = self.new_folder("copy");
        corpus::clone(&state, &directory)?;
        Ok(directory)
    }

    /// Returns the server over the usual size that rows share, which is started now if need be.
    pub(crate) async fn server(&mut self, program: Program) -> anyhow::Result<String> {
        let subject = match program {
            Program::Chartroom => &self.ours,
            Program::ChartMuseum => &self.theirs,
        };
        if let Some(subject) = subject {
            return Ok(subject.process.url.clone());
        }
        let directory = self.copy(program, self.size).await?;
        let mut process = self.launch(program, &directory)?;
        self.client.whole(&mut process, self.size).await?;
        let url = process.url.clone();
        let subject = Subject {
            process,
            next: self.size,
        };
        match program {
            Program::Chartroom => self.ours = Some(subject),
            Program::ChartMuseum => self.theirs = Some(subject),
        }
        Ok(url)
    }

    /// Returns the time that processors spent on the shared server so far, in seconds.
    pub(crate) fn cpu(&self, program: Program) -> f64 {
        let subject = match program {
            Program::Chartroom => &self.ours,
            Program::ChartMuseum => &self.theirs,
        };
        subject
            .as_ref()
            .map_or(0.0, |subject| subject.process.cpu())
    }

    /// Packs charts that the shared server does not have.
    pub(crate) fn news(&mut self, program: Program, count: usize) -> Vec<Chart> {
        let subject = match program {
            Program::Chartroom => &mut self.ours,
            Program::ChartMuseum => &mut self.theirs,
        };
        let Some(subject) = subject else {
            return Vec::new();
        };
        let first = subject.next;
        subject.next += count;
        corpus::charts(Shape::Spread, first..subject.next)
    }

    /// Remembers how much memory a server over the usual size had.
    pub(crate) fn note_peak(&mut self, program: Program, count: usize, process: &Process) {
        if count != self.size {
            return;
        }
        let peak = process.peak();
        match program {
            Program::Chartroom => self.peak_ours = self.peak_ours.max(peak),
            Program::ChartMuseum => self.peak_theirs = self.peak_theirs.max(peak),
        }
    }

    /// Returns the most memory that any server of a program over the usual size had so far.
    pub(crate) fn peak(&self, program: Program) -> Option<f64> {
        let (noted, shared) = match program {
            Program::Chartroom => (self.peak_ours, &self.ours),
            Program::ChartMuseum => (self.peak_theirs, &self.theirs),
        };
        let shared = shared.as_ref().map(|subject| subject.process.peak());
        let peak = noted.max(shared.unwrap_or_default());
        (peak > 0.0).then_some(peak)
    }

    /// Ends the servers that rows share.
    pub(crate) fn end(&mut self) {
        self.ours = None;
        self.theirs = None;
    }
}

/// Waits until nothing in a directory has changed for a second: snapshots and caches are written after
/// the reply.
pub(crate) async fn settle(directory: &Path) -> anyhow::Result<()> {
    let mut before = None;
    for _ in 0..60 {
        let now = size_of_state(directory)?;
        if now > 0 && before == Some(now) {
            return Ok(());
        }
        before = Some(now);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    anyhow::bail!("{} does not come to rest", directory.display())
}

/// Adds up what a program keeps besides the archives.
fn size_of_state(directory: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            continue;
        }
        // A file that is gone meanwhile is one of those that are written and renamed.
        sum += if entry.file_type()?.is_dir() {
            size_of_state(&path)?
        } else {
            entry.metadata().map_or(0, |metadata| metadata.len())
        };
    }
    Ok(sum)
}
