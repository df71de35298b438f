//! Comparing what the log says with what is there. Nothing is read or written here.

use std::collections::{BTreeMap, BTreeSet};

use chartroom_storage::{Listed as Object, ObjectId};

use super::contents::{Content, Contents};
use super::finding::{Finding, Kind, Severity};
use super::provenance;
use crate::chart::Digest;
use crate::chart::name::FileName;
use crate::repository::look::Look;
use crate::repository::shadow;
use crate::repository::state::{Listed, Status};
use crate::repository::view::View;

/// Files that belong to a repository without being archives.
const ARTIFACT_HUB: &str = "artifacthub-repo.yml";
const CHARTMUSEUM_CACHE: &str = "index-cache.yaml";
const STATIC_INDEX: &str = "index.yaml";

/// What is there, and what is said of it.
pub(super) struct Scene<'a> {
    pub(super) look: Look<'a>,
    /// `None` where there is no log.
    pub(super) view: Option<&'a View>,
    /// Sorted by key; taken after the view.
    pub(super) listing: &'a [Object],
    pub(super) contents: &'a Contents,
}

impl<'a> Scene<'a> {
    pub(super) fn status(&self, file: &str) -> Option<&'a Status> {
        let archive = self.view?.state.archive(file)?;
        Some(&archive.status)
    }

    pub(super) fn object(&self, file: &str) -> Option<&'a ObjectId> {
        let at = self
            .listing
            .binary_search_by(|object| object.key.as_str().cmp(file))
            .ok()?;
        self.listing.get(at).map(|object| &object.id)
    }

    /// Returns what there is to say about each file, but for the deletions that are open.
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for object in self.listing {
            let name = object.key.as_str();
            match FileName::parse(name) {
                Ok(file) if file.is_provenance() => {
                    findings.extend(provenance::judge(self, &file));
                }
                Ok(file) => findings.extend(self.archive(&file, &object.id)),
                Err(_) => findings.extend(foreign(name)),
            }
        }
        findings.extend(self.other_names());
        findings.extend(self.duplicates());
        findings.extend(self.missing());
        findings.extend(self.without_log());
        findings
    }

    /// Returns how many archives are there.
    pub(super) fn archives(&self) -> usize {
        let names = self.listing.iter().map(|object| object.key.as_str());
        let files = names.filter_map(|name| FileName::parse(name).ok());
        files.filter(|file| !file.is_provenance()).count()
    }

    fn archive(&self, file: &FileName, object: &ObjectId) -> Option<Finding> {
        let name = file.as_str();
        let status = self.status(name);
        let listed = match status {
            // What is being deleted is its deleter's business.
            Some(Status::Removed { .. }) => return None,
            Some(Status::Listed(listed)) => Some(listed),
            None => None,
        };
        match self.contents.of(name)? {
            Content::Chart { digest, .. } => match listed {
                Some(listed) => self.listed(name, object, *digest, listed),
                None => self.unlisted(name, object),
            },
            Content::Empty => Some(empty(name, listed.is_some())),
            Content::Unreadable { reason, digest } => {
                Some(unreadable(name, reason, *digest, listed.map(AsRef::as_ref)))
            }
            Content::Changed => Some(Finding::new(
                Kind::ChangedMeanwhile,
                Severity::Information,
                name,
                "it was replaced or removed each time it was looked at; check again",
            )),
            Content::Provenance(_) | Content::NoProvenance { .. } => None,
        }
    }

    fn listed(
        &self,
        name: &str,
        object: &ObjectId,
        digest: Digest,
        listed: &Listed,
    ) -> Option<Finding> {
        let is_same = self.look.is_same(&listed.object, object);
        if is_same && listed.digest == digest {
            return None;
        }
        if is_same {
            let what = format!(
                "its bytes changed though the store says that it is the object that was entered: the \
                 index says {}, the bytes are {digest}",
                listed.digest
            );
            let finding = Finding::new(Kind::DigestMismatch, Severity::Error, name, what);
            return Some(finding.mendable("it is entered again as it is now"));
        }
        let (severity, what) = if listed.digest == digest {
            let what = "the same bytes are there as another object: copied, restored or touched";
            (Severity::Warning, what.to_owned())
        } else {
            let what = format!(
                "it was replaced at {}: the index says {}, the bytes are {digest}",
                object.modified.format("%FT%TZ"),
                listed.digest
            );
            (Severity::Error, what)
        };
        let finding = Finding::new(Kind::ReplacedArchive, severity, name, what);
        Some(finding.mendable("it is entered as it is now"))
    }

    fn unlisted(&self, name: &str, object: &ObjectId) -> Option<Finding> {
        self.view?;
        let what = format!(
            "it is in the store since {} and not in the index: put by hand, or an upload that was cut off \
             or goes on",
            object.modified.format("%FT%TZ")
        );
        let finding = Finding::new(Kind::UnlistedArchive, Severity::Error, name, what);
        Some(finding.mendable("it is entered"))
    }

    /// Identity is what Chart.yaml says: a name that says otherwise misleads people, not clients.
    fn other_names(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (file, name, version) in self.charts() {
            let canonical = format!("{name}-{version}.tgz");
            if file == canonical {
                continue;
            }
            let what = format!("it holds {name} {version}, and is served as that");
            let finding = Finding::new(Kind::OtherFileName, Severity::Information, file, what);
            findings.push(finding);
        }
        findings
    }

    fn duplicates(&self) -> Vec<Finding> {
        let mut files: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (file, name, version) in self.charts() {
            if !matches!(self.status(file), Some(Status::Removed { .. })) {
                files.entry((name, version)).or_default().push(file);
            }
        }
        let mut findings = Vec::new();
        for ((name, version), mut files) in files {
            files.sort_by_key(|file| shadow::rank(name, version, file));
            let Some((shown, waiting)) = files.split_first() else {
                continue;
            };
            for file in waiting {
                let bytes = match (self.digest(shown), self.digest(file)) {
                    (Some(one), Some(other)) if one == other => "the same bytes",
                    _ => "other bytes",
                };
                let what = format!(
                    "it holds {name} {version} as {shown} does, with {bytes}; {shown} is shown, this one \
                     waits until that is gone"
                );
                findings.push(
                    Finding::new(Kind::DuplicateVersion, Severity::Warning, file, what)
                        .advise("remove one of the two files"),
                );
            }
        }
        findings
    }

    /// Returns the archives that hold charts, with name and version.
    fn charts(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        let contents = self.contents;
        self.listing.iter().filter_map(move |object| {
            let file = object.key.as_str();
            match contents.of(file)? {
                Content::Chart { name, version, .. } => {
                    Some((file, name.as_str(), version.as_str()))
                }
                _ => None,
            }
        })
    }

    fn digest(&self, file: &str) -> Option<Digest> {
        match self.contents.of(file)? {
            Content::Chart { digest, .. } => Some(*digest),
            _ => None,
        }
    }

    fn missing(&self) -> Vec<Finding> {
        let Some(view) = self.view else {
            return Vec::new();
        };
        let there: BTreeSet<&str> = self
            .listing
            .iter()
            .map(|object| object.key.as_str())
            .collect();
        let mut findings = Vec::new();
        for (file, archive) in view.state.archives() {
            let Status::Listed(listed) = &archive.status else {
                continue;
            };
            if there.contains(file.as_ref()) {
                continue;
            }
            let what = format!(
                "the index lists it as {} {} and it is not in the store",
                listed.name, listed.version
            );
            let finding = Finding::new(Kind::MissingArchive, Severity::Error, file, what);
            findings.push(
                finding
                    .mendable("its entry is dropped")
                    .advise("to keep the version, put the file back first"),
            );
        }
        findings
    }

    fn without_log(&self) -> Option<Finding> {
        if self.view.is_some() {
            return None;
        }
        let what = match self.archives() {
            0 => "there is no log and no archive here".to_owned(),
            1 => "no log yet: 1 archive will be adopted at the first start".to_owned(),
            count => format!("no log yet: {count} archives will be adopted at the first start"),
        };
        Some(Finding::new(Kind::NoLog, Severity::Information, "", what))
    }
}

fn empty(name: &str, is_listed: bool) -> Finding {
    let (severity, what) = if is_listed {
        (Severity::Error, "the index lists it and it has no bytes")
    } else {
        (
            Severity::Warning,
            "it has no bytes, and is not in the index",
        )
    };
    Finding::new(Kind::EmptyArchive, severity, name, what).advise(PUT_BACK)
}

/// Nobody but a person can know what an unreadable file is worth.
const PUT_BACK: &str = "put the archive back from a backup or upload the version again with force, or \
                        delete the file; a repair never deletes it";

fn unreadable(
    name: &str,
    reason: &str,
    digest: Option<Digest>,
    listed: Option<&Listed>,
) -> Finding {
    let Some(listed) = listed else {
        let what =
            format!("it is no chart that helm would load, and is not in the index: {reason}");
        let finding = Finding::new(Kind::UnreadableArchive, Severity::Warning, name, what);
        return finding.advise(PUT_BACK);
    };
    let bytes = match digest {
        Some(digest) if digest == listed.digest => "has the bytes that were entered",
        Some(_) => "has other bytes than were entered",
        None => "is too large to be read",
    };
    let what = format!(
        "the index lists it as {} {}, and it {bytes} and is no chart that helm would load: {reason}",
        listed.name, listed.version
    );
    Finding::new(Kind::UnreadableArchive, Severity::Error, name, what).advise(PUT_BACK)
}

fn foreign(name: &str) -> Option<Finding> {
    let information =
        |kind, what: &str| Some(Finding::new(kind, Severity::Information, name, what));
    match name {
        ARTIFACT_HUB => None,
        CHARTMUSEUM_CACHE => information(
            Kind::ChartmuseumCache,
            "ChartMuseum's index; only the upload times in it are read, when the files are adopted",
        ),
        STATIC_INDEX => information(
            Kind::StaticIndex,
            "an index that somebody wrote; it is not the one that is served, which is made from the log",
        ),
        // Such as the companions that macOS leaves beside every file.
        hidden if hidden.starts_with('.') => {
            information(Kind::ForeignFile, "a hidden file; it is not served")
        }
        archive if archive.ends_with(".tgz") || archive.ends_with(".tgz.prov") => {
            let what = "its name is too long or has a character that no URL of a chart can have, so that \
                        it is not served";
            let finding = Finding::new(Kind::UnusableFileName, Severity::Warning, name, what);
            Some(finding.advise("rename it to <name>-<version>.tgz, as helm package calls it"))
        }
        _ => information(
            Kind::ForeignFile,
            "not a file of a repository; it is not served",
        ),
    }
}
