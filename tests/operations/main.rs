//! What an operator does, by the real program: checks a storage, starts where a start cannot work, backs
//! up and restores, moves to another store. docs/operations.md says what these tests show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/archive.rs"]
#[allow(dead_code, reason = "broken archives are for others")]
mod archive;
mod backups;
#[path = "../support/binary.rs"]
mod binary;
#[path = "../stores/certificates.rs"]
mod certificates;
mod checks;
mod client;
#[path = "../support/google.rs"]
mod google;
mod impostor;
mod moves;
mod objects;
mod program;
#[path = "../support/report.rs"]
mod report;
mod rights;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "storages are not only directories here")]
mod server;
mod starts;
#[path = "../support/stores.rs"]
#[allow(dead_code, reason = "one way to start is enough")]
mod stores;
#[path = "../support/tools.rs"]
#[allow(dead_code, reason = "helm is for others")]
mod tools;
