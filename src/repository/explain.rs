//! Why a version is in the index, or why not.
//!
//! Answered for one version from the log, one look at its file, and what the log remembers of it. It
//! writes nothing.

mod near;
mod words;

use std::sync::Arc;

use chartroom_storage::log::{History, Sought};
use chartroom_storage::{Listed as Object, ObjectId};
use chrono::{DateTime, Utc};
use serde::Serialize;

pub use near::Near;

use super::change::{Change, Origin};
use super::check::{Content, read_archive};
use super::look::Look;
use super::state::{Archive, Listed, Status};
use super::view::View;
use super::{Repository, RepositoryError, key_of};
use crate::chart::Digest;
use crate::chart::name::FileName;
use crate::index::{Entry, VersionRef};

/// How many records of the log are read at most.
const RECORDS: u64 = 1_000;

/// How often an object is read that changes each time.
const READS: usize = 3;

/// Why a version is in the index, or why not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The chart that was asked for.
    pub name: String,
    /// The version that was asked for.
    pub version: String,
    /// Whether the index lists it.
    pub listed: bool,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, in a sentence.
    pub sentence: String,
    /// What to do.
    pub advice: String,
    /// How many change sets the log holds; nothing where there is no log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// What is known.
    pub facts: Facts,
    /// Versions in the index that are spelled almost like this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<Near>,
    /// The newest versions of the chart, where this one is not listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
}

/// Why, in a word. The names are stable: scripts may look for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is in the index.
    Listed,
    /// It is in the index, and its object is gone.
    ListedWithoutObject,
    /// It is in the index, and its object was replaced.
    ListedAsAnotherObject,
    /// Its deletion is open.
    BeingDeleted,
    /// Its archive is in the store and not in the log yet.
    NotEntered,
    /// Its archive is in the store, and there is no log yet.
    NoLog,
    /// Its file is in the store and is no chart that helm would load.
    Unreadable,
    /// Its file is in the store and holds another chart or version.
    OtherChart,
    /// It was deleted.
    Deleted,
    /// Its object was gone when a refresh looked.
    Dropped,
    /// It is in the index in another spelling.
    SpelledDifferently,
    /// Nothing is known of it.
    NotFound,
    /// No archive can have such a name.
    ImpossibleName,
    /// There is no such repository: neither a log nor an archive.
    NoRepository,
}

/// What is known of the version.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts {
    /// The file that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The digest that the index gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// When it was created, as the index says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<DateTime<Utc>>,
    /// `upload`, or `refresh` if it was found in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The generation of the last record about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at_generation: Option<u64>,
    /// The time of that record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<DateTime<Utc>>,
    /// The object that the log knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_object: Option<ObjectId>,
    /// The object that is in the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_object: Option<ObjectId>,
    /// Other files that hold the same version, and wait.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    /// Why helm would not load the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The chart and version that the file holds instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<Held>,
    /// The generation since which the log says nothing of it; older records are removed, or were not
    /// read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmentioned_since: Option<u64>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The chart's name.
    pub name: String,
    /// The version.
    pub version: String,
}

impl Repository {
    /// Says why a version is in the index, or why not.
    ///
    /// # Errors
    /// `Storage` when the log or the file cannot be read: then nothing is said. `Busy` when the file
    /// changes all the time.
    ///
    /// # Cost
    /// A catch-up and a look at one file. The file is read if the log does not know it; if there is
    /// none, up to 1,000 records of the log are read.
    pub async fn explain(&self, name: &str, version: &str) -> Result<Explanation, RepositoryError> {
        explain(self.core.look(), name, version).await
    }
}

/// Explains with or without a log.
pub(super) async fn explain(
    look: Look<'_>,
    name: &str,
    version: &str,
) -> Result<Explanation, RepositoryError> {
    let view = look.view().await?;
    let question = Question {
        look,
        view: view.clone(),
        name,
        version,
    };
    let (reason, facts) = question.answer().await?;
    let mut explanation = Explanation::new(name, version, reason, facts);
    if let Some(view) = view {
        explanation.generation = Some(view.generation);
        if !explanation.listed {
            explanation.near = near::spelled_alike(&view.index, name, version);
            explanation.versions = near::newest(&view.index, name);
        }
        if explanation.reason == Reason::NotFound && !explanation.near.is_empty() {
            explanation.reason = Reason::SpelledDifferently;
        }
    }
    Ok(explanation.in_words())
}

impl Explanation {
    /// Returns what there is to say where there is no repository.
    pub(super) fn without_repository(name: &str, version: &str) -> Self {
        Self::new(name, version, Reason::NoRepository, Facts::default()).in_words()
    }

    fn new(name: &str, version: &str, reason: Reason, facts: Facts) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            listed: reason.is_listed(),
            reason,
            sentence: String::new(),
            advice: String::new(),
            generation: None,
            facts,
            near: Vec::new(),
            versions: Vec::new(),
        }
    }

    fn in_words(mut self) -> Self {
        self.sentence = words::sentence(&self);
        self.advice = words::advice(&self);
        self
    }
}

impl Reason {
    /// Returns whether the index lists the version.
    fn is_listed(self) -> bool {
        matches!(
            self,
            Self::Listed | Self::ListedWithoutObject | Self::ListedAsAnotherObject
        )
    }
}

struct Question<'a> {
    look: Look<'a>,
    view: Option<Arc<View>>,
    name: &'a str,
    version: &'a str,
}

type Answer = Result<(Reason, Facts), RepositoryError>;

impl Question<'_> {
    async fn answer(&self) -> Answer {
        if let Some(view) = &self.view
            && let Some(shown) = view.index.find(self.name, self.version)
            && let Some(archive) = view.state.archive(&shown.tie)
            && let Status::Listed(listed) = &archive.status
        {
            return self.listed(view, &shown, archive, listed).await;
        }
        let Ok(file) = FileName::of_version(self.name, self.version) else {
            return Ok((Reason::ImpossibleName, Facts::default()));
        };
        let facts = Facts {
            file: Some(file.as_str().to_owned()),
            stored_object: self.stored(&file).await?,
            ..Facts::default()
        };
        let archive = self
            .view
            .as_ref()
            .and_then(|view| view.state.archive(file.as_str()));
        match archive.map(|archive| (archive, &archive.status)) {
            Some((archive, Status::Removed { object, .. })) => {
                let facts = Facts {
                    known_object: object.clone(),
                    ..self.dated(archive, facts).await?
                };
                Ok((Reason::BeingDeleted, facts))
            }
            Some((archive, Status::Listed(listed))) => {
                let facts = Facts {
                    holds: Some(Held {
                        name: listed.name.to_string(),
                        version: listed.version.to_string(),
                    }),
                    known_object: Some(listed.object.clone()),
                    ..self.dated(archive, facts).await?
                };
                Ok((Reason::OtherChart, facts))
            }
            None if facts.stored_object.is_some() => self.unlisted(&file, facts).await,
            None => self.absent(&file, facts).await,
        }
    }

    async fn listed(
        &self,
        view: &View,
        shown: &VersionRef,
        archive: &Archive,
        listed: &Listed,
    ) -> Answer {
        let mut facts = Facts::default();
        let mut reason = Reason::ListedWithoutObject;
        if let Ok(file) = FileName::parse(&shown.tie) {
            facts.stored_object = self.stored(&file).await?;
            if let Some(there) = &facts.stored_object {
                reason = Reason::Listed;
                if !self.look.is_same(&listed.object, there) {
                    reason = Reason::ListedAsAnotherObject;
                    facts.problem = self.read(&file).await?.and_then(problem);
                }
            }
        }
        let entry = Entry::from_json(&shown.json).ok();
        let waiting = view.state.shadows().behind(self.name, self.version);
        let facts = Facts {
            file: Some(shown.tie.to_string()),
            digest: Some(listed.digest),
            created: entry.map(|entry| entry.created.to_utc()),
            origin: Some(listed.origin),
            known_object: Some(listed.object.clone()),
            waiting: waiting.map(str::to_owned).collect(),
            ..facts
        };
        Ok((reason, self.dated(archive, facts).await?))
    }

    /// A file is there that the log does not know.
    async fn unlisted(&self, file: &FileName, facts: Facts) -> Answer {
        match self.read(file).await? {
            Some(Content::Chart { name, version, .. }) => {
                if name == self.name && version == self.version {
                    let reason = match self.view {
                        Some(_) => Reason::NotEntered,
                        None => Reason::NoLog,
                    };
                    return Ok((reason, facts));
                }
                let facts = Facts {
                    holds: Some(Held { name, version }),
                    ..facts
                };
                Ok((Reason::OtherChart, facts))
            }
            Some(content @ (Content::Unreadable { .. } | Content::Empty)) => {
                let facts = Facts {
                    problem: problem(content),
                    ..facts
                };
                Ok((Reason::Unreadable, facts))
            }
            _ => {
                let facts = Facts {
                    stored_object: None,
                    ..facts
                };
                self.absent(file, facts).await
            }
        }
    }

    /// Nothing is there: the log may remember that something was.
    async fn absent(&self, file: &FileName, facts: Facts) -> Answer {
        let Some(view) = &self.view else {
            return Ok((Reason::NotFound, facts));
        };
        let history = History::of(self.look.store.clone(), &view.state.identity);
        let last = view.state.gone_at(file.as_str()).unwrap_or(view.generation);
        let is_about = |change: &Change| change.file() == file.as_str();
        let past = match history.find_last(last, RECORDS, is_about).await? {
            Sought::Found(past) => past,
            Sought::NotSince(generation) => {
                let facts = Facts {
                    unmentioned_since: Some(generation),
                    ..facts
                };
                return Ok((Reason::NotFound, facts));
            }
        };
        let reason = match past.changes.iter().find(|change| is_about(change)) {
            Some(Change::Dropped { .. }) => Reason::Dropped,
            _ => Reason::Deleted,
        };
        let facts = Facts {
            changed_at_generation: Some(past.generation),
            changed_at: Some(past.time),
            ..facts
        };
        Ok((reason, facts))
    }

    /// Adds when the last record about an archive was written, as far as it is still there.
    async fn dated(&self, archive: &Archive, facts: Facts) -> Result<Facts, RepositoryError> {
        let Some(view) = &self.view else {
            return Ok(facts);
        };
        let history = History::of(self.look.store.clone(), &view.state.identity);
        let record = history.at::<Change>(archive.changed).await?;
        Ok(Facts {
            changed_at_generation: Some(archive.changed),
            changed_at: record.map(|record| record.time),
            ..facts
        })
    }

    async fn stored(&self, file: &FileName) -> Result<Option<ObjectId>, RepositoryError> {
        self.look.head_if_there(&key_of(file)?).await
    }

    /// Reads what is there; `None` if it is gone after all.
    async fn read(&self, file: &FileName) -> Result<Option<Content>, RepositoryError> {
        for _ in 0..READS {
            let Some(id) = self.stored(file).await? else {
                return Ok(None);
            };
            let key = key_of(file)?;
            match read_archive(self.look, file, &Object { key, id }).await? {
                Content::Changed => {}
                content => return Ok(Some(content)),
            }
        }
        Err(RepositoryError::busy("the file changes all the time"))
    }
}

/// Returns why helm would not load a file; nothing if it would.
fn problem(content: Content) -> Option<String> {
    match content {
        Content::Unreadable { reason, .. } => Some(reason),
        Content::Empty => Some("it is empty".to_owned()),
        _ => None,
    }
}
