//! What the changes of a log add up to: which archives are listed, and the index.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chartroom_storage::log::{Frozen, Identity, Item, Machine};
use chartroom_storage::{Clock, Moment, ObjectId};
use chrono::{DateTime, Utc};
use rpds::HashTrieMapSync;

use super::Options;
use super::change::{Change, Listing, Origin, Ticket};
use super::shadow::Shadows;
use super::snapshot;
use crate::chart::name::FileName;
use crate::chart::{ChartVersion, Digest, Metadata};
use crate::index::{Entry, Index, Row};

/// How many earlier objects of one archive are remembered, for overwrites that were overtaken.
const REMEMBERED_OBJECTS: usize = 8;

/// How many archives that are gone are remembered by name. Of others it is assumed that they changed
/// just now, which costs an operation one more look.
const REMEMBERED_GONE: usize = 10_000;

/// What is known of one archive.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    /// The generation of the last record about it.
    pub(super) changed: u64,
    /// The generation of the last record that took it away.
    gone: u64,
    /// The objects that it was listed as before, with the generation of the record that said so.
    earlier: Vec<(u64, ObjectId)>,
    pub(super) status: Status,
}

#[derive(Clone, Debug)]
pub(super) enum Status {
    Listed(Arc<Listed>),
    /// An open deletion.
    Removed {
        object: Option<ObjectId>,
        holder: Ticket,
        /// When this replica learned of it.
        seen: Moment,
    },
}

/// An archive that is listed.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) name: Box<str>,
    pub(super) version: ChartVersion,
    pub(super) object: ObjectId,
    pub(super) digest: Digest,
    pub(super) origin: Origin,
    pub(super) ticket: Ticket,
}

/// What every state of a repository is made with.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) clock: Clock,
    /// See [`Options::url_base`].
    pub(super) url_base: Arc<str>,
}

impl Setup {
    pub(super) fn of(clock: &Clock, options: &Options) -> Self {
        Self {
            clock: clock.clone(),
            url_base: Arc::clone(&options.url_base),
        }
    }
}

/// All that a repository's log adds up to. Cloning is cheap and gives an immutable copy.
#[derive(Clone, Debug)]
pub(super) struct State {
    setup: Setup,
    pub(super) identity: Identity,
    pub(super) generation: u64,
    pub(super) generated: DateTime<Utc>,
    archives: HashTrieMapSync<Arc<str>, Arc<Archive>>,
    /// The files whose deletion is open; few at any time.
    open_deletions: BTreeSet<Arc<str>>,
    gone: Gone,
    shadows: Arc<Shadows>,
    pub(super) index: Index,
}

/// When archives that are not known any more were last spoken of.
#[derive(Clone, Debug, Default)]
struct Gone {
    by_file: HashTrieMapSync<Arc<str>, Arc<GoneArchive>>,
    by_generation: rpds::QueueSync<(u64, Arc<str>)>,
    /// Nothing is known of what was forgotten up to here.
    floor: u64,
}

/// What is remembered of an archive that is gone.
#[derive(Clone, Debug)]
struct GoneArchive {
    changed: u64,
    earlier: Vec<(u64, ObjectId)>,
}

impl State {
    /// Returns what is known of an archive; `None` if it is absent.
    pub(super) fn archive(&self, file: &str) -> Option<&Archive> {
        self.archives.get(file).map(AsRef::as_ref)
    }

    /// Returns the archive if it is listed.
    pub(super) fn listed(&self, file: &str) -> Option<&Arc<Listed>> {
        match self.archive(file).map(|archive| &archive.status) {
            Some(Status::Listed(listed)) => Some(listed),
            _ => None,
        }
    }

    /// Returns when an archive was uploaded, if it is listed with these bytes.
    pub(super) fn created(&self, file: &str, digest: &Digest) -> Option<DateTime<Utc>> {
        let listed = self
            .listed(file)
            .filter(|listed| listed.digest == *digest)?;
        let shown = self.index.find(&listed.name, listed.version.as_str());
        let entry = match shown.filter(|shown| &*shown.tie == file) {
            Some(shown) => Entry::from_json(&shown.json).ok()?,
            None => self
                .shadows
                .find(&listed.name, listed.version.as_str(), file)?
                .clone(),
        };
        Some(entry.created.to_utc())
    }

    /// Returns all archives that are listed or being deleted, by file name, in no order.
    pub(super) fn archives(&self) -> impl Iterator<Item = (&Arc<str>, &Archive)> {
        self.archives
            .iter()
            .map(|(file, archive)| (file, archive.as_ref()))
    }

    /// Returns the files whose deletion is open, and when this replica learned of it.
    pub(super) fn open_deletions(&self) -> impl Iterator<Item = (&str, Moment)> {
        self.open_deletions
            .iter()
            .filter_map(|file| match self.archive(file)?.status {
                Status::Removed { seen, .. } => Some((file.as_ref(), seen)),
                Status::Listed(_) => None,
            })
    }

    /// Returns whether the log has, or may have, a record about the archive after `base`.
    pub(super) fn changed_since(&self, file: &str, base: u64) -> bool {
        self.last_change(file) > base
    }

    /// Returns whether the log has, or may have, a record after `base` that took the archive away.
    pub(super) fn gone_since(&self, file: &str, base: u64) -> bool {
        match self.archive(file) {
            Some(archive) => archive.gone > base || self.gone.floor > base,
            None => self.last_change(file) > base,
        }
    }

    /// Returns whether a record after `base` listed this very object.
    pub(super) fn listed_since(&self, file: &str, base: u64, object: &ObjectId) -> bool {
        let was_listed = |earlier: &[(u64, ObjectId)]| {
            earlier
                .iter()
                .any(|(generation, was)| *generation > base && was.same_object(object))
        };
        let Some(archive) = self.archive(file) else {
            return self
                .gone
                .by_file
                .get(file)
                .is_some_and(|gone| was_listed(&gone.earlier));
        };
        let is_current = matches!(
            &archive.status,
            Status::Listed(listed) if archive.changed > base && listed.object.same_object(object)
        );
        is_current || was_listed(&archive.earlier)
    }

    /// Returns the file that shows a version in the index, if it is another than `file`.
    pub(super) fn other_file(
        &self,
        name: &str,
        version: &str,
        file: &FileName,
    ) -> Option<(Arc<str>, Digest)> {
        let shown = self.index.find(name, version)?.tie;
        let digest = self.listed(&shown)?.digest;
        (&*shown != file.as_str()).then_some((shown, digest))
    }

    /// Returns all files that may hold a version: those in the shadow, the one that is shown, and the
    /// one with the canonical name.
    pub(super) fn files_of(&self, name: &str, version: &str) -> Vec<FileName> {
        let mut files: Vec<FileName> = Vec::new();
        let shown = self
            .index
            .find(name, version)
            .map(|found| found.tie.to_string());
        let canonical = format!("{name}-{version}.tgz");
        let behind = self.shadows.behind(name, version).map(str::to_owned);
        for file in behind.chain(shown).chain([canonical]) {
            if let Ok(file) = FileName::parse(&file)
                && !files.contains(&file)
            {
                files.push(file);
            }
        }
        files
    }

    /// Returns the generation of the record that took an archive away, if that is remembered.
    pub(super) fn gone_at(&self, file: &str) -> Option<u64> {
        self.gone.by_file.get(file).map(|gone| gone.changed)
    }

    fn last_change(&self, file: &str) -> u64 {
        match self.archive(file) {
            Some(archive) => archive.changed,
            None => self
                .gone
                .by_file
                .get(file)
                .map_or(self.gone.floor, |gone| gone.changed),
        }
    }

    fn add(&mut self, generation: u64, listing: &Listing, fresh: &mut Fresh) {
        let Ok(version) = listing.metadata.version.parse::<ChartVersion>() else {
            // Nothing appends such a listing: a chart without a version that parses is refused.
            tracing::error!(file = %listing.file, "the log lists an archive without a version");
            return;
        };
        let is_fresh = self.is_fresh(listing) && fresh.takes(listing);
        if !is_fresh {
            fresh.enter(&mut self.index);
        }
        let known = self.forget_listing(&listing.file);
        let listed = Listed {
            name: listing.metadata.name.as_str().into(),
            version,
            object: listing.object.clone(),
            digest: listing.digest,
            origin: listing.origin,
            ticket: listing.ticket,
        };
        let archive = Archive {
            changed: generation,
            gone: known
                .as_ref()
                .map_or_else(|| self.last_change(&listing.file), |known| known.gone),
            earlier: known.map_or_else(|| self.gone.earlier(&listing.file), remember),
            status: Status::Listed(Arc::new(listed)),
        };
        self.archives
            .insert_mut(listing.file.as_str().into(), Arc::new(archive));
        let entry = snapshot::entry(listing, &self.setup.url_base);
        if is_fresh {
            fresh.rows.push(Row::of(&entry, &listing.file));
            return;
        }
        let shadows = Arc::make_mut(&mut self.shadows);
        shadows.list(&mut self.index, entry, &listing.file);
    }

    /// Tells whether nothing is known of an archive, nor of another one with the same version.
    fn is_fresh(&self, listing: &Listing) -> bool {
        let Metadata { name, version, .. } = &listing.metadata;
        self.archive(&listing.file).is_none() && self.index.find(name, version).is_none()
    }

    fn take(&mut self, generation: u64, change: Change, fresh: &mut Fresh) {
        if !matches!(change, Change::Added(_)) {
            fresh.enter(&mut self.index);
        }
        match change {
            Change::Added(listing) => self.add(generation, &listing, fresh),
            Change::Removed {
                file,
                object,
                holder,
            } => {
                let seen = self.setup.clock.now();
                let status = Status::Removed {
                    object,
                    holder,
                    seen,
                };
                self.begin_removal(generation, &file, status);
            }
            Change::Purged { file, .. } | Change::Dropped { file } => {
                self.take_away(generation, &file);
            }
        }
    }

    fn begin_removal(&mut self, generation: u64, file: &str, status: Status) {
        let known = self.forget_listing(file);
        let archive = Archive {
            changed: generation,
            gone: generation,
            earlier: known.map_or_else(|| self.gone.earlier(file), remember),
            status,
        };
        let file: Arc<str> = file.into();
        self.open_deletions.insert(Arc::clone(&file));
        self.archives.insert_mut(file, Arc::new(archive));
    }

    fn take_away(&mut self, generation: u64, file: &str) {
        let known = self.forget_listing(file);
        self.archives.remove_mut(file);
        let earlier = known.map(remember).unwrap_or_default();
        self.gone.remember(
            file.into(),
            GoneArchive {
                changed: generation,
                earlier,
            },
        );
    }

    /// Takes an archive out of the index and out of the deletions, and returns what was known of it.
    fn forget_listing(&mut self, file: &str) -> Option<Archive> {
        self.open_deletions.remove(file);
        let archive = self.archives.get(file).map(|known| Archive::clone(known))?;
        if let Status::Listed(listed) = &archive.status {
            let shadows = Arc::make_mut(&mut self.shadows);
            shadows.unlist(&mut self.index, &listed.name, &listed.version, file);
        }
        Some(archive)
    }
}

/// Returns what an archive was listed as, for the record that follows.
fn remember(known: Archive) -> Vec<(u64, ObjectId)> {
    let mut earlier = known.earlier;
    if let Status::Listed(listed) = &known.status {
        earlier.push((known.changed, listed.object.clone()));
    }
    let surplus = earlier.len().saturating_sub(REMEMBERED_OBJECTS);
    earlier.drain(..surplus);
    earlier
}

impl Gone {
    fn earlier(&self, file: &str) -> Vec<(u64, ObjectId)> {
        self.by_file
            .get(file)
            .map(|gone| gone.earlier.clone())
            .unwrap_or_default()
    }

    fn remember(&mut self, file: Arc<str>, archive: GoneArchive) {
        self.by_generation
            .enqueue_mut((archive.changed, Arc::clone(&file)));
        self.by_file.insert_mut(file, Arc::new(archive));
        while self.by_generation.len() > REMEMBERED_GONE {
            let Some((generation, file)) = self.by_generation.peek().cloned() else {
                return;
            };
            self.by_generation.dequeue_mut();
            self.floor = self.floor.max(generation);
            if self
                .by_file
                .get(&file)
                .is_some_and(|gone| gone.changed == generation)
            {
                self.by_file.remove_mut(&file);
            }
        }
    }
}

impl Machine for State {
    type Change = Change;
    type Frozen = Self;

    type Setup = Setup;

    fn fresh(setup: &Setup, identity: &Identity, created: DateTime<Utc>) -> Self {
        Self {
            setup: setup.clone(),
            identity: identity.clone(),
            generation: 0,
            generated: created,
            archives: HashTrieMapSync::default(),
            open_deletions: BTreeSet::new(),
            gone: Gone::default(),
            shadows: Arc::default(),
            index: Index::default(),
        }
    }

    fn restore(&mut self, items: Vec<Item<Change>>) {
        let mut fresh = Fresh::default();
        for item in items {
            self.take(item.generation, item.change, &mut fresh);
        }
        fresh.enter(&mut self.index);
    }

    fn restored(&mut self, generation: u64, time: DateTime<Utc>) {
        self.generation = generation;
        self.generated = time;
        // What happened before the snapshot to archives that it does not hold is not known.
        self.gone.floor = generation;
    }

    fn apply(&mut self, generation: u64, time: DateTime<Utc>, changes: Vec<Change>) {
        let mut fresh = Fresh::default();
        for change in changes {
            self.take(generation, change, &mut fresh);
        }
        fresh.enter(&mut self.index);
        self.generation = generation;
        self.generated = time;
    }

    fn admits(&self, base: u64, change: &Change) -> bool {
        let status = self.archive(change.file()).map(|archive| &archive.status);
        match (change, status) {
            // Valid only on one's own: after a takeover the new holder decides.
            (Change::Purged { holder, .. }, Some(Status::Removed { holder: last, .. })) => {
                holder == last
            }
            // What a holder may be deleting is neither listed nor dropped, whatever the base says.
            (Change::Purged { .. }, _)
            | (Change::Added(_), Some(Status::Removed { .. }))
            | (Change::Dropped { .. }, Some(Status::Removed { .. }) | None) => false,
            _ => !self.changed_since(change.file(), base),
        }
    }

    fn subject(change: &Change) -> &str {
        change.file()
    }

    fn size(&self) -> usize {
        self.archives.size()
    }

    fn freeze(&self) -> Self {
        self.clone()
    }
}

impl Frozen<Change> for State {
    fn items(&self) -> Box<dyn Iterator<Item = Item<Change>> + '_> {
        snapshot::items(self)
    }
}

impl State {
    pub(super) fn url_base(&self) -> &str {
        &self.setup.url_base
    }

    pub(super) fn shadows(&self) -> &Shadows {
        &self.shadows
    }
}

/// What is about to be put into the index at once: entries of archives of which nothing was known.
#[derive(Default)]
struct Fresh {
    rows: Vec<Row>,
    versions: HashSet<(String, String)>,
}

impl Fresh {
    /// Returns whether the version is not among them, and notes that it is.
    fn takes(&mut self, listing: &Listing) -> bool {
        let Metadata { name, version, .. } = &listing.metadata;
        self.versions.insert((name.clone(), version.clone()))
    }

    fn enter(&mut self, index: &mut Index) {
        self.versions.clear();
        if !self.rows.is_empty() {
            index.insert_all(std::mem::take(&mut self.rows));
        }
    }
}
