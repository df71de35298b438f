//! Any number of writers, one order.

use chartroom_storage::log::{Group, LogOptions, Outcome};
use chartroom_storage::{BucketOptions, Location, Store, Timeouts};

use crate::ledger::{appended, open, proposal, set};
use crate::race::race;

fn memory() -> Store {
    let location = Location::parse("memory:").unwrap();
    Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap()
}

#[tokio::test]
async fn an_append_is_seen_by_another_replica_after_its_catch_up() {
    let store = memory();
    let mut first = open(&store, LogOptions::default()).await.unwrap();
    let mut second = open(&store, LogOptions::default()).await.unwrap();
    assert_eq!(first.identity(), second.identity());
    assert_eq!(appended(&set(&mut first, "a", 1).await), 1);
    assert_eq!(second.generation(), 0);
    second.catch_up().await.unwrap();
    assert_eq!(second.machine(), first.machine());
}

#[tokio::test]
async fn changes_that_wait_together_become_one_record() {
    let store = memory();
    let mut log = open(&store, LogOptions::default()).await.unwrap();
    let group = (0..50)
        .map(|number| proposal(&log, &format!("a{number}"), Some(number)))
        .collect();
    let outcomes = log.append(group).await;
    assert_eq!(outcomes.len(), 50);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Appended(1)))
    );
    assert_eq!(log.generation(), 1);
}

#[tokio::test]
async fn of_two_changes_of_one_subject_in_a_group_the_first_is_appended() {
    let store = memory();
    let mut log = open(&store, LogOptions::default()).await.unwrap();
    let group = vec![proposal(&log, "a", Some(1)), proposal(&log, "a", Some(2))];
    let outcomes = log.append(group).await;
    assert!(
        matches!(outcomes[..], [Outcome::Appended(1), Outcome::Changed]),
        "{outcomes:?}"
    );
    assert_eq!(log.machine().open(), [("a".to_owned(), 1)]);
}

#[tokio::test]
async fn a_group_is_appended_as_a_whole_or_not_at_all() {
    let store = memory();
    let mut log = open(&store, LogOptions::default()).await.unwrap();
    let mut other = open(&store, LogOptions::default()).await.unwrap();
    let grouped = |log: &_, group, names: [&str; 2]| {
        names.map(|name| {
            let mut proposal = proposal(log, name, Some(1));
            proposal.group = Some(group);
            proposal
        })
    };
    let stale = grouped(&log, Group::new(), ["a", "b"]);
    let whole = grouped(&log, Group::new(), ["c", "d"]);
    // Decided on before another replica's record about `b`; and `a` is wanted by somebody else too.
    set(&mut other, "b", 7).await;
    let alone = proposal(&log, "a", Some(9));
    let all = stale.into_iter().chain(whole).chain([alone]).collect();
    let outcomes = log.append(all).await;
    assert!(
        matches!(
            outcomes[..],
            [
                Outcome::Changed,
                Outcome::Changed,
                Outcome::Appended(2),
                Outcome::Appended(2),
                Outcome::Appended(2),
            ]
        ),
        "{outcomes:?}"
    );
    let expected = [("a", 9), ("b", 7), ("c", 1), ("d", 1)];
    assert_eq!(
        log.machine().open(),
        expected.map(|(name, value)| (name.to_owned(), value))
    );
}

#[tokio::test]
async fn a_change_decided_before_anothers_record_is_refused() {
    let store = memory();
    let mut first = open(&store, LogOptions::default()).await.unwrap();
    let mut second = open(&store, LogOptions::default()).await.unwrap();
    let stale = proposal(&second, "a", Some(2));
    let unrelated = proposal(&second, "b", Some(3));
    appended(&set(&mut first, "a", 1).await);
    let outcomes = second.append(vec![stale, unrelated]).await;
    assert!(
        matches!(outcomes[..], [Outcome::Changed, Outcome::Appended(2)]),
        "{outcomes:?}"
    );
    assert_eq!(
        second.machine().open(),
        [("a".to_owned(), 1), ("b".to_owned(), 3)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_writers_agree_on_one_order_and_lose_nothing() {
    race(memory()).await;
    let folder = tempfile::tempdir().unwrap();
    race(local(&folder)).await;
}

fn local(folder: &tempfile::TempDir) -> Store {
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_starts_on_an_empty_store_make_one_identity() {
    for _ in 0..20 {
        let store = memory();
        let starts = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { open(&store, LogOptions::default()).await.unwrap() })
        });
        let starts: Vec<_> = starts.collect();
        let mut identities = Vec::new();
        for start in starts {
            identities.push(start.await.unwrap().identity().clone());
        }
        identities.dedup();
        assert_eq!(identities.len(), 1);
    }
}
