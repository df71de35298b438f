//! Runs the real server over a directory or a bucket.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::binary::chartroom;

/// Longest wait for a start or an end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server process. Dropping it ends it at once, as `kill -9` does.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
    /// What stands before every path.
    context_path: String,
    log: PathBuf,
}

impl Server {
    /// Launches a server over `directory` on a free port and waits until it is ready.
    ///
    /// Its output is appended to the file `log`.
    pub(crate) fn start(directory: &Path, options: &[&str], log: &Path) -> Self {
        let mut server = Self::launch(directory, options, log);
        if let Err(reason) = server.wait_until_ready() {
            panic!("the server is not ready: {reason}\n{}", server.said());
        }
        server
    }

    /// Launches a server without waiting for it.
    pub(crate) fn launch(directory: &Path, options: &[&str], log: &Path) -> Self {
        let home = directory.parent().expect("it is in a scratch directory");
        Self::launch_over(directory.as_os_str(), options, &[], home, log)
    }

    /// Launches a server over any storage, with variables of its own.
    pub(crate) fn launch_over(
        storage: &OsStr,
        options: &[&str],
        variables: &[(String, String)],
        home: &Path,
        log: &Path,
    ) -> Self {
        // Between here and the server's bind another program may take the port; then the start
        // fails and says so.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        let child = Command::new(chartroom())
            .arg("serve")
            .arg(storage)
            .args(["--port", &port.to_string()])
            .args(options)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(
                variables
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            )
            .env("HOME", home)
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .expect("the server starts");
        let mut options = options
            .iter()
            .skip_while(|option| **option != "--context-path");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            context_path: options.nth(1).copied().unwrap_or_default().to_owned(),
            log: log.to_owned(),
        }
    }

    /// Waits until `/ready` answers 200, or tells why that will not happen.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), String> {
        let agent = agent(Duration::from_secs(5));
        let ready = format!("{}{}/ready", self.url, self.context_path);
        let begin = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return Err(format!("it ended with {status}"));
            }
            let last = match agent.get(&ready).call() {
                Ok(reply) if reply.status() == 200 => return Ok(()),
                Ok(reply) => format!("/ready answers {}", reply.status()),
                Err(error) => error.to_string(),
            };
            if begin.elapsed() > PATIENCE {
                return Err(last);
            }
            // The condition is polled: a process has no other way to say that it listens.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How the process ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its own child")
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `http://host:port`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Everything that servers wrote to this one's log so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks the process to end and waits until it did.
    pub(crate) fn stop(mut self) -> ExitStatus {
        send("TERM", self.id());
        let begin = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                begin.elapsed() < PATIENCE,
                "SIGTERM is ignored\n{}",
                self.said()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends a signal to one process.
pub(crate) fn send(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(process.to_string())
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "SIG{signal} is sent"
    );
}

impl Drop for Server {
    fn drop(&mut self) {
        // `Child::kill` sends SIGKILL. The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that takes every status for an answer.
pub(crate) fn agent(timeout: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(timeout))
        .build()
        .new_agent()
}
