//! How repositories are kept.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::Location;
use chartroom_storage::log::LogOptions;

use super::layers::{Noted, Reader};
use super::options::{
    ARCHIVE_CACHE, CACHE_INTERVAL, CHART_URL, FRESHNESS, INDEX_LIMIT, LOG_RETENTION,
    MAX_LOADED_REPOSITORIES, MAX_STORAGE_OBJECTS, PER_CHART_LIMIT, REFRESH_INTERVAL,
    REPOSITORY_IDLE, STORAGE_TIMESTAMP_TOLERANCE,
};
use super::{Config, parse};
use crate::http::settings::Depth;
use crate::repository::{KeptArchives, Options, RegistryOptions};

/// How repositories are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySettings {
    /// What URLs in an index begin with, without a slash at its end; `None` is relative URLs.
    pub chart_url: Option<String>,
    /// How many objects a repository may hold; `None` is any number.
    pub max_storage_objects: Option<u64>,
    /// How many versions of a chart are kept; `None` is any number.
    pub per_chart_limit: Option<usize>,
    /// By how much the time of an object may differ from the recorded one before it counts as changed.
    pub timestamp_tolerance: Duration,
    /// How many archives are read at once when the storage is listed; `None` is what fits the storage.
    pub parallel_reads: Option<usize>,
    /// How often the storage is listed; zero is never.
    pub refresh_interval: Duration,
    /// How old an index may be when other replicas write; zero looks before each.
    pub freshness: Duration,
    /// For how long records of the log are kept after a snapshot; at least 10 s.
    pub log_retention: Duration,
    /// After how long a repository that nobody used leaves memory; above zero.
    pub idle_after: Duration,
    /// How many repositories are in memory at once; above 0.
    pub max_loaded: usize,
    /// How many bytes of small archives stay in memory.
    pub archive_cache: u64,
}

/// How many archives are read at once if nobody says. In a bucket each read is mostly a wait.
fn parallel_reads(storage: &Location) -> usize {
    match storage {
        Location::Bucket { .. } => 16,
        Location::Directory(_) | Location::Memory => 4,
    }
}

/// Reads how repositories are kept.
pub(super) fn read(reader: &mut Reader) -> Result<RepositorySettings, Noted> {
    let chart_url = reader.optional(&CHART_URL, parse::base_url);
    let max_storage_objects = reader.value(&MAX_STORAGE_OBJECTS, parse::limit);
    let per_chart_limit = reader.value(&PER_CHART_LIMIT, parse::limit);
    let timestamp_tolerance = reader.value(&STORAGE_TIMESTAMP_TOLERANCE, parse::duration);
    let parallel_reads = reader.value(&INDEX_LIMIT, parse::limit);
    let refresh_interval = reader.value_of(&[&REFRESH_INTERVAL, &CACHE_INTERVAL], parse::duration);
    let freshness = reader.value(&FRESHNESS, parse::duration);
    let log_retention = reader.value(&LOG_RETENTION, parse::retention);
    let idle_after = reader.value(&REPOSITORY_IDLE, parse::period);
    let max_loaded = reader.value(&MAX_LOADED_REPOSITORIES, parse::count);
    let archive_cache = reader.value(&ARCHIVE_CACHE, parse::size_or_none);
    Ok(RepositorySettings {
        chart_url: chart_url?,
        max_storage_objects: max_storage_objects?,
        per_chart_limit: per_chart_limit?,
        timestamp_tolerance: timestamp_tolerance?,
        parallel_reads: parallel_reads?,
        refresh_interval: refresh_interval?,
        freshness: freshness?,
        log_retention: log_retention?,
        idle_after: idle_after?,
        max_loaded: max_loaded?,
        archive_cache: archive_cache?,
    })
}

impl Config {
    /// Returns what the repositories are opened with.
    pub fn registry(&self) -> RegistryOptions {
        let RepositorySettings {
            chart_url,
            max_storage_objects,
            per_chart_limit,
            timestamp_tolerance,
            parallel_reads,
            refresh_interval,
            freshness,
            log_retention,
            idle_after,
            max_loaded,
            archive_cache,
        } = self.repositories.clone();
        let context_path = &self.http.context_path;
        let parallel_reads = parallel_reads.unwrap_or_else(|| self::parallel_reads(&self.storage));
        RegistryOptions {
            repository: Options {
                freshness,
                refresh_interval,
                max_objects: max_storage_objects,
                per_chart_limit,
                timestamp_tolerance,
                parallel_reads,
                kept_archives: Arc::new(KeptArchives::of(archive_cache)),
                log: LogOptions {
                    retention: log_retention,
                    ..LogOptions::default()
                },
                ..Options::default()
            },
            chart_url: chart_url.map(|url| format!("{url}{context_path}")),
            idle_after,
            max_loaded,
            is_single: self.http.depth == Depth::Fixed(0),
        }
    }
}
