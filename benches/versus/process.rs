//! The programs that are measured, as processes that end with their value.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Longest wait for a server that was asked to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    pub(crate) port: u16,
    /// When it was started.
    pub(crate) begun: Instant,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a port that nobody listens on.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

impl Process {
    /// Starts a program that will listen on `port`; what it says is added to the file `log`.
    pub(crate) fn start(mut command: Command, port: u16, log: &Path) -> anyhow::Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", log.parent().unwrap_or(Path::new(".")))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let begun = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} does not start", command.get_program().display()))?;
        Ok(Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            port,
            begun,
        })
    }

    /// Returns the most memory that it had, in bytes.
    pub(crate) fn peak(&self) -> f64 {
        memory(self.child.id(), "VmHWM:").unwrap_or_default()
    }

    /// Returns the memory that it has, in bytes.
    pub(crate) fn resident(&self) -> f64 {
        memory(self.child.id(), "VmRSS:").unwrap_or_default()
    }

    /// Returns the time that processors spent on it so far, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        cpu(self.child.id())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let begin = Instant::now();
        while self.child.try_wait()?.is_none() && begin.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Says whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

fn memory(pid: u32, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Returns the time that processors spent on a process and its children, in seconds.
fn cpu(pid: u32) -> f64 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok());
    let own = stat(pid).map_or(0.0, |stat| stat.cpu);
    children.fold(own, |sum, child| sum + cpu(child))
}

struct Stat {
    has_ended: bool,
    cpu: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    // Linux counts in hundredths of a second, whatever its kernel ticks in.
    const TICKS: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Before it stands the program's name, which may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some(Stat {
        has_ended: fields.first() == Some(&"Z"),
        cpu: (ticks(11)? + ticks(12)?) / TICKS,
    })
}

/// What a command took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: f64,
    pub(crate) peak: f64,
}

/// Runs a command to its end. It is looked at every millisecond, so that a peak of memory shorter than
/// that at its very end is not seen.
pub(crate) fn run(mut command: Command) -> anyhow::Result<Cost> {
    let name = command.get_program().to_owned();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begin = Instant::now();
    let mut child = command
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", name.display()))?;
    let pid = child.id();
    let mut peak: f64 = 0.0;
    // As long as nobody waits for it, its times are there to be read after its end.
    let cpu = loop {
        peak = peak.max(memory(pid, "VmHWM:").unwrap_or_default());
        match stat(pid) {
            Some(stat) if !stat.has_ended => thread::sleep(Duration::from_millis(1)),
            ended => break ended.map_or(0.0, |stat| stat.cpu),
        }
    };
    let wall = begin.elapsed();
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "{} ended with {status}", name.display());
    Ok(Cost { wall, cpu, peak })
}

/// The peers that are on this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peers {
    pub(crate) chartmuseum: Option<PathBuf>,
    pub(crate) nginx: Option<PathBuf>,
    pub(crate) helm: Option<PathBuf>,
    pub(crate) wrk: Option<PathBuf>,
}

impl Peers {
    /// Takes those that variables name.
    pub(crate) fn from_environment() -> Self {
        let path = |variable: &str| {
            let value = std::env::var_os(variable).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        Self {
            chartmuseum: path("CHARTMUSEUM"),
            nginx: path("NGINX"),
            helm: path("HELM"),
            wrk: path("WRK"),
        }
    }
}

/// Starts chartroom over a directory.
pub(crate) fn chartroom(directory: &Path, options: &[&str], log: &Path) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = Command::new(crate::binary::chartroom());
    command.arg("serve").arg(directory);
    command.args(["--port", &port.to_string()]).args(options);
    Process::start(command, port, log)
}

/// Starts ChartMuseum over a directory.
pub(crate) fn chartmuseum(binary: &Path, directory: &Path, log: &Path) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = Command::new(binary);
    command
        .args(["--listen-host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--storage", "local", "--storage-local-rootdir"])
        .arg(directory);
    Process::start(command, port, log)
}

/// nginx, whose workers outlive a master that is killed.
#[derive(Debug)]
pub(crate) struct Nginx {
    // Dropped after the master was asked to end.
    process: Option<Process>,
    pub(crate) url: String,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            let _ = process.stop();
        }
    }
}

impl Nginx {
    /// Returns the time that processors spent on it so far, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        self.process.as_ref().map_or(0.0, Process::cpu)
    }

    /// Serves a directory as a careful operator would have it.
    pub(crate) fn start(binary: &Path, root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        fs::create_dir_all(folder.join("nginx"))?;
        let configuration = folder.join("nginx/nginx.conf");
        let (prefix, root) = (folder.join("nginx"), root.display());
        let path = prefix.display();
        fs::write(
            &configuration,
            format!(
                "{user}worker_processes auto;\npid {path}/nginx.pid;\nerror_log {path}/error.log;\n\
                 events {{ worker_connections 4096; multi_accept on; }}\n\
                 http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  tcp_nodelay on;\n\
                 \x20 keepalive_timeout 75;\n  keepalive_requests 1000000000;\n  reset_timedout_connection on;\n\
                 \x20 open_file_cache max=20000 inactive=60s;\n  open_file_cache_valid 60s;\n  open_file_cache_min_uses 1;\n  open_file_cache_errors on;\n\
                 \x20 client_body_temp_path {path}/body;\n  proxy_temp_path {path}/proxy;\n  fastcgi_temp_path {path}/fastcgi;\n  uwsgi_temp_path {path}/uwsgi;\n  scgi_temp_path {path}/scgi;\n\
                 \x20 types {{ application/gzip tgz; text/yaml yaml; }}\n\
                 \x20 server {{\n    listen 127.0.0.1:{port} backlog=1024;\n    root {root};\n    etag on;\n    gzip_static on;\n    gzip_vary on;\n  }}\n}}\n",
                user = user(),
            ),
        )?;
        let mut command = Command::new(binary);
        command.arg("-p").arg(&prefix).arg("-c").arg(&configuration);
        command.args([OsStr::new("-g"), OsStr::new("daemon off;")]);
        let process = Process::start(command, port, &folder.join("nginx.log"))?;
        Ok(Self {
            url: process.url.clone(),
            process: Some(process),
        })
    }
}

/// As root, nginx would give its workers to somebody who may not read a temporary folder.
fn user() -> &'static str {
    let is_root = fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        uid.and_then(|uid| uid.split_whitespace().next()) == Some("0")
    });
    if is_root { "user root;\n" } else { "" }
}
