//! What `/metrics` answers.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use super::{Connections, Metrics, process, repositories, text};
use crate::repository::Repositories;

/// How a scrape is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus's text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// All metrics, ready to be written.
#[derive(Debug)]
pub(crate) struct Exposition {
    registry: Registry,
}

impl Exposition {
    /// `uploads` are the slots of uploads, of which there are `max_uploads`.
    pub(crate) fn new(
        metrics: &Metrics,
        repositories: Arc<Repositories>,
        uploads: Arc<Semaphore>,
        max_uploads: usize,
    ) -> Self {
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        registry.register_collector(Box::new(Present {
            repositories,
            uploads,
            max_uploads,
            connections: metrics.counted.connections.clone(),
        }));
        Self { registry }
    }

    /// Writes everything. How long the text is does not depend on what clients sent.
    ///
    /// # Errors
    /// Only if a metric cannot be written at all.
    ///
    /// # Cost
    /// Grows with the repositories in memory, and reads `/proc`: not for an async thread.
    pub(crate) fn write(&self, format: Format) -> Result<String, fmt::Error> {
        let mut written = String::new();
        prometheus_client::encoding::text::encode(&mut written, &self.registry)?;
        let written = text::with_summaries(&written);
        Ok(match format {
            Format::Text => text::classic(&written),
            Format::OpenMetrics => written,
        })
    }
}

/// What is read at each scrape.
#[derive(Debug)]
struct Present {
    repositories: Arc<Repositories>,
    uploads: Arc<Semaphore>,
    max_uploads: usize,
    connections: Connections,
}

#[derive(Clone, Debug, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

impl Collector for Present {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let build = Build {
            version: env!("CARGO_PKG_VERSION"),
        };
        encoder
            .encode_descriptor(
                "chartroom_build_info",
                "1, with the version of the program.",
                None,
                MetricType::Gauge,
            )?
            .encode_family(&build)?
            .encode_gauge(&1_u64)?;
        repositories::encode(&self.repositories, &mut encoder)?;
        let free = self.uploads.available_permits();
        for (name, help, value) in [
            (
                "chartroom_uploads_in_flight",
                "Uploads that are being received or stored.",
                self.max_uploads.saturating_sub(free),
            ),
            (
                "chartroom_uploads_limit",
                "How many uploads there may be at once.",
                self.max_uploads,
            ),
            (
                "chartroom_connections",
                "Open connections.",
                self.connections.open.len(),
            ),
            (
                "chartroom_connections_limit",
                "How many connections there may be at once.",
                self.connections.limit,
            ),
        ] {
            gauge(&mut encoder, name, help, &value)?;
        }
        process::encode(&mut encoder)
    }
}

/// Writes a gauge without labels.
pub(super) fn gauge<V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: &V,
) -> fmt::Result {
    encoder
        .encode_descriptor(name, help, None, MetricType::Gauge)?
        .encode_gauge(value)
}
