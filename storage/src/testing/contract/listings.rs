//! Listings.

use super::{CaseResult, expect, expect_equal, put_all};
use crate::{Key, Listed, RepositoryPath, Store};

fn keys(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|line| line.key.as_str()).collect()
}

pub(super) async fn delimited_and_sorted(store: Store) -> CaseResult {
    let objects = [
        "b.tgz",
        "a/x",
        "aa/x",
        "a.tgz",
        "a-b.tgz",
        "B.tgz",
        ".chartroom/genesis",
        "a.tgz.prov",
        "é.tgz",
        "a/b/y",
    ];
    put_all(&store, &objects).await?;
    let sorted = vec!["B.tgz", "a-b.tgz", "a.tgz", "a.tgz.prov", "b.tgz", "é.tgz"];
    expect_equal(&keys(&store.list().await?), &sorted, "the root")?;
    for (repository, expected) in [("a", vec!["x"]), ("aa", vec!["x"]), ("a/b", vec!["y"])] {
        let within = store.within(&RepositoryPath::parse(repository)?);
        expect_equal(&keys(&within.list().await?), &expected, repository)?;
    }
    Ok(())
}

pub(super) async fn empty_place(store: Store) -> CaseResult {
    expect(store.list().await?.is_empty(), "no objects")?;
    expect(store.list_repositories().await?.is_empty(), "no folders")?;
    let listed = store.list_below(&Key::parse("nothing")?, None).await?;
    expect(listed.is_empty(), "nothing below")
}

pub(super) async fn repositories(store: Store) -> CaseResult {
    put_all(&store, &["x", "b/x", "a/c/x", ".chartroom/x", "a/x"]).await?;
    let found = store.list_repositories().await?;
    let expected = vec![RepositoryPath::parse("a")?, RepositoryPath::parse("b")?];
    expect_equal(&found, &expected, "the root's")?;
    let within = store.within(&RepositoryPath::parse("a")?);
    let found = within.list_repositories().await?;
    expect_equal(&found, &vec![RepositoryPath::parse("c")?], "those of `a`")
}

pub(super) async fn below_is_deep(store: Store) -> CaseResult {
    let objects = [
        "log/00000000000000000010",
        "log/00000000000000000009",
        "log/deep/er/x",
        "logs/x",
        "log.tgz",
        "x/log/y",
    ];
    put_all(&store, &objects).await?;
    let expected = vec![
        "log/00000000000000000009",
        "log/00000000000000000010",
        "log/deep/er/x",
    ];
    let listed = store.list_below(&Key::parse("log")?, None).await?;
    expect_equal(&keys(&listed), &expected, "below `log`")?;
    for line in listed {
        let head = store.head(&line.key).await?;
        expect(
            line.id.same_object(&head),
            "list and head tell the same object",
        )?;
    }
    Ok(())
}

pub(super) async fn below_begins_after(store: Store) -> CaseResult {
    put_all(&store, &["log/1", "log/2", "log/2x/y", "log/3", "m/1"]).await?;
    let log = Key::parse("log")?;
    let cases = [
        ("log/1", vec!["log/2", "log/2x/y", "log/3"]),
        ("log/2", vec!["log/2x/y", "log/3"]),
        ("log/2y", vec!["log/3"]),
        ("log/3", vec![]),
        ("a", vec!["log/1", "log/2", "log/2x/y", "log/3"]),
        ("z", vec![]),
    ];
    for (after, expected) in cases {
        let after = Key::parse(after)?;
        let listed = store.list_below(&log, Some(&after)).await?;
        expect_equal(&keys(&listed), &expected, after.as_str())?;
    }
    Ok(())
}
