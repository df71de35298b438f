//! Configuration: flags over `CHARTROOM_*` variables over a YAML file over defaults; and ChartMuseum's
//! configuration, by its own flags, variables and file.
//!
//! [`options`] is the one table. [`args`], `environment` and [`file`] turn their source into texts
//! by option, `sources` decides which of them count; [`Config`] holds final values. Everything wrong is
//! reported at once, before anything is started. Nothing outside of this module reads the environment.

pub mod args;
mod auth;
mod backend;
mod chartmuseum;
mod docs;
mod environment;
mod file;
mod http;
mod layers;
pub mod options;
mod parse;
mod provenance;
mod repositories;
mod sources;
mod storage;
mod tls;

use std::fmt;
use std::net::SocketAddr;

use chartroom_storage::{BucketOptions, Location};
use clap::ArgMatches;

use crate::audit::Destination;
use crate::http::Hosts;
use crate::http::settings::{Depth, Settings as HttpSettings};
use crate::server::Settings as ServerSettings;
use crate::telemetry::{LogFormat, Settings as LogSettings};
pub use auth::{AuthScheme, AuthSettings, BasicAuth, BearerAuth, NativeAuth, TokenSettings};
pub use docs::{compared, reference};
pub use environment::{Variables, variables};
use layers::{Noted, Reader};
pub use layers::{Problem, Source};
use parse::Wrong;
pub use provenance::ProvenanceSettings;
pub use repositories::RepositorySettings;
pub use tls::TlsFiles;

/// Everything that can be configured, validated.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where charts are kept.
    pub storage: Location,
    /// How a bucket is reached.
    pub buckets: BucketOptions,
    /// How repositories are kept.
    pub repositories: RepositorySettings,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The files of HTTPS; `None` is plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Who is let in.
    pub auth: AuthSettings,
    /// Deadlines and caps of connections.
    pub server: ServerSettings,
    /// What the API allows.
    pub http: HttpSettings,
    /// How provenance is verified at upload; `None` is not at all.
    pub provenance: Option<ProvenanceSettings>,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Where the audit log goes; `None` is nowhere.
    pub audit: Option<Destination>,
    /// Whether to print the index of the one repository and end.
    pub gen_index: bool,
    /// Whether there is no second replica, so that the storage need not tell two apart.
    pub single_replica: bool,
    /// What named a storage backend of ChartMuseum's, so that its variables, defaults and file keys
    /// hold.
    pub chartmuseum: Option<Source>,
    /// What is worth a warning but is no error.
    pub notices: Vec<String>,
}

/// Everything that is wrong, at least one thing.
#[derive(Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "{count} {plural} in the configuration")?;
        for problem in &self.0 {
            let Problem {
                key,
                what,
                source,
                fix,
            } = problem;
            write!(formatter, "\n  {key}: {what} ({source})\n    fix: {fix}")?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads the configuration from parsed flags and the given variables, and from the file that one of
    /// them names.
    ///
    /// # Errors
    /// All that is wrong, together.
    pub fn load(matches: &ArgMatches, variables: &Variables) -> Result<Self, Problems> {
        let mut reader = sources::read(matches, variables);
        let (cloud, notices) = environment::cloud(variables);
        reader.notices.extend(notices);
        let config = read(&mut reader, cloud);
        match config {
            Ok(config) if reader.problems.is_empty() => Ok(Self {
                chartmuseum: reader.museum,
                notices: reader.notices,
                ..config
            }),
            _ => Err(Problems(reader.problems)),
        }
    }
}

/// Reads every option before it gives up on any, so that each problem is found.
fn read(reader: &mut Reader, cloud: Vec<(String, String)>) -> Result<Config, Noted> {
    let storage = storage::read(reader, cloud);
    let repositories = repositories::read(reader);
    let host = reader.value(&options::LISTEN_HOST, parse::host);
    let port = reader.value(&options::PORT, parse::port);
    let hosts = reader.value(&options::ALLOWED_HOSTS, parse::host_names);
    let tls = tls::read(reader);
    let auth = auth::read(reader);
    let server = server(reader);
    let http = http::read(reader);
    let provenance = provenance::read(reader);
    let log = log(reader);
    let audit = reader.optional(&options::AUDIT_LOG, parse::audit_log);
    let gen_index = gen_index(reader, http.as_ref().ok());
    let single_replica = reader.value(&options::SINGLE_REPLICA, parse::switch);
    chartmuseum::note(reader);
    let (storage, buckets) = storage?;
    let (log, host) = (log?, host?);
    let audit = audit?;
    let http = HttpSettings {
        log_format: log.format,
        hosts: Hosts::of_listener(host, hosts?),
        ..http?
    };
    Ok(Config {
        storage,
        buckets,
        repositories: repositories?,
        listen: SocketAddr::new(host, port?),
        tls: tls?,
        auth: auth?,
        server: server?,
        http,
        provenance: provenance?,
        log,
        audit,
        gen_index: gen_index?,
        single_replica: single_replica?,
        chartmuseum: None,
        notices: Vec::new(),
    })
}

/// There is one index to print, or none in particular; ChartMuseum would start to serve.
fn gen_index(reader: &mut Reader, http: Option<&HttpSettings>) -> Result<bool, Noted> {
    let definition = &options::GEN_INDEX;
    let given = reader.given(&[definition], parse::switch)?;
    let Some(given) = given.filter(|given| given.value) else {
        return Ok(false);
    };
    let depth = http.map_or(Depth::Fixed(0), |http| http.depth);
    if depth == Depth::Fixed(0) {
        return Ok(true);
    }
    let (depth, dynamic) = (options::DEPTH.name, options::DEPTH_DYNAMIC.name);
    let wrong = Wrong {
        what: format!("with {depth} or {dynamic} there is no one index to print"),
        fix: format!("remove {depth} and {dynamic}, or get the index of each repository by URL"),
    };
    Err(reader.note(definition, given.source, wrong))
}

fn server(reader: &mut Reader) -> Result<ServerSettings, Noted> {
    let max_connections = reader.value(&options::MAX_CONNECTIONS, parse::count);
    let header_timeout = reader.value(&options::HEADER_TIMEOUT, parse::deadline);
    let write_timeout = reader.value(&options::WRITE_TIMEOUT, parse::deadline);
    let drain_timeout = reader.value(&options::DRAIN_TIMEOUT, parse::duration);
    Ok(ServerSettings {
        max_connections: max_connections?,
        header_timeout: header_timeout?,
        write_timeout: write_timeout?,
        drain_timeout: drain_timeout?,
    })
}

fn log(reader: &mut Reader) -> Result<LogSettings, Noted> {
    use tracing::Level;
    let formats = [
        ("text", LogFormat::Text),
        ("json", LogFormat::Json),
        ("chartmuseum", LogFormat::Chartmuseum),
    ];
    // Who starts ChartMuseum's configuration has what reads its lines.
    let json = match reader.museum {
        Some(_) => LogFormat::Chartmuseum,
        None => LogFormat::Json,
    };
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    let format = reader.value_or_switch(
        &options::LOG_FORMAT,
        |text| parse::choice(text, &formats),
        &options::LOG_JSON,
        json,
    );
    let level = reader.value_or_switch(
        &options::LOG_LEVEL,
        |text| parse::choice(text, &levels),
        &options::DEBUG,
        Level::DEBUG,
    );
    Ok(LogSettings {
        format: format?,
        level: level?,
    })
}

#[cfg(test)]
mod tests;
