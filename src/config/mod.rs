//! Configuration: flags over `CHARTROOM_*` variables over a YAML file over defaults.
//!
//! [`options`] is the one table. [`args`], `environment` and [`file`] turn their source into texts
//! by option; [`Config`] holds final values. Everything wrong is reported at once, before anything is
//! started. Nothing outside of this module reads the environment.

pub mod args;
mod docs;
mod environment;
mod file;
mod layers;
pub mod options;
mod parse;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chartroom_storage::Location;
use clap::ArgMatches;

use crate::http::settings::{IndexFormat, Overwriting, Settings as HttpSettings};
use crate::server::Settings as ServerSettings;
use crate::telemetry::{LogFormat, Settings as LogSettings};
pub use docs::reference;
pub use environment::{Variables, variables};
use layers::{Layer, Reader, Value};
pub use layers::{Problem, Source};
use parse::Wrong;

/// Everything that can be configured, validated.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where charts are kept.
    pub storage: Location,
    /// How old an index may be when other replicas write.
    pub freshness: Duration,
    /// How often the storage is listed; zero is never.
    pub refresh_interval: Duration,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Deadlines and caps of connections.
    pub server: ServerSettings,
    /// What the API allows.
    pub http: HttpSettings,
    /// What is logged, and how.
    pub log: LogSettings,
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
        let environment = environment::layer(variables);
        let layers = [args::layer(matches), environment.layer, Layer::default()];
        let mut reader = Reader {
            layers,
            problems: environment.problems,
        };
        if let Some(Value { text, source }) = reader.find(&options::CONFIG) {
            let (layer, problems) = file::layer(&PathBuf::from(text), &source);
            reader.problems.extend(problems);
            let [_, _, file] = &mut reader.layers;
            *file = layer;
        }
        let config = read(&mut reader, environment.notices);
        match config {
            Some(config) if reader.problems.is_empty() => Ok(config),
            _ => Err(Problems(reader.problems)),
        }
    }
}

/// Reads every option before it gives up on any, so that each problem is found.
fn read(reader: &mut Reader, notices: Vec<String>) -> Option<Config> {
    let storage = storage(reader);
    let freshness = reader.value(&options::FRESHNESS, parse::duration);
    let refresh_interval = reader.value(&options::REFRESH_INTERVAL, parse::duration);
    let host = reader.value(&options::LISTEN_HOST, parse::host);
    let port = reader.value(&options::PORT, parse::port);
    let server = server(reader);
    let http = http(reader);
    let log = log(reader);
    Some(Config {
        storage: storage?,
        freshness: freshness?,
        refresh_interval: refresh_interval?,
        listen: SocketAddr::new(host?, port?),
        server: server?,
        http: http?,
        log: log?,
        notices,
    })
}

fn storage(reader: &mut Reader) -> Option<Location> {
    let value = reader.find(&options::STORAGE);
    let (text, source) = match value {
        Some(value) => (value.text, value.source),
        None => (default_directory().unwrap_or_default(), Source::Default),
    };
    let fix = "give a directory, file:///path or memory:";
    if text.is_empty() {
        let what =
            "no place to keep charts is given, and the user has no data directory".to_owned();
        reader.note(
            &options::STORAGE,
            source,
            Wrong {
                what,
                fix: fix.to_owned(),
            },
        );
        return None;
    }
    match text.parse() {
        Ok(location) => Some(location),
        Err(error) => {
            let what = format!("{error}");
            reader.note(
                &options::STORAGE,
                source,
                Wrong {
                    what,
                    fix: fix.to_owned(),
                },
            );
            None
        }
    }
}

/// The user's data directory, as `helm serve` kept its local repository below the user's home.
fn default_directory() -> Option<String> {
    let directory = dirs::data_dir()?.join("chartroom").join("charts");
    directory.to_str().map(str::to_owned)
}

fn server(reader: &mut Reader) -> Option<ServerSettings> {
    let max_connections = reader.value(&options::MAX_CONNECTIONS, parse::count);
    let header_timeout = reader.value(&options::HEADER_TIMEOUT, parse::deadline);
    let write_timeout = reader.value(&options::WRITE_TIMEOUT, parse::deadline);
    let drain_timeout = reader.value(&options::DRAIN_TIMEOUT, parse::duration);
    Some(ServerSettings {
        max_connections: max_connections?,
        header_timeout: header_timeout?,
        write_timeout: write_timeout?,
        drain_timeout: drain_timeout?,
    })
}

fn http(reader: &mut Reader) -> Option<HttpSettings> {
    let formats = [
        ("auto", IndexFormat::Auto),
        ("yaml", IndexFormat::Yaml),
        ("json", IndexFormat::Json),
    ];
    let index_format = reader.value(&options::INDEX_FORMAT, |text| parse::choice(text, &formats));
    let max_upload_size = reader.value(&options::MAX_UPLOAD_SIZE, parse::size);
    let max_uploads = reader.value(&options::MAX_UPLOADS, parse::count);
    let read_timeout = reader.value(&options::READ_TIMEOUT, parse::deadline);
    let allow = reader.value(&options::ALLOW_OVERWRITE, parse::switch);
    let disable_force = reader.value(&options::DISABLE_FORCE_OVERWRITE, parse::switch);
    let log_health = reader.value(&options::LOG_HEALTH, parse::switch);
    Some(HttpSettings {
        index_format: index_format?,
        max_upload_size: max_upload_size?,
        max_uploads: max_uploads?,
        read_timeout: read_timeout?,
        // As in ChartMuseum, --allow-overwrite wins.
        overwriting: match (allow?, disable_force?) {
            (true, _) => Overwriting::Always,
            (false, false) => Overwriting::WithForce,
            (false, true) => Overwriting::Never,
        },
        log_health: log_health?,
        ..HttpSettings::default()
    })
}

fn log(reader: &mut Reader) -> Option<LogSettings> {
    use tracing::Level;
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
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
        LogFormat::Json,
    );
    let level = reader.value_or_switch(
        &options::LOG_LEVEL,
        |text| parse::choice(text, &levels),
        &options::DEBUG,
        Level::DEBUG,
    );
    Some(LogSettings {
        format: format?,
        level: level?,
    })
}

#[cfg(test)]
mod tests;
