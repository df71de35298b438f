//! Replicas as real processes over one bucket of a real S3 server: what is promised of any number of
//! them holds when uploads are split between them and raced, when they are killed, frozen and cut off,
//! and when the store goes away.
//!
//! The rare interleavings are in `tests/protocol`, on a store whose every request can be held; clocks
//! that disagree too, as processes of one machine share one clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adoption;
#[path = "../support/archive.rs"]
mod archive;
#[path = "../crash/belief.rs"]
mod belief;
#[path = "../support/binary.rs"]
mod binary;
mod bucket;
#[path = "../crash/client.rs"]
mod client;
mod contests;
mod frozen;
#[path = "../support/google.rs"]
mod google;
#[path = "../crash/inspection.rs"]
mod inspection;
mod kills;
#[path = "../crash/load.rs"]
mod load;
mod outage;
mod proxy;
#[path = "../crash/race.rs"]
mod race;
mod reading;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/seed.rs"]
mod seed;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "others serve a directory")]
mod server;
mod split;
mod starts;
#[path = "../support/stores.rs"]
#[allow(dead_code, reason = "TLS is tested elsewhere")]
mod stores;
#[path = "../support/tools.rs"]
#[allow(dead_code, reason = "helm is for others")]
mod tools;
