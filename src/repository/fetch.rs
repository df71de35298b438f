//! Finding and reading archives and provenance.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chartroom_storage::{Moment, ObjectId, StorageError, StorageErrorKind};
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};

use super::refresh::Looked;
use super::state::Listed;
use super::{Core, RepositoryError, key_of};
use crate::chart::Digest;
use crate::chart::name::FileName;

/// A body in pieces.
pub type Chunks = BoxStream<'static, Result<Bytes, StorageError>>;

/// A file that can be read.
#[derive(Clone, Debug)]
pub struct Found {
    /// Bytes.
    pub size: u64,
    /// When the object was written.
    pub modified: DateTime<Utc>,
    /// What changes when the bytes do, without quotes: of an archive its digest.
    pub entity_tag: String,
    /// How many change sets the log held when it was found.
    pub generation: u64,
    file: FileName,
    object: Object,
}

/// Where the bytes are.
#[derive(Clone, Debug)]
enum Object {
    Archive(Arc<Listed>),
    Provenance(ObjectId),
}

impl Found {
    fn object(&self) -> &ObjectId {
        match &self.object {
            Object::Archive(listed) => &listed.object,
            Object::Provenance(object) => object,
        }
    }

    /// Returns the record that lists the archive, if it is one.
    fn record(&self) -> Option<&Arc<Listed>> {
        match &self.object {
            Object::Archive(listed) => Some(listed),
            Object::Provenance(_) => None,
        }
    }
}

impl Core {
    pub(super) async fn find(&self, file: &FileName) -> Result<Found, RepositoryError> {
        if let Some(found) = self.find_known(file).await? {
            return Ok(found);
        }
        self.committer.catch_up().await?;
        self.find_known(file)
            .await?
            .ok_or_else(|| RepositoryError::not_found(file.as_str()))
    }

    async fn find_known(&self, file: &FileName) -> Result<Option<Found>, RepositoryError> {
        let view = self.committer.view();
        let generation = view.generation;
        if !file.is_provenance() {
            return Ok(view.state.listed(file.as_str()).map(|listed| Found {
                size: listed.object.size,
                modified: listed.object.modified,
                entity_tag: listed.digest.to_string(),
                generation,
                file: file.clone(),
                object: Object::Archive(Arc::clone(listed)),
            }));
        }
        let Some(object) = self.head_if_there(&key_of(file)?).await? else {
            return Ok(None);
        };
        let entity_tag = match &object.e_tag {
            Some(e_tag) => e_tag.trim_start_matches("W/").trim_matches('"').to_owned(),
            None => format!("{:x}-{:x}", object.modified.timestamp_micros(), object.size),
        };
        Ok(Some(Found {
            size: object.size,
            modified: object.modified,
            entity_tag,
            generation,
            file: file.clone(),
            object: Object::Provenance(object),
        }))
    }

    pub(super) async fn read(
        &self,
        found: &Found,
        range: Option<Range<u64>>,
    ) -> Result<Chunks, RepositoryError> {
        let now = self.clock.now();
        let kept = found
            .record()
            .and_then(|record| self.options.kept_archives.get(record));
        if let Some(kept) = &kept
            && now.since(kept.seen) < self.options.freshness
        {
            return Ok(part(&kept.bytes, range));
        }
        let tolerance = self.options.timestamp_tolerance;
        let key = key_of(&found.file)?;
        match self.store.open_range(&key, range.clone()).await {
            Ok(opened) if opened.id.same_object_within(found.object(), tolerance) => {
                let Some(record) = found.record() else {
                    return Ok(opened.body);
                };
                if let Some(kept) = kept {
                    let bytes = kept.bytes.clone();
                    self.options.kept_archives.keep(record, bytes, now);
                    Ok(part(&kept.bytes, range))
                } else if range.is_none() && self.options.kept_archives.takes(found.size) {
                    self.read_to_keep(record, opened.body, now).await
                } else {
                    Ok(opened.body)
                }
            }
            Ok(_) => self.resolve(found).await,
            Err(error) if error.kind() == StorageErrorKind::NotFound => self.resolve(found).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a small archive, and keeps it if it is what its record says. Bytes that a hand put under
    /// the identity of others are served as those of a large archive are, and not kept.
    async fn read_to_keep(
        &self,
        record: &Arc<Listed>,
        chunks: Chunks,
        now: Moment,
    ) -> Result<Chunks, RepositoryError> {
        let chunks: Vec<Bytes> = chunks.try_collect().await?;
        let bytes = match <[Bytes; 1]>::try_from(chunks) {
            Ok([bytes]) => bytes,
            Err(chunks) => chunks.concat().into(),
        };
        if Digest::of(&bytes) == record.digest {
            self.options.kept_archives.keep(record, bytes.clone(), now);
        }
        Ok(part(&bytes, None))
    }

    /// The store has another object than the log says: either this replica is behind, or a hand, or
    /// an operation under way, replaced it.
    async fn resolve(&self, found: &Found) -> Result<Chunks, RepositoryError> {
        self.committer.catch_up().await?;
        if found.file.is_provenance() {
            return Err(RepositoryError::Changed);
        }
        match self.look_at(&found.file).await? {
            Looked::Missing => Err(RepositoryError::not_found(found.file.as_str())),
            Looked::Unreadable => Err(RepositoryError::busy(
                "the archive was replaced by something unreadable",
            )),
            Looked::Entered | Looked::Known => Err(RepositoryError::Changed),
        }
    }
}

fn part(bytes: &Bytes, range: Option<Range<u64>>) -> Chunks {
    let position = |number: u64| {
        usize::try_from(number)
            .unwrap_or(usize::MAX)
            .min(bytes.len())
    };
    let bytes = match range {
        Some(range) => bytes.slice(position(range.start)..position(range.end)),
        None => bytes.clone(),
    };
    stream::iter([Ok(bytes)]).boxed()
}
