//! Names of objects, and prefixes.

use bytes::Bytes;

use super::{CaseResult, expect, expect_equal, expect_kind, put_all};
use crate::{Key, RepositoryPath, StorageErrorKind, Store};

/// Names of objects that others may have put. Not all of them can be kept everywhere: what a store
/// cannot keep as it is, it has to refuse.
const ODD_NAMES: [&str; 29] = [
    "chart-1.0.0+build.5.tgz",
    "with space .tgz",
    " leading",
    "trailing ",
    "per%cent",
    "%2e%2e",
    "%2F",
    "~tilde~",
    "#hash",
    "ha#sh",
    "hash#",
    "#1a",
    "{curly}",
    "[square]",
    "quo\"te's",
    "back\\slash",
    "a:b",
    "C:x",
    "|c",
    "?query=1&x",
    "*star*",
    "<a>",
    "^`|",
    "...",
    ".hidden",
    "ünïcødé",
    "e\u{301}",
    "日本語.tgz",
    "🚢",
];

/// Azure takes it for a slash.
const MAY_BE_REFUSED: &str = "back\\slash";

pub(super) async fn odd_names_stay(store: Store) -> CaseResult {
    let mut kept = Vec::new();
    for name in ODD_NAMES {
        match put_all(&store, &[name]).await {
            Ok(()) => kept.push(name),
            Err(error) if name != MAY_BE_REFUSED => return Err(error),
            Err(_) => {
                let key = Key::parse(name)?;
                let unsupported = StorageErrorKind::Unsupported;
                expect_kind(store.create(&key, Bytes::new()).await, unsupported, name)?;
                expect_kind(store.get(&key).await, unsupported, name)?;
                expect_kind(store.head(&key).await, unsupported, name)?;
                expect_kind(store.delete(&key).await, unsupported, name)?;
            }
        }
    }
    let mut expected: Vec<String> = kept.iter().map(ToString::to_string).collect();
    expected.sort_unstable();
    let mut listed = Vec::new();
    for line in store.list().await? {
        let object = store.get(&line.key).await?;
        expect_equal(&object.body, &line.key.to_string().into(), "body")?;
        expect(
            object.id.same_object(&line.id),
            "the listing tells the object",
        )?;
        listed.push(line.key.to_string());
    }
    expect_equal(&listed, &expected, "names")?;
    for name in kept {
        // As a folder too.
        let below = Key::parse("folders")?.child(name)?.child(name)?;
        store.create(&below, Bytes::from_static(b"below")).await?;
        let folder = Key::parse("folders")?.child(name)?;
        let found = store.list_below(&folder, None).await?;
        expect_equal(&found.len(), &1, name)?;
        expect(found.iter().all(|line| line.key == below), name)?;
        store.delete(&below).await?;
        expect_kind(store.head(&below).await, StorageErrorKind::NotFound, name)?;
    }
    // As a file system's longest name, less what the name of an upload under way takes.
    let long = Key::parse(&"n".repeat(240))?;
    store.create(&long, Bytes::from_static(b"long")).await?;
    store.head(&long).await?;
    Ok(())
}

pub(super) async fn prefixes_are_never_left(store: Store) -> CaseResult {
    let inner = store.within(&RepositoryPath::parse("a")?);
    put_all(&store, &["x", "aa/x", "a.tgz"]).await?;
    expect(inner.list().await?.is_empty(), "siblings are not listed")?;
    let missing = inner.head(&Key::parse("x")?).await;
    expect_kind(missing, StorageErrorKind::NotFound, "an object above")?;
    inner
        .create(&Key::parse("x")?, Bytes::from_static(b"in"))
        .await?;
    let found = store.get(&Key::parse("a/x")?).await?;
    expect_equal(&found.body.as_ref(), &&b"in"[..], "body")?;
    inner.delete(&Key::parse("x")?).await?;
    store.head(&Key::parse("x")?).await?;
    let same = inner.within(&RepositoryPath::root());
    same.create(&Key::parse("y")?, Bytes::new()).await?;
    inner.head(&Key::parse("y")?).await?;
    Ok(())
}

pub(super) async fn a_file_is_no_folder(store: Store) -> CaseResult {
    put_all(&store, &["file"]).await?;
    let below = Key::parse("file/below")?;
    let not_found = StorageErrorKind::NotFound;
    expect_kind(store.get(&below).await, not_found, "get below a file")?;
    expect_kind(store.head(&below).await, not_found, "head below a file")?;
    let listed = store.list_below(&Key::parse("file")?, None).await?;
    expect(listed.is_empty(), "nothing is listed below a file")?;
    put_all(&store, &["folder/file"]).await?;
    let folder = Key::parse("folder")?;
    expect_kind(store.get(&folder).await, not_found, "get of a folder")?;
    expect_kind(store.head(&folder).await, not_found, "head of a folder")
}
