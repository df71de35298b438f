//! Provenance put by itself, beside an archive that may come later.

use bytes::Bytes;
use chartroom_storage::StorageErrorKind;

use super::state::Status;
use super::{Committed, Core, Overwrite, RepositoryError, key_of};
use crate::chart::name::FileName;

impl Core {
    /// Puts a provenance. It is not in the index: no record is needed.
    pub(super) async fn publish_provenance(
        &self,
        file: &FileName,
        body: Bytes,
        overwrite: Overwrite,
    ) -> Result<Committed, RepositoryError> {
        let archive = file.archive();
        let provenance = file.provenance();
        let key = key_of(&provenance)?;
        let began = self.clock.now();
        loop {
            let view = self.committer.view();
            let status = view
                .state
                .archive(archive.as_str())
                .map(|archive| &archive.status);
            if !matches!(status, Some(Status::Removed { .. })) {
                break;
            }
            self.wait_for_deletion(began).await?;
        }
        self.check_room(std::slice::from_ref(&provenance)).await?;
        let put = match overwrite {
            Overwrite::Allow => self.store.replace(&key, body.clone()).await,
            Overwrite::Forbid => self.store.create(&key, body.clone()).await,
        };
        match put {
            Ok(_) => {}
            Err(error) if error.kind() == StorageErrorKind::AlreadyExists => {
                return Err(RepositoryError::AlreadyExists {
                    file: provenance.as_str().to_owned(),
                    existing: None,
                    uploaded: None,
                });
            }
            Err(error) if error.outcome_unknown() => match self.store.get(&key).await {
                Ok(there) if there.body == body => {}
                _ => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
        Ok(Committed {
            generation: self.committer.view().generation,
        })
    }
}
