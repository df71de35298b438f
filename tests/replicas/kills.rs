//! `kill -9` of one of two replicas under load, and a restart: nothing acknowledged is missing in any
//! index, and what was deleted stays deleted.
//!
//! `CHARTROOM_KILLS` says how often (default 5), `CHARTROOM_SEED` replays what was drawn; the moments
//! depend on the machine too.

use std::env;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use rand::RngExt as _;

use crate::belief::Beliefs;
use crate::bucket::{Bucket, Replica};
use crate::inspection;
use crate::load::{Counts, Killed, Worker};
use crate::race::Races;
use crate::report::say;
use crate::seed;

/// Client threads, which stay with one replica each.
const WORKERS: usize = 6;
/// A refresh that comes often meets what the load has half done.
const OPTIONS: &[&str] = &["--refresh-interval", "1s"];
/// Versions that all clients upload at once, in each round.
const RACES: usize = 6;

#[test]
fn killed_replicas_lose_nothing_that_was_acknowledged() {
    let Some(bucket) = Bucket::start("replicas that are killed") else {
        return;
    };
    let begin = Instant::now();
    let kills = env::var_os("CHARTROOM_KILLS").map_or(5, |kills| {
        let kills = kills.to_str().and_then(|kills| kills.parse().ok());
        kills.expect("CHARTROOM_KILLS is a number")
    });
    let seed = seed::seed_or(rand::random());
    say(&format!(
        "kill: {kills} kills, seed {seed} (CHARTROOM_SEED={seed} replays it)"
    ));
    let mut random = seed::generator(seed, 0);
    let mut replicas = ["first", "second"].map(|name| bucket.replica(name, OPTIONS));
    let mut workers: Vec<Worker> = (0..WORKERS)
        .map(|number| Worker::new(number as u64, seed))
        .collect();
    let mut contested = Beliefs::default();
    let mut generation = 0;
    let mut won = 0;
    for round in 0..kills {
        let victim = usize::try_from(round % 2).unwrap();
        let races = Races::new(round, RACES);
        let replies = random.random_range(60..160);
        let reached = load_and_kill(&mut replicas, victim, &mut workers, &races, replies);
        generation = generation.max(reached);
        won += races.settle(&mut contested).unwrap();
        for replica in &replicas {
            let beliefs = workers
                .iter_mut()
                .map(|worker| &mut worker.beliefs)
                .chain([&mut contested]);
            let inspected = inspection::inspect(&replica.client(), beliefs, generation);
            generation = inspected.unwrap_or_else(|reason| {
                panic!(
                    "seed {seed}, round {round}, {}: {reason}\n{}",
                    replica.name,
                    replica.server.said()
                )
            });
        }
    }
    let mut counts = Counts::default();
    for worker in &workers {
        counts += worker.counts;
    }
    say(&format!(
        "kill: {kills} kills of one of 2 replicas in {:.0?}: {counts}; {won} races won by one; 0 acknowledged missing in any index",
        begin.elapsed()
    ));
}

/// Puts load on both replicas, kills one of them and starts it again. Returns the highest generation
/// that a reply carried.
fn load_and_kill(
    replicas: &mut [Replica; 2],
    victim: usize,
    workers: &mut [Worker],
    races: &Races,
    replies: usize,
) -> u64 {
    let killed = [Killed::default(), Killed::default()];
    let clients = [replicas[0].client(), replicas[1].client()];
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter_mut()
            .enumerate()
            .map(|(number, worker)| {
                let (client, killed) = (&clients[number % 2], &killed[number % 2]);
                let sender = sender.clone();
                scope.spawn(move || worker.work(client, races, killed, &sender))
            })
            .collect();
        drop(sender);
        // It ends early if all clients have stopped, which they do only for a complaint.
        receiver.iter().take(replies).count();
        killed[victim].now();
        // The other one goes on under load while this one starts.
        replicas[victim].kill_and_restart();
        killed[1 - victim].enough();
        drop(receiver);
        let seen = running
            .into_iter()
            .map(|worker| worker.join().expect("a client does not panic"));
        seen.map(|seen| seen.unwrap_or_else(|reason| panic!("{reason}")))
            .max()
            .unwrap_or_default()
    })
}
