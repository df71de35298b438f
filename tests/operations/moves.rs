//! A repository moves to another store by a copy of its objects, and keeps what it was.

use tokio::runtime::Runtime;

use crate::client::{Client, Listing, chart};
use crate::objects;
use crate::program::{Storage, store_server};
use crate::stores::{Kind, Start};

/// Copies everything, as `aws s3 sync` does: what is there already stays.
fn copy(from: &Storage, to: &Storage) {
    let (from, to) = (from.store(), to.store());
    Runtime::new().unwrap().block_on(async {
        objects::write(&to, &objects::read_files(&from).await).await;
        objects::write(&to, &objects::read_log(&from).await).await;
    });
}

/// Serves the storage, uploads a version, and returns what is listed.
fn go_on(storage: &Storage, version: &str) -> (Listing, u64) {
    let server = storage.serve(&[]);
    let client = Client::of(&server);
    assert_eq!(client.upload(&chart("app", version)), 201);
    assert_eq!(client.upload(&chart("app", version)), 409);
    let (listing, generation) = client.index();
    for (file, (digest, _)) in &listing {
        let body = client.get(&format!("/charts/{file}"), 200);
        let found = chartroom::chart::Digest::of(&body).to_string();
        assert_eq!(found, *digest, "{file}");
    }
    assert!(server.stop().success());
    (listing, generation)
}

#[test]
fn a_repository_moves_from_a_directory_to_a_bucket_and_back() {
    let what = "a move between stores";
    let Some((_runtime, server)) = store_server(Kind::Minio, what, Start::default()) else {
        return;
    };
    let (first, bucket, last) = (
        Storage::directory(),
        Storage::on(&server),
        Storage::directory(),
    );
    let mut all = Listing::new();
    let mut generation = 0;
    let mut before: Option<&Storage> = None;
    for (storage, version) in [(&first, "1.0.0"), (&bucket, "2.0.0"), (&last, "3.0.0")] {
        if let Some(before) = before {
            copy(before, storage);
        }
        let (listing, reached) = go_on(storage, version);
        for (file, entry) in &all {
            assert_eq!(listing[file], *entry, "{file}");
        }
        assert_eq!(listing.len(), all.len() + 1);
        // The log goes on: what clients and caches know of generations stays true.
        assert!(reached > generation, "{reached} after {generation}");
        (all, generation) = (listing, reached);
        before = Some(storage);
    }
    assert_eq!(all.len(), 3);
}
