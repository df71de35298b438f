//! Runs real object store servers on loopback. `tests/tools/stores` installs them.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chartroom_storage::{BucketOptions, BucketService, Location, Store, Timeouts};
use http::{Method, Request};
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpConnector, HttpRequestBody, ReqwestConnector};
use tempfile::TempDir;

use crate::google::Google;
use crate::tools;

/// Longest wait for a start.
const PATIENCE: Duration = Duration::from_mins(1);

const S3_KEY: &str = "chartroom-key";
const S3_SECRET: &str = "chartroom-secret";

/// Azurite's own, which everybody knows.
const AZURE_ACCOUNT: &str = "devstoreaccount1";
const AZURE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The servers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Minio,
    Versitygw,
    FakeGcs,
    Azurite,
}

impl Kind {
    pub(crate) fn service(self) -> BucketService {
        match self {
            Self::Minio | Self::Versitygw => BucketService::S3,
            Self::FakeGcs => BucketService::Gcs,
            Self::Azurite => BucketService::Azure,
        }
    }

    /// Its variable, its folder of `tests/tools/stores`, and its name.
    fn program(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Minio => ("MINIO", "minio-0.0.0-20260212201848-7aac2a2c5b7c", "minio"),
            Self::Versitygw => ("VERSITYGW", "versitygw-v1.8.0", "versitygw"),
            Self::FakeGcs => (
                "FAKE_GCS_SERVER",
                "fake-gcs-server-v1.56.1",
                "fake-gcs-server",
            ),
            Self::Azurite => (
                "AZURITE_BLOB",
                "azurite-3.37.0/node_modules/.bin",
                "azurite-blob",
            ),
        }
    }
}

/// A server with an empty bucket. Dropping it ends the process and removes what it holds.
#[derive(Debug)]
pub(crate) struct StoreServer {
    kind: Kind,
    program: PathBuf,
    port: u16,
    how: Start,
    endpoint: String,
    bucket: String,
    process: Process,
    /// In front of fake-gcs-server.
    _google: Option<Google>,
    scratch: TempDir,
}

#[derive(Debug)]
struct Process {
    child: Child,
    log: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        // `Child::kill` sends SIGKILL to this one process, which may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// A folder with `public.crt` and `private.key`: `MinIO` then speaks TLS, under the name
    /// `localhost`.
    pub(crate) certificates: Option<PathBuf>,
}

/// Starts a server with an empty bucket, or says loudly that `what` is skipped.
///
/// # Panics
/// If the server does not start, or if it is missing and `CHARTROOM_REQUIRE_TOOLS` is 1.
pub(crate) async fn start(kind: Kind, what: &str) -> Option<StoreServer> {
    start_as(kind, what, Start::default()).await
}

/// Like [`start`], in a way of its own.
pub(crate) async fn start_as(kind: Kind, what: &str, how: Start) -> Option<StoreServer> {
    let (variable, place, name) = kind.program();
    let Some(program) = tools::program(variable, place, name) else {
        tools::skip(what, name);
        return None;
    };
    let scratch = TempDir::new().expect("a scratch directory");
    let port = free_port();
    let process = launch(kind, &program, port, scratch.path(), &how);
    let mut endpoint = match (kind, &how.certificates) {
        (Kind::Azurite, _) => format!("http://127.0.0.1:{port}/{AZURE_ACCOUNT}"),
        (_, Some(_)) => format!("https://localhost:{port}"),
        _ => format!("http://127.0.0.1:{port}"),
    };
    let mut google = None;
    if kind == Kind::FakeGcs {
        let proxy = Google::start(&endpoint).await;
        endpoint = proxy.url();
        google = Some(proxy);
    }
    let mut server = StoreServer {
        kind,
        program,
        port,
        how,
        endpoint,
        bucket: "charts".to_owned(),
        process,
        _google: google,
        scratch,
    };
    server.wait_and_make_bucket().await;
    Some(server)
}

/// Between here and the server's bind another program may take the port; then the start fails and
/// says so.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port()
}

fn launch(kind: Kind, program: &Path, port: u16, scratch: &Path, how: &Start) -> Process {
    let data = scratch.join("data");
    fs::create_dir_all(&data).expect("a data directory");
    let log = scratch.join("log");
    let output = OpenOptions::new().create(true).append(true).open(&log);
    let output = output.expect("a log file");
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", scratch)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a second handle"))
        .stderr(output);
    let address = format!("127.0.0.1:{port}");
    let port = port.to_string();
    match kind {
        Kind::Minio => {
            command
                .args(["server", "--address", &address, "--quiet"])
                .env("MINIO_ROOT_USER", S3_KEY)
                .env("MINIO_ROOT_PASSWORD", S3_SECRET)
                .env("MINIO_BROWSER", "off")
                .env("MINIO_UPDATE", "off");
            if let Some(folder) = &how.certificates {
                command.arg("--certs-dir").arg(folder);
            }
            command.arg(&data);
        }
        Kind::Versitygw => {
            let sidecar = scratch.join("sidecar");
            fs::create_dir_all(&sidecar).expect("a sidecar directory");
            command
                .args(["--access", S3_KEY, "--secret", S3_SECRET])
                .args(["--port", &address, "--keep-alive", "posix", "--sidecar"])
                .arg(&sidecar)
                .arg(&data);
        }
        Kind::FakeGcs => {
            command
                .args([
                    "-backend",
                    "memory",
                    "-scheme",
                    "http",
                    "-host",
                    "127.0.0.1",
                ])
                .args(["-port", &port, "-public-host", &address]);
        }
        Kind::Azurite => {
            command
                .args(["--blobPort", &port, "--inMemoryPersistence"])
                .args(["--skipApiVersionCheck", "--disableTelemetry", "--silent"]);
        }
    }
    let child = command.current_dir(scratch).spawn().expect("it starts");
    Process { child, log }
}

impl StoreServer {
    /// Where the bucket is.
    pub(crate) fn location(&self) -> Location {
        self.location_of(&self.bucket, "some/prefix")
    }

    /// Where a bucket of this server would be.
    pub(crate) fn location_of(&self, bucket: &str, prefix: &str) -> Location {
        let scheme = self.kind.service().scheme();
        let text = format!("{scheme}://{bucket}/{prefix}");
        Location::parse(&text).expect("it is a location")
    }

    /// How the bucket is reached.
    pub(crate) fn options(&self) -> BucketOptions {
        let (endpoint, variables) = match self.kind.service() {
            BucketService::S3 => (
                Some(self.endpoint.clone()),
                vec![
                    ("AWS_ACCESS_KEY_ID", S3_KEY.to_owned()),
                    ("AWS_SECRET_ACCESS_KEY", S3_SECRET.to_owned()),
                ],
            ),
            BucketService::Gcs => (None, vec![("STORAGE_EMULATOR_HOST", self.endpoint.clone())]),
            BucketService::Azure => (
                Some(self.endpoint.clone()),
                vec![
                    ("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT.to_owned()),
                    ("AZURE_STORAGE_ACCESS_KEY", AZURE_KEY.to_owned()),
                ],
            ),
        };
        BucketOptions {
            endpoint,
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            ..BucketOptions::default()
        }
    }

    /// A store over the bucket, below a prefix.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.location(), &self.options(), Timeouts::default()).expect("it opens")
    }

    /// The URL of the server.
    #[allow(dead_code, reason = "the options have it")]
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The number of the process.
    #[allow(dead_code, reason = "others leave it alone")]
    pub(crate) fn id(&self) -> u32 {
        self.process.child.id()
    }

    /// Ends the process at once, as `kill -9` does. What it holds stays, if it keeps it in files.
    #[allow(dead_code, reason = "others leave it alone")]
    pub(crate) fn kill(&mut self) {
        self.process.child.kill().expect("its own child");
        self.process.child.wait().expect("its own child");
    }

    /// Starts the process again, at the same address.
    #[allow(dead_code, reason = "others leave it alone")]
    pub(crate) async fn start_again(&mut self) {
        let scratch = self.scratch.path();
        self.process = launch(self.kind, &self.program, self.port, scratch, &self.how);
        self.wait_and_make_bucket().await;
    }

    async fn wait_and_make_bucket(&mut self) {
        let begin = Instant::now();
        loop {
            let reason = match self.make_bucket().await {
                Ok(200..=299 | 409) => return,
                Ok(status) => format!("it answers {status}"),
                Err(error) => error.to_string(),
            };
            let ended = self.process.child.try_wait().expect("its own child");
            assert!(
                ended.is_none() && begin.elapsed() < PATIENCE,
                "{:?} is not ready: {reason}, {ended:?}\n{}",
                self.kind,
                fs::read_to_string(&self.process.log).unwrap_or_default()
            );
            // The condition is polled: a process has no other way to say that it listens.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn make_bucket(&self) -> object_store::Result<u16> {
        let (method, url, body) = match self.kind.service() {
            BucketService::S3 => (
                Method::PUT,
                format!("{}/{}", self.endpoint, self.bucket),
                "",
            ),
            BucketService::Gcs => (
                Method::POST,
                format!("{}/storage/v1/b?project=test", self.endpoint),
                "{\"name\":\"charts\"}",
            ),
            BucketService::Azure => (
                Method::PUT,
                format!("{}/{}?restype=container", self.endpoint, self.bucket),
                "",
            ),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(HttpRequestBody::from(body.to_owned()))
            .expect("a request");
        match self.kind.service() {
            BucketService::S3 => {
                let credential = AwsCredential {
                    key_id: S3_KEY.to_owned(),
                    secret_key: S3_SECRET.to_owned(),
                    token: None,
                };
                AwsAuthorizer::new(&credential, "s3", "us-east-1")
                    .try_authorize(&mut request, None)?;
            }
            BucketService::Azure => {
                let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(AZURE_KEY)?);
                AzureAuthorizer::new(&credential, AZURE_ACCOUNT).try_authorize(&mut request)?;
            }
            BucketService::Gcs => {}
        }
        let mut options = ClientOptions::new().with_allow_http(true);
        if self.how.certificates.is_some() {
            options = options.with_allow_invalid_certificates(true);
        }
        let client = ReqwestConnector::default().connect(&options)?;
        let answer = client.execute(request).await;
        let answer = answer.map_err(|error| object_store::Error::Generic {
            store: "test",
            source: Box::new(error),
        })?;
        Ok(answer.status().as_u16())
    }
}
