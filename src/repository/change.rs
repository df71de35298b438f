//! What a repository's log says: the changes of its versions.

use std::fmt;

use chartroom_storage::ObjectId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chart::{Digest, Metadata};

/// One change about one archive, named by its file. The file, not name and version, is the subject:
/// it is the object that uploads and deletions compete for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub(super) enum Change {
    /// The archive is listed from now on, as this.
    Added(Box<Listing>),
    /// Its deletion began: it is listed no more, and its holder may delete the object.
    Removed {
        /// The archive's file name.
        file: String,
        /// The object that was there; `None` if there was none.
        object: Option<ObjectId>,
        /// The operation that deletes.
        holder: Ticket,
    },
    /// Its deletion ended.
    Purged {
        /// The archive's file name.
        file: String,
        /// The operation that deleted.
        holder: Ticket,
    },
    /// A refresh found that its object is gone.
    Dropped {
        /// The archive's file name.
        file: String,
    },
}

/// Everything that serving an archive needs without opening it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// The archive's file name.
    pub file: String,
    /// Who found the archive.
    pub origin: Origin,
    /// The operation that appended this.
    pub ticket: Ticket,
    /// The object as the store told it when it was looked at.
    pub object: ObjectId,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// When it was uploaded, or, if a refresh found it, when the object was written.
    pub created: DateTime<Utc>,
    /// Its Chart.yaml.
    pub metadata: Metadata,
}

/// Who found an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The upload that put it.
    Upload,
    /// A refresh, or an operation that came upon it.
    Refresh,
}

/// What tells one operation from any other, on any replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Ticket(Uuid);

impl Ticket {
    /// Returns a ticket that nobody else has.
    pub(super) fn draw() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Change {
    /// Returns the name of the file that the change is about.
    pub(super) fn file(&self) -> &str {
        match self {
            Self::Added(listing) => &listing.file,
            Self::Removed { file, .. } | Self::Purged { file, .. } | Self::Dropped { file } => file,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Limits;
    use crate::chart::archive::{self, Acceptance, ChartArchive};
    use crate::chart::testing::ArchiveBuilder;

    fn chart(brackets: usize) -> Option<ChartArchive> {
        let (open, close) = ("[".repeat(brackets), "]".repeat(brackets));
        let metadata = format!(
            "name: demo\nversion: 1.0.0\ndependencies:\n- name: x\n  import-values: {open}{close}\n"
        );
        let archive = ArchiveBuilder::new()
            .file("demo/Chart.yaml", metadata)
            .tgz();
        archive::read(&archive, &Limits::default(), Acceptance::Helm).ok()
    }

    #[test]
    fn the_deepest_chart_is_read_back_out_of_a_record() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Record {
            changes: Vec<Change>,
        }
        assert!(chart(99).is_none());
        let chart = chart(98).unwrap();
        let record = Record {
            changes: vec![Change::Added(Box::new(Listing {
                file: "demo-1.0.0.tgz".to_owned(),
                origin: Origin::Upload,
                ticket: Ticket::draw(),
                object: ObjectId {
                    e_tag: None,
                    modified: DateTime::default(),
                    size: chart.size,
                },
                digest: chart.digest,
                created: DateTime::default(),
                metadata: chart.metadata,
            }))],
        };
        let text = serde_json::to_vec(&record).unwrap();
        assert_eq!(serde_json::from_slice::<Record>(&text).unwrap(), record);
    }
}
