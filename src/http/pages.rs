//! Pages for people with a browser, as `helm serve` had one. What a chart says of itself is written by
//! strangers: the templates escape it, and the policy forbids whatever might slip through.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartroom_storage::RepositoryPath;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::error::ApiError;
use super::reply;
use crate::index::{Index, VersionRef};

/// How many charts, or repositories, stand on one page.
const PER_PAGE: usize = 500;

/// How much of a text of a chart is shown, in characters.
const LONGEST_DESCRIPTION: usize = 400;
const LONGEST_VERSION: usize = 80;

const STYLE: &str = include_str!("pages/style.css");

/// Nothing but the page's own style.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// Everything but what RFC 3986 section 2.3 never wants escaped, and the slashes between segments.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

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
    /// Empty for the root repository.
    name: &'a str,
    /// What a person may call it.
    alias: &'a str,
    /// Its URL, for helm.
    url: &'a str,
    charts: Vec<ChartRow>,
    slice: Slice,
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

/// Writes the page of a repository. `url` is its URL; the page's own links are relative to a path
/// that ends with a slash.
fn repository_page(
    index: &Index,
    generated: Option<DateTime<Utc>>,
    path: &RepositoryPath,
    url: &str,
    offset: usize,
) -> Result<String, ApiError> {
    let latest = index.latest(offset, PER_PAGE);
    let charts: Result<Vec<ChartRow>, ApiError> = latest.iter().map(ChartRow::of).collect();
    let page = RepositoryPage {
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        name: path.as_str(),
        alias: path.segments().last().unwrap_or("local"),
        url,
        charts: charts?,
        slice: Slice::of(index.charts(), offset),
        generated: generated.map(|time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
    };
    render(&page)
}

/// Writes the page that lists repositories.
fn repositories_page(
    paths: &[RepositoryPath],
    is_cut: bool,
    offset: usize,
) -> Result<String, ApiError> {
    let repositories = paths.iter().skip(offset).take(PER_PAGE);
    let page = RepositoriesPage {
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
        repositories: repositories.map(RepositoryRow::of).collect(),
        slice: Slice::of(paths.len(), offset),
        is_cut,
    };
    render(&page)
}

fn render(page: &impl Template) -> Result<String, ApiError> {
    page.render()
        .map_err(|error| ApiError::Internal(error.into()))
}

impl ChartRow {
    fn of(version: &VersionRef) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[derive(Default)]
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
            link: url.filter(|url| is_link(url)),
            app_version: shorten(entry.app_version, LONGEST_VERSION),
            description: shorten(entry.description, LONGEST_DESCRIPTION),
            is_deprecated: entry.deprecated,
        })
    }
}

impl<'a> RepositoryRow<'a> {
    fn of(path: &'a RepositoryPath) -> Self {
        if path.is_root() {
            return Self {
                name: "the root repository",
                link: "charts/".to_owned(),
            };
        }
        let escaped = utf8_percent_encode(path.as_str(), ESCAPED);
        Self {
            name: path.as_str(),
            // The dot keeps `a:b` from being taken for a URL of its own.
            link: format!("./{escaped}/"),
        }
    }
}

/// A URL of the web, or one relative to the page: not a script.
fn is_link(url: &str) -> bool {
    match url::Url::parse(url) {
        Ok(absolute) => matches!(absolute.scheme(), "http" | "https"),
        Err(error) => error == url::ParseError::RelativeUrlWithoutBase,
    }
}

fn shorten(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// Returns a reply with a page.
fn html(page: String) -> Result<Response, ApiError> {
    let length = page.len() as u64;
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        reply::header_value(&POLICY)?,
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests;
