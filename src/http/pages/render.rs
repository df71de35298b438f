//! The pages' text.

use askama::Template;
use chartroom_storage::RepositoryPath;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::address::{Address, escape};
use crate::http::error::ApiError;
use crate::index::{Index, VersionRef};
use crate::repository::Paths;

/// How many charts, or repositories, stand on one page.
const PER_PAGE: usize = 500;

/// How much of a text of a chart is shown, in characters.
const LONGEST_DESCRIPTION: usize = 400;
const LONGEST_VERSION: usize = 80;

pub(super) const STYLE: &str = include_str!("style.css");

/// A part of a list, and where its neighbours begin.
struct Slice {
    /// Counted from 1.
    first: usize,
    last: usize,
    total: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

impl Slice {
    fn of(total: usize, offset: usize) -> Self {
        let end = offset.saturating_add(PER_PAGE).min(total);
        Self {
            first: offset.saturating_add(1),
            last: end,
            total,
            // From beyond the end back to what there is.
            previous: (offset > 0).then(|| offset.min(total).saturating_sub(PER_PAGE)),
            next: (end < total).then_some(end),
        }
    }

    fn is_empty(&self) -> bool {
        self.first > self.last
    }

    fn is_whole(&self) -> bool {
        self.first == 1 && self.last == self.total
    }
}

#[derive(Template)]
#[template(path = "repository.html")]
struct RepositoryPage<'a> {
    style: &'static str,
    version: &'static str,
    address: &'a Address,
    charts: Vec<ChartRow>,
    slice: Slice,
    /// Other repositories, which have no pages of their own here.
    repositories: Vec<RepositoryRow<'a>>,
    is_cut: bool,
    /// When it changed last; `None` for never.
    generated: Option<String>,
}

/// The latest version of a chart.
struct ChartRow {
    title: String,
    /// Where its archive is.
    link: Option<String>,
    app_version: String,
    description: String,
    is_deprecated: bool,
}

#[derive(Template)]
#[template(path = "repositories.html")]
struct RepositoriesPage<'a> {
    style: &'static str,
    version: &'static str,
    repositories: Vec<RepositoryRow<'a>>,
    slice: Slice,
    /// Whether there are more than were looked for.
    is_cut: bool,
}

struct RepositoryRow<'a> {
    name: &'a str,
    link: String,
}

/// Writes the page of a repository. Links begin at `base`.
pub(super) fn repository(
    index: &Index,
    generated: Option<DateTime<Utc>>,
    address: &Address,
    beside: &Paths,
    base: &str,
    offset: usize,
) -> Result<String, ApiError> {
    let latest = index.latest(offset, PER_PAGE);
    let charts: Result<_, ApiError> = latest
        .iter()
        .map(|found| ChartRow::of(found, base))
        .collect();
    render(&RepositoryPage {
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        address,
        charts: charts?,
        slice: Slice::of(index.charts(), offset),
        repositories: rows(&beside.paths, base, 0),
        is_cut: beside.is_cut || beside.paths.len() > PER_PAGE,
        generated: generated.map(|time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
    })
}

/// Writes the page that lists repositories.
pub(super) fn repositories(found: &Paths, base: &str, offset: usize) -> Result<String, ApiError> {
    render(&RepositoriesPage {
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        repositories: rows(&found.paths, base, offset),
        slice: Slice::of(found.paths.len(), offset),
        is_cut: found.is_cut,
    })
}

fn render(page: &impl Template) -> Result<String, ApiError> {
    page.render()
        .map_err(|error| ApiError::Internal(error.into()))
}

fn rows<'a>(paths: &'a [RepositoryPath], base: &str, offset: usize) -> Vec<RepositoryRow<'a>> {
    let shown = paths.iter().skip(offset).take(PER_PAGE);
    let row = |path: &'a RepositoryPath| RepositoryRow {
        name: path.as_str(),
        link: relative(base, &format!("{}/", escape(path.as_str()))),
    };
    shown.map(row).collect()
}

impl ChartRow {
    fn of(version: &VersionRef, base: &str) -> Result<Self, ApiError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Entry {
            app_version: String,
            description: String,
            deprecated: bool,
            urls: Option<Vec<String>>,
        }
        let entry: Entry = serde_json::from_slice(&version.json)
            .map_err(|error| ApiError::Internal(error.into()))?;
        let url = entry.urls.unwrap_or_default().into_iter().next();
        Ok(Self {
            title: format!("{}-{}", version.name, version.version_text),
            link: url.and_then(|url| link(url, base)),
            app_version: shorten(entry.app_version, LONGEST_VERSION),
            description: shorten(entry.description, LONGEST_DESCRIPTION),
            is_deprecated: entry.deprecated,
        })
    }
}

/// Returns a link to a URL of the web, or to one that is relative to the repository; none to a script.
fn link(url: String, base: &str) -> Option<String> {
    match url::Url::parse(&url) {
        Ok(absolute) => matches!(absolute.scheme(), "http" | "https").then_some(url),
        Err(url::ParseError::RelativeUrlWithoutBase) => Some(relative(base, &url)),
        Err(_) => None,
    }
}

/// The dot keeps `a:b` from being taken for a scheme and what is of it.
fn relative(base: &str, path: &str) -> String {
    let slash = if base.is_empty() { "" } else { "/" };
    format!("./{base}{slash}{path}")
}

fn shorten(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
