//! Every server fulfils the contract of stores, and is good enough for the log.

use std::time::Instant;

use chartroom_storage::RepositoryPath;
use chartroom_storage::probe::probe;
use chartroom_storage::testing::contract;

use crate::race::race;
use crate::report::say;
use crate::stores::{self, Kind};

async fn check(kind: Kind) {
    let Some(server) = stores::start(kind, &format!("the contract on {kind:?}")).await else {
        return;
    };
    let store = server.store();
    let begin = Instant::now();
    let cases = contract::check_store(&store).await.unwrap_or_else(|error| {
        panic!("{}", chain(&error));
    });
    let contract = begin.elapsed();
    for tried in probe(&store).await {
        let Err(error) = tried.result else { continue };
        panic!("{}: {}", tried.step.name(), chain(&error));
    }
    let begin = Instant::now();
    race(store.within(&RepositoryPath::parse("race").unwrap())).await;
    let race = begin.elapsed();
    say(&format!(
        "{kind:?}: {cases} cases of the contract in {contract:.1?}, the race in {race:.1?}"
    ));
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_fulfils_the_contract() {
    check(Kind::Minio).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versitygw_fulfils_the_contract() {
    check(Kind::Versitygw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn google_fulfils_the_contract() {
    check(Kind::FakeGcs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn azure_fulfils_the_contract() {
    check(Kind::Azurite).await;
}
