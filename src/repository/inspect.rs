//! Reading an object that is there as a chart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chartroom_storage::{Key, Object, ObjectId, StorageError, StorageErrorKind};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;

use super::change::{Listing, Origin, Ticket};
use super::{Core, RepositoryError, Upload, key_of};
use crate::chart::archive::{self, Acceptance, ArchiveError};
use crate::chart::name::FileName;
use crate::chart::{Digest, Hasher};

/// How many unreadable files are remembered; of more, each refresh reads the surplus again.
const REMEMBERED_UNREADABLE: usize = 10_000;

/// What an object turned out to be.
pub(super) enum Inspected {
    /// A chart.
    Chart(Box<Listing>),
    /// Not a chart, or one that helm would not load either.
    Unreadable,
    /// Gone since it was seen.
    Missing,
}

/// What is at a key, compared with an upload.
pub(super) enum There {
    /// Nothing.
    Missing,
    /// The same bytes.
    Same(ObjectId),
    /// Others; of what is larger than any archive may be, nothing else is known.
    Other(ObjectId, Option<Digest>),
}

/// The files that are no charts, each as the object that it was when it was read, so that it is
/// reported once and read again only after it changed.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    by_file: Mutex<HashMap<String, ObjectId>>,
}

impl Unreadable {
    pub(super) fn knows(&self, file: &str, object: &ObjectId) -> bool {
        let files = self.by_file.lock().unwrap_or_else(PoisonError::into_inner);
        files
            .get(file)
            .is_some_and(|known| known.same_object(object))
    }

    pub(super) fn len(&self) -> usize {
        self.by_file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Forgets the files that are not among those which are there.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        let mut files = self.by_file.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|file, _| is_there(file));
    }

    fn remember(&self, file: &str, object: ObjectId) {
        let mut files = self.by_file.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() < REMEMBERED_UNREADABLE || files.contains_key(file) {
            files.insert(file.to_owned(), object);
        }
    }
}

impl Core {
    /// Tells whether an object is larger than any chart may be: then it is passed over unread, since a
    /// read takes it into memory.
    pub(super) fn is_too_large(&self, file: &str, object: &ObjectId) -> bool {
        let largest = self.options.limits.archive_bytes;
        if object.size <= u64::try_from(largest).unwrap_or(u64::MAX) {
            return false;
        }
        if !self.unreadable.knows(file, object) {
            let error = ArchiveError::ArchiveTooLarge(largest);
            tracing::warn!(file, %error, "not a chart that helm would load; passed over");
            self.unreadable.remember(file, object.clone());
        }
        true
    }

    /// Compares what is at a key with an upload, piece by piece: a hand may have put anything there.
    pub(super) async fn compare(&self, key: &Key, upload: &Upload) -> Result<There, StorageError> {
        let mut there = match self.store.open_range(key, None).await {
            Ok(there) => there,
            Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(There::Missing),
            Err(error) => return Err(error),
        };
        let most = self.options.limits.archive_bytes.max(upload.archive.len());
        if there.id.size > u64::try_from(most).unwrap_or(u64::MAX) {
            return Ok(There::Other(there.id, None));
        }
        let mut hasher = Hasher::default();
        while let Some(piece) = there.body.try_next().await? {
            hasher.update(&piece);
        }
        let digest = hasher.finish();
        Ok(if digest == upload.digest {
            There::Same(there.id)
        } else {
            There::Other(there.id, Some(digest))
        })
    }

    /// Reads the object of a file, which was seen a moment ago, and makes a listing of it.
    pub(super) async fn inspect(
        &self,
        file: &FileName,
        seen: &ObjectId,
        created: impl FnOnce(&Digest) -> Option<DateTime<Utc>>,
    ) -> Result<Inspected, RepositoryError> {
        if self.is_too_large(file.as_str(), seen) {
            return Ok(Inspected::Unreadable);
        }
        let _room = self.options.read_budget.room_for(seen.size).await;
        match self.store.get(&key_of(file)?).await {
            Ok(object) => self.inspect_object(file, object, created).await,
            Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(Inspected::Missing),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a listing of an object that was read.
    async fn inspect_object(
        &self,
        file: &FileName,
        object: Object,
        created: impl FnOnce(&Digest) -> Option<DateTime<Utc>>,
    ) -> Result<Inspected, RepositoryError> {
        let limits = self.options.limits.clone();
        let Object { id, body } = object;
        let read =
            tokio::task::spawn_blocking(move || archive::read(&body, &limits, Acceptance::Helm))
                .await
                .map_err(|_| RepositoryError::Closed)?;
        match read {
            Ok(chart) => Ok(Inspected::Chart(Box::new(Listing {
                file: file.as_str().to_owned(),
                origin: Origin::Refresh,
                ticket: Ticket::draw(),
                // A copy of the same bytes, as a move to another store makes it, is no new upload.
                created: self
                    .committer
                    .view()
                    .state
                    .created(file.as_str(), &chart.digest)
                    .or_else(|| created(&chart.digest))
                    .unwrap_or(id.modified),
                object: id,
                digest: chart.digest,
                metadata: chart.metadata,
            }))),
            Err(error) => {
                tracing::warn!(file = file.as_str(), %error, "not a chart that helm would load; passed over");
                self.unreadable.remember(file.as_str(), id);
                Ok(Inspected::Unreadable)
            }
        }
    }
}
