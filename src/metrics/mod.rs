//! All metrics in one place: what is counted, under which names, and how it is written.
//!
//! Names that begin with `chartmuseum_` are ChartMuseum's, with its labels, so that its dashboards and
//! alerts go on; those with `chartroom_` are ours. The values of a label are a fixed set, or bounded in
//! number: nothing that a client can choose freely (its host, its query, an unknown path or method)
//! becomes one. `process_*` are those of the Go client. `go_*` and `promhttp_*` are not taken: they tell
//! of the Go runtime and of the Go library.
//!
//! What happens is counted in [`Metrics`], which the parts of the program get as the small traits that
//! they know. What is, such as the size of an index, is read when somebody asks (`exposition`).

mod events;
pub(crate) mod exposition;
mod issuers;
mod process;
mod provenance;
mod repositories;
mod requests;
mod store;
mod summary;
mod text;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::Meter;
use tokio_util::task::TaskTracker;

use crate::repository::{Event, Events};
use crate::signature::Fault;
use events::{Appends, CatchUps, Openings, Refreshes};
pub use issuers::IssuerRequests;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use provenance::Provenance;
use requests::Requests;
pub(crate) use requests::{Request, Url};
use store::StoreRequests;

/// Everything that is counted. Copies count into the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    counted: Arc<Counted>,
    issuers: IssuerRequests,
}

#[derive(Debug)]
struct Counted {
    requests: Requests,
    openings: Openings,
    appends: Appends,
    catch_ups: CatchUps,
    refreshes: Refreshes,
    store: StoreRequests,
    audit_failures: Counter,
    provenance: Provenance,
    connections: Connections,
}

/// The connections of the listener, and how many there may be.
#[derive(Clone, Debug)]
struct Connections {
    open: TaskTracker,
    limit: usize,
}

impl Metrics {
    /// Begins to count for the server that listens at `address`.
    pub fn new(address: SocketAddr, max_connections: usize) -> Self {
        let counted = Counted {
            requests: Requests::new(&address.to_string()),
            openings: Openings::default(),
            appends: Appends::default(),
            catch_ups: CatchUps::default(),
            refreshes: Refreshes::default(),
            store: StoreRequests::default(),
            audit_failures: Counter::default(),
            provenance: Provenance::default(),
            connections: Connections {
                open: TaskTracker::new(),
                limit: max_connections,
            },
        };
        Self {
            counted: Arc::new(counted),
            issuers: IssuerRequests::default(),
        }
    }

    /// Takes over what questions to issuers are counted in: issuers are set up before the address is
    /// known.
    #[must_use]
    pub fn with_issuers(mut self, issuers: IssuerRequests) -> Self {
        self.issuers = issuers;
        self
    }

    /// Returns what the connections are to be tracked with.
    pub fn connections(&self) -> TaskTracker {
        self.counted.connections.open.clone()
    }

    /// Counts a request whose reply has ended.
    pub(crate) fn request(&self, request: &Request<'_>) {
        self.counted.requests.count(request);
    }

    /// Counts an upload that was refused because there were too many at once.
    pub(crate) fn upload_refused(&self) {
        self.counted.requests.upload_refused();
    }

    /// Counts a line of the audit log that may be missing.
    pub(crate) fn audit_failed(&self) {
        self.counted.audit_failures.inc();
    }

    /// Counts an upload whose provenance was to be verified; `None` is one that was.
    pub(crate) fn provenance(&self, fault: Option<Fault>) {
        self.counted.provenance.count(fault);
    }

    fn register(&self, registry: &mut Registry) {
        self.counted.requests.register(registry);
        self.counted.openings.register(registry);
        self.counted.appends.register(registry);
        self.counted.catch_ups.register(registry);
        self.counted.refreshes.register(registry);
        self.counted.store.register(registry);
        self.issuers.register(registry);
        registry.register(
            "chartroom_audit_failures",
            "Lines of the audit log that could not be written in time",
            self.counted.audit_failures.clone(),
        );
        self.counted.provenance.register(registry);
    }
}

impl Events for Metrics {
    fn notice(&self, event: Event) {
        match event {
            Event::Opened { took, is_ok } => self.counted.openings.count(took, is_ok),
            Event::Appended { tally, changes } => self.counted.appends.count(tally, changes),
            Event::CaughtUp(result) => self.counted.catch_ups.count(result),
            Event::Refreshed { took, refreshed } => self.counted.refreshes.count(took, refreshed),
        }
    }
}

impl Meter for Metrics {
    fn observe(&self, operation: &'static str, result: &'static str, duration: Duration) {
        self.counted.store.count(operation, result, duration);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 the last digits do not matter"
)]
fn float(number: u64) -> f64 {
    number as f64
}
