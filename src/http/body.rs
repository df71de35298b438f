//! Bodies of replies: chunks of a known total length, never joined.
//!
//! That a client takes each chunk in time is seen to where chunks are written: see
//! [`crate::server`]'s connections. hyper does not ask a body for more while the socket is full, so a
//! deadline here would never be looked at.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body::{Frame, SizeHint};

use crate::index::Body as IndexBody;
use chartroom_storage::StorageError;

/// Why a body ended early. The connection is cut, so that the client does not take it for whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum CutShort {
    #[error("the storage failed while a body was sent")]
    Storage(#[from] StorageError),
    #[error("a body had {0} bytes less than announced")]
    Short(u64),
    #[error("a body had more bytes than announced")]
    Long,
}

struct Measured {
    chunks: BoxStream<'static, Result<Bytes, StorageError>>,
    remaining: u64,
}

impl http_body::Body for Measured {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        let chunk = match ready!(self.chunks.poll_next_unpin(context)) {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None if self.remaining > 0 => {
                return Poll::Ready(Some(Err(CutShort::Short(self.remaining))));
            }
            None => return Poll::Ready(None),
        };
        let Some(remaining) = self.remaining.checked_sub(chunk.len() as u64) else {
            return Poll::Ready(Some(Err(CutShort::Long)));
        };
        self.remaining = remaining;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    /// hyper does not ask again once all announced bytes were given.
    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

/// Returns a body of `length` bytes from the store.
pub(super) fn stored(chunks: BoxStream<'static, Result<Bytes, StorageError>>, length: u64) -> Body {
    Body::new(Measured {
        chunks,
        remaining: length,
    })
}

/// Returns a body made of an index's pieces, which it shares.
pub(super) fn rendered(body: &IndexBody) -> Body {
    stored(stream::iter(body.chunks().map(Ok)).boxed(), body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(chunks: &[&'static [u8]], length: u64) -> Result<Bytes, axum::Error> {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk)))
            .collect();
        axum::body::to_bytes(stored(stream::iter(chunks).boxed(), length), 100).await
    }

    #[tokio::test]
    async fn a_body_that_is_not_as_long_as_announced_is_an_error() {
        assert_eq!(sent(&[b"ab", b"c"], 3).await.unwrap(), "abc");
        assert!(sent(&[b"ab", b"c"], 4).await.is_err());
        assert!(sent(&[b"ab", b"c"], 2).await.is_err());
    }
}
