//! Replies and their headers.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::error::ApiError;

/// At which generation of the repository a reply was made.
pub(super) const GENERATION: HeaderName = HeaderName::from_static("x-chartroom-generation");

/// How many seconds ago this replica last heard of the store, while the store does not answer.
pub(super) const STALE: HeaderName = HeaderName::from_static("x-chartroom-stale");

/// The media type of ChartMuseum's JSON replies.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Returns a reply with `value` as ChartMuseum writes JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => json_text(status, escape(&text)),
        // Only maps with keys that are no texts fail, and there are none.
        Err(error) => {
            tracing::error!(%error, "a reply could not be written");
            json_text(
                StatusCode::INTERNAL_SERVER_ERROR,
                r#"{"error":"internal server error"}"#.to_owned(),
            )
        }
    }
}

/// Returns a reply with a text that is JSON already.
pub(super) fn json_text(status: StatusCode, text: String) -> Response {
    let length = text.len() as u64;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, NO_CACHE);
    response
}

/// Caches may keep a reply but must ask each time: a new version has to show at once.
pub(super) const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Returns a reply with a streamed JSON body.
pub(super) fn json_body(length: u64, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, NO_CACHE);
    response
}

/// Escapes `<`, `>` and `&` as Go's encoder does; in JSON they can only stand within texts.
pub(super) fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Notes the generation that a reply was made at.
pub(super) fn at_generation(mut response: Response, generation: u64) -> Response {
    response.headers_mut().insert(GENERATION, generation.into());
    response
}

/// Returns the generation that a reply was made at, if it tells.
pub(super) fn generation_of(response: &Response) -> Option<u64> {
    let value = response.headers().get(GENERATION)?;
    value.to_str().ok()?.parse().ok()
}

/// Returns the value of a header that was put together from our own parts.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|error| ApiError::Internal(error.into()))
}

/// Leaves out the body of the reply to a HEAD; the headers, Content-Length too, stay.
pub(super) fn for_method(method: &Method, response: Response) -> Response {
    if method == Method::HEAD {
        return response.map(|_| Body::empty());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_escaped_as_go_escapes_it() {
        let text = serde_json::to_string(&["<a href=\"x\">&\u{2028}\u{2029}é"]).unwrap();
        let expected = r#"["\u003ca href=\"x\"\u003e\u0026\u2028\u2029é"]"#;
        assert_eq!(escape(&text), expected);
    }
}
