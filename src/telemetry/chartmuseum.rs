//! ChartMuseum's JSON lines, for those whose log pipelines read them.

use std::fmt::{self, Debug};

use chartroom_storage::Clock;
use chrono::Local;
use serde::Serialize;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes `{"L":"INFO","T":"2026-11-24T10:00:00.123+0100","M":"…",…}`: level, time and message first,
/// then the fields in their order, as zap does.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let time = self.clock.wall().with_timezone(&Local);
        let mut fields = Fields::default();
        event.record(&mut fields);
        // zap writes the offset of UTC as `Z`, others without a colon.
        let time = time.format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string();
        let time = time.replace("+0000", "Z");
        write!(
            writer,
            "{{\"L\":\"{}\",\"T\":\"{time}\",\"M\":",
            event.metadata().level()
        )?;
        json(&mut writer, &fields.message)?;
        for (name, value) in &fields.others {
            writer.write_char(',')?;
            json(&mut writer, name)?;
            writer.write_char(':')?;
            json(&mut writer, value)?;
        }
        writer.write_str("}\n")
    }
}

fn json(writer: &mut Writer<'_>, value: &impl Serialize) -> fmt::Result {
    let text = serde_json::to_string(value).map_err(|_| fmt::Error)?;
    writer.write_str(&text)
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn push(&mut self, field: &Field, value: impl Into<Value>) {
        let name = match field.name() {
            // What ChartMuseum calls it.
            "request.id" => "reqID",
            name => name,
        };
        self.others.push((name, value.into()));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.push(field, text);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.push(field, value);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, value);
    }
}
