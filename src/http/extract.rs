//! What handlers take out of the head of a request. Everything is read into its type here, and what
//! cannot be read is refused in ChartMuseum's words.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, Uri};
use chartroom_storage::RepositoryPath;
use percent_encoding::percent_decode_str;
use tokio::sync::OwnedSemaphorePermit;
use url::form_urlencoded;

use super::auth::Viewer;
use super::error::ApiError;
use super::settings::{Overwriting, Settings};
use super::{App, LookSlots, ReadSlots, UploadSlots, place};
use crate::auth::Verb;
use crate::repository::{Overwrite, Reader};

/// The captures of the path, percent-decoded once: `+` stays, `%2B` becomes `+`, `%252B` becomes
/// `%2B`.
pub(super) struct Captures<T>(pub(super) T);

impl<S: Sync> FromRequestParts<S> for Captures<String> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let [capture] = captures(parts)?;
        Ok(Self(capture))
    }
}

impl<S: Sync> FromRequestParts<S> for Captures<(String, String)> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let [first, second] = captures(parts)?;
        Ok(Self((first, second)))
    }
}

fn captures<const COUNT: usize>(parts: &Parts) -> Result<[String; COUNT], ApiError> {
    let decode = |text: &String| match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(ApiError::BadPath),
    };
    let captures = place(parts)?.captures.iter().map(decode);
    let captures = captures.collect::<Result<Vec<_>, _>>()?;
    // The handler of a row asks for as many as the row has.
    captures.try_into().map_err(|_| ApiError::NoRoute)
}

/// Returns where a request belongs. Without that it did not pass the table of routes.
fn place(parts: &Parts) -> Result<&place::Place, ApiError> {
    let place = parts.extensions.get::<Arc<place::Place>>();
    place.map(AsRef::as_ref).ok_or(ApiError::NoRoute)
}

/// The path of the repository that a request is about.
pub(super) struct Place(pub(super) RepositoryPath);

impl<S: Sync> FromRequestParts<S> for Place {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(place(parts)?.repository.clone()))
    }
}

/// The path of a request as the table of routes has it, without context path and repository.
pub(super) struct Below(pub(super) String);

impl<S: Sync> FromRequestParts<S> for Below {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(place(parts)?.path()))
    }
}

/// The repository that a request is about, to be read.
pub(super) struct Reading(pub(super) Reader);

impl FromRequestParts<App> for Reading {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let path = &place(parts)?.repository;
        Ok(Self(app.shared.repositories.reader(path).await?))
    }
}

/// The generation that the reply has to be made at or after, from `X-Chartroom-Min-Generation`: what
/// an upload's reply said, so that a client reads what it wrote, from any replica.
pub(super) struct AtLeast(pub(super) Option<u64>);

/// Its header.
pub(super) const MIN_GENERATION: HeaderName = HeaderName::from_static("x-chartroom-min-generation");

impl<S: Sync> FromRequestParts<S> for AtLeast {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(MIN_GENERATION) else {
            return Ok(Self(None));
        };
        let number = value.to_str().ok().and_then(|text| text.parse().ok());
        number
            .map(|number| Self(Some(number)))
            .ok_or(ApiError::BadGeneration)
    }
}

/// The part of a list that is asked for, in names of charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let offset = match parameter(&parts.uri, "offset") {
            None => 0,
            Some(text) => match text.parse() {
                Ok(offset) => offset,
                Err(_) => {
                    return Err(ApiError::BadQuery(
                        "offset is not a valid non-negative integer",
                    ));
                }
            },
        };
        let limit = match parameter(&parts.uri, "limit") {
            None => None,
            Some(text) => match text.parse() {
                Ok(limit) if limit > 0 => Some(limit),
                _ => return Err(ApiError::BadQuery("limit is not a valid positive integer")),
            },
        };
        Ok(Self { offset, limit })
    }
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Tells whether an upload asks to replace what exists, and the settings let it. As in ChartMuseum the
/// presence of `force` counts, not its value: helm's cm-push sends a bare `?force`.
pub(super) fn forces(uri: &Uri, settings: &Settings) -> bool {
    settings.overwriting != Overwriting::Never && parameter(uri, "force").is_some()
}

/// Whether an upload may replace what exists. Who asks for it has the right to overwrite, or did not
/// come here; who does not ask, where `--allow-overwrite` is on, adds versions without it.
pub(super) struct Force(pub(super) Overwrite);

impl<S: Sync> FromRequestParts<S> for Force
where
    Arc<Settings>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let settings = Arc::<Settings>::from_ref(state);
        let is_wanted =
            settings.overwriting == Overwriting::Always || forces(&parts.uri, &settings);
        if !is_wanted {
            return Ok(Self(Overwrite::Forbid));
        }
        let viewer = Viewer::from_request_parts(parts, state).await?;
        let Place(path) = Place::from_request_parts(parts, state).await?;
        Ok(Self(if viewer.may(Verb::Overwrite, &path) {
            Overwrite::Allow
        } else {
            Overwrite::Forbid
        }))
    }
}

/// The right to hold one upload in memory. It is taken before anything of the body is read, and is
/// refused rather than waited for: a waiting client would hold its connection.
pub(super) struct UploadSlot {
    _permit: OwnedSemaphorePermit,
    /// Where its archive waits to be read.
    pub(super) readers: ReadSlots,
}

impl FromRequestParts<App> for UploadSlot {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let UploadSlots { free, metrics } = UploadSlots::from_ref(app);
        let Ok(permit) = free.try_acquire_owned() else {
            metrics.upload_refused();
            return Err(ApiError::TooManyUploads);
        };
        Ok(Self {
            _permit: permit,
            readers: ReadSlots::from_ref(app),
        })
    }
}

/// How long a request waits until others that look into archives are done.
const PATIENCE: Duration = Duration::from_secs(10);

/// The right to hold one archive and what is unpacked of it in memory.
pub(super) struct LookSlot {
    _permit: OwnedSemaphorePermit,
}

impl FromRequestParts<App> for LookSlot {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let LookSlots(slots) = LookSlots::from_ref(app);
        match tokio::time::timeout(PATIENCE, slots.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Self { _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(ApiError::TooManyLooks),
        }
    }
}
