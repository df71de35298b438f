//! The HTTP API: ChartMuseum's, and the repository that helm reads.
//!
//! [`routes`] is the one table of what is answered, `layers` the one stack around it, `error` the
//! one place that turns errors into replies. Handlers extract, make one call of the domain, and answer.
//! Nothing here knows about sockets: see [`crate::server`].

mod access_log;
mod archives;
mod body;
mod charts;
mod conditional;
mod encoding;
mod error;
mod explain;
mod extract;
mod form;
mod incoming;
mod index;
mod layers;
mod mistakes;
mod place;
mod probes;
mod reply;
mod repositories;
pub mod routes;
pub mod settings;
mod uploads;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use tokio::sync::Semaphore;

use crate::repository::Repositories;
use explain::ExplanationSlots;
use settings::Settings;

/// The peer of a connection; the server puts it into the extensions of each request.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub SocketAddr);

/// What handlers share. Each takes the part that it needs.
#[derive(Clone)]
pub(crate) struct App {
    repositories: Arc<Repositories>,
    settings: Arc<Settings>,
    upload_slots: UploadSlots,
    explanation_slots: ExplanationSlots,
}

/// The uploads that may be received at once.
#[derive(Clone)]
pub(crate) struct UploadSlots(Arc<Semaphore>);

impl FromRef<App> for Arc<Repositories> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.repositories)
    }
}

impl FromRef<App> for Arc<Settings> {
    fn from_ref(app: &App) -> Self {
        Self::clone(&app.settings)
    }
}

impl FromRef<App> for UploadSlots {
    fn from_ref(app: &App) -> Self {
        app.upload_slots.clone()
    }
}

impl FromRef<App> for ExplanationSlots {
    fn from_ref(app: &App) -> Self {
        app.explanation_slots.clone()
    }
}

/// Returns the whole API over the repositories of a store.
pub fn router(repositories: Arc<Repositories>, settings: Settings) -> Router {
    let log_health = settings.log_health;
    let app = App {
        repositories,
        upload_slots: UploadSlots(Arc::new(Semaphore::new(settings.max_uploads))),
        explanation_slots: ExplanationSlots::default(),
        settings: Arc::new(settings),
    };
    layers::around(routes::router(app), log_health)
}
