//! Small archives that stay in memory for a while after they were read.
//!
//! What is kept belongs to one record of the log, and is kept only if it has the record's digest: it is
//! never taken for another version, and what this replica knows to be replaced or deleted is not served
//! from here. That the store still has the object is looked up again after the time for which an index
//! is served without a look at the store, so that what hands and other replicas do to an archive shows as
//! soon as in the index.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use chartroom_storage::Moment;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::state::Listed;

/// A larger archive is not kept: to send it takes longer than to read it.
const LARGEST: u64 = 64 << 10;

/// What an archive takes besides its bytes.
const OVERHEAD: u64 = 256;

/// Small archives of all repositories, up to a number of bytes.
#[derive(Default)]
pub struct KeptArchives {
    /// By the address of the record, which stays where it is as long as it is kept here.
    by_record: Option<Cache<usize, Arc<Kept>, Weight>>,
}

impl fmt::Debug for KeptArchives {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeptArchives")
            .field("bytes", &self.by_record.as_ref().map(Cache::weight))
            .finish_non_exhaustive()
    }
}

/// The bytes of an archive.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) bytes: Bytes,
    /// When the store was last seen to have them.
    pub(super) seen: Moment,
    /// Holds the address.
    _record: Arc<Listed>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<usize, Arc<Kept>> for Weight {
    fn weight(&self, _: &usize, kept: &Arc<Kept>) -> u64 {
        kept.bytes.len() as u64 + OVERHEAD
    }
}

impl KeptArchives {
    /// Keeps up to so many bytes; none with 0.
    pub fn of(bytes: u64) -> Self {
        let items = usize::try_from(bytes / 4096).unwrap_or(usize::MAX);
        Self {
            by_record: (bytes > 0).then(|| Cache::with_weighter(items, bytes, Weight)),
        }
    }

    /// Tells whether an archive of this size may be kept.
    pub(super) fn takes(&self, size: u64) -> bool {
        self.by_record.is_some() && size <= LARGEST
    }

    pub(super) fn get(&self, record: &Arc<Listed>) -> Option<Arc<Kept>> {
        self.by_record.as_ref()?.get(&address(record))
    }

    /// Keeps the bytes of the archive that a record lists, which the store had at a moment.
    pub(super) fn keep(&self, record: &Arc<Listed>, bytes: Bytes, seen: Moment) {
        let Some(cache) = &self.by_record else {
            return;
        };
        let kept = Kept {
            bytes,
            seen,
            _record: Arc::clone(record),
        };
        cache.insert(address(record), Arc::new(kept));
    }
}

fn address(record: &Arc<Listed>) -> usize {
    Arc::as_ptr(record).addr()
}
