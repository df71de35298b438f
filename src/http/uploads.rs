//! Uploads of charts and provenance files.
//!
//! # Cancellation
//! A client that goes away while its body is read leaves nothing behind. [`Repository::publish`](crate::repository::Repository::publish) goes
//! on to its end without it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use chartroom_storage::RepositoryPath;
use serde::Serialize;

use super::audit::About;
use super::error::ApiError;
use super::extract::{Force, Place, UploadSlot};
use super::form;
use super::incoming::Incoming;
use super::settings::Settings;
use super::{mistakes, reply};
use crate::audit::Subject;
use crate::chart::archive::{self, Acceptance, ChartArchive};
use crate::chart::limits::Limits;
use crate::chart::name::FileName;
use crate::chart::provenance::Provenance;
use crate::repository::{Committed, Overwrite, Repositories, RepositoryError, Upload};

#[derive(Serialize)]
struct Saved {
    saved: bool,
}

fn saved(committed: Committed) -> Response {
    let response = reply::json(StatusCode::CREATED, &Saved { saved: true });
    reply::at_generation(response, committed.generation)
}

/// What an upload brings, read and accepted.
enum Parcel {
    Chart(Box<Upload>),
    Provenance(FileName, Bytes),
}

/// `POST /api/charts`: an archive as it is, or a form with the files `chart` and `prov`.
pub(super) async fn upload(
    _slot: UploadSlot,
    State(repositories): State<Arc<Repositories>>,
    Place(path): Place,
    State(settings): State<Arc<Settings>>,
    Force(overwrite): Force,
    about: About,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let body = Incoming::start(body, &settings)?;
    let Some(content_type) = form_type(&headers) else {
        let (bytes, chart) = read_archive(&headers, body.whole().await?).await?;
        about.say(|| subject(&chart));
        let parcel = Parcel::Chart(Box::new(to_publish(bytes, chart, None, overwrite)));
        return Ok(saved(
            publish(&repositories, &path, parcel, overwrite).await?,
        ));
    };
    let form = form::read(content_type, body, settings.as_ref().into()).await?;
    let parcel = read_form(&headers, form, overwrite, &about).await?;
    match publish(&repositories, &path, parcel, overwrite).await {
        Ok(committed) => Ok(saved(committed)),
        Err(RepositoryError::AlreadyExists {
            existing, uploaded, ..
        }) => Err(ApiError::ChartExists { existing, uploaded }),
        Err(error) => Err(error.into()),
    }
}

/// `POST /api/prov`: a provenance file as it is.
pub(super) async fn provenance(
    _slot: UploadSlot,
    State(repositories): State<Arc<Repositories>>,
    Place(path): Place,
    State(settings): State<Arc<Settings>>,
    Force(overwrite): Force,
    about: About,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = Incoming::start(body, &settings)?.whole().await?;
    let (file, signed) = read_provenance(&bytes)?;
    about.say(|| signature(&file, &signed));
    let parcel = Parcel::Provenance(file, bytes);
    Ok(saved(
        publish(&repositories, &path, parcel, overwrite).await?,
    ))
}

/// Only now that there is something to store, a repository that does not exist is made.
async fn publish(
    repositories: &Repositories,
    path: &RepositoryPath,
    parcel: Parcel,
    overwrite: Overwrite,
) -> Result<Committed, RepositoryError> {
    let repository = repositories.writer(path).await?;
    match parcel {
        Parcel::Chart(upload) => repository.publish(*upload).await,
        Parcel::Provenance(file, bytes) => {
            repository.publish_provenance(&file, bytes, overwrite).await
        }
    }
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

async fn read_form(
    headers: &HeaderMap,
    form: form::Form,
    overwrite: Overwrite,
    about: &About,
) -> Result<Parcel, ApiError> {
    let signed = match &form.provenance {
        Some(bytes) => Some(read_provenance(bytes)?),
        None => None,
    };
    match (form.chart, form.provenance, signed) {
        (Some(bytes), provenance, signed) => {
            let (bytes, chart) = read_archive(headers, bytes).await?;
            about.say(|| subject(&chart));
            if let Some((file, signed)) = &signed {
                same_chart(&chart, &file.archive(), signed)?;
            }
            Ok(Parcel::Chart(Box::new(to_publish(
                bytes, chart, provenance, overwrite,
            ))))
        }
        (None, Some(bytes), Some((file, signed))) => {
            about.say(|| signature(&file, &signed));
            Ok(Parcel::Provenance(file, bytes))
        }
        (None, ..) => Err(ApiError::BadFileName(String::new())),
    }
}

/// What the audit log says of an archive.
fn subject(chart: &ChartArchive) -> Subject {
    Subject {
        chart: Some(chart.metadata.name.clone()),
        version: Some(chart.metadata.version.clone()),
        file: None,
        digest: Some(chart.digest.to_string()),
    }
}

/// What the audit log says of a provenance file.
fn signature(file: &FileName, signed: &Provenance) -> Subject {
    Subject {
        chart: Some(signed.name.clone()),
        version: Some(signed.version.clone()),
        file: Some(file.as_str().to_owned()),
        digest: None,
    }
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

fn read_provenance(bytes: &[u8]) -> Result<(FileName, Provenance), ApiError> {
    let provenance = Provenance::parse(bytes).map_err(|error| {
        let advice = mistakes::in_provenance(bytes);
        ApiError::Provenance { error, advice }
    })?;
    let file = format!("{}-{}.tgz.prov", provenance.name, provenance.version);
    match FileName::parse(&file) {
        Ok(file) => Ok((file, provenance)),
        Err(_) => Err(ApiError::BadFileName(file)),
    }
}

/// Stored beside an archive that it does not sign, a provenance file would fail every `helm pull
/// --verify`.
fn same_chart(
    chart: &ChartArchive,
    archive: &FileName,
    provenance: &Provenance,
) -> Result<(), ApiError> {
    let metadata = &chart.metadata;
    let own = format!("{}-{}.tgz", metadata.name, metadata.version);
    if archive.as_str() != own {
        return Err(ApiError::OtherProvenance {
            chart: own,
            provenance: archive.as_str().to_owned(),
        });
    }
    match provenance.files.get(&own) {
        Some(signed) if *signed == chart.digest => Ok(()),
        signed => Err(ApiError::OtherArchive {
            chart: own,
            archive: chart.digest,
            signed: signed.copied(),
        }),
    }
}
