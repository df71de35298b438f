//! Versions that somebody may have meant.

use serde::Serialize;

use crate::chart::ChartVersion;
use crate::index::Index;

/// How many are named at most.
const NEAR: usize = 10;
const NEWEST: usize = 5;

/// A version in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Near {
    /// The chart's name.
    pub name: String,
    /// The version, as Chart.yaml has it.
    pub version: String,
    /// The file.
    pub file: String,
}

/// Returns the versions that differ from this one in spelling only: in the case of the name, in `_` for
/// `-`, in a `v`, in missing zeros, in build metadata.
pub(super) fn spelled_alike(index: &Index, name: &str, version: &str) -> Vec<Near> {
    let folded = fold_name(name);
    let wanted = fold_version(version);
    let mut near = Vec::new();
    for chart in index.names().filter(|chart| fold_name(chart) == folded) {
        for found in index.versions(&chart) {
            let is_it = *found.name == *name && *found.version_text == *version;
            if is_it || fold_version(&found.version_text) != wanted {
                continue;
            }
            near.push(Near {
                name: found.name.to_string(),
                version: found.version_text.to_string(),
                file: found.tie.to_string(),
            });
            if near.len() == NEAR {
                return near;
            }
        }
    }
    near
}

/// Returns the newest versions of a chart.
pub(super) fn newest(index: &Index, name: &str) -> Vec<String> {
    let versions = index.versions(name).into_iter().take(NEWEST);
    versions
        .map(|found| found.version_text.to_string())
        .collect()
}

fn fold_name(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

/// Of a text that is no version, the text.
fn fold_version(text: &str) -> String {
    let folded = text.trim().to_lowercase();
    let text = folded.trim_start_matches('v');
    match text.parse::<ChartVersion>() {
        Ok(version) => {
            let [major, minor, patch] = version.numbers();
            format!("{major}.{minor}.{patch}-{}", version.pre_release())
        }
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_version_are_alike() {
        for text in ["1.0", "1", "v1.0.0", "V1", "1.0.0+a", " 1.0.0 "] {
            assert_eq!(fold_version(text), fold_version("1.0.0"), "{text}");
        }
        for text in ["1.0.1", "1.0.0-rc", "10", "1.0.0.0", "x"] {
            assert_ne!(fold_version(text), fold_version("1.0.0"), "{text}");
        }
        assert_eq!(fold_version("1.0.0-RC.1"), fold_version("1.0.0-rc.1"));
        assert_eq!(fold_name("My_Chart"), fold_name("my-chart"));
        assert_ne!(fold_name("mychart"), fold_name("my-chart"));
    }
}
