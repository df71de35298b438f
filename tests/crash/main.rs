//! `kill -9` at random moments of a load of uploads, overwrites and deletes, then a restart over the
//! same directory: nothing acknowledged may be lost, and index and objects have to agree.
//!
//! `CHARTROOM_KILLS` says how often (default 30), `CHARTROOM_SEED` replays what was drawn; the moments
//! depend on the machine too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/archive.rs"]
mod archive;
mod belief;
#[path = "../support/binary.rs"]
mod binary;
mod client;
mod inspection;
mod load;
mod race;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/seed.rs"]
mod seed;
#[path = "../support/server.rs"]
mod server;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use belief::Beliefs;
use client::Client;
use load::{Killed, Worker};
use race::Races;
use rand::RngExt as _;
use rand::rngs::StdRng;
use report::say;
use server::Server;

/// Client threads.
const WORKERS: u64 = 4;
/// A refresh that comes often meets what the load has half done.
const OPTIONS: &[&str] = &["--refresh-interval", "1s"];
/// Versions that all clients upload at once, in each round.
const RACES: usize = 6;

#[test]
fn kills_lose_nothing_that_was_acknowledged() {
    let begin = Instant::now();
    let kills = env::var_os("CHARTROOM_KILLS").map_or(30, |kills| {
        let kills = kills.to_str().and_then(|kills| kills.parse().ok());
        kills.expect("CHARTROOM_KILLS is a number")
    });
    let seed = seed::seed_or(rand::random());
    say(&format!(
        "crash: {kills} kills, seed {seed} (CHARTROOM_SEED={seed} replays it)"
    ));

    let scratch = tempfile::tempdir().expect("a temporary directory");
    let mut trial = Trial::new(scratch.path(), seed);
    for round in 0..kills {
        trial.round(round);
        if round % 20 == 19 {
            say(&format!(
                "crash: {} kills in {:.0?}",
                round + 1,
                begin.elapsed()
            ));
        }
    }
    trial.end_in_peace();
    say(&format!(
        "crash: {kills} kills survived in {:.0?}: {}",
        begin.elapsed(),
        trial.summary()
    ));
}

/// A directory, and what has to be in it.
struct Trial {
    storage: PathBuf,
    log: PathBuf,
    random: StdRng,
    seed: u64,
    workers: Vec<Worker>,
    /// The versions that several clients raced for, once their round is over.
    raced: Beliefs,
    /// The highest generation that any reply carried.
    generation: u64,
    races_won: usize,
    starts_cut: usize,
}

impl Trial {
    fn new(scratch: &Path, seed: u64) -> Self {
        let storage = scratch.join("storage");
        std::fs::create_dir(&storage).expect("a folder is made");
        Self {
            storage,
            log: scratch.join("server.log"),
            random: seed::generator(seed, 0),
            seed,
            workers: (0..WORKERS)
                .map(|number| Worker::new(number, seed))
                .collect(),
            raced: Beliefs::default(),
            generation: 0,
            races_won: 0,
            starts_cut: 0,
        }
    }

    /// Starts, inspects what the kill before has left, puts load on it and kills.
    fn round(&mut self, round: u64) {
        if self.random.random_bool(0.25) {
            self.cut_a_start();
        }
        let server = self.start();
        self.inspect(&server);
        self.load_and_kill(server, round);
    }

    /// A last look after a kill, and another after an orderly end.
    fn end_in_peace(&mut self) {
        let server = self.start();
        self.inspect(&server);
        let status = server.stop();
        assert!(status.success(), "SIGTERM: the server ends with {status}");
        let server = self.start();
        self.inspect(&server);
    }

    fn start(&self) -> Server {
        Server::start(&self.storage, OPTIONS, &self.log)
    }

    /// Kills a server that is about to heal what the last kill has left.
    fn cut_a_start(&mut self) {
        let server = Server::launch(&self.storage, OPTIONS, &self.log);
        // The moment is the fault to inject; nothing waits for anything here.
        thread::sleep(Duration::from_micros(self.random.random_range(0..120_000)));
        drop(server);
        self.starts_cut += 1;
    }

    fn inspect(&mut self, server: &Server) {
        let beliefs = self
            .workers
            .iter_mut()
            .map(|worker| &mut worker.beliefs)
            .chain([&mut self.raced]);
        let client = Client::new(server.url());
        match inspection::inspect(&client, beliefs, self.generation) {
            Ok(generation) => self.generation = generation,
            Err(reason) => self.fail(&reason),
        }
    }

    fn load_and_kill(&mut self, mut server: Server, round: u64) {
        let races = Races::new(round, RACES);
        let killed = Killed::default();
        let replies_before_the_kill: usize = self.random.random_range(1..160);
        let moment = Duration::from_micros(self.random.random_range(0..4_000));
        let (sender, receiver) = mpsc::channel();
        let url = server.url().to_owned();

        let mut complaint = None;
        thread::scope(|scope| {
            let running: Vec<_> = self
                .workers
                .iter_mut()
                .map(|worker| {
                    let (client, sender) = (Client::new(&url), sender.clone());
                    let (races, killed) = (&races, &killed);
                    scope.spawn(move || worker.work(&client, races, killed, &sender))
                })
                .collect();
            drop(sender);
            // It ends early if all clients have stopped, which they do only for a complaint.
            let seen = receiver.iter().take(replies_before_the_kill).count();
            let begin = Instant::now();
            while let Some(rest) = moment.checked_sub(begin.elapsed()) {
                if receiver.recv_timeout(rest).is_err() {
                    break;
                }
            }
            if let Some(status) = server.ended() {
                complaint = Some(format!(
                    "the server ended by itself with {status} after {seen} replies"
                ));
            }
            killed.now();
            drop(server);
            // Their channel is gone with the next line, which they do not mind.
            drop(receiver);
            for worker in running {
                match worker.join().expect("a client does not panic") {
                    Ok(generation) => self.generation = self.generation.max(generation),
                    Err(reason) => complaint = Some(reason),
                }
            }
        });
        if complaint.is_none() {
            match races.settle(&mut self.raced) {
                Ok(won) => self.races_won += won,
                Err(reason) => complaint = Some(reason),
            }
        }
        if let Some(reason) = complaint {
            self.fail(&reason);
        }
    }

    fn summary(&self) -> String {
        let mut totals = load::Counts::default();
        for worker in &self.workers {
            totals += worker.counts;
        }
        format!(
            "{totals}; {} races won by one; {} starts cut short; generation {}",
            self.races_won, self.starts_cut, self.generation
        )
    }

    fn fail(&self, reason: &str) -> ! {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(40)..].join("\n");
        panic!(
            "seed {}: {reason}\n{}\n--- the server's last lines\n{tail}",
            self.seed,
            self.summary()
        );
    }
}
