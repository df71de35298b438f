//! The latest version of each chart.

use std::sync::Arc;

use super::{Index, VersionRef};

impl Index {
    /// Returns the latest version of each chart, the charts in byte order, without the first `offset`
    /// of them and with `limit` at most. The latest version is the newest release, or the newest
    /// pre-release of a chart that has no release.
    ///
    /// # Cost
    /// A look at the names of all charts up to the last one that is returned, and a few allocations
    /// for that one's pre-releases above its release.
    pub fn latest(&self, offset: usize, limit: usize) -> Vec<VersionRef> {
        let end = offset.saturating_add(limit);
        let mut latest: Vec<VersionRef> = Vec::new();
        let mut seen = 0;
        let mut previous: Option<&Arc<str>> = None;
        let mut is_settled = true;
        let blocks = self.json.blocks();
        for (block, (chart, mut range)) in
            blocks.flat_map(|block| block.charts().map(move |run| (block, run)))
        {
            if previous != Some(chart) {
                previous = Some(chart);
                seen += 1;
                if seen > end {
                    break;
                }
                is_settled = true;
                if seen > offset
                    && let Some(newest) = range.next()
                    && let Some(newest) = VersionRef::of(block, chart, newest)
                {
                    is_settled = newest.is_release();
                    latest.push(newest);
                }
            }
            // A chart may go on in the next block.
            if !is_settled
                && let Some(release) = range
                    .filter_map(|position| VersionRef::of(block, chart, position))
                    .find(VersionRef::is_release)
                && let Some(newest) = latest.last_mut()
            {
                *newest = release;
                is_settled = true;
            }
        }
        latest
    }
}

impl VersionRef {
    /// Tells whether this is a release: a version that is not a pre-release.
    pub fn is_release(&self) -> bool {
        let version = self.version.as_ref();
        version.is_some_and(|version| version.pre_release().is_empty())
    }
}
