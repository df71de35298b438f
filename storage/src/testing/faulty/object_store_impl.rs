//! The decorated operations.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result,
};

use super::{Action, Faulty, Op, action};

/// A reply that came through, and after how many bytes its body is cut.
struct Reply<T> {
    answer: T,
    cut_at: Option<u64>,
}

impl Faulty {
    /// Takes a request the whole way: to the store, where `execute` runs or does not, and back.
    async fn run<T: Send + 'static>(
        &self,
        op: Op,
        key: &str,
        execute: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<Reply<T>> {
        let fault = self.arrive(op, key);
        self.pass(key)?;
        if !fault.latency.is_zero() {
            tokio::time::sleep(fault.latency).await;
        }
        match &fault.action {
            Some(Action::Fail(kind)) => return Err(action::error_of(*kind, key)),
            Some(Action::Drop) => std::future::pending().await,
            Some(Action::ExecuteLate(delay)) => {
                let execute = async move {
                    // Nobody is left to hear how it ended.
                    let _ = execute.await;
                };
                self.execute_late(*delay, execute);
                return std::future::pending().await;
            }
            Some(Action::Delay(delay)) => tokio::time::sleep(*delay).await,
            Some(Action::PauseBefore(gate)) => gate.wait().await,
            Some(Action::LoseReply | Action::CutBody(_) | Action::PauseAfter(_)) | None => {}
        }
        self.pass(key)?;
        let answer = execute.await;
        let mut cut_at = None;
        match &fault.action {
            Some(Action::LoseReply) => return Err(action::reset(key)),
            Some(Action::PauseAfter(gate)) => gate.wait().await,
            Some(Action::CutBody(length)) => cut_at = Some(*length),
            _ => {}
        }
        self.pass(key)?;
        Ok(Reply {
            answer: answer?,
            cut_at,
        })
    }

    /// Lists the whole folder at once, so that a reply that is held shows the store as it was.
    fn list_at_once(
        &self,
        prefix: Option<&Path>,
        list: impl FnOnce(&dyn ObjectStore) -> BoxStream<'static, Result<ObjectMeta>> + Send + 'static,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let this = self.clone();
        let key = prefix.map(ToString::to_string).unwrap_or_default();
        stream::once(async move {
            let inner = Arc::clone(&this.inner);
            let execute = async move { list(inner.as_ref()).try_collect::<Vec<_>>().await };
            let reply = this.run(Op::List, &key, execute).await?;
            Ok::<_, Error>(stream::iter(reply.answer.into_iter().map(Ok)))
        })
        .try_flatten()
        .boxed()
    }
}

/// Returns the answer with a body that ends after `length` bytes as if that were all.
fn cut(mut answer: GetResult, length: u64) -> GetResult {
    let (meta, range) = (answer.meta.clone(), answer.range.clone());
    let (attributes, extensions) = (answer.attributes.clone(), answer.extensions.clone());
    // The stream of a file reads what the range says, and would take a shorter one for all of it.
    let end = range.end.min(range.start.saturating_add(length));
    let body = match answer.payload {
        GetResultPayload::File(..) => {
            answer.range.end = end;
            answer.into_stream()
        }
        GetResultPayload::Stream(body) => cut_stream(body, length),
    };
    GetResult {
        payload: GetResultPayload::Stream(body),
        meta,
        range,
        attributes,
        extensions,
    }
}

fn cut_stream(
    body: BoxStream<'static, Result<Bytes>>,
    length: u64,
) -> BoxStream<'static, Result<Bytes>> {
    stream::try_unfold((body, length), |(mut body, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let Some(mut piece) = body.try_next().await? else {
            return Ok(None);
        };
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - piece.len() as u64;
        Ok(Some((piece, (body, left))))
    })
    .boxed()
}

/// Refuses what our stores never ask for, lest it go around the faults.
fn refuse(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.into(),
        implementer: "Faulty".into(),
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let (inner, place) = (Arc::clone(&self.inner), location.clone());
        let execute = async move { inner.put_opts(&place, payload, options).await };
        let reply = self.run(Op::Put, location.as_ref(), execute).await?;
        Ok(reply.answer)
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(refuse("put_multipart"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let op = if options.head { Op::Head } else { Op::Get };
        let (inner, place) = (Arc::clone(&self.inner), location.clone());
        let execute = async move { inner.get_opts(&place, options).await };
        let reply = self.run(op, location.as_ref(), execute).await?;
        Ok(match reply.cut_at {
            Some(length) => cut(reply.answer, length),
            None => reply.answer,
        })
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
                    let (inner, place) = (Arc::clone(&this.inner), location.clone());
                    let execute = async move { inner.delete(&place).await };
                    this.run(Op::Delete, location.as_ref(), execute).await?;
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let folder = prefix.cloned();
        self.list_at_once(prefix, move |inner| inner.list(folder.as_ref()))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (folder, offset) = (prefix.cloned(), offset.clone());
        self.list_at_once(prefix, move |inner| {
            inner.list_with_offset(folder.as_ref(), &offset)
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let (inner, folder) = (Arc::clone(&self.inner), prefix.cloned());
        let execute = async move { inner.list_with_delimiter(folder.as_ref()).await };
        let key = prefix.map(AsRef::as_ref).unwrap_or_default();
        let reply = self.run(Op::List, key, execute).await?;
        Ok(reply.answer)
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(refuse("copy"))
    }

    async fn rename_opts(&self, _from: &Path, _to: &Path, _options: RenameOptions) -> Result<()> {
        Err(refuse("rename"))
    }
}
