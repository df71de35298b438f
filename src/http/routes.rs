//! The one table of routes.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};

use super::auth::{self, Guard};
use super::error::ApiError;
use super::place::{self, Place, Row};
use super::served::Labels;
use super::settings::Settings;
use super::{
    Api, App, archives, artifact_hub, charts, contents, explain, index, layers, metrics, pages,
    probes, repositories, uploads,
};

/// One row: a method and a path that are answered.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{captures}` of whole segments.
    pub pattern: &'static str,
    /// What answers.
    pub endpoint: Endpoint,
}

/// What answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below shows each")]
pub enum Endpoint {
    Page,
    Health,
    Ready,
    Metrics,
    Info,
    ListRepositories,
    Index,
    ArtifactHub,
    Archive,
    ListCharts,
    Chart,
    Version,
    Templates,
    Values,
    Upload,
    UploadProvenance,
    Delete,
    Explain,
}

const fn route(method: Method, pattern: &'static str, endpoint: Endpoint) -> Route {
    Route {
        method,
        pattern,
        endpoint,
    }
}

/// Every route. A path that is not here is a 404, a method that is not here a 405. The rows of a
/// repository are below its path, those that begin with `/api` after `/api`.
/// Where several rows fit a path, the first one counts.
///
/// index.yaml says `charts/<file>`, which clients resolve against the repository's URL: with the index
/// and the archives under `/charts` too, both `/` and `/charts` (that of `helm serve`) are such URLs.
pub static ROUTES: &[Route] = &[
    route(Method::GET, "/", Endpoint::Page),
    route(Method::HEAD, "/", Endpoint::Page),
    route(Method::GET, "/charts/", Endpoint::Page),
    route(Method::HEAD, "/charts/", Endpoint::Page),
    route(Method::GET, "/health", Endpoint::Health),
    route(Method::HEAD, "/health", Endpoint::Health),
    route(Method::GET, "/ready", Endpoint::Ready),
    route(Method::HEAD, "/ready", Endpoint::Ready),
    route(Method::GET, place::METRICS, Endpoint::Metrics),
    route(Method::HEAD, place::METRICS, Endpoint::Metrics),
    route(Method::GET, "/info", Endpoint::Info),
    route(Method::HEAD, "/info", Endpoint::Info),
    route(Method::GET, "/api/repos", Endpoint::ListRepositories),
    route(Method::HEAD, "/api/repos", Endpoint::ListRepositories),
    route(Method::GET, "/index.yaml", Endpoint::Index),
    route(Method::HEAD, "/index.yaml", Endpoint::Index),
    route(Method::GET, "/charts/index.yaml", Endpoint::Index),
    route(Method::HEAD, "/charts/index.yaml", Endpoint::Index),
    route(Method::GET, "/artifacthub-repo.yml", Endpoint::ArtifactHub),
    route(Method::HEAD, "/artifacthub-repo.yml", Endpoint::ArtifactHub),
    route(Method::GET, "/charts/{file}", Endpoint::Archive),
    route(Method::HEAD, "/charts/{file}", Endpoint::Archive),
    route(Method::GET, "/charts/charts/{file}", Endpoint::Archive),
    route(Method::HEAD, "/charts/charts/{file}", Endpoint::Archive),
    route(Method::GET, "/api/charts", Endpoint::ListCharts),
    route(Method::HEAD, "/api/charts", Endpoint::ListCharts),
    route(Method::POST, "/api/charts", Endpoint::Upload),
    route(Method::POST, "/api/prov", Endpoint::UploadProvenance),
    route(Method::GET, "/api/charts/{name}", Endpoint::Chart),
    route(Method::HEAD, "/api/charts/{name}", Endpoint::Chart),
    route(
        Method::GET,
        "/api/charts/{name}/{version}",
        Endpoint::Version,
    ),
    route(
        Method::HEAD,
        "/api/charts/{name}/{version}",
        Endpoint::Version,
    ),
    route(
        Method::GET,
        "/api/charts/{name}/{version}/templates",
        Endpoint::Templates,
    ),
    route(
        Method::HEAD,
        "/api/charts/{name}/{version}/templates",
        Endpoint::Templates,
    ),
    route(
        Method::GET,
        "/api/charts/{name}/{version}/values",
        Endpoint::Values,
    ),
    route(
        Method::HEAD,
        "/api/charts/{name}/{version}/values",
        Endpoint::Values,
    ),
    route(
        Method::DELETE,
        "/api/charts/{name}/{version}",
        Endpoint::Delete,
    ),
    // After those of the charts: the charts of a repository called `explain` keep their paths.
    route(
        Method::GET,
        "/api/explain/{name}/{version}",
        Endpoint::Explain,
    ),
    route(
        Method::HEAD,
        "/api/explain/{name}/{version}",
        Endpoint::Explain,
    ),
];

impl Route {
    /// Tells whether it is one of ChartMuseum's API, which can be switched off.
    pub(super) fn is_of_api(&self) -> bool {
        self.pattern.starts_with("/api/")
    }

    /// Tells whether the settings leave it on.
    fn is_on(&self, settings: &Settings) -> bool {
        match self.endpoint {
            Endpoint::Delete => settings.api && settings.delete,
            Endpoint::Metrics => settings.metrics,
            _ => settings.api || !self.is_of_api(),
        }
    }
}

impl Endpoint {
    /// Tells whether it is about a repository, and not about the server.
    pub(super) fn is_of_a_repository(self) -> bool {
        !matches!(
            self,
            Self::Health | Self::Ready | Self::Metrics | Self::Info | Self::ListRepositories
        )
    }

    /// Hands a request to the handler, which takes out of it what it needs.
    fn answer(self, request: Request, app: App) -> Answer {
        match self {
            Self::Page => pages::page.call(request, app),
            Self::Health => probes::health.call(request, app),
            Self::Ready => probes::ready.call(request, app),
            Self::Metrics => metrics::metrics.call(request, app),
            Self::Info => probes::info.call(request, app),
            Self::ListRepositories => repositories::list.call(request, app),
            Self::Index => index::index.call(request, app),
            Self::ArtifactHub => artifact_hub::owner.call(request, app),
            Self::Archive => archives::archive.call(request, app),
            Self::ListCharts => charts::list.call(request, app),
            Self::Chart => charts::chart.call(request, app),
            Self::Version => charts::version.call(request, app),
            Self::Templates => contents::templates.call(request, app),
            Self::Values => contents::values.call(request, app),
            Self::Upload => uploads::upload.call(request, app),
            Self::UploadProvenance => uploads::provenance.call(request, app),
            Self::Delete => charts::delete.call(request, app),
            Self::Explain => explain::explain.call(request, app),
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The rows that are on, and how each is called where requests are counted.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Row>,
    labels: Vec<Labels>,
}

impl Table {
    pub(super) fn new(settings: &Settings) -> Self {
        let routes = ROUTES.iter().filter(|route| route.is_on(settings));
        let rows: Vec<Row> = routes.map(Row::from).collect();
        let labels = rows
            .iter()
            .map(|row| Labels::new(&row.route, &settings.context_path))
            .collect();
        Self { rows, labels }
    }

    /// Says what a request is for.
    fn note(&self, request: &Request, place: &Place) {
        if let Some(labels) = self.labels.get(place.row) {
            labels.note(request, place.repository.is_root());
        }
    }
}

/// Puts a request into its place, and hands it to what answers there.
pub(super) async fn dispatch(api: &Api, mut request: Request) -> Response {
    let Api {
        app,
        admission,
        table,
        auth,
        auditor,
        ..
    } = api;
    let settings = &app.shared.settings;
    let place = place::find(
        &table.rows,
        &settings.context_path,
        settings.depth,
        request.method(),
        request.uri().path(),
    );
    // Also of a request that is not let in it is told what it was for.
    if let Some(place) = &place {
        table.note(&request, place);
    }
    if let Err(refusal) = admission.check(&request, place.as_ref().map(|place| place.endpoint)) {
        return ApiError::from(refusal).into_response();
    }
    let Some(place) = place else {
        return ApiError::NoRoute.into_response();
    };
    let endpoint = place.endpoint;
    let place = Arc::new(place);
    request.extensions_mut().insert(Arc::clone(&place));
    let here: &Place = &place;
    if !here.has_method {
        return wrong_method(&table.rows, here.pattern);
    }
    let answer = move |request| endpoint.answer(request, app.clone());
    let told = move |request| async move {
        if endpoint.is_of_a_repository() {
            let repositories = &app.shared.repositories;
            layers::generation(repositories, &here.repository, request, answer).await
        } else {
            answer(request).await
        }
    };
    // Outside of what tells about a repository; on a path and method of the table only.
    let guard = Guard {
        auth,
        settings,
        endpoint,
        auditor: auditor.as_ref(),
    };
    auth::check(guard, &here.repository, request, told).await
}

/// Answers a path of the table with a method that it does not have there.
fn wrong_method(rows: &[Row], pattern: &str) -> Response {
    let rows = rows.iter().filter(|row| row.route.pattern == pattern);
    let allow: Vec<&str> = rows.map(|row| row.route.method.as_str()).collect();
    let mut response = ApiError::WrongMethod.into_response();
    if let Ok(allow) = HeaderValue::from_str(&allow.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
