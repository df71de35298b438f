//! Tokens that somebody else signs: JSON Web Tokens, as ChartMuseum takes them.

use std::sync::Arc;

use axum::http::HeaderValue;
use chartroom_storage::Clock;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};
use serde_json::Value;

use crate::config::BearerAuth;

use super::search_path::SearchPath;
use super::{AuthError, Challenge, Identity, Refusal, Verb, after_scheme, key};

/// Beyond it a header is not looked at: real tokens are a tenth of it.
const LONGEST: usize = 16 << 10;
/// As much of a subject as a log needs.
const LONGEST_SUBJECT: usize = 128;
/// Only these: `none`, and HMAC with the public key as its secret, are the classic ways to forge one.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

pub(super) struct Bearer {
    realm: String,
    service: String,
    key: DecodingKey,
    validation: Validation,
    grants: SearchPath,
    clock: Clock,
}

impl Bearer {
    pub(super) fn try_new(settings: &BearerAuth, clock: Clock) -> Result<Self, AuthError> {
        let grants = match &settings.actions_search_path {
            Some(text) => SearchPath::parse(text)?,
            None => SearchPath::parse(SearchPath::BUILT_IN)?,
        };
        Ok(Self {
            realm: settings.realm.clone(),
            service: settings.service.clone(),
            key: key::read(&settings.certificate)?,
            validation: validation(),
            grants,
            clock,
        })
    }

    /// Tells who holds the token, and what is in it.
    pub(super) fn identify(
        &self,
        header: Option<&HeaderValue>,
    ) -> Result<(Identity, Arc<Value>), Refusal> {
        let header = header.ok_or(Refusal::NoCredentials)?;
        self.read(header.as_bytes())
    }

    /// Tells whether the claims of a token grant what the verb takes.
    pub(super) fn grants(&self, claims: &Value, verb: Verb, namespace: &str) -> bool {
        self.grants.allows(claims, namespace, verb.action())
    }

    /// Asks for a token that grants it.
    pub(super) fn challenge(&self, verb: Verb, namespace: &str) -> Challenge {
        let action = verb.action();
        let scope = format!("{}:{namespace}:{action}", SearchPath::ENTRY_TYPE);
        Challenge::bearer(&self.realm, &self.service, &scope)
    }

    fn read(&self, header: &[u8]) -> Result<(Identity, Arc<Value>), Refusal> {
        if header.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        // As in ChartMuseum a token may stand alone: helm-push has `--auth-header` for proxies that
        // take the scheme away.
        let token = after_scheme(header, "Bearer").unwrap_or(header);
        // Takes the algorithm from the token, but only out of the list; a key of RSA has no other use.
        let TokenData { header, claims } =
            decode::<Value>(token, &self.key, &self.validation).map_err(|_| Refusal::BadToken)?;
        // RFC 7515, section 4.1.11: what must be understood, and is not, makes a token invalid.
        if header.crit.is_some() {
            return Err(Refusal::BadToken);
        }
        self.check_times(&claims)?;
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject.map(|text| text.chars().take(LONGEST_SUBJECT).collect::<String>());
        Ok((Identity::Token(subject.map(Into::into)), Arc::new(claims)))
    }

    /// Checks each time that the token has; none is required. There is no tolerance, as in
    /// ChartMuseum: who issues tokens sets `exp` as late and `nbf` as early as clocks differ.
    fn check_times(&self, claims: &Value) -> Result<(), Refusal> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds are exact for the next 285,000 years"
        )]
        let now = self.clock.wall().timestamp_millis() as f64 / 1000.0;
        if time(claims, "exp")?.is_some_and(|expiry| now >= expiry) {
            return Err(Refusal::Expired);
        }
        for name in ["nbf", "iat"] {
            if time(claims, name)?.is_some_and(|begin| now < begin) {
                return Err(Refusal::NotYetValid);
            }
        }
        Ok(())
    }
}

/// Signature and algorithm only. The library's check of times reads the system's clock itself, and
/// knows no `iat`; `aud` and `iss` are nothing that ChartMuseum looks at.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.algorithms = ALGORITHMS.to_vec();
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// Reads a `NumericDate` (RFC 7519, section 2), which may have a fraction.
fn time(claims: &Value, name: &str) -> Result<Option<f64>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(Refusal::BadClaim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::{self, key_file, public_key, sign, sign_as};
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use chrono::{DateTime, Utc};
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn bearer_with(actions_search_path: Option<&str>) -> Bearer {
        let file = key_file();
        let settings = BearerAuth {
            realm: "https://auth.example/token".to_owned(),
            service: "charts".to_owned(),
            certificate: file.path().to_owned(),
            actions_search_path: actions_search_path.map(str::to_owned),
        };
        let now: DateTime<Utc> = DateTime::from_timestamp(NOW, 0).unwrap();
        Bearer::try_new(&settings, Clock::paused(now)).unwrap()
    }

    fn bearer() -> Bearer {
        bearer_with(None)
    }

    fn access(name: &str, actions: &[&str]) -> Value {
        json!({"type": "artifact-repository", "name": name, "actions": actions})
    }

    fn claims() -> Value {
        json!({"sub": "ci", "access": [access("org/team", &["pull"])]})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn send(bearer: &Bearer, header: &str) -> Result<Identity, Refusal> {
        send_for(bearer, header, Verb::Pull)
    }

    fn send_for(bearer: &Bearer, header: &str, verb: Verb) -> Result<Identity, Refusal> {
        let (identity, claims) = bearer.read(header.as_bytes())?;
        if bearer.grants(&claims, verb, "org/team") {
            return Ok(identity);
        }
        Err(Refusal::NotGranted)
    }

    fn result(claims: &Value) -> Result<Identity, Refusal> {
        send(&bearer(), &format!("Bearer {}", sign(claims)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_taken_with_its_scheme_in_any_case_and_alone() {
        let token = sign(&claims());
        let ci = Identity::Token(Some("ci".into()));
        for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer   ", ""] {
            let who = send(&bearer(), &format!("{scheme}{token}"));
            assert_eq!(who.unwrap(), ci, "{scheme}");
        }
        for other in ["Basic ", "Token ", "Bearer Bearer ", "x"] {
            let who = send(&bearer(), &format!("{other}{token}"));
            assert_eq!(who, Err(Refusal::BadToken), "{other}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_six_rsa_algorithms_are_taken() {
        for algorithm in ALGORITHMS {
            let token = sign_as(algorithm, &claims());
            assert!(send(&bearer(), &token).is_ok(), "{algorithm:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_say_another_algorithm_are_refused() {
        let bearer = bearer();
        let good = sign(&claims());
        let mut parts = good.split('.');
        let (_, payload) = (parts.next().unwrap(), parts.next().unwrap());
        let signature = parts.next().unwrap();
        for name in ["none", "None", "", "ES256", "EdDSA", "HS256", "RS1"] {
            let head = URL_SAFE_NO_PAD.encode(json!({"alg": name, "typ": "JWT"}).to_string());
            for signature in ["", signature] {
                let token = format!("{head}.{payload}.{signature}");
                assert_eq!(send(&bearer, &token), Err(Refusal::BadToken), "{name}");
            }
        }
        // The public key is public: were it taken for the secret of an HMAC, everybody could sign.
        for secret in [public_key().into_bytes(), testing::public_key_der()] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let forged = testing::sign_with_secret(algorithm, &secret, &claims());
                assert_eq!(send(&bearer, &forged), Err(Refusal::BadToken));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_are_damaged_are_refused() {
        let token = sign(&claims());
        let parts: Vec<&str> = token.split('.').collect();
        let [head, payload, signature] = parts[..] else {
            panic!("a token has three parts");
        };
        let forged = URL_SAFE_NO_PAD.encode(with("sub", json!("root")).to_string());
        let list = sign(&json!(["a"]));
        for text in [
            "",
            ".",
            "..",
            "...",
            head,
            &token[..token.len() - 1],
            &token[..token.len() / 2],
            &format!("{head}.{payload}"),
            &format!("{head}.{payload}."),
            &format!("{head}.{forged}.{signature}"),
            &format!("{token}.x"),
            &format!("{token}="),
            &format!("x{token}"),
            &list,
            "\u{e9}",
        ] {
            assert_eq!(send(&bearer(), text), Err(Refusal::BadToken), "{text}");
        }
        let long = sign(&with("padding", json!("x".repeat(LONGEST))));
        assert_eq!(send(&bearer(), &long), Err(Refusal::TooLong));
        let nearly = sign(&with("padding", json!("x".repeat(LONGEST / 2))));
        assert!(send(&bearer(), &nearly).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_of_another_key_are_refused() {
        let token = testing::sign_with_other_key(&claims());
        assert_eq!(send(&bearer(), &token), Err(Refusal::BadToken));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_critical_and_not_understood_makes_a_token_invalid() {
        let token = testing::sign_critical(&claims());
        assert_eq!(send(&bearer(), &token), Err(Refusal::BadToken));
    }

    #[tokio::test(start_paused = true)]
    async fn times_are_checked_if_they_are_there() {
        let early = Err(Refusal::NotYetValid);
        let ok = Ok(Identity::Token(Some("ci".into())));
        for (name, value, expected) in [
            ("exp", json!(NOW + 1), &ok),
            ("exp", json!(1_800_000_000.5), &ok),
            ("exp", json!(NOW), &Err(Refusal::Expired)),
            ("exp", json!(NOW - 1), &Err(Refusal::Expired)),
            ("exp", json!(0), &Err(Refusal::Expired)),
            ("exp", json!(-1), &Err(Refusal::Expired)),
            ("exp", json!(u64::MAX), &ok),
            ("nbf", json!(NOW), &ok),
            ("nbf", json!(NOW + 1), &early),
            ("nbf", json!(1e300), &early),
            ("iat", json!(NOW), &ok),
            ("iat", json!(NOW - 1000), &ok),
            ("iat", json!(NOW + 1), &early),
        ] {
            let result = result(&with(name, value.clone()));
            assert_eq!(&result, expected, "{name} {value}");
        }
        for name in ["exp", "nbf", "iat"] {
            for value in [json!("1900000000"), json!(null), json!(true)] {
                let result = result(&with(name, value.clone()));
                assert_eq!(result, Err(Refusal::BadClaim), "{name} {value}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn audience_and_issuer_and_subject_are_not_looked_at() {
        let mut claims = claims();
        for (name, value) in [
            ("aud", json!("x")),
            ("iss", json!(["x"])),
            ("sub", json!(5)),
        ] {
            claims[name] = value;
        }
        assert_eq!(result(&claims), Ok(Identity::Token(None)));
        let long = "s".repeat(LONGEST_SUBJECT + 1);
        let Ok(Identity::Token(Some(subject))) = result(&with("sub", json!(long))) else {
            panic!("the token is good");
        };
        assert_eq!(subject.len(), LONGEST_SUBJECT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_valid_token_without_the_claim_is_refused() {
        for access in [
            json!(null),
            json!("org/team"),
            json!(5),
            json!({}),
            json!([]),
            json!([null, 5, "x", []]),
            json!([access("org/team", &[])]),
            json!([access("org/team", &["push"])]),
            json!([access("org/team", &["PULL"])]),
            json!([access("org", &["pull"]), access("org/team/x", &["pull"])]),
            json!([access("*", &["pull"]), access("org/*", &["pull"])]),
            json!([access("ORG/TEAM", &["pull"])]),
            json!([{"name": "org/team", "actions": ["pull"]}]),
            json!([{"type": "repository", "name": "org/team", "actions": ["pull"]}]),
            json!([{"type": "artifact-repository", "name": ["org/team"], "actions": ["pull"]}]),
            json!([{"type": "artifact-repository", "name": "org/team", "actions": {"pull": true}}]),
            json!([{"type": "artifact-repository", "name": "org/team", "actions": ["pull", 5]}]),
        ] {
            let result = result(&with("access", access.clone()));
            assert_eq!(result, Err(Refusal::NotGranted), "{access}");
        }
        assert_eq!(result(&json!({})), Err(Refusal::NotGranted));
    }

    #[tokio::test(start_paused = true)]
    async fn entries_for_one_repository_are_merged_and_push_does_not_imply_pull() {
        let both = json!([
            access("org/other", &["pull"]),
            access("org/team", &["push"]),
            access("org/team", &["pull"]),
        ]);
        let both = sign(&with("access", both));
        let push = sign(&with("access", json!([access("org/team", &["push"])])));
        let bearer = bearer();
        let may = |token: &str, verb| send_for(&bearer, token, verb).is_ok();
        assert!(may(&both, Verb::Pull) && may(&both, Verb::Push));
        assert!(!may(&push, Verb::Pull) && may(&push, Verb::Push));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_asks_for_what_is_needed() {
        let bearer = bearer();
        for (verb, namespace, scope) in [
            (Verb::Pull, "org/team", "org/team:pull"),
            (Verb::Push, "repo", "repo:push"),
            (Verb::Overwrite, "org", "org:push"),
            (Verb::Delete, "org", "org:push"),
        ] {
            let challenge = bearer.challenge(verb, namespace);
            let expected = format!(
                r#"Bearer realm="https://auth.example/token",service="charts",scope="artifact-repository:{scope}""#
            );
            assert_eq!(challenge.header(), &expected);
        }
    }

    #[test]
    fn what_is_wrong_at_start_is_told_with_its_option() {
        let file = key_file();
        let settings = BearerAuth {
            realm: "r".to_owned(),
            service: "s".to_owned(),
            certificate: "/nowhere/key.pem".into(),
            actions_search_path: None,
        };
        let error = |settings: &BearerAuth| {
            let error = Bearer::try_new(settings, Clock::default()).err().unwrap();
            format!("{:#}", anyhow::Error::from(error))
        };
        let text = error(&settings);
        assert_eq!(
            text,
            "--auth-cert-path: /nowhere/key.pem cannot be read: No such file or directory (os error 2)"
        );
        let text = error(&BearerAuth {
            certificate: file.path().to_owned(),
            actions_search_path: Some("access[".to_owned()),
            ..settings
        });
        assert!(
            text.starts_with("--auth-actions-search-path: `access[` is not a JMESPath expression"),
            "{text}"
        );
    }
}
