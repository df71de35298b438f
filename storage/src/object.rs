//! What a store says about objects.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::{Key, StorageError};

/// The identity of an object's content, as the store tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectId {
    /// The store's `ETag`, if it has one.
    pub e_tag: Option<String>,
    /// When the object was written, by the store's clock.
    pub modified: DateTime<Utc>,
    /// How many bytes it has.
    pub size: u64,
}

impl ObjectId {
    /// Tells whether both were said of the same object.
    ///
    /// A listing and a HEAD may give the time in different precision and the `ETag` with or without
    /// its quotes (Azure does): so the quotes are ignored, an `ETag` that one side lacks proves
    /// nothing, and times are compared by whole seconds. The time still counts where the `ETag`s are
    /// equal, because some stores derive them from the content alone.
    pub fn same_object(&self, other: &Self) -> bool {
        self.same_object_within(other, Duration::ZERO)
    }

    /// The same, but the times may differ by `tolerance`: for stores that tell the time of one object
    /// differently from request to request, or a directory that is copied back.
    pub fn same_object_within(&self, other: &Self, tolerance: Duration) -> bool {
        if self.size != other.size {
            return false;
        }
        if let (Some(mine), Some(theirs)) = (&self.e_tag, &other.e_tag)
            && mine.trim_matches('"') != theirs.trim_matches('"')
        {
            return false;
        }
        let difference = self
            .modified
            .timestamp()
            .abs_diff(other.modified.timestamp());
        difference <= tolerance.as_secs()
    }
}

impl From<object_store::ObjectMeta> for ObjectId {
    fn from(meta: object_store::ObjectMeta) -> Self {
        Self {
            e_tag: meta.e_tag,
            modified: meta.last_modified,
            size: meta.size,
        }
    }
}

/// The result of a write. Stores do not tell the time of it: ask with
/// [`Store::head`](crate::Store::head).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The `ETag` of what was written, if the store has them.
    pub e_tag: Option<String>,
}

/// A whole object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its identity, from the same answer as the body.
    pub id: ObjectId,
    /// Its bytes.
    pub body: Bytes,
}

/// An object, or a part of it, whose bytes are still to be read.
pub struct ObjectStream {
    /// The identity of the whole object, from the same answer as the body.
    pub id: ObjectId,
    /// Which bytes the body holds.
    pub range: Range<u64>,
    /// The bytes. The stream ends in an error, never early, if not all of them came.
    pub body: BoxStream<'static, Result<Bytes, StorageError>>,
}

impl fmt::Debug for ObjectStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ObjectStream")
            .field("id", &self.id)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The object's key.
    pub key: Key,
    /// The object's identity at the time of the listing.
    pub id: ObjectId,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(e_tag: Option<&str>, milliseconds: i64, size: u64) -> ObjectId {
        ObjectId {
            e_tag: e_tag.map(str::to_owned),
            modified: DateTime::from_timestamp_millis(milliseconds).unwrap(),
            size,
        }
    }

    #[test]
    fn identity_is_e_tag_then_size_then_whole_seconds() {
        let head = id(Some("\"x\""), 5_000, 3);
        assert!(head.same_object(&id(Some("\"x\""), 5_999, 3)));
        assert!(head.same_object(&id(Some("x"), 5_000, 3)));
        assert!(head.same_object(&id(None, 5_000, 3)));
        assert!(!head.same_object(&id(Some("\"y\""), 5_000, 3)));
        assert!(!head.same_object(&id(Some("\"x\""), 5_000, 4)));
        assert!(!head.same_object(&id(Some("\"x\""), 6_000, 3)));
        let later = id(Some("\"x\""), 7_000, 3);
        assert!(head.same_object_within(&later, Duration::from_secs(2)));
        assert!(!head.same_object_within(&later, Duration::from_secs(1)));
        let other = id(Some("\"y\""), 5_000, 3);
        assert!(!head.same_object_within(&other, Duration::from_secs(9)));
    }
}
