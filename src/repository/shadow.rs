//! Two archives with the same name and version: one is in the index, the others wait in its shadow.
//!
//! A hand can put `copy-of-nginx.tgz` beside `nginx-1.0.0.tgz`. An index with the same version twice
//! makes clients disagree, so one is chosen by a rule that depends on nothing but the archives that are
//! listed: the file with the canonical name, else the first by name.

use std::collections::BTreeMap;

use crate::chart::ChartVersion;
use crate::index::{Entry, Index};

/// The entries that are not in the index, by name and version, then by file.
#[derive(Clone, Debug, Default)]
pub(super) struct Shadows {
    waiting: BTreeMap<(String, String), BTreeMap<String, Entry>>,
}

impl Shadows {
    /// Puts an entry into the index, or into the shadow of the one that is there.
    pub(super) fn list(&mut self, index: &mut Index, entry: Entry, file: &str) {
        let shown = index.find(&entry.metadata.name, &entry.metadata.version);
        let Some(shown) = shown.filter(|shown| &*shown.tie != file) else {
            index.insert(&entry, file);
            return;
        };
        let identity = (entry.metadata.name.clone(), entry.metadata.version.clone());
        let waiting = self.waiting.entry(identity.clone()).or_default();
        let (name, version) = &identity;
        if rank(name, version, file) > rank(name, version, &shown.tie) {
            waiting.insert(file.to_owned(), entry);
            return;
        }
        if let Ok(overshadowed) = Entry::from_json(&shown.json) {
            waiting.insert(shown.tie.to_string(), overshadowed);
        }
        if let Some(version) = &shown.version {
            index.remove(&entry.metadata.name, version, &shown.tie);
        }
        index.insert(&entry, file);
    }

    /// Takes an entry out of the index, and the first of its shadows into it.
    pub(super) fn unlist(
        &mut self,
        index: &mut Index,
        name: &str,
        version: &ChartVersion,
        file: &str,
    ) {
        let identity = (name.to_owned(), version.as_str().to_owned());
        let was_shown = index.remove(name, version, file);
        let Some(waiting) = self.waiting.get_mut(&identity) else {
            return;
        };
        if !was_shown {
            waiting.remove(file);
        } else if let Some((next, entry)) = waiting.pop_first() {
            index.insert(&entry, &next);
        }
        if waiting.is_empty() {
            self.waiting.remove(&identity);
        }
    }

    /// Returns the files that wait behind a version.
    pub(super) fn behind(&self, name: &str, version: &str) -> impl Iterator<Item = &str> {
        let identity = (name.to_owned(), version.to_owned());
        self.waiting
            .get(&identity)
            .into_iter()
            .flat_map(|files| files.keys().map(String::as_str))
    }

    /// Returns the entry of a file that waits behind a version.
    pub(super) fn find(&self, name: &str, version: &str, file: &str) -> Option<&Entry> {
        let identity = (name.to_owned(), version.to_owned());
        self.waiting.get(&identity)?.get(file)
    }

    /// Returns all that wait, by file.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.waiting
            .values()
            .flat_map(|files| files.iter().map(|(file, entry)| (file.as_str(), entry)))
    }
}

/// The canonical name first, then by name.
pub(super) fn rank<'file>(name: &str, version: &str, file: &'file str) -> (bool, &'file str) {
    (file != format!("{name}-{version}.tgz"), file)
}
