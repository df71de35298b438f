//! Uploads of charts and provenance files.
//!
//! # Cancellation
//! A client that goes away while its body is read leaves nothing behind. [`Repository::publish`] goes
//! on to its end without it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

use super::error::ApiError;
use super::extract::{Force, UploadSlot};
use super::form;
use super::incoming::Incoming;
use super::settings::Settings;
use super::{mistakes, reply};
use crate::chart::archive::{self, Acceptance, ChartArchive};
use crate::chart::limits::Limits;
use crate::chart::name::FileName;
use crate::chart::provenance::Provenance;
use crate::repository::{Committed, Overwrite, Repository, RepositoryError, Upload};

#[derive(Serialize)]
struct Saved {
    saved: bool,
}

fn saved(committed: Committed) -> Response {
    let response = reply::json(StatusCode::CREATED, &Saved { saved: true });
    reply::at_generation(response, committed.generation)
}

/// `POST /api/charts`: an archive as it is, or a form with the files `chart` and `prov`.
pub(super) async fn upload(
    _slot: UploadSlot,
    State(repository): State<Arc<Repository>>,
    State(settings): State<Arc<Settings>>,
    Force(overwrite): Force,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let body = Incoming::start(body, &settings)?;
    let committed = if let Some(content_type) = form_type(&headers) {
        let form = form::read(content_type, body).await?;
        publish_form(&repository, &headers, form, overwrite).await?
    } else {
        let (bytes, chart) = read_archive(&headers, body.whole().await?).await?;
        repository
            .publish(to_publish(bytes, chart, None, overwrite))
            .await?
    };
    Ok(saved(committed))
}

/// `POST /api/prov`: a provenance file as it is.
pub(super) async fn provenance(
    _slot: UploadSlot,
    State(repository): State<Arc<Repository>>,
    State(settings): State<Arc<Settings>>,
    Force(overwrite): Force,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = Incoming::start(body, &settings)?.whole().await?;
    let file = read_provenance(&bytes)?;
    let committed = repository
        .publish_provenance(&file, bytes, overwrite)
        .await?;
    Ok(saved(committed))
}

/// Returns the media type of a form. Anything else is an archive: scripts send it with every type,
/// curl's default for forms that are none included.
fn form_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type
        .eq_ignore_ascii_case("multipart/form-data")
        .then_some(value)
}

async fn publish_form(
    repository: &Repository,
    headers: &HeaderMap,
    form: form::Form,
    overwrite: Overwrite,
) -> Result<Committed, ApiError> {
    let named = match &form.provenance {
        Some(bytes) => Some(read_provenance(bytes)?),
        None => None,
    };
    let result = match (form.chart, form.provenance, named) {
        (Some(bytes), provenance, named) => {
            let (bytes, chart) = read_archive(headers, bytes).await?;
            same_chart(&chart, named.as_ref())?;
            repository
                .publish(to_publish(bytes, chart, provenance, overwrite))
                .await
        }
        (None, Some(bytes), Some(file)) => {
            repository.publish_provenance(&file, bytes, overwrite).await
        }
        (None, ..) => return Err(ApiError::BadFileName(String::new())),
    };
    result.map_err(|error| match error {
        RepositoryError::AlreadyExists {
            existing, uploaded, ..
        } => ApiError::ChartExists { existing, uploaded },
        other => other.into(),
    })
}

fn to_publish(
    archive: Bytes,
    chart: ChartArchive,
    provenance: Option<Bytes>,
    overwrite: Overwrite,
) -> Upload {
    let ChartArchive {
        metadata, digest, ..
    } = chart;
    Upload {
        archive,
        metadata,
        digest,
        provenance,
        overwrite,
    }
}

/// Reads an archive where it may take its time.
async fn read_archive(
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<(Bytes, ChartArchive), ApiError> {
    let task = tokio::task::spawn_blocking(move || {
        let chart = archive::read(&bytes, &Limits::default(), Acceptance::Upload);
        (bytes, chart)
    });
    let (bytes, chart) = task
        .await
        .map_err(|error| ApiError::Internal(error.into()))?;
    match chart {
        Ok(chart) => Ok((bytes, chart)),
        Err(error) => {
            let advice = mistakes::in_archive(headers, &bytes);
            Err(ApiError::Archive { error, advice })
        }
    }
}

fn read_provenance(bytes: &[u8]) -> Result<FileName, ApiError> {
    let provenance = Provenance::parse(bytes).map_err(|error| {
        let advice = mistakes::in_provenance(bytes);
        ApiError::Provenance { error, advice }
    })?;
    let file = format!("{}-{}.tgz.prov", provenance.name, provenance.version);
    FileName::parse(&file).map_err(|_| ApiError::BadFileName(file))
}

/// Stored beside a chart that it does not sign, a provenance file would fail every `helm pull
/// --verify`.
fn same_chart(chart: &ChartArchive, provenance: Option<&FileName>) -> Result<(), ApiError> {
    let metadata = &chart.metadata;
    let own = format!("{}-{}.tgz", metadata.name, metadata.version);
    match provenance.map(FileName::archive) {
        Some(other) if other.as_str() != own => Err(ApiError::OtherProvenance {
            chart: own,
            provenance: other.as_str().to_owned(),
        }),
        _ => Ok(()),
    }
}
