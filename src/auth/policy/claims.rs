//! What the claims of a workload's token must be like.
//!
//! A pattern is written as the token has it: a nested claim is a nested map. So no path has to be
//! spelled, and the dots and slashes in `kubernetes.io` or `https://example.com/roles` are just letters.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::file::Unique;
use super::{Glob, RuleError};

/// Claims, each of which must be there and be like its pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims(Vec<(String, Pattern)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// A text that is like one of these.
    Texts(Vec<Glob>),
    /// A map with these.
    Members(Claims),
}

/// A pattern as the file has it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Text(String),
    Switch(bool),
    List(Vec<Written>),
    /// A map that is not unique is an `Other`.
    Map(Unique<Written>),
    Other(Value),
}

impl Claims {
    /// Reads what stands under `claims`.
    pub(super) fn read(written: BTreeMap<String, Written>) -> Result<Self, RuleError> {
        if written.is_empty() {
            return Err(RuleError::NoClaims);
        }
        let mut claims = Vec::with_capacity(written.len());
        for (name, pattern) in written {
            let pattern = pattern_of(&name, pattern)?;
            claims.push((name, pattern));
        }
        Ok(Self(claims))
    }

    /// Tells whether a token's claims are like this.
    pub(super) fn are_in(&self, token: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, pattern)| {
            let claim = token.get(name);
            claim.is_some_and(|claim| pattern.fits_any(claim))
        })
    }
}

fn pattern_of(name: &str, written: Written) -> Result<Pattern, RuleError> {
    let one = match written {
        Written::Map(members) => return Claims::read(members.0).map(Pattern::Members),
        Written::Other(Value::Object(_)) => return Err(RuleError::Twice),
        Written::List(items) if !items.is_empty() => items,
        other => vec![other],
    };
    let mut globs = Vec::with_capacity(one.len());
    for text in one {
        globs.push(match text {
            Written::Text(text) => Glob::of_text(&text)?,
            Written::Switch(switch) => Glob::of_text(&switch.to_string())?,
            // A number is not what it was when it was written: 010 is 8.
            _ => return Err(RuleError::Claim(name.to_owned())),
        });
    }
    Ok(Pattern::Texts(globs))
}

impl Pattern {
    /// Of a list one item is enough, as with `aud`.
    fn fits_any(&self, claim: &Value) -> bool {
        match claim {
            Value::Array(items) => items.iter().any(|item| self.fits(item)),
            one => self.fits(one),
        }
    }

    fn fits(&self, claim: &Value) -> bool {
        match (self, claim) {
            (Self::Texts(globs), Value::String(text)) => is_like(text, globs),
            (Self::Texts(globs), Value::Bool(_) | Value::Number(_)) => {
                is_like(&claim.to_string(), globs)
            }
            (Self::Members(claims), Value::Object(members)) => claims.are_in(members),
            _ => false,
        }
    }
}

fn is_like(text: &str, globs: &[Glob]) -> bool {
    globs.iter().any(|glob| glob.matches_text(text))
}

/// Writes them in a line, nested ones in braces.
impl fmt::Display for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, pattern)) in self.0.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            match pattern {
                Pattern::Texts(globs) => {
                    let globs: Vec<String> = globs.iter().map(ToString::to_string).collect();
                    write!(formatter, "{comma}{name}={}", globs.join("|"))?;
                }
                Pattern::Members(claims) => write!(formatter, "{comma}{name}={{{claims}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::yaml::{self, Budget};
    use serde_json::json;

    fn read(text: &str) -> Result<Claims, RuleError> {
        let written: Unique<Written> = yaml::from_str(text, Budget::for_bytes(1000)).unwrap();
        Claims::read(written.0)
    }

    fn fit(text: &str, token: &Value) -> bool {
        read(text).unwrap().are_in(token.as_object().unwrap())
    }

    #[test]
    fn github_gitlab_and_kubernetes_say_it_in_their_ways() {
        let github = json!({
            "sub": "repo:acme/charts:environment:prod",
            "repository": "acme/charts",
            "repository_id": "123",
            "ref": "refs/heads/release/1.2",
            "environment": "prod",
            "run_attempt": "1",
        });
        let gitlab = json!({
            "sub": "project_path:acme/charts:ref_type:branch:ref:main",
            "project_path": "acme/sub/charts",
            "ref": "main",
            "ref_protected": "true",
            "user_access_level": "maintainer",
            "groups_direct": ["acme/release", "acme/all"],
        });
        let kubernetes = json!({
            "sub": "system:serviceaccount:ci:publisher",
            "kubernetes.io": {
                "namespace": "ci",
                "pod": {"name": "publish-1", "uid": "x"},
                "serviceaccount": {"name": "publisher", "uid": "y"},
            },
            "https://example.com/roles": ["publish"],
        });
        for (token, text, expected) in [
            (&github, "repository: acme/*", true),
            (
                &github,
                "{repository: 'acme/*', ref: 'refs/heads/**', environment: prod}",
                true,
            ),
            (
                &github,
                "{repository: 'acme/*', environment: staging}",
                false,
            ),
            (&github, "ref: refs/heads/*", false),
            (&github, "ref: refs/heads/release/*", true),
            (&github, "repository: [other/*, acme/charts]", true),
            (&github, "repository: Acme/charts", false),
            (&github, "sub: 'repo:acme/*:environment:prod'", true),
            (&github, "repository_id: '123'", true),
            (&github, "run_attempt: '*'", true),
            (&github, "actor: '*'", false),
            (&gitlab, "project_path: acme/*", false),
            (&gitlab, "project_path: acme/**", true),
            (&gitlab, "ref_protected: true", true),
            (&gitlab, "ref_protected: 'true'", true),
            (&gitlab, "ref_protected: false", false),
            (&gitlab, "groups_direct: acme/release", true),
            (&gitlab, "groups_direct: [acme/none, acme/all]", true),
            (&gitlab, "groups_direct: acme/none", false),
            (&kubernetes, "kubernetes.io: {namespace: ci}", true),
            (
                &kubernetes,
                "kubernetes.io: {namespace: ci, serviceaccount: {name: publisher}}",
                true,
            ),
            (
                &kubernetes,
                "kubernetes.io: {namespace: ci, serviceaccount: {name: other}}",
                false,
            ),
            (&kubernetes, "kubernetes.io: {node: {name: '*'}}", false),
            (&kubernetes, "sub: 'system:serviceaccount:ci:*'", true),
            (&kubernetes, "https://example.com/roles: publish", true),
            // Of another type.
            (&kubernetes, "kubernetes.io: '*'", false),
            (&kubernetes, "sub: {name: '*'}", false),
            (&kubernetes, "kubernetes: {io: {namespace: ci}}", false),
        ] {
            assert_eq!(fit(text, token), expected, "{text}");
        }
    }

    #[test]
    fn a_claim_is_compared_as_a_text_and_nothing_is_like_null() {
        for (claim, pattern, expected) in [
            (json!(true), "true", true),
            (json!("true"), "true", true),
            (json!(123), "'123'", true),
            (json!(1.5), "'1.5'", true),
            (json!([1, "b"]), "'1'", true),
            (json!([["b"]]), "b", false),
            (json!([{"c": "d"}, {"c": "e"}]), "{c: e}", true),
            (json!([{"c": "d"}]), "{c: e}", false),
            (json!(null), "'*'", false),
            (json!(null), "'null'", false),
            (json!([]), "'*'", false),
            (json!({}), "'*'", false),
            (json!(""), "'*'", true),
            (json!(""), "''", true),
        ] {
            let text = format!("a: {pattern}");
            assert_eq!(
                fit(&text, &json!({"a": claim})),
                expected,
                "{claim} {pattern}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, expected) in [
            (
                "{}",
                "a workload needs at least one claim under `claims`: others use the same issuer",
            ),
            (
                "a: {}",
                "a workload needs at least one claim under `claims`: others use the same issuer",
            ),
            ("a: 5", "the claim `a` needs a text or a list of texts"),
            ("a: null", "the claim `a` needs a text or a list of texts"),
            ("a: []", "the claim `a` needs a text or a list of texts"),
            (
                "a: {b: [5]}",
                "the claim `b` needs a text or a list of texts",
            ),
            (
                "a: [{b: c}]",
                "the claim `a` needs a text or a list of texts",
            ),
            (
                "a: {b: c, b: d}",
                "a claim stands twice under `claims`: give it a list of texts",
            ),
            (
                "a: x**",
                "`x**` has ** within a segment: it stands for whole segments only",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn they_are_written_in_a_line() {
        let text = "{b: {c: d, e: {f: g}}, a: [x, y/*]}";
        assert_eq!(read(text).unwrap().to_string(), "a=x|y/*, b={c=d, e={f=g}}");
    }
}
