use super::*;
use crate::auth::watched::with_causes;
use serde_json::Value;
use serde_json::json;

const POLICY: &str = "\
# A comment.
groups:
  platform: [alice, bob]

issuers:
  - {name: github, url: 'https://issuer.example', audiences: [charts]}

rules:
  - name: everybody reads
    to: [anonymous]
    allow: [pull]
    repositories: [/, public/**]

  - to: ['group:platform', 'user:carol']
    allow: [pull, push, delete]
    repositories: ['org/*']
  - {name: ci, to: ['token:ci/*'], allow: [push], repositories: ['**']}
  - name: workflow
    to:
      - issuer: github
        claims:
          repository: acme/*
          ref: [refs/heads/main, refs/tags/*]
    allow: [push, overwrite]
    repositories: ['acme/**']
  - name: known
    to: [authenticated]
    allow: [pull]
    repositories: ['shared']

revoked:
  tokens: [a-b]
  subjects:
    - subject: ci/old
      issued-before: 2026-11-24T12:00:00Z
";

fn policy() -> Policy {
    Policy::parse(POLICY).unwrap()
}

fn user(name: &str) -> Identity {
    Identity::User(name.into())
}

fn token(subject: &str) -> AccessToken {
    AccessToken {
        id: "id".to_owned(),
        subject: subject.to_owned(),
        issued: "2026-11-24T12:00:00Z".parse().unwrap(),
        grants: Vec::new(),
    }
}

fn workload(issuer: &str, claims: Value) -> Identity {
    let Value::Object(claims) = claims else {
        panic!("claims are an object");
    };
    Identity::Workload(Arc::new(super::super::Workload {
        issuer: issuer.to_owned(),
        subject: "subject".to_owned(),
        claims,
    }))
}

/// The verbs that somebody has somewhere.
fn verbs(identity: &Identity, path: &str) -> String {
    let (policy, path) = (policy(), RepositoryPath::parse(path).unwrap());
    let verbs = Verb::ALL.into_iter();
    let allowed = verbs.filter(|verb| policy.find(identity, *verb, &path).is_some());
    let names: Vec<&str> = allowed.map(Verb::as_str).collect();
    names.join(" ")
}

#[test]
fn what_no_rule_allows_is_refused() {
    let ci = Identity::AccessToken(Arc::new(token("ci/shop")));
    let other = Identity::AccessToken(Arc::new(token("cd/shop")));
    for (identity, path, expected) in [
        (Identity::Anonymous, "", "pull"),
        (Identity::Anonymous, "public/a/b", "pull"),
        (Identity::Anonymous, "org/team", ""),
        (Identity::Anonymous, "shared", ""),
        // Who is known may what everybody may.
        (user("mallory"), "", "pull"),
        (user("mallory"), "shared", "pull"),
        (user("mallory"), "org/team", ""),
        (user("alice"), "org/team", "pull push delete"),
        (user("carol"), "org/team", "pull push delete"),
        (user("Alice"), "org/team", ""),
        (user("platform"), "org/team", ""),
        (user("alice"), "org", ""),
        (user("alice"), "org/team/x", ""),
        // A token is no user, and the other way round.
        (ci.clone(), "org/team", "push"),
        (ci, "shared", "pull push"),
        (other, "org/team", ""),
        (user("ci/shop"), "org/team", ""),
        (
            Identity::AccessToken(Arc::new(token("alice"))),
            "org/team",
            "",
        ),
        // ChartMuseum's tokens have no place here.
        (Identity::Token(Some("ci/shop".into())), "org/team", ""),
        (Identity::Token(Some("ci/shop".into())), "shared", ""),
    ] {
        assert_eq!(verbs(&identity, path), expected, "{identity} {path}");
    }
}

#[test]
fn a_workload_needs_the_issuer_and_every_claim() {
    let issuer = "github";
    let good = json!({"repository": "acme/shop", "ref": "refs/heads/main", "more": 1});
    assert_eq!(
        verbs(&workload(issuer, good.clone()), "acme/shop"),
        "push overwrite"
    );
    for (issuer, claims) in [
        ("https://issuer.example", good.clone()),
        ("gitlab", good.clone()),
        (issuer, json!({"repository": "acme/shop"})),
        (
            issuer,
            json!({"repository": "acme2/shop", "ref": "refs/heads/main"}),
        ),
        (
            issuer,
            json!({"repository": "acme/a/b", "ref": "refs/heads/main"}),
        ),
        (
            issuer,
            json!({"repository": "acme/shop", "ref": "refs/heads/mainx"}),
        ),
        (
            issuer,
            json!({"repository": null, "ref": "refs/heads/main"}),
        ),
        (
            issuer,
            json!({"repository": {"acme/shop": 1}, "ref": "refs/heads/main"}),
        ),
        (issuer, json!({})),
    ] {
        assert_eq!(
            verbs(&workload(issuer, claims.clone()), "acme/shop"),
            "",
            "{claims}"
        );
    }
    let list = json!({"repository": ["x", "acme/shop"], "ref": "refs/tags/v1"});
    assert_eq!(
        verbs(&workload(issuer, list), "acme/shop"),
        "push overwrite"
    );
    // Everybody can have a token of a public issuer.
    assert_eq!(verbs(&workload(issuer, good), "shared"), "");
}

#[test]
fn rules_have_their_lines() {
    let lines: Vec<(String, usize)> = policy()
        .rules()
        .iter()
        .map(|rule| (rule.name.to_string(), rule.line))
        .collect();
    let expected = [
        ("everybody reads", 9),
        ("rule 2", 14),
        ("ci", 17),
        ("workflow", 18),
        ("known", 26),
    ];
    assert_eq!(lines, expected.map(|(name, line)| (name.to_owned(), line)));
}

#[test]
fn tokens_are_revoked_by_id_and_by_subject_and_time() {
    let policy = policy();
    assert!(!policy.revokes(&token("ci/old")));
    let older = AccessToken {
        issued: "2026-11-24T11:59:59Z".parse().unwrap(),
        ..token("ci/old")
    };
    assert!(policy.revokes(&older));
    let other = AccessToken {
        subject: "ci/new".to_owned(),
        ..older
    };
    assert!(!policy.revokes(&other));
    let named = AccessToken {
        id: "a-b".to_owned(),
        ..token("x")
    };
    assert!(policy.revokes(&named));
}

#[test]
fn every_mistake_is_told() {
    let rule = |text: &str| format!("rules:\n  - name: one\n{text}");
    let complete = |to: &str| {
        rule(&format!(
            "    to: {to}\n    allow: [pull]\n    repositories: ['**']\n"
        ))
    };
    for (text, expected) in [
        (String::new(), "rules"),
        ("rules: x".to_owned(), "rules"),
        ("rules: []\nrule: []".to_owned(), "unknown field `rule`"),
        ("rules: []\nrules: []".to_owned(), "duplicate"),
        (
            "groups:\n  a: [x]\n  a: [y]\nrules: []".to_owned(),
            "`a` stands there twice",
        ),
        (
            "groups:\n  a: ['x:y']\nrules: []".to_owned(),
            "group `a`: `x:y`",
        ),
        (
            rule("    allow: [pull]\n    repositories: [x]"),
            "missing field `to`",
        ),
        (
            rule("    to: [anonymous]\n    allow: []\n    repositories: [x]"),
            "line 2, rule `one`: `allow` is empty",
        ),
        (
            rule("    to: [anonymous]\n    allow: [read]\n    repositories: [x]"),
            "`read` is not a verb",
        ),
        (
            rule("    to: [anonymous]\n    allow: [pull]\n    repositories: [/x]"),
            "`/x` has an empty segment",
        ),
        (
            rule("    to: [anonymous]\n    allow: [pull]\n    repositories: []"),
            "`repositories` is empty",
        ),
        (
            rule("    to: [anonymous]\n    deny: [pull]\n    repositories: [x]"),
            "unknown field `deny`",
        ),
        (complete("[]"), "`to` is empty"),
        (complete("[alice]"), "`alice` is nobody"),
        (complete("['user:']"), "`user:` is nobody"),
        (complete("['role:x']"), "`role:x` is nobody"),
        (complete("[5]"), "`5` is nobody"),
        (complete("['group:x']"), "there is no group `x`"),
        (complete("[{issuer: i}]"), "at least one claim"),
        (complete("[{issuer: i, claims: {}}]"), "at least one claim"),
        (complete("[{claims: {a: b}}]"), "needs `issuer`"),
        (
            complete("[{issuer: i, claims: {a: b}, sub: x}]"),
            "not `sub`",
        ),
        (complete("[{issuer: i, claims: {a: 5}}]"), "the claim `a`"),
        (complete("[{issuer: i, claims: {a: []}}]"), "the claim `a`"),
        (complete("[{issuer: i, claims: {a: b, a: c}}]"), "twice"),
        (
            complete("[{issuer: i, claims: {a: b}}]"),
            "there is no issuer `i` under `issuers`",
        ),
        (
            "rules: []\nissuers: [{name: i, url: 'https://i.example'}]".to_owned(),
            "missing field `audiences`",
        ),
        (
            "rules: []\nissuers: [{name: i, url: 'https://i.example', audience: x}]".to_owned(),
            "unknown field `audience`",
        ),
        (
            "rules: []\nissuers: [{name: i, url: 'http://i.example', audiences: [x]}]".to_owned(),
            "`issuers`: issuer `i`: url: `http://i.example` does not begin with https://",
        ),
        (
            "rules: []\nrevoked: {token: [x]}".to_owned(),
            "unknown field `token`",
        ),
        (
            "rules: []\nrevoked: {subjects: [{subject: x, issued-before: soon}]}".to_owned(),
            "",
        ),
    ] {
        let error = with_causes(&Policy::parse(&text).unwrap_err());
        assert!(error.contains(expected), "{text}\n{error}");
    }
    let many = "rules:\n".to_owned()
        + &"  - {to: [anonymous], allow: [pull], repositories: [x]}\n".repeat(1001);
    let error = Policy::parse(&many).unwrap_err().to_string();
    assert_eq!(error, "there are 1001 rules; 1000 are accepted");
}

#[test]
fn a_rule_is_written_as_a_sentence() {
    let written: Vec<String> = policy().rules().iter().map(ToString::to_string).collect();
    assert_eq!(
        written,
        [
            "everybody reads: anonymous may pull in /, public/**",
            "rule 2: group:platform, user:carol may pull,push,delete in org/*",
            "ci: token:ci/* may push in **",
            "workflow: github with ref=refs/heads/main|refs/tags/*, repository=acme/* may push,overwrite in acme/**",
            "known: authenticated may pull in shared",
        ]
    );
}
