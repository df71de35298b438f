//! Mending by the protocol's own operations: safe beside uploads, deletions and refreshes of any
//! replica.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chartroom_storage::{Moment, ObjectId};
use chrono::{DateTime, Utc};

use super::contents::Contents;
use super::finding::Kind;
use super::{Report, Survey};
use crate::chart::name::FileName;
use crate::repository::change::Change;
use crate::repository::inspect::Inspected;
use crate::repository::withdraw::Deletion;
use crate::repository::{Appended, Core, RepositoryError, key_of};

/// Why something was left, by kind and file.
type Left = BTreeMap<(Kind, String), &'static str>;

impl Core {
    /// Checks, mends what can be mended, and checks again.
    pub(super) async fn check_and_mend(&self) -> Result<Report, RepositoryError> {
        let mut contents = Contents::default();
        let before = Survey::confirmed(self.look(), &mut contents).await?;
        if !before
            .findings
            .iter()
            .any(|finding| finding.repair.is_some())
        {
            return Ok(before.report());
        }
        let left = self.mend(&before, &mut contents).await?;
        let after = Survey::confirmed(self.look(), &mut contents).await?;
        Ok(compare(before, after, &left))
    }

    async fn mend(
        &self,
        before: &Survey,
        contents: &mut Contents,
    ) -> Result<Left, RepositoryError> {
        self.refresh().await?;
        for finding in &before.findings {
            if finding.kind == Kind::DigestMismatch
                && let Ok(file) = FileName::parse(&finding.file)
            {
                self.enter_again(&file).await?;
            }
        }
        // An entry that was dropped may have left an orphan.
        let now = Survey::confirmed(self.look(), contents).await?;
        let orphans = now.orphans(before);
        let deletions = self.time_until_takeover();
        let rest = orphans
            .iter()
            .map(|orphan| self.time_until_old(orphan))
            .chain(deletions)
            .max()
            .unwrap_or_default();
        if !rest.is_zero() {
            let seconds = rest.as_secs();
            tracing::info!(seconds, "waiting for operations that may be under way");
            tokio::time::sleep(rest).await;
        }
        if deletions.is_some() {
            self.refresh().await?;
        }
        self.discard_all(orphans).await
    }

    /// Enters an archive as the object that is there, though the object is the one that is known.
    async fn enter_again(&self, file: &FileName) -> Result<(), RepositoryError> {
        let view = self.committer.catch_up().await?;
        let Some(listed) = view.state.listed(file.as_str()) else {
            return Ok(());
        };
        if let Inspected::Chart(listing) = self.inspect(file, &listed.object, |_| None).await?
            && listing.digest != listed.digest
        {
            // If others changed it meanwhile, theirs counts.
            self.append(view.base.clone(), Change::Added(listing))
                .await?;
        }
        Ok(())
    }

    /// Returns how long it is until every open deletion may be taken over; `None` if there is none.
    fn time_until_takeover(&self) -> Option<Duration> {
        let view = self.committer.view();
        let last = view.state.open_deletions().map(|(_, seen)| seen).max()?;
        let passed = self.clock.now().since(last);
        Some(self.options.waits.takeover.saturating_sub(passed))
    }

    /// Returns how long it is until nobody can be about to put the archive beside a provenance that
    /// was put first. Only the store's own times count, or the time that this process has watched it.
    fn time_until_old(&self, orphan: &Orphan) -> Duration {
        let waits = self.options.waits;
        let enough = waits.takeover + waits.late;
        let by_store = orphan.newest.signed_duration_since(orphan.object.modified);
        if by_store.to_std().is_ok_and(|age| age >= enough) {
            return Duration::ZERO;
        }
        enough.saturating_sub(self.clock.now().since(orphan.seen))
    }

    async fn discard_all(&self, orphans: Vec<Orphan>) -> Result<Left, RepositoryError> {
        let mut left = Left::new();
        for orphan in orphans {
            let reason = match self.discard(&orphan).await {
                Ok(None) => continue,
                Ok(Some(reason)) => reason,
                Err(RepositoryError::Busy { .. }) => {
                    "another replica works on it, or the store was slow; repair again"
                }
                Err(error) => return Err(error),
            };
            let file = orphan.file.as_str().to_owned();
            left.insert((Kind::OrphanedProvenance, file), reason);
        }
        Ok(left)
    }

    /// Deletes a provenance whose archive is not there; otherwise returns why it was left.
    ///
    /// The steps are those of DELETE for an archive whose object is gone: between `removed` and
    /// `purged` no upload puts an archive and its provenance, and `carry_out` looks once more. An upload
    /// that began before is told that it is busy, as by any deletion.
    async fn discard(&self, orphan: &Orphan) -> Result<Option<&'static str>, RepositoryError> {
        let archive = orphan.file.archive();
        let view = self.committer.catch_up().await?;
        if view.state.archive(archive.as_str()).is_some()
            || self.head_if_there(&key_of(&archive)?).await?.is_some()
        {
            return Ok(Some("its archive is there now, or is being deleted"));
        }
        match self.head_if_there(&key_of(&orphan.file)?).await? {
            Some(there) if there.same_object(&orphan.object) => {}
            Some(_) => return Ok(Some("it was replaced just now")),
            None => return Ok(None),
        }
        let deletion = Deletion::begin(archive, None, self.clock.now());
        if let Appended::Changed = self.append(view.base.clone(), deletion.removed()).await? {
            return Ok(Some("somebody else changed the version just now"));
        }
        self.carry_out(deletion).await?;
        Ok(None)
    }
}

/// A provenance without an archive.
struct Orphan {
    file: FileName,
    object: ObjectId,
    /// When this process first saw it so.
    seen: Moment,
    /// The newest time of any object: the store's clock is not before it.
    newest: DateTime<Utc>,
}

impl Survey {
    fn orphans(&self, before: &Self) -> Vec<Orphan> {
        let newest = self.listing.iter().map(|object| object.id.modified).max();
        let newest = newest.unwrap_or_default();
        let names: BTreeSet<&str> = self
            .findings
            .iter()
            .filter(|finding| finding.kind == Kind::OrphanedProvenance)
            .map(|finding| finding.file.as_str())
            .collect();
        let mut orphans = Vec::new();
        for object in &self.listing {
            let name = object.key.as_str();
            let Ok(file) = FileName::parse(name) else {
                continue;
            };
            if !names.contains(name) {
                continue;
            }
            let was_seen =
                before.has(Kind::OrphanedProvenance, name) && before.listing.contains(object);
            orphans.push(Orphan {
                file,
                object: object.id.clone(),
                seen: if was_seen { before.began } else { self.began },
                newest,
            });
        }
        orphans
    }

    fn has(&self, kind: Kind, file: &str) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.subject() == (kind, file))
    }
}

/// Puts what was mended beside what remains.
fn compare(before: Survey, after: Survey, left: &Left) -> Report {
    let remaining: BTreeSet<(Kind, String)> = after
        .findings
        .iter()
        .map(|finding| (finding.kind, finding.file.clone()))
        .collect();
    let mut report = after.report();
    for finding in &mut report.findings {
        let reason = left.get(&(finding.kind, finding.file.clone()));
        finding.left_because = reason.map(|reason| (*reason).to_owned());
    }
    for mut finding in before.findings {
        let is_gone = !remaining.contains(&(finding.kind, finding.file.clone()));
        if is_gone && finding.repair.is_some() {
            finding.mended = true;
            report.findings.push(finding);
        }
    }
    report.sort();
    report
}
