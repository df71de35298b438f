//! The local directory as a store.
//!
//! [`LocalFileSystem`] does the work: uploads are staged beside their place, flushed, and then
//! linked (create) or renamed (replace). [`LocalDirectory`] adds what a repository needs on top:
//!
//! - deletions are flushed too, so that a deleted version does not come back with a power cut;
//! - a listing skips what cannot be a key (names that are not UTF-8, links in a circle) with a
//!   warning, where the library would refuse the whole directory;
//! - where the directory itself is gone, everything fails, and nothing is taken as absent.

mod listing;
mod opening;

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{self, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

pub(crate) use opening::OpenError;

/// A directory of this machine as an object store.
#[derive(Clone, Debug)]
pub(crate) struct LocalDirectory {
    files: LocalFileSystem,
    root: Arc<path::Path>,
}

impl LocalDirectory {
    /// Fails if the directory itself is gone (removed, or unmounted): then a missing file says
    /// nothing about the object, and a write would create the directory anew.
    async fn require_root(&self) -> Result<()> {
        let root = Arc::clone(&self.root);
        run_blocking(move || check_root(&root)).await
    }

    async fn remove(&self, location: &Path) -> Result<()> {
        if let Err(error) = self.files.delete(location).await {
            if matches!(error, object_store::Error::NotFound { .. }) {
                self.require_root().await?;
            }
            return Err(error);
        }
        let file = self.files.path_to_filesystem(location)?;
        run_blocking(move || match file.parent() {
            Some(folder) => opening::sync_directory(folder),
            None => Ok(()),
        })
        .await
    }

    async fn list_folder(
        &self,
        prefix: Option<&Path>,
        after: Option<&Path>,
    ) -> Result<Vec<ObjectMeta>> {
        let root = Arc::clone(&self.root);
        let prefix = prefix.cloned().unwrap_or_default();
        let after = after.cloned();
        run_blocking(move || {
            check_root(&root)?;
            listing::list_below(&root, &prefix, after.as_ref())
        })
        .await
    }
}

fn check_root(root: &path::Path) -> io::Result<()> {
    let found =
        std::fs::metadata(root).map_err(|error| io::Error::other(RootError::Gone(error)))?;
    if found.is_dir() {
        Ok(())
    } else {
        Err(io::Error::other(RootError::NotADirectory))
    }
}

/// Why the directory of the store cannot be used any more.
#[derive(Debug, thiserror::Error)]
enum RootError {
    #[error("the store's directory cannot be reached any more: {0}")]
    Gone(io::Error),
    #[error("the store's directory is not a directory any more")]
    NotADirectory,
}

/// Runs file operations where they may block.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await?
        .map_err(|source| object_store::Error::Generic {
            store: "LocalDirectory",
            source: Box::new(source),
        })
}

impl fmt::Display for LocalDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LocalDirectory({})", self.root.display())
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for LocalDirectory {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.require_root().await?;
        self.files.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.require_root().await?;
        self.files.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let answer = self.files.get_opts(location, options).await;
        if let Err(object_store::Error::NotFound { .. }) = &answer {
            self.require_root().await?;
        }
        answer
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .and_then(move |location| {
                let this = this.clone();
                async move { this.remove(&location).await.map(|()| location) }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.stream_folder(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.stream_folder(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let root = Arc::clone(&self.root);
        let prefix = prefix.cloned().unwrap_or_default();
        run_blocking(move || {
            check_root(&root)?;
            listing::list_children(&root, &prefix)
        })
        .await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}

impl LocalDirectory {
    fn stream_folder(
        &self,
        prefix: Option<&Path>,
        after: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let this = self.clone();
        let prefix = prefix.cloned();
        let after = after.cloned();
        stream::once(async move {
            let objects = this.list_folder(prefix.as_ref(), after.as_ref()).await?;
            Ok::<_, object_store::Error>(stream::iter(objects.into_iter().map(Ok)))
        })
        .try_flatten()
        .boxed()
    }
}

/// Returns the path of what a listing's prefix names.
fn folder_path(root: &path::Path, prefix: &Path) -> PathBuf {
    if prefix.is_root() {
        return root.to_owned();
    }
    root.join(prefix.as_ref())
}
