//! What is around every route.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use chartroom_storage::RepositoryPath;
use futures_util::FutureExt;
use uuid::Uuid;

use super::cors::{self, Cors};
use super::error::{ApiError, Failure};
use super::reply::{GENERATION, STALE};
use super::served::{self, Observers};
use crate::repository::Repositories;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_REQUEST_ID: usize = 128;

/// The name that a request has in the log, in its reply and in the body of a failure.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) Arc<str>);

/// Answers a request with the layers around what answers it, outermost first. They are functions that
/// call the next one, and not services: a service would be put into a box of its own for each request.
///
/// Limits and deadlines of bodies, and the cap of uploads, are not layers: they belong to the two
/// routes that read bodies, and the extractor and the stream there refuse with the same errors as
/// everything else ([`super::extract::UploadSlot`], [`super::incoming`]).
pub(super) async fn around<F>(
    cors: &Cors,
    observers: &Arc<Observers>,
    request: Request,
    answer: impl Fn(Request) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let answer = &answer;
    // Innermost, so that a reply after a panic passes all the others.
    let caught = move |request| catch_panic(request, answer);
    // Writes the bodies of all failures: those of handlers, of extractors, of unknown paths and of
    // panics. Inside the log, which counts their bytes.
    let written = move |request| write_failure(request, caught);
    // Around all that can fail, so that pages of other origins can read failures, too.
    let shared = move |request| cors::layer(cors, request, written);
    // Sees the status that the client sees.
    let observed = move |request| served::layer(observers, request, shared);
    // Outermost: all the others use the id.
    identify(request, observed).await
}

/// Takes over the client's id or makes one, and sends it back on every reply.
async fn identify<F>(mut request: Request, next: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let given = request.headers().get(&REQUEST_ID);
    let given = given
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane(id));
    let id: Arc<str> = match given {
        Some(id) => id.into(),
        None => fresh_id(),
    };
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let mut response = next(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Nobody has to be unable to guess it: it comes from a generator of the process, and not from the
/// kernel.
fn fresh_id() -> Arc<str> {
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    let mut text = Uuid::encode_buffer();
    (&*id.hyphenated().encode_lower(&mut text)).into()
}

/// An id is repeated in logs and replies: it must not be able to look like more than an id.
fn is_sane(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=LONGEST_REQUEST_ID).contains(&id.len()) && id.bytes().all(is_allowed)
}

pub(super) fn id_of(request: &Request) -> Arc<str> {
    let id = request.extensions().get::<RequestId>();
    id.map_or_else(|| "".into(), |RequestId(id)| Arc::clone(id))
}

/// Turns the failure that a handler left into a reply, and logs its cause.
async fn write_failure<F>(request: Request, next: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let id = id_of(&request);
    let is_head = request.method() == Method::HEAD;
    let mut response = next(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else {
        return response;
    };
    failure.log(&id);
    let mut written = failure.response(&id);
    if let Some(cause) = failure.cause() {
        written.extensions_mut().insert(cause);
    }
    // What other layers added, such as Allow and the generation, stays.
    for (name, value) in response.headers() {
        if !written.headers().contains_key(name) {
            written.headers_mut().insert(name.clone(), value.clone());
        }
    }
    // Who it was, for the log.
    let extensions = std::mem::take(response.extensions_mut());
    written.extensions_mut().extend(extensions);
    if is_head {
        *written.body_mut() = Body::empty();
    }
    written
}

/// A panic costs the one request.
async fn catch_panic<F>(request: Request, next: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let id = id_of(&request);
    let result = AssertUnwindSafe(async { next(request).await })
        .catch_unwind()
        .await;
    result.unwrap_or_else(|panic| {
        tracing::error!(
            request.id = &*id,
            "request panicked: {}",
            message(panic.as_ref())
        );
        ApiError::Panic.into_response()
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message")
}

/// Says on every reply of a repository's routes, failures too, how much of its log this replica knows,
/// and since when it could not look for more.
pub(super) async fn generation<F>(
    repositories: &Repositories,
    path: &RepositoryPath,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let mut response = next(request).await;
    let Some(repository) = repositories.loaded(path) else {
        return response;
    };
    let headers = response.headers_mut();
    if !headers.contains_key(GENERATION) {
        headers.insert(GENERATION, repository.latest_known().generation.into());
    }
    if let Some(age) = repository.stale_for() {
        headers.insert(STALE, age.as_secs().into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::Settings;
    use crate::metrics::Metrics;

    async fn panicking(_: Request) -> Response {
        panic!("secret");
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_names_the_request() {
        let request = Request::builder().header(&REQUEST_ID, "the-id");
        let request = request.body(Body::empty()).unwrap();
        let settings = Settings::default();
        let metrics = Metrics::new("127.0.0.1:8879".parse().unwrap(), 1);
        let observers = Arc::new(Observers::new(&settings, metrics));
        let response = around(&Cors::from(&settings), &observers, request, panicking).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[&REQUEST_ID], "the-id");
        let body = axum::body::to_bytes(response.into_body(), 1000).await;
        let expected = r#"{"error":"internal server error","request_id":"the-id"}"#;
        assert_eq!(body.unwrap(), expected);
    }

    #[test]
    fn ids_that_could_forge_log_lines_are_replaced() {
        let longest = "a".repeat(128);
        for id in ["a", "3f2b-11", "Root=1-67:ab/cd+e=f@g", &longest] {
            assert!(is_sane(id), "{id}");
        }
        let too_long = "a".repeat(129);
        for id in ["", "a b", "a\"b", "a\tb", "é", "<b>", &too_long] {
            assert!(!is_sane(id), "{id}");
        }
    }
}
