//! What identifies a version in an index, and decides on its place.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use super::{Format, order};
use crate::chart::ChartVersion;

/// The identity of a version in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) chart: &'a str,
    pub(super) version: &'a str,
    pub(super) tie: Tie<'a>,
}

/// What orders versions of the same precedence.
///
/// In nearly all cases it is the file name that `helm package` gives, which is then not kept: memory
/// for one more text per version and format would be a fiftieth of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie<'a> {
    /// `<chart>-<version>.tgz`.
    FileName,
    /// Any other text.
    Text(&'a str),
}

impl<'a> Key<'a> {
    /// Makes the key of a version.
    pub(super) fn new(chart: &'a str, version: &'a str, tie: &'a str) -> Self {
        let rest = tie.strip_prefix(chart);
        let rest = rest.and_then(|rest| rest.strip_prefix('-')?.strip_prefix(version));
        let tie = match rest {
            Some(".tgz") => Tie::FileName,
            _ => Tie::Text(tie),
        };
        Self {
            chart,
            version,
            tie,
        }
    }

    /// Returns the text of the tie.
    pub(super) fn tie_text(self) -> Cow<'a, str> {
        match self.tie {
            Tie::FileName => format!("{}-{}.tgz", self.chart, self.version).into(),
            Tie::Text(text) => text.into(),
        }
    }

    /// Compares the places of two versions: by chart in the order of the format, newest version
    /// first, then by tie. A text that is no version comes after those that are.
    pub(super) fn compare(self, other: Self, format: Format) -> Ordering {
        compare_charts(self.chart, other.chart, format).then_with(|| self.compare_versions(other))
    }

    fn compare_versions(self, other: Self) -> Ordering {
        if self.version == other.version && self.tie == other.tie {
            return Ordering::Equal;
        }
        newest_first(self.version)
            .cmp(&newest_first(other.version))
            .then_with(|| self.compare_ties(other))
    }

    /// Compares two versions of one chart that have the same precedence.
    pub(super) fn compare_ties(self, other: Self) -> Ordering {
        (self.tie_text(), self.version).cmp(&(other.tie_text(), other.version))
    }
}

/// Returns what versions are sorted by.
pub(super) fn newest_first(version: &str) -> Reverse<Option<ChartVersion>> {
    Reverse(version.parse().ok())
}

/// Compares two charts' names in the order of `format`.
pub(super) fn compare_charts(left: &str, right: &str, format: Format) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    match format {
        Format::Yaml => order::natural(left, right),
        Format::Json => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_one_precedence_are_in_the_order_of_their_files() {
        let keys = [
            ("1.0.0+b", "demo-1.0.0+b.tgz"),
            ("1.0.0+a", "x.tgz"),
            ("v1.0.0", "demo-v1.0.0.tgz"),
            ("1", "a.tgz"),
            ("1.0.0", "a.tgz"),
            ("2.0.0", "z.tgz"),
            ("junk", "0.tgz"),
        ];
        let mut keys = keys.map(|(version, tie)| Key::new("demo", version, tie));
        keys.sort_by(|left, right| left.compare(*right, Format::Json));
        let versions = keys.map(|key| key.version);
        let expected = [
            "2.0.0", "1", "1.0.0", "1.0.0+b", "v1.0.0", "1.0.0+a", "junk",
        ];
        assert_eq!(versions, expected);
    }
}
