//! The protocol's operations on several replicas over one store whose requests can be held, lost and
//! executed late. The numbers in the tests' comments are those of the protocol's list of scenarios.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::match_same_arms,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/archive.rs"]
mod archive;
mod charts;
mod checks;
mod costs;
mod deletes;
mod downloads;
mod explanations;
mod histories;
mod model;
mod overwrites;
mod provenance;
mod refreshes;
mod repairs;
mod replica;
mod uploads;
