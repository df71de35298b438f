//! A repository as readers see it, whether it exists or not.

use std::ops::Range;
use std::sync::Arc;

use chartroom_storage::Clock;

use super::fetch::{Chunks, Found};
use super::{Committed, Explanation, Repository, RepositoryError, View};
use crate::chart::name::FileName;

/// A repository to read from. One that does not exist yet reads as an empty one: `helm repo add` works
/// before the first upload, as with `ChartMuseum`.
#[derive(Clone, Debug)]
pub struct Reader {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Repository(Arc<Repository>),
    Absent(Arc<View>),
}

impl Reader {
    pub(super) fn of(repository: Arc<Repository>) -> Self {
        Self {
            source: Source::Repository(repository),
        }
    }

    pub(super) fn absent(clock: &Clock) -> Self {
        Self {
            source: Source::Absent(Arc::new(View::empty(clock))),
        }
    }

    /// Returns the repository, if it exists.
    pub fn repository(&self) -> Option<&Arc<Repository>> {
        match &self.source {
            Source::Repository(repository) => Some(repository),
            Source::Absent(_) => None,
        }
    }

    /// As [`Repository::current`].
    ///
    /// # Errors
    /// As [`Repository::current`].
    pub async fn current(&self, at_least: Option<u64>) -> Result<Arc<View>, RepositoryError> {
        match &self.source {
            Source::Repository(repository) => repository.current(at_least).await,
            Source::Absent(view) => match at_least.filter(|wanted| *wanted > view.generation) {
                Some(wanted) => Err(RepositoryError::Behind {
                    generation: view.generation,
                    wanted,
                }),
                None => Ok(Arc::clone(view)),
            },
        }
    }

    /// As [`Repository::caught_up`].
    ///
    /// # Errors
    /// As [`Repository::caught_up`].
    pub async fn caught_up(&self) -> Result<Arc<View>, RepositoryError> {
        match &self.source {
            Source::Repository(repository) => repository.caught_up().await,
            // That it does not exist was looked up for this reader.
            Source::Absent(view) => Ok(Arc::clone(view)),
        }
    }

    /// As [`Repository::find`].
    ///
    /// # Errors
    /// As [`Repository::find`].
    pub async fn find(&self, file: &FileName) -> Result<Found, RepositoryError> {
        match &self.source {
            Source::Repository(repository) => repository.find(file).await,
            Source::Absent(_) => Err(RepositoryError::not_found(file.as_str())),
        }
    }

    /// As [`Repository::read`].
    ///
    /// # Errors
    /// As [`Repository::read`].
    pub async fn read(
        &self,
        found: &Found,
        range: Option<Range<u64>>,
    ) -> Result<Chunks, RepositoryError> {
        match &self.source {
            Source::Repository(repository) => repository.read(found, range).await,
            Source::Absent(_) => Err(RepositoryError::not_found("the repository")),
        }
    }

    /// As [`Repository::withdraw`]: nothing has to be made to say that a version is not there.
    ///
    /// # Errors
    /// As [`Repository::withdraw`].
    pub async fn withdraw(&self, name: &str, version: &str) -> Result<Committed, RepositoryError> {
        match &self.source {
            Source::Repository(repository) => repository.withdraw(name, version).await,
            Source::Absent(_) => Err(RepositoryError::not_found(format!("{name} {version}"))),
        }
    }

    /// As [`Repository::explain`].
    ///
    /// # Errors
    /// As [`Repository::explain`].
    pub async fn explain(&self, name: &str, version: &str) -> Result<Explanation, RepositoryError> {
        match &self.source {
            Source::Repository(repository) => repository.explain(name, version).await,
            Source::Absent(_) => Ok(Explanation::without_repository(name, version)),
        }
    }
}
