//! What can be said about the way to a bucket.

use std::fmt;
use std::path::PathBuf;

/// How a bucket is reached. What is not given comes from `variables`, and what is not there either
/// from the service's own defaults.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BucketOptions {
    /// The URL of a server that speaks the service's protocol, instead of the service itself.
    pub endpoint: Option<String>,
    /// The region of an S3 bucket.
    pub region: Option<String>,
    /// Whether the bucket stands in the path of an S3 URL and not in its host name.
    pub path_style: Option<bool>,
    /// What an S3 server is asked to encrypt objects with.
    pub encryption: Option<Encryption>,
    /// A PEM file with certificates that are trusted besides those of the system.
    pub ca_certificate: Option<PathBuf>,
    /// The profile of the AWS configuration files whose credentials are used.
    pub profile: Option<String>,
    /// The variables of the services' own tools (`AWS_*`, `GOOGLE_*`, `AZURE_*`, …), by name.
    pub variables: Vec<(String, String)>,
}

/// What an S3 server encrypts objects with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Keys that the server keeps.
    Aes256,
    /// A key of the key management service: that of the bucket, or the one that is named.
    Kms {
        /// The key's name.
        key: Option<String>,
    },
}

impl fmt::Debug for BucketOptions {
    /// Leaves out the values of variables, which hold credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&str> = self
            .variables
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        formatter
            .debug_struct("BucketOptions")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("path_style", &self.path_style)
            .field("encryption", &self.encryption)
            .field("ca_certificate", &self.ca_certificate)
            .field("profile", &self.profile)
            .field("variables", &variables)
            .finish()
    }
}
