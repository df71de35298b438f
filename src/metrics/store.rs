//! Requests to the store.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// From a file in the system's cache to a request that runs into its deadline.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0,
];

/// What the meter of the store tells.
const OPERATIONS: [&str; 6] = ["create", "put", "get", "head", "list", "delete"];
const RESULTS: [&str; 9] = [
    "ok",
    "not_found",
    "exists",
    "denied",
    "unavailable",
    "timeout",
    "unsupported",
    "corrupt",
    "cancelled",
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct StoreRequests {
    results: Family<Ended, Counter>,
    durations: Family<Operation, Histogram, fn() -> Histogram>,
}

impl Default for StoreRequests {
    /// Every series is there from the start: a rate needs the value before the first failure.
    fn default() -> Self {
        let results = Family::default();
        let durations =
            Family::<_, _, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        for operation in OPERATIONS {
            drop(durations.get_or_create(&Operation { operation }));
            for result in RESULTS {
                drop(results.get_or_create(&Ended { operation, result }));
            }
        }
        Self { results, durations }
    }
}

impl StoreRequests {
    pub(super) fn count(&self, operation: &'static str, result: &'static str, took: Duration) {
        self.results
            .get_or_create(&Ended { operation, result })
            .inc();
        self.durations
            .get_or_create(&Operation { operation })
            .observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_store_operations",
            "Requests to the store",
            self.results.clone(),
        );
        registry.register(
            "chartroom_store_operation_duration_seconds",
            "How long requests to the store took, reads until their body begins",
            self.durations.clone(),
        );
    }
}
