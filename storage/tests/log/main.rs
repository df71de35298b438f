//! The log on its own: one order for all writers, nothing acknowledged lost, nothing damaged.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod agreement;
mod faults;
mod frozen;

mod ledger;
mod past;
mod race;
mod snapshots;
mod trouble;
