//! Tokens, keys and issuers, good and bad.

mod asking;
#[path = "../../../../tests/support/issuer.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod issuer;
mod keeping;
mod key_sets;
mod tokens;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chartroom_storage::Clock;
use chrono::DateTime;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::fetch::Fetched;
use super::keys::KeySet;
use super::settings;
use super::*;
use issuer::{SigningKey, key_set};

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://ci.example";
const AUDIENCE: &str = "https://charts.example";

fn settings_of(name: &str, url: &str) -> IssuerSettings {
    IssuerSettings {
        name: name.to_owned(),
        url: url.to_owned(),
        audiences: vec![AUDIENCE.to_owned(), "charts".to_owned()],
        jwks_url: None,
        ca_file: None,
        algorithms: None,
        bearer_token_file: None,
    }
}

fn claims() -> Value {
    json!({
        "iss": URL,
        "sub": "repo:acme/charts:ref:refs/heads/main",
        "aud": AUDIENCE,
        "iat": NOW - 5,
        "nbf": NOW - 5,
        "exp": NOW + 300,
        "repository": "acme/charts",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// What an issuer answers next: `None` is no answer. The last one is repeated.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Played>>);

#[derive(Default)]
struct Played {
    answers: VecDeque<Option<(Value, Option<Duration>)>>,
    count: usize,
    /// How long an answer takes.
    delay: Duration,
}

impl Script {
    fn of(keys: &[SigningKey]) -> Self {
        let script = Self::default();
        script.then(keys, None);
        script
    }

    /// From now on, answers with these keys.
    fn then(&self, keys: &[SigningKey], max_age: Option<Duration>) {
        self.0.lock().unwrap().answers = [Some((key_set(keys), max_age))].into();
    }

    /// From now on, does not answer.
    fn fall_silent(&self) {
        self.0.lock().unwrap().answers = [None].into();
    }

    fn take(&self, delay: Duration) {
        self.0.lock().unwrap().delay = delay;
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().count
    }
}

impl Source for Script {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, FetchError>> {
        async {
            let (answer, delay) = {
                let mut played = self.0.lock().unwrap();
                played.count += 1;
                (played.answers.front().cloned().unwrap(), played.delay)
            };
            tokio::time::sleep(delay).await;
            let Some((keys, max_age)) = answer else {
                let url = URL.to_owned();
                return Err(FetchError::TooLarge { url });
            };
            let usual = settings::check(&[settings_of("ci", URL)]).unwrap();
            let keys = KeySet::parse(keys.to_string().as_bytes(), &usual[0].algorithms);
            Ok(Fetched {
                keys: keys.unwrap(),
                max_age,
            })
        }
        .boxed()
    }
}

/// Issuers of these names and URLs that answer as written.
fn issuers_of(scripts: &[(&str, &str, &Script)]) -> Issuers {
    let clock = Clock::paused(DateTime::from_timestamp(NOW, 0).unwrap());
    let mut issuers = Issuers::try_new(&[], clock, Arc::new(())).unwrap();
    for (name, url, script) in scripts {
        let checked = settings::check(&[settings_of(name, url)])
            .unwrap()
            .remove(0);
        let issuer = issuers.issuer(checked, Box::new((*script).clone()));
        issuers.all.push(issuer);
    }
    issuers
}

fn issuers(script: &Script) -> Issuers {
    issuers_of(&[("ci", URL, script)])
}

fn refused(result: Result<Workload, VerifyError>) -> TokenRefusal {
    match result {
        Err(VerifyError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn unavailable(result: Result<Workload, VerifyError>) -> Unavailable {
    match result {
        Err(VerifyError::Unavailable(unavailable)) => unavailable,
        other => panic!("{other:?}"),
    }
}
