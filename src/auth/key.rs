//! The key that tokens are signed with.

use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};

/// Certificates and keys take a few kilobytes.
const LARGEST_FILE: u64 = 1 << 20;
/// What is verified: shorter keys can be broken, longer ones are a way to keep a server busy.
const SHORTEST_KEY: usize = 2048;
const LONGEST_KEY: usize = 8192;
pub(super) const LENGTHS: RangeInclusive<usize> = SHORTEST_KEY..=LONGEST_KEY;

/// Why a file gives no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is neither an RSA public key nor a certificate of one, in PEM", path.display())]
    NotRsa {
        /// The file.
        path: PathBuf,
        /// Why.
        source: jsonwebtoken::errors::Error,
    },
    /// The key is too short or too long.
    #[error("{} holds an RSA key of {bits} bits; {SHORTEST_KEY} to {LONGEST_KEY} are accepted", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its length.
        bits: usize,
    },
}

/// Reads an RSA public key, in PEM: PKIX, or the one of a certificate.
pub(super) fn read(path: &Path) -> Result<DecodingKey, KeyError> {
    let pem = read_file(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    let not_rsa = |source| KeyError::NotRsa {
        path: path.to_owned(),
        source,
    };
    let key = DecodingKey::from_rsa_pem(&pem).map_err(not_rsa)?;
    // The PEM is only taken apart above: here the key itself is read.
    let bits = bits(&key).map_err(not_rsa)?;
    if !LENGTHS.contains(&bits) {
        let path = path.to_owned();
        return Err(KeyError::Size { path, bits });
    }
    Ok(key)
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST_FILE)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn bits(key: &DecodingKey) -> jsonwebtoken::errors::Result<usize> {
    let jwk = Jwk::from_decoding_key(key, None)?;
    let AlgorithmParameters::RSA(parameters) = jwk.algorithm else {
        return Ok(0);
    };
    let modulus = URL_SAFE_NO_PAD
        .decode(parameters.n)
        .map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(bit_length(&modulus))
}

/// Returns the length of a number in bits: what counts as the length of an RSA key.
pub(super) fn bit_length(modulus: &[u8]) -> usize {
    let mut digits = modulus.iter().skip_while(|byte| **byte == 0);
    let Some(first) = digits.next() else {
        return 0;
    };
    let unused = usize::try_from(first.leading_zeros()).unwrap_or_default();
    8 * (1 + digits.count()) - unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::{certificate, public_key};
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};

    fn read_text(text: &str) -> Result<DecodingKey, KeyError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path())
    }

    fn told(error: &dyn std::error::Error) -> String {
        let source = error.source().map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    }

    #[test]
    fn a_public_key_and_a_certificate_of_it_are_the_same_key() {
        let key = read_text(&public_key()).unwrap();
        let same = read_text(&certificate()).unwrap();
        assert_eq!(bits(&key).unwrap(), 2048);
        let (key, same) = (key.try_get_as_bytes(), same.try_get_as_bytes());
        assert_eq!(key.unwrap(), same.unwrap());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = read(Path::new("/nowhere/key.pem")).unwrap_err();
        assert!(matches!(error, KeyError::Read { .. }));
        assert_eq!(
            told(&error),
            "/nowhere/key.pem cannot be read: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn what_is_no_rsa_public_key_is_refused() {
        let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let private = crate::auth::testing::key().serialize_pem();
        let whole = public_key();
        let (_, body) = whole.split_once('\n').unwrap();
        for text in [
            "",
            "hello",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            &whole[..whole.len() / 2],
            body,
            &elliptic.public_key_pem(),
            &private,
        ] {
            let error = read_text(text).unwrap_err();
            let is_refused = matches!(error, KeyError::NotRsa { .. });
            assert!(is_refused, "{text}: {}", told(&error));
        }
    }

    #[test]
    fn a_short_key_is_refused_with_its_length() {
        // openssl genrsa 1024 | openssl rsa -pubout
        let short = include_str!("../../tests/vectors/rsa1024.pub.pem");
        let error = read_text(short).unwrap_err().to_string();
        assert!(
            error.ends_with("holds an RSA key of 1024 bits; 2048 to 8192 are accepted"),
            "{error}"
        );
    }
}
