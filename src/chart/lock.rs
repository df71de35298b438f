//! `Chart.lock` and `requirements.lock`: nothing of them is kept, but a chart with a broken one does
//! not load.

use super::Dependency;
use super::metadata::decode::{FieldError, check_finite, dependency, fields, fold, objects, text};
use super::yaml::{Node, Scalar};

/// Why a lock file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// A value of the wrong kind.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// `generated` is not a time as Go reads RFC 3339.
    #[error("field `generated` must be a time such as 2006-01-02T15:04:05Z")]
    Time,
}

/// Checks what Helm checks when it loads the chart.
pub(crate) fn check(document: &Node) -> Result<(), LockError> {
    let mut digest = String::new();
    let mut dependencies: Vec<Option<Dependency>> = Vec::new();
    for (key, value) in fields(document, "the document")? {
        match &*fold(key) {
            "generated" => check_time(value)?,
            "digest" => text(key, value, &mut digest)?,
            "dependencies" => objects(key, value, &mut dependencies, dependency)?,
            _ => check_finite(key, value)?,
        }
    }
    Ok(())
}

fn check_time(value: &Node) -> Result<(), LockError> {
    match value {
        Node::Scalar(Scalar::Null) => Ok(()),
        Node::Scalar(Scalar::Text(text)) if is_go_time(text) => Ok(()),
        _ => Err(LockError::Time),
    }
}

/// Go's `time.Parse(time.RFC3339, text)`: an hour of one digit and a comma before the fraction pass.
fn is_go_time(text: &str) -> bool {
    parse_go_time(text).is_some()
}

fn parse_go_time(text: &str) -> Option<()> {
    let (year, rest) = digits(text, 4, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2, 2)?;
    let (hour, rest) = digits(rest.strip_prefix('T')?, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => digits(fraction, 1, usize::MAX)?.1,
        None => rest,
    };
    chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    if rest == "Z" {
        return Some(());
    }
    let (hours, rest) = digits(rest.strip_prefix(['+', '-'])?, 2, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    (hours <= 24 && minutes <= 60 && rest.is_empty()).then_some(())
}

/// Splits between `least` and `most` leading digits off.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let length = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if length < least {
        return None;
    }
    let (digits, rest) = text.split_at_checked(length)?;
    // Only a fraction is longer than a number can hold, and its value does not matter.
    Some((digits.parse().unwrap_or_default(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_go() {
        let good = [
            "2006-01-02T15:04:05Z",
            "2006-01-02T5:04:05Z",
            "2006-01-02T15:04:05.123456789+05:30",
            "2006-01-02T15:04:05,5-24:60",
            "0000-02-29T00:00:00Z",
        ];
        for text in good {
            assert!(is_go_time(text), "{text}");
        }
        let bad = [
            "",
            "yesterday",
            "2006-01-02",
            "2006-01-02T15:04:05",
            "2006-01-02 15:04:05Z",
            "2006-01-02t15:04:05z",
            "2006-02-30T15:04:05Z",
            "2006-01-02T24:04:05Z",
            "2006-01-02T15:04:60Z",
            "2006-01-02T15:04:05.Z",
            "2006-01-02T15:04:05+25:00",
            "2006-01-02T15:04:05Z ",
        ];
        for text in bad {
            assert!(!is_go_time(text), "{text}");
        }
    }
}
