//! The HTTP API, by requests on the router, and by sockets where the socket is the subject.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod access_log;
mod admission;
mod adoption;
mod api;
#[path = "../support/archive_builder.rs"]
mod archive_builder;
mod audit;
mod auth;
mod certificates;
mod contents;
mod cors;
mod downloads;
mod explain;
mod failures;
mod http2;
mod index;
#[path = "../support/issuer.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod issuer;
mod limits;
mod metrics;
mod monitoring;
mod oidc;
mod openapi;
mod pages;
#[cfg(feature = "openpgp")]
mod provenance;
mod repositories;
mod roles;
mod routes;
mod scrape;
mod sockets;
mod support;
mod tls;
mod unreadable;
mod uploads;
