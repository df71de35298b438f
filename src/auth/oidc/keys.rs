//! The keys of an issuer: a JSON Web Key Set (RFC 7517).
//!
//! What a key may verify is decided here, by its type, its curve and its `alg`, and never by a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::auth::key;

/// Issuers have a handful. A token without the name of a key is tried with none but a single one, so
/// that this bounds memory, and not work.
const MOST_KEYS: usize = 64;
/// Names of keys are digests of them, as a rule.
const LONGEST_ID: usize = 512;

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// Why keys cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// The document is something else.
    #[error("it is not a set of keys")]
    NotKeys(#[source] serde_json::Error),
    /// There are more than an issuer has.
    #[error("it has {0} keys; {MOST_KEYS} are the most")]
    TooMany(usize),
    /// None of the keys could have signed a token that is taken.
    #[error("none of its {0} keys is a public key for signatures of the algorithms that are taken")]
    NoneUsable(usize),
}

/// The keys of an issuer that tokens can be verified with.
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    // Each is read apart: an issuer may have keys that are for something else.
    keys: Vec<Value>,
}

/// RFC 7517, section 4, and RFC 7518, section 6, as far as it matters here.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    key_ops: Option<Vec<String>>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

impl KeySet {
    /// Reads those keys of a document that may verify one of the `allowed` algorithms; the others do
    /// not count.
    pub(super) fn parse(document: &[u8], allowed: &[Algorithm]) -> Result<Self, KeySetError> {
        let document: Document = serde_json::from_slice(document).map_err(KeySetError::NotKeys)?;
        let count = document.keys.len();
        if count > MOST_KEYS {
            return Err(KeySetError::TooMany(count));
        }
        let usable = document.keys.into_iter();
        let keys: Vec<Key> = usable.filter_map(|key| read(key, allowed)).collect();
        if keys.is_empty() {
            return Err(KeySetError::NoneUsable(count));
        }
        Ok(Self { keys })
    }

    /// Returns the keys that may have signed a token whose header says this. One without the name of
    /// a key can only be of the only key.
    pub(super) fn of(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&DecodingKey> {
        let suits = |key: &&Key| key.algorithms.contains(&algorithm);
        let suiting = self.keys.iter().filter(suits);
        let found: Vec<&DecodingKey> = suiting
            .filter(|key| id.is_none() || key.id.as_deref() == id)
            .map(|key| &key.public)
            .collect();
        if id.is_none() && found.len() != 1 {
            return Vec::new();
        }
        found
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

fn read(key: Value, allowed: &[Algorithm]) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let is_for_signatures = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
        && jwk
            .key_ops
            .as_deref()
            .is_none_or(|uses| uses.iter().any(|usage| usage == "verify"));
    let is_named = jwk.kid.as_ref().is_none_or(|id| id.len() <= LONGEST_ID);
    if !is_for_signatures || !is_named {
        return None;
    }
    let (possible, public) = material(&jwk)?;
    let algorithms = possible.iter().copied().filter(|algorithm| {
        let is_its_own = |alg: &str| alg.parse().is_ok_and(|alg: Algorithm| alg == *algorithm);
        allowed.contains(algorithm) && jwk.alg.as_deref().is_none_or(is_its_own)
    });
    let algorithms: Vec<Algorithm> = algorithms.collect();
    (!algorithms.is_empty()).then_some(Key {
        id: jwk.kid,
        algorithms,
        public,
    })
}

/// Returns what a key can verify, and the key. A secret (`oct`) is none: whoever is sent it can sign.
fn material(jwk: &Jwk) -> Option<(&'static [Algorithm], DecodingKey)> {
    let part = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", None) => {
            let (modulus, exponent) = (part(&jwk.n)?, part(&jwk.e)?);
            let is_sound = key::LENGTHS.contains(&key::bit_length(&modulus));
            let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
            is_sound.then_some((&RSA[..], key))
        }
        ("EC", Some("P-256")) => Some((&[Algorithm::ES256], point(jwk, 32)?)),
        ("EC", Some("P-384")) => Some((&[Algorithm::ES384], point(jwk, 48)?)),
        ("OKP", Some("Ed25519")) => {
            let is_sound = part(&jwk.x)?.len() == 32;
            let key = DecodingKey::from_ed_components(jwk.x.as_deref()?).ok()?;
            is_sound.then_some((&[Algorithm::EdDSA][..], key))
        }
        _ => None,
    }
}

/// Reads the point of an elliptic curve, whose coordinates have their full length (RFC 7518, section
/// 6.2.1.2).
fn point(jwk: &Jwk, length: usize) -> Option<DecodingKey> {
    let (x, y) = (jwk.x.as_deref()?, jwk.y.as_deref()?);
    for coordinate in [x, y] {
        if URL_SAFE_NO_PAD.decode(coordinate).ok()?.len() != length {
            return None;
        }
    }
    DecodingKey::from_ec_components(x, y).ok()
}
