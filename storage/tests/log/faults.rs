//! Creates whose replies are lost, late or never come; everything seeded.

use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::log::{LogOptions, Outcome, Tally};
use chartroom_storage::testing::{Action, Faulty, Op, Plan};
use chartroom_storage::{StorageErrorKind, Timeouts};
use object_store::memory::InMemory;

use crate::ledger::{appended, open, proposal, set};

fn is_record(key: &str) -> bool {
    key.contains("/log/")
}

fn replicas() -> (Faulty, Faulty) {
    let bucket = Arc::new(InMemory::new());
    (Faulty::new(bucket.clone()), Faulty::new(bucket))
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_reply_is_lost_is_recognised_by_its_nonce() {
    let (way, other) = replicas();
    let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    way.rule(Op::Put, is_record, Action::LoseReply);
    assert_eq!(appended(&set(&mut log, "a", 1).await), 1);
    assert_eq!(
        way.count_of(Op::Put, is_record),
        1,
        "it is read back, not sent again"
    );
    let in_doubt = Tally {
        won: 1,
        in_doubt: 1,
        ..Tally::default()
    };
    assert_eq!(log.tally(), in_doubt);
    let log = open(&other.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    assert_eq!(log.machine().open(), [("a".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_never_executed_is_sent_again_with_the_same_nonce() {
    let (way, other) = replicas();
    let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    way.rule(Op::Put, is_record, Action::Drop);
    assert_eq!(appended(&set(&mut log, "a", 1).await), 1);
    assert_eq!(way.count_of(Op::Put, is_record), 2);
    let log = open(&other.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    assert_eq!(log.generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_executed_late_counts_once() {
    let (way, _) = replicas();
    let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    way.rule(
        Op::Put,
        is_record,
        Action::ExecuteLate(Duration::from_secs(6)),
    );
    assert_eq!(appended(&set(&mut log, "a", 1).await), 1);
    way.settle().await;
    log.catch_up().await.unwrap();
    assert_eq!(log.generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_number_taken_by_another_while_the_reply_is_lost_is_lost() {
    let (way, other) = replicas();
    let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    let mut rival = open(&other.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    let stale = proposal(&log, "a", Some(1));
    assert_eq!(appended(&set(&mut rival, "a", 2).await), 1);
    way.rule(Op::Put, is_record, Action::Drop);
    let outcomes = log.append(vec![stale]).await;
    assert!(matches!(outcomes[..], [Outcome::Changed]), "{outcomes:?}");
    let lost = Tally {
        lost: 1,
        in_doubt: 1,
        ..Tally::default()
    };
    assert_eq!(log.tally(), lost);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_while_the_store_is_away_and_all_goes_on_after() {
    let (way, _) = replicas();
    let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    way.partition(true);
    let outcome = set(&mut log, "a", 1).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    let tally = log.tally();
    assert_eq!((tally.won, tally.failed), (0, 1));
    assert_eq!(
        log.catch_up().await.unwrap_err().kind(),
        StorageErrorKind::Unavailable
    );
    way.partition(false);
    log.catch_up().await.unwrap();
    assert_eq!(appended(&set(&mut log, "a", 2).await), 1);
}

#[tokio::test(start_paused = true)]
async fn the_lost_reply_of_genesis_does_not_make_two_logs() {
    let (way, other) = replicas();
    way.rule(Op::Put, |key| key.ends_with("genesis"), Action::LoseReply);
    let first = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    let second = open(&other.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    assert_eq!(first.identity(), second.identity());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_catch_up_and_an_append_cost_two_requests_each() {
    let (way, _) = replicas();
    let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    appended(&set(&mut log, "a", 1).await);
    way.clear_requests();
    log.catch_up().await.unwrap();
    assert_eq!(way.count_all(), 2, "{:?}", way.requests());
    way.clear_requests();
    appended(&set(&mut log, "a", 2).await);
    assert_eq!(way.count_all(), 2, "{:?}", way.requests());
}

/// Three writers over a stormy store: whatever was acknowledged is in the log once, in one order.
#[tokio::test(start_paused = true)]
async fn storms_lose_nothing_that_was_acknowledged() {
    for seed in 0..40 {
        storm(seed).await;
    }
}

async fn storm(seed: u64) {
    let bucket = Arc::new(InMemory::new());
    let calm = Faulty::new(bucket.clone());
    let reader = open(&calm.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    drop(reader);
    let writers: Vec<_> = (0..3u64)
        .map(|writer| {
            let way = Faulty::new(bucket.clone());
            tokio::spawn(async move {
                let mut log = open(&way.store(Timeouts::default()), LogOptions::default())
                    .await
                    .unwrap();
                way.follow(Plan::stormy(seed * 10 + writer, 6));
                let mut acknowledged = Vec::new();
                for number in 0..15 {
                    let account = format!("{writer}-{number}");
                    if let Outcome::Appended(generation) = set(&mut log, &account, number).await {
                        acknowledged.push((account, number, generation));
                    }
                }
                way.settle().await;
                acknowledged
            })
        })
        .collect();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let log = open(&calm.store(Timeouts::default()), LogOptions::default())
        .await
        .unwrap();
    let mut generations: Vec<u64> = acknowledged.iter().map(|(_, _, number)| *number).collect();
    generations.sort_unstable();
    let count = generations.len();
    generations.dedup();
    assert_eq!(
        generations.len(),
        count,
        "seed {seed}: two winners of one number"
    );
    for (account, value, generation) in acknowledged {
        let found = log.machine().accounts.get(&account);
        assert_eq!(
            found,
            Some(&(generation, Some(value))),
            "seed {seed}: {account} is lost"
        );
    }
}
