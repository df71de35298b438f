//! Requests about one version that reach both replicas at once.

use std::sync::Barrier;
use std::thread;

use crate::bucket::{Bucket, Replica, chart, until};
use crate::client::{Client, Reply, digest};
use crate::report::say;

const VERSIONS: usize = 30;

/// Sends a request to both replicas at the same moment.
fn both(replicas: &[Replica; 2], send: impl Fn(usize, &Client) -> Reply + Sync) -> [Reply; 2] {
    let line = Barrier::new(2);
    let (line, send) = (&line, &send);
    thread::scope(|scope| {
        let begin = |number: usize| {
            let client = replicas[number].client();
            scope.spawn(move || {
                // Connected already, so that the requests themselves start together.
                client.fetch("health").unwrap();
                line.wait();
                send(number, &client)
            })
        };
        let running = [begin(0), begin(1)];
        running.map(|running| running.join().expect("a client does not panic"))
    })
}

fn statuses(replies: &[Reply; 2]) -> [u16; 2] {
    let mut statuses = [replies[0].status, replies[1].status];
    statuses.sort_unstable();
    statuses
}

/// What both replicas list is what the object is, or neither lists anything and there is none. Returns
/// whether it is there. After a 503 the outcome is open until a refresh.
fn agreement(
    bucket: &Bucket,
    replicas: &[Replica; 2],
    version: &str,
    replies: &[Reply; 2],
) -> bool {
    let key = ("torn".to_owned(), version.to_owned());
    let is_open = replies.iter().any(|reply| reply.status == 503);
    until("index and object agree", || {
        let object = bucket.archives().remove(&format!("torn-{version}.tgz"));
        let object = object.map(|bytes| digest(&bytes));
        let listed = replicas.each_ref().map(|replica| {
            let index = replica.index_at_least(0);
            index.entries.get(&key).map(|(digest, _)| digest.clone())
        });
        let agrees = listed.iter().all(|listed| *listed == object);
        assert!(
            agrees || is_open,
            "{version}: {object:?} is there, {listed:?} are listed"
        );
        agrees.then_some(object.is_some())
    })
}

#[test]
fn of_two_uploads_of_one_version_at_once_exactly_one_is_acknowledged() {
    let Some(bucket) = Bucket::start("uploads raced between replicas") else {
        return;
    };
    // Refreshes enter halves of uploads under the racers' feet.
    let options = ["--refresh-interval", "1s"];
    let replicas = ["first", "second"].map(|name| bucket.replica(name, &options));
    let (mut acknowledged, mut refused, mut twice) = (0, 0, 0);
    for number in 0..VERSIONS {
        let version = format!("1.{number}.0");
        // Every third time both send the same bytes.
        let archive = |replica: usize| {
            let content = if number % 3 == 0 { 0 } else { replica };
            chart("race", &version, &format!("from {content}"))
        };
        let replies = both(&replicas, |replica, client| {
            client.upload(&archive(replica)).unwrap()
        });
        let won = replies.iter().filter(|reply| reply.status == 201).count();
        acknowledged += won;
        twice += usize::from(won > 1);
        refused += replies.iter().filter(|reply| reply.status == 409).count();
        let winner = replies.iter().position(|reply| reply.status == 201);
        let winner = winner.unwrap_or_else(|| panic!("{version}: {:?}", statuses(&replies)));
        let generation = replies[winner].generation.unwrap();
        for replica in &replicas {
            let index = replica.index_at_least(generation);
            let (listed, _) = &index.entries[&("race".to_owned(), version.clone())];
            assert_eq!(*listed, digest(&archive(winner)), "{}", replica.name);
        }
    }
    assert_eq!((acknowledged, refused, twice), (VERSIONS, VERSIONS, 0));
    for (file, bytes) in bucket.archives() {
        let version = file.trim_start_matches("race-").trim_end_matches(".tgz");
        let key = ("race".to_owned(), version.to_owned());
        for replica in &replicas {
            let (listed, _) = &replica.index_at_least(0).entries[&key];
            assert_eq!(*listed, digest(&bytes), "{file} on {}", replica.name);
        }
    }
    say(&format!(
        "race: {VERSIONS} versions uploaded to 2 replicas at once: {acknowledged} acknowledged, {refused} refused with 409, {twice} acknowledged twice"
    ));
}

#[test]
fn overwrites_and_deletes_at_once_end_with_index_and_object_in_agreement() {
    let Some(bucket) = Bucket::start("overwrites raced between replicas") else {
        return;
    };
    let options = ["--freshness", "0", "--refresh-interval", "1s"];
    let replicas = ["first", "second"].map(|name| bucket.replica(name, &options));
    let first = replicas[0].client();
    let mut survived = 0;
    for number in 0..10 {
        let version = format!("1.{number}.0");
        let id = ("torn".to_owned(), version.clone());
        let archive = |content: &str| chart("torn", &version, content);
        assert_eq!(first.upload(&archive("first")).unwrap().status, 201);
        // Two overwrites: both are acknowledged, and the last one stays.
        let replies = both(&replicas, |replica, client| {
            client
                .overwrite(&archive(&format!("over {replica}")))
                .unwrap()
        });
        assert_eq!(statuses(&replies), [201, 201], "{version}");
        assert!(agreement(&bucket, &replicas, &version, &replies));
        // An overwrite and a delete.
        let replies = both(&replicas, |replica, client| match replica {
            0 => client.overwrite(&archive("late")).unwrap(),
            _ => client.delete(&id).unwrap(),
        });
        assert!(
            matches!(replies[0].status, 201 | 503) && matches!(replies[1].status, 200 | 503),
            "{version}: {:?}",
            statuses(&replies)
        );
        survived += usize::from(agreement(&bucket, &replicas, &version, &replies));
        // Two deletes of what there is.
        until("the version is there", || {
            let reply = first.overwrite(&archive("last")).unwrap();
            (reply.status != 503).then_some(())
        });
        let replies = both(&replicas, |_, client| client.delete(&id).unwrap());
        assert!(
            replies.iter().any(|reply| reply.status == 200)
                && replies
                    .iter()
                    .all(|reply| matches!(reply.status, 200 | 404 | 503)),
            "{version}: {:?}",
            statuses(&replies)
        );
        assert!(!agreement(&bucket, &replicas, &version, &replies));
    }
    say(&format!(
        "contests: 10 versions overwritten twice, overwritten and deleted ({survived} stayed), deleted twice at once: index and object agree"
    ));
}
