//! The contract of stores, and the log's order, on real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod certificates;
mod contract;
#[path = "../support/google.rs"]
mod google;
mod identity;
#[path = "../../storage/tests/log/ledger.rs"]
#[allow(dead_code, reason = "only the race is run here")]
mod ledger;
#[path = "../../storage/tests/log/race.rs"]
mod race;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/stores.rs"]
mod stores;
#[path = "../support/tools.rs"]
#[allow(dead_code, reason = "helm is for others")]
mod tools;
mod troubles;
