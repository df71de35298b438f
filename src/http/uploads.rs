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
use super::provenance::{Admitted, Intake, Signed};
use super::{ReadSlots, mistakes, reply};
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

/// A parcel that the policy lets through.
type Accepted = (Parcel, Admitted);

/// `POST /api/charts`: an archive as it is, or a form with the files `chart` and `prov`.
#[expect(
    clippy::too_many_arguments,
    reason = "they are what it takes of a request"
)]
pub(super) async fn upload(
    slot: UploadSlot,
    State(repositories): State<Arc<Repositories>>,
    Place(path): Place,
    State(intake): State<Intake>,
    Force(overwrite): Force,
    about: About,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let settings = intake.settings.as_ref();
    let body = Incoming::start(body, settings)?;
    let Some(content_type) = form_type(&headers) else {
        let (bytes, chart) = read_archive(&slot.readers, &headers, body.whole().await?).await?;
        about.say(|| subject(&chart));
        let admitted = intake.admit(&file_name(&chart)?, &intake.missing())?;
        let parcel = Parcel::Chart(Box::new(to_publish(bytes, chart, None, overwrite)));
        let committed = publish(&repositories, &path, parcel, overwrite).await?;
        return Ok(admitted.note(saved(committed)));
    };
    let form = form::read(content_type, body, settings.into()).await?;
    let place = (&*repositories, &path);
    let intake = (&intake, &slot.readers);
    let (parcel, admitted) = read_form(intake, place, &headers, form, overwrite, &about).await?;
    match publish(&repositories, &path, parcel, overwrite).await {
        Ok(committed) => Ok(admitted.note(saved(committed))),
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
    State(intake): State<Intake>,
    Force(overwrite): Force,
    about: About,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes = Incoming::start(body, &intake.settings)?.whole().await?;
    let signed = intake.read(&bytes).await?;
    about.say(|| signature(&signed.file, &signed.provenance));
    let (parcel, admitted) = alone(&intake, (&repositories, &path), bytes, signed).await?;
    let committed = publish(&repositories, &path, parcel, overwrite).await?;
    Ok(admitted.note(saved(committed)))
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
    (intake, readers): (&Intake, &ReadSlots),
    place: (&Repositories, &RepositoryPath),
    headers: &HeaderMap,
    form: form::Form,
    overwrite: Overwrite,
    about: &About,
) -> Result<Accepted, ApiError> {
    let signed = match &form.provenance {
        Some(bytes) => Some(intake.read(bytes).await?),
        None => None,
    };
    match (form.chart, form.provenance, signed) {
        (Some(bytes), provenance, signed) => {
            let (bytes, chart) = read_archive(readers, headers, bytes).await?;
            about.say(|| subject(&chart));
            let proof = match signed {
                Some(signed) => {
                    same_chart(&chart, &signed.file.archive(), &signed.provenance)?;
                    signed.proof
                }
                None => intake.missing(),
            };
            let admitted = intake.admit(&file_name(&chart)?, &proof)?;
            let upload = to_publish(bytes, chart, provenance, overwrite);
            Ok((Parcel::Chart(Box::new(upload)), admitted))
        }
        (None, Some(bytes), Some(signed)) => {
            about.say(|| signature(&signed.file, &signed.provenance));
            alone(intake, place, bytes, signed).await
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

/// A provenance file whose archive is there, or is to come.
async fn alone(
    intake: &Intake,
    (repositories, path): (&Repositories, &RepositoryPath),
    bytes: Bytes,
    signed: Signed,
) -> Result<Accepted, ApiError> {
    let signed = intake.beside(repositories, path, signed).await?;
    let admitted = intake.admit(&signed.file.archive(), &signed.proof)?;
    Ok((Parcel::Provenance(signed.file, bytes), admitted))
}

fn file_name(chart: &ChartArchive) -> Result<FileName, ApiError> {
    FileName::of(&chart.metadata).map_err(|error| RepositoryError::Unnameable(error).into())
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
    ReadSlots(slots): &ReadSlots,
    headers: &HeaderMap,
    bytes: Bytes,
) -> Result<(Bytes, ChartArchive), ApiError> {
    // Goes with the task: a client that goes away does not stop it.
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.map_err(|error| ApiError::Internal(error.into()))?;
    let task = tokio::task::spawn_blocking(move || {
        let _slot = slot;
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
