//! The list of repositories.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use chartroom_storage::RepositoryPath;
use serde::Serialize;

use super::auth::Viewer;
use super::error::ApiError;
use super::extract::Page;
use super::reply;
use super::settings::{Depth, Settings};
use crate::repository::Repositories;

/// How many repositories one reply lists at most.
const PAGE: usize = 1000;

#[derive(Serialize)]
struct List<'a> {
    repositories: Vec<&'a str>,
    /// Whether there are more after these.
    more: bool,
}

/// `GET /api/repos`: the paths of all repositories that the asker may read, sorted; that of the root is
/// empty.
pub(super) async fn list(
    State(repositories): State<Arc<Repositories>>,
    State(settings): State<Arc<Settings>>,
    viewer: Viewer,
    page: Page,
    method: Method,
) -> Result<Response, ApiError> {
    let depth = match settings.depth {
        Depth::Fixed(depth) => Some(depth),
        Depth::Dynamic => None,
    };
    let found = viewer.show(repositories.list(depth).await?);
    let limit = page.limit.unwrap_or(PAGE).min(PAGE);
    let mut rest = found.paths.iter().skip(page.offset);
    let shown = rest
        .by_ref()
        .take(limit)
        .map(RepositoryPath::as_str)
        .collect();
    let list = List {
        repositories: shown,
        more: rest.next().is_some() || found.is_cut,
    };
    Ok(reply::for_method(
        &method,
        reply::json(StatusCode::OK, &list),
    ))
}
