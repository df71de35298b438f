//! What can be configured about the API.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::HeaderValue;
use chartroom_storage::RepositoryPath;

use super::{Hosts, TrustedProxies};
use crate::signature::Policy;
use crate::telemetry::LogFormat;

/// What can be configured about the API.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, and read by its name"
)]
pub struct Settings {
    /// What stands before every path.
    pub context_path: ContextPath,
    /// Which paths name a repository.
    pub depth: Depth,
    /// Whether there are routes below `/api/`.
    pub api: bool,
    /// Whether there is a route that deletes a version.
    pub delete: bool,
    /// What index.yaml holds.
    pub index_format: IndexFormat,
    /// The largest body of an upload, in bytes.
    pub max_upload_size: u64,
    /// How many uploads are received at once.
    pub max_uploads: usize,
    /// How many requests a client may send in a second, on average; `None` is any number.
    pub client_rate: Option<NonZeroU32>,
    /// The proxies that are believed what they say of a request's client.
    pub trusted_proxies: TrustedProxies,
    /// The hosts that requests may name.
    pub hosts: Hosts,
    /// How long a client may take to send a body.
    pub read_timeout: Duration,
    /// Whether an upload may replace a version.
    pub overwriting: Overwriting,
    /// The field of a form that holds an archive, besides `chart`.
    pub chart_field: String,
    /// The field of a form that holds a provenance, besides `prov`.
    pub provenance_field: String,
    /// Whether provenance is verified at upload.
    pub provenance: Policy,
    /// The `Access-Control-Allow-Origin` of replies of the API.
    pub cors_allow_origin: Option<HeaderValue>,
    /// The ids that Artifact Hub gave repositories. Letters, digits, `-` and `_` only.
    pub artifact_hub_ids: BTreeMap<RepositoryPath, String>,
    /// Whether `/metrics` is served.
    pub metrics: bool,
    /// How the log is written: in ChartMuseum's form a request's line has other fields.
    pub log_format: LogFormat,
    /// Whether successful probes are logged.
    pub log_health: bool,
    /// Whether ChartMuseum's form tells a latency as whole nanoseconds and not as a text.
    pub log_latency_integer: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            context_path: ContextPath::default(),
            depth: Depth::Fixed(0),
            api: true,
            delete: true,
            index_format: IndexFormat::Auto,
            max_upload_size: 20 << 20,
            max_uploads: 16,
            client_rate: None,
            trusted_proxies: TrustedProxies::default(),
            hosts: Hosts::default(),
            read_timeout: Duration::from_secs(30),
            overwriting: Overwriting::WithForce,
            chart_field: "chart".to_owned(),
            provenance_field: "prov".to_owned(),
            provenance: Policy::default(),
            cors_allow_origin: None,
            artifact_hub_ids: BTreeMap::new(),
            metrics: false,
            log_format: LogFormat::Text,
            log_health: false,
            log_latency_integer: false,
        }
    }
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

/// Which paths name a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Those of so many segments; 0 means that there is the root repository only.
    Fixed(usize),
    /// All of them.
    Dynamic,
}

impl Depth {
    /// The most segments that can be configured.
    pub const MOST: usize = 8;
}

/// What stands before every path: empty, or `/` and segments, such as `/charts/internal`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextPath(String);

/// Why a text is not a [`ContextPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextPathError {
    /// Two slashes follow each other.
    #[error("context path `{0}` has an empty segment")]
    EmptySegment(String),
    /// A segment is `.` or `..`.
    #[error("context path `{0}` has a dot segment")]
    DotSegment(String),
    /// A character would have to be escaped in a URL, or ends the path.
    #[error("context path `{path}` has the character {character:?}")]
    Character {
        /// The text.
        path: String,
        /// The first such character.
        character: char,
    },
}

impl ContextPath {
    /// Reads a path as ChartMuseum does: a slash is added in front and cut at the end, and `/` means
    /// none.
    ///
    /// # Errors
    /// Fails if a segment is empty or of dots, or has a character that does not stand for itself in a
    /// URL.
    pub fn parse(text: &str) -> Result<Self, ContextPathError> {
        if text.is_empty() || text == "/" {
            return Ok(Self::default());
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        let path = path.strip_prefix('/').unwrap_or(path);
        for segment in path.split('/') {
            if segment.is_empty() {
                return Err(ContextPathError::EmptySegment(text.to_owned()));
            }
            if segment == "." || segment == ".." {
                return Err(ContextPathError::DotSegment(text.to_owned()));
            }
            if let Some(character) = segment
                .chars()
                .find(|character| !stands_for_itself(*character))
            {
                let path = text.to_owned();
                return Err(ContextPathError::Character { path, character });
            }
        }
        Ok(Self(format!("/{path}")))
    }

    /// Returns the path: empty, or with a slash in front and none at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `pchar` of RFC 3986 section 3.3 without escapes.
fn stands_for_itself(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(character)
}

impl fmt::Display for ContextPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_paths_are_normalised_as_in_chartmuseum() {
        for (text, path) in [
            ("", ""),
            ("/", ""),
            ("charts", "/charts"),
            ("/charts/", "/charts"),
            ("a/b-c/", "/a/b-c"),
            ("/a@1/~b", "/a@1/~b"),
        ] {
            assert_eq!(ContextPath::parse(text).unwrap().as_str(), path, "{text}");
        }
    }

    #[test]
    fn context_paths_that_no_request_could_have_are_refused() {
        use ContextPathError::{Character, DotSegment, EmptySegment};
        let fails = |text: &str| ContextPath::parse(text).unwrap_err();
        for text in ["//", "/a//b", "//a", "a//"] {
            assert!(matches!(fails(text), EmptySegment(_)), "{text}");
        }
        for text in ["..", "/a/../b", "/./a", "a/.."] {
            assert!(matches!(fails(text), DotSegment(_)), "{text}");
        }
        for text in ["/a?b", "/a#b", "/a b", "/%2e%2e", "/{a}", "/é", "/a\\b"] {
            assert!(matches!(fails(text), Character { .. }), "{text}");
        }
    }
}
