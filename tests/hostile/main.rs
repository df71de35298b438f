//! Clients that mean no good, on real sockets against the real program: those who mean well are served
//! throughout, memory stays under the bound that docs/limits.md states, and everything is freed after.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/archive.rs"]
#[allow(dead_code, reason = "broken archives are made elsewhere")]
mod archive;
#[path = "../support/binary.rs"]
mod binary;
#[path = "../refusals/bodies.rs"]
#[allow(dead_code, clippy::too_many_lines, reason = "only archives count here")]
mod bodies;
mod bombs;
#[path = "../http/certificates.rs"]
#[allow(dead_code, reason = "clients without certificates are enough")]
mod certificates;
mod frames;
mod heads;
mod http2;
mod idle;
mod readers;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "one way to start is enough")]
mod server;
mod slow;
mod subject;
mod witness;
