//! Two replicas of one program over one bucket.

use std::fs::{self, File};
use std::net::TcpListener;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::binary::chartroom;
use crate::charts;
use crate::load::{self, Figures, Http};
use crate::stores::StoreServer;

/// Longest wait for a start.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which program.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    Chartroom,
    ChartMuseum(PathBuf),
}

/// Its replicas, and what they did so far.
#[derive(Debug)]
pub(crate) struct Subject {
    program: Program,
    replicas: Vec<Replica>,
    http: Http,
    pub(crate) took: Vec<Duration>,
    pub(crate) acknowledged: usize,
}

#[derive(Debug)]
struct Replica {
    url: String,
    child: Child,
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Subject {
    pub(crate) async fn start(program: Program, bucket: &StoreServer, scratch: &Path) -> Self {
        let http = load::client();
        let mut replicas = Vec::new();
        for number in 0..2 {
            let replica = Replica::launch(&program, bucket, scratch, number);
            let begin = Instant::now();
            let health = format!("{}/health", replica.url);
            while load::get(&http, &health).await.is_none() {
                assert!(begin.elapsed() < PATIENCE, "{program:?} does not start");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            replicas.push(replica);
        }
        Self {
            program,
            replicas,
            http,
            took: Vec::new(),
            acknowledged: 0,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.program.name()
    }

    /// Uploads the archives of these numbers.
    pub(crate) async fn load(&mut self, numbers: Range<usize>, clients: usize) -> Figures {
        let archives = numbers.map(|number| Bytes::from(charts::archive(number)));
        let urls: Vec<String> = self.replicas.iter().map(|one| one.url.clone()).collect();
        let figures = load::upload(&self.http, &urls, archives.collect(), clients).await;
        self.took.push(figures.took);
        self.acknowledged += figures.acknowledged;
        figures
    }

    /// How many versions each replica lists.
    pub(crate) async fn listed(&self) -> Vec<usize> {
        let mut listed = Vec::new();
        for replica in &self.replicas {
            let index = load::get(&self.http, &format!("{}/index.yaml", replica.url)).await;
            let (_, index) = index.expect("it answers");
            let index = String::from_utf8_lossy(&index);
            let is_digest = |line: &&str| line.trim_start().starts_with("digest: ");
            listed.push(index.lines().filter(is_digest).count());
        }
        listed
    }

    /// The most memory that each replica had, in MiB.
    pub(crate) fn peak_memory(&self) -> Vec<u64> {
        let peak = |replica: &Replica| {
            let status = format!("/proc/{}/status", replica.child.id());
            let status = fs::read_to_string(status).unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
            kilobytes
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or_default()
                / 1024
        };
        self.replicas.iter().map(peak).collect()
    }
}

impl Program {
    fn name(&self) -> &'static str {
        match self {
            Self::Chartroom => "chartroom",
            Self::ChartMuseum(_) => "ChartMuseum",
        }
    }

    fn command(&self, bucket: &StoreServer, port: u16) -> Command {
        let port = port.to_string();
        match self {
            Self::Chartroom => {
                let mut command = Command::new(chartroom());
                command
                    .args(["serve", "s3://charts/chartroom", "--port", &port])
                    .args(["--storage-endpoint", bucket.endpoint()])
                    .args(["--max-uploads", "256"]);
                command
            }
            Self::ChartMuseum(path) => {
                let mut command = Command::new(path);
                command
                    .args(["--port", &port, "--storage", "amazon"])
                    .args(["--storage-amazon-bucket", "charts"])
                    .args(["--storage-amazon-prefix", "chartmuseum"])
                    .args(["--storage-amazon-endpoint", bucket.endpoint()])
                    .args(["--storage-amazon-region", "us-east-1"]);
                command
            }
        }
    }
}

impl Replica {
    fn launch(program: &Program, bucket: &StoreServer, scratch: &Path, number: usize) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let log = scratch.join(format!("{}-{number}.log", program.name()));
        let output = File::create(log).expect("a log file");
        let child = program
            .command(bucket, port)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(bucket.options().variables)
            .env("HOME", scratch)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .expect("it starts");
        Self {
            url: format!("http://127.0.0.1:{port}"),
            child,
        }
    }
}
