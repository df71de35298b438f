//! What is inside a chart: its templates and its default values.
//!
//! The archive is read for each request; it is found by what the index knows of the file, never by a
//! URL.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::audit::About;
use super::charts::{find_version, look, named};
use super::error::ApiError;
use super::extract::{AtLeast, Captures, LookSlot, Reading};
use super::reply;
use crate::chart::archive::{self, ArchiveError, Contents};
use crate::chart::limits::Limits;
use crate::chart::name::FileName;
use crate::chart::values;
use crate::index::json_writer::{write_text, write_yaml};
use crate::repository::{Found, Reader, RepositoryError};

/// `GET /api/charts/{name}/{version}/templates`: the files below `templates/` in base64, and the
/// default values as JSON.
pub(super) async fn templates(
    _slot: LookSlot,
    Reading(repository): Reading,
    Captures((name, wanted)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&wanted)));
    let (generation, archive) = read(&repository, generation, &name, &wanted).await?;
    let json = in_background(move || to_json(&open(&archive)?)).await?;
    let response = reply::json_text(StatusCode::OK, json);
    let response = reply::at_generation(response, generation);
    Ok(reply::for_method(&method, response))
}

/// `GET /api/charts/{name}/{version}/values`: `values.yaml` as it is.
pub(super) async fn values(
    _slot: LookSlot,
    Reading(repository): Reading,
    Captures((name, wanted)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&wanted)));
    let (generation, archive) = read(&repository, generation, &name, &wanted).await?;
    let values = in_background(move || open(&archive)?.values.ok_or(ApiError::NoValues)).await?;
    let length = values.len() as u64;
    let mut response = Response::new(Body::from(values));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/yaml");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    let response = reply::at_generation(response, generation);
    Ok(reply::for_method(&method, response))
}

/// Reads the archive of a version. Replaced between the look at the index and that at the object, the
/// new one is what the client asked for.
async fn read(
    repository: &Reader,
    at_least: Option<u64>,
    name: &str,
    wanted: &str,
) -> Result<(u64, Bytes), ApiError> {
    let mut tries_left = 1;
    loop {
        let find = |index: &_| find_version(index, name, wanted);
        let (generation, version) = look(repository, at_least, find).await?;
        // The index orders entries by their files.
        let file = FileName::parse(&version.tie).map_err(|_| RepositoryError::NotFound {
            what: version.tie.to_string(),
        })?;
        let found = repository.find(&file).await?;
        match whole(repository, &found).await {
            Ok(archive) => return Ok((generation, archive)),
            Err(ApiError::Repository(RepositoryError::Changed)) if tries_left > 0 => {
                tries_left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn whole(repository: &Reader, found: &Found) -> Result<Bytes, ApiError> {
    let most = Limits::default().archive_bytes;
    let size = usize::try_from(found.size)
        .ok()
        .filter(|size| *size <= most);
    let size = size.ok_or(ApiError::TooLargeToShow(most))?;
    let mut chunks = repository.read(found, None).await?;
    let mut archive = BytesMut::with_capacity(size);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(RepositoryError::from)?;
        if archive.len() + chunk.len() > size {
            return Err(RepositoryError::Changed.into());
        }
        archive.extend_from_slice(&chunk);
    }
    Ok(archive.freeze())
}

fn open(archive: &[u8]) -> Result<Contents, ApiError> {
    archive::contents(archive, &Limits::default()).map_err(|error| match error {
        ArchiveError::ExtractedTooLarge(most) => ApiError::TooLargeToShow(most),
        // It is in the index, and so was readable once.
        error => ApiError::Internal(error.into()),
    })
}

/// ChartMuseum's object, with Go's `null` for a list or a map that was never made.
fn to_json(contents: &Contents) -> Result<String, ApiError> {
    let mut json = b"{\"templates\":".to_vec();
    if contents.templates.is_empty() {
        json.extend_from_slice(b"null");
    } else {
        for (position, (name, content)) in contents.templates.iter().enumerate() {
            json.extend_from_slice(if position == 0 { b"[{" } else { b",{" });
            json.extend_from_slice(b"\"name\":");
            write_text(name, &mut json);
            json.extend_from_slice(b",\"data\":\"");
            json.extend_from_slice(STANDARD.encode(content).as_bytes());
            json.extend_from_slice(b"\"}");
        }
        json.push(b']');
    }
    json.extend_from_slice(b",\"values\":");
    match &contents.values {
        None => json.extend_from_slice(b"null"),
        Some(bytes) => {
            let document =
                values::read(bytes).map_err(|problem| ApiError::Internal(problem.into()))?;
            write_yaml(&document, &mut json);
        }
    }
    json.push(b'}');
    String::from_utf8(json).map_err(|error| ApiError::Internal(error.into()))
}

/// Unpacking takes its time.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ApiError::Internal(error.into()))?
}
