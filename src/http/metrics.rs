//! `/metrics`, for Prometheus.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;

use super::encoding::quality;
use super::error::ApiError;
use super::reply;
use crate::metrics::exposition::{Exposition, Format};

/// `GET /metrics`: as in ChartMuseum without credentials, and not below the context path.
pub(super) async fn metrics(
    State(exposition): State<Arc<Exposition>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let format = format(&headers);
    let text = tokio::task::spawn_blocking(move || exposition.write(format))
        .await
        .map_err(|error| ApiError::Internal(error.into()))?
        .map_err(|error| ApiError::Internal(error.into()))?;
    let length = text.len() as u64;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static(match format {
        Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    });
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    Ok(reply::for_method(&method, response))
}

/// ChartMuseum has the text format only. So it is sent to everybody who takes it, as Prometheus does,
/// whatever they like better: the series would not be quite the same. OpenMetrics is for those who take
/// nothing else.
fn format(headers: &HeaderMap) -> Format {
    let mut takes_text = false;
    let mut takes_openmetrics = false;
    for value in headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { continue };
        for range in value.split(',') {
            let (name, quality) = quality(range);
            match name.to_ascii_lowercase().as_str() {
                "text/plain" | "text/*" | "*/*" => takes_text |= quality > 0,
                "application/openmetrics-text" => takes_openmetrics |= quality > 0,
                _ => {}
            }
        }
    }
    if takes_openmetrics && !takes_text {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_take_nothing_else() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,\
            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, expected) in [
            (prometheus, Format::Text),
            ("*/*", Format::Text),
            ("text/html", Format::Text),
            (
                "application/openmetrics-text;version=1.0.0",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text, text/*;q=0",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;q=0", Format::Text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(format(&headers), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Text);
    }
}
