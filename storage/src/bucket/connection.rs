//! The HTTP client of a bucket.

use std::fs;
use std::path::Path;
use std::time::Duration;

use object_store::{BackoffConfig, Certificate, ClientOptions, HeaderValue, RetryConfig};
use url::Url;

use super::{BucketError, BucketOptions};
use crate::Timeouts;

/// Connections are used again for so long. Servers close idle ones (Node's after 5 s, S3's after
/// some 20 s), and a write that meets the closing is in doubt, since it is not sent again.
const IDLE: Duration = Duration::from_secs(4);

/// The `User-Agent` of our requests.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("chartroom/", env!("CARGO_PKG_VERSION")));

/// Completes the client's options, in which the service's own variables are already.
///
/// The deadlines of [`Store`](crate::Store) end every operation; those of the client only see to it
/// that no connection outlives them by much. A download has no limit as a whole: its reader may be
/// slow, which is no fault of the store.
pub(super) fn complete(
    client: ClientOptions,
    options: &BucketOptions,
    ca_variable: Option<&str>,
    timeouts: Timeouts,
) -> Result<ClientOptions, BucketError> {
    let mut client = client
        .with_user_agent(USER_AGENT)
        .with_timeout_disabled()
        .with_connect_timeout(timeouts.small)
        .with_read_timeout(timeouts.transfer.max(timeouts.small))
        .with_pool_idle_timeout(IDLE);
    let bundle = options.ca_certificate.as_deref();
    if let Some(path) = bundle.or_else(|| ca_variable.map(Path::new)) {
        for certificate in read_certificates(path)? {
            client = client.with_root_certificate(certificate);
        }
    }
    Ok(client)
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, BucketError> {
    let pem = fs::read(path).map_err(|source| BucketError::File {
        path: path.to_owned(),
        source,
    })?;
    let content = |what: String| BucketError::Content {
        path: path.to_owned(),
        what,
    };
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|error| content(error.to_string()))?;
    if certificates.is_empty() {
        return Err(content("it holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

/// The client never sends anything again: reads are tried again by [`Store`](crate::Store), writes
/// by nobody, since a create or replace in doubt must not be sent twice. (Below it, hyper takes
/// another connection for a request of which nothing was sent yet: that is no doubt.)
pub(super) fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}

/// Credentials may be asked for again: that changes nothing. Few and short, within the deadline of
/// the operation that needs them.
pub(super) fn credential_retries(timeouts: Timeouts) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_millis(500),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: timeouts.small,
    }
}

/// Reads the URL of a server. One without a scheme is taken for `https`, as ChartMuseum's SDK does.
pub(super) fn parse_endpoint(text: &str) -> Result<Url, BucketError> {
    // What stands before an `@` may be a password.
    let fail = || {
        let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
        BucketError::Endpoint(shown.to_owned())
    };
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&text).map_err(|_| fail())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() || !plain {
        return Err(fail());
    }
    Ok(url)
}

/// Returns the URL without a slash at its end, as the library wants it.
pub(super) fn without_slash(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_urls_of_servers() {
        let cases = [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("https://minio.example/", "https://minio.example"),
            ("minio.example:9000", "https://minio.example:9000"),
            ("http://host/account/", "http://host/account"),
        ];
        for (text, expected) in cases {
            let url = parse_endpoint(text).unwrap();
            assert_eq!(without_slash(&url), expected, "{text}");
        }
        for text in [
            "",
            "ftp://host",
            "http://",
            "http://host?x",
            "http://a:b@host",
        ] {
            assert!(parse_endpoint(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bundle_without_a_certificate_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "no certificate").unwrap();
        assert!(matches!(
            read_certificates(file.path()),
            Err(BucketError::Content { .. })
        ));
        assert!(matches!(
            read_certificates(Path::new("/nonexistent/ca.pem")),
            Err(BucketError::File { .. })
        ));
    }
}
