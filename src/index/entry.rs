//! One version in an index.

use chrono::{DateTime, FixedOffset};

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
