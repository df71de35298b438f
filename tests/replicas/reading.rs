//! What a client may count on when it writes by one replica and reads by another.

use crate::bucket::{Bucket, Replica, chart};
use crate::client::{HELM, Reply};

const AT_LEAST: &str = "X-Chartroom-Min-Generation";

fn upload(replica: &Replica, version: &str) -> u64 {
    let reply = replica.client().upload(&chart("app", version, "")).unwrap();
    assert_eq!(reply.status, 201);
    reply.generation.unwrap()
}

fn read(replica: &Replica, path: &str, at_least: u64) -> Reply {
    let at_least = at_least.to_string();
    let headers = [(AT_LEAST, at_least.as_str())];
    replica.client().get(path, &headers).unwrap()
}

#[test]
fn what_was_written_by_one_replica_is_read_by_another_at_its_generation_or_later() {
    let Some(bucket) = Bucket::start("reads of what was just written") else {
        return;
    };
    // So lazy that nothing shows up by itself.
    let lazy = ["--freshness", "1h", "--refresh-interval", "0"];
    let [writer, reader] = ["writer", "reader"].map(|name| bucket.replica(name, &lazy));
    let strict = bucket.replica("strict", &["--freshness", "0", "--refresh-interval", "0"]);
    let mut last = 0;
    for number in 0..20 {
        let version = format!("1.{number}.0");
        let generation = upload(&writer, &version);
        assert!(generation > last);
        // Without the header it may be as old as the freshness says.
        let old = reader.client().yaml_index().unwrap();
        assert_eq!((old.status, old.generation), (200, Some(last)));
        let line = format!("version: {version}\n");
        for path in [
            "index.yaml",
            "api/charts",
            &format!("api/charts/app/{version}"),
        ] {
            let reply = read(&reader, path, generation);
            assert_eq!(reply.status, 200, "{path}");
            assert!(reply.generation >= Some(generation), "{path}");
        }
        let fresh = String::from_utf8(read(&reader, "index.yaml", generation).body).unwrap();
        assert!(fresh.contains(&line), "{fresh}");
        // A freshness of zero needs no header.
        let strict = strict.client().yaml_index().unwrap();
        assert_eq!((strict.status, strict.generation), (200, Some(generation)));
        assert!(String::from_utf8(strict.body).unwrap().contains(&line));
        last = generation;
    }
    let id = ("app".to_owned(), "1.0.0".to_owned());
    let deleted = writer.client().delete(&id).unwrap();
    assert_eq!(deleted.status, 200);
    let generation = deleted.generation.unwrap();
    let index = reader.index_at_least(generation);
    assert!(!index.entries.contains_key(&id));
    // What does not exist yet is nobody's to give.
    let early = read(&reader, "index.yaml", generation + 1);
    assert_eq!(early.status, 503);
    assert_ne!(early.header("Retry-After"), "");
    assert_eq!(read(&reader, "index.yaml", generation).status, 200);
}

#[test]
fn one_generation_is_the_same_bytes_on_every_replica_and_after_every_start() {
    let Some(bucket) = Bucket::start("equal bytes on all replicas") else {
        return;
    };
    let mut replicas = ["first", "second"].map(|name| bucket.replica(name, &[]));
    let mut generation = 0;
    // More than a snapshot's worth, so that starts read one.
    for number in 0..150 {
        let replica = &replicas[number % 2];
        generation = upload(replica, &format!("1.{number}.0"));
        if number % 7 == 0 {
            let client = replica.client();
            let archive = chart("other", &format!("0.{number}.0"), "first");
            assert_eq!(client.upload(&archive).unwrap().status, 201);
            let archive = chart("other", &format!("0.{number}.0"), "second");
            generation = client.overwrite(&archive).unwrap().generation.unwrap();
        }
        if number % 11 == 0 {
            let id = ("app".to_owned(), format!("1.{number}.0"));
            let deleted = replica.client().delete(&id).unwrap();
            assert_eq!(deleted.status, 200);
            generation = deleted.generation.unwrap();
        }
    }
    let of = |replica: &Replica| {
        let at_least = generation.to_string();
        let forms: [&[(&str, &str)]; 2] = [&[], &[HELM]];
        forms.map(|form| {
            let headers: Vec<_> = form
                .iter()
                .copied()
                .chain([(AT_LEAST, &*at_least)])
                .collect();
            let reply = replica.client().get("index.yaml", &headers).unwrap();
            assert_eq!((reply.status, reply.generation), (200, Some(generation)));
            let tag = reply.header("ETag").to_owned();
            assert!(tag.starts_with('"'), "{tag} is strong");
            (reply.body, tag)
        })
    };
    let expected = of(&replicas[0]);
    assert_eq!(of(&replicas[1]), expected);
    let [yaml, json] = &expected;
    assert_ne!(yaml, json);
    for replica in &mut replicas {
        replica.kill_and_restart();
        assert_eq!(of(replica), expected, "{} after a start", replica.name);
    }
    let third = bucket.replica("third", &[]);
    assert_eq!(of(&third), expected, "a replica that joins");
}
