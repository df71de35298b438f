//! UPLOAD: an archive for a version that must not be there yet.

use std::sync::Arc;

use chartroom_storage::log::Base;
use chartroom_storage::{Key, ObjectId, StorageErrorKind};

use super::change::{Change, Listing, Origin, Ticket};
use super::inspect::{Inspected, There};
use super::state::{Listed, Status};
use super::view::View;
use super::{Appended, Committed, Core, RepositoryError, Upload, key_of};
use crate::chart::Digest;
use crate::chart::name::FileName;

/// How often an upload looks again before it answers "busy".
const ATTEMPTS: usize = 16;

/// What became of the upload's own object.
enum Own {
    /// Nothing was put.
    None,
    /// The create succeeded, and this is the object. A refusal would be a lie from now on: another
    /// replica may list it any time.
    Created(ObjectId),
    /// The create may have happened, or may still happen. It is never sent again.
    InDoubt,
}

/// What an upload brings along through its attempts.
struct Attempt {
    file: FileName,
    key: Key,
    ticket: Ticket,
    upload: Upload,
    own: Own,
}

/// Where an attempt goes on.
enum Step<T> {
    On(T),
    /// The log moved on: look at everything again.
    Again,
}

impl Core {
    /// Publishes an upload that may not replace anything.
    pub(super) async fn publish(
        self: &Arc<Self>,
        upload: Upload,
    ) -> Result<Committed, RepositoryError> {
        let file = FileName::of(&upload.metadata).map_err(RepositoryError::Unnameable)?;
        let key = key_of(&file)?;
        let mut attempt = Attempt {
            file,
            key,
            ticket: Ticket::draw(),
            upload,
            own: Own::None,
        };
        let began = self.clock.now();
        for _ in 0..ATTEMPTS {
            let view = self.view_for_upload(&attempt).await?;
            let base = view.base.clone();
            match view
                .state
                .archive(attempt.file.as_str())
                .map(|archive| &archive.status)
            {
                Some(Status::Removed { .. }) => {
                    self.wait_for_deletion(began).await?;
                    continue;
                }
                Some(Status::Listed(listed)) => match self.claim(&attempt, base, listed).await? {
                    Step::On(committed) => return Ok(committed),
                    Step::Again => continue,
                },
                None if !matches!(attempt.own, Own::None) => {
                    return Err(RepositoryError::busy(
                        "the upload's object was removed meanwhile",
                    ));
                }
                None => {
                    self.check_room(&attempt.upload.files(&attempt.file))
                        .await?;
                }
            }
            let Step::On(object) = self.put(&mut attempt, &base).await? else {
                continue;
            };
            self.put_provenance_of(&attempt).await?;
            let listing = attempt.listing(object, self);
            match self.enter_upload(base.clone(), listing).await? {
                Appended::At(generation) => return Ok(Committed { generation }),
                Appended::Changed => {
                    let view = self.committer.view();
                    let was_gone = view
                        .state
                        .gone_since(attempt.file.as_str(), base.generation());
                    if was_gone && !matches!(attempt.own, Own::None) {
                        return Err(RepositoryError::busy("the version was deleted meanwhile"));
                    }
                }
            }
        }
        Err(RepositoryError::busy(
            "too many changes of the same version",
        ))
    }

    /// Returns what is known, after a catch-up if that would refuse the upload.
    async fn view_for_upload(&self, attempt: &Attempt) -> Result<Arc<View>, RepositoryError> {
        let view = self.committer.view();
        let metadata = &attempt.upload.metadata;
        let taken = view
            .state
            .other_file(&metadata.name, &metadata.version, &attempt.file);
        if view.state.archive(attempt.file.as_str()).is_none() && taken.is_none() {
            return Ok(view);
        }
        let view = self.committer.catch_up().await?;
        match view
            .state
            .other_file(&metadata.name, &metadata.version, &attempt.file)
        {
            Some((file, existing)) if matches!(attempt.own, Own::None) => {
                Err(attempt.already_exists(&file, Some(existing)))
            }
            _ => Ok(view),
        }
    }

    /// The version is listed: the upload is refused, unless what is listed is its own object.
    async fn claim(
        self: &Arc<Self>,
        attempt: &Attempt,
        base: Base,
        listed: &Listed,
    ) -> Result<Step<Committed>, RepositoryError> {
        let own = match &attempt.own {
            Own::None => {
                return Err(attempt.already_exists(attempt.file.as_str(), Some(listed.digest)));
            }
            Own::InDoubt => {
                return Err(RepositoryError::busy(
                    "it is not certain whose upload was first",
                ));
            }
            Own::Created(own) => own,
        };
        let is_entered_by_refresh =
            listed.digest == attempt.upload.digest && listed.origin == Origin::Refresh;
        let object = if is_entered_by_refresh {
            listed.object.clone()
        } else if listed.object.same_object(own) {
            return Err(attempt.already_exists(attempt.file.as_str(), Some(listed.digest)));
        } else {
            match self.head_if_there(&attempt.key).await? {
                Some(there) if there.same_object(own) => own.clone(),
                _ => {
                    return Err(RepositoryError::busy(
                        "the upload was overwritten meanwhile",
                    ));
                }
            }
        };
        let listing = attempt.listing(object, self);
        match self.enter_upload(base, listing).await? {
            Appended::At(generation) => Ok(Step::On(Committed { generation })),
            Appended::Changed => Ok(Step::Again),
        }
    }

    /// Creates the object, or finds that the same bytes are there unlisted.
    async fn put(
        &self,
        attempt: &mut Attempt,
        base: &Base,
    ) -> Result<Step<ObjectId>, RepositoryError> {
        match self
            .store
            .create(&attempt.key, attempt.upload.archive.clone())
            .await
        {
            Ok(written) => {
                // A put's reply has no time: it is asked for, and must be of the object just written.
                match self.head_if_there(&attempt.key).await? {
                    Some(object) if written.e_tag.is_none() || written.e_tag == object.e_tag => {
                        attempt.own = Own::Created(object.clone());
                        Ok(Step::On(object))
                    }
                    _ => Err(RepositoryError::busy(
                        "the upload was overwritten meanwhile",
                    )),
                }
            }
            Err(error) if error.kind() == StorageErrorKind::AlreadyExists => {
                self.meet(attempt, base).await
            }
            Err(error) if error.outcome_unknown() => {
                attempt.own = Own::InDoubt;
                let There::Same(object) = self.compare(&attempt.key, &attempt.upload).await? else {
                    return Err(error.into());
                };
                // Had the request a second, late execution, it would be over after this.
                tokio::time::sleep(self.options.waits.late).await;
                Ok(Step::On(object))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// An object is there that the log does not list: a crashed half of this or of another upload, or
    /// a hand's.
    async fn meet(
        &self,
        attempt: &Attempt,
        base: &Base,
    ) -> Result<Step<ObjectId>, RepositoryError> {
        let (there, mut existing) = match self.compare(&attempt.key, &attempt.upload).await? {
            There::Missing => return Ok(Step::Again),
            There::Same(object) => return Ok(Step::On(object)),
            There::Other(object, existing) => (object, existing),
        };
        // Entered before the refusal: or "it exists" would be followed by "not found" on a delete.
        let inspected = self.inspect(&attempt.file, &there, |_| None).await?;
        if let Inspected::Chart(listing) = &inspected {
            existing = Some(listing.digest);
        }
        if let Inspected::Chart(listing) = inspected
            && let Appended::Changed = self.append(base.clone(), Change::Added(listing)).await?
        {
            return Ok(Step::Again);
        }
        Err(attempt.already_exists(attempt.file.as_str(), existing))
    }

    /// Puts the provenance before the record, so that whoever sees the version finds it.
    async fn put_provenance_of(&self, attempt: &Attempt) -> Result<(), RepositoryError> {
        let Some(provenance) = attempt.upload.provenance.clone() else {
            return Ok(());
        };
        let key = key_of(&attempt.file.provenance())?;
        let put = if matches!(attempt.own, Own::Created(_)) {
            // What is there belonged to an archive that is gone.
            self.store.replace(&key, provenance).await
        } else {
            self.store.create(&key, provenance).await
        };
        match put {
            Err(error) if error.kind() != StorageErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Attempt {
    fn listing(&self, object: ObjectId, core: &Core) -> Listing {
        self.upload
            .listing(&self.file, self.ticket, object, core.clock.wall())
    }

    fn already_exists(&self, file: &str, existing: Option<Digest>) -> RepositoryError {
        RepositoryError::AlreadyExists {
            file: file.to_owned(),
            existing,
            uploaded: Some(self.upload.digest),
        }
    }
}
