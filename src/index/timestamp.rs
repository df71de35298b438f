//! Times as Go's `encoding/json` prints them, which is how Helm writes `created` and `generated`.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};

/// Formats `time` as RFC 3339 with up to nine fractional digits, trailing zeros cut, and `Z` for an
/// offset of zero.
pub fn format(time: &DateTime<FixedOffset>) -> String {
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    );
    // In a leap second chrono counts on beyond a second's nanoseconds; Go has no leap seconds.
    let nanoseconds = time.nanosecond().min(999_999_999);
    if nanoseconds > 0 {
        let digits = format!("{nanoseconds:09}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    // Helm's format has no seconds in an offset: they are cut, as Go cuts them.
    let minutes = time.offset().local_minus_utc() / 60;
    if minutes == 0 {
        text.push('Z');
        return text;
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    // Writing to a text cannot fail.
    let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    text
}

/// Returns Go's zero time, which stands for a missing one.
pub fn zero() -> DateTime<FixedOffset> {
    // Seconds from 0001-01-01 to 1970-01-01.
    DateTime::from_timestamp(-62_135_596_800, 0)
        .unwrap_or_default()
        .fixed_offset()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_go_prints_them() {
        for text in [
            "2024-02-29T23:59:59Z",
            "2024-02-29T23:59:59.123456789Z",
            "2024-02-29T23:59:59.1+05:30",
            "2024-02-29T23:59:59.000001-11:00",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(format(&DateTime::parse_from_rfc3339(text).unwrap()), text);
        }
        let time = DateTime::parse_from_rfc3339("2024-02-29T23:59:59.120000000+00:00").unwrap();
        assert_eq!(format(&time), "2024-02-29T23:59:59.12Z");
        assert_eq!(format(&zero()), "0001-01-01T00:00:00Z");
    }
}
