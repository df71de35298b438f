//! What there is in the repositories that are in memory.
//!
//! A repository that nobody has, and one that left memory, have no series.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use chartroom_storage::RepositoryPath;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet};
use prometheus_client::metrics::MetricType;

use crate::index::Format;
use crate::repository::{Repositories, Repository};

/// How many repositories have series of their own: those with the most versions. The rest is one.
const SHOWN: usize = 100;

/// What the rest is called.
const OTHERS: &str = "(others)";

#[derive(Clone, Debug, EncodeLabelSet)]
struct Repo {
    repo: Arc<str>,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct RepoFormat {
    repo: Arc<str>,
    format: &'static str,
}

/// The figures of one repository, or of several together.
#[derive(Clone, Debug, Default)]
struct Figures {
    repo: Arc<str>,
    charts: usize,
    versions: usize,
    generation: u64,
    yaml: u64,
    json: u64,
    unreadable: usize,
    staleness: f64,
}

impl Figures {
    fn of(path: &RepositoryPath, repository: &Repository) -> Self {
        let view = repository.latest_known();
        let generated = view.generated.fixed_offset();
        let bytes = |format| view.index.body(format, &generated, None).len();
        Self {
            repo: path.as_str().into(),
            charts: view.index.charts(),
            versions: view.index.len(),
            generation: view.generation,
            yaml: bytes(Format::Yaml),
            json: bytes(Format::Json),
            unreadable: repository.unreadable(),
            staleness: repository.staleness().as_secs_f64(),
        }
    }

    /// All is summed, but of the ages the highest counts.
    fn add(&mut self, other: &Self) {
        self.charts += other.charts;
        self.versions += other.versions;
        self.generation += other.generation;
        self.yaml += other.yaml;
        self.json += other.json;
        self.unreadable += other.unreadable;
        self.staleness = self.staleness.max(other.staleness);
    }
}

/// Sums all but the largest ones. One that is called as the rest is never shown by itself.
fn bounded(mut all: Vec<Figures>, shown: usize) -> Vec<Figures> {
    all.sort_by(|left, right| {
        let key = |one: &Figures| (&*one.repo == OTHERS, Reverse(one.versions));
        key(left).cmp(&key(right))
    });
    let named = all.iter().filter(|one| &*one.repo != OTHERS).count();
    let rest = all.split_off(named.min(shown));
    if !rest.is_empty() {
        let mut others = Figures {
            repo: OTHERS.into(),
            ..Figures::default()
        };
        for one in &rest {
            others.add(one);
        }
        all.push(others);
    }
    all
}

/// Writes the figures of the repositories that are in memory.
pub(super) fn encode(
    repositories: &Repositories,
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let loaded = repositories.all_loaded();
    let all: Vec<Figures> = loaded
        .iter()
        .map(|(path, repository)| Figures::of(path, repository))
        .collect();
    let count = loaded.len();
    drop(loaded);
    let all = bounded(all, SHOWN);
    super::exposition::gauge(
        encoder,
        "chartroom_repositories_loaded",
        "Repositories in memory.",
        &count,
    )?;
    let mut each = Each {
        encoder,
        figures: &all,
    };
    each.gauge(
        "chartmuseum_charts_served_total",
        "Current number of charts served",
        |one| one.charts,
    )?;
    each.gauge(
        "chartmuseum_chart_versions_served_total",
        "Current number of chart versions served",
        |one| one.versions,
    )?;
    each.gauge(
        "chartroom_index_versions",
        "Versions in the index.",
        |one| one.versions,
    )?;
    each.gauge(
        "chartroom_index_generation",
        "Change sets in the log that the index is made of.",
        |one| one.generation,
    )?;
    each.gauge(
        "chartroom_index_staleness_seconds",
        "How long ago this replica last knew all that was in the log.",
        |one| one.staleness,
    )?;
    each.gauge(
        "chartroom_unreadable_archives",
        "Files that are there but are no charts.",
        |one| one.unreadable,
    )?;
    each.index_bytes()
}

struct Each<'a, 'e> {
    encoder: &'a mut DescriptorEncoder<'e>,
    figures: &'a [Figures],
}

impl Each<'_, '_> {
    fn gauge<V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        value: impl Fn(&Figures) -> V,
    ) -> fmt::Result {
        let mut metric = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for one in self.figures {
            let repo = Arc::clone(&one.repo);
            let labels = Repo { repo };
            metric.encode_family(&labels)?.encode_gauge(&value(one))?;
        }
        Ok(())
    }

    fn index_bytes(&mut self) -> fmt::Result {
        let name = "chartroom_index_bytes";
        let help = "Size of index.yaml, uncompressed.";
        let mut metric = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for one in self.figures {
            for (format, bytes) in [("yaml", one.yaml), ("json", one.json)] {
                let repo = Arc::clone(&one.repo);
                let labels = RepoFormat { repo, format };
                metric.encode_family(&labels)?.encode_gauge(&bytes)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(repo: &str, versions: usize, staleness: f64) -> Figures {
        Figures {
            repo: repo.into(),
            versions,
            staleness,
            ..Figures::default()
        }
    }

    fn shown(all: Vec<Figures>, most: usize) -> Vec<(String, usize)> {
        let shown = bounded(all, most).into_iter();
        shown
            .map(|one| (one.repo.to_string(), one.versions))
            .collect()
    }

    #[test]
    fn the_largest_have_series_of_their_own_and_the_rest_is_one() {
        let all = vec![
            figures("a", 1, 0.0),
            figures("b", 7, 0.0),
            figures("c", 2, 9.0),
            figures("d", 7, 0.0),
            figures("e", 3, 4.0),
        ];
        let expected = [("b", 7), ("d", 7), ("(others)", 6)];
        assert_eq!(
            shown(all.clone(), 2),
            expected.map(|(r, v)| (r.to_owned(), v))
        );
        assert_eq!(bounded(all.clone(), 2)[2].staleness.to_string(), "9");
        assert_eq!(bounded(all.clone(), 5).len(), 5);
        assert_eq!(bounded(all, 0).len(), 1);
        assert_eq!(bounded(Vec::new(), 2).len(), 0);
    }

    #[test]
    fn a_repository_that_is_called_as_the_rest_does_not_double_a_series() {
        let all = vec![figures(OTHERS, 50, 0.0), figures("a", 1, 0.0)];
        let expected = [("a".to_owned(), 1), (OTHERS.to_owned(), 50)];
        assert_eq!(shown(all, 2), expected);
    }
}
