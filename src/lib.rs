//! A Helm chart repository server.

pub mod chart;
pub mod index;
pub mod repository;
pub mod telemetry;
