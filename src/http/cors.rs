//! Lets pages of another origin read the API.
//!
//! As in ChartMuseum these are the replies below `/api/` except files: a repository may be called `api`.
//! Unlike there the context path does not matter, and errors, which pages have to read too, are not
//! left out.

use std::convert::Infallible;

use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::extract::MIN_GENERATION;
use super::layers::REQUEST_ID;
use super::place;
use super::reply::{GENERATION, STALE};
use super::settings::{ContextPath, Settings};

/// What pages of other origins may do.
#[derive(Clone)]
pub(super) struct Cors {
    context_path: ContextPath,
    /// `None` for nothing.
    layer: Option<CorsLayer>,
}

impl From<&Settings> for Cors {
    fn from(settings: &Settings) -> Self {
        let layer = settings.cors_allow_origin.clone().map(|origin| {
            CorsLayer::new()
                .allow_origin(AllowOrigin::exact(origin))
                .allow_methods([Method::GET, Method::HEAD])
                .allow_headers([header::AUTHORIZATION, MIN_GENERATION, REQUEST_ID])
                .expose_headers([GENERATION, STALE, REQUEST_ID, header::RETRY_AFTER])
                // Every origin gets the same headers.
                .vary([])
        });
        Self {
            context_path: settings.context_path.clone(),
            layer,
        }
    }
}

/// Adds the headers, and answers what browsers ask beforehand. Nobody is authenticated then: browsers
/// send no credentials with such a question.
pub(super) async fn layer<F>(cors: &Cors, request: Request, next: impl Fn(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let is_question = request.method() != Method::OPTIONS
        || request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    match &cors.layer {
        Some(layer)
            if is_question && place::is_of_api(&cors.context_path, request.uri().path()) =>
        {
            let next = service_fn(|request| {
                let answer = next(request);
                async { Ok::<_, Infallible>(answer.await) }
            });
            let is_asked_beforehand = request.method() == Method::OPTIONS;
            match layer.layer(next).oneshot(request).await {
                Ok(mut response) => {
                    if is_asked_beforehand {
                        response
                            .headers_mut()
                            .insert(header::CONTENT_LENGTH, 0.into());
                    }
                    response
                }
                Err(never) => match never {},
            }
        }
        _ => next(request).await,
    }
}
