//! Authorities, certificates, and clients that use them.

use std::fs;
use std::sync::Arc;

use chartroom::config::TlsFiles;
use chartroom::server::{Tls, TlsError};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// Signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn server(&self) -> Pair {
        self.issue(ExtendedKeyUsagePurpose::ServerAuth)
    }

    pub(crate) fn client(&self) -> Pair {
        self.issue(ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, purpose: ExtendedKeyUsagePurpose) -> Pair {
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client that trusts this authority.
    pub(crate) fn trusting(&self) -> Trust {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.pem().as_bytes()).unwrap();
        roots.add(root).unwrap();
        Trust {
            roots,
            versions: rustls::ALL_VERSIONS.to_vec(),
            protocols: Vec::new(),
            identity: None,
        }
    }
}

/// A client's settings.
pub(crate) struct Trust {
    roots: RootCertStore,
    versions: Vec<&'static SupportedProtocolVersion>,
    protocols: Vec<Vec<u8>>,
    identity: Option<Pair>,
}

impl Trust {
    pub(crate) fn version(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    pub(crate) fn protocol(mut self, name: &str) -> Self {
        self.protocols.push(name.as_bytes().to_vec());
        self
    }

    pub(crate) fn identity(mut self, pair: Pair) -> Self {
        self.identity = Some(pair);
        self
    }

    pub(crate) fn config(self) -> Arc<ClientConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(self.roots);
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = CertificateDer::from_pem_slice(pair.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes());
                builder
                    .with_client_auth_cert(vec![chain.unwrap()], key.unwrap())
                    .unwrap()
            }
        };
        config.alpn_protocols = self.protocols;
        Arc::new(config)
    }
}

/// The files of a server.
pub(crate) struct Files {
    _directory: TempDir,
    pub(crate) names: TlsFiles,
}

impl Files {
    pub(crate) fn of(pair: &Pair) -> Self {
        let directory = TempDir::new().unwrap();
        let file = |name: &str| directory.path().join(name);
        let names = TlsFiles {
            certificate: file("tls.crt"),
            key: file("tls.key"),
            client_ca: None,
        };
        let files = Self {
            _directory: directory,
            names,
        };
        files.write(pair);
        files
    }

    pub(crate) fn write(&self, pair: &Pair) {
        fs::write(&self.names.certificate, &pair.certificate).unwrap();
        fs::write(&self.names.key, &pair.key).unwrap();
    }

    pub(crate) fn client_authority(mut self, pem: &str) -> Self {
        let path = self.names.certificate.with_file_name("ca.crt");
        fs::write(&path, pem).unwrap();
        self.names.client_ca = Some(path);
        self
    }

    pub(crate) fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(self.names.clone())
    }
}
