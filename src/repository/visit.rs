//! A repository as somebody sees it who does not serve it.

use chartroom_storage::{Clock, Store};

use super::check::{self, Repair, Report};
use super::explain::{self, Explanation};
use super::look::Look;
use super::{Options, Repository, RepositoryError};

/// A look at a repository, beside any number of servers or without one. It writes nothing but what a
/// repair asks for; where there is no log, it makes none.
#[derive(Debug)]
pub struct Visit {
    store: Store,
    clock: Clock,
    options: Options,
    repository: Option<Repository>,
}

impl Visit {
    /// Reads the repository's log, if there is one.
    ///
    /// # Errors
    /// `Storage` when the log cannot be read.
    pub async fn begin(
        store: Store,
        clock: Clock,
        options: Options,
    ) -> Result<Self, RepositoryError> {
        let repository =
            Repository::open_existing(store.clone(), clock.clone(), options.clone()).await?;
        Ok(Self {
            store,
            clock,
            options,
            repository,
        })
    }

    /// Says what is wrong, and mends what can be mended. Without a log nothing is mended.
    ///
    /// # Errors
    /// As [`Repository::check`].
    pub async fn check(&self, repair: Repair) -> Result<Report, RepositoryError> {
        match &self.repository {
            Some(repository) => repository.check(repair).await,
            None => check::check(self.look()).await,
        }
    }

    /// Says why a version is in the index, or why not.
    ///
    /// # Errors
    /// As [`Repository::explain`].
    pub async fn explain(&self, name: &str, version: &str) -> Result<Explanation, RepositoryError> {
        match &self.repository {
            Some(repository) => repository.explain(name, version).await,
            None => explain::explain(self.look(), name, version).await,
        }
    }

    /// Waits for what is under way.
    pub async fn end(self) {
        if let Some(repository) = self.repository {
            repository.close().await;
        }
    }

    fn look(&self) -> Look<'_> {
        Look {
            store: &self.store,
            clock: &self.clock,
            options: &self.options,
            committer: None,
        }
    }
}
