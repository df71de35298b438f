//! Where charts are kept: a folder, or a bucket of a real server. Named by ChartMuseum's flags and
//! variables.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chartroom_storage::BucketService;
use futures_util::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as ObjectPath;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::adoption::{digest, listing};
use crate::stores::{self, Kind, StoreServer};

/// Below it charts are kept in a bucket.
const PREFIX: &str = "some/prefix";

pub(crate) enum Place {
    Folder(TempDir),
    Bucket(Kind, Box<StoreServer>, Runtime),
}

impl Place {
    pub(crate) fn folder() -> Self {
        Self::Folder(tempfile::tempdir().expect("a temporary directory"))
    }

    /// Starts a server with an empty bucket, or says loudly that `what` is skipped.
    pub(crate) fn bucket(kind: Kind, what: &str) -> Option<Self> {
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(stores::start(kind, what))?;
        Some(Self::Bucket(kind, Box::new(server), runtime))
    }

    fn root(folder: &TempDir) -> PathBuf {
        folder.path().join("storage")
    }

    /// As ChartMuseum's flags name it. What a test's server needs beyond them is an address.
    pub(crate) fn flags(&self) -> Vec<String> {
        let (kind, server) = match self {
            Self::Folder(folder) => {
                let root = Self::root(folder);
                return vec![
                    "--storage=local".to_owned(),
                    format!("--storage-local-rootdir={}", root.display()),
                ];
            }
            Self::Bucket(kind, server, _) => (*kind, server),
        };
        let endpoint = server.options().endpoint;
        match kind.service() {
            BucketService::S3 => vec![
                "--storage=amazon".to_owned(),
                "--storage-amazon-bucket=charts".to_owned(),
                format!("--storage-amazon-prefix={PREFIX}"),
                "--storage-amazon-region=us-east-1".to_owned(),
                format!(
                    "--storage-amazon-endpoint={}",
                    endpoint.expect("it has one")
                ),
            ],
            BucketService::Gcs => vec![
                "--storage=google".to_owned(),
                "--storage-google-bucket=charts".to_owned(),
                format!("--storage-google-prefix={PREFIX}"),
            ],
            BucketService::Azure => vec![
                "--storage=microsoft".to_owned(),
                "--storage-microsoft-container=charts".to_owned(),
                format!("--storage-microsoft-prefix={PREFIX}"),
            ],
        }
    }

    /// What the services' own tools read.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let Self::Bucket(kind, server, _) = self else {
            return Vec::new();
        };
        let options = server.options();
        let mut variables = options.variables;
        if kind.service() == BucketService::Azure {
            // ChartMuseum knows Azure's own hosts only.
            let endpoint = options.endpoint.expect("it has one");
            variables.push(("CHARTROOM_STORAGE_ENDPOINT".to_owned(), endpoint));
        }
        variables
    }

    /// Every object but chartroom's own, and the digest of its content.
    pub(crate) fn objects(&self) -> BTreeMap<String, String> {
        let (server, runtime) = match self {
            Self::Folder(folder) => {
                let found = listing(&Self::root(folder));
                return found
                    .into_iter()
                    .map(|(name, (digest, _))| (name, digest))
                    .collect();
            }
            Self::Bucket(_, server, runtime) => (server, runtime),
        };
        let store = server.store().object_store();
        runtime.block_on(async {
            let prefix = ObjectPath::from(PREFIX);
            let found: Vec<_> = store
                .list(Some(&prefix))
                .try_collect()
                .await
                .expect("a listing");
            let mut objects = BTreeMap::new();
            for object in found {
                let name = object.location.as_ref();
                let name = name
                    .strip_prefix(&format!("{PREFIX}/"))
                    .expect("it is below");
                if name.split('/').any(|segment| segment == ".chartroom") {
                    continue;
                }
                let body = store.get(&object.location).await.expect("an object");
                let body = body.bytes().await.expect("an object");
                objects.insert(name.to_owned(), digest(&body));
            }
            objects
        })
    }

    /// The content of an object; empty if it is not there.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        match self {
            Self::Folder(folder) => fs::read(Self::root(folder).join(name)).unwrap_or_default(),
            Self::Bucket(_, server, runtime) => {
                let store = server.store().object_store();
                let key = ObjectPath::from(format!("{PREFIX}/{name}"));
                runtime.block_on(async {
                    match store.get(&key).await {
                        Ok(found) => found.bytes().await.expect("an object").to_vec(),
                        Err(_) => Vec::new(),
                    }
                })
            }
        }
    }

    pub(crate) fn remove(&self, name: &str) {
        match self {
            Self::Folder(folder) => {
                fs::remove_file(Self::root(folder).join(name)).expect("a file is removed");
            }
            Self::Bucket(_, server, runtime) => {
                let store = server.store().object_store();
                let key = ObjectPath::from(format!("{PREFIX}/{name}"));
                runtime
                    .block_on(store.delete(&key))
                    .expect("an object is removed");
            }
        }
    }
}
