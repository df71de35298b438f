//! Runs the same task with helm v3, helm v4 and chartroom, and compares what they leave.

use crate::difference;
use crate::directory::Directory;
use crate::indexer::{Indexer, Outcome};
use crate::normalise::without_times_of_the_run;
use crate::tools::Helm;

/// The two formats of `repo index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Json,
}

/// One directory to index, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) format: Format,
    pub(crate) url: Option<&'a str>,
    /// The name of a case, and the file's content if there is one.
    pub(crate) merge: Option<(&'a str, Option<&'a [u8]>)>,
    pub(crate) zone: &'static str,
}

impl<'a> Task<'a> {
    pub(crate) fn new(directory: &'a Directory, format: Format) -> Self {
        // Helm writes times with the offset of the zone, chartroom in UTC; both are times.
        let zone = match format {
            Format::Yaml => "UTC",
            Format::Json => "Asia/Kolkata",
        };
        Self {
            directory,
            format,
            url: None,
            merge: None,
            zone,
        }
    }

    pub(crate) fn url(self, url: &'a str) -> Self {
        Self {
            url: Some(url),
            ..self
        }
    }

    pub(crate) fn merge(self, name: &'a str, content: Option<&'a [u8]>) -> Self {
        Self {
            merge: Some((name, content)),
            ..self
        }
    }

    fn title(&self) -> String {
        let mut title = format!("## {} ({:?}", self.directory.name, self.format);
        if let Some(url) = self.url {
            title += &format!(", --url={url}");
        }
        if let Some((name, _)) = self.merge {
            title += &format!(", --merge {name}");
        }
        title + ")"
    }
}

/// Compares chartroom with both helms, which have to agree with each other.
///
/// Returns the number of entries, or what differs.
pub(crate) fn agree(helms: &[Helm; 2], task: &Task<'_>) -> Result<usize, String> {
    let [three, four] = helms.clone().map(Indexer::Helm);
    let expected = three.run(task);
    let outcome = four.run(task);
    assert!(
        same(&expected, &outcome),
        "the harness is wrong: helm v3 and v4 differ\n{}\n{}",
        task.title(),
        explain(&three, &expected, &four, &outcome)
    );
    // A file may be bad in a merge; a bad chart is skipped, so that a failure would hide the others.
    assert!(
        expected.succeeded || task.merge.is_some(),
        "the harness is wrong: helm v3 fails\n{}\n{}{}",
        task.title(),
        expected.stderr,
        culprits(&three, task)
    );
    let ours = Indexer::Chartroom.run(task);
    if !same(&expected, &ours) {
        let reason = explain(&three, &expected, &Indexer::Chartroom, &ours);
        return Err(format!("{}\n{reason}", task.title()));
    }
    check_skipped(task, &expected, &ours)
}

/// Compares chartroom with both helms where these differ. Returns which one it is like.
pub(crate) fn agree_with_one(helms: &[Helm; 2], task: &Task<'_>) -> Result<&'static str, String> {
    let ours = Indexer::Chartroom.run(task);
    let mut reasons = task.title();
    for helm in helms {
        let theirs = Indexer::Helm(helm.clone());
        let expected = theirs.run(task);
        if same(&expected, &ours) {
            return Ok(helm.major);
        }
        reasons += "\n";
        reasons += &explain(&theirs, &expected, &Indexer::Chartroom, &ours);
    }
    Err(reasons)
}

/// Names the files without which an indexer would not fail.
fn culprits(indexer: &Indexer, task: &Task<'_>) -> String {
    let alone = task.directory.split();
    let fails = |directory: &&Directory| !indexer.run(&Task { directory, ..*task }).succeeded;
    let names: Vec<&str> = alone
        .iter()
        .filter(fails)
        .map(|one| one.name.as_str())
        .collect();
    format!("because of {}", names.join(", "))
}

/// A file that is not in the index has to be named on stderr, and no other. Helm says nothing.
fn check_skipped(task: &Task<'_>, expected: &Outcome, ours: &Outcome) -> Result<usize, String> {
    let index = without_times_of_the_run(expected.index.as_deref().unwrap_or_default());
    let listed = difference::listed_urls(&index);
    // Merged entries and a base change what `urls` says, and charts are skipped alike anyway.
    let plain = task.url.is_none() && task.merge.is_none() && expected.succeeded;
    if !plain {
        return Ok(listed.len());
    }
    let mut complaints = Vec::new();
    for path in task.directory.candidates() {
        let skipped = !listed.contains(path);
        let mut skips = ours
            .stderr
            .lines()
            .filter(|line| line.starts_with("skipped "));
        let named = skips.any(|line| names(line, path));
        if skipped && !named {
            complaints.push(format!("{path} is skipped, and stderr does not name it"));
        }
        if named && !skipped {
            complaints.push(format!("{path} is listed, and stderr names it"));
        }
    }
    if complaints.is_empty() {
        return Ok(listed.len());
    }
    complaints.truncate(10);
    let stderr: String = ours
        .stderr
        .lines()
        .take(20)
        .map(|line| format!("    {line}\n"))
        .collect();
    Err(format!(
        "{}\n{}\n  stderr:\n{stderr}",
        task.title(),
        complaints.join("\n")
    ))
}

/// Whether a text names a file, and not merely one whose name ends alike.
fn names(text: &str, path: &str) -> bool {
    text.match_indices(path).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !['-', '_', '.'].contains(&c))
    })
}

fn same(left: &Outcome, right: &Outcome) -> bool {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(without_times_of_the_run);
    left.succeeded == right.succeeded
        && text(&left.index) == text(&right.index)
        && text(&left.merged) == text(&right.merged)
}

fn explain(left: &Indexer, expected: &Outcome, right: &Indexer, actual: &Outcome) -> String {
    let (left, right) = (left.label(), right.label());
    if expected.succeeded != actual.succeeded {
        let [expected, actual] = [expected, actual].map(|outcome| {
            let end = if outcome.succeeded {
                "succeeds"
            } else {
                "fails"
            };
            format!(
                "{end}: {}",
                outcome
                    .stderr
                    .lines()
                    .take(5)
                    .collect::<Vec<_>>()
                    .join(" | ")
            )
        });
        return format!("  {left} {expected}\n  {right} {actual}");
    }
    for (file, expected, actual) in [
        ("index.yaml", &expected.index, &actual.index),
        ("the merged file", &expected.merged, &actual.merged),
    ] {
        match (expected, actual) {
            (Some(expected), Some(actual)) => {
                let expected = without_times_of_the_run(expected);
                let actual = without_times_of_the_run(actual);
                if expected != actual {
                    return difference::of(&left, &expected, &right, &actual);
                }
            }
            (None, None) => {}
            (expected, _) => {
                let writer = if expected.is_some() { left } else { right };
                return format!("  only {writer} writes {file}");
            }
        }
    }
    "  nothing differs".to_owned()
}
