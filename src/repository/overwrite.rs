//! OVERWRITE: an archive that replaces whatever is there.

use std::sync::Arc;

use chartroom_storage::log::Base;
use chartroom_storage::{Key, ObjectId};

use super::change::{Change, Listing, Ticket};
use super::inspect::{Inspected, There};
use super::state::Status;
use super::view::View;
use super::{Appended, Committed, Core, RepositoryError, Upload, key_of};
use crate::chart::name::FileName;

/// How often an overwrite looks again, or replaces again, before it answers "busy".
const ATTEMPTS: usize = 8;

/// What an overwrite works on.
struct Target {
    file: FileName,
    key: Key,
    upload: Upload,
    ticket: Ticket,
}

/// What stands after an append was refused because others changed the version.
enum Contest {
    /// Its object was listed and then superseded, in order: as good as done.
    Superseded(u64),
    /// Its object is still there: append again from here.
    Mine(Base),
    /// Another object is there.
    Lost,
}

impl Core {
    /// Publishes an upload that may replace what is there.
    pub(super) async fn overwrite(
        self: &Arc<Self>,
        upload: Upload,
    ) -> Result<Committed, RepositoryError> {
        let file = FileName::of(&upload.metadata).map_err(RepositoryError::Unnameable)?;
        let target = Target {
            key: key_of(&file)?,
            file,
            upload,
            ticket: Ticket::draw(),
        };
        let began = self.clock.now();
        let first_base = self.committer.view().base.generation();
        for _ in 0..ATTEMPTS {
            let view = self.committer.view();
            if self.is_being_deleted(&target.file) {
                self.wait_for_deletion(began).await?;
                continue;
            }
            target.check_identity(&view)?;
            self.check_room(&target.upload.files(&target.file)).await?;
            let object = self.replace(&target).await?;
            self.put_provenance_beside(&target).await?;
            let mut base = view.base.clone();
            loop {
                let listing = target.listing(object.clone(), self);
                if let Appended::At(generation) = self.enter_upload(base.clone(), listing).await? {
                    return self.confirm(&target, &object, generation).await;
                }
                match self.contest(&target, &object, first_base).await? {
                    Contest::Superseded(generation) => return Ok(Committed { generation }),
                    Contest::Mine(current) => {
                        let state = &self.committer.view().state;
                        if state.gone_since(target.file.as_str(), base.generation()) {
                            // A deletion that found no archive may have taken the new provenance.
                            self.put_provenance_beside(&target).await?;
                        }
                        base = current;
                    }
                    Contest::Lost => break,
                }
            }
        }
        Err(RepositoryError::busy(
            "too many changes of the same version",
        ))
    }

    fn is_being_deleted(&self, file: &FileName) -> bool {
        let view = self.committer.view();
        let status = view
            .state
            .archive(file.as_str())
            .map(|archive| &archive.status);
        matches!(status, Some(Status::Removed { .. }))
    }

    /// Replaces the object, once. In doubt it is never sent again: a late execution would take the
    /// place of an overwrite that was acknowledged meanwhile.
    async fn replace(&self, target: &Target) -> Result<ObjectId, RepositoryError> {
        match self
            .store
            .replace(&target.key, target.upload.archive.clone())
            .await
        {
            Ok(written) => {
                if let Some(object) = self.head_if_there(&target.key).await?
                    && (written.e_tag.is_none() || written.e_tag == object.e_tag)
                {
                    return Ok(object);
                }
                // Somebody else was faster. What a contest finds is compared with this one's object,
                // of which only ETag and size are known.
                let size = u64::try_from(target.upload.archive.len()).unwrap_or(u64::MAX);
                Ok(ObjectId {
                    e_tag: written.e_tag,
                    size,
                    modified: self.clock.wall(),
                })
            }
            Err(error) if error.outcome_unknown() => {
                tokio::time::sleep(self.options.waits.late).await;
                match self.compare(&target.key, &target.upload).await {
                    Ok(There::Same(object)) => Ok(object),
                    _ => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn put_provenance_beside(&self, target: &Target) -> Result<(), RepositoryError> {
        if let Some(provenance) = target.upload.provenance.clone() {
            self.store
                .replace(&key_of(&target.file.provenance())?, provenance)
                .await?;
        }
        Ok(())
    }

    /// Others changed the version while its record was tried.
    async fn contest(
        &self,
        target: &Target,
        object: &ObjectId,
        first_base: u64,
    ) -> Result<Contest, RepositoryError> {
        let view = self.committer.catch_up().await?;
        if self.is_being_deleted(&target.file) {
            return Err(RepositoryError::busy("the version is being deleted"));
        }
        let there = self.head_if_there(&target.key).await?;
        if there.is_some_and(|there| there.same_object(object)) {
            return Ok(Contest::Mine(view.base.clone()));
        }
        if view
            .state
            .listed_since(target.file.as_str(), first_base, object)
        {
            return Ok(Contest::Superseded(view.generation));
        }
        Ok(Contest::Lost)
    }

    /// The record is in the log: what it names must still be there, or somebody else's record follows.
    async fn confirm(
        &self,
        target: &Target,
        object: &ObjectId,
        generation: u64,
    ) -> Result<Committed, RepositoryError> {
        for _ in 0..ATTEMPTS {
            let view = self.committer.catch_up().await?;
            if view.state.changed_since(target.file.as_str(), generation) {
                return Ok(Committed { generation });
            }
            let there = match self.head_if_there(&target.key).await? {
                Some(there) if there.same_object(object) => return Ok(Committed { generation }),
                Some(there) => there,
                None => return Err(RepositoryError::busy("the archive vanished from the store")),
            };
            // It is not replaced again: an overwrite that came later may have been acknowledged.
            match self.inspect(&target.file, &there, |_| None).await? {
                Inspected::Chart(listing) => {
                    self.append(view.base.clone(), Change::Added(listing))
                        .await?;
                }
                Inspected::Unreadable => return Ok(Committed { generation }),
                Inspected::Missing => {}
            }
        }
        Err(RepositoryError::busy(
            "too many changes of the same version",
        ))
    }
}

impl Target {
    /// `foo-1` at 2.0.0 and `foo` at 1-2.0.0 have one file name: neither may replace the other.
    fn check_identity(&self, view: &View) -> Result<(), RepositoryError> {
        let metadata = &self.upload.metadata;
        match view.state.listed(self.file.as_str()) {
            Some(listed)
                if *listed.name != *metadata.name
                    || listed.version.as_str() != metadata.version =>
            {
                Err(RepositoryError::AlreadyExists {
                    file: self.file.as_str().to_owned(),
                    existing: Some(listed.digest),
                    uploaded: Some(self.upload.digest),
                })
            }
            _ => Ok(()),
        }
    }

    fn listing(&self, object: ObjectId, core: &Core) -> Listing {
        self.upload
            .listing(&self.file, self.ticket, object, core.clock.wall())
    }
}
