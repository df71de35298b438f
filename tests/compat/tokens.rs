//! Tokens, and the key that they are signed with.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

static KEY: LazyLock<KeyPair> = LazyLock::new(|| {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
});

/// Writes the public key into a folder.
pub(crate) fn write_key(folder: &Path) -> PathBuf {
    let path = folder.join("token.pub.pem");
    std::fs::write(&path, KEY.public_key_pem()).expect("a file is written");
    path
}

/// A token for actions in a repository.
pub(crate) fn token(repository: &str, actions: &[&str]) -> String {
    let entry = json!({"type": "artifact-repository", "name": repository, "actions": actions});
    signed(&json!({"access": [entry]}))
}

/// A token with these claims.
pub(crate) fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(KEY.serialize_pem().as_bytes()).expect("a key");
    encode(&Header::new(Algorithm::RS256), claims, &key).expect("a token")
}
