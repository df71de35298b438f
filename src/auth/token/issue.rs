//! Makes access tokens.

use std::path::Path;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use secrecy::SecretString;
use uuid::Uuid;

use super::Claims;
use super::key::{TokenKeyError, read_file};
use crate::auth::policy::Grant;

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The key cannot sign.
    #[error("the key cannot sign")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Signs tokens.
pub struct SigningKey {
    algorithm: Algorithm,
    key: EncodingKey,
}

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who makes it.
    pub issuer: String,
    /// For which servers.
    pub audience: String,
    /// For whom.
    pub subject: String,
    /// What it is good for.
    pub grants: Vec<Grant>,
    /// From when.
    pub now: DateTime<Utc>,
    /// Until when.
    pub expires: DateTime<Utc>,
}

/// A token.
#[derive(Debug)]
pub struct Issued {
    /// Its id, by which it can be revoked.
    pub id: String,
    /// What is shown to the server.
    pub token: SecretString,
}

impl SigningKey {
    /// Reads a private key.
    ///
    /// # Errors
    /// If the file cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self, TokenKeyError> {
        let pem = read_file(path)?;
        let ed25519 = EncodingKey::from_ed_pem(&pem).map(|key| (Algorithm::EdDSA, key));
        let found =
            ed25519.or_else(|_| EncodingKey::from_ec_pem(&pem).map(|key| (Algorithm::ES256, key)));
        match found {
            Ok((algorithm, key)) => Ok(Self { algorithm, key }),
            Err(_) => Err(TokenKeyError::NotPrivate {
                path: path.to_owned(),
            }),
        }
    }

    /// Makes a token.
    ///
    /// # Errors
    /// If the key is one of another curve.
    pub fn issue(&self, order: &Order) -> Result<Issued, IssueError> {
        let id = Uuid::new_v4().to_string();
        let now = order.now.timestamp();
        let claims = Claims {
            jti: id.clone(),
            iss: order.issuer.clone(),
            aud: order.audience.clone(),
            sub: order.subject.clone(),
            iat: now,
            nbf: now,
            exp: order.expires.timestamp(),
            grants: order.grants.iter().map(ToString::to_string).collect(),
        };
        let token = encode(&Header::new(self.algorithm), &claims, &self.key);
        Ok(Issued {
            id,
            token: token.map_err(IssueError::Sign)?.into(),
        })
    }
}
