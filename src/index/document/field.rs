//! The kinds of fields that an index file has, as Helm reads them.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, FixedOffset, Timelike as _};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// A text. Numbers and booleans become texts, as Helm's YAML reader has it; null is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

/// A time; null is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time(pub(super) Option<DateTime<FixedOffset>>);

/// A mapping whose keys must all differ; null is empty.
#[derive(Debug)]
pub(super) struct Unique<T>(pub(super) BTreeMap<String, T>);

/// The keys of a mapping whose values are of no interest.
#[derive(Debug, Default)]
pub(super) struct Names(pub(super) Vec<String>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    /// Too large for 64 bits, and to Helm a float.
    #[expect(clippy::cast_precision_loss, reason = "as go-yaml does")]
    fn visit_u128<E: Error>(self, value: u128) -> Result<String, E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "as go-yaml does")]
    fn visit_i128<E: Error>(self, value: i128) -> Result<String, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<String, E> {
        Ok(crate::chart::yaml::Scalar::Float(value)
            .to_text()
            .unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(Self(None));
        };
        match parse_time(&text) {
            Some(time) => Ok(Self(Some(time))),
            None => Err(D::Error::custom(format!(
                "{text:?} is not an RFC 3339 time"
            ))),
        }
    }
}

/// Reads a time as Go does: `T` and `Z` are capital, the offset is needed, the fraction may follow a
/// comma, and there are no leap seconds.
fn parse_time(text: &str) -> Option<DateTime<FixedOffset>> {
    let is_capital = text.as_bytes().get(10) == Some(&b'T') && !text.ends_with('z');
    let time = DateTime::parse_from_rfc3339(&text.replacen(',', ".", 1)).ok()?;
    (is_capital && time.nanosecond() < 1_000_000_000).then_some(time)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
    type Value = Unique<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<Unique<T>, E> {
        Ok(Unique::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique<T>, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((Text(key), value)) = access.next_entry()? {
            let repeated = format!("key {key:?} occurs twice");
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom(repeated));
            }
        }
        Ok(Unique(map))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some((Text(name), IgnoredAny)) = access.next_entry()? {
            names.push(name);
        }
        Ok(Names(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::timestamp;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", Some("2024-01-02T03:04:05Z")),
            (
                "2024-01-02T03:04:05.500+05:30",
                Some("2024-01-02T03:04:05.5+05:30"),
            ),
            ("2024-01-02T03:04:05,25Z", Some("2024-01-02T03:04:05.25Z")),
            (
                "2024-01-02T03:04:05.1234567891Z",
                Some("2024-01-02T03:04:05.123456789Z"),
            ),
            ("2024-01-02t03:04:05Z", None),
            ("2024-01-02T03:04:05z", None),
            ("2024-01-02 03:04:05Z", None),
            ("2024-01-02T03:04:05", None),
            ("2024-01-02T03:04:60Z", None),
            ("2024-01-02", None),
            ("", None),
        ] {
            let time = parse_time(text).map(|time| timestamp::format(&time));
            assert_eq!(time.as_deref(), expected, "{text}");
        }
    }
}
