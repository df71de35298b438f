//! Asking again where an answer cannot say why.

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

/// Answers to HEAD have no body: nothing tells a missing object from a missing bucket, or from a
/// proxy whose server is gone. So a HEAD that fails is asked again as a GET, whose answer does tell.
pub(super) struct SecondLook<S> {
    inner: Arc<S>,
}

impl<S: ObjectStore> SecondLook<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }
}

fn says_nothing(error: &Error) -> bool {
    match Failure::find(error) {
        Some(Failure::Refused(refusal)) => refusal.says_nothing(),
        Some(_) => false,
        None => matches!(error, Error::NotFound { .. }),
    }
}

impl<S: ObjectStore> fmt::Debug for SecondLook<S> {
    /// Leaves out the options, which hold credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.inner)
    }
}

impl<S: ObjectStore> fmt::Display for SecondLook<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.inner)
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: ObjectStore> ObjectStore for SecondLook<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
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
        self.inner.delete_stream(locations)
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
