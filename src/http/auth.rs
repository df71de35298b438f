//! The check of rights before a route.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::extract::Place;
use super::layers::id_of;
use super::routes::Endpoint;
use crate::auth::{Auth, Verb};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Those who have the right to do this.
    Needs(Verb),
}

impl Endpoint {
    /// Tells who may use it. Open is what ChartMuseum never protects: probes, metrics and the version.
    pub fn access(self) -> Access {
        match self {
            Self::Health | Self::Ready | Self::Metrics | Self::Info => Access::Open,
            Self::Page
            | Self::ListRepositories
            | Self::Index
            | Self::ArtifactHub
            | Self::Archive
            | Self::ListCharts
            | Self::Chart
            | Self::Version
            | Self::Templates
            | Self::Values
            | Self::Explain => Access::Needs(Verb::Pull),
            Self::Upload | Self::UploadProvenance => Access::Needs(Verb::Push),
            Self::Delete => Access::Needs(Verb::Delete),
        }
    }
}

/// The check before one route.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) auth: Arc<Auth>,
    pub(super) verb: Verb,
}

/// Refuses those who may not, before anything of a body is read or a repository is looked for: an
/// unknown repository and a forbidden one look the same. Notes who the others are.
pub(super) async fn check(
    State(Guard { auth, verb }): State<Guard>,
    Place(repository): Place,
    mut request: Request,
    next: Next,
) -> Response {
    let credentials = request.headers().get(AUTHORIZATION);
    match auth.authorize(credentials, verb, &repository) {
        Ok(identity) => {
            request.extensions_mut().insert(identity.clone());
            let mut response = next.run(request).await;
            response.extensions_mut().insert(identity);
            response
        }
        Err(challenge) => {
            tracing::debug!(
                request.id = &*id_of(&request),
                repository = repository.as_str(),
                action = verb.action(),
                "unauthorized: {}",
                challenge.refusal()
            );
            let has_body = !request.body().is_end_stream();
            ApiError::Unauthorized {
                challenge,
                has_body,
            }
            .into_response()
        }
    }
}
