//! Random operations on two to four replicas, with crashes, restarts, partitions and hands in the
//! bucket, checked against a simple model: what was acknowledged is visible, a version has one winner,
//! replicas at one generation serve the same bytes, and in the end the index is what is in the bucket.
//!
//! `CHARTROOM_SEED` replays one run; `CHARTROOM_RUNS` tries more of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chartroom::chart::Digest;
use chartroom::index::Format;
use chartroom::repository::View;
use chartroom_storage::testing::{Faulty, Plan};
use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::histories::{Kind, Operation, explains, seeds};
use crate::replica::{Answer, Bucket, Replica, bytes, digest, file, key};

/// Only operations of replicas touch these: some order explains all answers.
const ORDERLY: [&str; 2] = ["1.0.0", "2.0.0"];

/// Hands touch this one too, so that it may be lost or put at any moment (see the protocol, "What
/// remains assumed"); the index must agree with the bucket all the same.
const HANDLED: [&str; 2] = ["3.0.0", "4.0.0"];

const STEPS: u64 = 6;

/// What all parts of one run share.
struct World {
    seed: u64,
    bucket: Bucket,
    /// Counts events, so that operations have an order.
    events: AtomicU64,
    operations: Mutex<Vec<(&'static str, Operation)>>,
    /// What was served at each generation of each log.
    served: Mutex<HashMap<(String, u64), Digest>>,
    /// Every way that a replica ever had to the bucket.
    ways: Mutex<Vec<Faulty>>,
}

#[test]
fn replicas_agree_with_the_model() {
    let mut tried = BTreeMap::new();
    let seeds = seeds(200);
    let runs = seeds.end - seeds.start;
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        for (name, count) in runtime.block_on(run(seed)) {
            *tried.entry(name).or_insert(0) += count;
        }
    }
    println!("{runs} runs: {tried:?}");
}

async fn run(seed: u64) -> BTreeMap<&'static str, u64> {
    let mut random = StdRng::seed_from_u64(seed);
    let world = Arc::new(World {
        seed,
        bucket: if random.random() {
            Bucket::hashing()
        } else {
            Bucket::counting()
        },
        events: AtomicU64::new(0),
        operations: Mutex::default(),
        served: Mutex::default(),
        ways: Mutex::default(),
    });
    let count = random.random_range(2..=4);
    let mut parts = Vec::new();
    for number in 0..count {
        parts.push(tokio::spawn(live(Arc::clone(&world), seed * 100 + number)));
    }
    parts.push(tokio::spawn(hands(Arc::clone(&world), seed * 100 + 99)));
    let mut tried = BTreeMap::new();
    for part in parts {
        for (name, count) in part.await.unwrap() {
            *tried.entry(name).or_insert(0) += count;
        }
    }
    world.settle().await;
    world.check().await;
    tried
}

/// One replica after the other: each works until it is killed, and another one takes its place.
async fn live(world: Arc<World>, seed: u64) -> BTreeMap<&'static str, u64> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut tried = BTreeMap::new();
    let mut replica = world.start(&mut random).await;
    for step in 0..STEPS {
        let content = match random.random_range(0..4) {
            // Some uploads bring equal bytes.
            0 => 0,
            _ => (seed % 100) * STEPS + step + 1,
        };
        let version = match random.random_range(0..6) {
            at @ 0..2 => ORDERLY[at],
            2..4 => ORDERLY[0],
            at => HANDLED[at - 4],
        };
        let name = match random.random_range(0..16) {
            0..4 => {
                world.ask(&replica, version, Kind::Upload(content)).await;
                "upload"
            }
            4..7 => {
                world.ask(&replica, version, Kind::Overwrite(content)).await;
                "overwrite"
            }
            7..10 => {
                world.ask(&replica, version, Kind::Delete).await;
                "delete"
            }
            10 => {
                // A store that fails ends a refresh; the next one goes on.
                let _ = replica.repository.refresh().await;
                "refresh"
            }
            11 => {
                replica.way.partition(true);
                let seconds = random.random_range(1..8);
                world.ask(&replica, version, Kind::Upload(content)).await;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                replica.way.partition(false);
                "partition"
            }
            12 => {
                replica.way.partition(true);
                replica = world.start(&mut random).await;
                "restart"
            }
            _ => {
                replica = world
                    .crash(replica, version, Kind::Upload(content), &mut random)
                    .await;
                "crash"
            }
        };
        *tried.entry(name).or_insert(0) += 1;
        world.look(&replica).await;
        // Mostly at once: what goes wrong goes wrong where operations meet.
        let longest = if random.random_range(0..4) == 0 {
            3000
        } else {
            30
        };
        let pause = random.random_range(0..longest);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    tried
}

/// Somebody with access to the bucket.
async fn hands(world: Arc<World>, seed: u64) -> BTreeMap<&'static str, u64> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut tried = BTreeMap::new();
    let store = world.bucket.hand();
    for step in 0..STEPS {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..2000))).await;
        let version = HANDLED[random.random_range(0..HANDLED.len())];
        let name = if random.random() {
            let content = 900 + step;
            let archive = bytes(version, &content.to_string());
            store.replace(&key(version), archive).await.unwrap();
            "hand-put"
        } else {
            store.delete(&key(version)).await.unwrap();
            "hand-delete"
        };
        *tried.entry(name).or_insert(0) += 1;
    }
    tried
}

impl World {
    async fn start(&self, random: &mut StdRng) -> Replica {
        let skew = TimeDelta::minutes(random.random_range(-10..10));
        let replica = self.bucket.hasty_replica(skew).await;
        // Late executions stay within what the protocol waits for.
        let late_by = Duration::ZERO..Duration::from_secs(12);
        replica.way.follow(Plan {
            late_by,
            ..Plan::stormy(random.random(), 20)
        });
        self.ways.lock().unwrap().push(replica.way.clone());
        replica
    }

    fn event(&self) -> u64 {
        self.events.fetch_add(1, Ordering::SeqCst)
    }

    fn note(&self, version: &'static str, operation: Operation) {
        self.operations.lock().unwrap().push((version, operation));
    }

    async fn ask(&self, replica: &Replica, version: &'static str, kind: Kind) {
        let began = self.event();
        let answer = carry_out(replica, version, kind).await;
        let ended = self.event();
        self.note(
            version,
            Operation {
                kind,
                answer,
                began,
                ended,
            },
        );
        if let Answer::Done(generation) = answer {
            let view = replica.repository.latest_known();
            assert!(
                view.generation >= generation,
                "seed {}: acknowledged at {generation}, but {} is served",
                self.seed,
                view.generation
            );
            self.serve(&view);
        }
    }

    /// Kills a replica in the middle of an operation, whose outcome stays open.
    async fn crash(
        &self,
        replica: Replica,
        version: &'static str,
        kind: Kind,
        random: &mut StdRng,
    ) -> Replica {
        let began = self.event();
        let way = replica.way.clone();
        let asked =
            replica.begin(move |replica| async move { carry_out(&replica, version, kind).await });
        let millis = random.random_range(0..200);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        way.partition(true);
        asked.abort();
        let ended = self.event();
        let answer = Answer::Busy;
        self.note(
            version,
            Operation {
                kind,
                answer,
                began,
                ended,
            },
        );
        self.start(random).await
    }

    /// What a reader sees is what every other reader at this generation sees.
    async fn look(&self, replica: &Replica) {
        if let Ok(view) = replica.repository.caught_up().await {
            self.serve(&view);
        }
    }

    fn serve(&self, view: &View) {
        let mut bytes = Vec::new();
        for format in [Format::Yaml, Format::Json] {
            let body = view
                .index
                .body(format, &view.generated.fixed_offset(), None);
            bytes.extend(body.chunks().flatten());
        }
        let digest = Digest::of(&bytes);
        let at = (view.identity.clone(), view.generation);
        let mut served = self.served.lock().unwrap();
        let first = *served.entry(at).or_insert(digest);
        assert_eq!(
            first, digest,
            "seed {}: two indexes at generation {}",
            self.seed, view.generation
        );
    }

    /// Ends all faults, and waits until what was left open is finished.
    async fn settle(&self) {
        let ways = self.ways.lock().unwrap().clone();
        for way in &ways {
            way.follow(None);
            way.settle().await;
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
    }

    async fn check(&self) {
        let Self { seed, bucket, .. } = self;
        // Checks each entry against its object.
        let listing = bucket.listing().await;
        for _ in 0..2 {
            let replica = bucket.hasty_replica(TimeDelta::zero()).await;
            replica.refresh().await;
            self.look(&replica).await;
            assert_eq!(
                replica.listing().await,
                listing,
                "seed {seed}: replicas disagree"
            );
            let again = replica.repository.refresh().await.unwrap();
            assert_eq!(
                (again.entered, again.dropped, again.finished),
                (0, 0, 0),
                "seed {seed}: a refresh of a quiet store changes something"
            );
        }
        let objects = bucket.hand().list().await.unwrap();
        let stored: BTreeSet<String> = objects
            .iter()
            .map(|object| object.key.as_str().to_owned())
            .collect();
        let listed: BTreeSet<String> = listing.keys().cloned().collect();
        assert_eq!(stored, listed, "seed {seed}: index and bucket disagree");
        for version in ORDERLY {
            let operations = self.operations.lock().unwrap();
            let history: Vec<Operation> = operations
                .iter()
                .filter(|(of, _)| *of == version)
                .map(|(_, operation)| *operation)
                .collect();
            let end = listing.get(&file(version)).map(|found| {
                (0..1000)
                    .find(|content| digest(version, &content.to_string()) == *found)
                    .unwrap_or_else(|| panic!("seed {seed}: {version} has bytes that nobody sent"))
            });
            assert!(
                explains(&history, end),
                "seed {seed}: no order explains {version} ending as {end:?}: {history:#?}"
            );
        }
    }
}

async fn carry_out(replica: &Replica, version: &str, kind: Kind) -> Answer {
    match kind {
        Kind::Upload(content) => replica.upload(version, &content.to_string()).await,
        Kind::Overwrite(content) => replica.overwrite(version, &content.to_string()).await,
        Kind::Delete => replica.delete(version).await,
    }
}
