//! What the library leaves to be done around a service's objects.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};

use super::failure::Failure;

/// The objects of a bucket.
///
/// Answers to HEAD have no body: nothing tells a missing object from a missing bucket, or from a
/// proxy whose server is gone. So a HEAD that fails is asked again as a GET, whose answer does tell.
///
/// A name that the service would take for another one is refused.
pub(super) struct Objects<S> {
    inner: Arc<S>,
    /// What no name may contain.
    forbidden: Option<char>,
}

impl<S: ObjectStore> Objects<S> {
    pub(super) fn new(inner: S, forbidden: Option<char>) -> Self {
        Self {
            inner: Arc::new(inner),
            forbidden,
        }
    }
}

fn check(location: &Path, forbidden: Option<char>) -> Result<()> {
    match forbidden.filter(|character| location.as_ref().contains(*character)) {
        Some(character) => Err(Error::NotSupported {
            source: format!("the service takes names with `{character}` for other names").into(),
        }),
        None => Ok(()),
    }
}

fn says_nothing(error: &Error) -> bool {
    match Failure::find(error) {
        Some(Failure::Refused(refusal)) => refusal.says_nothing(),
        Some(_) => false,
        None => matches!(error, Error::NotFound { .. }),
    }
}

impl<S: ObjectStore> fmt::Debug for Objects<S> {
    /// Leaves out the options, which hold credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.inner)
    }
}

impl<S: ObjectStore> fmt::Display for Objects<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.inner)
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: ObjectStore> ObjectStore for Objects<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        check(location, self.forbidden)?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        check(location, self.forbidden)?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        check(location, self.forbidden)?;
        if !options.head {
            return self.inner.get_opts(location, options).await;
        }
        let whole = GetOptions {
            head: false,
            ..options.clone()
        };
        match self.inner.get_opts(location, options).await {
            Err(error) if says_nothing(&error) => {}
            answer => return answer,
        }
        let answer = self.inner.get_opts(location, whole).await?;
        // It was created in between. Its body is not read.
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::empty().boxed()),
            ..answer
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let forbidden = self.forbidden;
        let checked = locations.map(move |location| {
            let location = location?;
            check(&location, forbidden)?;
            Ok(location)
        });
        self.inner.delete_stream(checked.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
