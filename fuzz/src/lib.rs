//! What is fuzzed: each target is a function of bytes that panics when something that must hold does
//! not. The binaries in `fuzz_targets/` give them to libFuzzer, `tests/corpus.rs` replays the corpora.

pub mod archive;
pub mod chart_yaml;
pub mod keys;
pub mod log_record;
pub mod multipart;
pub mod provenance;
pub mod version;
pub mod yaml_writer;

mod tar;
mod values;

/// A target: a function of bytes.
pub type Target = fn(&[u8]);

/// All targets, by the names of their corpora.
pub const TARGETS: [(&str, Target); 8] = [
    ("archive", archive::run),
    ("chart_yaml", chart_yaml::run),
    ("keys", keys::run),
    ("log_record", log_record::run),
    ("multipart", multipart::run),
    ("provenance", provenance::run),
    ("version", version::run),
    ("yaml_writer", yaml_writer::run),
];
