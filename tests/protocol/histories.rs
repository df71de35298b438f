//! 25: random histories on a stormy store, each checked against what a single register could do.
//!
//! `CHARTROOM_SEED` replays one history; `CHARTROOM_RUNS` tries more of them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chartroom::repository::check::Repair;
use chartroom_storage::testing::Plan;
use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinHandle;

use crate::provenance;
use crate::replica::{Answer, Bucket, Replica, digest, file};

const VERSIONS: [&str; 2] = ["1.0.0", "2.0.0"];
const REPLICAS: usize = 3;
const OPERATIONS_EACH: u64 = 4;

/// What was asked, of one version.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Upload(u64),
    Overwrite(u64),
    Delete,
}

/// One operation of a history. Times count events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    pub(crate) answer: Answer,
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

#[test]
fn random_histories_are_linearizable() {
    for seed in seeds(150) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(history(seed));
    }
}

/// Returns the seeds to try: `runs` of them, unless the variables say otherwise.
pub(crate) fn seeds(runs: u64) -> Range<u64> {
    let number = |name: &str| std::env::var_os(name)?.to_str()?.parse::<u64>().ok();
    match number("CHARTROOM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CHARTROOM_RUNS").unwrap_or(runs),
    }
}

async fn history(seed: u64) {
    let bucket = if seed.is_multiple_of(2) {
        Bucket::hashing()
    } else {
        Bucket::counting()
    };
    let clock = Arc::new(AtomicU64::new(0));
    let mut workers = Vec::new();
    let mut replicas = Vec::new();
    for number in 0..REPLICAS {
        let skew = TimeDelta::minutes(i64::try_from(number).unwrap() * 7 - 7);
        let replica = bucket.hasty_replica(skew).await;
        let plan_seed = seed * 100 + u64::try_from(number).unwrap();
        // Late executions stay within what the protocol waits for.
        let late_by = Duration::ZERO..Duration::from_secs(12);
        replica.way.follow(Plan {
            late_by,
            ..Plan::stormy(plan_seed, 12)
        });
        let worker = Replica {
            way: replica.way.clone(),
            repository: Arc::clone(&replica.repository),
        };
        workers.push(tokio::spawn(work(worker, plan_seed, Arc::clone(&clock))));
        replicas.push(replica);
    }
    let repairer = repairer(&bucket, seed).await;
    let mut operations = Vec::new();
    for worker in workers {
        operations.extend(worker.await.unwrap());
    }
    if let Some((replica, repairing)) = repairer {
        repairing.abort();
        replicas.push(replica);
    }
    for replica in &replicas {
        replica.way.follow(None);
        replica.way.settle().await;
    }
    // Everything that was left open is finished by then.
    tokio::time::sleep(Duration::from_mins(1)).await;
    for replica in &replicas {
        replica.refresh().await;
    }
    let listing = bucket.listing().await;
    for replica in &replicas {
        assert_eq!(
            replica.listing().await,
            listing,
            "seed {seed}: the replicas disagree"
        );
    }
    for version in VERSIONS {
        let history: Vec<Operation> = operations
            .iter()
            .filter(|(of, _)| *of == version)
            .map(|(_, op)| *op)
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

/// In every other history somebody repairs all the time, and an orphaned provenance lies there.
async fn repairer(bucket: &Bucket, seed: u64) -> Option<(Replica, JoinHandle<()>)> {
    if seed % 4 > 1 {
        return None;
    }
    for version in VERSIONS {
        let key = provenance::key(version);
        bucket.hand().create(&key, "orphaned".into()).await.unwrap();
    }
    let replica = bucket.hasty_replica(TimeDelta::minutes(3)).await;
    replica.way.follow(Plan::stormy(seed * 100 + 99, 12));
    let repository = Arc::clone(&replica.repository);
    let repairing = tokio::spawn(async move {
        loop {
            // It may fail at any point, as the store does.
            let _ = repository.check(Repair::Yes).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    Some((replica, repairing))
}

async fn work(
    replica: Replica,
    seed: u64,
    clock: Arc<AtomicU64>,
) -> Vec<(&'static str, Operation)> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut operations = Vec::new();
    for number in 0..OPERATIONS_EACH {
        let version = VERSIONS[random.random_range(0..VERSIONS.len())];
        // Some uploads bring equal bytes.
        let content = match random.random_range(0..4) {
            0 => 0,
            _ => (seed % 100) * OPERATIONS_EACH + number + 1,
        };
        let kind = match random.random_range(0..10) {
            0..5 => Kind::Upload(content),
            5..8 => Kind::Delete,
            _ => Kind::Overwrite(content),
        };
        let began = clock.fetch_add(1, Ordering::SeqCst);
        let answer = match kind {
            Kind::Upload(content) => replica.upload(version, &content.to_string()).await,
            Kind::Overwrite(content) => replica.overwrite(version, &content.to_string()).await,
            Kind::Delete => replica.delete(version).await,
        };
        let ended = clock.fetch_add(1, Ordering::SeqCst);
        operations.push((
            version,
            Operation {
                kind,
                answer,
                began,
                ended,
            },
        ));
        tokio::time::sleep(Duration::from_millis(random.random_range(0..2000))).await;
    }
    operations
}

/// Returns whether some order of the operations, in which none comes after one that began later than
/// it ended, gives each its answer and ends so. One whose outcome is open may have happened, at any
/// time after it began, or not at all.
pub(crate) fn explains(history: &[Operation], end: Option<u64>) -> bool {
    let mut seen = std::collections::HashSet::new();
    search(history, end, 0, None, &mut seen)
}

fn search(
    history: &[Operation],
    end: Option<u64>,
    done: u32,
    state: Option<u64>,
    seen: &mut std::collections::HashSet<(u32, Option<u64>)>,
) -> bool {
    if !seen.insert((done, state)) {
        return false;
    }
    let is_left = |at: usize| done & (1 << at) == 0;
    let left: Vec<usize> = (0..history.len()).filter(|at| is_left(*at)).collect();
    if state == end && left.iter().all(|at| history[*at].answer == Answer::Busy) {
        return true;
    }
    let first_end = left
        .iter()
        .filter(|at| history[**at].answer != Answer::Busy)
        .map(|at| history[*at].ended)
        .min()
        .unwrap_or(u64::MAX);
    left.into_iter()
        .filter(|at| history[*at].began < first_end)
        .any(|at| {
            let Ok(next) = step(&history[at], state) else {
                return false;
            };
            search(history, end, done | (1 << at), next, seen)
        })
}

/// Returns what follows if the operation happens now; an error if it would have been answered
/// otherwise.
fn step(operation: &Operation, state: Option<u64>) -> Result<Option<u64>, ()> {
    let is_there = state.is_some();
    match (operation.kind, operation.answer) {
        (Kind::Upload(_), Answer::Exists) if is_there => Ok(state),
        (Kind::Upload(content), Answer::Done(_) | Answer::Busy) if !is_there => Ok(Some(content)),
        (Kind::Overwrite(content), Answer::Done(_) | Answer::Busy) => Ok(Some(content)),
        (Kind::Delete, Answer::Missing) if !is_there => Ok(None),
        (Kind::Delete, Answer::Done(_)) if is_there => Ok(None),
        (Kind::Delete, Answer::Busy) => Ok(None),
        _ => Err(()),
    }
}

#[test]
fn the_check_itself_tells_right_from_wrong() {
    let op = |kind, answer, began, ended| Operation {
        kind,
        answer,
        began,
        ended,
    };
    let won = |content, began, ended| op(Kind::Upload(content), Answer::Done(1), began, ended);
    assert!(explains(&[won(1, 0, 1)], Some(1)));
    assert!(!explains(&[won(1, 0, 1)], None), "acknowledged and lost");
    assert!(
        !explains(&[won(1, 0, 3), won(2, 1, 2)], Some(2)),
        "two winners"
    );
    let deleted = op(Kind::Delete, Answer::Done(2), 2, 3);
    assert!(explains(&[won(1, 0, 1), deleted], None));
    assert!(!explains(&[won(1, 0, 1), deleted], Some(1)), "it came back");
    let open = op(Kind::Upload(5), Answer::Busy, 0, 1);
    assert!(explains(
        &[open, won(1, 2, 3), op(Kind::Delete, Answer::Done(2), 4, 5)],
        Some(5)
    ));
    let missing = op(Kind::Delete, Answer::Missing, 2, 3);
    assert!(
        !explains(&[won(1, 0, 1), missing], Some(1)),
        "said to be missing"
    );
}
