//! Questions to the issuers of tokens.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::auth::oidc::KeyFetches;

/// A name is one of the few that are configured, and nothing that a token says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    issuer: String,
    result: &'static str,
}

/// Questions for the keys of issuers. Copies count into the same.
#[derive(Clone, Debug, Default)]
pub struct IssuerRequests(Family<Asked, Counter>);

impl IssuerRequests {
    fn counter(&self, issuer: &str, result: &'static str) -> Counter {
        let issuer = issuer.to_owned();
        self.0.get_or_create(&Asked { issuer, result }).clone()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "chartroom_issuer_key_requests",
            "Attempts to get the keys of an issuer of tokens",
            self.0.clone(),
        );
    }
}

impl KeyFetches for IssuerRequests {
    /// Every series is there from the start: a rate needs the value before the first failure.
    fn expect(&self, issuer: &Arc<str>) {
        for result in ["ok", "failed"] {
            drop(self.counter(issuer, result));
        }
    }

    fn fetched(&self, issuer: &Arc<str>, is_ok: bool) {
        let result = if is_ok { "ok" } else { "failed" };
        self.counter(issuer, result).inc();
    }
}
