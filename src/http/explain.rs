//! Why a version is in the index, or why not.

use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::audit::About;
use super::charts::named;
use super::error::ApiError;
use super::extract::{AtLeast, Captures, LookSlot, Reading};
use super::reply;

/// `GET /api/explain/{name}/{version}`: 200 whether the version is listed or not.
pub(super) async fn explain(
    _slot: LookSlot,
    Reading(repository): Reading,
    Captures((name, version)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&version)));
    if generation.is_some() {
        // Fails if it is not there yet; what follows is no older.
        repository.current(generation).await?;
    }
    let explanation = repository.explain(&name, &version).await?;
    let mut response = reply::json(StatusCode::OK, &explanation);
    if let Some(generation) = explanation.generation {
        response = reply::at_generation(response, generation);
    }
    Ok(reply::for_method(&method, response))
}
