//! What an `Authorization` header of ours holds.

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{SecretSlice, SecretString};

use super::{Refusal, after_scheme, passwords};

/// Beyond it a header is not looked at: real tokens are a tenth of it.
const LONGEST: usize = 16 << 10;

/// What somebody shows.
#[derive(Debug)]
pub(super) enum Credentials {
    Password {
        user: String,
        password: SecretSlice<u8>,
    },
    Token(SecretString),
}

/// Reads a header. A token may stand in place of a password, whatever the name is: helm knows no other
/// way to send one. The two cannot be confused: a password has at most 72 bytes, and a signature alone
/// has more.
pub(super) fn read(header: &HeaderValue) -> Result<Credentials, Refusal> {
    let value = header.as_bytes();
    if value.len() > LONGEST {
        return Err(Refusal::TooLong);
    }
    if let Some(token) = after_scheme(value, "Bearer") {
        return token_of(token);
    }
    let encoded = after_scheme(value, "Basic").ok_or(Refusal::OtherScheme)?;
    let decoded = STANDARD
        .decode(encoded)
        .map_err(|_| Refusal::WrongPassword)?;
    let mut parts = decoded.splitn(2, |byte| *byte == b':');
    let (Some(user), Some(password)) = (parts.next(), parts.next()) else {
        return Err(Refusal::WrongPassword);
    };
    if password.len() > passwords::LONGEST {
        return token_of(password);
    }
    let user = std::str::from_utf8(user).map_err(|_| Refusal::WrongPassword)?;
    Ok(Credentials::Password {
        user: user.to_owned(),
        password: password.to_vec().into(),
    })
}

fn token_of(bytes: &[u8]) -> Result<Credentials, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::BadToken)?;
    Ok(Credentials::Token(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read_text(text: &str) -> Result<Credentials, Refusal> {
        read(&HeaderValue::from_str(text).unwrap())
    }

    fn basic(text: &str) -> Result<Credentials, Refusal> {
        read_text(&format!("Basic {}", STANDARD.encode(text)))
    }

    #[test]
    fn a_password_may_have_colons() {
        for (text, expected_user, expected) in [("alice:a:b", "alice", "a:b"), (":", "", "")] {
            let Ok(Credentials::Password { user, password }) = basic(text) else {
                panic!("{text} is a password");
            };
            assert_eq!(user, expected_user);
            assert_eq!(password.expose_secret(), expected.as_bytes());
        }
    }

    #[test]
    fn a_token_is_taken_with_its_scheme_and_in_place_of_a_password() {
        let token = "t".repeat(73);
        for read in [
            read_text(&format!("bearer {token}")),
            basic(&format!("whoever:{token}")),
            basic(&format!(":{token}")),
        ] {
            let Ok(Credentials::Token(read)) = read else {
                panic!("it is a token");
            };
            assert_eq!(read.expose_secret(), token);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let enormous = format!("Bearer {}", "x".repeat(LONGEST));
        for (text, refusal) in [
            ("", Refusal::OtherScheme),
            ("Basic", Refusal::OtherScheme),
            ("Digest x", Refusal::OtherScheme),
            ("alice:secret", Refusal::OtherScheme),
            ("Basic !", Refusal::WrongPassword),
            ("Basic YWxpY2U=", Refusal::WrongPassword),
            ("Basic /zo=", Refusal::WrongPassword),
            (&enormous, Refusal::TooLong),
        ] {
            assert_eq!(read_text(text).unwrap_err(), refusal, "{text:.30}");
        }
        let latin = HeaderValue::from_bytes(b"Bearer \xe9").unwrap();
        assert_eq!(read(&latin).unwrap_err(), Refusal::BadToken);
    }

    #[test]
    fn nothing_secret_is_shown_for_debugging() {
        let shown = format!(
            "{:?} {:?}",
            basic("alice:hunter2"),
            read_text("Bearer hunter2")
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
