//! How many files, connections among them, the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of a local storage, of the log and of the runtime, and connections to a bucket.
const OTHERS: u64 = 512;

/// Raises the soft limit as far as the hard one allows, as the runtime of Go does: it is 1024 on most
/// systems for the sake of programs of another age. Says so where connections need more.
pub fn allow(max_connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let Some(soft) = limit.current else {
        return;
    };
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let soft = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => soft,
    };
    let wanted = u64::try_from(max_connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS);
    if soft < wanted {
        tracing::warn!(
            open_files = soft,
            wanted,
            "the limit of open files is too low for --max-connections: raise it, or lower that"
        );
    }
}
