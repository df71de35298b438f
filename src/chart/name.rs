//! Names of charts and of the files that hold them.

use std::fmt;

use super::metadata::Metadata;

/// Longest name that `helm create` takes.
const MAX_NAME: usize = 250;

/// Longest name of an archive: file systems take 255 bytes, of which `.prov` and the suffix that a
/// store gives a file while it is being written need some.
const MAX_FILE_NAME: usize = 245;

/// The ending of archives.
const ARCHIVE: &str = ".tgz";

/// The ending of provenance files.
const PROVENANCE: &str = ".tgz.prov";

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a name that `helm create` takes.
    #[error(
        "chart name {0:?} must be 1 to {MAX_NAME} letters, digits, dots, underscores and hyphens"
    )]
    Chart(String),
    /// Not a file name of a chart.
    #[error(
        "{0:?} is not the name of a chart file: expected `<name>-<version>.tgz` or `.tgz.prov`"
    )]
    File(String),
}

/// Checks a chart's name by the rule of `helm create`, which is stricter than what Helm loads: other
/// names cannot be pushed to registries and surprise shells, URLs and file systems.
///
/// # Errors
/// When the name is not 1 to 250 ASCII letters, digits, `.`, `_` and `-`, or begins with a dot.
pub fn check(name: &str) -> Result<(), NameError> {
    let is_fine = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    // `.` and `..` are folders, and a file that begins with a dot is hidden.
    if is_fine && !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.') {
        return Ok(());
    }
    Err(NameError::Chart(name.to_owned()))
}

/// The name of an archive or a provenance file: one path segment that is safe in a directory, a
/// bucket and a URL. It says nothing about which chart and version the file holds, since `a-1-1.0.0`
/// can be split in two ways.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(Box<str>);

impl FileName {
    /// Returns the name under which an archive is stored, which is the one that `helm package`
    /// gives it.
    ///
    /// # Errors
    /// When the chart's name or the sum of name and version does not make a safe file name.
    pub fn of(metadata: &Metadata) -> Result<Self, NameError> {
        Self::of_version(&metadata.name, &metadata.version)
    }

    /// Returns the name of the archive of a version of a chart.
    ///
    /// # Errors
    /// As [`FileName::of`].
    pub fn of_version(name: &str, version: &str) -> Result<Self, NameError> {
        Self::parse(&format!("{name}-{version}{ARCHIVE}"))
    }

    /// Parses a segment of a path or an object's key, already percent-decoded.
    ///
    /// # Errors
    /// When it does not end in `.tgz` or `.tgz.prov`, begins with a dot, or holds a separator or a
    /// control character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let stem = text
            .strip_suffix(PROVENANCE)
            .or_else(|| text.strip_suffix(ARCHIVE));
        let has_stem = stem
            .is_some_and(|stem| !stem.is_empty() && stem.len() + ARCHIVE.len() <= MAX_FILE_NAME);
        let is_fine = has_stem
            && !text.starts_with('.')
            && !text.contains(|character: char| {
                character.is_control() || matches!(character, '/' | '\\')
            });
        if is_fine {
            Ok(Self(text.into()))
        } else {
            Err(NameError::File(text.chars().take(MAX_FILE_NAME).collect()))
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this names a provenance file.
    pub fn is_provenance(&self) -> bool {
        self.0.ends_with(PROVENANCE)
    }

    /// Returns the name of the archive.
    #[must_use]
    pub fn archive(&self) -> Self {
        match self.0.strip_suffix(PROVENANCE) {
            Some(stem) => Self(format!("{stem}{ARCHIVE}").into()),
            None => self.clone(),
        }
    }

    /// Returns the name of the provenance file.
    #[must_use]
    pub fn provenance(&self) -> Self {
        if self.is_provenance() {
            return self.clone();
        }
        Self(format!("{}.prov", self.0).into())
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_helm_create() {
        let longest = "x".repeat(250);
        for name in ["a", "nginx", "a-b", "a_b", "a.b", "A1", "-a", "_", &longest] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let too_long = "x".repeat(251);
        let bad = [
            "", ".", "..", ".a", "a b", "a/b", "a\\b", "é", "a\0", "a\n", "a%2e", &too_long,
        ];
        for name in bad {
            assert_eq!(
                check(name),
                Err(NameError::Chart(name.to_owned())),
                "{name:?}"
            );
        }
    }

    #[test]
    fn file_names_are_one_safe_segment() {
        let long = format!("{}.tgz", "x".repeat(241));
        for text in [
            "a-1.0.0.tgz",
            "a-1.0.0+b.tgz.prov",
            "a b.tgz",
            "é.tgz",
            "a.tgz.tgz",
            &long,
        ] {
            assert_eq!(FileName::parse(text).unwrap().as_str(), text);
        }
        let too_long = format!("{}.tgz", "x".repeat(242));
        let bad = [
            "",
            ".tgz",
            ".tgz.prov",
            "a",
            "a.TGZ",
            "a.tar.gz",
            "a.prov",
            ".a.tgz",
            "..tgz",
            "../a.tgz",
            "a/b.tgz",
            "a\\b.tgz",
            "a\0.tgz",
            "a\u{1B}.tgz",
            "a\u{85}.tgz",
            &too_long,
        ];
        for text in bad {
            assert!(FileName::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn archive_and_provenance_name_each_other() {
        let metadata = Metadata {
            name: "a".to_owned(),
            version: "v1.0.0+b.1".to_owned(),
            ..Metadata::default()
        };
        let archive = FileName::of(&metadata).unwrap();
        assert_eq!(archive.to_string(), "a-v1.0.0+b.1.tgz");
        assert!(!archive.is_provenance());
        assert_eq!(archive.archive(), archive);
        let provenance = archive.provenance();
        assert_eq!(provenance.as_str(), "a-v1.0.0+b.1.tgz.prov");
        assert!(provenance.is_provenance());
        assert_eq!(provenance.provenance(), provenance);
        assert_eq!(provenance.archive(), archive);
    }

    #[test]
    fn a_name_that_leaves_the_folder_makes_no_file_name() {
        let metadata = Metadata {
            name: "..".to_owned(),
            version: "1.0.0".to_owned(),
            ..Metadata::default()
        };
        assert!(FileName::of(&metadata).is_err());
    }

    proptest! {
        #[test]
        fn parsed_names_are_always_safe(text in "\\PC{0,8}[./\\\\\\x00]{0,3}\\PC{0,4}\\.tgz(\\.prov)?") {
            if let Ok(name) = FileName::parse(&text) {
                prop_assert_eq!(name.as_str(), &text);
                prop_assert!(!text.contains(['/', '\\', '\0']) && !text.starts_with('.'));
                prop_assert_eq!(FileName::parse(name.archive().as_str()), Ok(name.archive()));
                prop_assert_eq!(FileName::parse(name.provenance().as_str()), Ok(name.provenance()));
            }
        }

        #[test]
        fn an_accepted_chart_has_a_file_name(name in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}", version in "[0-9]{1,3}(-[a-z.]{1,9})?") {
            prop_assert_eq!(check(&name), Ok(()));
            let metadata = Metadata { name, version, ..Metadata::default() };
            prop_assert!(FileName::of(&metadata).is_ok());
        }
    }
}
