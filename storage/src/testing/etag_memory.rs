//! A memory whose `ETag`s depend on the content alone.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chrono::SubsecRound;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result,
};

/// Where the `ETag` is kept beside an object, so that both change at once.
const E_TAG: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("content-e-tag"));

/// Returns an empty store in memory that tells objects apart as S3 does: the `ETag` is a hash of the
/// content, so equal bytes written twice have the same one, and times are whole seconds.
pub fn content_etag_memory() -> Arc<ContentEtagMemory> {
    Arc::new(ContentEtagMemory::default())
}

/// See [`content_etag_memory`].
#[derive(Clone, Debug, Default)]
pub struct ContentEtagMemory {
    inner: InMemory,
}

impl ContentEtagMemory {
    /// Replaces what the inner store said of an object by what S3 would say. An object that is gone
    /// since is left out of its listing, as it may be.
    async fn describe(&self, listed: Vec<ObjectMeta>) -> Result<Vec<ObjectMeta>> {
        let mut described = Vec::with_capacity(listed.len());
        for meta in listed {
            match self.head(&meta.location).await {
                Ok(meta) => described.push(meta),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(described)
    }
}

fn e_tag_of(payload: &PutPayload) -> String {
    let mut hasher = DefaultHasher::new();
    Bytes::from(payload.clone()).hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn imitate(meta: &mut ObjectMeta, attributes: &Attributes) {
    meta.e_tag = attributes
        .get(&E_TAG)
        .map(|value| value.as_ref().to_owned());
    meta.last_modified = meta.last_modified.trunc_subsecs(0);
}

fn unsupported(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.into(),
        implementer: "ContentEtagMemory".into(),
    }
}

impl fmt::Display for ContentEtagMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ContentEtagMemory")
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for ContentEtagMemory {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        let e_tag = e_tag_of(&payload);
        options.attributes.insert(E_TAG, e_tag.clone().into());
        let mut written = self.inner.put_opts(location, payload, options).await?;
        written.e_tag = Some(e_tag);
        Ok(written)
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(unsupported("put_multipart"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut answer = self.inner.get_opts(location, options).await?;
        imitate(&mut answer.meta, &answer.attributes);
        Ok(answer)
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
        let this = self.clone();
        let listing = self.inner.list(prefix);
        stream::once(async move {
            let described = this.describe(listing.try_collect().await?).await?;
            Ok::<_, object_store::Error>(stream::iter(described.into_iter().map(Ok)))
        })
        .try_flatten()
        .boxed()
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let offset = offset.clone();
        self.list(prefix)
            .try_filter(move |meta| std::future::ready(meta.location > offset))
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listing = self.inner.list_with_delimiter(prefix).await?;
        listing.objects = self.describe(listing.objects).await?;
        Ok(listing)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}
