//! Logs: text or JSON lines on stderr. Never bodies, never credentials.

mod chartmuseum;

use std::io::IsTerminal;

use tracing::{Dispatch, Level};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How lines are written.
    pub format: LogFormat,
    /// The least severe lines to write.
    pub level: Level,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the words of the option")]
pub enum LogFormat {
    Text,
    Json,
    Chartmuseum,
}

/// Sends the logs of this process to stderr; stdout is kept for what a person asked for.
///
/// # Errors
/// If the process already has a subscriber.
pub fn start(settings: &Settings) -> Result<(), TryInitError> {
    let has_colours = std::io::stderr().is_terminal();
    lines(settings, std::io::stderr, has_colours).try_init()
}

/// Returns what sends logs to `writer`, as [`start`] sends them to stderr.
pub fn lines<W>(settings: &Settings, writer: W, has_colours: bool) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_ansi(has_colours)
        .with_env_filter(filter(settings.level))
        .with_writer(writer)
        .with_target(settings.level >= Level::DEBUG);
    match settings.format {
        LogFormat::Text => lines.finish().into(),
        LogFormat::Json => lines.json().flatten_event(true).finish().into(),
        LogFormat::Chartmuseum => lines
            .event_format(chartmuseum::Lines::default())
            .finish()
            .into(),
    }
}

/// Libraries tell at `info` and below what only their authors want to read. That of signatures does
/// so at `warn`, about whatever a client uploads.
fn filter(level: Level) -> EnvFilter {
    let libraries = level.min(Level::WARN);
    if level == Level::TRACE {
        return EnvFilter::new("trace");
    }
    EnvFilter::new(format!(
        "{libraries},pgp=off,chartroom={level},chartroom_storage={level}"
    ))
}
