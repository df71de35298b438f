//! Whom a request is from, and where it was sent to, behind proxies: `Forwarded` (RFC 7239) and the
//! `X-Forwarded-*` headers that came before it.
//!
//! Anybody can send these headers. They are read from the right, which is where each proxy adds what it
//! knows, as long as what says it is a proxy that is trusted. Without such a list none is believed.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use super::Client;

const X_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The proxies whose word is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Where a request was sent to, as trusted proxies say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SentTo {
    /// Whether by HTTPS.
    pub(super) is_https: Option<bool>,
    /// A host, and perhaps a port.
    pub(super) host: Option<String>,
}

/// What trusted proxies say of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    client: Option<IpAddr>,
    sent_to: SentTo,
}

impl From<Vec<IpNet>> for TrustedProxies {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// Notes in a request what trusted proxies say of it.
    pub(super) fn note(&self, request: &mut Request) {
        if self.0.is_empty() {
            return;
        }
        let Some(client) = request.extensions().get::<Client>().copied() else {
            return;
        };
        let peer = client.peer.ip().to_canonical();
        if !self.trusts(peer) {
            return;
        }
        let Said {
            client: forwarded,
            sent_to,
        } = self.said(request.headers(), peer);
        let extensions = request.extensions_mut();
        extensions.insert(Client {
            forwarded,
            ..client
        });
        extensions.insert(sent_to);
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// A proxy sets one of the two and may pass on what a client wrote into the other: where both are
    /// there and do not agree, neither is believed.
    fn said(&self, headers: &HeaderMap, peer: IpAddr) -> Said {
        let standard = headers
            .contains_key(header::FORWARDED)
            .then(|| self.by_forwarded(headers, peer));
        let names = [X_FOR, X_PROTO, X_HOST];
        let has_older = names.iter().any(|name| headers.contains_key(name));
        let older = has_older.then(|| self.by_older(headers, peer));
        match (standard, older) {
            (Some(standard), Some(older)) if standard.client == older.client => Said {
                client: older.client,
                sent_to: SentTo {
                    is_https: standard.sent_to.is_https.or(older.sent_to.is_https),
                    host: standard.sent_to.host.or(older.sent_to.host),
                },
            },
            (Some(_), Some(_)) | (None, None) => Said::default(),
            (Some(said), None) | (None, Some(said)) => said,
        }
    }

    fn by_forwarded(&self, headers: &HeaderMap, peer: IpAddr) -> Said {
        let mut said = Said::default();
        let mut speaker = peer;
        for hop in elements(headers, &header::FORWARDED).iter().rev() {
            if !self.trusts(speaker) {
                break;
            }
            let Some(hop) = Hop::parse(hop) else {
                break;
            };
            if hop.sent_to.is_https.is_some() {
                said.sent_to.is_https = hop.sent_to.is_https;
            }
            if hop.sent_to.host.is_some() {
                said.sent_to.host = hop.sent_to.host;
            }
            // Unknown, or a name that only the proxy understands: what is left of it cannot be judged.
            let Some(client) = hop.client else {
                break;
            };
            said.client = Some(client);
            speaker = client;
        }
        said
    }

    fn by_older(&self, headers: &HeaderMap, peer: IpAddr) -> Said {
        let mut said = Said::default();
        let mut speaker = peer;
        let mut hops = 0;
        for text in elements(headers, &X_FOR).iter().rev() {
            if !self.trusts(speaker) {
                break;
            }
            let Some(client) = address(text) else {
                break;
            };
            hops += 1;
            said.client = Some(client);
            speaker = client;
        }
        // What the outermost of these proxies says. One that is alone in its list was set, not added.
        let of = |name: &HeaderName| {
            let values = elements(headers, name);
            let position = values.len().saturating_sub(hops.max(1));
            values.get(position).cloned()
        };
        said.sent_to.is_https = of(&X_PROTO).as_deref().and_then(is_https);
        said.sent_to.host = of(&X_HOST).as_deref().and_then(host);
        said
    }
}

/// One element of `Forwarded`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hop {
    client: Option<IpAddr>,
    sent_to: SentTo,
}

impl Hop {
    /// Reads `for=192.0.2.1;proto=https;host="charts.example:8443"`; `None` for what is none of it.
    fn parse(text: &str) -> Option<Self> {
        let mut hop = Self::default();
        for pair in split(text, ';') {
            let (name, value) = pair.split_once('=')?;
            let value = unquoted(value)?;
            match name.to_ascii_lowercase().as_str() {
                "for" => hop.client = address(&value),
                "proto" => hop.sent_to.is_https = is_https(&value),
                "host" => hop.sent_to.host = host(&value),
                _ => {}
            }
        }
        Some(hop)
    }
}

/// Returns the elements of all fields of a name, in order: several fields are one list (RFC 9110,
/// section 5.3). Of a field that is no text nothing is known, and nothing of those before it.
fn elements(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let mut elements = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            Ok(text) => elements.extend(split(text, ',').map(str::to_owned)),
            Err(_) => elements.push(String::new()),
        }
    }
    elements
}

/// Splits at a sign that is not within quotes, and trims the parts.
fn split(text: &str, sign: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |letter| {
        let is_literal = std::mem::take(&mut is_escaped);
        match letter {
            '\\' if is_quoted && !is_literal => is_escaped = true,
            '"' if !is_literal => is_quoted = !is_quoted,
            _ => {}
        }
        letter == sign && !is_quoted
    })
    .map(str::trim)
}

/// Reads a token or a quoted text.
fn unquoted(text: &str) -> Option<String> {
    let Some(text) = text.strip_prefix('"') else {
        return (!text.contains('"')).then(|| text.to_owned());
    };
    let text = text.strip_suffix('"')?;
    let mut is_escaped = false;
    let plain = text.chars().filter(|letter| {
        is_escaped = *letter == '\\' && !is_escaped;
        !is_escaped
    });
    Some(plain.collect())
}

/// Reads an address with or without a port; an IPv6 address with one is in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

fn is_https(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("https") {
        Some(true)
    } else if text.eq_ignore_ascii_case("http") {
        Some(false)
    } else {
        None
    }
}

fn host(text: &str) -> Option<String> {
    let authority = text.parse::<Authority>().ok()?;
    (!authority.as_str().contains('@')).then(|| authority.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        let networks = networks.iter().map(|text| text.parse().unwrap());
        networks.collect::<Vec<IpNet>>().into()
    }

    /// The client and where it sent the request to, of a request from a peer with headers.
    fn noted(
        proxies: &TrustedProxies,
        peer: &str,
        headers: &[(&str, &str)],
    ) -> (String, Option<SentTo>) {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        request.extensions_mut().insert(Client::at(peer));
        proxies.note(&mut request);
        let client = request.extensions().get::<Client>().unwrap().ip();
        (client.to_string(), request.extensions().get().cloned())
    }

    #[test]
    fn nothing_is_believed_of_those_who_are_not_trusted() {
        let headers = [
            ("forwarded", "for=192.0.2.9;proto=https;host=evil.example"),
            ("x-forwarded-for", "192.0.2.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        for proxies in [TrustedProxies::default(), proxies(&["10.0.0.0/8"])] {
            let noted = noted(&proxies, "192.0.2.1", &headers);
            assert_eq!(noted, ("192.0.2.1".to_owned(), None));
        }
    }

    #[test]
    fn the_client_is_the_first_from_the_right_who_is_not_trusted() {
        let proxies = proxies(&["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"]);
        for (peer, name, value, client) in [
            ("10.0.0.1", "x-forwarded-for", "192.0.2.1", "192.0.2.1"),
            // Whatever the client wrote itself is left of what the proxy added.
            (
                "10.0.0.1",
                "x-forwarded-for",
                "127.0.0.1, 198.51.100.7 ,192.0.2.1",
                "192.0.2.1",
            ),
            (
                "10.0.0.1",
                "x-forwarded-for",
                "198.51.100.7, 192.0.2.1, 10.1.1.1",
                "192.0.2.1",
            ),
            // All of them are: the outermost.
            (
                "10.0.0.1",
                "x-forwarded-for",
                "10.2.2.2,10.1.1.1",
                "10.2.2.2",
            ),
            ("10.0.0.1", "x-forwarded-for", "192.0.2.1:4711", "192.0.2.1"),
            ("10.0.0.1", "x-forwarded-for", "2001:db8::1", "2001:db8::1"),
            (
                "10.0.0.1",
                "x-forwarded-for",
                "[2001:db8::1]:4711",
                "2001:db8::1",
            ),
            ("10.0.0.1", "forwarded", "for=192.0.2.1", "192.0.2.1"),
            (
                "fd00::1",
                "forwarded",
                "For=\"[2001:db8::1]:4711\"; by=10.0.0.1;proto=http",
                "2001:db8::1",
            ),
            (
                "10.0.0.1",
                "forwarded",
                "for=198.51.100.7, for=192.0.2.1;host=\"a,b;c\\\"\", for=10.9.9.9",
                "192.0.2.1",
            ),
            // An IPv4 peer on a socket of both families.
            (
                "::ffff:10.0.0.1",
                "x-forwarded-for",
                "::ffff:192.0.2.1",
                "192.0.2.1",
            ),
        ] {
            assert_eq!(
                noted(&proxies, peer, &[(name, value)]).0,
                client,
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn garbage_ends_what_is_believed() {
        let proxies = proxies(&["10.0.0.0/8"]);
        let long = "1,".repeat(10_000);
        for (name, value, client) in [
            ("x-forwarded-for", "", "10.0.0.1"),
            ("x-forwarded-for", ",", "10.0.0.1"),
            ("x-forwarded-for", "unknown", "10.0.0.1"),
            ("x-forwarded-for", "192.0.2.1, evil", "10.0.0.1"),
            ("x-forwarded-for", "192.0.2.1, 10.2.2.2;x", "10.0.0.1"),
            ("x-forwarded-for", "192.0.2.1, x, 10.2.2.2", "10.2.2.2"),
            ("x-forwarded-for", "999.0.0.1", "10.0.0.1"),
            ("x-forwarded-for", "[::1", "10.0.0.1"),
            ("x-forwarded-for", "192.0.2.1\u{e9}", "10.0.0.1"),
            ("x-forwarded-for", &long, "10.0.0.1"),
            ("forwarded", "", "10.0.0.1"),
            ("forwarded", "for", "10.0.0.1"),
            ("forwarded", "for=", "10.0.0.1"),
            ("forwarded", "for=unknown", "10.0.0.1"),
            ("forwarded", "for=_hidden, for=10.2.2.2", "10.2.2.2"),
            ("forwarded", "for=192.0.2.1, for=_hidden", "10.0.0.1"),
            ("forwarded", "for=\"192.0.2.1", "10.0.0.1"),
            ("forwarded", "for=192.0.2.1\"", "10.0.0.1"),
            ("forwarded", "for=192.0.2.1;;", "10.0.0.1"),
            ("forwarded", "=192.0.2.1", "10.0.0.1"),
            ("forwarded", &long, "10.0.0.1"),
        ] {
            assert_eq!(
                noted(&proxies, "10.0.0.1", &[(name, value)]).0,
                client,
                "{name}: {value:.40}"
            );
        }
    }

    #[test]
    fn several_fields_of_a_name_are_one_list() {
        let proxies = proxies(&["10.0.0.0/8"]);
        for name in ["x-forwarded-for", "forwarded"] {
            let prefix = if name == "forwarded" { "for=" } else { "" };
            let value = |address: &str| format!("{prefix}{address}");
            let (first, second) = (value("192.0.2.1"), value("10.2.2.2"));
            let fields = [(name, first.as_str()), (name, second.as_str())];
            assert_eq!(noted(&proxies, "10.0.0.1", &fields).0, "192.0.2.1");
            let fields = [(name, second.as_str()), (name, first.as_str())];
            assert_eq!(noted(&proxies, "10.0.0.1", &fields).0, "192.0.2.1");
        }
    }

    #[test]
    fn of_two_headers_that_contradict_each_other_neither_is_believed() {
        let proxies = proxies(&["10.0.0.0/8"]);
        let forged = [
            ("forwarded", "for=198.51.100.7;host=evil.example"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        let nothing = ("10.0.0.1".to_owned(), Some(SentTo::default()));
        assert_eq!(noted(&proxies, "10.0.0.1", &forged), nothing);
        let both = [
            ("forwarded", "for=192.0.2.1;proto=https"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-host", "charts.example"),
        ];
        let expected = SentTo {
            is_https: Some(true),
            host: Some("charts.example".to_owned()),
        };
        assert_eq!(
            noted(&proxies, "10.0.0.1", &both),
            ("192.0.2.1".to_owned(), Some(expected))
        );
    }

    #[test]
    fn where_the_request_was_sent_is_what_the_outermost_proxy_says() {
        let proxies = proxies(&["10.0.0.0/8"]);
        let sent_to = |headers: &[(&str, &str)]| noted(&proxies, "10.0.0.1", headers).1.unwrap();
        let is = |https: Option<bool>, host: Option<&str>| SentTo {
            is_https: https,
            host: host.map(str::to_owned),
        };
        for (headers, expected) in [
            (
                &[(
                    "forwarded",
                    "for=192.0.2.1;proto=https;host=a:8443, for=10.2.2.2;proto=http;host=b",
                )][..],
                is(Some(true), Some("a:8443")),
            ),
            // The left element is the client's own.
            (
                &[(
                    "forwarded",
                    "for=1.1.1.1;proto=https;host=evil, for=192.0.2.1;proto=http",
                )],
                is(Some(false), None),
            ),
            (
                &[
                    ("x-forwarded-for", "192.0.2.1, 10.2.2.2"),
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-host", "a,b"),
                ],
                is(Some(true), Some("a")),
            ),
            (
                &[
                    ("x-forwarded-for", "1.1.1.1, 192.0.2.1"),
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-host", "evil, b"),
                ],
                is(Some(false), Some("b")),
            ),
            (
                &[
                    ("x-forwarded-for", "192.0.2.1, 10.2.2.2"),
                    ("x-forwarded-proto", "HTTPS"),
                    ("x-forwarded-host", "[2001:db8::1]:80"),
                ],
                is(Some(true), Some("[2001:db8::1]:80")),
            ),
            (
                &[
                    ("x-forwarded-proto", "gopher"),
                    ("x-forwarded-host", "user@a"),
                ],
                is(None, None),
            ),
            (&[("x-forwarded-host", "a b")], is(None, None)),
        ] {
            assert_eq!(sent_to(headers), expected, "{headers:?}");
        }
    }
}
