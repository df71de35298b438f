//! The files of TLS.

use std::path::PathBuf;

use super::layers::{Noted, Reader};
use super::options::{TLS_CA_CERT, TLS_CERT, TLS_KEY};
use super::parse;

/// The files that a server speaks HTTPS with; all are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and those that lead from it to its authority.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
    /// The authorities that a client's certificate must come from; `None` asks for no certificate.
    pub client_ca: Option<PathBuf>,
}

const PLAIN: &str = "serve without TLS";

/// Reads the files; `None` is plain HTTP. Half of them is a mistake that must not end in plain HTTP.
pub(super) fn read(reader: &mut Reader) -> Result<Option<TlsFiles>, Noted> {
    let certificate = reader.given(&[&TLS_CERT], parse::file);
    let key = reader.given(&[&TLS_KEY], parse::file);
    let client_ca = reader.given(&[&TLS_CA_CERT], parse::file);
    let (certificate, key, client_ca) = (certificate?, key?, client_ca?);
    match (certificate, key, client_ca) {
        (Some(certificate), Some(key), client_ca) => Ok(Some(TlsFiles {
            certificate: certificate.value,
            key: key.value,
            client_ca: client_ca.map(|client_ca| client_ca.value),
        })),
        (None, None, None) => Ok(None),
        (Some(certificate), None, _) => Err(reader.lacks(certificate, TLS_KEY.name, PLAIN)),
        (None, Some(key), _) => Err(reader.lacks(key, TLS_CERT.name, PLAIN)),
        (None, None, Some(client_ca)) => {
            let pair = format!("{} and {}", TLS_CERT.name, TLS_KEY.name);
            Err(reader.lacks(client_ca, &pair, PLAIN))
        }
    }
}
