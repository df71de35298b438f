//! How the keys of an issuer are asked for.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use headers::{CacheControl, HeaderMapExt};
use jsonwebtoken::Algorithm;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use serde::Deserialize;
use url::Url;

use super::keys::{KeySet, KeySetError};
use super::settings::{Address, Checked, UrlError, harmless, is_loopback, keys_url};

/// For one request, its body included; keys take two.
const DEADLINE: Duration = Duration::from_secs(5);
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// What an issuer sends is a few kilobytes.
const LARGEST_BODY: usize = 256 << 10;
const LARGEST_TOKEN: u64 = 64 << 10;
const LARGEST_CA_FILE: u64 = 4 << 20;
const ACCEPTED: &str = "application/json, application/jwk-set+json";

/// Why the keys of an issuer cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The authorities' file cannot be read, or holds none.
    #[error("ca-file: {} cannot be read", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There can be no client.
    #[error("there is no TLS client")]
    Client(#[source] reqwest::Error),
    /// The file with a token cannot be read.
    #[error("bearer-token-file: {} cannot be read", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No whole reply came, or not in time.
    #[error("{url} does not answer")]
    Request {
        /// What was asked for.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The reply is a failure or a redirect, which is not followed.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The reply's status.
        status: StatusCode,
    },
    /// The reply does not end where it should.
    #[error("{url} sends more than {LARGEST_BODY} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
    },
    /// The reply is something else.
    #[error("{url} is not the configuration of an issuer")]
    NotConfiguration {
        /// What was asked for.
        url: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The configuration is that of another issuer (OpenID Connect Discovery 1.0, section 4.3).
    #[error("{url} is the configuration of `{issuer}`")]
    OtherIssuer {
        /// What was asked for.
        url: String,
        /// Whose it says it is.
        issuer: String,
    },
    /// The configuration names no address that keys can be had from.
    #[error("{url} names a jwks_uri that cannot be used")]
    KeysUrl {
        /// What was asked for.
        url: String,
        /// Why.
        source: UrlError,
    },
    /// The keys are none.
    #[error("{url} has no keys that can be used")]
    Keys {
        /// What was asked for.
        url: String,
        /// Why.
        source: KeySetError,
    },
}

/// Keys, and how long the issuer says that they last.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    pub(super) max_age: Option<Duration>,
}

/// Where keys come from.
pub(super) trait Source: Send + Sync + 'static {
    /// Asks for the keys. Ends in bounded time.
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, FetchError>>;
}

/// An issuer that is asked over HTTP.
pub(super) struct Http {
    client: Client,
    issuer: String,
    address: Address,
    algorithms: Vec<Algorithm>,
    token_file: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

struct Reply {
    body: Vec<u8>,
    headers: HeaderMap,
}

impl Http {
    pub(super) fn try_new(settings: &Checked) -> Result<Self, FetchError> {
        let mut client = Client::builder()
            .user_agent(concat!("chartroom/", env!("CARGO_PKG_VERSION")))
            .timeout(DEADLINE)
            .connect_timeout(CONNECT_DEADLINE)
            // An issuer's keys are where it says. A redirect could lead anywhere, and take the token
            // along.
            .redirect(Policy::none())
            // The environment is read by the configuration, and by nobody else.
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(1);
        if let Some(path) = &settings.ca_file {
            client = client.tls_certs_only(authorities(path)?);
        }
        if let Some(path) = &settings.bearer_token_file {
            // A wrong name is told at start. The token itself is read anew each time: Kubernetes
            // writes another one into the file before it expires.
            drop(token(path)?);
        }
        Ok(Self {
            client: client.build().map_err(FetchError::Client)?,
            issuer: settings.url.clone(),
            address: settings.address.clone(),
            algorithms: settings.algorithms.clone(),
            token_file: settings.bearer_token_file.clone(),
        })
    }

    async fn keys(&self) -> Result<Fetched, FetchError> {
        let url = match &self.address {
            Address::Keys(url) => url.clone(),
            Address::Discovery(url) => self.keys_address(url).await?,
        };
        let reply = self.get(&url).await?;
        let keys = KeySet::parse(&reply.body, &self.algorithms);
        let keys = keys.map_err(|source| FetchError::Keys {
            url: shown(&url),
            source,
        })?;
        let lasts = reply.headers.typed_get::<CacheControl>();
        let max_age = lasts.and_then(|lasts| {
            let is_kept = !lasts.no_store() && !lasts.no_cache();
            if is_kept {
                lasts.max_age()
            } else {
                Some(Duration::ZERO)
            }
        });
        Ok(Fetched { keys, max_age })
    }

    /// Asks the issuer's configuration where its keys are.
    async fn keys_address(&self, discovery: &Url) -> Result<Url, FetchError> {
        let reply = self.get(discovery).await?;
        let url = || shown(discovery);
        let configuration: Configuration = serde_json::from_slice(&reply.body)
            .map_err(|source| FetchError::NotConfiguration { url: url(), source })?;
        // Else one issuer of a host could speak for another.
        if configuration.issuer != self.issuer {
            let issuer = harmless(&configuration.issuer);
            return Err(FetchError::OtherIssuer { url: url(), issuer });
        }
        keys_address_of(discovery, &configuration.jwks_uri)
            .map_err(|source| FetchError::KeysUrl { url: url(), source })
    }

    async fn get(&self, url: &Url) -> Result<Reply, FetchError> {
        let failed = |source: reqwest::Error| FetchError::Request {
            url: shown(url),
            source: source.without_url(),
        };
        let mut request = self.client.get(url.clone()).header(ACCEPT, ACCEPTED);
        if let Some(token) = self.token_for(url)? {
            request = request.header(AUTHORIZATION, token);
        }
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            return Err(FetchError::Status {
                url: shown(url),
                status,
            });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(FetchError::TooLarge { url: shown(url) });
            }
            body.extend_from_slice(&chunk);
        }
        let headers = response.headers().clone();
        Ok(Reply { body, headers })
    }

    /// Returns what to ask for `url` with. The token is for the configured address, and for no other
    /// one that the issuer names.
    fn token_for(&self, url: &Url) -> Result<Option<HeaderValue>, FetchError> {
        let (Address::Discovery(ours) | Address::Keys(ours)) = &self.address;
        match &self.token_file {
            Some(path) if url.origin() == ours.origin() => token(path).map(Some),
            _ => Ok(None),
        }
    }
}

impl Source for Http {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        self.keys().boxed()
    }
}

/// Reads the address of keys that an issuer names.
pub(super) fn keys_address_of(discovery: &Url, jwks_uri: &str) -> Result<Url, UrlError> {
    let keys = keys_url(jwks_uri)?;
    // An issuer elsewhere must not make us ask this machine for something.
    if is_loopback(&keys) && !is_loopback(discovery) {
        return Err(UrlError::Loopback);
    }
    Ok(keys)
}

/// A URL as logs show it: a query may hold anything.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let refused = |source| FetchError::Authorities {
        path: path.to_owned(),
        source,
    };
    let pem = read(path, LARGEST_CA_FILE).map_err(refused)?;
    let found =
        Certificate::from_pem_bundle(&pem).map_err(|error| refused(io::Error::other(error)))?;
    if found.is_empty() {
        return Err(refused(io::Error::other("it holds no certificate in PEM")));
    }
    Ok(found)
}

fn token(path: &Path) -> Result<HeaderValue, FetchError> {
    let refused = |source| FetchError::Token {
        path: path.to_owned(),
        source,
    };
    let text = read(path, LARGEST_TOKEN).map_err(refused)?;
    let mut header = b"Bearer ".to_vec();
    header.extend_from_slice(text.trim_ascii());
    let no_token = || refused(io::Error::other("it holds no token"));
    if text.trim_ascii().is_empty() {
        return Err(no_token());
    }
    let mut header = HeaderValue::from_bytes(&header).map_err(|_| no_token())?;
    header.set_sensitive(true);
    Ok(header)
}

fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(largest).read_to_end(&mut bytes)?;
    Ok(bytes)
}
