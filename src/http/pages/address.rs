//! Where a repository is, as a person may type it.

use axum::extract::Request;
use axum::http::header;
use axum::http::uri::{Authority, Scheme};
use chartroom_storage::RepositoryPath;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::forwarded::SentTo;
use crate::http::settings::Settings;

/// A repository, and the words of `helm repo add` for it. People copy them into a shell, and a link that
/// somebody sent them may have led them to the page: nothing here means anything to a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The repository's path; empty for the root.
    pub(super) name: String,
    /// What it may be called.
    pub(super) alias: String,
    /// Its URL.
    pub(super) url: String,
}

/// Everything but what RFC 3986 section 2.3 never wants escaped, and the slashes between segments.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Where the server listens if nobody says otherwise.
const DEFAULT_HOST: &str = "127.0.0.1:8879";

impl Address {
    /// Returns the address that a request, for the path `below` it, found the repository at. If archives have a URL that is
    /// configured, the repository is beside it.
    pub(super) fn of(
        request: &Request,
        below: &str,
        settings: &Settings,
        path: &RepositoryPath,
        url_base: &str,
    ) -> Self {
        let configured = url_base
            .strip_suffix("/charts/")
            .filter(|url| url.contains("://"));
        let url = configured.map_or_else(|| seen(request, below, settings, path), str::to_owned);
        Self {
            name: path.as_str().to_owned(),
            alias: alias(path),
            url,
        }
    }
}

/// Returns the URL that the request was sent to, without what is after the repository; but with that of
/// `helm serve`, for whoever is there.
fn seen(request: &Request, below: &str, settings: &Settings, path: &RepositoryPath) -> String {
    let origin = origin(request);
    let context_path = &settings.context_path;
    let slash = if path.is_root() { "" } else { "/" };
    let path = escape(path.as_str());
    let end = below.trim_end_matches('/');
    format!("{origin}{context_path}{slash}{path}{end}")
}

fn origin(request: &Request) -> String {
    let (uri, headers) = (request.uri(), request.headers());
    let sent_to = request.extensions().get::<SentTo>();
    let is_https = sent_to.and_then(|sent_to| sent_to.is_https);
    let is_https = is_https.unwrap_or(uri.scheme() == Some(&Scheme::HTTPS));
    let scheme = if is_https { "https" } else { "http" };
    let forwarded = sent_to.and_then(|sent_to| sent_to.host.as_deref());
    let host = headers.get(header::HOST);
    let host = forwarded.or(host.and_then(|value| value.to_str().ok()));
    let host = host.or(uri.authority().map(Authority::as_str));
    let is_plain = |host: &&str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        !host.is_empty() && host.bytes().all(is_allowed)
    };
    let host = host.filter(is_plain).unwrap_or(DEFAULT_HOST);
    format!("{scheme}://{host}")
}

/// The last segment, as far as helm takes it for a name.
fn alias(path: &RepositoryPath) -> String {
    let last = path.segments().last().unwrap_or_default();
    let plain = last.chars().map(|letter| {
        let is_plain = letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
        if is_plain { letter } else { '-' }
    });
    let plain: String = plain.collect();
    match plain.trim_matches('-') {
        "" => "local".to_owned(),
        plain => plain.to_owned(),
    }
}

/// Escapes a path for a URL.
pub(super) fn escape(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

/// Returns what stands before the links of a page, which are relative to its folder: a path without a
/// slash at its end is not a folder to a browser. Only a context path has none.
pub(super) fn link_base(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::ContextPath;
    use axum::body::Body;

    fn address(request: (&str, &[(&str, &str)]), path: &str, url_base: &str) -> Address {
        forwarded(request, path, url_base, None)
    }

    fn forwarded(
        (uri, headers): (&str, &[(&str, &str)]),
        path: &str,
        url_base: &str,
        sent_to: Option<SentTo>,
    ) -> Address {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(sent_to) = sent_to {
            request = request.extension(sent_to);
        }
        let settings = Settings {
            context_path: ContextPath::parse("ctx").unwrap(),
            ..Settings::default()
        };
        let path = RepositoryPath::parse(path).unwrap();
        let request = request.body(Body::empty()).unwrap();
        Address::of(&request, request.uri().path(), &settings, &path, url_base)
    }

    #[test]
    fn a_repository_is_where_the_request_found_it() {
        let host = ("host", "charts.example:8080");
        let https = ("x-forwarded-proto", "https");
        let relative = "charts/";
        for (request, path, url_base, url) in [
            (
                ("/", &[host][..]),
                "",
                relative,
                "http://charts.example:8080/ctx",
            ),
            (
                ("/charts/", &[host]),
                "",
                relative,
                "http://charts.example:8080/ctx/charts",
            ),
            (
                ("/", &[host]),
                "org/team",
                relative,
                "http://charts.example:8080/ctx/org/team",
            ),
            (
                ("/charts/", &[host]),
                "org",
                relative,
                "http://charts.example:8080/ctx/org/charts",
            ),
            // Anybody can say so.
            (
                ("/", &[host, https]),
                "",
                relative,
                "http://charts.example:8080/ctx",
            ),
            (
                ("https://[::1]:8443/", &[]),
                "",
                relative,
                "https://[::1]:8443/ctx",
            ),
            (("/", &[]), "", relative, "http://127.0.0.1:8879/ctx"),
            (
                ("/", &[host]),
                "org",
                "https://cdn.example/org/charts/",
                "https://cdn.example/org",
            ),
        ] {
            assert_eq!(
                address(request, path, url_base).url,
                url,
                "{request:?} {path}"
            );
        }
    }

    #[test]
    fn behind_a_trusted_proxy_a_repository_is_where_the_proxy_found_it() {
        let request = ("/", &[("host", "127.0.0.1:8879")][..]);
        for (is_https, host, url) in [
            (
                Some(true),
                Some("charts.example"),
                "https://charts.example/ctx",
            ),
            (Some(true), None, "https://127.0.0.1:8879/ctx"),
            (None, Some("a:81"), "http://a:81/ctx"),
            (None, Some("a$(x)"), "http://127.0.0.1:8879/ctx"),
        ] {
            let host = host.map(str::to_owned);
            let sent_to = Some(SentTo { is_https, host });
            assert_eq!(forwarded(request, "", "charts/", sent_to).url, url);
        }
    }

    #[test]
    fn what_is_copied_into_a_shell_means_nothing_to_it() {
        for host in ["a$(x)", "a;b", "a b", "a'b", "user@a", ""] {
            let address = address(("/", &[("host", host)]), "", "charts/");
            assert_eq!(address.url, "http://127.0.0.1:8879/ctx", "{host}");
        }
        let odd = address(("/", &[]), "a/$(rm -rf ~);`x`&|'\"<>é", "charts/");
        assert_eq!(
            odd.url,
            "http://127.0.0.1:8879/ctx/a/%24%28rm%20-rf%20~%29%3B%60x%60%26%7C%27%22%3C%3E%C3%A9"
        );
        assert_eq!(odd.alias, "rm--rf-----x");
        for (path, alias) in [
            ("", "local"),
            ("org/team", "team"),
            ("--x", "x"),
            ("é", "local"),
        ] {
            assert_eq!(address(("/", &[]), path, "charts/").alias, alias, "{path}");
        }
    }

    #[test]
    fn links_begin_where_the_folder_of_the_page_is() {
        for (path, base) in [
            ("/", ""),
            ("/ctx", "ctx"),
            ("/ctx/", ""),
            ("/a/b", "b"),
            ("/a/b/", ""),
        ] {
            assert_eq!(link_base(path), base, "{path}");
        }
    }
}
