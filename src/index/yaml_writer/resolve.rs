//! Which texts a YAML 1.1 reader would take for something else than a text.
//!
//! This is go-yaml v2's resolver as far as a yes or no goes (helm-facts 1.6, rule R), so that exactly
//! the texts that Helm quotes are quoted.

/// Tells whether `text`, written plain, would be read as null, a boolean, a number or a time.
pub(super) fn is_other_than_text(text: &str) -> bool {
    match text.bytes().next() {
        None => true,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            is_word(text)
        }
        Some(b'.') => is_point_word(text) || is_point_float(text),
        Some(b'+' | b'-') => {
            let unsigned = text.get(1..).unwrap_or_default();
            is_infinity(unsigned) || is_number(text) || is_base_60(text)
        }
        Some(b'0'..=b'9') => is_number(text) || is_time(text) || is_base_60(text),
        Some(_) => false,
    }
}

fn is_word(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~",
    ];
    let is_capitalised = || {
        text.get(1..)
            .is_some_and(|rest| !rest.bytes().any(|byte| byte.is_ascii_uppercase()))
    };
    let is_upper = || !text.bytes().any(|byte| byte.is_ascii_lowercase());
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) && (is_capitalised() || is_upper())
}

fn is_point_word(text: &str) -> bool {
    is_infinity(text) || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn is_infinity(text: &str) -> bool {
    matches!(text, ".inf" | ".Inf" | ".INF")
}

/// A number that begins with a digit or a sign. Underscores may stand anywhere in it.
fn is_number(text: &str) -> bool {
    let text: String = text.chars().filter(|character| *character != '_').collect();
    is_integer(&text) || is_float(&text)
}

/// An integer of 64 bits as Go's `ParseInt` and `ParseUint` read it with base 0, or `0b` and a signed
/// binary number.
fn is_integer(text: &str) -> bool {
    let (is_negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let is_signed = unsigned.len() < text.len();
    if let Some(digits) = text.strip_prefix("0b")
        && i64::from_str_radix(digits, 2).is_ok()
    {
        return true;
    }
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..)),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..)),
        [b'0', _, ..] => (8, unsigned.get(1..)),
        _ => (10, Some(unsigned)),
    };
    let digits = digits.unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let Ok(value) = u64::from_str_radix(digits, radix) else {
        return false;
    };
    // Only a number without a sign may use all 64 bits.
    match (is_negative, is_signed) {
        (true, _) => value <= 1 << 63,
        (false, true) => value < 1 << 63,
        (false, false) => true,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, and not too large for 64 bits.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    if let Some(exponent) = exponent
        && !is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
    {
        return false;
    }
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    is_mantissa && unsigned.parse().is_ok_and(f64::is_finite)
}

/// A number that begins with a point, where underscores may stand between digits only.
fn is_point_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_separator = |(at, byte): (usize, &u8)| {
        *byte != b'_' || (at > 0 && is_digit(at - 1) && is_digit(at + 1))
    };
    // Go allows no second underscore in a row, and none at an end.
    bytes.iter().enumerate().all(is_separator) && is_float(&text.replace('_', ""))
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_loose = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let (number, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = number.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    for part in parts {
        match part.as_bytes() {
            [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'] => count += 1,
            _ => return false,
        }
    }
    count > 0
        && first.starts_with(|digit: char| digit.is_ascii_digit())
        && is_loose(first)
        && is_loose(fraction)
}

/// A date, a date and a time with a zone, or a date, spaces and a time without one, as Go's
/// `time.Parse` reads go-yaml's layouts.
fn is_time(text: &str) -> bool {
    let (Some(year), Some(rest)) = (text.get(..4), text.get(4..)) else {
        return false;
    };
    if !is_digits(year) {
        return false;
    }
    let mut reader = Reader { rest };
    let Some((month, day)) = reader.date() else {
        return false;
    };
    if !(1..=12).contains(&month) || !(1..=days_in(month, year)).contains(&day) {
        return false;
    }
    if reader.rest.is_empty() {
        return true;
    }
    if let Some(rest) = reader.rest.strip_prefix(['T', 't']) {
        reader.rest = rest;
        return reader.time().is_some() && is_zone(reader.rest);
    }
    if let Some(rest) = reader.rest.strip_prefix(' ') {
        reader.rest = rest.trim_start_matches(' ');
        return reader.time().is_some() && reader.rest.is_empty();
    }
    false
}

fn days_in(month: u32, year: &str) -> u32 {
    let year: u32 = year.parse().unwrap_or_default();
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `Z` or `±hh:mm`; Go allows 24 hours and 60 minutes.
fn is_zone(text: &str) -> bool {
    match text.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', hours @ .., b':', m1, m2] if hours.len() == 2 => {
            let two = |digits: &[u8]| {
                let text = std::str::from_utf8(digits).unwrap_or_default();
                if is_digits(text) {
                    text.parse::<u32>().ok()
                } else {
                    None
                }
            };
            let (hours, minutes) = (two(hours), two(&[*m1, *m2]));
            hours.is_some_and(|hours| hours <= 24) && minutes.is_some_and(|minutes| minutes <= 60)
        }
        _ => false,
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Reads `-M-D`.
    fn date(&mut self) -> Option<(u32, u32)> {
        self.mark('-')?;
        let month = self.number()?;
        self.mark('-')?;
        Some((month, self.number()?))
    }

    /// Reads `h:m:s` and a fraction, if there is one.
    fn time(&mut self) -> Option<()> {
        let hour = self.number()?;
        self.mark(':')?;
        let minute = self.number()?;
        self.mark(':')?;
        let second = self.number()?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        if let Some(fraction) = self.rest.strip_prefix(['.', ','])
            && fraction.starts_with(|digit: char| digit.is_ascii_digit())
        {
            self.rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        }
        Some(())
    }

    fn mark(&mut self, mark: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(mark)?;
        Some(())
    }

    /// Reads one or two digits.
    fn number(&mut self) -> Option<u32> {
        let digits = self.rest.bytes().take(2).take_while(u8::is_ascii_digit);
        let (number, rest) = self.rest.split_at_checked(digits.count())?;
        self.rest = rest;
        number.parse().ok()
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_resolve_to_other_types_are_found() {
        let others = "y Y n N yes Yes YES no on ON off Off true True TRUE ~ null NULL .nan .NaN .inf \
             +.inf -.INF 0 1 -1 +1 08 010 0o7 0x1F 0X1f 0b11 -0b11 0b-1 1_000 _1 1_ 1. 1.5 -.5 1e3 1E-3 .5 \
             .1_0 .5e1_0 1:20 190:20:30.15 -1:20 2020-01-01 2020-1-2 2020-02-29 \
             2001-12-14T21:59:43Z 2001-12-14t21:59:43.10-05:00 18446744073709551615 \
             -9223372036854775808 20230615.1 9999999999999999999999";
        for text in others.split_whitespace().filter(|text| *text != "_1") {
            assert!(is_other_than_text(text), "{text}");
        }
        assert!(is_other_than_text(""));
        assert!(is_other_than_text("2001-12-14  21:59:43.10"));
    }

    #[test]
    fn texts_that_stay_texts_are_left_alone() {
        let texts = "= << 0x 1e + - . .. .e5 NaN Infinity inf yEs tRUE nULL 1.2.3 v1.0 1e400 .5e999 ._5 .5_ \
             .1__0 1:60 1: :20 2020-02-30 2021-02-29 2020-13-01 2020-1 202-01-01 \
             2001-12-14T21:59:43 2001-12-14T21:59:43z 0b12 0o8 0xg 1,000 _1 +-1 --1 0b";
        for text in texts.split_whitespace() {
            assert!(!is_other_than_text(text), "{text}");
        }
        assert!(!is_other_than_text("2001-12-14 21:59:43.10 -5"));
    }
}
