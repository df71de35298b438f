//! Requests that pages in a browser send.
//!
//! A page of any origin may send a form, or a text, to any server that its browser reaches, also to one
//! on its own machine; only the reply is kept from it. Browsers say in such a request where the page is
//! from. Other clients say nothing, and pass.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, header};

use super::forwarded::SentTo;
use super::hosts::without_port;

/// Where a browser says that a request comes from, in words (W3C Fetch Metadata). No page can set it.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A request that changes something comes from a page of another origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign;

/// Checks where a request that changes something comes from. `allowed` is the origin whose pages may
/// read; that everybody's may (`*`) does not let them write.
pub(super) fn check(request: &Request, allowed: Option<&HeaderValue>) -> Result<(), Foreign> {
    if is_safe(request.method()) {
        return Ok(());
    }
    let headers = request.headers();
    let mut origins = headers.get_all(header::ORIGIN).iter().peekable();
    if origins.peek().is_none() {
        // Only what the page's own server, or a person, makes a browser send.
        let is_own = |site: &HeaderValue| site == "same-origin" || site == "none";
        let is_fine = headers.get_all(&SITE).iter().all(is_own);
        return if is_fine { Ok(()) } else { Err(Foreign) };
    }
    let is_allowed = |origin: &HeaderValue| {
        allowed.is_some_and(|allowed| allowed == origin && allowed != "*" && allowed != "null")
    };
    if origins.all(|origin| is_allowed(origin) || is_own(request, origin)) {
        Ok(())
    } else {
        Err(Foreign)
    }
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Tells whether a page is from this server, by the host that the browser names for both. The scheme
/// does not count: a proxy may have taken HTTPS off.
fn is_own(request: &Request, origin: &HeaderValue) -> bool {
    let Some((scheme, origin)) = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |host: &str| {
        let host = host.strip_suffix(default_port).unwrap_or(host);
        host.to_ascii_lowercase()
    };
    let origin = plain(origin);
    let is_same = |host: &str| !without_port(host).is_empty() && plain(host) == origin;
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(Authority::as_str));
    let sent_to = request.extensions().get::<SentTo>();
    let forwarded = sent_to.and_then(|sent_to| sent_to.host.as_deref());
    host.is_some_and(is_same) || forwarded.is_some_and(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(method: Method, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri("/api/charts");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    fn post(headers: &[(&str, &str)]) -> Result<(), Foreign> {
        check(&request(Method::POST, headers), None)
    }

    #[test]
    fn pages_of_the_server_itself_and_programs_may_write() {
        let host = ("host", "localhost:8879");
        for headers in [
            &[][..],
            &[host],
            &[host, ("origin", "http://localhost:8879")],
            &[
                host,
                ("origin", "http://localhost:8879"),
                ("sec-fetch-site", "same-origin"),
            ],
            &[host, ("sec-fetch-site", "same-origin")],
            &[host, ("sec-fetch-site", "none")],
            // TLS ends at a proxy, which passes the host on.
            &[
                ("host", "charts.example"),
                ("origin", "https://charts.example"),
            ],
            &[
                ("host", "Charts.example:443"),
                ("origin", "https://charts.example"),
            ],
        ] {
            assert_eq!(post(headers), Ok(()), "{headers:?}");
        }
    }

    #[test]
    fn pages_of_others_may_not_write() {
        let host = ("host", "localhost:8879");
        let own = ("origin", "http://localhost:8879");
        for headers in [
            &[host, ("origin", "http://evil.example")][..],
            &[host, ("origin", "http://localhost:3000")],
            &[host, ("origin", "http://localhost")],
            &[host, ("origin", "null")],
            &[host, ("origin", "")],
            &[host, ("origin", "localhost:8879")],
            &[host, ("origin", "file://localhost:8879")],
            &[host, ("origin", "http://localhost:8879@evil.example")],
            &[host, ("origin", "http://evil.example:8879")],
            &[host, own, ("origin", "http://evil.example")],
            &[("origin", "http://localhost:8879")],
            &[("host", ""), ("origin", "http://")],
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "same-site")],
            &[host, ("sec-fetch-site", "anything")],
        ] {
            assert_eq!(post(headers), Err(Foreign), "{headers:?}");
        }
        for method in [Method::DELETE, Method::PUT, Method::PATCH] {
            let foreign = request(method, &[host, ("origin", "null")]);
            assert_eq!(check(&foreign, None), Err(Foreign));
        }
    }

    #[test]
    fn everybody_may_read() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let foreign = request(method, &[("host", "a"), ("origin", "http://evil.example")]);
            assert_eq!(check(&foreign, None), Ok(()));
        }
    }

    #[test]
    fn an_origin_that_is_configured_may_write_and_everybody_may_not() {
        let by = |origin: &str, allowed: &str| {
            let allowed = HeaderValue::from_str(allowed).unwrap();
            let request = request(Method::POST, &[("host", "a"), ("origin", origin)]);
            check(&request, Some(&allowed))
        };
        let ui = "https://ui.example";
        assert_eq!(by(ui, ui), Ok(()));
        assert_eq!(by("https://evil.example", ui), Err(Foreign));
        assert_eq!(by(ui, "*"), Err(Foreign));
        assert_eq!(by("*", "*"), Err(Foreign));
        assert_eq!(by("null", "null"), Err(Foreign));
    }

    #[test]
    fn behind_a_proxy_that_is_trusted_the_host_is_the_one_it_says() {
        let headers = [
            ("host", "127.0.0.1:8879"),
            ("origin", "https://charts.example"),
        ];
        let mut request = request(Method::POST, &headers);
        assert_eq!(check(&request, None), Err(Foreign));
        request.extensions_mut().insert(SentTo {
            is_https: Some(true),
            host: Some("charts.example".to_owned()),
        });
        assert_eq!(check(&request, None), Ok(()));
    }
}
