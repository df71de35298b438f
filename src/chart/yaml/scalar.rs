//! What a YAML scalar means to Helm: go-yaml v2's resolution, which is YAML 1.1 with its own rules.

use std::fmt::Write as _;

/// A resolved scalar.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the variants are go-yaml's own kinds")]
pub enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Above [`i64::MAX`] only.
    Uint(u64),
    Float(f64),
    Text(Box<str>),
}

/// Why a scalar with an explicit tag cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScalarError {
    /// The text is not of the kind that its tag names.
    #[error("cannot decode `{text}` as a !!{tag}")]
    Tag {
        /// The text, as written.
        text: String,
        /// The tag, without its `!!`.
        tag: String,
    },
    /// Not standard base64.
    #[error("!!binary value contains invalid base64 data")]
    Base64,
}

/// The tag of a scalar, as far as resolution cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// No tag on a plain scalar.
    Implicit,
    /// No tag on a quoted or block scalar.
    Quoted,
    /// `!!name`.
    Standard(&'a str),
    /// Any other tag, `!` included: go-yaml ignores it, but it makes the scalar a text.
    Other,
}

impl Scalar {
    /// Resolves `text`.
    pub(super) fn resolve(text: &str, tag: Tag<'_>) -> Result<Self, ScalarError> {
        let Tag::Standard(name) = tag else {
            return Ok(match tag {
                Tag::Implicit => Self::resolve_plain(text),
                _ => Self::text(text),
            });
        };
        let resolved = Self::resolve_plain(text);
        match (name, resolved) {
            ("binary", _) => {
                let bytes = decode_base64(text).ok_or(ScalarError::Base64)?;
                // Go's JSON encoder replaces what is not UTF-8 in the same way.
                Ok(Self::text(&String::from_utf8_lossy(&bytes)))
            }
            ("bool", value @ Self::Bool(_))
            | ("int", value @ (Self::Int(_) | Self::Uint(_)))
            | ("float", value @ Self::Float(_))
            | ("null", value @ Self::Null) => Ok(value),
            #[expect(clippy::cast_precision_loss, reason = "as go-yaml does")]
            ("float", Self::Int(value)) => Ok(Self::Float(value as f64)),
            ("timestamp", _) if is_timestamp(text) => Ok(Self::text(text)),
            ("bool" | "int" | "float" | "null" | "timestamp", _) => Err(ScalarError::Tag {
                text: text.chars().take(40).collect(),
                tag: name.to_owned(),
            }),
            _ => Ok(Self::text(text)),
        }
    }

    /// Resolves a plain scalar without a tag. Dates stay texts: go-yaml v2 recognises them and then
    /// gives their spelling to anything that is not a time.
    fn resolve_plain(text: &str) -> Self {
        if let Some(word) = resolve_word(text) {
            return word;
        }
        let number = match text.as_bytes().first() {
            Some(b'.') => parse_dotted_float(text),
            Some(b'0'..=b'9' | b'+' | b'-') => parse_number(&text.replace('_', "")),
            _ => None,
        };
        number.unwrap_or_else(|| Self::text(text))
    }

    fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text that Helm puts into a field of type string; `None` for null.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Uint(value) => value.to_string(),
            Self::Float(value) => float_text(*value),
            Self::Text(text) => text.to_string(),
        })
    }

    /// Returns the text of a mapping key; `None` for the kinds that Helm refuses as keys.
    pub(super) fn to_key(&self) -> Option<String> {
        match self {
            Self::Null | Self::Uint(_) => None,
            // The words are YAML's for what 32 bits cannot hold, too.
            Self::Float(value) => Some(match float_text(*value) {
                text if text == "NaN" => ".nan".to_owned(),
                text if text == "+Inf" => ".inf".to_owned(),
                text if text == "-Inf" => "-.inf".to_owned(),
                text => text,
            }),
            other => other.to_text(),
        }
    }
}

fn resolve_word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// Reads a number whose underscores have been removed, in go-yaml's order: a signed integer with
/// any of Go's prefixes, an unsigned one, a decimal float, then its own binary form.
fn parse_number(text: &str) -> Option<Scalar> {
    if let Some(value) = parse_int(text) {
        return Some(Scalar::Int(value));
    }
    if let Some(value) = parse_uint(text) {
        return Some(Scalar::Uint(value));
    }
    if let Some(value) = parse_float(text) {
        return Some(Scalar::Float(value));
    }
    // Unlike Go's own prefixes, this one is followed by any signed number: `0b-1`.
    let digits = text.strip_prefix("0b")?;
    i64::from_str_radix(digits, 2).ok().map(Scalar::Int)
}

/// Go's `strconv.ParseInt(text, 0, 64)` for a text without underscores.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, magnitude) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_uint(magnitude)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Go's `strconv.ParseUint(text, 0, 64)` for a text without underscores: `0x`, `0o` and `0b` in
/// either case, and a leading zero for octal.
fn parse_uint(text: &str) -> Option<u64> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, text.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, text.get(2..)?),
        [b'0', b'b' | b'B', _, ..] => (2, text.get(2..)?),
        [b'0', _, ..] => (8, text.get(1..)?),
        _ => (10, text),
    };
    // Rust takes a sign here and Go does not.
    if !digits.starts_with(|first: char| first.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, in range.
fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let has_digits_only = unsigned
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !has_digits_only || unsigned.starts_with(['+', '-', 'e', 'E']) {
        return None;
    }
    // A number too large is not an error in Rust, but it is in Go, which then keeps the text.
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Go's `strconv.ParseFloat` for a text that begins with a dot; underscores may stand between
/// digits there.
fn parse_dotted_float(text: &str) -> Option<Scalar> {
    let bytes = text.as_bytes();
    for (position, byte) in bytes.iter().enumerate() {
        if *byte != b'_' {
            continue;
        }
        let before = position.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(position + 1);
        if !before.is_some_and(u8::is_ascii_digit) || !after.is_some_and(u8::is_ascii_digit) {
            return None;
        }
    }
    parse_float(&text.replace('_', "")).map(Scalar::Float)
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 32)`: Helm sends every float through 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "as sigs.k8s.io/yaml does")]
fn float_text(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = shortest(value);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return plain(mantissa, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let mut text = mantissa.to_owned();
    // Writing to a String cannot fail.
    let _ = write!(text, "e{sign}{:02}", exponent.unsigned_abs());
    text
}

/// Returns the shortest digits that give `value` back, in the form `1.5e7`.
///
/// Where two of the same length are equally near, Go takes the even one and Rust the larger one.
/// Rounding to a number of digits is done to even by both. (2⁻¹² alone comes out differently, by an
/// exception in the algorithm of recent Go versions.)
fn shortest(value: f32) -> String {
    let shortest = format!("{value:e}");
    let decimals = match shortest.split_once(['.', 'e']) {
        Some((_, rest)) if shortest.contains('.') => rest.find('e').unwrap_or_default(),
        _ => 0,
    };
    let rounded = format!("{value:.decimals$e}");
    if rounded.parse() == Ok(value) {
        rounded
    } else {
        shortest
    }
}

/// Writes `1.5` and 2 as `150`.
fn plain(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let mut digits = mantissa.replace('.', "");
    let before_point = usize::try_from(exponent + 1).unwrap_or_default();
    if before_point == 0 {
        let zeros = usize::try_from(-1 - exponent).unwrap_or_default();
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    }
    if digits.len() <= before_point {
        digits.push_str(&"0".repeat(before_point - digits.len()));
    } else {
        digits.insert(before_point, '.');
    }
    format!("{sign}{digits}")
}

/// Standard base64 with padding; line breaks are skipped, as Go does.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let (quads, rest) = digits.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for (position, quad) in quads.iter().enumerate() {
        let padding = match quad {
            [_, _, b'=', b'='] => 2,
            [_, _, _, b'='] => 1,
            _ => 0,
        };
        if padding > 0 && position + 1 < quads.len() {
            return None;
        }
        let mut bits: u32 = 0;
        for digit in quad.iter().take(4 - padding) {
            bits = bits << 6 | base64_digit(*digit)?;
        }
        bits <<= 6 * padding;
        let [_, group @ ..] = bits.to_be_bytes();
        bytes.extend(group.iter().take(3 - padding));
    }
    Some(bytes)
}

fn base64_digit(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Whether `!!timestamp` takes `text`: go-yaml's four layouts.
fn is_timestamp(text: &str) -> bool {
    let four_digits = text
        .as_bytes()
        .split_first_chunk::<4>()
        .is_some_and(|(year, rest)| year.iter().all(u8::is_ascii_digit) && rest.starts_with(b"-"));
    if !four_digits {
        return false;
    }
    let zoned = text.replacen('t', "T", 1);
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
        || chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").is_ok()
        || chrono::DateTime::parse_from_str(&zoned, "%Y-%m-%dT%H:%M:%S%.f%:z").is_ok()
        || chrono::NaiveDateTime::parse_from_str(&zoned, "%Y-%m-%dT%H:%M:%S%.fZ").is_ok()
}
