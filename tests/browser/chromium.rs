//! Chromium without a window.

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use url::Url;

/// Longest time that a page takes to be opened.
const PATIENCE: Duration = Duration::from_secs(90);

/// A browser that was found.
#[derive(Clone, Debug)]
pub(crate) struct Chromium {
    path: PathBuf,
}

/// What a browser made of a page.
#[derive(Debug)]
pub(crate) struct Dump {
    /// Its tree of elements, written as HTML again.
    pub(crate) dom: String,
    /// What it said on the way.
    pub(crate) log: String,
}

impl Chromium {
    /// Finds the browser that `CHROMIUM` names, or `chromium` on `PATH`.
    ///
    /// # Panics
    /// If `CHROMIUM` names none.
    pub(crate) fn find() -> Option<Self> {
        if let Some(path) = env::var_os("CHROMIUM").map(PathBuf::from) {
            let found = Self { path };
            assert!(
                found.starts(),
                "CHROMIUM is {}, which does not start",
                found.path.display()
            );
            return Some(found);
        }
        ["chromium", "chromium-browser"]
            .map(|name| Self { path: name.into() })
            .into_iter()
            .find(Self::starts)
    }

    fn starts(&self) -> bool {
        let version = Command::new(&self.path).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    }

    /// Opens a page with an empty profile.
    pub(crate) fn open(&self, url: &Url) -> Dump {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let file = |name: &str| scratch.path().join(name);
        let output = |name: &str| Stdio::from(File::create(file(name)).expect("a file"));
        let mut profile = "--user-data-dir=".to_owned();
        profile.push_str(file("profile").to_str().expect("a plain path"));
        let mut child = Command::new(&self.path)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--no-proxy-server",
                "--enable-logging=stderr",
                &profile,
                "--dump-dom",
                url.as_str(),
            ])
            .env("HOME", scratch.path())
            .stdin(Stdio::null())
            .stdout(output("dom"))
            .stderr(output("log"))
            .spawn()
            .expect("the browser starts");
        let begin = Instant::now();
        let read = |name: &str| {
            String::from_utf8_lossy(&fs::read(file(name)).expect("it was made")).into_owned()
        };
        let status = loop {
            if let Some(status) = child.try_wait().expect("its own child") {
                break status;
            }
            if begin.elapsed() > PATIENCE {
                // It may have ended just now.
                let _ = child.kill();
                let _ = child.wait();
                panic!("{url} took the browser too long\n{}", read("log"));
            }
            // The condition is polled: a process has no other way to say that it ended by a deadline.
            thread::sleep(Duration::from_millis(20));
        };
        let dump = Dump {
            dom: read("dom"),
            log: read("log"),
        };
        assert!(status.success(), "{url}: {status}\n{}", dump.log);
        dump
    }
}

impl Dump {
    /// Whether the page's policy forbade something that is on the page.
    pub(crate) fn is_something_blocked(&self) -> bool {
        self.log.contains("Content Security Policy")
    }

    /// Checks that the page is shown as it was written.
    pub(crate) fn assert_nothing_was_blocked(&self) {
        assert!(!self.is_something_blocked(), "{}", self.log);
    }
}
