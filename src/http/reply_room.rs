//! Memory for replies that are made for one request.
//!
//! The index and archives are shared or read piece by piece. What is taken out of an archive is not:
//! megabytes, which are there until the client has taken them. A client may be slow, and many may be.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::ApiError;

/// How much memory such replies take together.
const KIBIBYTES: u32 = 64 << 10;
/// Smaller ones do not count: there are no more of them than connections.
const SMALL: u64 = 64 << 10;
/// How long a reply waits until others are taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// The memory that replies may take.
#[derive(Clone, Debug)]
pub(crate) struct ReplyRoom(Arc<Semaphore>);

impl Default for ReplyRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(
            usize::try_from(KIBIBYTES).unwrap_or(Semaphore::MAX_PERMITS),
        )))
    }
}

impl ReplyRoom {
    /// Holds room for a reply until it was sent or given up.
    ///
    /// # Errors
    /// [`ApiError::TooManyLooks`] if there is none for long.
    pub(super) async fn keep(&self, response: Response) -> Result<Response, ApiError> {
        let length = response.body().size_hint().lower();
        if length <= SMALL {
            return Ok(response);
        }
        let wanted = u32::try_from(length.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.0).acquire_many_owned(wanted.min(KIBIBYTES));
        match timeout(PATIENCE, room).await {
            Ok(Ok(room)) => Ok(response.map(|body| Body::new(Kept { body, _room: room }))),
            Ok(Err(_)) | Err(_) => Err(ApiError::TooManyLooks),
        }
    }
}

struct Kept {
    body: Body,
    _room: OwnedSemaphorePermit,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(bytes: usize) -> Response {
        Response::new(Body::from(vec![0; bytes]))
    }

    #[tokio::test(start_paused = true)]
    async fn replies_that_nobody_takes_do_not_add_up() {
        let room = ReplyRoom::default();
        let large = 20 << 20;
        let mut kept = Vec::new();
        for _ in 0..3 {
            kept.push(room.keep(reply(large)).await.unwrap());
        }
        let refused = room.keep(reply(large)).await;
        assert!(matches!(refused, Err(ApiError::TooManyLooks)));
        assert!(room.keep(reply(1000)).await.is_ok());
        kept.pop();
        assert!(room.keep(reply(large)).await.is_ok());
        // One that is larger than all the room is kept alone.
        kept.clear();
        assert!(room.keep(reply(65 << 20)).await.is_ok());
    }
}
