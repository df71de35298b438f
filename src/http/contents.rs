//! What is inside a chart: its templates and its default values.
//!
//! The archive is read for each request, piece by piece; it is found by what the index knows of the file,
//! never by a URL. What it holds is in memory until the client has taken it: see [`ReplyRoom`].

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartroom_storage::StorageError;
use futures_util::TryStreamExt;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::audit::About;
use super::charts::{find_version, look, named};
use super::error::ApiError;
use super::extract::{AtLeast, Captures, LookSlot, Reading};
use super::reply;
use super::reply_room::ReplyRoom;
use crate::chart::archive::{self, ArchiveError, Contents};
use crate::chart::limits::Limits;
use crate::chart::name::FileName;
use crate::chart::values;
use crate::index::json_writer::{write_text, write_yaml};
use crate::repository::{Chunks, Found, Reader, RepositoryError};

/// `GET /api/charts/{name}/{version}/templates`: the files below `templates/` in base64, and the
/// default values as JSON.
pub(super) async fn templates(
    _slot: LookSlot,
    Reading(repository): Reading,
    State(room): State<ReplyRoom>,
    Captures((name, wanted)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&wanted)));
    let (generation, archive) = read(&repository, generation, &name, &wanted).await?;
    let json = in_background(move || to_json(&open(archive)?)).await?;
    let response = reply::json_text(StatusCode::OK, json);
    let response = reply::at_generation(response, generation);
    room.keep(reply::for_method(&method, response)).await
}

/// `GET /api/charts/{name}/{version}/values`: `values.yaml` as it is.
pub(super) async fn values(
    _slot: LookSlot,
    Reading(repository): Reading,
    State(room): State<ReplyRoom>,
    Captures((name, wanted)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&wanted)));
    let (generation, archive) = read(&repository, generation, &name, &wanted).await?;
    let values = in_background(move || open(archive)?.values.ok_or(ApiError::NoValues)).await?;
    let length = values.len() as u64;
    let mut response = Response::new(Body::from(values));
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/yaml");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    let response = reply::at_generation(response, generation);
    room.keep(reply::for_method(&method, response)).await
}

/// Opens the archive of a version. Replaced between the look at the index and that at the object, the
/// new one is what the client asked for.
async fn read(
    repository: &Reader,
    at_least: Option<u64>,
    name: &str,
    wanted: &str,
) -> Result<(u64, Chunks), ApiError> {
    let mut tries_left = 1;
    loop {
        let find = |index: &_| find_version(index, name, wanted);
        let (generation, version) = look(repository, at_least, find).await?;
        // The index orders entries by their files.
        let file = FileName::parse(&version.tie).map_err(|_| RepositoryError::NotFound {
            what: version.tie.to_string(),
        })?;
        let found = repository.find(&file).await?;
        match chunks(repository, &found).await {
            Ok(archive) => return Ok((generation, archive)),
            Err(ApiError::Repository(RepositoryError::Changed)) if tries_left > 0 => {
                tries_left -= 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn chunks(repository: &Reader, found: &Found) -> Result<Chunks, ApiError> {
    let most = Limits::default().archive_bytes;
    if usize::try_from(found.size).is_ok_and(|size| size <= most) {
        Ok(repository.read(found, None).await?)
    } else {
        Err(ApiError::TooLargeToShow(most))
    }
}

/// Must be called where it may wait.
fn open(archive: Chunks) -> Result<Contents, ApiError> {
    let mut archive = SyncIoBridge::new(StreamReader::new(archive.map_err(io::Error::other)));
    archive::contents(&mut archive, &Limits::default()).map_err(|error| match error {
        ArchiveError::ExtractedTooLarge(most) => ApiError::TooLargeToShow(most),
        ArchiveError::Io(error) => match error.downcast::<StorageError>() {
            Ok(error) => RepositoryError::from(error).into(),
            Err(error) => ApiError::Internal(error.into()),
        },
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
