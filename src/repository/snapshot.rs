//! Between the log's listings and the index's entries, and a whole state to and from a snapshot.

use chartroom_storage::log::Item;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::change::{Change, Listing};
use super::state::{State, Status};
use crate::index::Entry;

/// What Helm leaves unescaped in the path of a chart's URL.
const ESCAPED_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// Returns what the index says of a listing.
pub(super) fn entry(listing: &Listing, url_base: &str) -> Entry {
    let path = utf8_percent_encode(&listing.file, ESCAPED_IN_PATH);
    Entry {
        metadata: listing.metadata.clone(),
        urls: vec![format!("{url_base}{path}")],
        created: listing.created.fixed_offset(),
        digest: listing.digest.to_string(),
        removed: false,
        checksum: String::new(),
        engine: String::new(),
        tiller_version: String::new(),
        url: String::new(),
    }
}

/// Returns the last change about each archive that is not gone.
pub(super) fn items(state: &State) -> Box<dyn Iterator<Item = Item<Change>> + '_> {
    // An entry that could not be read back would be missing here. The snapshot's header says how many
    // items there must be, so that a reader passes over such a snapshot and reads the log instead.
    let shown = state
        .index
        .iter_json()
        .filter_map(|found| item(state, &found.tie, Entry::from_json(&found.json).ok()?));
    let waiting = state
        .shadows()
        .entries()
        .filter_map(|(file, entry)| item(state, file, entry.clone()));
    let removed = state
        .archives()
        .filter_map(|(file, archive)| match &archive.status {
            Status::Removed { object, holder, .. } => Some(Item {
                generation: archive.changed,
                change: Change::Removed {
                    file: file.to_string(),
                    object: object.clone(),
                    holder: *holder,
                },
            }),
            Status::Listed(_) => None,
        });
    Box::new(shown.chain(waiting).chain(removed))
}

fn item(state: &State, file: &str, entry: Entry) -> Option<Item<Change>> {
    let archive = state.archive(file)?;
    let Status::Listed(listed) = &archive.status else {
        return None;
    };
    Some(Item {
        generation: archive.changed,
        change: Change::Added(Box::new(Listing {
            file: file.to_owned(),
            origin: listed.origin,
            ticket: listed.ticket,
            object: listed.object.clone(),
            digest: listed.digest,
            created: entry.created.to_utc(),
            metadata: entry.metadata,
        })),
    })
}
