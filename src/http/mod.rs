//! The HTTP API: ChartMuseum's, and the repository that helm reads.
//!
//! [`routes`] is the one table of what is answered, `layers` the one stack around it, `error` the
//! one place that turns errors into replies. Handlers extract, make one call of the domain, and answer.
//! Nothing here knows about sockets: see [`crate::server`].

mod access_log;
mod admission;
mod archives;
mod artifact_hub;
mod audit;
pub mod auth;
mod body;
mod charts;
mod client;
mod conditional;
mod contents;
mod cors;
mod encoding;
mod error;
mod explain;
mod extract;
mod form;
mod forwarded;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hosts;
mod incoming;
mod index;
mod layers;
mod metrics;
mod mistakes;
mod origin;
mod pages;
mod place;
mod probes;
mod provenance;
mod rate;
mod reply;
mod reply_room;
mod repositories;
pub mod routes;
mod served;
pub mod settings;
mod uploads;

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::response::Response;
use chartroom_storage::Clock;
use tokio::sync::Semaphore;
use tower::{Service, service_fn};

use crate::audit::AuditLog;
use crate::auth::Auth;
use crate::metrics::Metrics;
use crate::metrics::exposition::Exposition;
use crate::repository::Repositories;
use admission::Admission;
use audit::Auditor;
pub use client::Client;
use cors::Cors;
pub use forwarded::TrustedProxies;
pub use hosts::Hosts;
use reply_room::ReplyRoom;
use routes::Table;
use served::Observers;
use settings::Settings;

/// What handlers share. Each takes the part that it needs.
#[derive(Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
}

struct Shared {
    repositories: Arc<Repositories>,
    settings: Arc<Settings>,
    upload_slots: UploadSlots,
    look_slots: LookSlots,
    reply_room: ReplyRoom,
    read_slots: ReadSlots,
    exposition: Arc<Exposition>,
}

/// The uploads that may be received at once, and where refusals are counted.
#[derive(Clone)]
pub(crate) struct UploadSlots {
    free: Arc<Semaphore>,
    metrics: Metrics,
}

impl FromRef<App> for Arc<Repositories> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.shared.repositories)
    }
}

impl FromRef<App> for Arc<Settings> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.shared.settings)
    }
}

/// The archives that may be looked into, and the versions explained, at once.
#[derive(Clone)]
pub(crate) struct LookSlots(Arc<Semaphore>);

const LOOKS: usize = 4;

/// The archives of uploads that are read at once, as many as there are processors: more would not be
/// faster, and each may take a hundred times the memory of its YAML.
#[derive(Clone)]
pub(crate) struct ReadSlots(Arc<Semaphore>);

impl Default for ReadSlots {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(processors)))
    }
}

impl FromRef<App> for ReadSlots {
    fn from_ref(app: &App) -> Self {
        app.shared.read_slots.clone()
    }
}

impl FromRef<App> for LookSlots {
    fn from_ref(app: &App) -> Self {
        app.shared.look_slots.clone()
    }
}

impl FromRef<App> for ReplyRoom {
    fn from_ref(app: &App) -> Self {
        app.shared.reply_room.clone()
    }
}

impl FromRef<App> for UploadSlots {
    fn from_ref(app: &App) -> Self {
        app.shared.upload_slots.clone()
    }
}

impl FromRef<App> for Arc<Exposition> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.shared.exposition)
    }
}

/// Returns the whole API as a router.
pub fn router(
    repositories: Arc<Repositories>,
    settings: Settings,
    auth: Arc<Auth>,
    audit: Option<AuditLog>,
    metrics: Metrics,
) -> Router {
    Router::new().fallback_service(service(repositories, settings, auth, audit, metrics))
}

/// Returns the whole API over the repositories of a store, for those whom `auth` lets in. Unlike a
/// router it takes no box for each request.
pub fn service(
    repositories: Arc<Repositories>,
    settings: Settings,
    auth: Arc<Auth>,
    audit: Option<AuditLog>,
    metrics: Metrics,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    let free = Arc::new(Semaphore::new(settings.max_uploads));
    let exposition = Exposition::new(
        &metrics,
        Arc::clone(&repositories),
        Arc::clone(&free),
        settings.max_uploads,
    );
    let observers = Observers::new(&settings, metrics.clone());
    let auditor = audit.map(|log| Auditor::new(log, Clock::default(), metrics.clone()));
    let api = Arc::new(Api {
        admission: Admission::from(&settings),
        cors: Cors::from(&settings),
        table: Table::new(&settings),
        auth,
        auditor,
        observers: Arc::new(observers),
        app: App {
            shared: Arc::new(Shared {
                repositories,
                upload_slots: UploadSlots { free, metrics },
                look_slots: LookSlots(Arc::new(Semaphore::new(LOOKS))),
                reply_room: ReplyRoom::default(),
                read_slots: ReadSlots::default(),
                exposition: Arc::new(exposition),
                settings: Arc::new(settings),
            }),
        },
    });
    service_fn(move |request| {
        let api = Arc::clone(&api);
        async move { Ok(api.answer(request).await) }
    })
}

/// All that answers requests.
struct Api {
    app: App,
    admission: Admission,
    table: Table,
    auth: Arc<Auth>,
    auditor: Option<Auditor>,
    cors: Cors,
    observers: Arc<Observers>,
}

impl Api {
    async fn answer(&self, request: Request) -> Response {
        let answer = |request| routes::dispatch(self, request);
        layers::around(&self.cors, &self.observers, request, answer).await
    }
}
