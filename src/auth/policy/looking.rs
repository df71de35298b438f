//! How a rule is compared with what somebody wants.

use std::fmt;

use chartroom_storage::RepositoryPath;

use super::{Grantee, PolicyRule};
use crate::auth::{Identity, Verb};

/// What of a rule fits, for those who ask why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// It is for them.
    pub is_for_them: bool,
    /// It allows the verb.
    pub has_verb: bool,
    /// It is about the repository.
    pub has_repository: bool,
}

impl Look {
    /// Tells whether the rule allows it.
    pub fn is_match(self) -> bool {
        self.is_for_them && self.has_verb && self.has_repository
    }
}

/// Says what does not fit.
impl fmt::Display for Look {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<&str> = [
            (self.is_for_them, "not for them"),
            (self.has_verb, "not this verb"),
            (self.has_repository, "not this repository"),
        ]
        .into_iter()
        .filter_map(|(fits, reason)| (!fits).then_some(reason))
        .collect();
        if reasons.is_empty() {
            return formatter.write_str("allows it");
        }
        formatter.write_str(&reasons.join(", "))
    }
}

impl PolicyRule {
    /// Compares the rule.
    pub fn looks_at(&self, identity: &Identity, verb: Verb, repository: &RepositoryPath) -> Look {
        let mut repositories = self.repositories.iter();
        Look {
            has_verb: self.verbs.contains(verb),
            is_for_them: self.to.iter().any(|grantee| grantee.is(identity)),
            has_repository: repositories.any(|glob| glob.matches(repository.segments())),
        }
    }
}

/// Writes the rule in a line.
impl fmt::Display for PolicyRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to: Vec<String> = self.to.iter().map(Grantee::to_string).collect();
        let repositories: Vec<String> = self.repositories.iter().map(ToString::to_string).collect();
        write!(
            formatter,
            "{}: {} may {} in {}",
            self.name,
            to.join(", "),
            self.verbs,
            repositories.join(", ")
        )
    }
}
