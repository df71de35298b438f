//! One version in an index.

use chrono::{DateTime, FixedOffset};

use serde::Deserialize;

use crate::chart::Metadata;

/// What an index says of one version of a chart.
///
/// The last five fields exist only in indexes written by old tools; they are kept when such an index
/// is merged (`chartroom index --merge`), as `helm repo index --merge` keeps them.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    missing_docs,
    reason = "the fields are the index's own, documented by Helm"
)]
pub struct Entry {
    pub metadata: Metadata,
    pub urls: Vec<String>,
    pub created: DateTime<FixedOffset>,
    pub digest: String,
    pub removed: bool,
    pub checksum: String,
    pub engine: String,
    pub tiller_version: String,
    pub url: String,
}

impl Entry {
    /// Reads an entry back from the JSON that an index keeps of it. The fields of old tools are not
    /// in an index that is served, and are left empty.
    ///
    /// # Errors
    /// When it is not such JSON.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Rest {
            urls: Vec<String>,
            created: DateTime<FixedOffset>,
            digest: String,
        }
        let metadata = serde_json::from_slice(json)?;
        let Rest {
            urls,
            created,
            digest,
        } = serde_json::from_slice(json)?;
        Ok(Self {
            metadata,
            urls,
            created,
            digest,
            removed: false,
            checksum: String::new(),
            engine: String::new(),
            tiller_version: String::new(),
            url: String::new(),
        })
    }
}
