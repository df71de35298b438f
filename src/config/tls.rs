//! The files of TLS.

use std::path::PathBuf;

use super::layers::{Given, Noted, Reader};
use super::options::{Definition, TLS_CA_CERT, TLS_CERT, TLS_KEY};
use super::parse::{self, Wrong};

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
        (Some(certificate), None, _) => Err(lacks(reader, certificate, &[&TLS_KEY])),
        (None, Some(key), _) => Err(lacks(reader, key, &[&TLS_CERT])),
        (None, None, Some(client_ca)) => Err(lacks(reader, client_ca, &[&TLS_CERT, &TLS_KEY])),
    }
}

fn lacks(reader: &mut Reader, given: Given<PathBuf>, missing: &[&Definition]) -> Noted {
    let missing: Vec<&str> = missing.iter().map(|definition| definition.name).collect();
    let missing = missing.join(" and ");
    let wrong = Wrong {
        what: format!("it is given without {missing}"),
        fix: format!("add {missing}, or remove it to serve without TLS"),
    };
    reader.note(given.definition, given.source, wrong)
}
