//! Limits of what a repository holds: objects in all, and versions of one chart.

use std::sync::Arc;

use chartroom_storage::log::{Base, Group, Outcome, Proposal};

use super::change::{Change, Listing};
use super::view::View;
use super::withdraw::Deletion;
use super::{Appended, Core, RepositoryError, key_of};
use crate::chart::name::FileName;
use crate::index::VersionRef;

/// How often a listing is tried again because a version that should make room for it changed.
const ATTEMPTS: usize = 8;

/// How many versions one upload removes at most. A limit that is set on a repository with many more
/// versions is reached over several uploads, each of which takes about the same time.
const MOST_REMOVED: usize = 16;

impl Core {
    /// Refuses an upload for which the repository has no room. As in `ChartMuseum`, every object counts;
    /// unlike there, on every route. What replaces an object needs no room. Uploads that run at the
    /// same time do not count each other.
    ///
    /// # Cost
    /// Lists the repository if there is a limit: provenance files are in no log.
    pub(super) async fn check_room(&self, new: &[FileName]) -> Result<(), RepositoryError> {
        let Some(limit) = self.options.max_objects else {
            return Ok(());
        };
        let objects = self.store.list().await?;
        let is_new = |file: &&FileName| {
            objects
                .binary_search_by(|object| object.key.as_str().cmp(file.as_str()))
                .is_err()
        };
        let new = new.iter().filter(is_new).count();
        let after = u64::try_from(objects.len().saturating_add(new)).unwrap_or(u64::MAX);
        if new > 0 && after > limit {
            return Err(RepositoryError::Full { limit });
        }
        Ok(())
    }

    /// Lists an upload. With a limit of versions per chart, those that are too many are removed by the
    /// same change set: no reader sees one version too many, or one too few. Their objects are deleted
    /// afterwards, in a task of their own. Uploads that run at the same time do not know of each other;
    /// what is too many after them is removed by a change set of its own, before their replies.
    pub(super) async fn enter_upload(
        self: &Arc<Self>,
        base: Base,
        listing: Listing,
    ) -> Result<Appended, RepositoryError> {
        let Some(limit) = self.options.per_chart_limit else {
            return self.append(base, Change::Added(Box::new(listing))).await;
        };
        for _ in 0..ATTEMPTS {
            let view = self.committer.view();
            let deletions = self.surplus(&view, &listing, limit).await?;
            let group = Some(Group::new());
            let added = Proposal {
                base: base.clone(),
                change: Change::Added(Box::new(listing.clone())),
                group,
            };
            let removed = deletions.iter().map(|deletion| Proposal {
                base: view.base.clone(),
                change: deletion.removed(),
                group,
            });
            let proposals = std::iter::once(added).chain(removed).collect();
            match self.committer.append(proposals).await?.into_iter().next() {
                Some(Outcome::Appended(generation)) => {
                    let is_all = deletions.len() < MOST_REMOVED;
                    self.delete_later(deletions);
                    // The upload is in the log, whatever becomes of this.
                    if is_all && let Err(error) = self.trim(&listing.metadata.name, limit).await {
                        let name = &listing.metadata.name;
                        tracing::warn!(chart.name = name, %error, "versions beyond the limit stay until the next upload");
                    }
                    return Ok(Appended::At(generation));
                }
                Some(Outcome::Failed(error)) => return Err(RepositoryError::from_shared(error)),
                None => return Err(RepositoryError::Closed),
                Some(Outcome::Changed) => {}
            }
            let state = &self.committer.view().state;
            if state.changed_since(&listing.file, base.generation()) {
                return Ok(Appended::Changed);
            }
        }
        Err(RepositoryError::busy("too many changes of the same chart"))
    }

    /// Removes what is too many after uploads that ran at the same time. No version is spared here: if
    /// each upload spared its own, two of them could remove each other's.
    async fn trim(self: &Arc<Self>, name: &str, limit: usize) -> Result<(), RepositoryError> {
        for _ in 0..ATTEMPTS {
            let view = self.committer.view();
            let versions = view.index.versions(name);
            let surplus = versions.len().saturating_sub(limit);
            if surplus == 0 {
                return Ok(());
            }
            let deletions = self.lowest(&view, name, &versions, surplus).await?;
            let group = Some(Group::new());
            let removed = deletions.iter().map(|deletion| Proposal {
                base: view.base.clone(),
                change: deletion.removed(),
                group,
            });
            let outcomes = self.committer.append(removed.collect()).await?;
            let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Appended(_));
            if outcomes.iter().all(is_done) {
                self.delete_later(deletions);
            }
        }
        // The next upload of the chart tries again.
        Ok(())
    }

    /// Begins the deletions of the versions that are too many once `listing` is there: never the
    /// uploaded one itself, so that a fix of an old minor version stays.
    async fn surplus(
        &self,
        view: &View,
        listing: &Listing,
        limit: usize,
    ) -> Result<Vec<Deletion>, RepositoryError> {
        let name = &listing.metadata.name;
        let mut others = view.index.versions(name);
        others.retain(|other| *other.version_text != *listing.metadata.version);
        let surplus = (others.len() + 1).saturating_sub(limit);
        self.lowest(view, name, &others, surplus).await
    }

    /// Begins the deletions of the versions of the lowest precedence; `versions` are newest first.
    async fn lowest(
        &self,
        view: &View,
        name: &str,
        versions: &[VersionRef],
        count: usize,
    ) -> Result<Vec<Deletion>, RepositoryError> {
        let mut deletions = Vec::new();
        for version in versions.iter().rev().take(count.min(MOST_REMOVED)) {
            for file in view.state.files_of(name, &version.version_text) {
                let is_of_version = view.state.listed(file.as_str()).is_some_and(|listed| {
                    *listed.name == *name && listed.version.as_str() == &*version.version_text
                });
                if is_of_version {
                    let object = self.head_if_there(&key_of(&file)?).await?;
                    deletions.push(Deletion::begin(file, object, self.clock.now()));
                }
            }
        }
        Ok(deletions)
    }

    fn delete_later(self: &Arc<Self>, deletions: Vec<Deletion>) {
        if !deletions.is_empty() {
            let core = Arc::clone(self);
            self.tasks
                .spawn(async move { core.carry_out_all(deletions).await });
        }
    }

    /// Deletes the objects of versions that made room. What fails here is an open deletion, which a
    /// refresh finishes.
    async fn carry_out_all(&self, deletions: Vec<Deletion>) {
        for deletion in deletions {
            let file = deletion.file().as_str().to_owned();
            if let Err(error) = self.carry_out(deletion).await {
                tracing::warn!(file, %error, "a version that made room is not deleted yet; a refresh will finish it");
            }
        }
    }
}
