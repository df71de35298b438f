//! What is configured about issuers, and the check of it.

use std::net::IpAddr;
use std::path::PathBuf;

use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::Deserialize;
use url::{Host, Url};

use super::fetch::FetchError;

/// Each has a client, keys and a series of metrics of its own.
const MOST_ISSUERS: usize = 32;
const MOST_AUDIENCES: usize = 32;
const LONGEST_NAME: usize = 64;
const LONGEST_SHOWN: usize = 200;
/// What OpenID Connect and the three large issuers sign with.
const USUAL_ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// An issuer of tokens that is trusted, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IssuerSettings {
    /// How rules, logs and metrics call it.
    pub name: String,
    /// What `iss` of its tokens is, to the letter, and where its configuration is found.
    pub url: String,
    /// A token is for us if its `aud` names one of these.
    pub audiences: Vec<String>,
    /// Where its keys are, instead of where its configuration says.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// The authorities that its certificate may come from, in PEM, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// What tokens may be signed with.
    #[serde(default)]
    pub algorithms: Option<Vec<Algorithm>>,
    /// A file with the token that its keys are asked for with. Read for each request.
    #[serde(default)]
    pub bearer_token_file: Option<PathBuf>,
}

/// Why an issuer cannot be trusted as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// There are more than a server looks after.
    #[error("there are {0} issuers; {MOST_ISSUERS} are the most")]
    TooMany(usize),
    /// The name is no name.
    #[error(
        "`{0}` cannot be the name of an issuer: 1 to {LONGEST_NAME} lower-case letters, digits, `-`, `_` and `.` can"
    )]
    Name(String),
    /// Two have the same name.
    #[error("two issuers have the name `{0}`")]
    SameName(String),
    /// Two have the same URL: it would be chance which one a token belongs to.
    #[error("issuer `{name}`: `{other}` has the same URL")]
    SameUrl {
        /// The second one.
        name: String,
        /// The first one.
        other: String,
    },
    /// No audience: tokens for every other service would be taken.
    #[error(
        "issuer `{0}`: audiences must name at least one audience, and {MOST_AUDIENCES} at most"
    )]
    Audiences(String),
    /// An address is none that keys can be had from safely.
    #[error("issuer `{name}`: {key}")]
    Url {
        /// The issuer.
        name: String,
        /// The setting.
        key: &'static str,
        /// What is wrong.
        source: UrlError,
    },
    /// An algorithm has no public key, or there is none.
    #[error(
        "issuer `{0}`: algorithms must be some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA"
    )]
    Algorithms(String),
    /// What is needed to ask for its keys is not there.
    #[error("issuer `{name}`")]
    Client {
        /// The issuer.
        name: String,
        /// What is wrong.
        source: FetchError,
    },
}

/// Why keys cannot be had from an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL.
    #[error("`{0}` is not an absolute URL")]
    NotUrl(String),
    /// Whoever is between could put their own keys in the place of the issuer's.
    #[error("`{0}` does not begin with https:// (http:// is for this machine only)")]
    Insecure(String),
    /// Another machine names this one.
    #[error("it is an address of this machine, and the issuer is not on it")]
    Loopback,
    /// It would be shown in logs.
    #[error("the URL must not contain a user or a password")]
    Credentials,
    /// RFC 8414, section 2.
    #[error("`{0}` must have neither a query nor a fragment")]
    Query(String),
}

/// What is asked for first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The configuration, which says where the keys are.
    Discovery(Url),
    /// The keys.
    Keys(Url),
}

/// An issuer whose settings make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) address: Address,
    pub(super) audiences: Vec<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) bearer_token_file: Option<PathBuf>,
}

/// Checks all settings.
pub(super) fn check(settings: &[IssuerSettings]) -> Result<Vec<Checked>, IssuerError> {
    if settings.len() > MOST_ISSUERS {
        return Err(IssuerError::TooMany(settings.len()));
    }
    let mut checked: Vec<Checked> = Vec::with_capacity(settings.len());
    for issuer in settings {
        let issuer = check_one(issuer)?;
        for other in &checked {
            if other.name == issuer.name {
                return Err(IssuerError::SameName(issuer.name));
            }
            if other.url == issuer.url {
                return Err(IssuerError::SameUrl {
                    name: issuer.name,
                    other: other.name.clone(),
                });
            }
        }
        checked.push(issuer);
    }
    Ok(checked)
}

fn check_one(settings: &IssuerSettings) -> Result<Checked, IssuerError> {
    let name = settings.name.clone();
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(letter) {
        return Err(IssuerError::Name(name));
    }
    let wrong = |key| {
        let name = name.clone();
        move |source| IssuerError::Url { name, key, source }
    };
    let issuer = issuer_url(&settings.url).map_err(wrong("url"))?;
    let jwks_url = settings.jwks_url.as_deref().map(keys_url);
    let jwks_url = jwks_url.transpose().map_err(wrong("jwks-url"))?;
    let audiences = &settings.audiences;
    if !(1..=MOST_AUDIENCES).contains(&audiences.len()) || audiences.iter().any(String::is_empty) {
        return Err(IssuerError::Audiences(name));
    }
    let algorithms = settings.algorithms.as_deref().unwrap_or(&USUAL_ALGORITHMS);
    let is_secret = |algorithm: &Algorithm| algorithm.family() == AlgorithmFamily::Hmac;
    if algorithms.is_empty() || algorithms.iter().any(is_secret) {
        return Err(IssuerError::Algorithms(name));
    }
    Ok(Checked {
        url: settings.url.clone(),
        address: jwks_url.map_or_else(|| Address::Discovery(discovery(issuer)), Address::Keys),
        audiences: audiences.clone(),
        algorithms: algorithms.to_vec(),
        ca_file: settings.ca_file.clone(),
        bearer_token_file: settings.bearer_token_file.clone(),
        name,
    })
}

/// As much of a text as a log needs, without what could end its line: an issuer chose it.
pub(super) fn harmless(text: &str) -> String {
    let letters = text.chars().take(LONGEST_SHOWN);
    letters.flat_map(char::escape_debug).collect()
}

fn issuer_url(text: &str) -> Result<Url, UrlError> {
    let url = keys_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlError::Query(harmless(text)));
    }
    Ok(url)
}

/// Reads the address of keys.
pub(super) fn keys_url(text: &str) -> Result<Url, UrlError> {
    let url = Url::parse(text).map_err(|_| UrlError::NotUrl(harmless(text)))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !is_safe || !url.has_host() {
        return Err(UrlError::Insecure(harmless(text)));
    }
    Ok(url)
}

/// Tells whether a URL's host is this machine, whatever a resolver says.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Below the issuer's path (OpenID Connect Discovery 1.0, section 4).
fn discovery(mut issuer: Url) -> Url {
    let path = issuer.path().trim_end_matches('/');
    let path = format!("{path}/.well-known/openid-configuration");
    issuer.set_path(&path);
    issuer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut IssuerSettings)) -> IssuerSettings {
        let mut settings = IssuerSettings {
            name: "github".to_owned(),
            url: "https://token.actions.githubusercontent.com".to_owned(),
            audiences: vec!["https://charts.example".to_owned()],
            jwks_url: None,
            ca_file: None,
            algorithms: None,
            bearer_token_file: None,
        };
        change(&mut settings);
        settings
    }

    fn told(change: impl FnOnce(&mut IssuerSettings)) -> String {
        let error = check(&[settings(change)]).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        match source {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    }

    #[test]
    fn the_configuration_is_below_the_issuers_path() {
        for (url, expected) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example/x/y/",
                "https://a.example/x/y/.well-known/openid-configuration",
            ),
            (
                "http://127.0.0.1:5/x",
                "http://127.0.0.1:5/x/.well-known/openid-configuration",
            ),
            (
                "http://localhost",
                "http://localhost/.well-known/openid-configuration",
            ),
            (
                "http://[::1]:5",
                "http://[::1]:5/.well-known/openid-configuration",
            ),
        ] {
            let checked = check(&[settings(|issuer| issuer.url = url.to_owned())]).unwrap();
            let expected = Address::Discovery(Url::parse(expected).unwrap());
            assert_eq!(checked[0].address, expected);
            assert_eq!(checked[0].algorithms, USUAL_ALGORITHMS);
        }
        let url = "https://a.example/keys?x=1";
        let checked = check(&[settings(|issuer| issuer.jwks_url = Some(url.to_owned()))]);
        let checked = checked.unwrap();
        let expected = Address::Keys(Url::parse(url).unwrap());
        assert_eq!(checked[0].address, expected);
    }

    #[test]
    fn addresses_that_keys_cannot_be_had_from_safely_are_refused() {
        for (url, expected) in [
            ("", "`` is not an absolute URL"),
            ("a.example", "`a.example` is not an absolute URL"),
            (
                "http://a.example",
                "`http://a.example` does not begin with https:// (http:// is for this machine only)",
            ),
            (
                "http://localhost.evil.example",
                "`http://localhost.evil.example` does not begin with https:// (http:// is for this machine only)",
            ),
            (
                "http://127.0.0.1.evil.example",
                "`http://127.0.0.1.evil.example` does not begin with https:// (http:// is for this machine only)",
            ),
            (
                "file:///etc/passwd",
                "`file:///etc/passwd` does not begin with https:// (http:// is for this machine only)",
            ),
            (
                "https://me:hunter2@a.example",
                "the URL must not contain a user or a password",
            ),
        ] {
            let text = told(|issuer| issuer.url = url.to_owned());
            assert_eq!(text, format!("issuer `github`: url: {expected}"));
            let text = told(|issuer| issuer.jwks_url = Some(url.to_owned()));
            assert_eq!(text, format!("issuer `github`: jwks-url: {expected}"));
        }
        for url in ["https://a.example?x", "https://a.example#x"] {
            let text = told(|issuer| issuer.url = url.to_owned());
            assert!(text.ends_with("neither a query nor a fragment"), "{text}");
        }
    }

    #[test]
    fn names_audiences_and_algorithms_are_checked() {
        for name in ["", "Git", "a b", "é", "a\nb", &"x".repeat(65)] {
            let text = told(|issuer| issuer.name = name.to_owned());
            assert!(text.contains("cannot be the name"), "{text}");
        }
        for audiences in [vec![], vec![String::new()], vec!["a".to_owned(); 33]] {
            let text = told(|issuer| issuer.audiences = audiences);
            assert!(text.starts_with("issuer `github`: audiences"), "{text}");
        }
        for algorithms in [vec![], vec![Algorithm::RS256, Algorithm::HS256]] {
            let text = told(|issuer| issuer.algorithms = Some(algorithms));
            assert!(text.starts_with("issuer `github`: algorithms"), "{text}");
        }
    }

    #[test]
    fn two_issuers_differ_in_name_and_url() {
        let first = settings(|_| ());
        let other_url = settings(|issuer| issuer.url = "https://b.example".to_owned());
        let other_name = settings(|issuer| issuer.name = "gh".to_owned());
        let error = check(&[first.clone(), other_url]).unwrap_err();
        assert_eq!(error.to_string(), "two issuers have the name `github`");
        let error = check(&[first.clone(), other_name]).unwrap_err();
        assert_eq!(error.to_string(), "issuer `gh`: `github` has the same URL");
        let error = check(&vec![first; 33]).unwrap_err();
        assert_eq!(error.to_string(), "there are 33 issuers; 32 are the most");
    }
}
