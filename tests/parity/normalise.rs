//! Sets aside the times of a run: `generated`, and `created` of what was indexed just now.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// Replaces each time that lies within this run, of whatever zone. Times that came from a merged
/// index stay as they are.
pub(crate) fn without_times_of_the_run(index: &[u8]) -> String {
    String::from_utf8_lossy(index)
        .split_inclusive('\n')
        .map(line_without_time)
        .collect()
}

fn line_without_time(line: &str) -> String {
    for key in [
        "created: \"",
        "generated: \"",
        "\"created\": \"",
        "\"generated\": \"",
    ] {
        let Some((before, rest)) = line.split_once(key) else {
            continue;
        };
        let Some((time, after)) = rest.split_once('"') else {
            continue;
        };
        // `  - `, `? ` and `: ` are all that stands before an entry's key.
        if before.trim_matches([' ', '-', '?', ':']).is_empty() && is_of_this_run(time) {
            return format!("{before}{key}<now>\"{after}");
        }
    }
    line.to_owned()
}

fn is_of_this_run(time: &str) -> bool {
    let Ok(time) = DateTime::parse_from_rfc3339(time) else {
        return false;
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970")
        .as_secs();
    let now = i64::try_from(now).expect("seconds fit");
    (now - 24 * 3600..=now + 60).contains(&time.timestamp())
}
