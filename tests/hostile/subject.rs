//! The program that is attacked, and what it takes.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use crate::archive::Archive;
use crate::certificates::{Authority, Files};
use crate::server::{Server, agent};

/// What the program may take with the options below, by docs/limits.md: uploads 16 × 4 MiB, what is read
/// of archives 2 × 128 MiB, connections 1,056 × 96 KiB, and 64 MiB for everything else.
pub(crate) const BOUND: u64 = (64 + 256 + 99 + 64) << 20;

/// How long everything may take to be freed: longer than each of the deadlines below.
const PATIENCE: Duration = Duration::from_secs(20);

/// Short deadlines, so that attacks end while a test waits.
const OPTIONS: [&str; 9] = [
    "--enable-metrics",
    "--header-timeout=3s",
    "--read-timeout=2s",
    "--write-timeout=2s",
    "--max-upload-size=4MiB",
    "--max-uploads=16",
    "--max-connections=1024",
    "--freshness=0",
    "--log-level=warn",
];

/// Attacks come one after the other: what one does must not be taken for another's.
static TURN: Mutex<()> = Mutex::new(());

/// The program, over a directory with a chart.
pub(crate) struct Subject {
    pub(crate) server: Server,
    scratch: TempDir,
    before: Usage,
    _turn: MutexGuard<'static, ()>,
}

/// What a process has open and in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    pub(crate) files: usize,
}

impl Subject {
    pub(crate) fn start() -> Self {
        Self::over(&[], &[])
    }

    pub(crate) fn over(archives: &[(String, Vec<u8>)], options: &[&str]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        allow_open_files();
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let storage = scratch.path().join("storage");
        fs::create_dir(&storage).expect("a folder is made");
        for (file, archive) in archives {
            fs::write(storage.join(file), archive).expect("a file is written");
        }
        let log = scratch.path().join("server.log");
        let options = [&OPTIONS, options].concat();
        let server = Server::start(&storage, &options, &log);
        let archive = chart("witness", "0.0.0");
        let url = format!("{}/api/charts", server.url());
        let reply = agent(PATIENCE).post(url).send(&archive);
        assert_eq!(reply.expect("a reply").status(), 201);
        let before = Usage::of(server.id());
        Self {
            server,
            scratch,
            before,
            _turn: turn,
        }
    }

    /// The address of the listener.
    pub(crate) fn address(&self) -> &str {
        self.server.url().trim_start_matches("http://")
    }

    /// A second program, which speaks HTTPS and is not waited for.
    pub(crate) fn with_tls(&self, authority: &Authority) -> (Server, Files) {
        let files = Files::of(&authority.server());
        let path = |path: &Path| path.to_str().expect("a text").to_owned();
        let certificate = path(&files.names.certificate);
        let key = path(&files.names.key);
        let pair = ["--tls-cert", &certificate, "--tls-key", &key];
        let options = [&OPTIONS[..], &pair].concat();
        let storage = self.scratch.path().join("storage");
        let log = self.scratch.path().join("tls.log");
        (Server::launch(&storage, &options, &log), files)
    }

    /// Waits until all connections and files are given back, and judges the memory.
    pub(crate) fn is_as_before(&self, what: &str) -> Usage {
        let begin = Instant::now();
        loop {
            let usage = Usage::of(self.server.id());
            let connections = self.connections();
            // The one that asks.
            let is_free = connections <= 1 && usage.files <= self.before.files + 4;
            if is_free {
                assert!(usage.peak <= BOUND, "{what}: {usage:?}");
                assert!(!self.server.said().contains("panicked"), "{what}");
                let mib = |bytes: u64| bytes >> 20;
                eprintln!(
                    "{what}: peak {} MiB, now {} MiB, {} files (before: {} MiB, {})",
                    mib(usage.peak),
                    mib(usage.resident),
                    usage.files,
                    mib(self.before.resident),
                    self.before.files
                );
                return usage;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "{what}: {connections} connections, {usage:?}; before: {:?}\n{}",
                self.before,
                self.server.said()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn connections(&self) -> usize {
        let url = format!("{}/metrics", self.server.url());
        let mut reply = agent(PATIENCE).get(url).call().expect("metrics");
        let text = reply.body_mut().read_to_string().expect("a text");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("chartroom_connections "));
        line.expect(&text).parse().expect("a number")
    }
}

impl Usage {
    pub(crate) fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            number.expect("Linux") << 10
        };
        let files = fs::read_dir(format!("/proc/{process}/fd")).expect("its own child");
        Self {
            resident: bytes("VmRSS:"),
            peak: bytes("VmHWM:"),
            files: files.count(),
        }
    }
}

/// The attackers have thousands of sockets.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, raised);
}

pub(crate) fn chart(name: &str, version: &str) -> Vec<u8> {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .tgz()
}
