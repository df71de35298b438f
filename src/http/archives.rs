//! Downloads of archives and provenance files.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use headers::{ETag, HeaderMapExt, LastModified};

use super::audit::About;
use super::conditional::{Outcome, Validators, evaluate_with_range};
use super::error::ApiError;
use super::extract::{AtLeast, Captures, Reading};
use super::{body, reply};
use crate::audit::Subject;
use crate::chart::name::FileName;
use crate::repository::{Found, Reader, RepositoryError};

/// `GET /charts/{file}`. Never with Content-Encoding: an archive is gzip as it is, and clients would
/// unpack it (helm#2916).
pub(super) async fn archive(
    Reading(repository): Reading,
    Captures(file): Captures<String>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let file = file_name(&file)?;
    if generation.is_some() {
        repository.current(generation).await?;
    }
    let mut tries_left = 1;
    loop {
        let found = repository.find(&file).await;
        about.say(|| subject(&repository, &file));
        let found = found?;
        match answer(&repository, &file, &found, &method, &headers).await {
            // Replaced between the two looks at it: the new one is what the client asked for.
            Err(ApiError::Repository(RepositoryError::Changed)) if tries_left > 0 => {
                tries_left -= 1;
            }
            answered => return answered,
        }
    }
}

/// What the audit log says of a download.
fn subject(repository: &Reader, file: &FileName) -> Subject {
    let view = repository.repository().map(|it| it.latest_known());
    let listed = view.and_then(|view| view.listed(&file.archive()));
    let subject = listed.map(|listed| Subject {
        chart: Some(listed.chart),
        version: Some(listed.version),
        digest: Some(listed.digest.to_string()),
        file: None,
    });
    Subject {
        file: Some(file.as_str().to_owned()),
        ..subject.unwrap_or_default()
    }
}

fn file_name(text: &str) -> Result<FileName, ApiError> {
    let archive = text.strip_suffix(".prov").unwrap_or(text);
    if archive.strip_suffix(".tgz").is_none() {
        return Err(ApiError::UnsupportedExtension);
    }
    let not_found = |_| RepositoryError::NotFound {
        what: text.to_owned(),
    };
    Ok(FileName::parse(text).map_err(not_found)?)
}

async fn answer(
    repository: &Reader,
    file: &FileName,
    found: &Found,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let validators = validators(found)?;
    let mut response = match evaluate_with_range(method, headers, &validators, found.size) {
        Outcome::PreconditionFailed => return Err(ApiError::PreconditionFailed),
        Outcome::Unsatisfiable => return Err(ApiError::RangeNotSatisfiable(found.size)),
        Outcome::NotModified => status(StatusCode::NOT_MODIFIED),
        Outcome::Whole if method == Method::HEAD => with_length(Body::empty(), file, found.size),
        Outcome::Whole => {
            let stream = repository.read(found, None).await?;
            with_length(body::stored(stream, found.size), file, found.size)
        }
        Outcome::Part(range) => part(repository, file, found, range).await?,
    };
    let headers = response.headers_mut();
    headers.typed_insert(validators.etag);
    if let Some(last_modified) = validators.last_modified {
        headers.typed_insert(last_modified);
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    Ok(response)
}

fn validators(found: &Found) -> Result<Validators, ApiError> {
    let etag = format!("\"{}\"", found.entity_tag).parse::<ETag>();
    let etag = etag.map_err(|error| ApiError::Internal(error.into()))?;
    let last_modified = Some(LastModified::from(std::time::SystemTime::from(
        found.modified,
    )));
    Ok(Validators {
        etag,
        last_modified,
    })
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn with_length(body: Body, file: &FileName, length: u64) -> Response {
    let media_type = if file.is_provenance() {
        "application/pgp-signature"
    } else {
        "application/x-tar"
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, length.into());
    response
}

async fn part(
    repository: &Reader,
    file: &FileName,
    found: &Found,
    range: Range<u64>,
) -> Result<Response, ApiError> {
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{}", range.start, range.end - 1, found.size);
    let stream = repository.read(found, Some(range)).await?;
    let mut response = with_length(body::stored(stream, length), file, length);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_RANGE, reply::header_value(&content_range)?);
    Ok(response)
}
