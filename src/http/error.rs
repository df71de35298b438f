//! The one place that turns errors into replies: status, public text, and what to do about it.
//!
//! Texts are ChartMuseum's where its clients show or compare them. A 5xx says nothing of paths or
//! backends: its body carries the request id, and [`Failure::log`] writes the cause under that id, once.

mod access;
mod admission;
mod cause;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chartroom_storage::{StorageError, StorageErrorKind};
use serde::Serialize;

pub(super) use cause::Cause;

use super::admission::Refusal;
use super::form::FormError;
use super::incoming::BodyError;
use super::reply;
use crate::auth::Challenge;
use crate::auth::oidc::Unavailable;
use crate::chart::Digest;
use crate::chart::archive::ArchiveError;
use crate::chart::provenance::ProvenanceError;
use crate::repository::RepositoryError;
use crate::signature::Fault;

/// Why a request is not answered as it hoped.
#[derive(Debug)]
pub(super) enum ApiError {
    /// No such path.
    NoRoute,
    /// No such method on this path.
    WrongMethod,
    /// Not known, or without the right.
    Unauthorized {
        challenge: Challenge,
        has_body: bool,
    },
    /// Known, but without the right, or from somewhere else than this machine.
    Forbidden { hint: &'static str, has_body: bool },
    /// Too many passwords are being compared.
    TooManyPasswords { has_body: bool },
    /// What tells who somebody is does not answer.
    NoAuthority { why: Arc<str>, has_body: bool },
    /// The issuer of a token does not answer.
    NoKeys { issuer: Unavailable, has_body: bool },
    /// A path that is not percent-encoded UTF-8.
    BadPath,
    /// A query parameter, in ChartMuseum's words.
    BadQuery(&'static str),
    /// `X-Chartroom-Min-Generation` is not a number.
    BadGeneration,
    /// A precondition of the request does not hold.
    PreconditionFailed,
    /// No part of the requested range exists; the size does.
    RangeNotSatisfiable(u64),
    /// Only `.tgz` and `.tgz.prov` are served.
    UnsupportedExtension,
    /// No chart of this name, asked for all its versions.
    ChartNotFound,
    /// No chart of this name, asked for one version.
    NoChartName,
    /// No version that matches.
    NoVersion { name: String, version: String },
    /// Neither a version nor a constraint.
    ImproperConstraint(String),
    /// The chart has no `values.yaml`.
    NoValues,
    /// What is to be shown of an archive, or the archive itself, is larger than so many bytes.
    TooLargeToShow(usize),
    /// Nobody told us the repository's id.
    NoArtifactHubId,
    /// The body could not be received.
    Body(BodyError),
    /// The form holds nothing that can be stored.
    Form(FormError),
    /// The archive is refused; with what the request looks like.
    Archive {
        error: ArchiveError,
        advice: Option<String>,
    },
    /// Name and version of a chart that make no file name.
    BadFileName(String),
    /// The provenance file is refused; with what the request looks like.
    Provenance {
        error: ProvenanceError,
        advice: Option<String>,
    },
    /// The provenance file is that of another chart.
    OtherProvenance { chart: String, provenance: String },
    /// The provenance file is of that chart, but of another archive.
    OtherArchive {
        chart: String,
        archive: Digest,
        signed: Option<Digest>,
    },
    /// The policy wants a provenance that proves something.
    NotVerified { archive: String, fault: Fault },
    /// A form's file exists: ChartMuseum says it in other words than for a raw body.
    ChartExists {
        existing: Option<Digest>,
        uploaded: Option<Digest>,
    },
    /// The request is not let in, whoever sends it.
    NotLetIn(Refusal),
    /// All upload slots are taken.
    TooManyUploads,
    /// Others are looking into archives, and take their time.
    TooManyLooks,
    /// The repository refused or failed.
    Repository(RepositoryError),
    /// A part of the program failed.
    Internal(Box<dyn Error + Send + Sync>),
    /// A part of the program panicked; the panic's own message went to stderr.
    Panic,
}

impl From<RepositoryError> for ApiError {
    fn from(error: RepositoryError) -> Self {
        Self::Repository(error)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::NotLetIn(refusal)
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<FormError> for ApiError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

/// A reply that is still to be written: the layer that knows the request id does so.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: Cow<'static, str>,
    hint: Option<String>,
    retry_after: Option<Duration>,
    content_range: Option<String>,
    challenge: Option<HeaderValue>,
    /// Whether the body of the request may be unread: the connection cannot be used again.
    close: bool,
    cause: Option<Arc<ApiError>>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

fn refuse(status: StatusCode, error: impl Into<Cow<'static, str>>) -> Failure {
    Failure {
        status,
        error: error.into(),
        hint: None,
        retry_after: None,
        content_range: None,
        challenge: None,
        close: false,
        cause: None,
    }
}

fn unavailable(error: &'static str, retry_after: Duration) -> Failure {
    Failure {
        retry_after: Some(retry_after),
        ..refuse(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

fn internal() -> Failure {
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
}

impl Failure {
    fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Returns the cause of a 5xx.
    pub(super) fn cause(&self) -> Option<Cause> {
        let cause = self.cause.as_ref();
        let cause = cause.filter(|_| self.status.is_server_error());
        cause.map(|error| Cause::new(Arc::clone(error)))
    }

    /// Writes the cause of a 5xx to the log, under the id that the client was given.
    pub(super) fn log(&self, request_id: &str) {
        let Some(cause) = self.cause() else {
            return;
        };
        let status = self.status.as_u16();
        let cause = cause.to_string();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(
                request.id = request_id,
                status,
                cause,
                "request not served: {}",
                self.error
            );
        } else {
            tracing::error!(
                request.id = request_id,
                status,
                cause,
                "request failed: {}",
                self.error
            );
        }
    }

    /// Writes the reply.
    pub(super) fn response(&self, request_id: &str) -> Response {
        let body = Body {
            error: &self.error,
            hint: self.hint.as_deref(),
            request_id: self.status.is_server_error().then_some(request_id),
        };
        let mut response = reply::json(self.status, &body);
        let headers = response.headers_mut();
        if let Some(duration) = self.retry_after {
            let seconds = duration.as_secs_f64().ceil().max(1.0);
            if let Ok(value) = HeaderValue::from_str(&format!("{seconds:.0}")) {
                headers.insert(header::RETRY_AFTER, value);
            }
        }
        if let Some(Ok(value)) = self.content_range.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        if let Some(challenge) = &self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge.clone());
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut failure = self.failure();
        let mut response = failure.status.into_response();
        failure.cause = Some(Arc::new(self));
        response.extensions_mut().insert(failure);
        response
    }
}

impl ApiError {
    /// The one match from errors to replies.
    fn failure(&self) -> Failure {
        match self {
            Self::NoRoute => refuse(StatusCode::NOT_FOUND, "not found"),
            Self::WrongMethod => refuse(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
                .hint("the Allow header names the methods of this path".to_owned()),
            Self::Unauthorized {
                challenge,
                has_body,
            } => access::unauthorized(challenge, *has_body),
            Self::Forbidden { hint, has_body } => access::forbidden(hint, *has_body),
            Self::TooManyPasswords { has_body } => access::too_many_passwords(*has_body),
            Self::NoAuthority { has_body, .. } => access::no_authority(*has_body),
            Self::NoKeys { issuer, has_body } => access::no_keys(issuer, *has_body),
            Self::BadPath => refuse(
                StatusCode::BAD_REQUEST,
                "the path is not percent-encoded UTF-8",
            ),
            Self::BadQuery(text) => refuse(StatusCode::BAD_REQUEST, *text),
            Self::BadGeneration => refuse(
                StatusCode::BAD_REQUEST,
                "X-Chartroom-Min-Generation is not a number",
            ),
            Self::PreconditionFailed => {
                refuse(StatusCode::PRECONDITION_FAILED, "precondition failed")
            }
            Self::RangeNotSatisfiable(size) => Failure {
                content_range: Some(format!("bytes */{size}")),
                ..refuse(StatusCode::RANGE_NOT_SATISFIABLE, "range not satisfiable")
            },
            Self::UnsupportedExtension => {
                refuse(StatusCode::NOT_FOUND, "unsupported file extension")
                    .hint("archives end in .tgz and provenance files in .tgz.prov".to_owned())
            }
            Self::ChartNotFound => refuse(StatusCode::NOT_FOUND, "chart not found"),
            Self::NoChartName => refuse(StatusCode::NOT_FOUND, "no chart name found"),
            Self::NoVersion { name, version } => {
                let text = format!("no chart version found for {name}-{version}");
                refuse(StatusCode::NOT_FOUND, text)
            }
            Self::ImproperConstraint(text) => refuse(
                StatusCode::NOT_FOUND,
                format!("improper constraint: {text}"),
            ),
            Self::NoValues => refuse(StatusCode::NOT_FOUND, "values.yaml not found"),
            Self::TooLargeToShow(most) => refuse(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("the chart's templates and values are larger than {most} bytes"),
            )
            .hint("download the archive instead".to_owned()),
            Self::NoArtifactHubId => refuse(
                StatusCode::NOT_FOUND,
                "Artifact Hub repository ID not found",
            )
            .hint("it is configured with --artifact-hub-repo-id".to_owned()),
            Self::Body(error) => body_failure(error),
            Self::Form(error) => {
                refuse(StatusCode::BAD_REQUEST, error.to_string()).hint(error.hint())
            }
            Self::Archive { error, advice } => {
                let hint = advice.clone().or_else(|| error.hint().map(str::to_owned));
                refuse(StatusCode::BAD_REQUEST, error.to_string()).hint(hint)
            }
            Self::BadFileName(file) => refuse(
                StatusCode::BAD_REQUEST,
                format!("{file} is improperly formatted"),
            ),
            Self::Provenance { error, advice } => {
                // ChartMuseum's one text for all that is wrong.
                let hint = advice.clone().unwrap_or_else(|| error.to_string());
                refuse(StatusCode::BAD_REQUEST, "invalid provenance file").hint(hint)
            }
            Self::OtherProvenance { chart, provenance } => other_provenance(chart, provenance),
            Self::OtherArchive {
                chart,
                archive,
                signed,
            } => other_archive(chart, *archive, *signed),
            Self::NotVerified { archive, fault } => not_verified(archive, *fault),
            Self::ChartExists { existing, uploaded } => {
                exists("chart already exists", *existing, *uploaded)
            }
            Self::NotLetIn(refusal) => admission::failure(refusal),
            Self::TooManyUploads => unavailable("too many uploads at once", Duration::from_secs(1))
                .hint("try again after the time in Retry-After".to_owned())
                .closing(),
            Self::TooManyLooks => unavailable(
                "too many archives are being looked into",
                Duration::from_secs(5),
            ),
            Self::Repository(error) => repository_failure(error),
            Self::Internal(_) | Self::Panic => internal(),
        }
    }
}

fn other_provenance(chart: &str, provenance: &str) -> Failure {
    let hint = format!("the chart is {chart} and the provenance file that of {provenance}");
    refuse(
        StatusCode::BAD_REQUEST,
        "the provenance file is that of another chart",
    )
    .hint(hint)
}

fn other_archive(chart: &str, archive: Digest, signed: Option<Digest>) -> Failure {
    let says = signed.map_or_else(
        || "does not list it".to_owned(),
        |signed| format!("says {signed}"),
    );
    refuse(
        StatusCode::BAD_REQUEST,
        "the provenance file is that of another archive",
    )
    .hint(format!(
        "{chart} has sha256 {archive}, and the provenance file {says}: send both as helm package --sign wrote them"
    ))
}

fn not_verified(archive: &str, fault: Fault) -> Failure {
    if fault == Fault::Missing {
        return refuse(
            StatusCode::BAD_REQUEST,
            "this server takes signed charts only",
        )
        .hint(format!(
            "make {archive}.prov with helm package --sign --key NAME --keyring SECRET_KEYS, and send both: curl -F chart=@{archive} -F prov=@{archive}.prov"
        ));
    }
    let reason = fault.text();
    refuse(
        StatusCode::BAD_REQUEST,
        "the provenance file does not verify",
    )
    .hint(format!(
        "{reason}: helm verify {archive} --keyring PUBLIC_KEYS tries it with keys of yours"
    ))
}

fn body_failure(error: &BodyError) -> Failure {
    match error {
        BodyError::TooLarge { limit } => refuse(StatusCode::PAYLOAD_TOO_LARGE, "request too large")
            .hint(format!("the limit is {limit} bytes (--max-upload-size)"))
            .closing(),
        BodyError::TooSlow { deadline } => {
            let deadline = deadline.as_secs_f64();
            refuse(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            )
            .hint(format!("the limit is {deadline} seconds (--read-timeout)"))
            .closing()
        }
        BodyError::Broken => refuse(StatusCode::BAD_REQUEST, "the body is incomplete").closing(),
    }
}

fn repository_failure(error: &RepositoryError) -> Failure {
    match error {
        RepositoryError::NotFound { what } => refuse(StatusCode::NOT_FOUND, "object not found")
            .hint(format!("{what} is not in this repository")),
        RepositoryError::AlreadyExists {
            existing, uploaded, ..
        } => exists("file already exists", *existing, *uploaded),
        RepositoryError::Full { limit } => refuse(
            StatusCode::INSUFFICIENT_STORAGE,
            "repo has reached storage limit",
        )
        .hint(format!(
            "the limit is {limit} archives and provenance files (--max-storage-objects)"
        )),
        RepositoryError::Unnameable(error) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
        RepositoryError::Busy {
            retry_after,
            reason,
        } => unavailable("the repository is busy", *retry_after).hint(reason.clone()),
        RepositoryError::Loading { read, of } => {
            let hint = (*of > 0).then(|| format!("{read} of {of} archives are read"));
            unavailable(
                "the files that were there at start are still being read",
                Duration::from_secs(1),
            )
            .hint(hint)
        }
        RepositoryError::Behind { generation, wanted } => unavailable(
            "the repository has not reached the wanted generation",
            Duration::from_secs(1),
        )
        .hint(format!(
            "it is at generation {generation}, {wanted} was asked for"
        )),
        RepositoryError::Changed => {
            unavailable("the object is being replaced", Duration::from_secs(1))
        }
        RepositoryError::Storage(error) => storage_failure(error),
        RepositoryError::Closed => unavailable("the server is stopping", Duration::from_secs(1)),
    }
}

fn storage_failure(error: &StorageError) -> Failure {
    match error.kind() {
        StorageErrorKind::Unavailable | StorageErrorKind::Timeout => {
            unavailable("the storage does not answer", Duration::from_secs(5))
        }
        // NotFound and AlreadyExists would be a repository's own answers: here they are surprises.
        StorageErrorKind::NotFound
        | StorageErrorKind::AlreadyExists
        | StorageErrorKind::Denied
        | StorageErrorKind::Unsupported
        | StorageErrorKind::Corrupt => internal(),
    }
}

fn exists(error: &'static str, existing: Option<Digest>, uploaded: Option<Digest>) -> Failure {
    let hint = match (existing, uploaded) {
        (Some(existing), Some(uploaded)) if existing == uploaded => Some(format!(
            "the stored archive is identical (sha256 {existing}): there is nothing to do"
        )),
        (Some(existing), Some(uploaded)) => Some(format!(
            "the stored archive has sha256 {existing}, the uploaded one {uploaded}: give the chart a new version"
        )),
        _ => None,
    };
    refuse(StatusCode::CONFLICT, error).hint(hint)
}

#[cfg(test)]
mod tests;
