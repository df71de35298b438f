//! The HTTP API, by requests on the router, and by sockets where the socket is the subject.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod api;
mod downloads;
mod explain;
mod failures;
mod index;
mod limits;
mod repositories;
mod routes;
mod sockets;
mod support;
mod uploads;
