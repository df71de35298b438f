//! Assembles a chart from the entries of its archive, as Helm's loader does from its files.

use std::collections::BTreeMap;
use std::io::Read;

use super::gunzip::Gunzip;
use super::tar::{Body, Entry, Kind, Tar};
use super::{Acceptance, ArchiveError, FileProblem, path};
use crate::chart::limits::Limits;
use crate::chart::lock;
use crate::chart::metadata::Metadata;
use crate::chart::metadata::decode::Draft;
use crate::chart::values;
use crate::chart::yaml::{self, Budget, Node};

/// What is left of the limits, over an archive and all archives inside it.
pub(super) struct Loader<'l> {
    limits: &'l Limits,
    acceptance: Acceptance,
    entries: usize,
    content: u64,
    yaml: usize,
}

impl<'l> Loader<'l> {
    pub(super) fn new(limits: &'l Limits, acceptance: Acceptance) -> Self {
        Self {
            limits,
            acceptance,
            entries: limits.entries,
            content: limits.content_bytes,
            yaml: limits.yaml_bytes,
        }
    }

    /// Reads an archive and everything in it.
    pub(super) fn archive(&mut self, input: &mut dyn Read) -> Result<Metadata, ArchiveError> {
        self.archive_at(input, 0)
    }

    fn archive_at(&mut self, input: &mut dyn Read, depth: usize) -> Result<Metadata, ArchiveError> {
        let mut gunzip = Gunzip::new(input, self.limits)?;
        let mut tar = Tar::new(&mut gunzip);
        let mut chart = Chart::default();
        let mut is_empty = true;
        while let Some(entry) = tar.next(self.limits, &mut self.entries)? {
            self.check_kind(&entry)?;
            if entry.kind == Kind::Directory {
                continue;
            }
            let path = path::inside(&entry.name)?;
            entry.check_size(self.limits, &mut self.content)?;
            is_empty = false;
            chart.add(self, &path, &mut tar.body(), depth)?;
        }
        if is_empty {
            return Err(ArchiveError::NoFiles);
        }
        chart.finish()
    }

    fn check_kind(&self, entry: &Entry) -> Result<(), ArchiveError> {
        match entry.kind {
            Kind::Special(kind) if self.acceptance == Acceptance::Upload => {
                Err(ArchiveError::SpecialFile {
                    name: entry.display_name(),
                    kind,
                })
            }
            _ => Ok(()),
        }
    }

    /// Reads a YAML file. The outer error ends the whole archive; the inner one is about the file.
    fn yaml(
        &mut self,
        body: &mut Body<'_, '_>,
        name: &str,
        most: usize,
    ) -> Result<Parsed, ArchiveError> {
        let most_left = self.yaml.min(most);
        let mut content = Vec::new();
        body.take(most_left as u64 + 1).read_to_end(&mut content)?;
        if content.len() > most {
            return Err(ArchiveError::MetadataTooLarge {
                name: name.to_owned(),
                limit: most,
            });
        }
        self.yaml = self
            .yaml
            .checked_sub(content.len())
            .ok_or(ArchiveError::TooMuchYaml(self.limits.yaml_bytes))?;
        Ok(yaml::read(&content, Budget::for_bytes(most)).map_err(FileProblem::Yaml))
    }

    fn metadata(&mut self, body: &mut Body<'_, '_>, name: &str) -> Result<Parsed, ArchiveError> {
        self.yaml(body, name, self.limits.metadata_bytes)
    }

    fn values(&mut self, body: &mut Body<'_, '_>) -> Result<Parsed, ArchiveError> {
        let most = usize::try_from(self.limits.file_bytes).unwrap_or(usize::MAX);
        self.yaml(body, "values.yaml", most)
    }
}

type Parsed = Result<Node, FileProblem>;

impl Entry {
    /// Checks the size against the limits, as Helm does before it reads the body.
    pub(super) fn check_size(&self, limits: &Limits, left: &mut u64) -> Result<(), ArchiveError> {
        if self.size >= *left {
            return Err(ArchiveError::TooLarge(limits.content_bytes));
        }
        if self.size > limits.file_bytes {
            return Err(ArchiveError::FileTooLarge {
                name: self.display_name(),
                limit: limits.file_bytes,
            });
        }
        *left -= self.size;
        Ok(())
    }

    pub(super) fn display_name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// A chart of which not every file has been seen. Helm looks at `Chart.yaml` first wherever it is,
/// then at the other files in their order, then at the sub-charts; an error waits here for its turn.
#[derive(Default)]
struct Chart {
    /// `None` until `Chart.yaml` was seen.
    draft: Option<Draft>,
    draft_problem: Option<FileProblem>,
    /// The first one.
    file_problem: Option<ArchiveError>,
    /// In their order; they are decoded over `Chart.yaml`.
    requirements: Vec<Node>,
    subcharts: BTreeMap<String, Subchart>,
}

/// Something in `charts/`.
enum Subchart {
    /// A directory, or a file that is not an archive.
    Directory(Box<Chart>),
    Archive(Result<(), ArchiveError>),
    /// A file below a directory whose name ends in `.tgz`.
    Misplaced(String),
}

impl Chart {
    fn add(
        &mut self,
        loader: &mut Loader<'_>,
        path: &str,
        body: &mut Body<'_, '_>,
        depth: usize,
    ) -> Result<(), ArchiveError> {
        match path {
            "Chart.yaml" => {
                let parsed = loader.metadata(body, path)?;
                let draft = self.draft.get_or_insert_default();
                let applied = parsed.and_then(|node| Ok(draft.apply(&node)?));
                if let (Err(problem), None) = (applied, &self.draft_problem) {
                    self.draft_problem = Some(problem);
                }
            }
            "Chart.lock" => {
                let parsed = loader.metadata(body, path)?;
                self.check(
                    "Chart.lock",
                    parsed.and_then(|node| Ok(lock::check(&node)?)),
                );
            }
            "requirements.lock" => {
                let parsed = loader.metadata(body, path)?;
                self.check(
                    "requirements.lock",
                    parsed.and_then(|node| Ok(lock::check(&node)?)),
                );
            }
            "values.yaml" => {
                let parsed = loader.values(body)?;
                self.check(
                    "values.yaml",
                    parsed.and_then(|node| Ok(values::check(&node)?)),
                );
            }
            "requirements.yaml" => {
                let parsed = loader.metadata(body, path)?;
                // What it says is not known to fit before all of Chart.yaml was seen, but whether
                // it can be decoded does not depend on that.
                let checked = parsed.and_then(|node| {
                    Draft::default().apply_requirements(&node)?;
                    Ok(node)
                });
                match checked {
                    Ok(node) => self.requirements.push(node),
                    Err(problem) => self.check("requirements.yaml", Err(problem)),
                }
            }
            other => {
                if let Some(path) = other.strip_prefix("charts/") {
                    self.add_subchart(loader, path, body, depth)?;
                }
            }
        }
        Ok(())
    }

    fn check(&mut self, file: &'static str, checked: Result<(), FileProblem>) {
        if let (Err(problem), None) = (checked, &self.file_problem) {
            self.file_problem = Some(ArchiveError::File { file, problem });
        }
    }

    /// Adds a file by its path below `charts/`.
    fn add_subchart(
        &mut self,
        loader: &mut Loader<'_>,
        path: &str,
        body: &mut Body<'_, '_>,
        depth: usize,
    ) -> Result<(), ArchiveError> {
        let (name, rest) = match path.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        if extension(path) == "prov" || name.starts_with(['_', '.']) {
            return Ok(());
        }
        if depth >= loader.limits.depth {
            return Err(ArchiveError::TooDeep(loader.limits.depth));
        }
        if extension(name) == "tgz" {
            // Helm looks at the first file only.
            if !self.subcharts.contains_key(name) {
                let subchart = match rest {
                    Some(_) => Subchart::Misplaced(path.to_owned()),
                    None => Subchart::Archive(loader.nested(body, depth + 1)?),
                };
                self.subcharts.insert(name.to_owned(), subchart);
            }
            return Ok(());
        }
        let subchart = self
            .subcharts
            .entry(name.to_owned())
            .or_insert_with(|| Subchart::Directory(Box::default()));
        match (subchart, rest) {
            (Subchart::Directory(chart), Some(rest)) => chart.add(loader, rest, body, depth + 1),
            _ => Ok(()),
        }
    }

    fn finish(mut self) -> Result<Metadata, ArchiveError> {
        if let Some(problem) = self.draft_problem {
            return Err(ArchiveError::File {
                file: "Chart.yaml",
                problem,
            });
        }
        if let Some(problem) = self.file_problem {
            return Err(problem);
        }
        let mut draft = self.draft.take().ok_or(ArchiveError::MissingChart)?;
        for requirements in &self.requirements {
            draft
                .apply_requirements(requirements)
                .map_err(|problem| ArchiveError::File {
                    file: "requirements.yaml",
                    problem: FileProblem::Field(problem),
                })?;
        }
        let metadata = draft.finish()?;
        for (name, subchart) in self.subcharts {
            subchart.finish(name, &metadata.name)?;
        }
        Ok(metadata)
    }
}

impl Loader<'_> {
    /// Reads an archive inside an archive. The outer error is one of the surrounding archive or of
    /// the limits that they share; the inner one belongs to the sub-chart.
    fn nested(
        &mut self,
        body: &mut Body<'_, '_>,
        depth: usize,
    ) -> Result<Result<(), ArchiveError>, ArchiveError> {
        let read = self.archive_at(body, depth);
        // A body that ends early is reported by the archive that it is in.
        std::io::copy(body, &mut std::io::sink())?;
        match read {
            Ok(_) => Ok(Ok(())),
            Err(error) if error.is_limit() => Err(error),
            Err(error) => Ok(Err(error)),
        }
    }
}

impl ArchiveError {
    /// Whether going on would spend more than the limits allow.
    fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooLarge(_)
                | Self::TooMuchYaml(_)
                | Self::TooManyEntries(_)
                | Self::Ratio(_)
                | Self::TooDeep(_)
        )
    }
}

impl Subchart {
    fn finish(self, name: String, chart: &str) -> Result<(), ArchiveError> {
        let chart = chart.to_owned();
        let result = match self {
            Self::Directory(chart) => chart.finish().map(drop),
            Self::Archive(result) => result,
            Self::Misplaced(found) => {
                return Err(ArchiveError::NotASubchart {
                    chart,
                    expected: name,
                    found,
                });
            }
        };
        result.map_err(|problem| ArchiveError::Subchart {
            name,
            chart,
            problem: Box::new(problem),
        })
    }
}

/// Go's `filepath.Ext` without the dot.
fn extension(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.rsplit_once('.').map_or("", |(_, extension)| extension)
}
