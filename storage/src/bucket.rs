//! Buckets of object store services.
//!
//! [`open`] turns [`BucketOptions`] into an object store. The library does the work; around it
//!
//! - [`answers`] reads what a service answers when it refuses, which the library mostly throws away:
//!   without that, a missing bucket and an answer of something that is no object store look like a
//!   missing object;
//! - [`objects`] asks again where an answer cannot say why;
//! - [`credentials`] tells where credentials come from and why there are none.
//!
//! Nothing here reads the environment: variables come with the options.

mod options;

#[cfg(feature = "bucket")]
mod answers;
#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "bucket")]
mod connection;
#[cfg(feature = "bucket")]
mod credentials;
#[cfg(feature = "bucket")]
mod failure;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "bucket")]
mod listing;
#[cfg(feature = "bucket")]
mod objects;
#[cfg(feature = "s3")]
mod profile;
#[cfg(feature = "bucket")]
mod refusal;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "bucket")]
mod variables;

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;

pub use options::{BucketOptions, Encryption};

#[cfg(feature = "bucket")]
pub(crate) use failure::Failure;

use crate::{BucketService, Timeouts};

/// A bucket that can be asked.
pub(crate) struct Bucket {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// Where its credentials come from, in words.
    pub(crate) credentials: String,
}

/// Why a bucket cannot be opened: what is said about it does not fit together.
#[derive(Debug, thiserror::Error)]
#[allow(
    dead_code,
    reason = "which of them can come up depends on what is built in"
)]
pub(crate) enum BucketError {
    #[error(
        "this build has no support for `{0}://`; use one that was built with it, a directory or \
         `memory:`"
    )]
    NotBuiltIn(&'static str),
    #[error("{what} is not known; set {fix}")]
    Missing {
        what: &'static str,
        fix: &'static str,
    },
    #[error("{given} is given but {missing} is not")]
    Half {
        given: &'static str,
        missing: &'static str,
    },
    #[error("`{0}` is not the URL of a server: write `https://host` or `http://host`")]
    Endpoint(String),
    #[error("{0}")]
    Unsupported(String),
    #[error("the file {} cannot be read", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the file {} is not what it should be: {what}", path.display())]
    Content { path: PathBuf, what: String },
    #[error("{0} is not in the AWS configuration files")]
    NoProfile(String),
    #[error("the options do not fit together")]
    Refused(#[source] object_store::Error),
}

/// Makes the way to a bucket. Asks nothing of the service yet.
#[cfg_attr(
    not(any(feature = "s3", feature = "gcs", feature = "azure")),
    expect(unused_variables, reason = "there is nothing to open")
)]
pub(crate) fn open(
    service: BucketService,
    name: &str,
    options: &BucketOptions,
    timeouts: Timeouts,
) -> Result<Bucket, BucketError> {
    match service {
        #[cfg(feature = "s3")]
        BucketService::S3 => s3::open(name, options, timeouts),
        #[cfg(feature = "gcs")]
        BucketService::Gcs => gcs::open(name, options, timeouts),
        #[cfg(feature = "azure")]
        BucketService::Azure => azure::open(name, options, timeouts),
        #[cfg(not(all(feature = "s3", feature = "gcs", feature = "azure")))]
        missing => Err(BucketError::NotBuiltIn(missing.scheme())),
    }
}
