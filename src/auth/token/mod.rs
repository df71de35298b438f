//! Our own access tokens: JSON Web Tokens that say what they are good for, signed with a key that the
//! server does not have.

mod issue;
mod key;
#[cfg(test)]
mod tests;

use chartroom_storage::Clock;
use chrono::DateTime;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use issue::{IssueError, Issued, Order, SigningKey};
use key::PublicKey;
pub use key::{TokenKeyError, new_pair};

use super::policy::Grant;
use super::{AccessToken, Refusal};
use crate::config::TokenSettings;

/// How far the clock of who makes tokens may be ahead of ours, in seconds.
const AHEAD: i64 = 60;
/// What a token is good for is looked at for every request.
const MOST_GRANTS: usize = 100;

/// What a token says.
#[derive(Deserialize, Serialize)]
struct Claims {
    jti: String,
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    /// Verbs and patterns, as [`Grant`] writes them.
    grants: Vec<String>,
}

/// Verifies tokens.
pub(super) struct Tokens {
    /// Several while a new one takes the place of another.
    keys: Vec<PublicKey>,
    issuer: String,
    audience: String,
    clock: Clock,
}

impl Tokens {
    /// Reads the keys.
    pub(super) fn try_new(settings: &TokenSettings, clock: Clock) -> Result<Self, TokenKeyError> {
        let keys = settings.keys.iter().map(|path| PublicKey::read(path));
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            clock,
        })
    }

    /// Tells what a token says, if it is one of ours, for us, and for now. Whether it is revoked is for
    /// the policy to say.
    pub(super) fn verify(&self, token: &SecretString) -> Result<AccessToken, Refusal> {
        let token = token.expose_secret();
        let header = decode_header(token).map_err(|_| Refusal::Unsigned)?;
        // RFC 7515, section 4.1.11: what must be understood, and is not, makes a token invalid.
        if header.crit.is_some() {
            return Err(Refusal::Unsigned);
        }
        // A token does not choose how it is verified: each key has one algorithm, and none is `none` or
        // an HMAC.
        let keys = self.keys.iter().filter(|key| key.algorithm == header.alg);
        let claims = keys
            .map(|key| decode::<Claims>(token, &key.key, &signature_only(key.algorithm)))
            .find_map(|decoded| match decoded {
                Ok(data) => Some(Ok(data.claims)),
                Err(error) if is_of_claims(&error) => Some(Err(Refusal::BadClaim)),
                Err(_) => None,
            })
            .ok_or(Refusal::Unsigned)??;
        self.check(claims)
    }

    fn check(&self, claims: Claims) -> Result<AccessToken, Refusal> {
        if claims.iss != self.issuer {
            return Err(Refusal::OtherIssuer);
        }
        if claims.aud != self.audience {
            return Err(Refusal::OtherAudience);
        }
        let now = self.clock.wall().timestamp();
        if now >= claims.exp {
            return Err(Refusal::Expired);
        }
        let latest = now.saturating_add(AHEAD);
        if claims.nbf > latest || claims.iat > latest {
            return Err(Refusal::NotYetValid);
        }
        if claims.grants.len() > MOST_GRANTS {
            return Err(Refusal::BadClaim);
        }
        let grants: Result<Vec<Grant>, _> =
            claims.grants.iter().map(|grant| grant.parse()).collect();
        Ok(AccessToken {
            id: claims.jti,
            subject: claims.sub,
            issued: DateTime::from_timestamp(claims.iat, 0).ok_or(Refusal::BadClaim)?,
            // One that is not understood could be there to make the others narrower.
            grants: grants.map_err(|_| Refusal::BadClaim)?,
        })
    }
}

/// The signature was right, and what it is about is not.
fn is_of_claims(error: &jsonwebtoken::errors::Error) -> bool {
    use jsonwebtoken::errors::ErrorKind;
    matches!(error.kind(), ErrorKind::Json(_))
}

/// The library's checks of claims read the system's clock, and take a claim that is not there for one
/// that is right: ours are in [`Tokens::check`].
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
