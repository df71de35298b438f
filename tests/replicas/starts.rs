//! Replicas that start at the same moment.

use std::collections::BTreeSet;

use chartroom_storage::Key;

use crate::bucket::{Bucket, Replica, chart};
use crate::client::digest;

/// Archives that are there before the first start.
const ADOPTED: usize = 200;

/// The identities that anything in the bucket carries.
fn identities(bucket: &Bucket) -> BTreeSet<String> {
    let store = bucket.hand();
    let folder = Key::parse(".chartroom").unwrap();
    let listed = bucket.runtime.block_on(store.list_below(&folder, None));
    let segment = |key: &Key| key.as_str().split('/').nth(1).unwrap().to_owned();
    let mut identities: BTreeSet<String> = listed
        .unwrap()
        .iter()
        .map(|object| segment(&object.key))
        .collect();
    assert!(identities.remove("genesis"));
    identities
}

fn start_three_at_once(bucket: &Bucket) -> [Replica; 3] {
    let options = ["--refresh-interval", "0"];
    let mut replicas = ["first", "second", "third"].map(|name| bucket.launch(name, &options));
    for replica in &mut replicas {
        replica.wait_until_ready();
    }
    replicas
}

/// All serve the same index, whatever part each of them had in it.
fn assert_equal(replicas: &[Replica; 3]) -> usize {
    let generation = replicas
        .iter()
        .filter_map(|replica| replica.index_at_least(0).generation)
        .max()
        .unwrap();
    let index = replicas[0].index_at_least(generation);
    let [first, second, third] = replicas.each_ref().map(|replica| {
        replica.index_at_least(generation);
        replica.yaml()
    });
    assert_eq!(first, second);
    assert_eq!(first, third);
    index.entries.len()
}

#[test]
fn replicas_that_start_at_once_on_an_empty_bucket_make_one_log() {
    let Some(bucket) = Bucket::start("starts at once on an empty bucket") else {
        return;
    };
    let replicas = start_three_at_once(&bucket);
    assert_eq!(assert_equal(&replicas), 0);
    for (number, replica) in replicas.iter().enumerate() {
        let archive = chart("app", &format!("1.{number}.0"), "");
        assert_eq!(replica.client().upload(&archive).unwrap().status, 201);
    }
    assert_eq!(assert_equal(&replicas), 3);
    assert_eq!(identities(&bucket).len(), 1);
}

#[test]
fn replicas_that_start_at_once_on_a_bucket_of_archives_adopt_it_together() {
    let Some(bucket) = Bucket::start("starts at once on a bucket of archives") else {
        return;
    };
    for number in 0..ADOPTED {
        let (name, version) = (format!("app-{}", number % 7), format!("1.{number}.0"));
        bucket.put(&format!("{name}-{version}.tgz"), chart(&name, &version, ""));
    }
    bucket.put("broken-1.0.0.tgz", b"no archive".to_vec());
    bucket.put("readme.txt", b"not ours".to_vec());
    let replicas = start_three_at_once(&bucket);
    assert_eq!(assert_equal(&replicas), ADOPTED);
    assert_eq!(identities(&bucket).len(), 1);
    let index = replicas[0].index_at_least(0);
    for (file, bytes) in bucket.archives() {
        let listed = index
            .entries
            .iter()
            .find(|((name, version), _)| file == format!("{name}-{version}.tgz"));
        match listed {
            Some((_, (listed, _))) => assert_eq!(*listed, digest(&bytes), "{file}"),
            None => assert!(matches!(file.as_str(), "broken-1.0.0.tgz" | "readme.txt")),
        }
    }
}
