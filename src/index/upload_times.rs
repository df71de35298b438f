//! The upload times that another index knows.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, FixedOffset, Utc};
use serde::Deserialize;

use crate::chart::Digest;
use crate::chart::yaml::{self, Budget};

/// As much of an index as is wanted; everything may be missing.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    entries: BTreeMap<String, Vec<Option<Upload>>>,
}

#[derive(Deserialize)]
struct Upload {
    digest: Option<String>,
    created: Option<DateTime<FixedOffset>>,
}

/// Reads when each archive was uploaded, by digest, from an index in YAML or JSON. What cannot be
/// read is left out: the times only help.
pub fn read(index: &[u8]) -> HashMap<Digest, DateTime<Utc>> {
    let Some(document) = parse(index) else {
        return HashMap::new();
    };
    let uploads = document.entries.into_values().flatten().flatten();
    uploads
        .filter_map(|upload| {
            let digest = upload.digest?.parse().ok()?;
            Some((digest, upload.created?.to_utc()))
        })
        .collect()
}

fn parse(index: &[u8]) -> Option<Document> {
    if let Ok(document) = serde_json::from_slice(index) {
        return Some(document);
    }
    let text = std::str::from_utf8(index).ok()?;
    // An index is long but flat, and has no aliases.
    let budget = Budget {
        bytes: index.len(),
        nodes: index.len(),
        depth: 32,
        repeated: 0,
    };
    yaml::from_str(text, budget).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn yaml_and_json_are_read_and_what_has_no_digest_is_left_out() {
        let yaml = format!(
            "apiVersion: v1\nentries:\n  a:\n  - created: \"2020-01-02T03:04:05.6+01:00\"\n    \
             digest: {DIGEST}\n    name: a\n  - name: b\n  -\nserverInfo: {{}}\n"
        );
        let json = format!(
            r#"{{"entries":{{"a":[{{"created":"2020-01-02T02:04:05.6Z","digest":"{DIGEST}"}}]}}}}"#
        );
        for index in [yaml, json] {
            let times = read(index.as_bytes());
            assert_eq!(times.len(), 1, "{index}");
            let created = times[&DIGEST.parse().unwrap()];
            assert_eq!(created.to_rfc3339(), "2020-01-02T02:04:05.600+00:00");
        }
    }

    #[test]
    fn junk_helps_nobody_and_hurts_nobody() {
        for index in ["", "junk", "entries: 7", "{", "\u{0}"] {
            assert!(read(index.as_bytes()).is_empty(), "{index}");
        }
    }
}
