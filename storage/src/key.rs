//! The names of objects.

use std::fmt;
use std::str::FromStr;

/// The longest key that every store takes, in bytes.
const LONGEST_KEY: usize = 1024;

/// The longest segment of a key, in bytes; file names end there.
const LONGEST_SEGMENT: usize = 255;

/// The key of an object, below the prefix of a [`Store`](crate::Store).
///
/// It has one or more segments, separated by `/`. No segment is empty, `.` or `..`, holds a control
/// character, ends in `#` and digits (so the local store names uploads that are under way), or is a
/// drive letter such as `C:` or `c|` (which the local store would turn into another name).
/// Nothing is ever escaped: the text is the object's name. Keys are ordered by their bytes, as
/// buckets order them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a text is not a [`Key`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no text at all.
    #[error("the key is empty")]
    Empty,
    /// The text is longer than stores take.
    #[error("a key has {length} bytes; at most {LONGEST_KEY} are allowed")]
    TooLong {
        /// How many bytes the text has.
        length: usize,
    },
    /// One segment is longer than file systems take.
    #[error("a segment of key {key:?} has {length} bytes; at most {LONGEST_SEGMENT} are allowed")]
    SegmentTooLong {
        /// The text.
        key: String,
        /// How many bytes the segment has.
        length: usize,
    },
    /// It begins or ends with `/`, or has two of them in a row.
    #[error("key {key:?} has an empty segment")]
    EmptySegment {
        /// The text.
        key: String,
    },
    /// A segment is `.` or `..`.
    #[error("key {key:?} has a segment `.` or `..`")]
    DotSegment {
        /// The text.
        key: String,
    },
    /// It holds a control character.
    #[error("key {key:?} has a control character")]
    ControlCharacter {
        /// The text.
        key: String,
    },
    /// A segment ends in `#` and digits, or is a drive letter.
    #[error(
        "key {key:?} has a segment that ends in `#` and digits or is a drive letter, which is reserved"
    )]
    Reserved {
        /// The text.
        key: String,
    },
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// Fails if the text breaks one of the rules of [`Key`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns the key of `below` in the folder that this key names.
    ///
    /// # Errors
    /// Fails if `below` or the whole breaks one of the rules of [`Key`].
    pub fn child(&self, below: &str) -> Result<Self, KeyError> {
        Self::parse(&format!("{}/{below}", self.0))
    }

    /// Returns the last segment.
    pub fn name(&self) -> &str {
        self.0
            .rsplit_once('/')
            .map_or(self.0.as_str(), |(_, name)| name)
    }

    /// Returns the whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

pub(crate) fn check(text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > LONGEST_KEY {
        return Err(KeyError::TooLong { length: text.len() });
    }
    for segment in text.split('/') {
        check_segment(text, segment)?;
    }
    Ok(())
}

fn check_segment(text: &str, segment: &str) -> Result<(), KeyError> {
    let key = || text.to_owned();
    if segment.is_empty() {
        return Err(KeyError::EmptySegment { key: key() });
    }
    if segment == "." || segment == ".." {
        return Err(KeyError::DotSegment { key: key() });
    }
    if segment.chars().any(char::is_control) {
        return Err(KeyError::ControlCharacter { key: key() });
    }
    if is_reserved(segment) || is_drive_letter(segment) {
        return Err(KeyError::Reserved { key: key() });
    }
    if segment.len() > LONGEST_SEGMENT {
        return Err(KeyError::SegmentTooLong {
            key: key(),
            length: segment.len(),
        });
    }
    Ok(())
}

/// Tells whether the local store would take a file of this name for an upload under way.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_drive_letter(name: &str) -> bool {
    matches!(name.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_and_odd_names_are_keys() {
        for text in [
            "nginx-1.2.3.tgz",
            ".chartroom/genesis",
            "a+b c%20~#x{}[]^.tgz",
            "…/ünïcode",
            "a#",
            "#1a",
            "...",
        ] {
            assert_eq!(Key::parse(text).unwrap().as_str(), text);
        }
        assert!(Key::parse(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn bad_keys_are_told_apart() {
        let key = |text: &str| text.to_owned();
        let cases = [
            ("", KeyError::Empty),
            ("/a", KeyError::EmptySegment { key: key("/a") }),
            ("a/", KeyError::EmptySegment { key: key("a/") }),
            ("a//b", KeyError::EmptySegment { key: key("a//b") }),
            ("a/../b", KeyError::DotSegment { key: key("a/../b") }),
            (".", KeyError::DotSegment { key: key(".") }),
            ("a\0", KeyError::ControlCharacter { key: key("a\0") }),
            (
                "a\u{85}",
                KeyError::ControlCharacter {
                    key: key("a\u{85}"),
                },
            ),
            ("a#1", KeyError::Reserved { key: key("a#1") }),
            ("a#b#12", KeyError::Reserved { key: key("a#b#12") }),
            ("a#1/b", KeyError::Reserved { key: key("a#1/b") }),
            ("C:", KeyError::Reserved { key: key("C:") }),
            ("a/c|/b", KeyError::Reserved { key: key("a/c|/b") }),
        ];
        for (text, expected) in cases {
            assert_eq!(Key::parse(text), Err(expected), "{text:?}");
        }
        assert!(matches!(
            Key::parse(&"a".repeat(256)),
            Err(KeyError::SegmentTooLong { length: 256, .. })
        ));
        assert!(matches!(
            Key::parse(&"a/".repeat(600)),
            Err(KeyError::TooLong { .. })
        ));
    }

    #[test]
    fn children_and_names() {
        let folder = Key::parse(".chartroom/log").unwrap();
        let record = folder.child("0001").unwrap();
        assert_eq!(record.as_str(), ".chartroom/log/0001");
        assert_eq!(record.name(), "0001");
        assert_eq!(Key::parse("a").unwrap().name(), "a");
        assert!(folder.child("..").is_err());
        assert!(folder.child("").is_err());
    }

    proptest! {
        #[test]
        fn every_key_is_a_path_as_it_is(text in "\\PC{1,40}") {
            if let Ok(key) = Key::parse(&text) {
                let path = object_store::path::Path::parse(key.as_str()).unwrap();
                prop_assert_eq!(path.as_ref(), text.as_str());
            }
        }
    }
}
