//! The names that this server answers to.
//!
//! A page in somebody's browser can name its own host in DNS and, a moment later, let that name mean
//! 127.0.0.1 (DNS rebinding). To the browser it is then of one origin with the server on its machine,
//! and may read and write there. It cannot change the name, which the `Host` header tells.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::HOST;

/// Which hosts requests may name. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Any.
    Any,
    /// Names and addresses of the machine itself, and these: on a loopback address.
    Loopback(Vec<String>),
    /// The same, and every address: pages cannot be of one, and probes use them.
    Named(Vec<String>),
}

impl Default for Hosts {
    fn default() -> Self {
        Self::Loopback(Vec::new())
    }
}

/// Why a request is refused for its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongHost {
    /// There are several (RFC 9112, section 3.2).
    Several,
    /// It is not a name of this server.
    Unknown,
}

impl Hosts {
    /// Returns the rule for a listener and the names that are configured.
    pub fn of_listener(address: IpAddr, names: Vec<String>) -> Self {
        if address.is_loopback() {
            Self::Loopback(names)
        } else if names.is_empty() {
            Self::Any
        } else {
            Self::Named(names)
        }
    }

    /// Checks the host of a request, as the client wrote it: what a proxy says in its place a page
    /// could say as well. Clients without a host are no browsers.
    pub(super) fn check(&self, request: &Request) -> Result<(), WrongHost> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(WrongHost::Several);
        }
        if *self == Self::Any {
            return Ok(());
        }
        let host = host.map(|host| host.to_str().unwrap_or("\0"));
        let authority = request.uri().authority();
        let is_known = host.is_none_or(|host| self.knows(host))
            && authority.is_none_or(|authority| self.knows(authority.as_str()));
        if is_known {
            Ok(())
        } else {
            Err(WrongHost::Unknown)
        }
    }

    fn knows(&self, host: &str) -> bool {
        let name = without_port(host);
        let names = match self {
            Self::Any => return true,
            Self::Loopback(names) | Self::Named(names) => names,
        };
        let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(name).parse::<IpAddr>() {
            let is_named = matches!(self, Self::Named(_));
            return is_named
                || address.to_canonical().is_loopback()
                || names.iter().any(|it| it.parse() == Ok(address));
        }
        // A dot at the end says that nothing is missing there.
        let name = name.strip_suffix('.').unwrap_or(name);
        is_localhost(name) || names.iter().any(|it| it.eq_ignore_ascii_case(name))
    }
}

/// Names that always mean this machine (RFC 6761, section 6.3).
fn is_localhost(name: &str) -> bool {
    const LOCALHOST: &str = "localhost";
    let start = name.len().saturating_sub(LOCALHOST.len());
    match name.split_at_checked(start) {
        Some((before, end)) => {
            end.eq_ignore_ascii_case(LOCALHOST) && (before.is_empty() || before.ends_with('.'))
        }
        None => false,
    }
}

/// Cuts a port, if there is one: `[::1]:80`, `a:80`.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn check(hosts: &Hosts, uri: &str, host: &[&str]) -> Result<(), WrongHost> {
        let mut request = Request::builder().uri(uri);
        for value in host {
            request = request.header(HOST, value.as_bytes());
        }
        hosts.check(&request.body(Body::empty()).unwrap())
    }

    fn loopback(names: &[&str]) -> Hosts {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Hosts::of_listener("127.0.0.1".parse().unwrap(), names)
    }

    #[test]
    fn a_loopback_listener_answers_to_names_of_the_machine() {
        let hosts = loopback(&["charts.example", "192.0.2.1"]);
        for host in [
            "localhost",
            "LocalHost:8879",
            "localhost.",
            "charts.localhost:80",
            "127.0.0.1",
            "127.0.0.1:8879",
            "127.1.2.3:1",
            "[::1]:8879",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]:80",
            "charts.example",
            "CHARTS.example.:8443",
            "192.0.2.1:80",
        ] {
            assert_eq!(check(&hosts, "/", &[host]), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8879",
            "xlocalhost",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "charts.example.evil",
            "x.charts.example",
            "192.0.2.2",
            "0.0.0.0",
            "[::]",
            "localhost:x",
            "localhost:80:80",
            "a@localhost",
            "é.localhostx",
            "\u{e9}",
        ] {
            assert_eq!(
                check(&hosts, "/", &[host]),
                Err(WrongHost::Unknown),
                "{host}"
            );
        }
        assert_eq!(check(&hosts, "/", &[]), Ok(()));
        // HTTP/1 with a whole URL, and HTTP/2.
        let uri = "http://evil.example/";
        assert_eq!(check(&hosts, uri, &["localhost"]), Err(WrongHost::Unknown));
        assert_eq!(check(&hosts, uri, &[]), Err(WrongHost::Unknown));
        assert_eq!(check(&hosts, "http://localhost:1/", &["localhost"]), Ok(()));
    }

    #[test]
    fn another_listener_answers_to_all_names_unless_some_are_configured() {
        let everywhere = "0.0.0.0".parse().unwrap();
        let any = Hosts::of_listener(everywhere, Vec::new());
        assert_eq!(check(&any, "/", &["whatever.example"]), Ok(()));
        let named = Hosts::of_listener(everywhere, vec!["charts.example".to_owned()]);
        for host in [
            "charts.example:80",
            "10.0.0.7:8080",
            "[fd00::1]",
            "localhost",
        ] {
            assert_eq!(check(&named, "/", &[host]), Ok(()), "{host}");
        }
        let other = check(&named, "/", &["whatever.example"]);
        assert_eq!(other, Err(WrongHost::Unknown));
    }

    #[test]
    fn a_request_has_one_host() {
        for hosts in [Hosts::Any, loopback(&[])] {
            let two = check(&hosts, "/", &["localhost", "localhost"]);
            assert_eq!(two, Err(WrongHost::Several));
        }
    }
}
