//! What a token of an issuer says, and whether it is for us and for now.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Header, TokenData, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest tokens that issuers make have a tenth of it.
const LONGEST: usize = 16 << 10;
const LONGEST_SUBJECT: usize = 1 << 10;
/// How far the clocks of an issuer and of this machine may be apart, in seconds.
const LEEWAY: f64 = 30.0;

/// Why a token of an issuer is refused; the client is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// It is longer than a token is.
    #[error("the token is too long")]
    TooLong,
    /// It is something else, damaged or not signed.
    #[error("it is not a signed token")]
    NotToken,
    /// Nobody who is trusted has issued it.
    #[error("the token is of no configured issuer")]
    UnknownIssuer,
    /// It is signed in a way that is not taken from this issuer.
    #[error("the token is signed with an algorithm that is not taken from its issuer")]
    Algorithm,
    /// It wants something to be understood that is not.
    #[error("the token has a critical header")]
    Critical,
    /// Its issuer has no such key.
    #[error("the token is signed with a key that its issuer does not have")]
    UnknownKey,
    /// The key does not fit what it says.
    #[error("the signature of the token is wrong")]
    Signature,
    /// What it says is not what a token says.
    #[error("the token lacks a claim, or has one of the wrong type")]
    BadClaim,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
}

impl TokenRefusal {
    /// Tells whether it may be a token of something else than an issuer.
    pub(in crate::auth) fn is_of_nobody(self) -> bool {
        matches!(self, Self::NotToken | Self::UnknownIssuer)
    }
}

/// A token before anything of it is believed.
pub(super) struct Unverified<'a> {
    text: &'a str,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// Whose keys it is to be verified with.
    pub(super) issuer: String,
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
}

impl<'a> Unverified<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, TokenRefusal> {
        if text.len() > LONGEST {
            return Err(TokenRefusal::TooLong);
        }
        let payload = payload(text).ok_or(TokenRefusal::NotToken)?;
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| TokenRefusal::NotToken)?;
        let Payload { iss: issuer } =
            serde_json::from_slice(&payload).map_err(|_| TokenRefusal::NotToken)?;
        // An algorithm that the library does not know, `none` foremost, makes it fail.
        let Header { alg, kid, crit, .. } =
            decode_header(text).map_err(|_| TokenRefusal::NotToken)?;
        // RFC 7515, section 4.1.11. Keys and their addresses in a header (`jwk`, `jku`, `x5u`) are
        // somebody's word for themselves, and not looked at.
        if crit.is_some() {
            return Err(TokenRefusal::Critical);
        }
        Ok(Self {
            text,
            algorithm: alg,
            key_id: kid,
            issuer,
        })
    }

    /// Returns the claims if one of the keys has signed them.
    pub(super) fn verify(&self, keys: &[DecodingKey]) -> Result<Map<String, Value>, TokenRefusal> {
        // The keys are those that may verify this algorithm: it comes from them.
        let validation = validation(self.algorithm);
        for key in keys {
            let Ok(TokenData { claims, .. }) = decode::<Value>(self.text, key, &validation) else {
                continue;
            };
            return match claims {
                Value::Object(claims) => Ok(claims),
                _ => Err(TokenRefusal::BadClaim),
            };
        }
        Err(TokenRefusal::Signature)
    }
}

fn payload(text: &str) -> Option<&str> {
    let mut parts = text.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(payload)
}

/// Signature and algorithm only: the rest is checked below, by our clock.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// Whom a token must be from and for.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audiences: &'a [String],
    pub(super) now: DateTime<Utc>,
}

impl Expected<'_> {
    /// Checks the claims that every token has (RFC 7519, section 4.1), and returns the subject.
    pub(super) fn check(&self, claims: &Map<String, Value>) -> Result<String, TokenRefusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(TokenRefusal::UnknownIssuer);
        }
        self.check_audience(claims)?;
        self.check_times(claims)?;
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject.ok_or(TokenRefusal::BadClaim)?;
        // It stands in logs.
        if !(1..=LONGEST_SUBJECT).contains(&subject.len()) || subject.contains(char::is_control) {
            return Err(TokenRefusal::BadClaim);
        }
        Ok(subject.to_owned())
    }

    /// A token for several is for each of them.
    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), TokenRefusal> {
        let is_ours = |name: &str| self.audiences.iter().any(|ours| ours == name);
        let is_for_us = match claims.get("aud") {
            Some(Value::String(name)) => is_ours(name),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is_ours),
            _ => return Err(TokenRefusal::BadClaim),
        };
        is_for_us.then_some(()).ok_or(TokenRefusal::Audience)
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<(), TokenRefusal> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds are exact for the next 285,000 years"
        )]
        let now = self.now.timestamp_millis() as f64 / 1000.0;
        let expiry = time(claims, "exp")?.ok_or(TokenRefusal::BadClaim)?;
        if now >= expiry + LEEWAY {
            return Err(TokenRefusal::Expired);
        }
        for name in ["nbf", "iat"] {
            if time(claims, name)?.is_some_and(|begin| now + LEEWAY < begin) {
                return Err(TokenRefusal::NotYetValid);
            }
        }
        Ok(())
    }
}

/// Reads a `NumericDate` (RFC 7519, section 2), which may have a fraction.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, TokenRefusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(TokenRefusal::BadClaim),
    }
}
