//! Doors for the fuzz targets: what they call is private otherwise.

use std::convert::Infallible;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use futures_util::stream;

use super::form::{self, Fields};
use super::incoming::Incoming;
use super::place::{self, Row};
use super::routes::ROUTES;
use super::settings::{ContextPath, Depth, Settings};
use chartroom_storage::RepositoryPath;

/// Where a path belongs: the repository, the rest of the path, and the pattern of the row that fits.
pub type Place = (RepositoryPath, String, &'static str);

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| ROUTES.iter().map(Row::from).collect());

/// Finds the place of a path.
pub fn place(
    context_path: &ContextPath,
    depth: Depth,
    method: &Method,
    path: &str,
) -> Option<Place> {
    let place = place::find(&ROWS, context_path, depth, method, path)?;
    Some((place.repository.clone(), place.path(), place.pattern))
}

/// The files of a form: the chart and its provenance.
pub type Files = (Option<Bytes>, Option<Bytes>);

/// Reads a form that arrives in `chunks`.
///
/// # Errors
/// With the reply's debug text.
pub async fn form(
    content_type: &str,
    chunks: Vec<Bytes>,
    settings: &Settings,
) -> Result<Files, String> {
    let body = Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)));
    let body = Incoming::start(body, settings).map_err(|error| format!("{error:?}"))?;
    let form = form::read(content_type, body, Fields::from(settings))
        .await
        .map_err(|error| format!("{error:?}"))?;
    Ok((form.chart, form.provenance))
}
