//! A store whose requests are told to a meter.

use std::fmt::{self, Debug};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};
use tokio::time::Instant;

use crate::{Operation, StorageError, StorageErrorKind};

/// What is told about each request to a store.
///
/// Operations are `create`, `put` (a replace), `get`, `head`, `list` and `delete`. Results are `ok`,
/// `not_found`, `exists`, `denied`, `unavailable`, `timeout`, `unsupported`, `corrupt`, and
/// `cancelled` for a request whose answer nobody waited for any more: its time was up.
pub trait Meter: Send + Sync + Debug {
    /// Takes in a request that ended.
    fn observe(&self, operation: &'static str, result: &'static str, duration: Duration);
}

/// A decorator that tells a [`Meter`] about each request.
///
/// A `get` lasts until its answer begins: the reading of the body is not counted. A listing is one
/// request and lasts until its end, however many pages the service makes of it.
#[derive(Clone, Debug)]
pub struct Metered {
    inner: Arc<dyn ObjectStore>,
    meter: Arc<dyn Meter>,
}

impl Metered {
    /// Returns `inner` with a meter before it.
    pub fn new(inner: Arc<dyn ObjectStore>, meter: Arc<dyn Meter>) -> Self {
        Self { inner, meter }
    }

    fn begin(&self, operation: Operation) -> Running {
        Running {
            meter: Arc::clone(&self.meter),
            operation,
            begin: Instant::now(),
            result: CANCELLED,
        }
    }
}

const CANCELLED: &str = "cancelled";

/// A request under way; tells the meter when it is dropped.
struct Running {
    meter: Arc<dyn Meter>,
    operation: Operation,
    begin: Instant,
    result: &'static str,
}

impl Running {
    fn end<T>(mut self, answer: Result<T>) -> Result<T> {
        self.result = match &answer {
            Ok(_) => "ok",
            Err(error) => self.name(error),
        };
        answer
    }

    fn name(&self, error: &object_store::Error) -> &'static str {
        match StorageError::kind_in(self.operation, error) {
            StorageErrorKind::NotFound => "not_found",
            StorageErrorKind::AlreadyExists => "exists",
            StorageErrorKind::Denied => "denied",
            StorageErrorKind::Unavailable => "unavailable",
            StorageErrorKind::Timeout => "timeout",
            StorageErrorKind::Unsupported => "unsupported",
            StorageErrorKind::Corrupt => "corrupt",
        }
    }

    fn watch(
        self,
        listing: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::unfold(Some((self, listing)), |state| async move {
            let (mut running, mut listing) = state?;
            match listing.next().await {
                Some(Ok(object)) => Some((Ok(object), Some((running, listing)))),
                Some(Err(error)) => {
                    running.result = running.name(&error);
                    Some((Err(error), None))
                }
                None => {
                    running.result = "ok";
                    None
                }
            }
        })
        .boxed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let operation = match self.operation {
            Operation::Create => "create",
            Operation::Replace => "put",
            Operation::Open | Operation::Read => "get",
            Operation::Head => "head",
            Operation::List => "list",
            Operation::Delete => "delete",
        };
        self.meter
            .observe(operation, self.result, self.begin.elapsed());
    }
}

impl fmt::Display for Metered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Metered({})", self.inner)
    }
}

/// Refuses what our stores never ask for, lest it go past the meter.
fn refuse(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.into(),
        implementer: "Metered".into(),
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Metered {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let operation = match options.mode {
            PutMode::Create => Operation::Create,
            PutMode::Overwrite | PutMode::Update(_) => Operation::Replace,
        };
        let running = self.begin(operation);
        running.end(self.inner.put_opts(location, payload, options).await)
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(refuse("put_multipart"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = if options.head {
            Operation::Head
        } else {
            Operation::Read
        };
        let running = self.begin(operation);
        running.end(self.inner.get_opts(location, options).await)
    }

    async fn get_ranges(&self, _location: &Path, _ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        Err(refuse("get_ranges"))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .and_then(move |location| {
                let this = this.clone();
                async move {
                    let running = this.begin(Operation::Delete);
                    running.end(this.inner.delete(&location).await)?;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.begin(Operation::List).watch(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let listing = self.inner.list_with_offset(prefix, offset);
        self.begin(Operation::List).watch(listing)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let running = self.begin(Operation::List);
        running.end(self.inner.list_with_delimiter(prefix).await)
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(refuse("copy"))
    }

    async fn rename_opts(&self, _from: &Path, _to: &Path, _options: RenameOptions) -> Result<()> {
        Err(refuse("rename"))
    }
}
