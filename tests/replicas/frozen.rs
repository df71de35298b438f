//! A replica that is stopped for longer than the log keeps its records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chartroom_storage::{Key, StorageErrorKind};

use crate::bucket::{Bucket, Replica, chart, until};
use crate::report::say;

const OPTIONS: &[&str] = &["--log-retention", "10s", "--refresh-interval", "1s"];

/// Clients that go on writing to the replica while it is stopped.
const CLIENTS: usize = 4;

#[test]
fn a_replica_that_slept_longer_than_the_retention_serves_and_writes_what_is_true() {
    let Some(bucket) = Bucket::start("a frozen replica") else {
        return;
    };
    let frozen = bucket.replica("frozen", OPTIONS);
    let awake = bucket.replica("awake", OPTIONS);
    let enough = AtomicBool::new(false);
    let (acknowledged, others) = thread::scope(|scope| {
        let writers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (frozen, enough) = (&frozen, &enough);
                scope.spawn(move || write(frozen, number, enough))
            })
            .collect();
        until("the load is under way", || {
            let listed = frozen.client().index().unwrap().unwrap().entries.len();
            (listed > 3 * CLIENTS).then_some(())
        });
        frozen.freeze();
        let known = awake.index_at_least(0).generation.unwrap();
        let others = outlive(&bucket, &awake, known + 64);
        frozen.thaw();
        // The first read after the thaw already shows everything.
        let seen = frozen.index_at_least(0);
        for version in &others {
            let id = ("other".to_owned(), version.clone());
            assert!(seen.entries.contains_key(&id), "{version} is not listed");
        }
        // It writes, too.
        let reply = until("the thawed replica writes", || {
            let reply = frozen.client().upload(&chart("thawed", "1.0.0", ""));
            let reply = reply.unwrap();
            (reply.status != 503).then_some(reply)
        });
        assert!(matches!(reply.status, 201 | 409), "{}", reply.status);
        enough.store(true, Ordering::SeqCst);
        let acknowledged: Vec<_> = writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("a client does not panic"))
            .collect();
        (acknowledged, others)
    });
    let generation = frozen.index_at_least(0).generation.unwrap();
    for replica in [&frozen, &awake] {
        let index = replica.index_at_least(generation);
        for id in &acknowledged {
            assert!(
                index.entries.contains_key(id),
                "{id:?} was acknowledged and is not listed by {}\n{}",
                replica.name,
                replica.server.said()
            );
        }
        for version in &others {
            let id = ("other".to_owned(), version.clone());
            assert!(index.entries.contains_key(&id), "{version} was lost");
        }
        assert!(
            index
                .entries
                .contains_key(&("thawed".to_owned(), "1.0.0".to_owned()))
        );
    }
    say(&format!(
        "frozen: {} uploads to a replica that was stopped and {} to the other one while its records were removed: all are listed by both",
        acknowledged.len(),
        others.len()
    ));
}

/// Uploads one version after the other and returns those that were acknowledged.
fn write(replica: &Replica, number: usize, enough: &AtomicBool) -> Vec<(String, String)> {
    let client = replica.client();
    let mut acknowledged = Vec::new();
    let name = format!("mine-{number}");
    for version in 0.. {
        if enough.load(Ordering::SeqCst) {
            break;
        }
        let version = format!("1.{version}.0");
        let reply = client.upload(&chart(&name, &version, "")).unwrap();
        match reply.status {
            201 => acknowledged.push((name.clone(), version)),
            503 => {}
            other => panic!("an upload is answered {other}"),
        }
    }
    acknowledged
}

/// Lets the other replica go on until the record of `generation` is removed from the log. Returns the
/// versions that it put meanwhile.
fn outlive(bucket: &Bucket, awake: &Replica, generation: u64) -> Vec<String> {
    let client = awake.client();
    let store = bucket.hand();
    let genesis = Key::parse(".chartroom/genesis").unwrap();
    let genesis = bucket.runtime.block_on(store.get(&genesis)).unwrap();
    let genesis: serde_json::Value = serde_json::from_slice(&genesis.body).unwrap();
    let identity = genesis["identity"].as_str().unwrap();
    let record = Key::parse(&format!(".chartroom/{identity}/log/{generation:020}")).unwrap();
    let mut versions = Vec::new();
    let mut has_been_there = false;
    loop {
        let version = format!("1.{}.0", versions.len());
        let reply = client.upload(&chart("other", &version, "")).unwrap();
        assert_eq!(reply.status, 201, "{}", awake.server.said());
        versions.push(version);
        match bucket.runtime.block_on(store.head(&record)) {
            Ok(_) => has_been_there = true,
            Err(error) => {
                assert_eq!(error.kind(), StorageErrorKind::NotFound);
                if has_been_there {
                    return versions;
                }
            }
        }
        assert!(versions.len() < 20_000, "no record is ever removed");
    }
}
