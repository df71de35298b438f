//! Keys of access tokens: Ed25519, or the curve P-256.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::SecretString;

/// Keys take some hundred bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// Why a file gives no key, or why none can be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is no public key of Ed25519 or P-256, in PEM (BEGIN PUBLIC KEY)", path.display())]
    NotPublic {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} is no private key of Ed25519 or P-256, in PEM (BEGIN PRIVATE KEY)", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("no key can be made")]
    NoPair,
}

/// Verifies the signatures of one algorithm.
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl PublicKey {
    pub(super) fn read(path: &Path) -> Result<Self, TokenKeyError> {
        let pem = read_file(path)?;
        let found = ed25519(&pem).or_else(|| p256(&pem));
        found.ok_or_else(|| TokenKeyError::NotPublic {
            path: path.to_owned(),
        })
    }
}

fn ed25519(pem: &[u8]) -> Option<PublicKey> {
    let key = DecodingKey::from_ed_pem(pem).ok()?;
    // Knows the length of such a key.
    Jwk::from_decoding_key(&key, None).ok()?;
    Some(PublicKey {
        algorithm: Algorithm::EdDSA,
        key,
    })
}

fn p256(pem: &[u8]) -> Option<PublicKey> {
    let key = DecodingKey::from_ec_pem(pem).ok()?;
    let jwk = Jwk::from_decoding_key(&key, None).ok()?;
    let is_p256 = matches!(
        jwk.algorithm,
        AlgorithmParameters::EllipticCurve(parameters) if parameters.curve == EllipticCurve::P256
    );
    is_p256.then_some(PublicKey {
        algorithm: Algorithm::ES256,
        key,
    })
}

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, TokenKeyError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes))
        .map_err(|source| TokenKeyError::Read {
            path: path.to_owned(),
            source,
        })?;
    Ok(bytes)
}

/// Makes a key of Ed25519, and returns its private and its public part in PEM.
///
/// # Errors
/// If the system gives no random numbers.
pub fn new_pair() -> Result<(SecretString, String), TokenKeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| TokenKeyError::NoPair)?;
    // The first version is the one that openssl writes, and that others read.
    let private = pair.to_pkcs8v1().map_err(|_| TokenKeyError::NoPair)?;
    let public: PublicKeyX509Der<'_> = pair
        .public_key()
        .as_der()
        .map_err(|_| TokenKeyError::NoPair)?;
    Ok((
        pem("PRIVATE KEY", private.as_ref()).into(),
        pem("PUBLIC KEY", public.as_ref()),
    ))
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in der.chunks(48) {
        text.push_str(&STANDARD.encode(line));
        text.push('\n');
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "-----END {label}-----");
    text
}
