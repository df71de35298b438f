//! The index: entries, their order, and the bodies that are served. Pure: no I/O, no clock.
//!
//! ```text
//! Entry → node (Helm's fields) → yaml_writer, json_writer → block → sequence (one per format) → Index
//! Index → Body: header, blocks, footer; plain or gzip
//! ```

pub mod body;
pub mod document;
pub mod entry;
pub mod etag;
pub mod json_writer;
pub mod merge;
pub mod number;
pub mod order;
pub mod rendered;
pub mod timestamp;
pub mod upload_times;

mod block;
mod gzip;
mod key;
mod node;
mod sequence;
mod yaml_writer;

pub use body::{Body, Chunks};
pub use document::IndexFile;
pub use entry::Entry;
pub use etag::etag;
pub use rendered::{Index, Row, VersionRef};

/// Returns a line of YAML, `key: text`, as go-yaml writes it: what could be read as something else than
/// a text is quoted.
pub(crate) fn yaml_line(key: &str, text: &str) -> Vec<u8> {
    let mut line = Vec::new();
    yaml_writer::write_pair(key, &node::Node::text(text), &mut line);
    line
}

/// The formats that an index is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// What `helm repo index` writes.
    Yaml,
    /// The same in compact JSON, which Helm reads several times faster.
    Json,
}

/// The encodings that a body is sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// Compressed.
    Gzip,
}
