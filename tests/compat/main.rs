//! ChartMuseum's users can swap its image for ours: the same requests get the same replies, the same
//! directories and buckets the same charts, the same command lines and variables the same server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::too_many_lines, reason = "tables of cases are long")]

mod adoption;
#[path = "../support/archive.rs"]
mod archive;
#[path = "../support/binary.rs"]
mod binary;
mod case;
mod cases;
mod charts;
mod cm_push;
mod document;
mod drop_in;
#[path = "../support/google.rs"]
mod google;
mod places;
mod replay;
#[path = "../support/report.rs"]
mod report;
mod section10;
#[path = "../support/stores.rs"]
#[allow(dead_code, reason = "one server of each service is enough here")]
mod stores;
mod subject;
mod there_and_back;
mod threats;
mod tokens;
#[path = "../support/tools.rs"]
#[allow(dead_code, reason = "helm is for others")]
mod tools;
mod ways;
mod wire;
