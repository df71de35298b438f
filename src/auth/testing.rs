//! Keys and tokens for the tests of this module.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde_json::Value;
use tempfile::NamedTempFile;

// Making one takes a while in an unoptimised build.
static KEY: LazyLock<KeyPair> = LazyLock::new(generate);
static OTHER: LazyLock<KeyPair> = LazyLock::new(generate);

fn generate() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

pub(super) fn key() -> &'static KeyPair {
    &KEY
}

pub(super) fn public_key() -> String {
    KEY.public_key_pem()
}

pub(super) fn public_key_der() -> Vec<u8> {
    KEY.subject_public_key_info()
}

pub(super) fn certificate() -> String {
    let parameters = CertificateParams::new(vec!["auth.example".to_owned()]).unwrap();
    parameters.self_signed(&*KEY).unwrap().pem()
}

pub(super) fn key_file() -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), public_key()).unwrap();
    file
}

pub(super) fn sign(claims: &Value) -> String {
    sign_as(Algorithm::RS256, claims)
}

pub(super) fn sign_as(algorithm: Algorithm, claims: &Value) -> String {
    sign_with(&KEY, &Header::new(algorithm), claims)
}

pub(super) fn sign_critical(claims: &Value) -> String {
    let header = Header {
        crit: Some(vec!["b64".to_owned()]),
        ..Header::new(Algorithm::RS256)
    };
    sign_with(&KEY, &header, claims)
}

pub(super) fn sign_with_other_key(claims: &Value) -> String {
    sign_with(&OTHER, &Header::new(Algorithm::RS256), claims)
}

pub(super) fn sign_with_secret(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret);
    encode(&Header::new(algorithm), claims, &key).unwrap()
}

fn sign_with(key: &KeyPair, header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
    encode(header, claims, &key).unwrap()
}
