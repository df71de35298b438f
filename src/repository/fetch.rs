//! Finding and reading archives and provenance.

use std::ops::Range;

use bytes::Bytes;
use chartroom_storage::{ObjectId, StorageError, StorageErrorKind};
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use super::refresh::Looked;
use super::{Core, RepositoryError, key_of};
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
    object: ObjectId,
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
                object: listed.object.clone(),
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
            object,
        }))
    }

    pub(super) async fn read(
        &self,
        found: &Found,
        range: Option<Range<u64>>,
    ) -> Result<Chunks, RepositoryError> {
        let tolerance = self.options.timestamp_tolerance;
        match self.store.open_range(&key_of(&found.file)?, range).await {
            Ok(opened) if opened.id.same_object_within(&found.object, tolerance) => Ok(opened.body),
            Ok(_) => self.resolve(found).await,
            Err(error) if error.kind() == StorageErrorKind::NotFound => self.resolve(found).await,
            Err(error) => Err(error.into()),
        }
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
