//! What the policy says of an upload's provenance.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use chartroom_storage::RepositoryPath;

use super::error::ApiError;
use super::settings::Settings;
use super::{App, mistakes};
use crate::chart::name::FileName;
use crate::chart::provenance::Provenance;
use crate::metrics::Metrics;
use crate::repository::{Repositories, RepositoryError};
use crate::signature::{Fault, Rule, Signer, Verified};

/// What became of the verification of an upload that was stored.
pub(super) const VERIFICATION: HeaderName = HeaderName::from_static("x-chartroom-provenance");

/// What uploads are held against, and where they are counted.
#[derive(Clone)]
pub(crate) struct Intake {
    pub(super) settings: Arc<Settings>,
    metrics: Metrics,
}

impl FromRef<App> for Intake {
    fn from_ref(app: &App) -> Self {
        Self {
            settings: Arc::clone(&app.shared.settings),
            metrics: app.shared.upload_slots.metrics.clone(),
        }
    }
}

/// What is known of the signature of a provenance file, or of there being none.
pub(super) enum Proof {
    /// Nobody asked.
    Unasked,
    By(Signer),
    None(Fault),
}

/// A provenance file that was read.
pub(super) struct Signed {
    pub(super) file: FileName,
    pub(super) provenance: Provenance,
    pub(super) proof: Proof,
}

/// What the reply to an upload that may be stored says.
pub(super) struct Admitted(Option<&'static str>);

impl Admitted {
    pub(super) fn note(&self, mut response: Response) -> Response {
        if let Some(word) = self.0 {
            let headers = response.headers_mut();
            headers.insert(VERIFICATION, HeaderValue::from_static(word));
        }
        response
    }
}

impl Intake {
    /// Returns what an archive without provenance proves.
    pub(super) fn missing(&self) -> Proof {
        match self.settings.provenance.rule() {
            Some(_) => Proof::None(Fault::Missing),
            None => Proof::Unasked,
        }
    }

    /// Reads a provenance file. What is verified is taken from the signed text alone; what is not, as
    /// ever.
    pub(super) async fn read(&self, bytes: &Bytes) -> Result<Signed, ApiError> {
        let policy = self.settings.provenance.clone();
        if policy.rule().is_none() {
            return signed(parse(bytes)?, Proof::Unasked);
        }
        let file = bytes.clone();
        let task = tokio::task::spawn_blocking(move || policy.verify(&file));
        let verified = task
            .await
            .map_err(|error| ApiError::Internal(error.into()))?;
        match verified {
            Ok(Verified { provenance, signer }) => signed(provenance, Proof::By(signer)),
            Err(fault) => signed(parse(bytes)?, Proof::None(fault)),
        }
    }

    /// Holds a provenance file that comes alone against the archive that is there, if there is one.
    pub(super) async fn beside(
        &self,
        repositories: &Repositories,
        path: &RepositoryPath,
        signed: Signed,
    ) -> Result<Signed, ApiError> {
        let Proof::By(_) = signed.proof else {
            return Ok(signed);
        };
        let archive = signed.file.archive();
        let says = signed.provenance.files.get(archive.as_str());
        let there = match repositories.reader(path).await?.find(&archive).await {
            Ok(found) => Some(found.entity_tag),
            Err(RepositoryError::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let is_of_it = match (says, there) {
            (Some(says), Some(there)) => says.to_string() == there,
            (Some(_), None) => true,
            (None, _) => false,
        };
        Ok(if is_of_it {
            signed
        } else {
            let proof = Proof::None(Fault::Mismatch);
            Signed { proof, ..signed }
        })
    }

    /// Decides whether an upload may be stored.
    pub(super) fn admit(&self, archive: &FileName, proof: &Proof) -> Result<Admitted, ApiError> {
        let Some(rule) = self.settings.provenance.rule() else {
            return Ok(Admitted(None));
        };
        let archive = archive.as_str();
        let fault = match proof {
            Proof::Unasked => Fault::Missing,
            Proof::None(fault) => *fault,
            Proof::By(Signer { fingerprint, user }) => {
                self.metrics.provenance(None);
                tracing::info!(archive, fingerprint, user, "provenance is verified");
                return Ok(Admitted(Some("verified")));
            }
        };
        self.metrics.provenance(Some(fault));
        let reason = fault.text();
        match rule {
            Rule::Require => {
                tracing::warn!(
                    archive,
                    reason,
                    "upload refused: its provenance is not verified"
                );
                Err(ApiError::NotVerified {
                    archive: archive.to_owned(),
                    fault,
                })
            }
            Rule::Warn => {
                tracing::warn!(
                    archive,
                    reason,
                    "provenance is not verified: the upload is taken all the same"
                );
                Ok(Admitted(Some(fault.word())))
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Provenance, ApiError> {
    Provenance::parse(bytes).map_err(|error| {
        let advice = mistakes::in_provenance(bytes);
        ApiError::Provenance { error, advice }
    })
}

fn signed(provenance: Provenance, proof: Proof) -> Result<Signed, ApiError> {
    let file = format!("{}-{}.tgz.prov", provenance.name, provenance.version);
    match FileName::parse(&file) {
        Ok(file) => Ok(Signed {
            file,
            provenance,
            proof,
        }),
        Err(_) => Err(ApiError::BadFileName(file)),
    }
}
