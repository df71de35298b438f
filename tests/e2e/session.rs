//! A user's shell: runs commands in a scratch folder and keeps a transcript.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::binary::chartroom;
use crate::fixture::Fixture;
use crate::server::Server;
use crate::tools::Helm;

/// A shell with a helm home of its own, in a folder that holds copies of the packaged charts.
#[derive(Debug)]
pub(crate) struct Session {
    helm: Helm,
    scratch: TempDir,
    transcript: String,
    commands: usize,
}

/// What a command printed.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    text: String,
    command: String,
}

impl Session {
    pub(crate) fn new(helm: &Helm, fixture: &Fixture) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        for item in fs::read_dir(fixture.path()).expect("the fixture is there") {
            let item = item.expect("the fixture can be listed");
            if item.file_type().expect("it has a type").is_file() {
                fs::copy(item.path(), scratch.path().join(item.file_name()))
                    .expect("a file is copied");
            }
        }
        // `helm pull --destination` wants a folder that is there.
        for folder in ["pulled", "by-url", "unverified", "gone"] {
            fs::create_dir(scratch.path().join(folder)).expect("a folder is made");
        }
        Self {
            helm: helm.clone(),
            scratch,
            transcript: String::new(),
            commands: 0,
        }
    }

    /// Starts a server over a fresh folder.
    pub(crate) fn serve(&mut self, options: &[&str]) -> Server {
        let folder = self.path("storage");
        fs::create_dir(&folder).expect("a folder is made");
        self.note(&format!("chartroom serve storage {}", options.join(" ")));
        Server::start(&folder, options, &self.path("server.log"))
    }

    /// A path below the session's folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.scratch.path().join(relative)
    }

    /// Runs helm, which has to succeed.
    pub(crate) fn helm(&mut self, arguments: &[&str]) -> Printed {
        let program = self.helm.path.clone();
        self.run(&program, arguments, Expected::Success)
    }

    /// Runs helm, which has to fail.
    pub(crate) fn helm_fails(&mut self, arguments: &[&str]) -> Printed {
        let program = self.helm.path.clone();
        self.run(&program, arguments, Expected::Failure)
    }

    /// Runs chartroom, which has to succeed, and returns what it printed to stdout. It may be a secret,
    /// and is not noted.
    pub(crate) fn chartroom(&mut self, arguments: &[&str]) -> String {
        self.note(&format!("chartroom {}", arguments.join(" ")));
        let output = Command::new(chartroom())
            .args(arguments)
            .current_dir(self.scratch.path())
            .env_clear()
            .output()
            .expect("chartroom starts");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Whether helm is version 4.
    pub(crate) fn is_v4(&self) -> bool {
        self.helm.major == "v4"
    }

    /// Runs curl, which prints the body and then the status.
    pub(crate) fn curl(&mut self, arguments: &[&str]) -> Printed {
        let arguments = [&["-sS", "-w", " [%{http_code}]"], arguments].concat();
        self.run(Path::new("curl"), &arguments, Expected::Success)
    }

    pub(crate) fn note(&mut self, line: &str) {
        writeln!(self.transcript, "# {line}").expect("memory");
    }

    pub(crate) fn commands(&self) -> usize {
        self.commands
    }

    /// The commands, what they printed and their exit codes, without this machine's paths.
    pub(crate) fn transcript(&self) -> String {
        self.transcript
            .replace(&*self.scratch.path().to_string_lossy(), "…")
    }

    /// Asserts that two files are the same bytes.
    pub(crate) fn same_bytes(&self, left: &str, right: &str) {
        let [one, other] = [left, right].map(|file| fs::read(self.path(file)));
        let (one, other) = (
            one.expect("it is there"),
            other.unwrap_or_else(|_| panic!("{right} is missing")),
        );
        assert!(
            one == other,
            "{left} and {right} differ\n{}",
            self.transcript()
        );
    }

    fn run(&mut self, program: &Path, arguments: &[&str], expected: Expected) -> Printed {
        let name = program
            .file_name()
            .expect("a program has a name")
            .to_string_lossy();
        let name = if name == "helm" {
            format!("helm-{}", self.helm.major)
        } else {
            name.into_owned()
        };
        let command = format!("{name} {}", arguments.join(" "));
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.scratch.path())
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.path("home"))
            .env("HELM_CACHE_HOME", self.path("home/cache"))
            .env("HELM_CONFIG_HOME", self.path("home/config"))
            .env("HELM_DATA_HOME", self.path("home/data"))
            .output()
            .unwrap_or_else(|error| panic!("{command} does not start: {error}"));
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        let code = output.status.code().unwrap_or(-1);
        self.commands += 1;
        writeln!(self.transcript, "$ {command}").expect("memory");
        for line in text.lines().filter(|line| !line.is_empty()).take(12) {
            writeln!(self.transcript, "  {line}").expect("memory");
        }
        writeln!(self.transcript, "  (exit {code})").expect("memory");
        let log = fs::read_to_string(self.path("server.log")).unwrap_or_default();
        assert!(
            (code == 0) == (expected == Expected::Success),
            "{command}: exit {code}\n{text}\n--- transcript\n{}\n--- server\n{log}",
            self.transcript()
        );
        Printed { text, command }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Success,
    Failure,
}

impl Printed {
    /// Asserts that a text was printed.
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(
            self.text.contains(text),
            "`{}` does not show {text:?}:\n{}",
            self.command,
            self.text
        );
        self
    }

    /// Asserts that a text was not printed.
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(
            !self.text.contains(text),
            "`{}` shows {text:?}:\n{}",
            self.command,
            self.text
        );
        self
    }
}
