//! `chartroom check`, `explain`, `policy` and `token`, by the real program on a directory: what they print, how
//! they end, and that they change nothing that they should not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/archive.rs"]
mod archive;
#[path = "../support/binary.rs"]
mod binary;
mod check;
mod explain;
#[path = "../support/issuer.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod issuer;
mod issuers;
mod policy;
#[path = "../support/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use archive::Archive;
use server::{Server, agent};
use tempfile::TempDir;

/// A directory of charts, and room beside it.
struct Storage {
    scratch: TempDir,
}

/// What a command came to.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Storage {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("charts")).unwrap();
        Self { scratch }
    }

    fn directory(&self) -> PathBuf {
        self.scratch.path().join("charts")
    }

    fn put(&self, file: &str, body: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, body).unwrap();
        path
    }

    /// Puts an archive under its own name.
    fn put_chart(&self, name: &str, version: &str) {
        self.put(&format!("{name}-{version}.tgz"), chart(name, version));
    }

    fn serve(&self) -> Server {
        let log = self.scratch.path().join("server.log");
        Server::start(&self.directory(), &["--refresh-interval", "0"], &log)
    }

    /// Runs a server until it has adopted what is there.
    fn adopt(&self) {
        assert!(self.serve().stop().success());
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// Runs a command; `DIR` stands for the directory.
    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        let directory = self.directory();
        let directory = directory.to_str().unwrap();
        let in_directory = |text: &str| text.replace("DIR", directory);
        let output = Command::new(binary::chartroom())
            .args(arguments.iter().map(|argument| in_directory(argument)))
            .env_clear()
            .env("HOME", self.scratch.path())
            .envs(
                variables
                    .iter()
                    .map(|(name, value)| (name, in_directory(value))),
            )
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ended {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Everything in the directory: content and time of each file.
    fn state(&self) -> BTreeMap<PathBuf, Option<(Vec<u8>, SystemTime)>> {
        let mut state = BTreeMap::new();
        let mut folders = vec![self.directory()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::metadata(&path).unwrap();
                if metadata.is_dir() {
                    state.insert(path.clone(), None);
                    folders.push(path);
                } else {
                    let content = fs::read(&path).unwrap();
                    state.insert(path, Some((content, metadata.modified().unwrap())));
                }
            }
        }
        state
    }
}

fn chart(name: &str, version: &str) -> Vec<u8> {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .tgz()
}

fn upload(server: &Server, body: &[u8]) -> u16 {
    let agent = agent(Duration::from_mins(1));
    let reply = agent
        .post(format!("{}/api/charts", server.url()))
        .send(body);
    reply.unwrap().status().as_u16()
}

fn age(path: &Path, by: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - by).unwrap();
}
