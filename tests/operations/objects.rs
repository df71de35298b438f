//! Objects as a tool copies them that knows nothing of charts: their bytes, under the same names, with
//! whatever times and tags the other store gives them.

use std::collections::BTreeMap;

use bytes::Bytes;
use chartroom_storage::{Key, StorageErrorKind, Store};

pub(crate) type Objects = BTreeMap<String, Bytes>;

/// Reads the objects of a repository but for those below `.chartroom/`, the last ones first. What is
/// deleted meanwhile is left out.
pub(crate) async fn read_files(store: &Store) -> Objects {
    let listed = store.list().await.unwrap();
    read(store, listed.into_iter().rev().map(|line| line.key)).await
}

/// Reads the objects below `.chartroom/`.
pub(crate) async fn read_log(store: &Store) -> Objects {
    let folder = Key::parse(".chartroom").unwrap();
    let listed = store.list_below(&folder, None).await.unwrap();
    read(store, listed.into_iter().map(|line| line.key)).await
}

async fn read(store: &Store, keys: impl Iterator<Item = Key>) -> Objects {
    let mut objects = Objects::new();
    for key in keys {
        match store.get(&key).await {
            Ok(object) => objects.insert(key.as_str().to_owned(), object.body),
            Err(error) if error.kind() == StorageErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        };
    }
    objects
}

/// Writes the objects.
pub(crate) async fn write(store: &Store, objects: &Objects) {
    for (name, body) in objects {
        let key = Key::parse(name).unwrap();
        store.replace(&key, body.clone()).await.unwrap();
    }
}
