//! Why a version is in the index, or why not.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use tokio::sync::Semaphore;

use super::error::ApiError;
use super::extract::{AtLeast, Captures, Reading};
use super::reply;
use crate::repository::RepositoryError;

/// How many explanations are looked for at the same time: each may read an archive, or many records of a
/// log.
const SLOTS: usize = 2;

/// How long a client waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// The explanations that may be looked for at once.
#[derive(Clone)]
pub(crate) struct ExplanationSlots(Arc<Semaphore>);

impl Default for ExplanationSlots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SLOTS)))
    }
}

/// `GET /api/explain/{name}/{version}`: 200 whether the version is listed or not.
pub(super) async fn explain(
    Reading(repository): Reading,
    Captures((name, version)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    State(ExplanationSlots(slots)): State<ExplanationSlots>,
    method: Method,
) -> Result<Response, ApiError> {
    let Ok(_slot) = tokio::time::timeout(PATIENCE, slots.acquire()).await else {
        return Err(ApiError::Repository(RepositoryError::Busy {
            retry_after: PATIENCE,
            reason: "too many explanations are being looked for".to_owned(),
        }));
    };
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
