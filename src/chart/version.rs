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
    match (is_digits(left), is_digits(right)) {
        // Neither has leading zeros, so that the longer one is the larger one, whatever its size.
        (true, true) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => left.cmp(right),
    }
}
