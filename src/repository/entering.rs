//! Reading the archives that the log does not know, and entering them while the reading goes on.

use std::collections::BTreeMap;

use chartroom_storage::{Listed as Object, ObjectId, StorageErrorKind};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use super::change::Change;
use super::inspect::Inspected;
use super::view::View;
use super::{Core, RepositoryError};
use crate::chart::name::FileName;

/// How many archives at most are entered by one change set.
const BATCH: usize = 64;

/// How many reads in a row the store may not answer before it is taken for away, and not the archives
/// for unreadable.
const MOST_UNANSWERED: usize = 8;

/// How the reads of a refresh went: one object that the store does not give takes no other away, but
/// a store that answers to nothing is away.
#[derive(Debug, Default)]
struct Reads {
    failed: usize,
    has_answered: bool,
    /// The reads in a row that had no answer, and the last one's error.
    unanswered: usize,
    last: Option<RepositoryError>,
}

impl Reads {
    fn succeeded(&mut self) {
        self.has_answered = true;
        self.unanswered = 0;
    }

    fn failed(&mut self, file: &FileName, error: RepositoryError) -> Result<(), RepositoryError> {
        let RepositoryError::Storage(failure) = &error else {
            return Err(error);
        };
        let is_answer = !matches!(
            failure.kind(),
            StorageErrorKind::Unavailable | StorageErrorKind::Timeout
        );
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(file = file.as_str(), %error, cause, "an archive could not be read; passed over for now");
        self.failed += 1;
        if is_answer {
            self.succeeded();
            return Ok(());
        }
        self.unanswered += 1;
        if self.unanswered >= MOST_UNANSWERED {
            return Err(error);
        }
        self.last = Some(error);
        Ok(())
    }

    /// Returns how many failed.
    fn end(self) -> Result<usize, RepositoryError> {
        match self.last {
            Some(error) if !self.has_answered => Err(error),
            _ => Ok(self.failed),
        }
    }
}

/// An archive to read, as the object that was listed.
type Unknown = (FileName, ObjectId);

impl Core {
    /// Enters the archives that are not listed as what they are. Returns how many, and how many could
    /// not be read.
    ///
    /// # Cost
    /// One request for each archive, and one change set for what was read while the one before was
    /// appended.
    pub(super) async fn enter(
        &self,
        view: &View,
        files: &BTreeMap<&str, &Object>,
    ) -> Result<(usize, usize), RepositoryError> {
        let unknown: Vec<Unknown> = files
            .iter()
            .filter(|(file, object)| self.differs(view, file, &object.id))
            .filter(|(file, object)| !self.unreadable.knows(file, &object.id))
            .filter_map(|(file, object)| Some((FileName::parse(file).ok()?, object.id.clone())))
            .filter(|(file, _)| !file.is_provenance())
            .filter(|(file, object)| !self.is_too_large(file.as_str(), object))
            .collect();
        if unknown.is_empty() {
            return Ok((0, 0));
        }
        let (listings, inbox) = mpsc::channel(BATCH);
        // What was read before an error is entered, too.
        let (failed, entered) = tokio::join!(
            self.read_all(unknown, files, listings),
            self.enter_all(view, inbox)
        );
        Ok((entered?, failed?))
    }

    /// Reads archives, several at a time, and hands on what they are. Returns how many could not be
    /// read.
    async fn read_all(
        &self,
        unknown: Vec<Unknown>,
        files: &BTreeMap<&str, &Object>,
        listings: mpsc::Sender<Change>,
    ) -> Result<usize, RepositoryError> {
        let created = self.chartmuseum_times(files).await;
        let times = &created;
        self.progress.begin(unknown.len(), self.clock.now());
        let mut reads = stream::iter(unknown)
            .map(async |(file, object)| {
                let read = self.inspect(&file, &object, |digest| times.get(digest).copied());
                let read = read.await;
                (file, read)
            })
            .buffer_unordered(self.options.parallel_reads);
        let mut outcome = Reads::default();
        while let Some((file, read)) = reads.next().await {
            self.progress.advance(self.clock.now());
            match read {
                Ok(Inspected::Chart(listing)) => {
                    outcome.succeeded();
                    if listings.send(Change::Added(listing)).await.is_err() {
                        // They could not be entered, which is the error that counts.
                        break;
                    }
                }
                Ok(Inspected::Unreadable | Inspected::Missing) => outcome.succeeded(),
                Err(error) => outcome.failed(&file, error)?,
            }
        }
        outcome.end()
    }

    async fn enter_all(
        &self,
        view: &View,
        mut inbox: mpsc::Receiver<Change>,
    ) -> Result<usize, RepositoryError> {
        let mut entered = 0;
        let mut batch = Vec::with_capacity(BATCH);
        while inbox.recv_many(&mut batch, BATCH).await > 0 {
            let changes = std::mem::take(&mut batch);
            entered += self.append_all(&view.base, changes).await?;
        }
        Ok(entered)
    }
}
