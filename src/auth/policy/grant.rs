//! Verbs on repositories, as an access token carries them: `pull,push:org/*`.

use std::fmt;
use std::str::FromStr;

use chartroom_storage::RepositoryPath;

use super::glob::{Glob, GlobError};
use crate::auth::Verb;

/// Some of the verbs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verbs(Vec<Verb>);

/// Why a text names no verb.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a verb: there are pull, push, overwrite and delete")]
pub struct VerbError(String);

impl FromStr for Verb {
    type Err = VerbError;

    fn from_str(text: &str) -> Result<Self, VerbError> {
        Self::ALL
            .into_iter()
            .find(|verb| verb.as_str() == text)
            .ok_or_else(|| VerbError(text.to_owned()))
    }
}

impl Verbs {
    /// All of them.
    pub(crate) fn all() -> Self {
        Self(Verb::ALL.to_vec())
    }

    /// Reads names.
    ///
    /// # Errors
    /// If one is not that of a verb.
    pub(crate) fn read<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, VerbError> {
        let mut verbs = Vec::new();
        for name in names {
            let verb = name.parse()?;
            if !verbs.contains(&verb) {
                verbs.push(verb);
            }
        }
        Ok(Self(verbs))
    }

    /// Tells whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a verb is one of them.
    pub(crate) fn contains(&self, verb: Verb) -> bool {
        self.0.contains(&verb)
    }
}

impl fmt::Display for Verbs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, verb) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(formatter, "{comma}{verb}")?;
        }
        Ok(())
    }
}

/// Verbs on the repositories of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    verbs: Verbs,
    repositories: Glob,
}

/// Why a text is no [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// It has no colon.
    #[error("`{0}` is not VERB,VERB:REPOSITORY, such as pull,push:org/*")]
    Form(String),
    /// What is before the colon.
    #[error(transparent)]
    Verb(#[from] VerbError),
    /// What is behind it.
    #[error(transparent)]
    Glob(#[from] GlobError),
}

impl Grant {
    /// Tells whether it is good for `verb` in `repository`.
    pub fn allows(&self, verb: Verb, repository: &RepositoryPath) -> bool {
        self.verbs.contains(verb) && self.repositories.matches(repository.segments())
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let Some((verbs, repositories)) = text.split_once(':') else {
            return Err(GrantError::Form(text.to_owned()));
        };
        Ok(Self {
            verbs: Verbs::read(verbs.split(','))?,
            repositories: Glob::of_repositories(repositories)?,
        })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.verbs, self.repositories)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_verbs_and_a_pattern() {
        let grant: Grant = "pull,push:org/*".parse().unwrap();
        assert_eq!(grant.to_string(), "pull,push:org/*");
        let may = |verb, path: &str| grant.allows(verb, &RepositoryPath::parse(path).unwrap());
        assert!(may(Verb::Pull, "org/team") && may(Verb::Push, "org/team"));
        assert!(!may(Verb::Delete, "org/team") && !may(Verb::Overwrite, "org/team"));
        assert!(!may(Verb::Pull, "org") && !may(Verb::Pull, ""));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "", "pull", ":x", "pull:", "pull,:x", "Pull:x", "read:x", "*:x", "pull: x/",
        ] {
            assert!(text.parse::<Grant>().is_err(), "{text}");
        }
    }
}
