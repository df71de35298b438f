//! Reading, and what is said of objects.

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::{CaseResult, expect, expect_equal, expect_kind};
use crate::{Key, Listed, ObjectId, StorageErrorKind, Store};

/// Longer than what is read at once, and not a multiple of it.
const LARGE: usize = 3 * 1024 * 1024 + 12_345;

fn pattern(length: usize) -> Bytes {
    // No period that divides the size of a piece.
    (0..=250_u8).cycle().take(length).collect()
}

async fn read(
    store: &Store,
    key: &Key,
    range: Option<std::ops::Range<u64>>,
) -> Result<(std::ops::Range<u64>, Bytes), crate::StorageError> {
    let stream = store.open_range(key, range).await?;
    let pieces: Vec<Bytes> = stream.body.try_collect().await?;
    Ok((stream.range, pieces.concat().into()))
}

pub(super) async fn missing_is_not_found(store: Store) -> CaseResult {
    for key in ["missing", "missing/below"] {
        let key = Key::parse(key)?;
        let not_found = StorageErrorKind::NotFound;
        expect_kind(store.get(&key).await, not_found, "get")?;
        expect_kind(store.head(&key).await, not_found, "head")?;
        expect_kind(store.open_range(&key, None).await, not_found, "open")?;
        expect_kind(store.open_range(&key, Some(0..1)).await, not_found, "range")?;
        expect_kind(store.open_range(&key, Some(0..0)).await, not_found, "empty")?;
    }
    Ok(())
}

pub(super) async fn empty_objects(store: Store) -> CaseResult {
    let key = Key::parse("empty")?;
    store.create(&key, Bytes::new()).await?;
    let found = store.get(&key).await?;
    expect(found.body.is_empty(), "no bytes")?;
    expect_equal(&found.id.size, &0, "size")?;
    expect_equal(&store.head(&key).await?.size, &0, "size by head")?;
    expect_equal(
        &read(&store, &key, None).await?,
        &(0..0, Bytes::new()),
        "stream",
    )?;
    expect_equal(&store.list().await?.len(), &1, "lines of the listing")
}

pub(super) async fn ranges(store: Store) -> CaseResult {
    let key = Key::parse("a.tgz")?;
    store
        .create(&key, Bytes::from_static(b"0123456789"))
        .await?;
    let cases = [
        (0..10, 0..10, "0123456789"),
        (0..1, 0..1, "0"),
        (9..10, 9..10, "9"),
        (3..7, 3..7, "3456"),
        (8..20, 8..10, "89"),
        (4..4, 4..4, ""),
    ];
    for (asked, range, body) in cases {
        let found = read(&store, &key, Some(asked)).await?;
        expect_equal(&found, &(range, Bytes::from(body)), "range")?;
    }
    let after = store.open_range(&key, Some(10..12)).await;
    expect_kind(after, StorageErrorKind::Corrupt, "a range after the end")
}

pub(super) async fn large_bodies_stream(store: Store) -> CaseResult {
    let key = Key::parse("large.tgz")?;
    let body = pattern(LARGE);
    store.create(&key, body.clone()).await?;
    let stream = store.open_range(&key, None).await?;
    expect_equal(&stream.id.size, &(LARGE as u64), "size")?;
    expect_equal(&stream.range, &(0..LARGE as u64), "range")?;
    let pieces: Vec<Bytes> = stream.body.try_collect().await?;
    expect(pieces.concat() == body, "the stream has the bytes")?;
    expect(store.get(&key).await?.body == body, "get has the bytes")?;
    let (start, end) = (1_000_001, LARGE - 7);
    let (_, part) = read(&store, &key, Some(start as u64..end as u64)).await?;
    expect(part == body.slice(start..end), "a range has its bytes")
}

pub(super) async fn readers_keep_their_object(store: Store) -> CaseResult {
    let key = Key::parse("large.tgz")?;
    let body = pattern(LARGE);
    store.create(&key, body.clone()).await?;
    let stream = store.open_range(&key, None).await?;
    store.replace(&key, Bytes::from_static(b"short")).await?;
    let pieces: Result<Vec<Bytes>, _> = stream.body.try_collect().await;
    match pieces {
        Ok(pieces) => expect(pieces.concat() == body, "the bytes of the first object"),
        // A store may also give up; it may not mix.
        Err(_) => Ok(()),
    }
}

pub(super) async fn identities_agree(store: Store) -> CaseResult {
    for (name, size) in [("small.tgz", 3), ("large.tgz", LARGE)] {
        let key = Key::parse(name)?;
        let written = store.create(&key, pattern(size)).await?;
        let head = store.head(&key).await?;
        expect_equal(&head.e_tag, &written.e_tag, "ETag by head")?;
        expect_equal(&head.size, &(size as u64), "size by head")?;
        let got = store.get(&key).await?.id;
        expect(got.same_object(&head), "get and head tell the same object")?;
        let opened = store.open_range(&key, Some(1..2)).await?.id;
        expect(opened.same_object(&head), "a range tells the same object")?;
        let listed = store.list().await?;
        let line = listed.into_iter().find(|line: &Listed| line.key == key);
        let Some(line) = line else {
            return expect(false, "the object is listed");
        };
        expect(
            line.id.same_object(&head),
            "list and head tell the same object",
        )?;
        // Azure and Google list it without its quotes.
        let bare = |id: &ObjectId| id.e_tag.clone().map(|tag| tag.trim_matches('"').to_owned());
        expect_equal(&bare(&line.id), &bare(&head), "ETag by list")?;
    }
    Ok(())
}

pub(super) async fn identities_differ(store: Store) -> CaseResult {
    let key = Key::parse("a.tgz")?;
    store.create(&key, Bytes::from_static(b"one")).await?;
    let first = store.head(&key).await?;
    store.replace(&key, Bytes::from_static(b"two")).await?;
    let second = store.head(&key).await?;
    expect(!first.same_object(&second), "the replaced object differs")
}
