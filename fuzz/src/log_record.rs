//! Records of a repository's log, and what they add up to.

use arbitrary::{Arbitrary, Unstructured};
use chartroom::repository::fuzzing;
use chrono::DateTime;
use serde_json::{Value, json};

/// The first byte says whether the others are records, one on each line, or what records are made of.
pub fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    if kind % 2 == 0 {
        let records: Vec<&[u8]> = rest.split(|byte| *byte == b'\n').take(16).collect();
        check(&records);
        return;
    }
    let mut input = Unstructured::new(rest);
    let Ok(sets) = Vec::<Vec<Change>>::arbitrary(&mut input) else {
        return;
    };
    let records: Vec<Vec<u8>> = (1..)
        .zip(&sets)
        .map(|(generation, changes)| record(generation, changes))
        .collect();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let read = check(&records);
    assert_eq!(read, records.len());
}

/// Returns how many records could be read.
fn check(records: &[&[u8]]) -> usize {
    let replay = fuzzing::replay(records);
    let written: Vec<&[u8]> = replay.written.iter().map(|body| &**body).collect();
    assert!(written.len() <= records.len());
    let again = fuzzing::replay(&written);
    assert_eq!(again.written, replay.written);
    assert_eq!(again.state, replay.state);
    match replay.restored {
        Ok(restored) => assert_eq!(restored, replay.state),
        Err(error) => panic!("a snapshot that cannot be read: {error:?}"),
    }
    assert_eq!(replay.index.len(), replay.index.iter_json().count());
    assert_eq!(replay.index.charts(), replay.index.names().count());
    written.len()
}

#[derive(Arbitrary, Debug)]
enum Change {
    Added(Box<Listing>),
    Removed(File, Option<Object>, u8),
    Purged(File, u8),
    Dropped(File),
}

#[derive(Arbitrary, Debug)]
struct Listing {
    file: File,
    is_upload: bool,
    ticket: u8,
    object: Object,
    digest: u8,
    created: i64,
    nanoseconds: u32,
    name: u8,
    version: u8,
    description: Option<String>,
    annotation: Option<(String, String)>,
}

#[derive(Arbitrary, Debug)]
struct File {
    name: u8,
    version: u8,
    is_copy: bool,
}

#[derive(Arbitrary, Debug)]
struct Object {
    e_tag: Option<String>,
    modified: i32,
    size: u64,
}

const NAMES: [&str; 4] = ["a", "b", "a-1", "Z_9"];
const VERSIONS: [&str; 7] = [
    "1.0.0",
    "v1.0.0",
    "1.0.0+b",
    "1.0.0-rc.1",
    "2",
    "10.0.0",
    "1-2.0.0",
];

fn name(number: u8) -> &'static str {
    NAMES[usize::from(number) % NAMES.len()]
}

fn version(number: u8) -> &'static str {
    VERSIONS[usize::from(number) % VERSIONS.len()]
}

impl File {
    fn name(&self) -> String {
        let copy = if self.is_copy { "copy-of-" } else { "" };
        format!("{copy}{}-{}.tgz", name(self.name), version(self.version))
    }
}

fn object(object: &Object) -> Value {
    json!({
        "e_tag": object.e_tag,
        "modified": DateTime::from_timestamp(object.modified.into(), 0),
        "size": object.size,
    })
}

fn ticket(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

fn record(generation: u64, changes: &[Change]) -> Vec<u8> {
    let changes: Vec<Value> = changes.iter().map(change).collect();
    let record = json!({
        "format": 1,
        "generation": generation,
        "nonce": format!("{generation:032x}"),
        "time": DateTime::from_timestamp(1_700_000_000, 0),
        "changes": changes,
    });
    record.to_string().into_bytes()
}

fn change(change: &Change) -> Value {
    match change {
        Change::Added(listing) => {
            // The years that RFC 3339 knows.
            let seconds = listing.created.rem_euclid(253_402_300_800);
            let created = DateTime::from_timestamp(seconds, listing.nanoseconds % 1_000_000_000);
            let annotations: serde_json::Map<String, Value> = listing
                .annotation
                .iter()
                .map(|(key, value)| (key.clone(), Value::from(value.clone())))
                .collect();
            json!({
                "change": "added",
                "file": listing.file.name(),
                "origin": if listing.is_upload { "upload" } else { "refresh" },
                "ticket": ticket(listing.ticket),
                "object": object(&listing.object),
                "digest": format!("{:064x}", listing.digest),
                "created": created,
                "metadata": {
                    "name": name(listing.name),
                    "version": version(listing.version),
                    "description": listing.description.clone().unwrap_or_default(),
                    "apiVersion": "v2",
                    "annotations": annotations,
                },
            })
        }
        Change::Removed(file, was, holder) => json!({
            "change": "removed",
            "file": file.name(),
            "object": was.as_ref().map(object),
            "holder": ticket(*holder),
        }),
        Change::Purged(file, holder) => json!({
            "change": "purged",
            "file": file.name(),
            "holder": ticket(*holder),
        }),
        Change::Dropped(file) => json!({ "change": "dropped", "file": file.name() }),
    }
}
