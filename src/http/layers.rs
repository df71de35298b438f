//! What is around every route.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use uuid::Uuid;

use super::cors::{self, Cors};
use super::error::{ApiError, Failure};
use super::extract::Place;
use super::reply::{GENERATION, STALE};
use super::served::{self, Observers};
use crate::repository::Repositories;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_REQUEST_ID: usize = 128;

/// The name that a request has in the log, in its reply and in the body of a failure.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) Arc<str>);

/// Puts the layers around `router`, innermost first.
///
/// Limits and deadlines of bodies, and the cap of uploads, are not layers: they belong to the two
/// routes that read bodies, and the extractor and the stream there refuse with the same errors as
/// everything else ([`super::extract::UploadSlot`], [`super::incoming`]).
pub(super) fn around(router: Router, cors: Cors, observers: Observers) -> Router {
    router
        // Innermost, so that a reply after a panic passes all the others.
        .layer(from_fn(catch_panic))
        // Writes the bodies of all failures: those of handlers, of extractors, of unknown paths and of
        // panics. Inside the log, which counts their bytes.
        .layer(from_fn(write_failure))
        // Around all that can fail, so that pages of other origins can read failures, too.
        .layer(from_fn_with_state(Arc::new(cors), cors::layer))
        // Sees the status that the client sees.
        .layer(from_fn_with_state(observers, served::layer))
        // Outermost: all the others use the id.
        .layer(from_fn(identify))
}

/// Takes over the client's id or makes one, and sends it back on every reply.
async fn identify(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID);
    let given = given
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane(id));
    let id: Arc<str> = match given {
        Some(id) => id.into(),
        None => Uuid::new_v4().to_string().into(),
    };
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
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
async fn write_failure(request: Request, next: Next) -> Response {
    let id = id_of(&request);
    let is_head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
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
async fn catch_panic(request: Request, next: Next) -> Response {
    let id = id_of(&request);
    let result = AssertUnwindSafe(next.run(request)).catch_unwind().await;
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
pub(super) async fn generation(
    State(repositories): State<Arc<Repositories>>,
    Place(path): Place,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let Some(repository) = repositories.loaded(&path) else {
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
    use crate::http::access_log::AccessLog;
    use crate::http::settings::Settings;
    use crate::metrics::Metrics;
    use tower::ServiceExt;

    async fn panicking() {
        panic!("secret");
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_names_the_request() {
        let router = Router::new().route("/", axum::routing::get(panicking));
        let request = Request::builder().header(&REQUEST_ID, "the-id");
        let request = request.body(Body::empty()).unwrap();
        let settings = Settings::default();
        let observers = Observers {
            log: AccessLog::new(&settings),
            metrics: Metrics::new("127.0.0.1:8879".parse().unwrap(), 1),
        };
        let response = around(router, Cors::from(&settings), observers)
            .oneshot(request)
            .await
            .unwrap();
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
