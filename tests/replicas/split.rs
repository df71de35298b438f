//! Uploads that are split between two replicas, as a load balancer does.

use std::thread;
use std::time::Instant;

use crate::bucket::{Bucket, FRESHNESS, Replica, chart, until};
use crate::report::say;

const UPLOADS: usize = 100;
const CLIENTS: usize = 4;

#[test]
fn each_of_two_replicas_lists_all_of_the_uploads_that_were_split_between_them() {
    let Some(bucket) = Bucket::start("uploads split between replicas") else {
        return;
    };
    let replicas = [bucket.replica("first", &[]), bucket.replica("second", &[])];
    let begin = Instant::now();
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let client = replicas[number % 2].client();
            scope.spawn(move || {
                for upload in (number..UPLOADS).step_by(CLIENTS) {
                    let archive = chart("split", &format!("1.{upload}.0"), "split");
                    let reply = client.upload(&archive).unwrap();
                    assert_eq!(reply.status, 201, "upload {upload}");
                }
            });
        }
    });
    let (acknowledged, took) = (Instant::now(), begin.elapsed());
    for replica in &replicas {
        lists_in_time(replica, acknowledged);
    }
    say(&format!(
        "split: {UPLOADS} uploads split between 2 replicas in {took:.1?}: each lists {UPLOADS} within {FRESHNESS:?}"
    ));
}

/// A read that begins later than the freshness after the last acknowledgement shows everything.
fn lists_in_time(replica: &Replica, acknowledged: Instant) {
    until("the index shows all uploads", || {
        let begin = Instant::now();
        let index = replica.client().index().unwrap().unwrap();
        let listed = index.entries.len();
        if listed == UPLOADS {
            return Some(());
        }
        // On a machine that is too busy the store may not answer in time, and the reply says so.
        let is_late = begin - acknowledged >= FRESHNESS && !index.is_stale;
        assert!(!is_late, "{} lists {listed} only", replica.name);
        None
    });
}
