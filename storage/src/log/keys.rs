//! Where the parts of a log lie, below a repository's prefix.

use super::genesis::Identity;
use crate::Key;

const FOLDER: &str = ".chartroom";
const DIGITS: usize = 20;

/// The keys of one log. All but genesis carry the log's identity, so that nothing of an old identity
/// can be taken for, block, or be removed from a new log.
#[derive(Clone, Debug)]
pub(super) struct LogKeys {
    records: Key,
    snapshots: Key,
}

impl LogKeys {
    pub(super) fn of(identity: &Identity) -> Self {
        Self {
            records: fixed(&format!("{FOLDER}/{identity}/log")),
            snapshots: fixed(&format!("{FOLDER}/{identity}/snapshot")),
        }
    }

    pub(super) fn genesis() -> Key {
        fixed(&format!("{FOLDER}/genesis"))
    }

    pub(super) fn records(&self) -> &Key {
        &self.records
    }

    pub(super) fn snapshots(&self) -> &Key {
        &self.snapshots
    }

    pub(super) fn record(&self, generation: u64) -> Key {
        numbered(&self.records, generation)
    }

    pub(super) fn snapshot(&self, generation: u64) -> Key {
        numbered(&self.snapshots, generation)
    }

    /// Reads a generation back from a listed key; `None` for a foreign object.
    pub(super) fn generation(key: &Key) -> Option<u64> {
        let name = key.name();
        let is_number = name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { name.parse().ok() } else { None }
    }
}

fn numbered(folder: &Key, generation: u64) -> Key {
    fixed(&format!("{folder}/{generation:0DIGITS$}"))
}

#[expect(
    clippy::expect_used,
    reason = "made of letters, digits, dots and slashes only"
)]
fn fixed(text: &str) -> Key {
    Key::parse(text).expect("a key of the log is valid")
}
