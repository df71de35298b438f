//! A store that goes away, is slow, or loses replies.

use std::time::{Duration, Instant};

use crate::bucket::{Bucket, PATIENCE, Replica, chart, until};
use crate::client::Reply;
use crate::proxy::{Mode, Proxy};
use crate::server::send;

const READS: [&str; 3] = ["index.yaml", "api/charts", "api/charts/app/1.0.0"];

fn upload(replica: &Replica, version: &str) -> Reply {
    replica.client().upload(&chart("app", version, "")).unwrap()
}

fn age(reply: &Reply) -> Option<u64> {
    reply.header("X-Chartroom-Stale").parse().ok()
}

/// What is in memory is served, with its age; writes are put off.
fn assert_carries_on(replica: &Replica, before: &[u8]) {
    until("the replica notices that the store is away", || {
        let reply = replica.client().yaml_index().unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, before);
        age(&reply)
    });
    for path in READS {
        let begin = Instant::now();
        let reply = replica.client().fetch(path).unwrap();
        assert_eq!(reply.status, 200, "{path}");
        assert!(age(&reply).is_some(), "{path}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{path}");
    }
    let begin = Instant::now();
    let refused = upload(replica, "9.0.0");
    assert_eq!(refused.status, 503);
    assert_ne!(refused.header("Retry-After"), "");
    assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
    assert_eq!(replica.client().fetch("ready").unwrap().status, 503);
    assert_eq!(replica.client().fetch("health").unwrap().status, 200);
    // Whether something else is there is not known.
    let missing = replica.client().fetch("api/charts/none/1.0.0").unwrap();
    assert_eq!(missing.status, 503);
}

/// Nobody has to do anything for it.
fn assert_recovers(replicas: &[Replica], version: &str) {
    for replica in replicas {
        until("the replica recovers", || {
            let reply = replica.client().yaml_index().unwrap();
            (reply.status == 200 && age(&reply).is_none()).then_some(())
        });
    }
    let uploaded = until("an upload is taken again", || {
        let reply = upload(&replicas[0], version);
        (reply.status != 503).then_some(reply)
    });
    assert_eq!(uploaded.status, 201);
    for replica in replicas {
        let index = replica.index_at_least(uploaded.generation.unwrap());
        let id = ("app".to_owned(), version.to_owned());
        assert!(index.entries.contains_key(&id), "{}", replica.name);
        assert_eq!(replica.client().fetch("ready").unwrap().status, 200);
    }
}

#[test]
fn replicas_carry_on_while_the_store_is_away_and_recover_by_themselves() {
    let Some(mut bucket) = Bucket::start("a store that goes away") else {
        return;
    };
    let replicas = ["first", "second"].map(|name| bucket.replica(name, &[]));
    let uploaded = upload(&replicas[0], "1.0.0").generation.unwrap();
    let before = replicas.each_ref().map(|replica| {
        replica.index_at_least(uploaded);
        replica.yaml().0
    });
    // It hangs: connections stay open, and nothing answers.
    send("STOP", bucket.server.id());
    for (replica, before) in replicas.iter().zip(&before) {
        assert_carries_on(replica, before);
    }
    send("CONT", bucket.server.id());
    assert_recovers(&replicas, "2.0.0");
    let before = replicas[1].yaml().0;
    // It is gone: connections are refused.
    bucket.server.kill();
    assert_carries_on(&replicas[1], &before);
    bucket.runtime.block_on(bucket.server.start_again());
    assert_recovers(&replicas, "3.0.0");
    // What was refused did not take effect behind anybody's back, or did as a whole.
    until("both serve the same index", || {
        let [first, second] = replicas.each_ref().map(Replica::yaml);
        (first == second).then_some(())
    });
}

#[test]
fn a_replica_that_is_cut_off_serves_what_it_knows_and_catches_up() {
    let Some(bucket) = Bucket::start("a replica that is cut off") else {
        return;
    };
    let way = Proxy::start(&bucket.runtime, bucket.server.endpoint());
    let replicas = [
        bucket.replica_by("cut", &[], &way.url()),
        bucket.replica("whole", &[]),
    ];
    let generation = upload(&replicas[0], "1.0.0").generation.unwrap();
    replicas[0].index_at_least(generation);
    let before = replicas[0].yaml().0;
    way.set(Mode::Cut);
    assert_eq!(upload(&replicas[1], "2.0.0").status, 201);
    assert_carries_on(&replicas[0], &before);
    way.set(Mode::Open);
    assert_recovers(&replicas, "3.0.0");
    let id = ("app".to_owned(), "2.0.0".to_owned());
    assert!(replicas[0].index_at_least(0).entries.contains_key(&id));
}

#[test]
fn a_slow_store_makes_nothing_wrong() {
    let Some(bucket) = Bucket::start("a slow store") else {
        return;
    };
    let way = Proxy::start(&bucket.runtime, bucket.server.endpoint());
    let replicas = [
        bucket.replica_by("slow", &[], &way.url()),
        bucket.replica("quick", &[]),
    ];
    way.set(Mode::Slow(Duration::from_millis(400)));
    let uploaded = upload(&replicas[0], "1.0.0");
    assert_eq!(uploaded.status, 201);
    let index = replicas[1].index_at_least(uploaded.generation.unwrap());
    assert_eq!(index.entries.len(), 1);
    let refused = upload(&replicas[0], "1.0.0");
    assert_eq!(refused.status, 409);
    // The quick one's upload is seen through the slow way too.
    let generation = upload(&replicas[1], "2.0.0").generation.unwrap();
    let index = replicas[0].index_at_least(generation);
    assert_eq!(index.entries.len(), 2);
}

#[test]
fn an_upload_whose_reply_was_lost_is_read_back_and_acknowledged_once() {
    let Some(bucket) = Bucket::start("lost replies") else {
        return;
    };
    let way = Proxy::start(&bucket.runtime, bucket.server.endpoint());
    let replicas = [
        bucket.replica_by("lossy", &["--refresh-interval", "0"], &way.url()),
        bucket.replica("whole", &["--refresh-interval", "0"]),
    ];
    way.set(Mode::LosePuts(1));
    let uploaded = upload(&replicas[0], "1.0.0");
    assert_eq!(way.mode(), Mode::LosePuts(0), "a reply was lost");
    assert_eq!(uploaded.status, 201, "{}", replicas[0].server.said());
    let index = replicas[1].index_at_least(uploaded.generation.unwrap());
    assert_eq!(index.entries.len(), 1);
    let again = replicas[1].client().upload(&chart("app", "1.0.0", "other"));
    assert_eq!(again.unwrap().status, 409);
    assert_eq!(bucket.archives().len(), 1);
}
