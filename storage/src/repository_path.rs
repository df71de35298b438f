//! The names of repositories within a store.

use std::fmt;
use std::str::FromStr;

use crate::key::{self, KeyError};

/// The path of a repository: empty for the root one, otherwise segments such as `org/team`.
///
/// The rules of [`Key`](crate::Key) hold, and no segment begins with a dot: those names are the
/// server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryPath(String);

/// Why a text is not a [`RepositoryPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryPathError {
    /// It would not even be the key of an object.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A segment begins with a dot.
    #[error("repository path {path:?} has a segment that begins with a dot")]
    LeadingDot {
        /// The text.
        path: String,
    },
}

impl RepositoryPath {
    /// Returns the path of the root repository.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a path; the empty text is the root.
    ///
    /// # Errors
    /// Fails if the text breaks one of the rules of [`RepositoryPath`].
    pub fn parse(text: &str) -> Result<Self, RepositoryPathError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        key::check(text)?;
        if text.split('/').any(|segment| segment.starts_with('.')) {
            return Err(RepositoryPathError::LeadingDot {
                path: text.to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the path of the repository `below` this one's folder.
    ///
    /// # Errors
    /// Fails if the whole is longer than a key may be.
    pub fn join(&self, below: &Self) -> Result<Self, RepositoryPathError> {
        match (self.is_root(), below.is_root()) {
            (true, _) => Ok(below.clone()),
            (_, true) => Ok(self.clone()),
            _ => Self::parse(&format!("{self}/{below}")),
        }
    }

    /// Tells whether this is the root repository.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path, empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Iterates over the segments; the root has none.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for RepositoryPath {
    type Err = RepositoryPathError;

    fn from_str(text: &str) -> Result<Self, RepositoryPathError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_empty_and_has_no_segments() {
        let root = RepositoryPath::parse("").unwrap();
        assert!(root.is_root());
        assert_eq!(root.segments().count(), 0);
    }

    #[test]
    fn segments_follow_the_rules_of_keys_and_have_no_leading_dot() {
        let path: RepositoryPath = "org/team".parse().unwrap();
        assert_eq!(path.segments().collect::<Vec<_>>(), ["org", "team"]);
        assert_eq!(path.to_string(), "org/team");
        let root = RepositoryPath::root();
        assert_eq!(root.join(&path), Ok(path.clone()));
        assert_eq!(path.join(&root), Ok(path.clone()));
        assert_eq!(path.join(&path).unwrap().as_str(), "org/team/org/team");
        for text in [
            ".chartroom",
            "org/.git",
            "/org",
            "org/",
            "a//b",
            "..",
            "a\n",
            "a#1",
        ] {
            assert!(RepositoryPath::parse(text).is_err(), "{text:?}");
        }
    }
}
