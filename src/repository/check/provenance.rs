//! Judging a provenance by the archive that it stands beside.

use super::contents::{Content, Signed};
use super::finding::{Finding, Kind, Severity};
use super::judge::Scene;
use crate::chart::Digest;
use crate::chart::name::FileName;
use crate::repository::state::Status;

/// What a client does whose user asks for verification.
const REFUSED: &str = "helm refuses the archive where it verifies";

const UPLOAD_AGAIN: &str = "upload the right provenance with force, or delete the file";

pub(super) fn judge(scene: &Scene<'_>, file: &FileName) -> Option<Finding> {
    let name = file.as_str();
    let archive = file.archive();
    if scene.object(archive.as_str()).is_none() {
        return orphan(scene, file, &archive);
    }
    let signed = match scene.contents.of(name)? {
        Content::NoProvenance { reason } => {
            let finding = Finding::new(
                Kind::InvalidProvenance,
                Severity::Error,
                name,
                format!("{reason}; {REFUSED}"),
            );
            return Some(finding.advise(UPLOAD_AGAIN));
        }
        Content::Provenance(signed) => signed,
        Content::Changed => {
            return Some(Finding::new(
                Kind::ChangedMeanwhile,
                Severity::Information,
                name,
                "it was replaced or removed each time it was looked at; check again",
            ));
        }
        Content::Chart { .. } | Content::Unreadable { .. } | Content::Empty => return None,
    };
    if matches!(scene.status(archive.as_str()), Some(Status::Removed { .. })) {
        return None;
    }
    match scene.contents.of(archive.as_str())? {
        Content::Chart {
            name: chart,
            version,
            digest,
        } => {
            if signed.name != *chart || signed.version != *version {
                let what = format!(
                    "it is of {} {} and stands beside {chart} {version}; {REFUSED}",
                    signed.name, signed.version
                );
                let finding = Finding::new(Kind::ForeignProvenance, Severity::Error, name, what);
                return Some(finding.advise(UPLOAD_AGAIN));
            }
            mismatch(name, &archive, signed, *digest)
        }
        Content::Unreadable {
            digest: Some(digest),
            ..
        } => mismatch(name, &archive, signed, *digest),
        _ => None,
    }
}

fn mismatch(name: &str, archive: &FileName, signed: &Signed, digest: Digest) -> Option<Finding> {
    let what = match (signed.digest, &signed.other) {
        (Some(said), _) if said == digest => return None,
        (Some(said), _) => {
            format!("it says that {archive} is {said}, which is {digest}; {REFUSED}")
        }
        (None, Some(other)) => {
            format!("it gives the digest of {other} and none of {archive}; {REFUSED}")
        }
        (None, None) => format!("it gives no digest of {archive}; {REFUSED}"),
    };
    let finding = Finding::new(Kind::ProvenanceMismatch, Severity::Error, name, what);
    Some(finding.advise(UPLOAD_AGAIN))
}

fn orphan(scene: &Scene<'_>, file: &FileName, archive: &FileName) -> Option<Finding> {
    // Listed: dropping the entry comes first. Being deleted: the deleter takes it along.
    if scene.status(archive.as_str()).is_some() {
        return None;
    }
    let what = format!("{archive} is neither in the store nor in the index");
    let finding = Finding::new(
        Kind::OrphanedProvenance,
        Severity::Warning,
        file.as_str(),
        what,
    );
    // Without a log there is nothing that keeps a deletion and an upload apart.
    Some(match scene.view {
        Some(_) => finding.mendable("it is deleted"),
        None => finding.advise("put the archive beside it, or delete it"),
    })
}
