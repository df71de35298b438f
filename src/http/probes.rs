//! What is asked of the server itself.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::error::ApiError;
use super::reply;
use crate::repository::{Repositories, RepositoryError};

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

/// `GET /ready`: the storage answers and, if there is one repository only, it is loaded.
pub(super) async fn ready(
    State(repositories): State<Arc<Repositories>>,
    method: Method,
) -> Result<Response, ApiError> {
    repositories.ready().await.map_err(|error| match error {
        RepositoryError::Busy { .. } => ApiError::Loading,
        other => other.into(),
    })?;
    let response = reply::json(StatusCode::OK, &Ready { ready: true });
    Ok(reply::for_method(&method, response))
}

/// `GET /info`.
pub(super) async fn info(method: Method) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    let response = reply::json(StatusCode::OK, &Info { version });
    reply::for_method(&method, response)
}

/// `GET /`: how to use this server, for a person with a browser.
pub(super) async fn welcome(method: Method, headers: HeaderMap) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = host.filter(|host| host.parse::<Authority>().is_ok());
    let host = host.unwrap_or("127.0.0.1:8879");
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "chartroom {version}: a Helm chart repository\n\n\
         Add it:\n  helm repo add local http://{host}\n\
         Upload a chart:\n  curl --data-binary @mychart-0.1.0.tgz http://{host}/api/charts\n"
    );
    let length = text.len() as u64;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    reply::for_method(&method, response)
}
