//! A server under test: chartroom, or a real ChartMuseum beside it, started by the same command line.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::binary::chartroom;
use crate::report::say;
use crate::wire::{Ask, Reply};

/// Longest wait for a start, an end, or an index that follows an upload.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Chartroom,
    ChartMuseum(PathBuf),
}

impl Program {
    /// chartroom; or, to see a test fail on it, the ChartMuseum that `CHARTROOM_BIN` names.
    pub(crate) fn under_test() -> Self {
        let path = chartroom();
        if path.file_name().is_some_and(|name| name == "chartmuseum") {
            return Self::ChartMuseum(path);
        }
        Self::Chartroom
    }

    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Chartroom => chartroom(),
            Self::ChartMuseum(path) => path.clone(),
        }
    }

    pub(crate) fn is_ours(&self) -> bool {
        *self == Self::Chartroom
    }

    /// Starts it over a directory with further flags of ChartMuseum's, and waits until it answers.
    pub(crate) fn over(&self, storage: &Path, options: &[&str]) -> Subject {
        let root = format!("--storage-local-rootdir={}", storage.display());
        let mut flags = vec!["--storage=local", &root];
        flags.extend_from_slice(options);
        let home = storage.parent().expect("it is in a scratch directory");
        Launch::new(home).flags(&flags).start(self)
    }
}

/// A real ChartMuseum, if `CHARTMUSEUM` names its binary; else this says loudly that `what` is
/// skipped.
///
/// Other than for helm, `CHARTROOM_REQUIRE_TOOLS` does not forbid to skip: no script of ours builds
/// ChartMuseum or its plugin, since neither is published as a module that `go install` takes. What was
/// seen of them is written down in the tables that are held against chartroom in any case; a run with
/// the binary shows that the tables are right.
pub(crate) fn chartmuseum(what: &str) -> Option<Program> {
    named("CHARTMUSEUM", what).map(Program::ChartMuseum)
}

/// The real cm-push plugin, if `HELM_CM_PUSH` names its binary; see [`chartmuseum`].
pub(crate) fn cm_push(what: &str) -> Option<PathBuf> {
    named("HELM_CM_PUSH", what)
}

fn named(variable: &str, what: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        let path = PathBuf::from(path);
        let is_file = fs::metadata(&path).is_ok_and(|metadata| metadata.is_file());
        assert!(
            is_file,
            "{variable} is {}, which is no file",
            path.display()
        );
        return Some(path);
    }
    let line = format!("SKIPPED: {what}: {variable} does not name a binary");
    let bar = "!".repeat(line.len().min(100));
    say(&format!("\n{bar}\n{line}\n{bar}"));
    None
}

/// A command line and an environment in the making.
#[derive(Debug)]
pub(crate) struct Launch {
    directory: PathBuf,
    flags: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    context: String,
    port: Option<u16>,
}

impl Launch {
    /// Begins one whose home and working directory is `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            flags: Vec::new(),
            variables: Vec::new(),
            context: String::new(),
            port: None,
        }
    }

    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        for flag in flags {
            if let Some(path) = flag.strip_prefix("--context-path=") {
                let path = path.trim_matches('/');
                self.context = if path.is_empty() {
                    String::new()
                } else {
                    format!("/{path}")
                };
            }
            self.flags.push(flag.into());
        }
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Says what stands before every path.
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.context);
        self
    }

    /// Leaves address and port to the flags, variables or files of the test; the port is this.
    pub(crate) fn on_port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    fn command(&self, program: &Program) -> Command {
        let mut command = Command::new(program.path());
        command
            .args(&self.flags)
            .current_dir(&self.directory)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", &self.directory)
            .env("RUST_BACKTRACE", "1")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start(self, program: &Program) -> Subject {
        let log = self.directory.join("server.log");
        let output = OpenOptions::new().create(true).append(true).open(&log);
        let output = output.expect("a log file");
        let mut command = self.command(program);
        let port = self.port.unwrap_or_else(|| {
            let port = free_port();
            command.args(["--listen-host=127.0.0.1", &format!("--port={port}")]);
            port
        });
        let child = command
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.path().display()));
        let mut subject = Subject {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            log,
            is_ours: program.is_ours(),
        };
        // ChartMuseum has nothing that tells more; for it the tests wait for each index.
        let probe = if program.is_ours() { "ready" } else { "health" };
        subject.wait_until_up(&format!("{}/{probe}", self.context));
        subject
    }

    /// Runs a start that has to end by itself; returns its code and all that it wrote.
    pub(crate) fn fail(self, program: &Program) -> (Option<i32>, String) {
        let log = self.directory.join("start.log");
        let output = fs::File::create(&log).expect("a log file");
        let child = self
            .command(program)
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .expect("it starts");
        let mut subject = Subject {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            log,
            is_ours: program.is_ours(),
        };
        let status = subject.end();
        (status.code(), subject.said())
    }
}

/// A port that nobody has. Between here and the server's bind another program may take it; then the
/// start fails and says so.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port()
}

/// A running server. Dropping it ends it at once.
#[derive(Debug)]
pub(crate) struct Subject {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
    is_ours: bool,
}

impl Subject {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that servers wrote to this one's log so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn ask(&self, ask: &Ask) -> Reply {
        self.try_ask(ask)
            .unwrap_or_else(|error| panic!("{ask}: {error}\n{}", self.said()))
    }

    pub(crate) fn try_ask(&self, ask: &Ask) -> io::Result<Reply> {
        ask.send(self.address)
    }

    pub(crate) fn get(&self, target: &str) -> Reply {
        self.ask(&Ask::get(target))
    }

    /// Asks until the reply is right: chartroom once, since its 201 means visible, and ChartMuseum for
    /// a while, since it takes an upload into its index after the reply. Returns what was wrong at last.
    pub(crate) fn ask_until(
        &self,
        ask: &Ask,
        check: impl Fn(&Reply) -> Result<(), String>,
    ) -> Result<(), String> {
        let patience = Duration::from_secs(5);
        let begin = Instant::now();
        loop {
            let reply = self.try_ask(ask).map_err(|error| error.to_string())?;
            match check(&reply) {
                Err(_) if !self.is_ours && ask.is_read() && begin.elapsed() < patience => {
                    // The condition is polled: nothing tells when ChartMuseum's index has followed.
                    thread::sleep(Duration::from_millis(20));
                }
                checked => return checked,
            }
        }
    }

    fn wait_until_up(&mut self, probe: &str) {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its own child") {
                panic!("the server ended with {status}\n{}", self.said());
            }
            let last = match self.try_ask(&Ask::get(probe)) {
                Ok(reply) if reply.status == 200 => return,
                Ok(reply) => reply.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(begin.elapsed() < PATIENCE, "{last}\n{}", self.said());
            // The condition is polled: a process has no other way to say that it listens.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks the process to end and waits until it did.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status();
        assert!(
            asked.is_ok_and(|status| status.success()),
            "SIGTERM is sent"
        );
        self.end()
    }

    fn end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its own child") {
                return status;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "it does not end\n{}",
                self.said()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // `Child::kill` sends SIGKILL. The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
