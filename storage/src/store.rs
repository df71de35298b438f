//! The store: objects by validated keys, with deadlines.

mod body;
mod deadline;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    GetOptions, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use tokio::time::Instant;

use crate::bucket::{self, BucketOptions};
use crate::local::LocalDirectory;
use crate::{
    Key, Listed, Location, Meter, Metered, Object, ObjectId, ObjectStream, Operation,
    RepositoryPath, StorageError, StorageErrorKind, Written,
};

/// The largest body, in bytes, that is moved within [`Timeouts::small`].
const SMALL_BODY: u64 = 256 * 1024;

/// Objects in a directory, a bucket or in memory, below a prefix.
///
/// Cheap to clone. Every operation ends by its deadline. Reads are tried again a few times, within
/// the deadline, if the store failed; writes and deletions are sent once, because only the caller
/// can know whether they may be sent again. A failure is never told as absence.
///
/// # Cancellation
/// A write or deletion whose future is dropped may have happened, or may still happen.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    /// The prefix of all keys, without a slash at its ends; empty for none.
    prefix: String,
    timeouts: Timeouts,
    /// Where the credentials of a bucket come from, in words.
    credentials: Option<Arc<str>>,
}

/// How long operations may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For what carries little: records of the log and other bodies of up to 256 KiB, HEAD, DELETE,
    /// and the time until a download begins.
    pub small: Duration,
    /// For a larger body as a whole, a listing, and each piece of a streamed body.
    pub transfer: Duration,
}

/// By when a read, with all its tries, has to begin and to end. A small body has to be there when
/// another one has to begin.
#[derive(Clone, Copy)]
struct ReadLimits {
    begin: Instant,
    end: Instant,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            small: Duration::from_secs(5),
            transfer: Duration::from_mins(1),
        }
    }
}

impl Store {
    /// Opens the store at a location. A directory is created if it is missing; a bucket is not, and
    /// is not asked for anything yet.
    ///
    /// # Errors
    /// Fails if the directory cannot be created or written, if what `bucket` says does not fit
    /// together, and for services that are not built in.
    ///
    /// # Cost
    /// Blocks for some operations of the file system: it is made for the start of the program.
    pub fn open(
        location: &Location,
        bucket: &BucketOptions,
        timeouts: Timeouts,
    ) -> Result<Self, StorageError> {
        match location {
            Location::Memory => Ok(Self::new(Arc::new(InMemory::new()), timeouts)),
            Location::Directory(path) => {
                let directory = LocalDirectory::open(path)
                    .map_err(|error| StorageError::from_open(&location.to_string(), error))?;
                Ok(Self::new(Arc::new(directory), timeouts))
            }
            Location::Bucket {
                service,
                name,
                prefix,
            } => {
                let bucket = bucket::open(*service, name, bucket, timeouts)
                    .map_err(|error| StorageError::from_bucket(&location.to_string(), error))?;
                let prefix = prefix.as_ref().map(Key::as_str).unwrap_or_default();
                Ok(Self {
                    prefix: prefix.to_owned(),
                    credentials: Some(bucket.credentials.into()),
                    ..Self::new(bucket.objects, timeouts)
                })
            }
        }
    }

    /// Opens the store at a location to look at it: a directory must be there, and nothing is tried
    /// out in it, so that it may be one that cannot be written.
    ///
    /// # Errors
    /// Fails if there is no such directory, and as [`Store::open`].
    ///
    /// # Cost
    /// As [`Store::open`].
    pub fn open_existing(
        location: &Location,
        bucket: &BucketOptions,
        timeouts: Timeouts,
    ) -> Result<Self, StorageError> {
        let Location::Directory(path) = location else {
            return Self::open(location, bucket, timeouts);
        };
        let directory = LocalDirectory::open_existing(path)
            .map_err(|error| StorageError::from_open(&location.to_string(), error))?;
        Ok(Self::new(Arc::new(directory), timeouts))
    }

    /// Returns a store over `inner`, which may be one of the decorators of the
    /// `testing` feature.
    pub fn new(inner: Arc<dyn ObjectStore>, timeouts: Timeouts) -> Self {
        Self {
            inner,
            prefix: String::new(),
            timeouts,
            credentials: None,
        }
    }

    /// Returns the same store with a meter that is told about each request.
    #[must_use]
    pub fn metered(&self, meter: Arc<dyn Meter>) -> Self {
        Self {
            inner: Arc::new(Metered::new(self.object_store(), meter)),
            ..self.clone()
        }
    }

    /// Returns the same store below a further prefix.
    #[must_use]
    pub fn within(&self, repository: &RepositoryPath) -> Self {
        Self {
            prefix: join(&self.prefix, repository.as_str()),
            ..self.clone()
        }
    }

    /// Returns what the store is made over, without prefix and deadlines, to be decorated.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.inner)
    }

    /// Returns where the credentials of a bucket come from, in words without a secret; nothing for
    /// stores that need none.
    pub fn credentials(&self) -> Option<&str> {
        self.credentials.as_deref()
    }

    /// Returns how long operations may take.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Writes an object that must not exist yet. Sent once.
    ///
    /// # Errors
    /// [`AlreadyExists`](StorageErrorKind::AlreadyExists) if there is an object of that key. After
    /// an error of which [`StorageError::outcome_unknown`] is true, read it back to learn who won.
    pub async fn create(&self, key: &Key, body: Bytes) -> Result<Written, StorageError> {
        self.put(Operation::Create, key, body, PutMode::Create)
            .await
    }

    /// Writes an object over whatever is there. Sent once.
    ///
    /// # Errors
    /// See [`StorageError::outcome_unknown`].
    pub async fn replace(&self, key: &Key, body: Bytes) -> Result<Written, StorageError> {
        self.put(Operation::Replace, key, body, PutMode::Overwrite)
            .await
    }

    async fn put(
        &self,
        operation: Operation,
        key: &Key,
        body: Bytes,
        mode: PutMode,
    ) -> Result<Written, StorageError> {
        let location = self.locate(operation, key)?;
        let limit = self.limit_for(body.len() as u64);
        let options = PutOptions::from(mode);
        let written = deadline::within(limit, operation, location.as_ref(), async {
            self.inner
                .put_opts(&location, body.into(), options)
                .await
                .map_err(|error| StorageError::from_store(operation, location.as_ref(), error))
        })
        .await?;
        Ok(Written {
            e_tag: written.e_tag,
        })
    }

    /// Reads a whole object.
    ///
    /// # Errors
    /// [`NotFound`](StorageErrorKind::NotFound) only if the store said so. A body that ends early is
    /// an error.
    pub async fn get(&self, key: &Key) -> Result<Object, StorageError> {
        let location = self.locate(Operation::Read, key)?;
        let limits = ReadLimits {
            begin: deadline::after(self.timeouts.small),
            end: deadline::after(self.timeouts.transfer.max(self.timeouts.small)),
        };
        deadline::retry(|| self.get_once(&location, limits)).await
    }

    async fn get_once(&self, location: &Path, limits: ReadLimits) -> Result<Object, StorageError> {
        let name = location.as_ref();
        let answer = self.begin_read(location, GetOptions::new());
        let answer = deadline::by(limits.begin, Operation::Read, name, answer).await?;
        let id = ObjectId::from(answer.meta.clone());
        let length = answer.range.end.saturating_sub(answer.range.start);
        let limit = if length <= SMALL_BODY {
            limits.begin
        } else {
            limits.end
        };
        let body = body::collect(name, answer);
        let body = deadline::by(limit, Operation::Read, name, body).await?;
        Ok(Object { id, body })
    }

    /// Begins to read an object, or the part of it that lies in `range`; a range that goes on after
    /// the object's end is cut there. The returned stream answers with the object as it was at this
    /// moment, or with an error.
    ///
    /// # Errors
    /// [`NotFound`](StorageErrorKind::NotFound) only if the store said so, and
    /// [`Corrupt`](StorageErrorKind::Corrupt) if the range begins after the object's end: callers
    /// take ranges from what they know of the object, so it is not the object they think it is.
    pub async fn open_range(
        &self,
        key: &Key,
        range: Option<Range<u64>>,
    ) -> Result<ObjectStream, StorageError> {
        let location = self.locate(Operation::Read, key)?;
        // Stores refuse empty ranges; the object must still be there.
        if let Some(range) = range.as_ref().filter(|range| range.is_empty()) {
            let id = self.head(key).await?;
            return Ok(body::empty(id, range.start));
        }
        let limit = self.timeouts.small;
        let options = GetOptions::new().with_range(range.clone());
        let answer = deadline::within(limit, Operation::Read, location.as_ref(), async {
            deadline::retry(|| self.begin_read(&location, options.clone())).await
        })
        .await;
        let answer = match (answer, range) {
            (Ok(answer), _) => answer,
            (Err(error), Some(range)) => return Err(self.explain(key, range, error).await),
            (Err(error), None) => return Err(error),
        };
        Ok(body::stream(
            location.as_ref(),
            answer,
            self.timeouts.transfer,
        ))
    }

    /// Tells a range after the object's end, for which stores have no error of their own, from a
    /// failing store.
    async fn explain(&self, key: &Key, range: Range<u64>, error: StorageError) -> StorageError {
        if error.kind() != StorageErrorKind::Unavailable {
            return error;
        }
        match self.head(key).await {
            Ok(id) if range.start >= id.size => {
                StorageError::new(StorageErrorKind::Corrupt, Operation::Read, error.location())
                    .with_source(format!(
                        "the range begins at {} but the object has {} bytes",
                        range.start, id.size
                    ))
            }
            _ => error,
        }
    }

    async fn begin_read(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> Result<GetResult, StorageError> {
        self.inner
            .get_opts(location, options)
            .await
            .map_err(|error| StorageError::from_store(Operation::Read, location.as_ref(), error))
    }

    /// Returns an object's identity.
    ///
    /// # Errors
    /// [`NotFound`](StorageErrorKind::NotFound) only if the store said so.
    pub async fn head(&self, key: &Key) -> Result<ObjectId, StorageError> {
        let location = self.locate(Operation::Head, key)?;
        let name = location.as_ref();
        deadline::within(self.timeouts.small, Operation::Head, name, async {
            deadline::retry(|| async {
                self.inner
                    .head(&location)
                    .await
                    .map(ObjectId::from)
                    .map_err(|error| StorageError::from_store(Operation::Head, name, error))
            })
            .await
        })
        .await
    }

    /// Lists the objects directly below the prefix, sorted by key. Folders are not entered, so a
    /// repository does not read those within it. Objects whose name is not a [`Key`] are left out,
    /// with a warning.
    ///
    /// # Errors
    /// Fails rather than returning a part of the listing.
    pub async fn list(&self) -> Result<Vec<Listed>, StorageError> {
        let (objects, _) = self.list_children().await?;
        Ok(self.describe(objects))
    }

    /// Lists the repositories directly below the prefix, sorted: the folders whose names do not
    /// begin with a dot.
    ///
    /// # Errors
    /// Fails rather than returning a part of the listing.
    pub async fn list_repositories(&self) -> Result<Vec<RepositoryPath>, StorageError> {
        let (_, folders) = self.list_children().await?;
        let mut repositories = Vec::new();
        for folder in folders {
            let below = strip(folder.as_ref(), &self.prefix);
            if let Some(Ok(path)) = below.map(RepositoryPath::parse) {
                repositories.push(path);
            }
        }
        repositories.sort_unstable();
        Ok(repositories)
    }

    async fn list_children(&self) -> Result<(Vec<ObjectMeta>, Vec<Path>), StorageError> {
        let prefix = parse_path(Operation::List, &self.prefix)?;
        let name = self.prefix.as_str();
        let listing = deadline::within(self.timeouts.transfer, Operation::List, name, async {
            deadline::retry(|| async {
                self.inner
                    .list_with_delimiter(Some(&prefix))
                    .await
                    .map_err(|error| StorageError::from_store(Operation::List, name, error))
            })
            .await
        })
        .await?;
        Ok((listing.objects, listing.common_prefixes))
    }

    /// Lists all objects in a folder, however deep, whose keys come after `after` (itself a key
    /// below the store's prefix, not below the folder), sorted by key. Objects whose name is not a
    /// [`Key`] are left out, with a warning.
    ///
    /// # Errors
    /// Fails rather than returning a part of the listing.
    pub async fn list_below(
        &self,
        folder: &Key,
        after: Option<&Key>,
    ) -> Result<Vec<Listed>, StorageError> {
        let prefix = self.locate(Operation::List, folder)?;
        let offset = match after {
            Some(after) => Some(self.locate(Operation::List, after)?),
            None => None,
        };
        let name = prefix.as_ref();
        let objects = deadline::within(self.timeouts.transfer, Operation::List, name, async {
            deadline::retry(|| async {
                let listing = match &offset {
                    Some(offset) => self.inner.list_with_offset(Some(&prefix), offset),
                    None => self.inner.list(Some(&prefix)),
                };
                listing
                    .try_collect::<Vec<_>>()
                    .await
                    .map_err(|error| StorageError::from_store(Operation::List, name, error))
            })
            .await
        })
        .await?;
        let mut listed = self.describe(objects);
        // A decorator or a service may take the offset as inclusive.
        listed.retain(|line| after.is_none_or(|after| line.key > *after));
        Ok(listed)
    }

    /// Removes an object. Sent once.
    ///
    /// # Errors
    /// [`NotFound`](StorageErrorKind::NotFound) if there is none, on stores that can tell (local
    /// directories, Google, Azure); on the others (memory, S3) that is a success.
    pub async fn delete(&self, key: &Key) -> Result<(), StorageError> {
        let location = self.locate(Operation::Delete, key)?;
        let name = location.as_ref();
        deadline::within(self.timeouts.small, Operation::Delete, name, async {
            self.inner
                .delete(&location)
                .await
                .map_err(|error| StorageError::from_store(Operation::Delete, name, error))
        })
        .await
    }

    fn limit_for(&self, length: u64) -> Duration {
        if length <= SMALL_BODY {
            self.timeouts.small
        } else {
            self.timeouts.transfer
        }
    }

    fn locate(&self, operation: Operation, key: &Key) -> Result<Path, StorageError> {
        parse_path(operation, &join(&self.prefix, key.as_str()))
    }

    fn describe(&self, objects: Vec<ObjectMeta>) -> Vec<Listed> {
        let mut listed = Vec::with_capacity(objects.len());
        for object in objects {
            let Some(below) = strip(object.location.as_ref(), &self.prefix) else {
                continue;
            };
            match Key::parse(below) {
                Ok(key) => listed.push(Listed {
                    key,
                    id: object.into(),
                }),
                Err(error) => tracing::warn!(
                    storage.key = below,
                    error = %error,
                    "an object has a name that is not a key; it is left out",
                ),
            }
        }
        listed.sort_unstable_by(|left, right| left.key.cmp(&right.key));
        listed
    }
}

/// Makes the path as it is written; the conversions of [`Path`] would escape it.
fn parse_path(operation: Operation, text: &str) -> Result<Path, StorageError> {
    Path::parse(text).map_err(|error| {
        StorageError::new(StorageErrorKind::Unsupported, operation, text).with_source(error)
    })
}

fn join(prefix: &str, below: &str) -> String {
    match (prefix.is_empty(), below.is_empty()) {
        (true, _) => below.to_owned(),
        (_, true) => prefix.to_owned(),
        _ => format!("{prefix}/{below}"),
    }
}

fn strip<'a>(location: &'a str, prefix: &str) -> Option<&'a str> {
    if prefix.is_empty() {
        return Some(location);
    }
    location.strip_prefix(prefix)?.strip_prefix('/')
}
