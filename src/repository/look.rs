//! What a check and an explanation look with: a store, and the log if there is one.

use std::sync::Arc;

use chartroom_storage::{Clock, Key, ObjectId, StorageErrorKind, Store};

use super::committer::Committer;
use super::view::View;
use super::{Core, Options, RepositoryError};

/// The eyes of somebody who only looks.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) store: &'a Store,
    pub(super) clock: &'a Clock,
    pub(super) options: &'a Options,
    /// `None` where there is no log yet.
    pub(super) committer: Option<&'a Committer>,
}

impl Look<'_> {
    /// Returns what the log says now; `None` where there is no log.
    pub(super) async fn view(&self) -> Result<Option<Arc<View>>, RepositoryError> {
        match self.committer {
            Some(committer) => committer.catch_up().await.map(Some),
            None => Ok(None),
        }
    }

    /// Looks at an object; `None` if the store says that there is none.
    pub(super) async fn head_if_there(
        &self,
        key: &Key,
    ) -> Result<Option<ObjectId>, RepositoryError> {
        match self.store.head(key).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether the log knows an object as the one that is there.
    pub(super) fn is_same(&self, known: &ObjectId, there: &ObjectId) -> bool {
        known.same_object_within(there, self.options.timestamp_tolerance)
    }
}

impl Core {
    pub(super) fn look(&self) -> Look<'_> {
        Look {
            store: &self.store,
            clock: &self.clock,
            options: &self.options,
            committer: Some(&self.committer),
        }
    }
}
