//! Every backend fulfils the contract.

use std::sync::Arc;

use chartroom_storage::testing::{Faulty, content_etag_memory, contract};
use chartroom_storage::{BucketOptions, Location, Store, Timeouts};
use object_store::memory::InMemory;

#[tokio::test]
async fn memory_fulfils_the_contract() {
    let store = Store::open(
        &Location::Memory,
        &BucketOptions::default(),
        Timeouts::default(),
    )
    .unwrap();
    contract::check_store(&store).await.unwrap();
}

#[tokio::test]
async fn memory_with_content_e_tags_fulfils_the_contract() {
    let store = Store::new(content_etag_memory(), Timeouts::default());
    contract::check_store(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_fulfils_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Directory(directory.path().join("made/at/open"));
    let store = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap();
    contract::check_store(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_behind_a_calm_decorator_fulfils_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Directory(directory.path().join("with space %20 é"));
    let store = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap();
    let faulty = Faulty::new(store.object_store());
    contract::check_store(&faulty.store(Timeouts::default()))
        .await
        .unwrap();
    assert!(faulty.count_all() > 0);
}

#[tokio::test]
async fn memory_behind_a_calm_decorator_fulfils_the_contract() {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    contract::check_store(&faulty.store(Timeouts::default()))
        .await
        .unwrap();
}
