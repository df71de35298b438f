//! Conditional requests and ranges (RFC 9110, sections 13 and 14).
//!
//! The order of section 13.2.2: If-Match, else If-Unmodified-Since; If-None-Match, else
//! If-Modified-Since; then, for GET, Range with If-Range.

use std::ops::Range;

use axum::http::{HeaderMap, Method, header};
use headers::{
    ETag, HeaderMapExt, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince,
    LastModified,
};

/// What identifies the current representation.
#[derive(Clone, Debug)]
pub(super) struct Validators {
    pub(super) etag: ETag,
    pub(super) last_modified: Option<LastModified>,
}

/// How a GET or HEAD of an existing representation is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// 412.
    PreconditionFailed,
    /// 304.
    NotModified,
    /// 200 with all of it.
    Whole,
    /// 206 with these bytes.
    Part(Range<u64>),
    /// 416.
    Unsatisfiable,
}

/// Evaluates the preconditions of a request.
pub(super) fn evaluate(headers: &HeaderMap, validators: &Validators) -> Outcome {
    let Validators {
        etag,
        last_modified,
    } = validators;
    let modified = last_modified.map(std::time::SystemTime::from);
    if let Some(condition) = headers.typed_get::<IfMatch>() {
        if !condition.precondition_passes(etag) {
            return Outcome::PreconditionFailed;
        }
    } else if let Some(condition) = headers.typed_get::<IfUnmodifiedSince>()
        && let Some(modified) = modified
        && !condition.precondition_passes(modified)
    {
        return Outcome::PreconditionFailed;
    }
    if let Some(condition) = headers.typed_get::<IfNoneMatch>() {
        if !condition.precondition_passes(etag) {
            return Outcome::NotModified;
        }
    } else if let Some(condition) = headers.typed_get::<IfModifiedSince>()
        && let Some(modified) = modified
        && !condition.is_modified(modified)
    {
        return Outcome::NotModified;
    }
    Outcome::Whole
}

/// The same, for a representation of `size` bytes of which a part may be asked for.
pub(super) fn evaluate_with_range(
    method: &Method,
    headers: &HeaderMap,
    validators: &Validators,
    size: u64,
) -> Outcome {
    let outcome = evaluate(headers, validators);
    if outcome != Outcome::Whole || method != Method::GET {
        return outcome;
    }
    let is_stale = headers.contains_key(header::IF_RANGE)
        && headers.typed_get::<IfRange>().is_none_or(|condition| {
            condition.is_modified(Some(&validators.etag), validators.last_modified.as_ref())
        });
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    match range.filter(|_| !is_stale).and_then(parse) {
        Some(range) => range.of(size),
        None => Outcome::Whole,
    }
}

/// One range of bytes. `headers::Range` does not clamp, and takes a suffix that is longer than the
/// content for one that cannot be satisfied (section 14.1.2 says it is the whole content).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spec {
    From(u64, Option<u64>),
    Last(u64),
}

/// Several ranges, other units and malformed ones are `None`: a server may ignore the header
/// (section 14.2).
fn parse(value: &str) -> Option<Spec> {
    let (unit, specs) = value.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") || specs.contains(',') {
        return None;
    }
    let (first, last) = specs.trim().split_once('-')?;
    if first.is_empty() {
        return number(last).map(Spec::Last);
    }
    let first = number(first)?;
    if last.is_empty() {
        return Some(Spec::From(first, None));
    }
    let last = number(last)?;
    (first <= last).then_some(Spec::From(first, Some(last)))
}

/// A number that is too large for us is larger than any content.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

impl Spec {
    fn of(self, size: u64) -> Outcome {
        let range = match self {
            Self::From(first, last) => {
                first..last.map_or(size, |last| last.saturating_add(1).min(size))
            }
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() {
            Outcome::Unsatisfiable
        } else {
            Outcome::Part(range)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const TIME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn validators() -> Validators {
        let time = httpdate(TIME);
        Validators {
            etag: "\"a\"".parse().unwrap(),
            last_modified: Some(time),
        }
    }

    fn httpdate(text: &'static str) -> LastModified {
        let mut headers = HeaderMap::new();
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static(text));
        headers.typed_get().unwrap()
    }

    fn outcome(method: &Method, fields: &[(HeaderName, &'static str)]) -> Outcome {
        let fields = fields.iter().cloned();
        let headers = fields
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect();
        evaluate_with_range(method, &headers, &validators(), 10)
    }

    #[test]
    fn preconditions_are_evaluated_in_the_order_of_the_rfc() {
        use header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        for (fields, expected) in [
            (vec![], Outcome::Whole),
            (vec![(IF_NONE_MATCH, "\"a\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "W/\"a\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "\"b\", \"a\"")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "*")], Outcome::NotModified),
            (vec![(IF_NONE_MATCH, "\"b\"")], Outcome::Whole),
            (
                vec![(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, AFTER)],
                Outcome::Whole,
            ),
            (vec![(IF_MODIFIED_SINCE, TIME)], Outcome::NotModified),
            (vec![(IF_MODIFIED_SINCE, BEFORE)], Outcome::Whole),
            (vec![(IF_MODIFIED_SINCE, "yesterday")], Outcome::Whole),
            (vec![(IF_MATCH, "\"b\"")], Outcome::PreconditionFailed),
            (vec![(IF_MATCH, "W/\"a\"")], Outcome::PreconditionFailed),
            (
                vec![(IF_MATCH, "\"a\""), (IF_NONE_MATCH, "\"a\"")],
                Outcome::NotModified,
            ),
            (
                vec![(IF_MATCH, "\"a\""), (IF_UNMODIFIED_SINCE, BEFORE)],
                Outcome::Whole,
            ),
            (
                vec![(IF_UNMODIFIED_SINCE, BEFORE)],
                Outcome::PreconditionFailed,
            ),
            (vec![(IF_UNMODIFIED_SINCE, TIME)], Outcome::Whole),
        ] {
            assert_eq!(outcome(&Method::GET, &fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn one_range_is_a_part_and_everything_else_the_whole() {
        for (value, expected) in [
            ("bytes=0-0", Outcome::Part(0..1)),
            ("bytes=2-", Outcome::Part(2..10)),
            ("Bytes=2-4", Outcome::Part(2..5)),
            ("bytes=2-99", Outcome::Part(2..10)),
            ("bytes=0-18446744073709551615", Outcome::Part(0..10)),
            ("bytes=-3", Outcome::Part(7..10)),
            ("bytes=-99", Outcome::Part(0..10)),
            ("bytes=-0", Outcome::Unsatisfiable),
            ("bytes=10-", Outcome::Unsatisfiable),
            ("bytes=99999999999999999999-", Outcome::Unsatisfiable),
            ("bytes=0-1,3-4", Outcome::Whole),
            ("bytes=4-2", Outcome::Whole),
            ("bytes=", Outcome::Whole),
            ("bytes=-", Outcome::Whole),
            ("bytes=a-b", Outcome::Whole),
            ("bytes=+1-2", Outcome::Whole),
            ("lines=1-2", Outcome::Whole),
        ] {
            assert_eq!(
                outcome(&Method::GET, &[(header::RANGE, value)]),
                expected,
                "{value}"
            );
        }
        let head = outcome(&Method::HEAD, &[(header::RANGE, "bytes=0-0")]);
        assert_eq!(head, Outcome::Whole);
    }

    #[test]
    fn if_range_sends_the_whole_when_the_client_holds_another_version() {
        for (condition, expected) in [
            ("\"a\"", Outcome::Part(0..1)),
            ("W/\"a\"", Outcome::Whole),
            ("\"b\"", Outcome::Whole),
            (TIME, Outcome::Part(0..1)),
            (BEFORE, Outcome::Whole),
            ("junk", Outcome::Whole),
        ] {
            let fields = [(header::RANGE, "bytes=0-0"), (header::IF_RANGE, condition)];
            assert_eq!(outcome(&Method::GET, &fields), expected, "{condition}");
        }
        let fields = [
            (header::RANGE, "bytes=0-0"),
            (header::IF_NONE_MATCH, "\"a\""),
        ];
        assert_eq!(outcome(&Method::GET, &fields), Outcome::NotModified);
    }
}
