//! What a client is told when it is refused.

use axum::http::HeaderValue;

/// The `WWW-Authenticate` of a refusal. It says nothing of why: missing, wrong, expired and
/// insufficient credentials look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    header: HeaderValue,
}

impl Challenge {
    /// Asks for ChartMuseum's one user.
    pub(super) fn museum() -> Self {
        Self {
            header: HeaderValue::from_static("Basic realm=\"ChartMuseum\""),
        }
    }

    /// Asks for a user, or for a token in place of the password. The charset is that of RFC 7617,
    /// section 2.1.
    pub(super) fn password() -> Self {
        Self {
            header: HeaderValue::from_static("Basic realm=\"chartroom\", charset=\"UTF-8\""),
        }
    }

    /// Asks for a token with this scope, in the words of Docker's registries.
    pub(super) fn bearer(realm: &str, service: &str, scope: &str) -> Self {
        let (realm, service, scope) = (quoted(realm), quoted(service), quoted(scope));
        let text = format!("Bearer realm={realm},service={service},scope={scope}");
        // Cannot fail: `quoted` leaves out what cannot stand in a header.
        let header = HeaderValue::from_bytes(text.as_bytes());
        Self {
            header: header.unwrap_or_else(|_| HeaderValue::from_static("Bearer")),
        }
    }

    /// Returns the value of the header.
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// Writes a text as a `quoted-string` (RFC 9110, section 5.6.4). A scope holds the name of a
/// repository, which the client chose.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, scope: &str) -> String {
        let challenge = Challenge::bearer(realm, "charts", scope);
        String::from_utf8(challenge.header().as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_token_is_asked_for_in_chartmuseums_words() {
        let scope = "artifact-repository:org/team:pull";
        assert_eq!(
            bearer("https://auth.example/token", scope),
            r#"Bearer realm="https://auth.example/token",service="charts",scope="artifact-repository:org/team:pull""#
        );
    }

    #[test]
    fn a_name_cannot_end_its_quotes_or_the_header() {
        for (scope, quoted) in [
            (r#"a",realm="evil"#, r#"scope="a\",realm=\"evil""#),
            (r"a\", r#"scope="a\\""#),
            ("a\r\nSet-Cookie: x", r#"scope="aSet-Cookie: x""#),
            ("a\u{7f}\u{85}\tb", r#"scope="ab""#),
            ("é`'", r#"scope="é`'""#),
        ] {
            let text = bearer("r", scope);
            assert!(text.ends_with(quoted), "{scope:?}: {text}");
        }
    }
}
