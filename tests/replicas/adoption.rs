//! A first start over a bucket of many archives, and the starts after it.
//!
//! `CHARTROOM_ADOPT` says how many archives there are (default 2000), to measure: then the way to the
//! store is not made slower than it is.

use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chartroom_storage::Key;
use futures_util::{StreamExt as _, stream};

use crate::bucket::{Bucket, Replica, chart, until};
use crate::proxy::{Mode, Proxy};
use crate::report::say;

/// Versions of each chart.
const VERSIONS: usize = 100;

fn name_of(number: usize) -> (String, String) {
    (
        format!("app-{}", number / VERSIONS),
        format!("1.{}.0", number % VERSIONS),
    )
}

/// Puts archives by hand, and what is none.
fn fill(bucket: &Bucket, archives: usize) {
    let store = bucket.hand();
    bucket.runtime.block_on(async {
        stream::iter(0..archives)
            .map(|number| {
                let (name, version) = name_of(number);
                let key = Key::parse(&format!("{name}-{version}.tgz")).unwrap();
                let body = Bytes::from(chart(&name, &version, "adopted"));
                let store = &store;
                async move { store.create(&key, body).await.unwrap() }
            })
            .buffer_unordered(16)
            .collect::<Vec<_>>()
            .await
    });
    bucket.put("broken-1.0.0.tgz", b"no archive".to_vec());
    bucket.put("app-0-1.0.0.tgz.prov", b"beside an archive".to_vec());
    bucket.put("readme.txt", b"not ours".to_vec());
}

fn listed(replica: &Replica) -> usize {
    let index = replica.client().index();
    index
        .ok()
        .and_then(Result::ok)
        .map_or(0, |index| index.entries.len())
}

/// How many archives `/ready` says are read, and of how many; nothing once it is ready.
fn progress(replica: &Replica) -> Option<(usize, usize)> {
    let reply = replica.client().fetch("ready").ok()?;
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let words: Vec<&str> = body["hint"].as_str()?.split(' ').collect();
    assert_eq!(reply.status, 503);
    match words.as_slice() {
        [read, "of", of, "archives", "are", "read"] => {
            Some((read.parse().unwrap(), of.parse().unwrap()))
        }
        other => panic!("{other:?}"),
    }
}

/// The most memory that the process had, in MiB.
fn peak_memory(replica: &Replica) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", replica.server.id()));
    let status = status.unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    kilobytes.map_or(0, |text| text.parse::<u64>().unwrap() / 1024)
}

#[test]
fn a_bucket_of_many_archives_is_adopted_while_it_is_served() {
    let Some(bucket) = Bucket::start("the adoption of many archives") else {
        return;
    };
    let wanted = std::env::var_os("CHARTROOM_ADOPT");
    let archives = wanted.as_ref().map_or(2000, |text| {
        let number = text.to_str().and_then(|text| text.parse().ok());
        number.expect("CHARTROOM_ADOPT is a number")
    });
    fill(&bucket, archives);

    let way = Proxy::start(&bucket.runtime, bucket.server.endpoint());
    // As far away as a bucket is, so that the adoption takes longer than readers wait for it.
    way.set(Mode::Slow(Duration::from_millis(40)));
    let endpoint = match wanted {
        Some(_) => bucket.server.endpoint().to_owned(),
        None => way.url(),
    };
    let options = ["--refresh-interval", "0"];
    let begin = Instant::now();
    let mut replica = bucket.launch_by("adopting", &options, &endpoint);
    let mut last = 0;
    let (first, part) = until("some archives are served", || {
        let listed = listed(&replica);
        (listed > 0).then(|| (begin.elapsed(), listed))
    });
    assert!(part < archives, "all at once: there is nothing to see");
    while let Some((read, of)) = progress(&replica) {
        assert_eq!(of, archives + 1);
        assert!((last..=of).contains(&read), "{read} after {last}");
        last = read;
        // What is listed can be downloaded meanwhile.
        let index = replica.client().index().unwrap().unwrap();
        let (_, url) = index.entries.values().next().unwrap();
        assert_eq!(replica.client().fetch(url).unwrap().status, 200);
    }
    assert!(last > 0, "the progress was told");
    replica.wait_until_ready();
    let took = begin.elapsed();
    assert_eq!(listed(&replica), archives);
    let said = replica.server.said();
    assert!(said.contains("broken-1.0.0.tgz"), "{said}");
    if took > Duration::from_secs(15) {
        assert!(said.contains(&format!(" of {}", archives + 1)), "{said}");
    }
    let memory = peak_memory(&replica);

    // The next start reads a snapshot and the end of the log, and the broken file again.
    let before = replica.yaml();
    drop(replica);
    let way = Proxy::start(&bucket.runtime, bucket.server.endpoint());
    let begin = Instant::now();
    let again = bucket.replica_by("again", &options, &way.url());
    let restart = begin.elapsed();
    assert_eq!(again.yaml(), before);
    assert_eq!(way.requests_for_archives("GET "), 1);
    say(&format!(
        "adoption: {archives} archives: {part} listed after {first:.1?}, all after {took:.1?}, {memory} MiB at most; the next start takes {restart:.1?}, {} requests and {} MiB",
        way.all_requests(),
        peak_memory(&again)
    ));
}
