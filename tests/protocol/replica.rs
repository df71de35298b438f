//! Replicas over one bucket, and what they are asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chartroom::chart::Digest;
use chartroom::chart::archive::{Acceptance, read};
use chartroom::chart::limits::Limits;
use chartroom::repository::{
    Committed, Options, Overwrite, Repository, RepositoryError, Upload, Visit,
};
use chartroom_storage::testing::{Faulty, content_etag_memory};
use chartroom_storage::{Clock, Key, Store, Timeouts};
use chrono::{DateTime, TimeDelta, Utc};
use object_store::ObjectStore;
use object_store::memory::InMemory;

use crate::charts;

/// Where all replicas keep everything.
#[derive(Clone)]
pub(crate) struct Bucket {
    inner: Arc<dyn ObjectStore>,
}

/// One replica, and its own way to the bucket.
pub(crate) struct Replica {
    pub(crate) way: Faulty,
    pub(crate) repository: Arc<Repository>,
}

/// What an operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done(u64),
    Exists,
    Missing,
    /// 503: the outcome is open.
    Busy,
}

impl Bucket {
    /// A bucket whose `ETag`s count up.
    pub(crate) fn counting() -> Self {
        Self {
            inner: Arc::new(InMemory::new()),
        }
    }

    /// A bucket whose `ETag`s are hashes of the content.
    pub(crate) fn hashing() -> Self {
        Self {
            inner: content_etag_memory(),
        }
    }

    /// Opens a replica whose own refreshes run at start only.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(options()).await
    }

    pub(crate) async fn replica_with(&self, options: Options) -> Replica {
        let way = Faulty::new(Arc::clone(&self.inner));
        // Deadlines would pass while a request is held: the paused clock leaps.
        let timeouts = Timeouts {
            small: Duration::MAX,
            transfer: Duration::MAX,
        };
        let repository = open(&way, timeouts, options, TimeDelta::zero()).await;
        Replica { way, repository }
    }

    /// Opens a replica whose requests time out and whose clock is off.
    pub(crate) async fn hasty_replica(&self, skew: TimeDelta) -> Replica {
        let way = Faulty::new(Arc::clone(&self.inner));
        let repository = open(&way, Timeouts::default(), options(), skew).await;
        Replica { way, repository }
    }

    /// Somebody who looks at the bucket and does not serve it, whose clock is so far ahead.
    pub(crate) async fn visit(&self, ahead: Duration) -> Visit {
        let clock = Clock::paused(DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + ahead);
        Visit::begin(self.hand(), clock, options()).await.unwrap()
    }

    /// The bucket as a hand sees it.
    pub(crate) fn hand(&self) -> Store {
        Faulty::new(Arc::clone(&self.inner)).store(Timeouts::default())
    }

    /// What a fresh replica lists after a refresh, by file, each checked against its object.
    pub(crate) async fn listing(&self) -> BTreeMap<String, Digest> {
        let replica = self.replica().await;
        replica.repository.refresh().await.unwrap();
        let listing = replica.listing().await;
        for (file, digest) in &listing {
            let object = self.hand().get(&Key::parse(file).unwrap()).await;
            let body = object
                .unwrap_or_else(|_| panic!("{file} is listed without an object"))
                .body;
            assert_eq!(
                Digest::of(&body),
                *digest,
                "{file} is listed with another digest"
            );
        }
        replica.repository.close().await;
        listing
    }
}

/// Options whose refreshes a test calls itself.
pub(crate) fn options() -> Options {
    Options {
        refresh_interval: Duration::ZERO,
        ..Options::default()
    }
}

async fn open(
    way: &Faulty,
    timeouts: Timeouts,
    options: Options,
    skew: TimeDelta,
) -> Arc<Repository> {
    let clock = Clock::paused(DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + skew);
    let repository = Repository::open(way.store(timeouts), clock, options)
        .await
        .unwrap();
    // The refresh at start must not meet the rules of the test.
    while repository.ready().await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    repository
}

impl Replica {
    pub(crate) async fn upload(&self, version: &str, content: &str) -> Answer {
        answer(
            self.repository
                .publish(upload(version, content, Overwrite::Forbid))
                .await,
        )
    }

    pub(crate) async fn overwrite(&self, version: &str, content: &str) -> Answer {
        answer(
            self.repository
                .publish(upload(version, content, Overwrite::Allow))
                .await,
        )
    }

    pub(crate) async fn delete(&self, version: &str) -> Answer {
        answer(self.repository.withdraw("app", version).await)
    }

    pub(crate) async fn refresh(&self) {
        self.repository.refresh().await.unwrap();
    }

    /// Begins an operation that is going to be held.
    pub(crate) fn begin<F: Future<Output = Answer> + Send + 'static>(
        &self,
        operation: impl FnOnce(Self) -> F,
    ) -> tokio::task::JoinHandle<Answer> {
        tokio::spawn(operation(Self {
            way: self.way.clone(),
            repository: Arc::clone(&self.repository),
        }))
    }

    /// What the replica lists after a catch-up, by file.
    pub(crate) async fn listing(&self) -> BTreeMap<String, Digest> {
        let view = self.repository.caught_up().await.unwrap();
        let entries = view.index.iter_json().map(|entry| {
            let value: serde_json::Value = serde_json::from_slice(&entry.json).unwrap();
            let digest = value["digest"].as_str().unwrap().parse().unwrap();
            (entry.tie.to_string(), digest)
        });
        entries.collect()
    }

    /// When each version was uploaded, as the index has it.
    pub(crate) async fn created(&self) -> BTreeMap<String, DateTime<Utc>> {
        let view = self.repository.caught_up().await.unwrap();
        let entries = view.index.iter_json().map(|entry| {
            let value: serde_json::Value = serde_json::from_slice(&entry.json).unwrap();
            let created = value["created"].as_str().unwrap().parse().unwrap();
            (entry.version_text.to_string(), created)
        });
        entries.collect()
    }

    /// The replica is gone: nothing of it reaches the bucket any more.
    pub(crate) fn kill(self) {
        self.way.partition(true);
    }
}

pub(crate) fn answer(result: Result<Committed, RepositoryError>) -> Answer {
    match result {
        Ok(committed) => Answer::Done(committed.generation),
        Err(RepositoryError::AlreadyExists { .. }) => Answer::Exists,
        Err(RepositoryError::NotFound { .. }) => Answer::Missing,
        Err(RepositoryError::Busy { .. } | RepositoryError::Storage(_)) => Answer::Busy,
        Err(other) => panic!("{other}"),
    }
}

pub(crate) fn upload(version: &str, content: &str, overwrite: Overwrite) -> Upload {
    let bytes = bytes(version, content);
    let chart = read(&bytes, &Limits::default(), Acceptance::Upload).unwrap();
    Upload {
        archive: bytes,
        metadata: chart.metadata,
        digest: chart.digest,
        provenance: None,
        overwrite,
    }
}

pub(crate) fn bytes(version: &str, content: &str) -> Bytes {
    charts::chart("app", version, content)
}

pub(crate) fn digest(version: &str, content: &str) -> Digest {
    Digest::of(&bytes(version, content))
}

pub(crate) fn file(version: &str) -> String {
    format!("app-{version}.tgz")
}

pub(crate) fn key(version: &str) -> Key {
    Key::parse(&file(version)).unwrap()
}

/// Tells which requests a rule is for.
pub(crate) type Fits = fn(&str) -> bool;

/// Fits requests for archives.
pub(crate) fn archives(key: &str) -> bool {
    key.ends_with(".tgz")
}

/// Fits requests for log records.
pub(crate) fn records(key: &str) -> bool {
    key.contains("/log/")
}
