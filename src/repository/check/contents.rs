//! Reading every file of a repository, some at a time, and keeping little of each.

use std::collections::HashMap;

use chartroom_storage::{Listed, ObjectId, StorageErrorKind};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::chart::archive::{self, Acceptance, ArchiveError};
use crate::chart::name::FileName;
use crate::chart::{Digest, Limits, Provenance, provenance};
use crate::repository::RepositoryError;
use crate::repository::look::Look;

/// What a file turned out to hold.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::repository) enum Content {
    /// A chart that helm loads.
    Chart {
        name: String,
        version: String,
        digest: Digest,
    },
    /// No chart. Without a digest it was not read, being too large.
    Unreadable {
        reason: String,
        digest: Option<Digest>,
    },
    /// An archive of no bytes.
    Empty,
    /// A provenance.
    Provenance(Signed),
    /// A file in the place of a provenance that is none.
    NoProvenance { reason: String },
    /// It was replaced or removed after it was listed.
    Changed,
}

/// What a provenance says of the archive beside it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::repository) struct Signed {
    pub(super) name: String,
    pub(super) version: String,
    /// The digest that it gives for the archive's file name.
    pub(super) digest: Option<Digest>,
    /// Another file that it gives a digest for.
    pub(super) other: Option<String>,
}

/// What files hold, each as the object that it was when it was read: a second look reads only what
/// changed since the first.
#[derive(Debug, Default)]
pub(super) struct Contents {
    by_file: HashMap<String, (ObjectId, Content)>,
}

impl Contents {
    /// Reads the archives and the provenance of a listing that are not known yet, and forgets those that
    /// it does not show.
    pub(super) async fn read(
        &mut self,
        look: Look<'_>,
        listing: &[Listed],
    ) -> Result<(), RepositoryError> {
        let mut known = std::mem::take(&mut self.by_file);
        let mut unknown = Vec::new();
        for object in listing {
            let Ok(file) = FileName::parse(object.key.as_str()) else {
                continue;
            };
            match known.remove_entry(file.as_str()) {
                // Not by the tolerance for times: a file that was touched is read again.
                Some((name, (id, content))) if id == object.id && content != Content::Changed => {
                    self.by_file.insert(name, (id, content));
                }
                _ => unknown.push((file, object.clone())),
            }
        }
        let mut reads = stream::iter(unknown)
            .map(async |(file, object)| {
                let content = read(look, &file, &object).await?;
                Ok::<_, RepositoryError>((file, object.id, content))
            })
            .buffer_unordered(look.options.parallel_reads);
        while let Some((file, id, content)) = reads.try_next().await? {
            self.by_file.insert(file.as_str().to_owned(), (id, content));
        }
        Ok(())
    }

    /// Returns what a file holds, if it was in the listing.
    pub(super) fn of(&self, file: &str) -> Option<&Content> {
        self.by_file.get(file).map(|(_, content)| content)
    }
}

/// Reads one file as it was listed.
pub(in crate::repository) async fn read(
    look: Look<'_>,
    file: &FileName,
    listed: &Listed,
) -> Result<Content, RepositoryError> {
    let size = listed.id.size;
    let limits = &look.options.limits;
    if file.is_provenance() {
        if size > provenance::MAX_BYTES as u64 {
            let reason = provenance::ProvenanceError::TooLarge.to_string();
            return Ok(Content::NoProvenance { reason });
        }
    } else if size == 0 {
        return Ok(Content::Empty);
    } else if size > limits.archive_bytes as u64 {
        let reason = ArchiveError::ArchiveTooLarge(limits.archive_bytes).to_string();
        return Ok(Content::Unreadable {
            reason,
            digest: None,
        });
    }
    let object = match look.store.get(&listed.key).await {
        Ok(object) => object,
        Err(error) if error.kind() == StorageErrorKind::NotFound => return Ok(Content::Changed),
        Err(error) => return Err(error.into()),
    };
    if !object.id.same_object(&listed.id) {
        return Ok(Content::Changed);
    }
    let (file, limits) = (file.clone(), limits.clone());
    tokio::task::spawn_blocking(move || {
        if file.is_provenance() {
            of_provenance(&file, &object.body)
        } else {
            of_archive(&object.body, &limits)
        }
    })
    .await
    .map_err(|_| RepositoryError::Closed)
}

/// Returns what an archive holds. Takes CPU time: not for an async thread.
fn of_archive(body: &[u8], limits: &Limits) -> Content {
    if body.is_empty() {
        return Content::Empty;
    }
    match archive::read(body, limits, Acceptance::Helm) {
        Ok(chart) => Content::Chart {
            name: chart.metadata.name,
            version: chart.metadata.version,
            digest: chart.digest,
        },
        Err(error) => Content::Unreadable {
            reason: error.to_string(),
            digest: Some(Digest::of(body)),
        },
    }
}

fn of_provenance(file: &FileName, body: &[u8]) -> Content {
    let archive = file.archive();
    match Provenance::parse(body) {
        Ok(provenance) => Content::Provenance(Signed {
            digest: provenance.files.get(archive.as_str()).copied(),
            other: provenance
                .files
                .into_keys()
                .find(|name| name != archive.as_str()),
            name: provenance.name,
            version: provenance.version,
        }),
        Err(error) => Content::NoProvenance {
            reason: error.to_string(),
        },
    }
}
