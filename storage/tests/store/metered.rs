//! The meter hears of each request, however it ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chartroom_storage::testing::{Action, Faulty, Op, contract};
use chartroom_storage::{Key, Meter, StorageErrorKind, Store, Timeouts};
use object_store::memory::InMemory;

#[derive(Debug, Default)]
struct Book(Mutex<Vec<(&'static str, &'static str, Duration)>>);

impl Meter for Book {
    fn observe(&self, operation: &'static str, result: &'static str, duration: Duration) {
        self.0.lock().unwrap().push((operation, result, duration));
    }
}

impl Book {
    fn take(&self) -> Vec<(&'static str, &'static str)> {
        let seen = std::mem::take(&mut *self.0.lock().unwrap());
        seen.into_iter()
            .map(|(operation, result, _)| (operation, result))
            .collect()
    }
}

fn metered(faulty: &Faulty) -> (Arc<Book>, Store) {
    let book = Arc::new(Book::default());
    let store = faulty.store(Timeouts::default()).metered(book.clone());
    (book, store)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

#[tokio::test]
async fn each_operation_has_its_name_and_result() {
    let (book, store) = metered(&Faulty::new(Arc::new(InMemory::new())));
    store.create(&key("a"), Bytes::from("a")).await.unwrap();
    store.create(&key("a"), Bytes::new()).await.unwrap_err();
    store.replace(&key("a"), Bytes::from("b")).await.unwrap();
    store.get(&key("a")).await.unwrap();
    store.get(&key("b")).await.unwrap_err();
    store.open_range(&key("a"), None).await.unwrap();
    store.head(&key("a")).await.unwrap();
    store.head(&key("b")).await.unwrap_err();
    store.list().await.unwrap();
    store.list_below(&key("x"), None).await.unwrap();
    store.list_below(&key("x"), Some(&key("y"))).await.unwrap();
    store.delete(&key("a")).await.unwrap();
    assert_eq!(
        book.take(),
        [
            ("create", "ok"),
            ("create", "exists"),
            ("put", "ok"),
            ("get", "ok"),
            ("get", "not_found"),
            ("get", "ok"),
            ("head", "ok"),
            ("head", "not_found"),
            ("list", "ok"),
            ("list", "ok"),
            ("list", "ok"),
            ("delete", "ok"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn failures_retries_and_lost_answers_are_counted() {
    use StorageErrorKind::{Corrupt, Denied, Timeout, Unavailable, Unsupported};
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let (book, store) = metered(&faulty);
    for kind in [Denied, Timeout, Unsupported, Corrupt, Unavailable] {
        faulty.rule(Op::Get, |_| true, Action::Fail(kind));
    }
    for _ in 0..5 {
        store.get(&key("a")).await.unwrap_err();
    }
    assert_eq!(
        book.take(),
        [
            ("get", "denied"),
            ("get", "timeout"),
            ("get", "unsupported"),
            ("get", "corrupt"),
            ("get", "unavailable"),
            ("get", "not_found"),
        ]
    );

    faulty.rule(Op::Put, |_| true, Action::Drop);
    store.create(&key("a"), Bytes::new()).await.unwrap_err();
    let seen = book.0.lock().unwrap().clone();
    assert_eq!(seen, [("create", "cancelled", Timeouts::default().small)]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_off_is_a_failure() {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let (book, store) = metered(&faulty);
    faulty.rule_times(
        3,
        Op::List,
        |_| true,
        Action::Fail(StorageErrorKind::Denied),
    );
    store.list_below(&key("a"), None).await.unwrap_err();
    store.list().await.unwrap_err();
    assert_eq!(book.take(), [("list", "denied"), ("list", "denied")]);
}

#[tokio::test]
async fn a_metered_store_fulfils_the_contract() {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let (book, store) = metered(&faulty);
    contract::check_store(&store).await.unwrap();
    assert_eq!(book.take().len(), faulty.count_all());
}
