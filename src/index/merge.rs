//! What `helm repo index --merge` does with the entries of an older index.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::Entry;
use crate::chart::ChartVersion;
use crate::chart::range::VersionRange;

/// Returns those of the `old` entries that are to be added to the `fresh` ones, of which names and
/// versions are given.
///
/// Helm asks for that by looking the old entry up as a client would: the very version if there is one,
/// else any that satisfies the old entry's version, read as a constraint. So an old `1.2` is dropped
/// when there is a fresh `1.2.3`, and `1.0.0+a` when there is a `1.0.0+b` (helm-facts 1.8). Old entries
/// that were added count as fresh for those after them.
pub fn added<'a>(
    fresh: impl IntoIterator<Item = (&'a str, &'a str)>,
    mut old: Vec<Entry>,
) -> Vec<Entry> {
    let mut known: HashMap<String, Versions> = HashMap::new();
    for (name, version) in fresh {
        known.entry(name.to_owned()).or_default().add(version);
    }
    // Helm sorts an index when it reads it, so that the newest of several alike is the one that stays.
    old.sort_by_cached_key(|entry| Reverse(entry.metadata.version.parse::<ChartVersion>().ok()));
    old.retain(|entry| {
        let versions = known.entry(entry.metadata.name.clone()).or_default();
        let is_added = !versions.has(&entry.metadata.version);
        if is_added {
            versions.add(&entry.metadata.version);
        }
        is_added
    });
    old
}

/// The versions of one chart.
#[derive(Default)]
struct Versions {
    texts: HashSet<String>,
    parsed: Vec<ChartVersion>,
}

impl Versions {
    fn add(&mut self, version: &str) {
        self.texts.insert(version.to_owned());
        // What is not a version satisfies no constraint.
        self.parsed.extend(version.parse());
    }

    fn has(&self, version: &str) -> bool {
        match VersionRange::parse(version) {
            Ok(range) => {
                self.texts.contains(version)
                    || self.parsed.iter().any(|version| range.matches(version))
            }
            // Helm looks no further, not even for the same text.
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Metadata;
    use crate::index::timestamp;

    fn entry(name: &str, version: &str, digest: &str) -> Entry {
        Entry {
            metadata: Metadata {
                name: name.to_owned(),
                version: version.to_owned(),
                ..Metadata::default()
            },
            urls: Vec::new(),
            created: timestamp::zero(),
            digest: digest.to_owned(),
            removed: false,
            checksum: String::new(),
            engine: String::new(),
            tiller_version: String::new(),
            url: String::new(),
        }
    }

    #[test]
    fn an_old_entry_is_added_unless_its_version_finds_another() {
        for (fresh, old, added) in [
            ("1.2.3", "1.2.3", false),
            ("1.2.3", "v1.2.3", false),
            ("1.2.3", "1.2", false),
            ("1.2.3", "1", false),
            ("1.2.3", "1.2.4", true),
            ("1.2.3", "2", true),
            ("1.0.0+build", "1.0.0+other", false),
            ("1.0.0+build", "1.0.0", false),
            ("1.2.3-a", "1.2.3", true),
            ("1.2.3", "1.2.3-a", true),
            ("1.2", "1.2.0", false),
        ] {
            let kept = super::added([("a", fresh)], vec![entry("a", old, "old")]);
            assert_eq!(kept.len() == 1, added, "{fresh} and {old}");
        }
    }

    #[test]
    fn of_old_entries_that_find_each_other_the_newest_stays() {
        let old = [
            ("1.2", "a"),
            ("1.2.3", "b"),
            ("1.2.3", "c"),
            ("v1.2.4", "d"),
        ];
        let old = old.map(|(version, digest)| entry("a", version, digest));
        let kept = added([], old.into());
        let kept: Vec<&str> = kept.iter().map(|entry| &*entry.digest).collect();
        assert_eq!(kept, ["d", "b"]);
    }
}
