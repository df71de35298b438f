//! DELETE and FINISH: a deletion is bracketed by `removed` and `purged`.

use chartroom_storage::{Key, Moment, ObjectId, StorageErrorKind};

use super::change::{Change, Ticket};
use super::inspect::Inspected;
use super::state::Status;
use super::{Appended, Committed, Core, RepositoryError, key_of};
use crate::chart::name::FileName;

/// How often a delete looks again before it answers "busy".
const ATTEMPTS: usize = 16;

/// A deletion that an operation holds, once its `removed` is in the log.
pub(super) struct Deletion {
    file: FileName,
    object: Option<ObjectId>,
    holder: Ticket,
    began: Moment,
}

impl Deletion {
    /// Begins the term of a deletion of the object that is there.
    pub(super) fn begin(file: FileName, object: Option<ObjectId>, began: Moment) -> Self {
        Self {
            file,
            object,
            holder: Ticket::draw(),
            began,
        }
    }

    /// Returns the archive's file name.
    pub(super) fn file(&self) -> &FileName {
        &self.file
    }

    /// Returns the record that opens it.
    pub(super) fn removed(&self) -> Change {
        Change::Removed {
            file: self.file.as_str().to_owned(),
            object: self.object.clone(),
            holder: self.holder,
        }
    }
}

impl Core {
    /// Deletes every archive of a version.
    pub(super) async fn withdraw(
        &self,
        name: &str,
        version: &str,
    ) -> Result<Committed, RepositoryError> {
        let view = self.committer.catch_up().await?;
        let mut committed = None;
        // Those in the shadow first, or one of them would show up in between.
        for file in view.state.files_of(name, version) {
            match self.delete(&file, name, version).await {
                Ok(done) => committed = Some(done),
                Err(RepositoryError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        committed.ok_or_else(|| RepositoryError::not_found(format!("{name} {version}")))
    }

    /// Deletes one archive, if it is of this version.
    async fn delete(
        &self,
        file: &FileName,
        name: &str,
        version: &str,
    ) -> Result<Committed, RepositoryError> {
        let key = key_of(file)?;
        let waiting_since = self.clock.now();
        for _ in 0..ATTEMPTS {
            let view = self.committer.catch_up().await?;
            let base = view.base.clone();
            let status = view
                .state
                .archive(file.as_str())
                .map(|archive| &archive.status);
            if matches!(status, Some(Status::Removed { .. })) {
                self.wait_for_deletion(waiting_since).await?;
                continue;
            }
            // `foo-1` at 2.0.0 and `foo` at 1-2.0.0 have one file name.
            if let Some(Status::Listed(listed)) = status
                && (&*listed.name != name || listed.version.as_str() != version)
            {
                return Err(RepositoryError::not_found(format!("{name} {version}")));
            }
            let object = self.head_if_there(&key).await?;
            if status.is_none() {
                let Some(object) = &object else {
                    return Err(RepositoryError::not_found(file.as_str()));
                };
                // An unlisted half is entered, then deleted: then nobody takes it for an upload.
                if let Inspected::Chart(listing) = self.inspect(file, object, |_| None).await? {
                    self.append(base, Change::Added(listing)).await?;
                    continue;
                }
            }
            let deletion = Deletion::begin(file.clone(), object, self.clock.now());
            if let Appended::At(_) = self.append(base, deletion.removed()).await? {
                return self.carry_out(deletion).await;
            }
        }
        Err(RepositoryError::busy(
            "too many changes of the same version",
        ))
    }

    /// Takes over a deletion that its holder left open for too long.
    pub(super) async fn finish(&self, file: &FileName) -> Result<bool, RepositoryError> {
        let view = self.committer.view();
        let Some(archive) = view.state.archive(file.as_str()) else {
            return Ok(false);
        };
        let Status::Removed { object, seen, .. } = &archive.status else {
            return Ok(false);
        };
        if self.clock.now().since(*seen) < self.options.waits.takeover {
            return Ok(false);
        }
        let deletion = Deletion::begin(file.clone(), object.clone(), self.clock.now());
        match self.append(view.base.clone(), deletion.removed()).await? {
            Appended::Changed => Ok(false),
            Appended::At(_) => {
                self.carry_out(deletion).await?;
                Ok(true)
            }
        }
    }

    /// Deletes the object that `removed` names, and no other, and ends the deletion.
    pub(super) async fn carry_out(&self, deletion: Deletion) -> Result<Committed, RepositoryError> {
        let key = key_of(&deletion.file)?;
        let provenance = key_of(&deletion.file.provenance())?;
        loop {
            let there = self.head_if_there(&key).await?;
            let is_named = match (&there, &deletion.object) {
                (Some(there), Some(named)) => there.same_object(named),
                _ => false,
            };
            if is_named && !self.delete_object(&deletion, &key).await? {
                continue;
            }
            // Beside another object it is that object's provenance.
            if (is_named || there.is_none()) && !self.delete_object(&deletion, &provenance).await? {
                continue;
            }
            return self.end(&deletion).await;
        }
    }

    /// Sends one delete; `false` if its reply was lost and it was waited out: look again.
    async fn delete_object(&self, deletion: &Deletion, key: &Key) -> Result<bool, RepositoryError> {
        if self.clock.now().since(deletion.began) >= self.options.waits.term {
            // Another replica may have taken over; a delete now could hit a newer upload.
            return Err(RepositoryError::busy(
                "the deletion took too long; it will be finished",
            ));
        }
        match self.store.delete(key).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == StorageErrorKind::NotFound => Ok(true),
            Err(error) if error.outcome_unknown() => {
                tokio::time::sleep(self.options.waits.late).await;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Appends `purged`, which counts only while the deletion is this operation's own.
    async fn end(&self, deletion: &Deletion) -> Result<Committed, RepositoryError> {
        let change = Change::Purged {
            file: deletion.file.as_str().to_owned(),
            holder: deletion.holder,
        };
        let view = self.committer.view();
        match self.append(view.base.clone(), change).await? {
            Appended::At(generation) => Ok(Committed { generation }),
            Appended::Changed => {
                let view = self.committer.view();
                let status = view
                    .state
                    .archive(deletion.file.as_str())
                    .map(|archive| &archive.status);
                if matches!(status, Some(Status::Removed { .. })) {
                    return Err(RepositoryError::busy(
                        "another replica finishes the deletion",
                    ));
                }
                Ok(Committed {
                    generation: view.generation,
                })
            }
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
}
