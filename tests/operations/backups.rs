//! A copy of a repository that is taken while uploads go on is restored: everything that was copied is
//! served, and nothing else.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chartroom_storage::Store;
use tokio::runtime::Runtime;

use crate::client::{Client, Listing, chart};
use crate::objects::{self, Objects};
use crate::program::{Storage, store_server};
use crate::server::Server;
use crate::stores::{Kind, Start};

/// Longest wait for uploads.
const PATIENCE: Duration = Duration::from_mins(1);

/// Uploads versions one after another, and notes the file of each that was acknowledged.
fn upload_until(client: &Client, enough: &AtomicBool, acknowledged: &Mutex<BTreeSet<String>>) {
    for number in 0.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let version = format!("1.{number}.0");
        assert_eq!(client.upload(&chart("app", &version)), 201);
        lock(acknowledged).insert(format!("app-{version}.tgz"));
    }
}

fn lock(files: &Mutex<BTreeSet<String>>) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until this many were acknowledged.
fn wait_for(count: usize, acknowledged: &Mutex<BTreeSet<String>>) -> BTreeSet<String> {
    let begin = Instant::now();
    loop {
        let files = lock(acknowledged).clone();
        if files.len() >= count {
            return files;
        }
        assert!(begin.elapsed() < PATIENCE, "{} uploads", files.len());
        // The condition is polled: the reply to an upload is all that tells.
        thread::sleep(Duration::from_millis(2));
    }
}

/// What was copied, in the order of its parts: an old log, the files, a new log.
struct Copy {
    old_log: Objects,
    files: Objects,
    new_log: Objects,
    /// The index from after the files were copied.
    index: Vec<u8>,
    /// When each version was uploaded.
    times: Listing,
}

/// Copies a repository while uploads go on, which run before, between and after the parts.
fn copy_under_load(storage: &Storage) -> Copy {
    let runtime = Runtime::new().unwrap();
    let server = storage.serve(&[]);
    let (client, store) = (Client::of(&server), storage.store());
    let acknowledged = Mutex::new(BTreeSet::new());
    let enough = AtomicBool::new(false);
    let (old_log, files, index, new_log) = thread::scope(|scope| {
        let uploads = scope.spawn(|| upload_until(&client, &enough, &acknowledged));
        wait_for(20, &acknowledged);
        let old_log = runtime.block_on(objects::read_log(&store));
        let before = wait_for(40, &acknowledged);
        let files = runtime.block_on(objects::read_files(&store));
        let index = client.get("/index.yaml", 200);
        assert!(before.iter().all(|file| files.contains_key(file)));
        let so_far = lock(&acknowledged).len();
        wait_for(so_far + 20, &acknowledged);
        let new_log = runtime.block_on(objects::read_log(&store));
        enough.store(true, Ordering::Relaxed);
        uploads.join().unwrap();
        (old_log, files, index, new_log)
    });
    let (times, _) = client.index();
    assert!(files.len() < times.len(), "uploads did not go on");
    Copy {
        old_log,
        files,
        new_log,
        index,
        times,
    }
}

/// Starts a server over the storage and checks that it serves exactly these files.
fn serve_exactly(storage: &Storage, files: &Objects) -> (Server, Listing) {
    let server = storage.serve(&[]);
    let client = Client::of(&server);
    let (listing, _) = client.index();
    assert_eq!(
        listing.keys().collect::<Vec<_>>(),
        files.keys().collect::<Vec<_>>()
    );
    for (file, body) in files {
        assert_eq!(client.get(&format!("/charts/{file}"), 200), *body, "{file}");
    }
    // It goes on from there.
    assert_eq!(client.upload(&chart("later", "1.0.0")), 201);
    assert!(client.index().0.contains_key("later-1.0.0.tgz"));
    (server, listing)
}

/// Restores a copy into an empty storage.
fn restore(store: &Store, parts: &[&Objects]) {
    let runtime = Runtime::new().unwrap();
    for part in parts {
        runtime.block_on(objects::write(store, part));
    }
}

fn restores(copy: &Copy, empty: impl Fn() -> Storage) {
    // The archives alone: everything is there, as if it were uploaded when it was restored.
    let storage = empty();
    restore(&storage.store(), &[&copy.files]);
    let (_, listing) = serve_exactly(&storage, &copy.files);
    for (file, (digest, created)) in &listing {
        let (same, uploaded) = &copy.times[file];
        assert_eq!(digest, same, "{file}");
        assert_ne!(created, uploaded, "{file}");
    }

    // With the index beside them: it has the times.
    let storage = empty();
    let index = Objects::from([("index-cache.yaml".to_owned(), copy.index.clone().into())]);
    restore(&storage.store(), &[&copy.files, &index]);
    let (server, listing) = serve_exactly(&storage, &copy.files);
    assert_eq!(kept_times(copy, &listing), copy.files.len());
    // The times are in the log now: nobody needs the index any more.
    assert!(server.stop().success());
    let again = storage.serve(&[]);
    let (later, _) = Client::of(&again).index();
    assert!(listing.iter().all(|(file, entry)| later[file] == *entry));

    // With a log that is older, or newer, than the files.
    for (log, known) in [(&copy.old_log, 20), (&copy.new_log, copy.files.len())] {
        let storage = empty();
        restore(&storage.store(), &[&copy.files, log]);
        let (_, listing) = serve_exactly(&storage, &copy.files);
        assert!(kept_times(copy, &listing) >= known);
    }
}

/// How many versions have the time of their upload.
fn kept_times(copy: &Copy, listing: &Listing) -> usize {
    let is_kept = |(file, entry): &(&String, &(String, String))| copy.times[*file] == **entry;
    listing.iter().filter(is_kept).count()
}

#[test]
fn a_copy_of_a_directory_under_load_is_restored_into_an_empty_directory() {
    let copy = copy_under_load(&Storage::directory());
    restores(&copy, Storage::directory);
}

#[test]
fn a_copy_of_a_bucket_under_load_is_restored_into_an_empty_bucket() {
    let what = "a backup of a bucket";
    let Some((_runtime, server)) = store_server(Kind::Minio, what, Start::default()) else {
        return;
    };
    let copy = copy_under_load(&Storage::on(&server));
    let number = std::cell::Cell::new(0);
    restores(&copy, || {
        number.set(number.get() + 1);
        Storage::prefix_on(&server, &format!("restored/{}", number.get()))
    });
}

#[test]
fn a_log_that_was_copied_in_part_is_refused_with_what_to_do_which_works() {
    let copy = copy_under_load(&Storage::directory());
    let storage = Storage::directory();
    let mut log = copy.new_log.clone();
    let records: Vec<String> = log
        .keys()
        .filter(|key| key.contains("/log/"))
        .cloned()
        .collect();
    assert!(log.remove(&records[records.len() / 2]).is_some());
    restore(&storage.store(), &[&copy.files, &log]);
    let line = storage.refusal(&[]);
    assert!(
        line.contains("the log has a gap") && line.contains("remove `.chartroom/`"),
        "{line}"
    );
    std::fs::remove_dir_all(std::path::Path::new(&storage.location).join(".chartroom")).unwrap();
    serve_exactly(&storage, &copy.files);
}
