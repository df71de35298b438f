//! A bucket of a real S3 server, and replicas over it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chartroom_storage::{Key, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::archive::Archive;
use crate::client::{Client, Index};
use crate::server::{Server, send};
use crate::stores::{self, Kind, StoreServer};

/// The default of `--freshness`.
pub(crate) const FRESHNESS: Duration = Duration::from_secs(1);

/// Longest wait for something that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Two cores cannot do with more than one set of servers at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A bucket, which is empty at first.
pub(crate) struct Bucket {
    pub(crate) server: StoreServer,
    pub(crate) runtime: Runtime,
    scratch: TempDir,
    /// Dropped last.
    _turn: MutexGuard<'static, ()>,
}

impl Bucket {
    /// Starts the S3 server, or says loudly that `what` is skipped.
    pub(crate) fn start(what: &str) -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(stores::start(Kind::Minio, what))?;
        Some(Self {
            server,
            runtime,
            scratch: TempDir::new().expect("a scratch directory"),
            _turn: turn,
        })
    }

    /// Starts a replica and waits until it is ready.
    pub(crate) fn replica(&self, name: &'static str, options: &[&str]) -> Replica {
        self.replica_by(name, options, self.server.endpoint())
    }

    /// Starts a replica that reaches the store by another way.
    pub(crate) fn replica_by(
        &self,
        name: &'static str,
        options: &[&str],
        endpoint: &str,
    ) -> Replica {
        let mut replica = self.launch_by(name, options, endpoint);
        replica.wait_until_ready();
        replica
    }

    /// Launches a replica without waiting for it.
    pub(crate) fn launch(&self, name: &'static str, options: &[&str]) -> Replica {
        self.launch_by(name, options, self.server.endpoint())
    }

    /// Launches a replica that reaches the store by another way.
    pub(crate) fn launch_by(
        &self,
        name: &'static str,
        options: &[&str],
        endpoint: &str,
    ) -> Replica {
        let way = Way {
            storage: self.server.location().to_string(),
            options: options
                .iter()
                .copied()
                .chain(["--storage-endpoint", endpoint])
                .map(str::to_owned)
                .collect(),
            variables: self.server.options().variables,
            home: self.scratch.path().to_owned(),
            log: self.scratch.path().join(format!("{name}.log")),
        };
        let server = way.launch();
        Replica { name, server, way }
    }

    /// The bucket as a hand sees it.
    pub(crate) fn hand(&self) -> Store {
        self.server.store()
    }

    /// Puts a file by hand.
    pub(crate) fn put(&self, file: &str, body: Vec<u8>) {
        let key = Key::parse(file).unwrap();
        let put = self.hand();
        let put = put.replace(&key, Bytes::from(body));
        self.runtime.block_on(put).expect("a hand puts a file");
    }

    /// The archives that are there, by file, with their bytes.
    pub(crate) fn archives(&self) -> BTreeMap<String, Bytes> {
        let store = self.hand();
        self.runtime.block_on(async {
            let mut archives = BTreeMap::new();
            for object in store.list().await.expect("the bucket is listed") {
                let body = store.get(&object.key).await.expect("it is read").body;
                archives.insert(object.key.as_str().to_owned(), body);
            }
            archives
        })
    }
}

/// A process, and how it is started.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) name: &'static str,
    pub(crate) server: Server,
    way: Way,
}

#[derive(Debug)]
struct Way {
    storage: String,
    options: Vec<String>,
    variables: Vec<(String, String)>,
    home: PathBuf,
    log: PathBuf,
}

impl Way {
    fn launch(&self) -> Server {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        Server::launch_over(
            self.storage.as_ref(),
            &options,
            &self.variables,
            &self.home,
            &self.log,
        )
    }
}

impl Replica {
    pub(crate) fn wait_until_ready(&mut self) {
        if let Err(reason) = self.server.wait_until_ready() {
            panic!(
                "{} is not ready: {reason}\n{}",
                self.name,
                self.server.said()
            );
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.server.url())
    }

    /// Ends the process at once, as `kill -9` does, and starts another one.
    pub(crate) fn kill_and_restart(&mut self) {
        // The old process is killed when it is dropped, which is before the new one is waited for.
        self.server = self.way.launch();
        self.wait_until_ready();
    }

    /// Stops the process without telling it.
    pub(crate) fn freeze(&self) {
        send("STOP", self.server.id());
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        send("CONT", self.server.id());
    }

    /// What the replica lists, at this generation or later.
    pub(crate) fn index_at_least(&self, generation: u64) -> Index {
        let index = self.client().index_at_least(generation);
        let index = index.expect("the replica answers");
        index.unwrap_or_else(|reason| panic!("{}: {reason}\n{}", self.name, self.server.said()))
    }

    /// The YAML index: its text, tag and generation.
    pub(crate) fn yaml(&self) -> (Vec<u8>, String, Option<u64>) {
        let reply = self.client().yaml_index().expect("the replica answers");
        assert_eq!(reply.status, 200, "{}", self.name);
        let tag = reply.header("ETag").to_owned();
        (reply.body, tag, reply.generation)
    }
}

/// Polls until there is something; what is polled has no other way to say so.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An archive of a chart, whose bytes depend on `content`.
pub(crate) fn chart(name: &str, version: &str, content: &str) -> Vec<u8> {
    let metadata =
        format!("apiVersion: v2\nname: {name}\nversion: {version}\ndescription: \"{content}\"\n");
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .tgz()
}
