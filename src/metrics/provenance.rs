//! Provenance that was verified, or was not.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::signature::Fault;

const VERIFIED: &str = "verified";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

/// Uploads whose provenance was looked at.
#[derive(Clone, Debug)]
pub(super) struct Provenance(Family<Outcome, Counter>);

impl Default for Provenance {
    /// Every series is there from the start: a rate needs the value before the first event.
    fn default() -> Self {
        let results = Family::default();
        let faults = Fault::ALL.iter().map(|fault| fault.word());
        for result in faults.chain([VERIFIED]) {
            drop(results.get_or_create(&Outcome { result }));
        }
        Self(results)
    }
}

impl Provenance {
    pub(super) fn count(&self, fault: Option<Fault>) {
        let result = fault.map_or(VERIFIED, Fault::word);
        self.0.get_or_create(&Outcome { result }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_provenance_uploads",
            "Uploads whose provenance was to be verified, by what came of it",
            self.0.clone(),
        );
    }
}
