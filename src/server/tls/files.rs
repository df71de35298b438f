//! What the files of TLS hold.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{InconsistentKeys, RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

use super::{HTTP_1, HTTP_2};
use crate::config::TlsFiles;

/// A chain takes some kilobytes, and all authorities of a system a few hundred.
const LARGEST_FILE: u64 = 4 << 20;

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{option}: {} cannot be read", path.display())]
    Read {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is damaged.
    #[error("{option}: {} is not PEM", path.display())]
    NotPem {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file holds nothing of what it is for.
    #[error("{option}: there is no {what} in {}", path.display())]
    Missing {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What it is for.
        what: &'static str,
    },
    /// The key is that of another certificate.
    #[error("--tls-key: {} is not the key of the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// The certificate or the key is of a kind that cannot be used.
    #[error("--tls-cert, --tls-key: {} with {} cannot be used", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// An authority for clients cannot be used.
    #[error("--tls-ca-cert: {} cannot be used", path.display())]
    ClientAuthority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The provider of cryptography lacks something.
    #[error("TLS cannot be set up")]
    Provider(#[source] rustls::Error),
}

/// Tells contents apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

/// The contents of the files, at one time.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let client_ca = files.client_ca.as_deref();
        Ok(Self {
            certificate: read("--tls-cert", &files.certificate)?,
            key: read("--tls-key", &files.key)?,
            client_ca: client_ca
                .map(|path| read("--tls-ca-cert", path))
                .transpose()?,
        })
    }

    /// Contents are compared, not times and sizes: a file that is put back, copied with its time, or
    /// changed twice within a tick of the clock is seen too.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let client_ca = self.client_ca.as_deref().unwrap_or_default();
        for content in [&self.certificate, &self.key, client_ca] {
            hash.update(content.len().to_be_bytes());
            hash.update(content);
        }
        Fingerprint(hash.finalize().into())
    }

    pub(super) fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        // Named here, so that no other part of the process can decide it.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = self.verifier(files, &provider)?;
        let chain = certificates("--tls-cert", &files.certificate, &self.certificate)?;
        let key = key(&files.key, &self.key)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Provider)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|source| match source {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    TlsError::Mismatch {
                        key: files.key.clone(),
                        certificate: files.certificate.clone(),
                    }
                }
                source => TlsError::Pair {
                    certificate: files.certificate.clone(),
                    key: files.key.clone(),
                    source,
                },
            })?;
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Ok(config)
    }

    /// As in ChartMuseum an authority means that every client needs a certificate, for every route.
    fn verifier(
        &self,
        files: &TlsFiles,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let (Some(path), Some(content)) = (&files.client_ca, &self.client_ca) else {
            return Ok(Arc::new(NoClientAuth));
        };
        let unusable = |source| TlsError::ClientAuthority {
            path: path.clone(),
            source,
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates("--tls-ca-cert", path, content)? {
            roots
                .add(authority)
                .map_err(|error| unusable(error.into()))?;
        }
        let roots = Arc::new(roots);
        WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|error| unusable(error.into()))
    }
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut content = Vec::new();
    let file = File::open(path);
    file.and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut content))
        .map_err(|source| TlsError::Read {
            option,
            path: path.to_owned(),
            source,
        })?;
    Ok(content)
}

fn certificates(
    option: &'static str,
    path: &Path,
    content: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    let found = found.map_err(|source| TlsError::NotPem {
        option,
        path: path.to_owned(),
        source,
    })?;
    if found.is_empty() {
        return Err(TlsError::Missing {
            option,
            path: path.to_owned(),
            what: "certificate",
        });
    }
    Ok(found)
}

fn key(path: &Path, content: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(content).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::Missing {
            option: "--tls-key",
            path: path.to_owned(),
            what: "private key without a passphrase",
        },
        source => TlsError::NotPem {
            option: "--tls-key",
            path: path.to_owned(),
            source,
        },
    })
}
