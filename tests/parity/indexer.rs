//! Runs one program that writes an index.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::binary::chartroom;
use crate::compare::{Format, Task};
use crate::tools::Helm;

/// A program that writes `index.yaml` into a directory.
#[derive(Clone, Debug)]
pub(crate) enum Indexer {
    Helm(Helm),
    Chartroom,
}

/// What a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) succeeded: bool,
    /// The bytes of `index.yaml`, if it was written.
    pub(crate) index: Option<Vec<u8>>,
    /// The bytes of the file given to `--merge`, if it is there after the run.
    pub(crate) merged: Option<Vec<u8>>,
    pub(crate) stderr: String,
}

impl Indexer {
    /// The name to report.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Helm(helm) => format!("helm {}", helm.major),
            Self::Chartroom => "chartroom".to_owned(),
        }
    }

    /// Writes the task's files into a fresh directory and indexes it.
    pub(crate) fn run(&self, task: &Task<'_>) -> Outcome {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let root = scratch.path().join("charts");
        fs::create_dir(&root).expect("a folder is made");
        task.directory.write(&root);
        let merge = scratch.path().join("merge.yaml");
        if let Some((_, Some(content))) = task.merge {
            fs::write(&merge, content).expect("a file is written");
        }
        let output = self
            .command(task, &root, &merge, scratch.path())
            .output()
            .unwrap_or_else(|error| {
                panic!("{} does not start: {error}", self.label());
            });
        Outcome {
            succeeded: output.status.success(),
            index: fs::read(root.join("index.yaml")).ok(),
            merged: fs::read(&merge).ok(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn command(&self, task: &Task<'_>, root: &Path, merge: &Path, home: &Path) -> Command {
        let mut command = match self {
            Self::Helm(helm) => {
                let mut command = Command::new(&helm.path);
                command.arg("repo");
                command
            }
            Self::Chartroom => Command::new(chartroom()),
        };
        command.arg("index");
        command.arg(root);
        if let Some(url) = task.url {
            command.arg(format!("--url={url}"));
        }
        if task.merge.is_some() {
            command.arg("--merge").arg(merge);
        }
        if task.format == Format::Json {
            command.arg("--json");
        }
        command
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", home)
            .env("TZ", task.zone);
        command
    }
}
