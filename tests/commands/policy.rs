//! `chartroom policy` and `chartroom token`.

use std::fs;

use super::server::{Server, agent};
use super::{Ended, Storage, chart};
use std::time::Duration;

const POLICY: &str = "\
groups:
  platform: [alice]
rules:
  - name: everybody
    to: [anonymous]
    allow: [pull]
    repositories: [/]
  - name: platform
    to: ['group:platform']
    allow: [pull, push, overwrite]
    repositories: ['org/*']
  - name: ci
    to: ['token:ci']
    allow: [push]
    repositories: ['**']
  - to: [{issuer: github, claims: {repository: acme/*}}]
    allow: [push]
    repositories: [acme]
  - to: [{issuer: cluster, claims: {kubernetes.io: {namespace: ci}}}]
    allow: [push]
    repositories: [acme]
issuers:
  - {name: github, url: 'https://issuer.example', audiences: [charts]}
  - {name: cluster, url: 'https://cluster.example', audiences: [charts]}
";

const NESTED: &str = r#"--claims={"kubernetes.io": {"namespace": "ci"}}"#;
const OTHER: &str = r#"--claims={"kubernetes.io": {"namespace": "cd"}}"#;

fn with_policy() -> (Storage, String) {
    let storage = Storage::new();
    let path = storage.scratch.path().join("policy.yaml");
    fs::write(&path, POLICY).unwrap();
    let flag = format!("--policy={}", path.display());
    (storage, flag)
}

fn ask(storage: &Storage, flag: &str, words: &[&str]) -> Ended {
    storage.run(&[&["policy", "test"], words, &[flag]].concat())
}

#[test]
fn an_answer_names_the_rule_and_what_was_looked_at() {
    let (storage, flag) = with_policy();
    let ended = ask(&storage, &flag, &["alice", "push", "org/team"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    let path = storage.scratch.path().join("policy.yaml");
    let path = path.display();
    assert_eq!(
        ended.out,
        format!(
            "allowed: user:alice may push in org/team\n  by line 8 of {path}, platform\nlooked at {path}:\n  \
             line 4 of everybody: not this verb, not this repository\n  line 8 of platform: allows it\n  \
             line 12 of ci: not for them\n  line 16 of rule 4: not for them, not this repository\n  \
             line 19 of rule 5: not for them, not this repository\n"
        )
    );
    let ended = ask(&storage, &flag, &["anonymous", "push", "/"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended
            .out
            .starts_with("refused: anonymous may not push in /\n  no rule allows it\n"),
        "{}",
        ended.out
    );
}

#[test]
fn everybody_can_be_asked_for() {
    let (storage, flag) = with_policy();
    for (words, code) in [
        (&["anonymous", "pull", "/"][..], 0),
        (&["anonymous", "pull", "org/team"], 3),
        (&["user:alice", "overwrite", "org/team"], 0),
        (&["alice", "delete", "org/team"], 3),
        (&["token:ci", "push", "x/y"], 0),
        (&["token:ci", "push", "x/y", "--grant=push:x/*"], 0),
        (&["token:ci", "push", "x/y", "--grant=pull:x/*"], 3),
        (
            &[
                "workload:github",
                "push",
                "acme",
                "--claim=repository=acme/x",
            ],
            0,
        ),
        (&["workload:github", "push", "acme"], 3),
        (&["workload:cluster", "push", "acme", NESTED], 0),
        (&["workload:cluster", "push", "acme", OTHER], 3),
        (&["workload:github", "push", "acme", NESTED], 3),
        // A claim of its own counts more than the whole.
        (
            &[
                "workload:github",
                "push",
                "acme",
                r#"--claims={"repository": "x"}"#,
                "--claim=repository=acme/x",
            ],
            0,
        ),
        (&["workload:github", "push", "acme", "--claims={"], 2),
        (&["workload:github", "push", "acme", "--claims=[]"], 2),
        (&["workload:github", "push", "acme", "--claims=/nowhere"], 2),
        (&["alice", "push", "org/team", NESTED], 2),
        (&["alice", "write", "org/team"], 2),
        (&["role:x", "pull", "org/team"], 2),
        (&["alice", "pull", "../x"], 2),
        (&["alice", "pull", "x", "--claim=a=b"], 2),
    ] {
        let ended = ask(&storage, &flag, words);
        assert_eq!(ended.code, code, "{words:?} {} {}", ended.out, ended.err);
    }
    // The built-in policy, and none at all.
    let users = storage.put("users", "");
    let users = format!("--htpasswd={}", users.display());
    let ended = ask(&storage, &users, &["alice", "delete", "/"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("alice is not in"), "{}", ended.out);
    let ended = storage.run(&["policy", "test", "alice", "push", "/"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.out.contains("only this machine writes"),
        "{}",
        ended.out
    );
}

#[test]
fn claims_are_read_from_a_file_and_an_unknown_issuer_is_told() {
    let (storage, flag) = with_policy();
    let path = storage.scratch.path().join("claims.json");
    fs::write(
        &path,
        "{\"repository\": \"acme/x\", \"sub\": \"repo:acme/x\"}\n",
    )
    .unwrap();
    let claims = format!("--claims={}", path.display());
    let ended = ask(
        &storage,
        &flag,
        &["workload:github", "push", "acme", &claims],
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    let expected = "allowed: repo:acme/x of github may push in acme\n";
    assert!(ended.out.starts_with(expected), "{}", ended.out);
    let ended = ask(
        &storage,
        &flag,
        &["workload:gitlab", "push", "acme", &claims],
    );
    assert_eq!(ended.code, 3);
    let expected = "there is no issuer gitlab under `issuers`, so that no token lets them in";
    assert!(ended.out.contains(expected), "{}", ended.out);
    fs::write(&path, "secret").unwrap();
    let ended = ask(
        &storage,
        &flag,
        &["workload:github", "push", "acme", &claims],
    );
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("--claims"), "{}", ended.err);
    assert!(!ended.err.contains("secret"), "{}", ended.err);
}

#[test]
fn a_policy_is_checked_before_it_is_used() {
    let (storage, flag) = with_policy();
    let users = storage.put("users", "");
    let users = format!("--htpasswd={}", users.display());
    let ended = storage.run(&["policy", "check", &flag, &users]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.out.contains("12  ci: token:ci may push in **\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("user:alice is not in"), "{}", ended.out);
    let path = storage.scratch.path().join("policy.yaml");
    fs::write(&path, POLICY.replace("allow: [push]", "allow: [write]")).unwrap();
    let ended = storage.run(&["policy", "check", &flag]);
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .err
            .contains("line 12, rule `ci`: `write` is not a verb"),
        "{}",
        ended.err
    );
    let ended = storage.run(&["serve", "DIR", &flag, "--port=0"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("--policy: "), "{}", ended.err);
}

#[test]
fn a_token_that_was_made_lets_in_where_it_is_good() {
    let storage = Storage::new();
    let file = |name: &str| storage.scratch.path().join(name).display().to_string();
    let key = file("token.pem");
    let made = storage.run(&["token", "key", "--key", &key]);
    assert_eq!(made.code, 0, "{}", made.err);
    // A key that exists is not lost.
    assert_eq!(storage.run(&["token", "key", "--key", &key]).code, 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = fs::metadata(&key).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }
    let create = |grant: &str| {
        let ended = storage.run(&[
            "token",
            "create",
            "--key",
            &key,
            "--subject",
            "ci",
            "--grant",
            grant,
            "--expires",
            "1h",
        ]);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.err.contains(" for ci until "), "{}", ended.err);
        ended.out.trim().to_owned()
    };
    let (pull, push) = (create("pull:/"), create("pull,push:**"));
    let server = Server::start(
        &storage.directory(),
        &["--token-key", &format!("{key}.pub")],
        &storage.scratch.path().join("server.log"),
    );
    let agent = agent(Duration::from_mins(1));
    let url = format!("{}/api/charts", server.url());
    let upload = |token: &str| {
        let request = agent
            .post(&url)
            .header("authorization", format!("Bearer {token}"));
        request
            .send(&chart("one", "1.0.0")[..])
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(upload(&pull), 403);
    assert_eq!(upload(&push), 201);
    let list = |token: &str| {
        let request = agent
            .get(&url)
            .header("authorization", format!("Bearer {token}"));
        request.call().unwrap().status().as_u16()
    };
    assert_eq!(list(&pull), 200);
    assert_eq!(agent.get(&url).call().unwrap().status(), 401);
    for secret in [&pull, &push] {
        assert!(!server.said().contains(secret.as_str()));
    }
}

#[test]
fn a_token_that_nobody_could_use_is_not_made() {
    let storage = Storage::new();
    let key = storage
        .scratch
        .path()
        .join("token.pem")
        .display()
        .to_string();
    assert_eq!(storage.run(&["token", "key", "--key", &key]).code, 0);
    for wrong in [
        &["token", "create", "--key", &key, "--subject", "ci"][..],
        &[
            "token",
            "create",
            "--key",
            &key,
            "--subject",
            "ci",
            "--grant",
            "pull",
        ],
        &[
            "token",
            "create",
            "--key",
            &key,
            "--subject",
            "",
            "--grant",
            "pull:x",
        ],
        &[
            "token",
            "create",
            "--key",
            &key,
            "--subject",
            "ci",
            "--grant",
            "pull:x",
            "--expires",
            "1",
        ],
        &["token"],
    ] {
        assert_eq!(storage.run(wrong).code, 2, "{wrong:?}");
    }
    let public = format!("{key}.pub");
    let with_public = [
        "token",
        "create",
        "--key",
        &public,
        "--subject",
        "x",
        "--grant",
        "pull:x",
    ];
    assert_eq!(storage.run(&with_public).code, 1);
}
