//! Creating, replacing, deleting.

use bytes::Bytes;
use futures_util::future::join_all;

use super::{CaseResult, expect, expect_equal, expect_kind, put_all};
use crate::{Key, StorageErrorKind, Store};

pub(super) async fn one_create_wins(store: Store) -> CaseResult {
    let key = Key::parse("log/00000000000000000001")?;
    let mut tasks = Vec::new();
    for racer in 0..16_u8 {
        let (store, key) = (store.clone(), key.clone());
        // Of different length, so that a mixed object shows.
        let body = Bytes::from(vec![racer; 100 + usize::from(racer)]);
        tasks.push(tokio::spawn(async move {
            (body.clone(), store.create(&key, body).await)
        }));
    }
    let mut winners = Vec::new();
    for racer in join_all(tasks).await {
        match racer? {
            (body, Ok(written)) => winners.push((body, written)),
            (_, Err(error)) if error.kind() == StorageErrorKind::AlreadyExists => {}
            (_, Err(error)) => return Err(error.into()),
        }
    }
    expect_equal(&winners.len(), &1, "winners")?;
    let found = store.get(&key).await?;
    for (body, written) in winners {
        expect_equal(&found.body, &body, "the winner's bytes")?;
        expect_equal(&found.id.e_tag, &written.e_tag, "the winner's ETag")?;
    }
    Ok(())
}

pub(super) async fn create_is_refused(store: Store) -> CaseResult {
    let key = Key::parse("a.tgz")?;
    store.create(&key, Bytes::from_static(b"first")).await?;
    let again = store.create(&key, Bytes::from_static(b"second")).await;
    expect_kind(again, StorageErrorKind::AlreadyExists, "the second create")?;
    let same = store.create(&key, Bytes::from_static(b"first")).await;
    expect_kind(
        same,
        StorageErrorKind::AlreadyExists,
        "the same bytes again",
    )?;
    expect_equal(
        &store.get(&key).await?.body.as_ref(),
        &&b"first"[..],
        "body",
    )
}

pub(super) async fn replace_takes_the_place(store: Store) -> CaseResult {
    let key = Key::parse("deep/in/a.tgz")?;
    for body in ["created by a replace", "replaced", ""] {
        let written = store.replace(&key, Bytes::from(body)).await?;
        let found = store.get(&key).await?;
        expect_equal(&found.body, &Bytes::from(body), "body")?;
        expect_equal(&found.id.e_tag, &written.e_tag, "ETag")?;
    }
    let created = store.create(&key, Bytes::from_static(b"x")).await;
    expect_kind(
        created,
        StorageErrorKind::AlreadyExists,
        "a create after it",
    )
}

pub(super) async fn deleted_is_gone(store: Store) -> CaseResult {
    let key = Key::parse("a.tgz")?;
    store.create(&key, Bytes::from_static(b"first")).await?;
    store.delete(&key).await?;
    expect_kind(store.get(&key).await, StorageErrorKind::NotFound, "get")?;
    expect_kind(store.head(&key).await, StorageErrorKind::NotFound, "head")?;
    expect(store.list().await?.is_empty(), "the listing is empty")?;
    match store.delete(&key).await {
        Ok(()) => {}
        Err(error) if error.kind() == StorageErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    store.create(&key, Bytes::from_static(b"second")).await?;
    expect_equal(
        &store.get(&key).await?.body.as_ref(),
        &&b"second"[..],
        "body",
    )
}

pub(super) async fn delete_is_exact(store: Store) -> CaseResult {
    put_all(&store, &["a", "aa", "a.prov", "b/a"]).await?;
    store.delete(&Key::parse("a")?).await?;
    let mut left = Vec::new();
    for line in store.list().await? {
        left.push(line.key.to_string());
    }
    expect_equal(&left, &vec!["a.prov".into(), "aa".into()], "what is left")?;
    store.get(&Key::parse("b/a")?).await?;
    Ok(())
}
