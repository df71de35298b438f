//! A Helm chart repository server.

pub mod audit;
pub mod auth;
pub mod chart;
pub mod cli;
pub mod config;
pub mod http;
pub mod index;
pub mod metrics;
pub mod repository;
pub mod server;
pub mod signature;
pub mod telemetry;
