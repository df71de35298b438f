//! Where an archive is found: the joining of URLs that Helm does with Go's `net/url` and `path`.
//!
//! It differs from the URL standard that browsers follow, in what it escapes above all, and the
//! outcome is text that stands in the index; so it is written out here (helm-facts 1.3).

use std::fmt::{self, Write as _};
use std::net::Ipv6Addr;

/// Returns the URL of `file`, a name in the sub-directory `folder` of the indexed directory (empty for
/// the directory itself), below `base`, which may be empty.
pub(super) fn of_file(base: &str, folder: &str, file: &str) -> String {
    let parent = join(base, folder);
    if parent.is_empty() {
        // Helm escapes nothing here.
        return file.to_owned();
    }
    join(&parent, file)
}

/// Tells whether a base URL such as `localhost:8080/charts` is one whose path Helm never looks at, so
/// that all files get the base itself as their URL.
pub(super) fn is_opaque(base: &str) -> bool {
    Url::parse(base).is_some_and(|url| !url.opaque.is_empty())
}

fn join(base: &str, name: &str) -> String {
    if let Some(url) = Url::parse(base) {
        let path = join_paths(&url.path, name.as_bytes());
        return url.with_path(path).to_string();
    }
    let path = join_paths(base.as_bytes(), name.as_bytes());
    String::from_utf8_lossy(&path).into_owned()
}

/// Go's `path.Join`: empty parts are left out, `.`, `..` and double slashes resolved.
fn join_paths(left: &[u8], right: &[u8]) -> Vec<u8> {
    let joined = match (left.is_empty(), right.is_empty()) {
        (true, true) => return Vec::new(),
        (true, false) => right.to_vec(),
        (false, true) => left.to_vec(),
        (false, false) => [left, b"/", right].concat(),
    };
    let is_rooted = joined.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in joined.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(last) if *last != b".." => {
                    parts.pop();
                }
                // There is nothing above the root.
                _ if is_rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let cleaned = parts.join(&b'/');
    match (is_rooted, cleaned.is_empty()) {
        (true, _) => [b"/", &*cleaned].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => cleaned,
    }
}

/// A URL as Go's `url.Parse` takes it apart. What comes out as it went in is kept as text; the path is
/// not, since Go writes it with its own choice of escapes.
struct Url<'a> {
    scheme: String,
    opaque: &'a str,
    user: Option<String>,
    /// A path follows the scheme at once, as in `s3:/b`.
    omits_host: bool,
    host: String,
    /// Without escapes; it need not be UTF-8 then.
    path: Vec<u8>,
    query: Option<&'a str>,
    fragment: Option<String>,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        let (text, fragment) = match text.split_once('#') {
            Some((text, fragment)) => (text, Some(fragment)),
            None => (text, None),
        };
        let (scheme, rest) = split_scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let mut url = Self {
            scheme: scheme.to_ascii_lowercase(),
            opaque: "",
            user: None,
            omits_host: false,
            host: String::new(),
            path: Vec::new(),
            query,
            fragment: match fragment {
                Some(fragment) if !fragment.is_empty() => Some(fragment_text(fragment)?),
                _ => None,
            },
        };
        if !rest.starts_with('/') {
            if !scheme.is_empty() && !rest.is_empty() {
                url.opaque = rest;
                return Some(url);
            }
            // `a:b` would be taken for a scheme.
            let first = rest.split_once('/').map_or(rest, |(first, _)| first);
            if first.contains(':') {
                return None;
            }
        }
        let is_authority = !scheme.is_empty() || !rest.starts_with("///");
        let mut path = rest;
        if let Some(rest) = rest.strip_prefix("//").filter(|_| is_authority) {
            let at = rest.find('/').unwrap_or(rest.len());
            let (authority, after) = rest.split_at_checked(at)?;
            url.set_authority(authority)?;
            path = after;
        } else {
            url.omits_host = !scheme.is_empty() && rest.starts_with('/');
        }
        url.path = unescape(path)?;
        Some(url)
    }

    fn set_authority(&mut self, authority: &str) -> Option<()> {
        let host = match authority.rsplit_once('@') {
            None => authority,
            Some((user, host)) => {
                if !user.bytes().all(is_allowed_in_user) {
                    return None;
                }
                self.user = Some(match user.split_once(':') {
                    None => escape(&unescape(user)?, is_plain_in_user),
                    Some((name, password)) => {
                        let name = escape(&unescape(name)?, is_plain_in_user);
                        let password = escape(&unescape(password)?, is_plain_in_user);
                        format!("{name}:{password}")
                    }
                });
                host
            }
        };
        let (name, port) = self.split_port(host)?;
        if !port.is_empty() && !port.strip_prefix(':')?.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let is_kept = |byte: u8| !byte.is_ascii() || byte == b'%' || is_plain_in_host(byte);
        if name.contains(['[', ']']) || !host.bytes().all(is_kept) {
            return None;
        }
        // Nothing else may be escaped in a host than what is not ASCII, and `%` itself.
        let is_allowed = |(at, _)| {
            let digits = host.get(at + 1..at + 3).unwrap_or_default();
            digits == "25" || !digits.starts_with(|digit| matches!(digit, '0'..='7'))
        };
        if !host.match_indices('%').all(is_allowed) {
            return None;
        }
        let unescaped = unescape(host)?;
        self.host = escape(&unescaped, is_plain_in_host);
        Some(())
    }

    /// Splits `:port` off, if there is one; the name of a literal address is without its brackets.
    fn split_port<'h>(&self, host: &'h str) -> Option<(&'h str, &'h str)> {
        if let Some(literal) = host.strip_prefix('[') {
            let (literal, port) = literal.rsplit_once(']')?;
            let address = literal
                .split_once("%25")
                .map_or(literal, |(address, _)| address);
            address.parse::<Ipv6Addr>().ok()?;
            return Some((literal, port));
        }
        // In the web's own schemes a host has one colon at most.
        let is_web = matches!(&*self.scheme, "http" | "https");
        let colon = if is_web {
            host.find(':')
        } else {
            host.rfind(':')
        };
        host.split_at_checked(colon.unwrap_or(host.len()))
    }

    fn with_path(self, path: Vec<u8>) -> Self {
        Self { path, ..self }
    }
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(formatter, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            self.write_hierarchy(formatter)?;
        } else {
            formatter.write_str(self.opaque)?;
        }
        if let Some(query) = self.query {
            write!(formatter, "?{query}")?;
        }
        match &self.fragment {
            Some(fragment) => write!(formatter, "#{fragment}"),
            None => Ok(()),
        }
    }
}

impl Url<'_> {
    fn write_hierarchy(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match &*self.path {
            b"*" => "*".to_owned(),
            path => escape(path, is_plain_in_path),
        };
        let has_host = !self.host.is_empty() || self.user.is_some();
        let may_have_host = !self.scheme.is_empty() && !self.omits_host && !path.is_empty();
        if has_host || may_have_host {
            formatter.write_str("//")?;
        }
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        formatter.write_str(&self.host)?;
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            formatter.write_str("/")?;
        }
        let first = path.split_once('/').map_or(&*path, |(first, _)| first);
        if self.scheme.is_empty() && !has_host && first.contains(':') {
            // Else it would be read as a scheme.
            formatter.write_str("./")?;
        }
        formatter.write_str(&path)
    }
}

/// Splits a scheme off; returns none when the text begins with a colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return text.split_once(':'),
            _ => break,
        }
    }
    Some(("", text))
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(bytes)
}

fn escape(bytes: &[u8], is_plain: fn(u8) -> bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if is_plain(*byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Returns a fragment as Go prints it: as it is if it holds nothing that must be escaped, and with
/// Go's choice of escapes otherwise.
fn fragment_text(fragment: &str) -> Option<String> {
    let unescaped = unescape(fragment)?;
    let is_kept = |byte| is_plain_in_fragment(byte) || b"'[]%".contains(&byte);
    if fragment.bytes().all(is_kept) {
        return Some(fragment.to_owned());
    }
    Some(escape(&unescaped, is_plain_in_fragment))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

fn is_plain_in_path(byte: u8) -> bool {
    is_unreserved(byte) || b"$&+,/:;=@".contains(&byte)
}

fn is_plain_in_fragment(byte: u8) -> bool {
    is_plain_in_path(byte) || b"!()*?".contains(&byte)
}

fn is_plain_in_user(byte: u8) -> bool {
    is_unreserved(byte) || b"$&+,;=".contains(&byte)
}

fn is_allowed_in_user(byte: u8) -> bool {
    is_unreserved(byte) || b":!$&'()*+,;=%@".contains(&byte)
}

fn is_plain_in_host(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:[]<>\"".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_joined_as_helm_joins_them() {
        // Base, folder, file and what Helm's code made of them.
        for line in include_str!("../../../tests/vectors/urls.jsonl").lines() {
            let (base, folder, file, expected): (String, String, String, String) =
                serde_json::from_str(line).unwrap();
            let url = of_file(&base, &folder, &file);
            assert_eq!(url, expected, "{base:?} {folder:?} {file:?}");
        }
    }

    #[test]
    fn a_base_without_slashes_after_its_scheme_is_opaque() {
        assert!(is_opaque("localhost:8080/charts"));
        for base in [
            "http://localhost:8080/charts",
            "",
            "charts",
            "s3:/b",
            "://bad",
        ] {
            assert!(!is_opaque(base), "{base}");
        }
    }
}
