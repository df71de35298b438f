//! A summary without quantiles: how many there were, and their sum.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The library has no summaries. A histogram without buckets has the same series; [`super::text`] puts
/// the right type in front of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary(Arc<Mutex<Observed>>);

#[derive(Clone, Copy, Debug, Default)]
struct Observed {
    sum: f64,
    count: u64,
}

impl Summary {
    pub(super) fn observe(&self, value: f64) {
        let mut observed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        observed.sum += value;
        observed.count += 1;
    }
}

impl EncodeMetric for Summary {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let observed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        encoder.encode_histogram::<NoLabelSet>(observed.sum, observed.count, &[], None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
