//! What only a directory can do wrong.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bytes::Bytes;
use chartroom_storage::{BucketOptions, Key, Location, StorageErrorKind, Store, Timeouts};

fn open(directory: &Path) -> Store {
    let location = Location::Directory(directory.to_owned());
    Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap()
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

async fn names(store: &Store) -> Vec<String> {
    let listed = store.list().await.unwrap();
    listed.iter().map(|line| line.key.to_string()).collect()
}

#[tokio::test]
async fn opening_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// A look at a directory works where nothing can be written, and makes nothing.
#[tokio::test]
async fn an_existing_directory_is_opened_without_a_try_at_writing() {
    let parent = tempfile::tempdir().unwrap();
    let location = Location::Directory(parent.path().join("missing"));
    assert!(
        Store::open_existing(&location, &BucketOptions::default(), Timeouts::default()).is_err()
    );
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);

    let file = tempfile::NamedTempFile::new().unwrap();
    let location = Location::Directory(file.path().to_owned());
    let error = Store::open_existing(&location, &BucketOptions::default(), Timeouts::default())
        .unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);

    // Not even root can write here.
    let location = Location::Directory("/proc".into());
    let store =
        Store::open_existing(&location, &BucketOptions::default(), Timeouts::default()).unwrap();
    assert!(store.get(&key("version")).await.is_ok());
}

#[test]
fn a_file_cannot_be_opened_as_a_directory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let location = Location::Directory(file.path().to_owned());
    let error = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);
    assert_eq!(error.location(), file.path().to_str().unwrap());

    let location = Location::Directory(file.path().join("below"));
    let error = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);
}

#[test]
fn an_unwritable_directory_cannot_be_opened() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    // Permissions do not hold for root, /proc does.
    let locked = parent.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).unwrap();
    let for_root = fs::write(locked.join("probe"), "").is_ok();
    let directory = if for_root {
        Path::new("/proc")
    } else {
        &locked
    };
    let location = Location::Directory(directory.to_owned());
    assert!(Store::open(&location, &BucketOptions::default(), Timeouts::default()).is_err());
}

#[cfg(not(feature = "s3"))]
#[test]
fn a_service_that_is_not_built_in_is_unsupported_and_says_so() {
    let location: Location = "s3://bucket/prefix".parse().unwrap();
    let error = Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "cannot open `s3://bucket/prefix`: not supported"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("no support for `s3://`"), "{cause}");
}

#[tokio::test]
async fn files_put_by_hand_are_objects() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fs::write(directory.path().join("a+b~1 %20.tgz"), "by hand").unwrap();
    assert_eq!(names(&store).await, ["a+b~1 %20.tgz"]);
    let object = store.get(&key("a+b~1 %20.tgz")).await.unwrap();
    assert_eq!(object.body, Bytes::from("by hand"));
}

#[tokio::test]
async fn what_cannot_be_an_object_does_not_break_the_listing() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &[u8]| directory.path().join(std::ffi::OsStr::from_bytes(name));
    let store = open(directory.path());
    fs::write(place(b"good.tgz"), "").unwrap();
    fs::write(place(b"not\xffutf-8"), "").unwrap();
    fs::write(place(b"new\nline"), "").unwrap();
    fs::write(place(b"upload.tgz#1"), "half").unwrap();
    fs::write(place(b"a#b.tgz#12"), "half").unwrap();
    std::os::unix::fs::symlink("circle", place(b"circle")).unwrap();
    std::os::unix::fs::symlink("nowhere", place(b"dangling")).unwrap();
    std::os::unix::fs::symlink(".", place(b"here")).unwrap();
    std::os::unix::fs::symlink("good.tgz", place(b"linked.tgz")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place(b"socket")).unwrap();
    assert_eq!(names(&store).await, ["good.tgz", "linked.tgz"]);
    fs::create_dir(place(b"log")).unwrap();
    fs::write(place(b"log/1"), "").unwrap();
    std::os::unix::fs::symlink("..", place(b"log/up")).unwrap();
    let below = store.list_below(&key("log"), None).await.unwrap();
    assert_eq!(below.len(), 1);
}

#[tokio::test]
async fn a_listing_survives_files_that_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for number in 0..50 {
        fs::write(directory.path().join(format!("stays-{number:02}")), "").unwrap();
    }
    let churned = directory.path().to_owned();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let churn = std::thread::spawn(move || {
        while let Err(std::sync::mpsc::TryRecvError::Empty) = stopped.try_recv() {
            for number in 0..20 {
                let file = churned.join(format!("goes-{number}"));
                fs::write(&file, "").unwrap();
                fs::remove_file(&file).unwrap();
            }
        }
    });
    for _ in 0..100 {
        let names = names(&store).await;
        let staying = names.iter().filter(|name| name.starts_with("stays"));
        assert_eq!(staying.count(), 50);
    }
    drop(stop);
    churn.join().unwrap();
}

#[tokio::test]
async fn a_directory_that_is_gone_is_not_an_empty_one() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("store");
    let store = open(&directory);
    store.create(&key("a"), Bytes::from("a")).await.unwrap();
    fs::rename(&directory, parent.path().join("elsewhere")).unwrap();

    let unavailable = StorageErrorKind::Unavailable;
    assert_eq!(store.list().await.unwrap_err().kind(), unavailable);
    let below = store.list_below(&key("log"), None).await;
    assert_eq!(below.unwrap_err().kind(), unavailable);
    assert_eq!(store.get(&key("a")).await.unwrap_err().kind(), unavailable);
    assert_eq!(store.head(&key("a")).await.unwrap_err().kind(), unavailable);
    assert_eq!(
        store.delete(&key("a")).await.unwrap_err().kind(),
        unavailable
    );
    let put = store.create(&key("a"), Bytes::new()).await;
    assert_eq!(put.unwrap_err().kind(), unavailable);
    assert!(!fs::exists(&directory).unwrap());

    fs::rename(parent.path().join("elsewhere"), &directory).unwrap();
    assert_eq!(names(&store).await, ["a"]);
}

#[tokio::test]
async fn a_file_cut_while_it_is_read_is_an_error() {
    use futures_util::TryStreamExt;

    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let body = Bytes::from(vec![7; 2 * 1024 * 1024]);
    store.create(&key("a"), body).await.unwrap();
    let stream = store.open_range(&key("a"), None).await.unwrap();
    let file = directory.path().join("a");
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(1024 * 1024 + 5).unwrap();
    let read: Result<Vec<Bytes>, _> = stream.body.try_collect().await;
    assert_eq!(read.unwrap_err().kind(), StorageErrorKind::Unavailable);
}

#[tokio::test]
async fn a_name_too_long_for_a_file_is_unsupported() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let error = store.create(&key(&"a".repeat(255)), Bytes::new()).await;
    assert_eq!(error.unwrap_err().kind(), StorageErrorKind::Unsupported);
}

#[tokio::test]
async fn a_create_below_a_file_is_unsupported() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create(&key("a"), Bytes::new()).await.unwrap();
    let error = store.create(&key("a/b"), Bytes::new()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Unsupported);
}

#[tokio::test]
async fn uploads_leave_no_staged_files() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create(&key("a"), Bytes::from("1")).await.unwrap();
    store.create(&key("a"), Bytes::from("2")).await.unwrap_err();
    store.replace(&key("a"), Bytes::from("3")).await.unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}
