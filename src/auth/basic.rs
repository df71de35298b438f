//! One user with a password (RFC 7617).

use std::sync::Arc;

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::BasicAuth;

use super::{Identity, Refusal, after_scheme};

/// Far more than a name and a password need.
const LONGEST: usize = 4 << 10;

pub(super) struct Basic {
    user: Arc<str>,
    /// Of `user:password`. Digests are compared, so that neither the contents nor the lengths show in
    /// the time that it takes.
    credentials: [u8; 32],
}

impl Basic {
    pub(super) fn new(settings: &BasicAuth) -> Self {
        let mut hash = Sha256::new();
        hash.update(&settings.user);
        hash.update(":");
        hash.update(settings.password.expose_secret());
        Self {
            user: settings.user.as_str().into(),
            credentials: hash.finalize().into(),
        }
    }

    pub(super) fn identify(&self, header: Option<&HeaderValue>) -> Result<Identity, Refusal> {
        self.check(header)
            .map(|()| Identity::User(Arc::clone(&self.user)))
    }

    fn check(&self, header: Option<&HeaderValue>) -> Result<(), Refusal> {
        let value = header.ok_or(Refusal::NoCredentials)?.as_bytes();
        if value.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let encoded = after_scheme(value, "Basic").ok_or(Refusal::OtherScheme)?;
        let given = STANDARD
            .decode(encoded)
            .map_err(|_| Refusal::WrongPassword)?;
        let given: [u8; 32] = Sha256::digest(given).into();
        if bool::from(given.ct_eq(&self.credentials)) {
            Ok(())
        } else {
            Err(Refusal::WrongPassword)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(basic: &Basic, header: &str) -> Result<(), Refusal> {
        basic.check(Some(&HeaderValue::from_str(header).unwrap()))
    }

    fn alice() -> Basic {
        Basic::new(&BasicAuth {
            user: "alice".to_owned(),
            password: "pass:wörd".to_owned().into(),
        })
    }

    #[test]
    fn the_right_password_is_known_in_any_case_of_the_scheme() {
        let credentials = STANDARD.encode("alice:pass:wörd");
        for scheme in ["Basic", "basic", "BASIC", "Basic  "] {
            assert_eq!(send(&alice(), &format!("{scheme} {credentials}")), Ok(()));
        }
        let header = HeaderValue::from_str(&format!("Basic {credentials}")).unwrap();
        let who = alice().identify(Some(&header)).unwrap();
        assert_eq!(who, Identity::User("alice".into()));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "alice:pass:wörd ",
            "alice:pass",
            "alice:",
            "alice",
            ":pass:wörd",
            "Alice:pass:wörd",
            "",
            ":",
            &format!("alice:{}", "x".repeat(2000)),
        ] {
            let header = format!("Basic {}", STANDARD.encode(text));
            assert_eq!(
                send(&alice(), &header),
                Err(Refusal::WrongPassword),
                "{text}"
            );
        }
        let enormous = format!("Basic {}", "A".repeat(30_000));
        for (header, refusal) in [
            (enormous.as_str(), Refusal::TooLong),
            ("Basic", Refusal::OtherScheme),
            ("Basic !", Refusal::WrongPassword),
            ("Bearer YWxpY2U6cGFzcw==", Refusal::OtherScheme),
            ("alice:pass:word", Refusal::OtherScheme),
        ] {
            assert_eq!(send(&alice(), header), Err(refusal), "{header:.40}");
        }
        assert_eq!(alice().identify(None), Err(Refusal::NoCredentials));
    }
}
