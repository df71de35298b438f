//! Writers against each other.

use std::sync::Arc;

use chartroom_storage::Store;
use chartroom_storage::log::{LogOptions, Outcome};

use crate::ledger::{appended, open, proposal};

/// Lets writers append at the same time, each what is its own and what is everybody's, and looks whether
/// all agree on one order in which nothing is lost.
pub(crate) async fn race(store: Store) {
    const WRITERS: u64 = 5;
    const EACH: u64 = 20;
    let store = Arc::new(store);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut log = open(&store, LogOptions::default()).await.unwrap();
                let mut generations = Vec::new();
                for number in 0..EACH {
                    // One account is everybody's, the others are the writer's own.
                    let account = format!("writer-{writer}-{number}");
                    let group = vec![
                        proposal(&log, &account, Some(number)),
                        proposal(&log, "shared", Some(writer * EACH + number)),
                    ];
                    let outcomes = log.append(group).await;
                    generations.push((appended(&outcomes[0]), outcomes[1].clone()));
                }
                (log, generations)
            })
        })
        .collect();
    let mut logs = Vec::new();
    let mut won = Vec::new();
    for writer in writers {
        let (log, generations) = writer.await.unwrap();
        logs.push(log);
        won.extend(generations);
    }
    let mut reference = open(&store, LogOptions::default()).await.unwrap();
    reference.catch_up().await.unwrap();
    assert_eq!(
        reference.generation(),
        WRITERS * EACH,
        "each group is one record, none is lost"
    );
    let mut numbers: Vec<u64> = won.iter().map(|(generation, _)| *generation).collect();
    numbers.sort_unstable();
    assert_eq!(
        numbers,
        (1..=WRITERS * EACH).collect::<Vec<_>>(),
        "each number has one winner"
    );
    for mut log in logs {
        log.catch_up().await.unwrap();
        assert_eq!(log.machine(), reference.machine());
    }
    for (generation, shared) in won {
        // The shared account was appended with its group, or not at all.
        assert!(matches!(shared, Outcome::Changed) || appended(&shared) == generation);
    }
}
