//! One line per request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::{Level, Value};

use super::routes::Endpoint;
use super::served::{Outcome, Served};
use super::settings::Settings;
use crate::telemetry::LogFormat;

/// How the lines are written. The query is left out of them: people put credentials there.
#[derive(Clone, Debug)]
pub(super) struct AccessLog {
    format: LogFormat,
    /// Also successful probes.
    log_health: bool,
    latency_as_integer: bool,
    requests: Arc<AtomicU64>,
}

impl AccessLog {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            format: settings.log_format,
            log_health: settings.log_health,
            latency_as_integer: settings.log_latency_integer,
            requests: Arc::default(),
        }
    }

    /// Returns the number of the next request, from 1.
    pub(super) fn next_number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes the line of a request.
    pub(super) fn write(&self, served: &Served) {
        let is_probe = matches!(served.endpoint(), Some(Endpoint::Health | Endpoint::Ready));
        let is_success = (200..300).contains(&served.status);
        if is_probe && is_success && !self.log_health {
            return;
        }
        match self.format {
            LogFormat::Text | LogFormat::Json => native(served),
            LogFormat::Chartmuseum => self.chartmuseum(served),
        }
    }

    /// The message, the fields and their order are ChartMuseum's. The levels are not: there every status
    /// but 200, 201 and 404 is an error, such as 304 and 409.
    fn chartmuseum(&self, served: &Served) {
        if served.status < 400 && !tracing::enabled!(Level::INFO) {
            return;
        }
        let nanoseconds = i64::try_from(served.duration().as_nanos()).unwrap_or(i64::MAX);
        let latency: &dyn Value = if self.latency_as_integer {
            &nanoseconds
        } else {
            &&*go_duration(served.duration())
        };
        let client = served.client.map(|client| client.ip().to_string());
        let client = client.unwrap_or_default();
        let comment = served.cause.as_ref().map(ToString::to_string);
        let comment = comment.unwrap_or_default();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    path = &*served.path,
                    comment,
                    clientIP = client,
                    method = served.method.as_str(),
                    statusCode = served.status,
                    latency,
                    reqID = &*served.request_id,
                    "[{}] Request served",
                    served.number
                )
            };
        }
        match served.status {
            ..400 => line!(info),
            400..500 => line!(warn),
            500.. => line!(error),
        }
    }
}

fn native(served: &Served) {
    // Nothing is put together for nobody.
    if !tracing::enabled!(Level::INFO) {
        return;
    }
    let client = served.client.map(|client| client.to_string());
    let client = client.unwrap_or_default();
    let outcome = match served.outcome {
        Outcome::Finished => "",
        Outcome::Unfinished => ", client went away",
        Outcome::Failed => ", cut short",
    };
    let Served {
        method,
        path,
        status,
        response_bytes: bytes,
        ..
    } = served;
    let duration_ms = served.duration().as_secs_f64() * 1000.0;
    // Whole microseconds: the rest is noise.
    let duration_ms = (duration_ms * 1000.0).round() / 1000.0;
    tracing::info!(
        request.id = &*served.request_id,
        client,
        user = served.identity.name(),
        method = method.as_str(),
        path,
        status,
        bytes,
        duration_ms,
        "{method} {path} {status}{outcome}"
    );
}

/// Writes a duration as Go's `time.Duration` prints it: `55.4µs`, `1.5ms`, `2m0.25s`.
fn go_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let (unit, size) = match nanoseconds {
        0..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let minutes = duration.as_secs() / 60;
    let rest = if unit == "s" {
        nanoseconds % (60 * size)
    } else {
        nanoseconds
    };
    let number = format!(
        "{}.{:0width$}",
        rest / size,
        rest % size,
        width = size.ilog10() as usize
    );
    // One nanosecond has no digits after the point.
    let number = match size {
        1 => rest.to_string(),
        _ => number
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
    };
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{number}{unit}"),
        (0, minutes) => format!("{minutes}m{number}{unit}"),
        (hours, minutes) => format!("{hours}h{minutes}m{number}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1µs"),
            (1_100, "1.1µs"),
            (55_400, "55.4µs"),
            (2_200_000, "2.2ms"),
            (100_000_001, "100.000001ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (60_000_000_000, "1m0s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
        ] {
            assert_eq!(go_duration(Duration::from_nanos(nanoseconds)), expected);
        }
    }
}
