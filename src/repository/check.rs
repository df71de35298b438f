//! What is wrong in a repository: the log, the files, and what one says of the other.
//!
//! A check is one more replica. It reads the log first and lists then, as a refresh does, and reads
//! every archive and provenance. What an operation under way may look like for a moment counts only if
//! a second look shows it too. A repair consists of the protocol's own operations, so that it can run
//! beside any number of servers; what it can mend, a second check does not find any more.

mod contents;
mod finding;
mod judge;
mod mend;
mod provenance;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::History;
use chartroom_storage::{Listed as Object, Moment};
use serde::Serialize;

pub use finding::{Finding, Kind, Severity};

pub(super) use contents::{Content, read as read_archive};

use super::change::Change;
use super::look::Look;
use super::state::Status;
use super::view::View;
use super::{Repository, RepositoryError};
use contents::Contents;
use judge::Scene;

/// How often is looked at most, and how long after a look the next one comes.
const LOOKS: usize = 3;
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// Of how many open deletions is asked when they began; there are few at any time.
const DATED_DELETIONS: usize = 64;

/// What a check does about what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// It writes nothing.
    No,
    /// It mends what the protocol's operations can mend.
    Yes,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many change sets the log holds; `None` where there is no log.
    pub generation: Option<u64>,
    /// How many archives are in the store.
    pub archives: usize,
    /// How many versions the index lists.
    pub listed: usize,
    /// What there is to say, by file; what was mended too.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns whether something is wrong still.
    pub fn finds_something_wrong(&self) -> bool {
        self.findings.iter().any(Finding::remains)
    }

    fn sort(&mut self) {
        self.findings.sort_by(|one, other| {
            (&one.file, one.severity, one.kind).cmp(&(&other.file, other.severity, other.kind))
        });
    }
}

impl Repository {
    /// Looks at the log and at every file, and says what is wrong.
    ///
    /// # Errors
    /// `Storage` when something cannot be read, or, with a repair, written: then nothing is said.
    ///
    /// # Cancellation
    /// A repair runs to its end even if the future is dropped.
    ///
    /// # Cost
    /// Reads every archive, some at a time. A repair of open deletions and orphaned provenance takes
    /// as long as the waits of the protocol.
    pub async fn check(&self, repair: Repair) -> Result<Report, RepositoryError> {
        let core = Arc::clone(&self.core);
        match repair {
            Repair::No => check(core.look()).await,
            Repair::Yes => self.run(async move { core.check_and_mend().await }).await,
        }
    }
}

/// Checks without mending anything.
pub(super) async fn check(look: Look<'_>) -> Result<Report, RepositoryError> {
    let survey = Survey::confirmed(look, &mut Contents::default()).await?;
    Ok(survey.report())
}

/// What one look, or several, showed.
struct Survey {
    view: Option<Arc<View>>,
    listing: Vec<Object>,
    /// When the look began.
    began: Moment,
    archives: usize,
    findings: Vec<Finding>,
}

impl Survey {
    /// Looks until nothing is left that only one look shows.
    async fn confirmed(look: Look<'_>, contents: &mut Contents) -> Result<Self, RepositoryError> {
        let mut survey = Self::take(look, contents).await?;
        for _ in 1..LOOKS {
            if !survey.findings.iter().any(Finding::may_pass) {
                return Ok(survey);
            }
            let before = survey;
            tokio::time::sleep(NEXT_LOOK).await;
            survey = Self::take(look, contents).await?;
            let seen: BTreeSet<_> = before.findings.iter().map(Finding::subject).collect();
            let is_confirmed =
                |finding: &Finding| !finding.may_pass() || seen.contains(&finding.subject());
            if survey.findings.iter().all(is_confirmed) {
                return Ok(survey);
            }
        }
        Ok(survey)
    }

    /// Looks once. The log first: an older listing would show fresh uploads as missing.
    async fn take(look: Look<'_>, contents: &mut Contents) -> Result<Self, RepositoryError> {
        let began = look.clock.now();
        let view = look.view().await?;
        let listing = look.store.list().await?;
        contents.read(look, &listing).await?;
        let scene = Scene {
            look,
            view: view.as_deref(),
            listing: &listing,
            contents,
        };
        let mut findings = scene.judge();
        findings.extend(open_deletions(&scene).await?);
        Ok(Self {
            archives: scene.archives(),
            view,
            listing,
            began,
            findings,
        })
    }

    fn report(self) -> Report {
        let mut report = Report {
            generation: self.view.as_ref().map(|view| view.generation),
            archives: self.archives,
            listed: self.view.map_or(0, |view| view.index.len()),
            findings: self.findings,
        };
        report.sort();
        report
    }
}

async fn open_deletions(scene: &Scene<'_>) -> Result<Vec<Finding>, RepositoryError> {
    let Some(view) = scene.view else {
        return Ok(Vec::new());
    };
    let history = History::of(scene.look.store.clone(), &view.state.identity);
    let mut findings = Vec::new();
    for (count, (file, _)) in view.state.open_deletions().enumerate() {
        let Some(archive) = view.state.archive(file) else {
            continue;
        };
        let began = if count < DATED_DELETIONS {
            history.at::<Change>(archive.changed).await?
        } else {
            None
        };
        let since = match &began {
            Some(record) => format!("since {}", record.time.format("%FT%TZ")),
            None => "since before the log's oldest record".to_owned(),
        };
        let named = match &archive.status {
            Status::Removed { object, .. } => object.as_ref(),
            Status::Listed(_) => None,
        };
        let object = match (scene.object(file), named) {
            (None, _) => "the archive is gone already",
            (Some(there), Some(named)) if scene.look.is_same(named, there) => {
                "the archive is still there"
            }
            (Some(_), _) => "another archive was put in its place by hand",
        };
        let what = format!(
            "its deletion is open {since} (generation {}) and {object}; uploads of it are refused until it \
             has ended",
            archive.changed
        );
        let age = began.map(|record| scene.look.clock.wall().signed_duration_since(record.time));
        let takeover = scene.look.options.waits.takeover;
        // By a clock that is behind the writer's it is younger than nothing.
        let is_young = age.is_some_and(|age| age.to_std().unwrap_or_default() < takeover);
        let severity = if is_young {
            Severity::Information
        } else {
            Severity::Warning
        };
        let finding = Finding::new(Kind::OpenDeletion, severity, file, what);
        findings.push(finding.mendable("it is finished"));
    }
    Ok(findings)
}
