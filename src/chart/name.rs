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
        Self::parse(&format!("{}-{}{ARCHIVE}", metadata.name, metadata.version))
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
