//! The real server, and an issuer on this machine that it trusts: tokens of all kinds, an issuer that is
//! down and comes back, and what the log says of it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use chartroom_storage::Clock;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::issuer::{LocalIssuer, Manner, SigningKey};
use crate::server::{Server, agent};
use crate::{Storage, chart};

const AUDIENCE: &str = "https://charts.example";
const PATIENCE: Duration = Duration::from_mins(1);

/// An issuer, and a server that trusts it.
struct Trust {
    issuer: LocalIssuer,
    // The issuer's tasks are on it.
    _runtime: Runtime,
    storage: Storage,
}

/// What was answered.
struct Answer {
    status: u16,
    body: String,
    retry_after: Option<u64>,
}

impl Trust {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let issuer = runtime.block_on(LocalIssuer::start());
        let storage = Storage::new();
        let policy = format!(
            "issuers:
  - {{name: ci, url: '{}', audiences: ['{AUDIENCE}']}}
rules:
  - name: releases
    to: [{{issuer: ci, claims: {{repository: 'acme/*', kubernetes.io: {{namespace: ci}}}}}}]
    allow: [pull, push]
    repositories: ['**']
",
            issuer.url
        );
        fs::write(storage.scratch.path().join("policy.yaml"), policy).unwrap();
        Self {
            issuer,
            _runtime: runtime,
            storage,
        }
    }

    fn policy(&self) -> String {
        let path = self.storage.scratch.path().join("policy.yaml");
        path.to_str().unwrap().to_owned()
    }

    fn serve(&self) -> Server {
        let log = self.storage.scratch.path().join("server.log");
        let policy = self.policy();
        let options = ["--policy", &policy, "--log-level", "debug"];
        Server::start(&self.storage.directory(), &options, &log)
    }

    fn claims(&self) -> Value {
        let now = Clock::default().wall().timestamp();
        json!({
            "iss": self.issuer.url, "sub": "repo:acme/shop", "aud": AUDIENCE,
            "iat": now, "exp": now + 300, "repository": "acme/shop",
            "kubernetes.io": {"namespace": "ci"},
        })
    }

    fn sign(&self, key: &SigningKey) -> String {
        key.sign(&self.claims())
    }
}

fn push(server: &Server, token: &str, version: &str) -> Answer {
    let reply = agent(PATIENCE)
        .post(format!("{}/api/charts", server.url()))
        .header("authorization", format!("Bearer {token}"))
        .send(&chart("shop", version)[..]);
    let mut reply = reply.unwrap();
    let retry_after = reply.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
    Answer {
        status: reply.status().as_u16(),
        body: reply.body_mut().read_to_string().unwrap(),
        retry_after,
    }
}

#[test]
fn a_job_pushes_without_a_stored_secret_and_its_tokens_are_nowhere_in_the_log() {
    let trust = Trust::new();
    let server = trust.serve();
    let keys = trust.issuer.keys();
    let mut tokens: Vec<String> = keys.iter().map(|key| trust.sign(key)).collect();
    for (number, token) in tokens.iter().enumerate() {
        let answer = push(&server, token, &format!("1.0.{number}"));
        assert_eq!(answer.status, 201, "{}\n{}", answer.body, server.said());
    }
    let mut expired = trust.claims();
    expired["exp"] = json!(expired["exp"].as_i64().unwrap() - 1000);
    let forger = SigningKey::all("1");
    let mut elsewhere = trust.claims();
    elsewhere["repository"] = json!("evil/shop");
    for (token, status) in [
        (keys[0].sign(&expired), 401),
        (forger[1].sign(&trust.claims()), 401),
        (keys[1].sign(&elsewhere), 403),
    ] {
        assert_eq!(push(&server, &token, "2.0.0").status, status);
        tokens.push(token);
    }
    let said = server.said();
    assert!(said.contains("the keys of an issuer were read"), "{said}");
    assert!(said.contains("the token has expired"), "{said}");
    for token in &tokens {
        for part in token.split('.').skip(1) {
            assert!(!said.contains(part), "{said}");
        }
    }
    assert!(server.stop().success());
}

#[test]
fn an_issuer_that_is_down_gets_503_until_it_is_back() {
    let trust = Trust::new();
    trust.issuer.behave(Manner {
        status: Some(500),
        ..Manner::default()
    });
    let server = trust.serve();
    let token = trust.sign(&trust.issuer.keys()[1]);
    let answer = push(&server, &token, "1.0.0");
    assert_eq!(answer.status, 503, "{}\n{}", answer.body, server.said());
    assert!(answer.body.contains("issuer `ci`"), "{}", answer.body);
    assert!(
        answer
            .retry_after
            .is_some_and(|seconds| (1..=10).contains(&seconds))
    );
    let said = server.said();
    assert!(
        said.contains("the keys of an issuer cannot be had"),
        "{said}"
    );
    assert!(said.contains("answers 500"), "{said}");
    trust.issuer.behave(Manner::default());
    let begin = Instant::now();
    loop {
        let answer = push(&server, &token, "1.0.0");
        if answer.status == 201 {
            break;
        }
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(begin.elapsed() < PATIENCE, "{}", server.said());
        thread::sleep(Duration::from_millis(50));
    }
    // What it knows serves on without the issuer.
    trust.issuer.behave(Manner {
        is_silent: true,
        ..Manner::default()
    });
    assert_eq!(push(&server, &token, "1.0.1").status, 201);
}

#[test]
fn the_policies_of_the_documentation_are_policies() {
    let storage = Storage::new();
    let documentation = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/authentication.md");
    let text = fs::read_to_string(documentation).unwrap();
    let blocks = text.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let policies: Vec<&str> = blocks.filter(|block| block.contains("\nrules:")).collect();
    assert!(policies.len() >= 5, "{}", policies.len());
    for policy in policies {
        let path = storage.put("policy.yaml", policy);
        let flag = format!("--policy={}", path.display());
        let ended = storage.run(&["policy", "check", &flag]);
        assert_eq!(ended.code, 0, "{policy}\n{}", ended.err);
    }
}
