//! What can be configured about the API.

use std::time::Duration;

/// What can be configured about the API.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What index.yaml holds.
    pub index_format: IndexFormat,
    /// The largest body of an upload, in bytes.
    pub max_upload_size: u64,
    /// How many uploads are received at once.
    pub max_uploads: usize,
    /// How long a client may take to send a body.
    pub read_timeout: Duration,
    /// Whether an upload may replace a version.
    pub overwriting: Overwriting,
    /// Whether successful probes are logged.
    pub log_health: bool,
}

/// What index.yaml holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexFormat {
    /// JSON for helm, YAML for everybody else.
    Auto,
    /// YAML for everybody.
    Yaml,
    /// JSON for everybody.
    Json,
}

/// Whether an upload may replace a version that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwriting {
    /// Never.
    Never,
    /// If the request has `?force`.
    WithForce,
    /// Always.
    Always,
}
