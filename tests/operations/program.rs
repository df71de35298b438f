//! The program over any storage.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use chartroom_storage::{BucketOptions, Location, Store, Timeouts};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::binary::chartroom;
use crate::impostor::Impostor;
use crate::server::Server;
use crate::stores::{self, Kind, Start, StoreServer};

/// A secret of no server.
pub(crate) const SECRET: &str = "a-secret-of-the-test";

/// A storage, and how it is reached.
pub(crate) struct Storage {
    pub(crate) location: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) variables: Vec<(String, String)>,
    scratch: TempDir,
}

/// What a command came to.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Starts a store server, or says loudly that `what` is skipped. The runtime is what drives the part
/// of it that is in this process.
pub(crate) fn store_server(kind: Kind, what: &str, how: Start) -> Option<(Runtime, StoreServer)> {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(stores::start_as(kind, what, how))?;
    Some((runtime, server))
}

impl Storage {
    fn new(location: String, endpoint: Option<String>, variables: Vec<(String, String)>) -> Self {
        Self {
            location,
            endpoint,
            variables,
            scratch: tempfile::tempdir().unwrap(),
        }
    }

    /// A prefix of the server's bucket.
    pub(crate) fn on(server: &StoreServer) -> Self {
        Self::bucket_on(server, "charts")
    }

    /// A prefix of another bucket, which need not exist.
    pub(crate) fn bucket_on(server: &StoreServer, bucket: &str) -> Self {
        let location = server.location_of(bucket, "some/prefix").to_string();
        let BucketOptions {
            endpoint,
            variables,
            ..
        } = server.options();
        Self::new(location, endpoint, variables)
    }

    /// Another prefix of the server's bucket.
    pub(crate) fn prefix_on(server: &StoreServer, prefix: &str) -> Self {
        Self {
            location: server.location_of("charts", prefix).to_string(),
            ..Self::on(server)
        }
    }

    /// A prefix of a bucket of a server that speaks, or should speak, S3.
    pub(crate) fn at(url: &str) -> Self {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let location = "s3://charts/some/prefix".to_owned();
        Self::new(location, Some(url.to_owned()), variables.to_vec())
    }

    pub(crate) fn on_impostor(impostor: &Impostor) -> Self {
        Self::at(impostor.url())
    }

    /// An empty directory.
    pub(crate) fn directory() -> Self {
        let mut storage = Self::new(String::new(), None, Vec::new());
        let directory = storage.scratch.path().join("charts");
        std::fs::create_dir(&directory).unwrap();
        directory
            .to_str()
            .unwrap()
            .clone_into(&mut storage.location);
        storage
    }

    /// The storage as a hand sees it.
    pub(crate) fn store(&self) -> Store {
        let location = Location::parse(&self.location).unwrap();
        let options = BucketOptions {
            endpoint: self.endpoint.clone(),
            variables: self.variables.clone(),
            ..BucketOptions::default()
        };
        Store::open(&location, &options, Timeouts::default()).unwrap()
    }

    fn options(&self) -> Vec<&str> {
        let endpoint = self.endpoint.as_deref();
        endpoint.map_or_else(Vec::new, |url| vec!["--storage-endpoint", url])
    }

    fn home(&self) -> &Path {
        self.scratch.path()
    }

    fn log(&self) -> PathBuf {
        self.home().join("server.log")
    }

    /// Runs `chartroom check-storage`.
    pub(crate) fn check(&self) -> Ended {
        let output = Command::new(chartroom())
            .args(["check-storage", &self.location])
            .args(self.options())
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home())
            .envs(self.variables.iter().cloned())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let ended = Ended {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        for (name, value) in &self.variables {
            let is_secret = ["SECRET", "ACCESS_KEY", "TOKEN"]
                .iter()
                .any(|part| name.contains(part));
            let is_told = [&ended.out, &ended.err]
                .iter()
                .any(|text| text.contains(value.as_str()));
            assert!(
                !is_secret || !is_told || name == "AWS_ACCESS_KEY_ID",
                "it tells {name}:\n{}{}",
                ended.out,
                ended.err
            );
        }
        ended
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn serve(&self, options: &[&str]) -> Server {
        let mut server = self.launch(options);
        if let Err(reason) = server.wait_until_ready() {
            panic!("the server is not ready: {reason}\n{}", server.said());
        }
        server
    }

    fn launch(&self, options: &[&str]) -> Server {
        let options = [&self.options(), options].concat();
        Server::launch_over(
            self.location.as_ref(),
            &options,
            &self.variables,
            self.home(),
            &self.log(),
        )
    }

    /// Starts a server that cannot start, and returns the one line that says why.
    pub(crate) fn refusal(&self, options: &[&str]) -> String {
        let before = std::fs::read_to_string(self.log()).unwrap_or_default();
        let mut server = self.launch(options);
        let reason = server.wait_until_ready();
        let said = server.said().split_off(before.len());
        let reason = reason.expect_err(&said);
        let status = server.ended();
        let code = status.and_then(|status| status.code());
        assert_eq!(code, Some(1), "{reason}\n{said}");
        let lines: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("chartroom: "))
            .collect();
        assert_eq!(lines.len(), 1, "{said}");
        assert_eq!(said.lines().last(), lines.first().copied(), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        for (name, value) in &self.variables {
            let is_secret = name.ends_with("SECRET_ACCESS_KEY");
            assert!(!is_secret || !said.contains(value), "{said}");
        }
        lines[0].to_owned()
    }
}
