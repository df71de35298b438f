//! The bytes of an object on their way out of the store.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::{GetResult, GetResultPayload};

use super::deadline;
use crate::{ObjectId, ObjectStream, Operation, StorageError, StorageErrorKind};

/// Up to this many bytes of a local file are read at once.
const ONE_READ: u64 = 1024 * 1024;

/// So many bytes of a larger local file are read at once. Each read is a hop to a thread that may
/// block; the library's own stream makes one for every 8 KiB.
const PIECE: u64 = 256 * 1024;

/// Why a body cannot be used.
#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("the body ended after {received} of {expected} bytes")]
    EndedEarly { received: u64, expected: u64 },
    #[error("the body goes on after its {expected} bytes")]
    TooLong { expected: u64 },
}

/// Reads the whole answer.
pub(super) async fn collect(location: &str, answer: GetResult) -> Result<Bytes, StorageError> {
    let expected = answer.range.end.saturating_sub(answer.range.start);
    let body = answer
        .bytes()
        .await
        .map_err(|error| StorageError::from_store(Operation::Read, location, error))?;
    let received = body.len() as u64;
    if received < expected {
        return Err(damaged(
            location,
            BodyError::EndedEarly { received, expected },
        ));
    }
    if received > expected {
        return Err(damaged(location, BodyError::TooLong { expected }));
    }
    Ok(body)
}

/// Returns the answer as a stream, each piece of which has to come within `limit`. The time that the
/// reader takes between pieces does not count.
pub(super) fn stream(location: &str, answer: GetResult, limit: Duration) -> ObjectStream {
    let range = answer.range.clone();
    let pieces = match answer.payload {
        GetResultPayload::File(file, _) => read_file(location, file, range.clone()),
        GetResultPayload::Stream(body) => check_length(location, body, range.clone()),
    };
    ObjectStream {
        id: answer.meta.into(),
        range,
        body: limit_pieces(location, pieces, limit),
    }
}

/// Returns the stream of no bytes.
pub(super) fn empty(id: ObjectId, at: u64) -> ObjectStream {
    ObjectStream {
        id,
        range: at..at,
        body: stream::empty().boxed(),
    }
}

type Pieces = BoxStream<'static, Result<Bytes, StorageError>>;

fn limit_pieces(location: &str, pieces: Pieces, limit: Duration) -> Pieces {
    let state = (pieces, location.to_owned());
    stream::try_unfold(state, move |(mut pieces, location)| async move {
        let next = async { pieces.next().await.transpose() };
        let piece = deadline::within(limit, Operation::Read, &location, next).await?;
        Ok(piece.map(|piece| (piece, (pieces, location))))
    })
    .boxed()
}

fn check_length(
    location: &str,
    body: BoxStream<'static, object_store::Result<Bytes>>,
    range: Range<u64>,
) -> Pieces {
    let expected = range.end.saturating_sub(range.start);
    let state = (body, location.to_owned(), 0);
    stream::try_unfold(state, move |(mut body, location, received)| async move {
        let next = body
            .try_next()
            .await
            .map_err(|error| StorageError::from_store(Operation::Read, &location, error))?;
        let Some(piece) = next else {
            if received < expected {
                let error = BodyError::EndedEarly { received, expected };
                return Err(damaged(&location, error));
            }
            return Ok(None);
        };
        let received = received + piece.len() as u64;
        if received > expected {
            return Err(damaged(&location, BodyError::TooLong { expected }));
        }
        Ok(Some((piece, (body, location, received))))
    })
    .boxed()
}

fn read_file(location: &str, file: File, range: Range<u64>) -> Pieces {
    let expected = range.end.saturating_sub(range.start);
    let piece = if expected <= ONE_READ {
        ONE_READ
    } else {
        PIECE
    };
    let state = (file, location.to_owned(), range);
    stream::try_unfold(state, move |(file, location, rest)| async move {
        if rest.is_empty() {
            return Ok(None);
        }
        let end = rest.end.min(rest.start.saturating_add(piece));
        let here = rest.start..end;
        let (file, bytes) = tokio::task::spawn_blocking(move || read_piece(file, here))
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(|error| StorageError::from_io(Operation::Read, &location, error))?;
        let reached = rest.start + bytes.len() as u64;
        if reached < end {
            // Someone cut the file while it was read.
            let received = expected - (rest.end - reached);
            return Err(damaged(
                &location,
                BodyError::EndedEarly { received, expected },
            ));
        }
        Ok(Some((bytes, (file, location, end..rest.end))))
    })
    .boxed()
}

fn read_piece(mut file: File, range: Range<u64>) -> io::Result<(File, Bytes)> {
    let length = range.end - range.start;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.seek(SeekFrom::Start(range.start))?;
    Read::by_ref(&mut file)
        .take(length)
        .read_to_end(&mut bytes)?;
    Ok((file, bytes.into()))
}

fn damaged(location: &str, error: BodyError) -> StorageError {
    // The connection broke, or the object was changed while it was read: the next read may do.
    StorageError::new(StorageErrorKind::Unavailable, Operation::Read, location).with_source(error)
}
