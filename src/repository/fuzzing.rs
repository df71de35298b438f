//! Doors for the fuzz targets: what they call is private otherwise.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use chartroom_storage::{Clock, StorageError, log};

use super::state::{Setup, State, Status};
use crate::index::{Format, Index};

/// What a repository's log of some records adds up to.
pub struct Replay {
    /// The records that could be read, written again.
    pub written: Vec<Bytes>,
    /// What is known after them, in words.
    pub state: String,
    /// What a replica knows that begins with a snapshot of it.
    pub restored: Result<String, StorageError>,
    /// The index.
    pub index: Index,
}

/// Reads the records 1, 2 and so on, up to the first that cannot be read.
pub fn replay(records: &[&[u8]]) -> Replay {
    let setup = Setup {
        clock: Clock::default(),
        url_base: super::RELATIVE.into(),
    };
    let replayed = log::fuzzing::replay::<State>(&setup, records);
    Replay {
        written: replayed.written,
        state: describe(&replayed.machine),
        restored: replayed.restored.map(|state| describe(&state)),
        index: replayed.machine.index,
    }
}

/// Tells all that two replicas must agree on.
fn describe(state: &State) -> String {
    let mut text = format!("{} {}\n", state.generation, state.generated);
    let archives: BTreeMap<_, _> = state.archives().collect();
    for (file, archive) in archives {
        let changed = archive.changed;
        let status = match &archive.status {
            Status::Listed(listed) => format!("{listed:?}"),
            // When a replica learned of it is its own affair.
            Status::Removed { object, holder, .. } => format!("removed {object:?} {holder}"),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{file:?} {changed} {status}");
    }
    for format in [Format::Yaml, Format::Json] {
        let body = state.index.body(format, &state.generated.into(), None);
        for chunk in body.chunks() {
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
    }
    text
}
