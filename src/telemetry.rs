//! Logs: text or JSON lines on stderr. Never bodies, never credentials.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

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
}

/// Sends the logs of this process to stderr; stdout is kept for what a person asked for.
///
/// # Errors
/// If the process already has a subscriber.
pub fn start(settings: &Settings) -> Result<(), TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let lines = tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter(settings.level))
        .with_writer(std::io::stderr)
        .with_target(settings.level >= Level::DEBUG);
    match settings.format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    }
}

/// Libraries tell at `info` and below what only their authors want to read.
fn filter(level: Level) -> EnvFilter {
    let libraries = level.min(Level::WARN);
    if level == Level::TRACE {
        return EnvFilter::new("trace");
    }
    EnvFilter::new(format!(
        "{libraries},chartroom={level},chartroom_storage={level}"
    ))
}
