//! Pages for people with a browser, as `helm serve` had one. What a chart says of itself is written by
//! strangers: the templates escape it, and the policy forbids whatever might slip through.

mod address;
mod render;

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartroom_storage::RepositoryPath;
use sha2::{Digest as _, Sha256};

use self::address::Address;
use super::auth::Viewer;
use super::error::ApiError;
use super::extract::{AtLeast, Below, Page, Place};
use super::reply;
use super::settings::{Depth, Settings};
use crate::repository::{Paths, Repositories};

/// `GET /` and `GET /charts/`: the charts of a repository, or the repositories of a server that has
/// several.
#[expect(
    clippy::too_many_arguments,
    reason = "they are what it takes of a request"
)]
pub(super) async fn page(
    State(repositories): State<Arc<Repositories>>,
    State(settings): State<Arc<Settings>>,
    Place(path): Place,
    viewer: Viewer,
    AtLeast(generation): AtLeast,
    Page { offset, .. }: Page,
    Below(below): Below,
    request: Request,
) -> Result<Response, ApiError> {
    let base = address::link_base(request.uri().path()).to_owned();
    let beside = viewer.show(beside(&repositories, settings.depth, &path).await?);
    if path.is_root() && !matches!(settings.depth, Depth::Fixed(0) | Depth::Dynamic) {
        let page = render::repositories(&beside, &base, offset)?;
        return Ok(reply::for_method(request.method(), html(page)?));
    }
    let view = repositories
        .reader(&path)
        .await?
        .current(generation)
        .await?;
    let address = Address::of(&request, &below, &settings, &path, view.url_base());
    let generation = view.generation;
    // Up to a megabyte of text.
    let task = tokio::task::spawn_blocking(move || {
        let generated = (generation > 0).then_some(view.generated);
        render::repository(&view.index, generated, &address, &beside, &base, offset)
    });
    let page = task
        .await
        .map_err(|error| ApiError::Internal(error.into()))??;
    let response = reply::at_generation(html(page)?, generation);
    Ok(reply::for_method(request.method(), response))
}

/// Returns the repositories that are shown on the root's page.
async fn beside(
    repositories: &Repositories,
    depth: Depth,
    path: &RepositoryPath,
) -> Result<Paths, ApiError> {
    let depth = match depth {
        Depth::Fixed(0) => return Ok(Paths::default()),
        _ if !path.is_root() => return Ok(Paths::default()),
        Depth::Fixed(depth) => Some(depth),
        Depth::Dynamic => None,
    };
    let mut found = repositories.list(depth).await?;
    // The page itself.
    found.paths.retain(|path| !path.is_root());
    Ok(found)
}

/// Nothing but the page's own style.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(render::STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// Returns a reply with a page.
fn html(page: String) -> Result<Response, ApiError> {
    let length = page.len() as u64;
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = reply::header_value(&POLICY)?;
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    Ok(response)
}

#[cfg(test)]
mod tests;
