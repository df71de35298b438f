//! The file by which Artifact Hub knows who owns a repository.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;

use super::error::ApiError;
use super::extract::Place;
use super::reply;
use super::settings::Settings;
use crate::index::yaml_line;

/// `GET /artifacthub-repo.yml`: the id of the repository, if one is configured.
pub(super) async fn owner(
    State(settings): State<Arc<Settings>>,
    Place(path): Place,
    method: Method,
) -> Result<Response, ApiError> {
    let id = settings.artifact_hub_ids.get(&path);
    let id = id.ok_or(ApiError::NoArtifactHubId)?;
    let text = yaml_line("repositoryID", id);
    let length = text.len() as u64;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/x-yaml");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    Ok(reply::for_method(&method, response))
}
