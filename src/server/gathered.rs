//! Bodies in larger steps than they are made of.
//!
//! An index is sent in the blocks that it is kept in, and hyper writes to the socket what it has as soon
//! as that is more than a head may be. With a write for each block half of the time goes into writes.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

/// No more pieces are gathered once there are so many bytes or pieces: what was gathered counts as sent,
/// and the kernel takes no more than a few MiB at once. hyper writes up to 64 pieces at once.
const ENOUGH_BYTES: usize = 1 << 20;
const ENOUGH_PIECES: usize = 63;

/// What a body answers when it is asked for more.
type Answer = Option<Result<Frame<Pieces>, axum::Error>>;

/// A body whose frames hold all that is there to be sent.
pub(super) struct Gathered {
    body: Body,
    /// What came after the pieces of the last frame, if it was no further piece.
    next: Option<Answer>,
}

impl Gathered {
    pub(super) fn new(body: Body) -> Self {
        Self { body, next: None }
    }
}

impl http_body::Body for Gathered {
    type Data = Pieces;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        if let Some(next) = self.next.take() {
            return Poll::Ready(next);
        }
        let first = ready!(Pin::new(&mut self.body).poll_frame(context));
        let mut pieces = match piece(first) {
            Ok(piece) => Pieces::from(piece),
            Err(other) => return Poll::Ready(other),
        };
        while pieces.is_worth_more() && !self.body.is_end_stream() {
            let Poll::Ready(next) = Pin::new(&mut self.body).poll_frame(context) else {
                break;
            };
            match piece(next) {
                Ok(piece) => pieces.push(piece),
                Err(other) => {
                    self.next = Some(other);
                    break;
                }
            }
        }
        Poll::Ready(Some(Ok(Frame::data(pieces))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.next {
            Some(next) => next.is_none(),
            None => self.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns the piece that a frame holds, or else what the frame is.
fn piece(frame: Option<Result<Frame<Bytes>, axum::Error>>) -> Result<Bytes, Answer> {
    match frame {
        Some(Ok(frame)) => frame
            .into_data()
            .map_err(|other| Some(Ok(other.map_data(Pieces::from)))),
        Some(Err(error)) => Err(Some(Err(error))),
        None => Err(None),
    }
}

/// Some pieces, one after the other.
pub(super) struct Pieces {
    first: Bytes,
    others: VecDeque<Bytes>,
    bytes: usize,
}

impl From<Bytes> for Pieces {
    fn from(first: Bytes) -> Self {
        Self {
            bytes: first.len(),
            first,
            others: VecDeque::new(),
        }
    }
}

impl Pieces {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.others.push_back(piece);
    }

    fn is_worth_more(&self) -> bool {
        self.bytes < ENOUGH_BYTES && self.others.len() < ENOUGH_PIECES
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.bytes
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = std::iter::once(&self.first).chain(&self.others);
        let pieces = pieces.filter(|piece| !piece.is_empty());
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes = self.bytes.saturating_sub(count);
        loop {
            let here = count.min(self.first.len());
            self.first.advance(here);
            count -= here;
            // What `chunk` returns is empty at the end only.
            if !self.first.is_empty() {
                return;
            }
            let Some(next) = self.others.pop_front() else {
                return;
            };
            self.first = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use http_body::Body as _;
    use http_body_util::BodyExt;

    fn body(chunks: Vec<Result<Bytes, &'static str>>) -> Gathered {
        let chunks = stream::iter(chunks);
        let chunks = chunks.map(|chunk| chunk.map_err(std::io::Error::other));
        Gathered::new(Body::from_stream(chunks))
    }

    async fn next(body: &mut Gathered) -> Option<Result<usize, axum::Error>> {
        let frame = body.frame().await?;
        Some(frame.map(|frame| frame.into_data().unwrap_or_else(|_| panic!()).remaining()))
    }

    #[tokio::test]
    async fn what_is_there_is_one_frame_up_to_a_size() {
        let block = Bytes::from(vec![7; 600 << 10]);
        let mut large = body(vec![Ok(block.clone()), Ok(block.clone()), Ok(block)]);
        assert_eq!(next(&mut large).await.unwrap().unwrap(), 1200 << 10);
        assert_eq!(next(&mut large).await.unwrap().unwrap(), 600 << 10);
        assert!(next(&mut large).await.is_none());
        let mut many = body(vec![Ok(Bytes::from_static(b"ab")); 100]);
        assert_eq!(next(&mut many).await.unwrap().unwrap(), 128);
        assert_eq!(next(&mut many).await.unwrap().unwrap(), 72);
        assert!(next(&mut many).await.is_none());
    }

    #[tokio::test]
    async fn an_error_comes_after_what_was_before_it() {
        let mut broken = body(vec![Ok(Bytes::from_static(b"ab")), Err("broken")]);
        assert_eq!(next(&mut broken).await.unwrap().unwrap(), 2);
        assert!(!broken.is_end_stream());
        assert!(next(&mut broken).await.unwrap().is_err());
    }

    #[test]
    fn pieces_are_read_as_if_they_were_joined() {
        let texts = ["a", "", "bcd", "ef"];
        let all = |from: usize| {
            let mut pieces = Pieces::from(Bytes::from_static(texts[0].as_bytes()));
            for text in &texts[1..] {
                pieces.push(Bytes::from_static(text.as_bytes()));
            }
            pieces.advance(from);
            pieces
        };
        for from in 0..=6 {
            let pieces = all(from);
            assert_eq!(pieces.remaining(), 6 - from);
            assert_eq!(pieces.chunk().is_empty(), from == 6);
            let mut slices = [IoSlice::new(&[]); 4];
            let count = pieces.chunks_vectored(&mut slices);
            let joined: Vec<u8> = slices[..count]
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect();
            assert_eq!(joined, &b"abcdef"[from..]);
            let copied = all(from).copy_to_bytes(6 - from);
            assert_eq!(copied, &b"abcdef"[from..]);
        }
    }
}
