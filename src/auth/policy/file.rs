//! The policy's file: YAML, in which every mistake is told with its line or its rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::claims::{Claims, Written};
use super::glob::{Glob, GlobError};
use super::grant::{VerbError, Verbs};
use super::{Grantee, Policy, PolicyRule, Revoked};
use crate::auth::oidc::{self, IssuerError, IssuerSettings};
use crate::chart::yaml::{self, Budget, YamlError};

/// A rule is looked at for every request.
const MOST_RULES: usize = 1000;
/// The largest file.
pub(crate) const LARGEST: usize = 1 << 20;

/// Why a text is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not YAML, or not of the right form.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// An issuer is wrong.
    #[error("`issuers`")]
    Issuer(#[from] IssuerError),
    /// There are too many rules.
    #[error("there are {0} rules; {MOST_RULES} are accepted")]
    TooMany(usize),
    /// A rule is wrong.
    #[error("line {line}, rule `{name}`: {problem}")]
    Rule {
        /// Its line.
        line: usize,
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: RuleError,
    },
    /// A user of a group could not be one.
    #[error("group `{group}`: `{user}` is not the name of a user")]
    User {
        /// The group.
        group: String,
        /// What stands there.
        user: String,
    },
}

/// What is wrong with a rule.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A list is empty.
    #[error("`{0}` is empty, so that the rule allows nothing")]
    Empty(&'static str),
    /// A verb is none.
    #[error(transparent)]
    Verb(#[from] VerbError),
    /// A pattern is none.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// Nobody is called so.
    #[error(
        "`{0}` is nobody: write anonymous, authenticated, user:NAME, group:NAME, token:SUBJECT or a map of issuer and claims"
    )]
    Nobody(String),
    /// A group is not in the file.
    #[error("there is no group `{0}` under `groups`")]
    NoGroup(String),
    /// A workload is described by something else.
    #[error("a workload has `issuer` and `claims`, and not `{0}`")]
    Key(String),
    /// The issuer is missing or no text.
    #[error("a workload needs `issuer`, a text")]
    Issuer,
    /// An issuer is not in the file.
    #[error("there is no issuer `{0}` under `issuers`")]
    NoIssuer(String),
    /// Anybody whom the issuer knows would be meant.
    #[error("a workload needs at least one claim under `claims`: others use the same issuer")]
    NoClaims,
    /// A claim stands there twice.
    #[error("a claim stands twice under `claims`: give it a list of texts")]
    Twice,
    /// A claim is compared with something else than texts.
    #[error("the claim `{0}` needs a text or a list of texts")]
    Claim(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    groups: Unique<Vec<String>>,
    #[serde(default)]
    issuers: Vec<IssuerSettings>,
    rules: Vec<Rule>,
    #[serde(default)]
    revoked: RevokedFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: Option<String>,
    to: Vec<Unsorted>,
    allow: Vec<String>,
    repositories: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedFile {
    #[serde(default)]
    tokens: Vec<String>,
    #[serde(default)]
    subjects: Vec<RevokedSubject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedSubject {
    subject: String,
    #[serde(rename = "issued-before")]
    issued_before: DateTime<Utc>,
}

/// Somebody, as the file has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Unsorted {
    Name(String),
    Map(Unique<Field>),
    Other(Value),
}

/// A field of a workload. A map that is not unique is an `Other`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Map(Unique<Written>),
    Other(Value),
}

/// A map in which a key stands once: of two groups with the same name one would be lost.
pub(super) struct Unique<T>(pub(super) BTreeMap<String, T>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
    type Value = Unique<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique<T>, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = access.next_entry::<String, T>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("`{key}` stands there twice")));
            }
            map.insert(key, value);
        }
        Ok(Unique(map))
    }
}

/// What rules can name.
struct Known<'a> {
    groups: Groups,
    issuers: &'a [IssuerSettings],
}

type Groups = BTreeMap<String, Arc<BTreeSet<String>>>;

/// Reads the text of a file.
pub(super) fn read(text: &str) -> Result<Policy, PolicyError> {
    let file: File = yaml::from_str(text, Budget::for_bytes(LARGEST))?;
    if file.rules.len() > MOST_RULES {
        return Err(PolicyError::TooMany(file.rules.len()));
    }
    let groups = groups(file.groups)?;
    oidc::check(&file.issuers)?;
    let known = Known {
        groups,
        issuers: &file.issuers,
    };
    let lines = yaml::lines_of_items(text, "rules");
    let mut rules = Vec::with_capacity(file.rules.len());
    for (number, rule) in file.rules.into_iter().enumerate() {
        let name = match &rule.name {
            Some(name) => name.clone(),
            None => format!("rule {}", number + 1),
        };
        let line = lines.get(number).copied().unwrap_or_default();
        match self::rule(rule, &known) {
            Ok((to, verbs, repositories)) => rules.push(PolicyRule {
                name: name.into(),
                line,
                to,
                verbs,
                repositories,
            }),
            Err(problem) => {
                return Err(PolicyError::Rule {
                    line,
                    name,
                    problem,
                });
            }
        }
    }
    Ok(Policy {
        rules,
        revoked: revoked(file.revoked),
        issuers: file.issuers,
    })
}

fn groups(groups: Unique<Vec<String>>) -> Result<Groups, PolicyError> {
    let mut read = Groups::new();
    for (group, users) in groups.0 {
        let wrong = |user: &&String| user.is_empty() || user.contains(':');
        if let Some(user) = users.iter().find(wrong) {
            let user = user.clone();
            return Err(PolicyError::User { group, user });
        }
        read.insert(group, Arc::new(users.into_iter().collect()));
    }
    Ok(read)
}

fn rule(rule: Rule, known: &Known<'_>) -> Result<(Vec<Grantee>, Verbs, Vec<Glob>), RuleError> {
    let to: Vec<Grantee> = rule
        .to
        .into_iter()
        .map(|somebody| match somebody {
            Unsorted::Name(name) => self::name(&name, &known.groups),
            Unsorted::Map(map) => workload(map.0, known.issuers),
            Unsorted::Other(value) => Err(RuleError::Nobody(value.to_string())),
        })
        .collect::<Result<_, _>>()?;
    let verbs = Verbs::read(rule.allow.iter().map(String::as_str))?;
    let repositories: Vec<Glob> = rule
        .repositories
        .iter()
        .map(|text| Glob::of_repositories(text))
        .collect::<Result<_, _>>()?;
    for (list, is_empty) in [
        ("to", to.is_empty()),
        ("allow", verbs.is_empty()),
        ("repositories", repositories.is_empty()),
    ] {
        if is_empty {
            return Err(RuleError::Empty(list));
        }
    }
    Ok((to, verbs, repositories))
}

fn name(text: &str, groups: &Groups) -> Result<Grantee, RuleError> {
    let nobody = || RuleError::Nobody(text.to_owned());
    match text.split_once(':') {
        None if text == "anonymous" => Ok(Grantee::Anonymous),
        None if text == "authenticated" => Ok(Grantee::Authenticated),
        Some((_, "")) | None => Err(nobody()),
        Some(("user", name)) => Ok(Grantee::User(name.to_owned())),
        Some(("token", subject)) => Ok(Grantee::Token(Glob::of_text(subject)?)),
        Some(("group", name)) => match groups.get(name) {
            Some(members) => Ok(Grantee::Group {
                name: name.to_owned(),
                members: Arc::clone(members),
            }),
            None => Err(RuleError::NoGroup(name.to_owned())),
        },
        Some(_) => Err(nobody()),
    }
}

fn workload(
    mut map: BTreeMap<String, Field>,
    issuers: &[IssuerSettings],
) -> Result<Grantee, RuleError> {
    let issuer = match map.remove("issuer") {
        Some(Field::Other(Value::String(issuer))) if !issuer.is_empty() => issuer,
        _ => return Err(RuleError::Issuer),
    };
    let written = match map.remove("claims") {
        Some(Field::Map(claims)) => claims.0,
        Some(Field::Other(Value::Object(_))) => return Err(RuleError::Twice),
        _ => BTreeMap::new(),
    };
    if let Some(key) = map.into_keys().next() {
        return Err(RuleError::Key(key));
    }
    let claims = Claims::read(written)?;
    if !issuers.iter().any(|known| known.name == issuer) {
        return Err(RuleError::NoIssuer(issuer));
    }
    Ok(Grantee::Workload { issuer, claims })
}

fn revoked(file: RevokedFile) -> Revoked {
    let mut subjects = BTreeMap::new();
    for RevokedSubject {
        subject,
        issued_before,
    } in file.subjects
    {
        let latest = subjects.entry(subject).or_insert(issued_before);
        *latest = issued_before.max(*latest);
    }
    Revoked {
        tokens: file.tokens.into_iter().collect(),
        subjects,
    }
}
