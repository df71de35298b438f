//! What is asked of the server itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::error::ApiError;
use super::reply;
use crate::repository::Repositories;

#[derive(Serialize)]
struct Health {
    healthy: bool,
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
}

#[derive(Serialize)]
struct Info {
    version: &'static str,
}

/// `GET /health`: the process answers. Nothing else is looked at, so that an outage of the storage
/// does not make an orchestrator restart every replica.
pub(super) async fn health(method: Method) -> Response {
    let response = reply::json(StatusCode::OK, &Health { healthy: true });
    reply::for_method(&method, response)
}

/// `GET /ready`: the storage answers and, if there is one repository only, it is loaded; until then the
/// hint says how far that is.
pub(super) async fn ready(
    State(repositories): State<Arc<Repositories>>,
    method: Method,
) -> Result<Response, ApiError> {
    repositories.ready().await?;
    let response = reply::json(StatusCode::OK, &Ready { ready: true });
    Ok(reply::for_method(&method, response))
}

/// `GET /info`.
pub(super) async fn info(method: Method) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let response = reply::json(StatusCode::OK, &Info { version });
    reply::for_method(&method, response)
}
