//! Versions as Helm reads them: Masterminds semver 3.5.0, loose.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Helm 3.21 and 4.2 refuse longer texts.
const MAX_BYTES: usize = 256;

/// A chart version: its spelling, kept, and its precedence.
///
/// `v` in front is allowed, one to three numbers, `-pre.release` and `+metadata`. The order is semver
/// precedence, ascending: the metadata and the spelling do not count, so that `v1.2.3` and `1.2.3+a`
/// compare as equal though they are different versions. Therefore `==` compares precedence too; use
/// [`ChartVersion::as_str`] for identity.
#[derive(Clone, Debug)]
pub struct ChartVersion {
    text: Box<str>,
    numbers: [u64; 3],
    /// Byte range of the pre-release in `text`; empty for a release.
    pre: (u16, u16),
}

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Longer than Helm accepts.
    #[error("version is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not `[v]N[.N[.N]][-pre][+meta]`.
    #[error("version `{0}` is not semantic: expected `MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]`")]
    Malformed(String),
}

impl ChartVersion {
    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns major, minor and patch; a missing one is 0.
    pub fn numbers(&self) -> [u64; 3] {
        self.numbers
    }

    /// Returns the pre-release without its hyphen; empty for a release.
    pub fn pre_release(&self) -> &str {
        self.text
            .get(usize::from(self.pre.0)..usize::from(self.pre.1))
            .unwrap_or_default()
    }
}

impl FromStr for ChartVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_BYTES {
            return Err(VersionError::TooLong);
        }
        parse(text).ok_or_else(|| VersionError::Malformed(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<ChartVersion> {
    let body = text.strip_prefix('v').unwrap_or(text);
    let (body, metadata) = split_once(body, '+');
    let (core, pre) = split_once(body, '-');
    if !metadata.is_none_or(|list| list.split('.').all(is_identifier)) {
        return None;
    }
    if !pre.is_none_or(|list| list.split('.').all(is_pre_release_identifier)) {
        return None;
    }
    let mut numbers = [0; 3];
    let mut parts = core.split('.');
    for (position, number) in numbers.iter_mut().enumerate() {
        match parts.next() {
            Some(part) if is_digits(part) => *number = part.parse().ok()?,
            None if position > 0 => break,
            _ => return None,
        }
    }
    if parts.next().is_some() {
        return None;
    }
    let start = text.len() - body.len() - metadata.map_or(0, |list| list.len() + 1) + core.len();
    let pre = match pre {
        Some(list) => (start + 1, start + 1 + list.len()),
        None => (start, start),
    };
    let pre = (u16::try_from(pre.0).ok()?, u16::try_from(pre.1).ok()?);
    Some(ChartVersion {
        text: text.into(),
        numbers,
        pre,
    })
}

fn split_once(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_pre_release_identifier(text: &str) -> bool {
    is_identifier(text) && !(is_digits(text) && text.len() > 1 && text.starts_with('0'))
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl PartialEq for ChartVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ChartVersion {}

impl PartialOrd for ChartVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChartVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| pre_release_order(self.pre_release(), other.pre_release()))
    }
}

fn pre_release_order(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let mut left = left.split('.');
            let mut right = right.split('.');
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    (None, Some(_)) => return Ordering::Less,
                    (Some(_), None) => return Ordering::Greater,
                    (Some(left), Some(right)) => {
                        let order = identifier_order(left, right);
                        if order != Ordering::Equal {
                            return order;
                        }
                    }
                }
            }
        }
    }
}

fn identifier_order(left: &str, right: &str) -> Ordering {
    // A number beyond 64 bits counts as a text, as in Masterminds.
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VECTORS: &str = include_str!("../../tests/vectors/versions.tsv");

    #[test]
    fn parses_and_sorts_as_masterminds_does() {
        let mut previous: Option<ChartVersion> = None;
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let mut columns = line.split('\t');
            let quoted = columns.next().unwrap();
            let is_equal = quoted.starts_with('=');
            let text: String = serde_json::from_str(quoted.trim_start_matches('=')).unwrap();
            let numbers = columns.next().unwrap();
            let parsed = text.parse::<ChartVersion>();
            if numbers == "invalid" {
                assert!(parsed.is_err(), "{text:?}");
                continue;
            }
            let version = parsed.unwrap_or_else(|error| panic!("{text:?}: {error}"));
            let [major, minor, patch] = version.numbers();
            assert_eq!(format!("{major}.{minor}.{patch}"), numbers, "{text}");
            assert_eq!(version.pre_release(), columns.next().unwrap(), "{text}");
            assert_eq!(version.as_str(), text);
            if let Some(previous) = previous {
                let expected = if is_equal {
                    Ordering::Equal
                } else {
                    Ordering::Less
                };
                assert_eq!(previous.cmp(&version), expected, "{previous} {version}");
            }
            previous = Some(version);
        }
    }

    #[test]
    fn the_order_of_semver_holds() {
        let ascending = [
            "1.0.0-0",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0--",
            "1.0.0-A",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0",
            "1.0.1",
            "1.2",
            "v1.10",
            "2",
        ];
        for pair in ascending.windows(2) {
            let [left, right] =
                [pair[0], pair[1]].map(|text| text.parse::<ChartVersion>().unwrap());
            assert!(left < right, "{left} {right}");
        }
    }

    /// The version becomes part of a file name, whoever wrote it.
    #[test]
    fn only_characters_that_are_safe_in_file_names_pass() {
        for character in '\0'..=char::MAX {
            let is_safe = character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+');
            for text in [
                format!("1.0.0-a{character}b"),
                format!("1.0.0+a{character}b"),
            ] {
                assert!(is_safe || text.parse::<ChartVersion>().is_err(), "{text:?}");
            }
        }
    }

    fn versions() -> impl Strategy<Value = ChartVersion> {
        "v?[0-3](\\.[0-3]){0,2}(-(0|1|10|a|b)(\\.(0|2|a)){0,2})?(\\+x)?"
            .prop_map(|text| text.parse().unwrap())
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in versions(), b in versions(), c in versions()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&a), Ordering::Equal);
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
            if a == b {
                prop_assert_eq!(a.cmp(&c), b.cmp(&c));
            }
        }

        #[test]
        fn the_text_is_kept(text in "\\PC{0,20}") {
            if let Ok(version) = text.parse::<ChartVersion>() {
                prop_assert_eq!(version.to_string(), text);
            }
        }

        #[test]
        fn the_order_agrees_with_the_strict_one(
            a in (0_u64..3, 0_u64..3, 0_u64..3),
            b in (0_u64..3, 0_u64..3, 0_u64..3),
        ) {
            let version = |(x, y, z): (u64, u64, u64)| -> ChartVersion {
                format!("{x}.{y}.{z}").parse().unwrap()
            };
            prop_assert_eq!(version(a).cmp(&version(b)), a.cmp(&b));
        }
    }
}
