//! The one table of routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use tower::ServiceExt;

use super::audit::Auditor;
use super::auth::{self, Access, Guard};
use super::error::ApiError;
use super::served::Routed;
use super::settings::Settings;
use super::{
    App, archives, artifact_hub, charts, contents, explain, index, layers, metrics, pages, place,
    probes, repositories, uploads,
};
use crate::auth::Auth;

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

    fn handler(self, method: MethodFilter) -> MethodRouter<App> {
        match self {
            Self::Page => on(method, pages::page),
            Self::Health => on(method, probes::health),
            Self::Ready => on(method, probes::ready),
            Self::Metrics => on(method, metrics::metrics),
            Self::Info => on(method, probes::info),
            Self::ListRepositories => on(method, repositories::list),
            Self::Index => on(method, index::index),
            Self::ArtifactHub => on(method, artifact_hub::owner),
            Self::Archive => on(method, archives::archive),
            Self::ListCharts => on(method, charts::list),
            Self::Chart => on(method, charts::chart),
            Self::Version => on(method, charts::version),
            Self::Templates => on(method, contents::templates),
            Self::Values => on(method, contents::values),
            Self::Upload => on(method, uploads::upload),
            Self::UploadProvenance => on(method, uploads::provenance),
            Self::Delete => on(method, charts::delete),
            Self::Explain => on(method, explain::explain),
        }
    }
}

/// Builds the router from the table.
pub(super) fn router(app: App, auth: &Arc<Auth>, auditor: Option<&Auditor>) -> Router {
    let settings = Arc::clone(&app.settings);
    let table: Arc<[Route]> = ROUTES
        .iter()
        .filter(|route| route.is_on(&settings))
        .cloned()
        .collect();
    let mut router = Router::new();
    for route in table.iter() {
        let Ok(filter) = MethodFilter::try_from(route.method.clone()) else {
            continue; // Only for methods that RFC 9110 does not know; a test requests every row.
        };
        let mut handler = route.endpoint.handler(filter);
        if route.endpoint.is_of_a_repository() {
            let repositories = Arc::clone(&app.repositories);
            handler = handler.layer(from_fn_with_state(repositories, layers::generation));
        }
        // Outside of the others, which tell about a repository; on a path and method of the table only.
        if route.endpoint.access() != Access::Open {
            let guard = Guard {
                auth: Arc::clone(auth),
                settings: Arc::clone(&settings),
                endpoint: route.endpoint,
                auditor: auditor.cloned(),
            };
            handler = handler.route_layer(from_fn_with_state(guard, auth::check));
        }
        router = router.route(route.pattern, handler);
    }
    let rows = Arc::clone(&table);
    let router = router
        .fallback(|| async { ApiError::NoRoute })
        .method_not_allowed_fallback(async move |path| wrong_method(&rows, &path))
        .with_state(app);
    Router::new().fallback(move |request| dispatch(router, table, settings, request))
}

/// Puts a request into its place and hands it to the router.
async fn dispatch(
    router: Router,
    table: Arc<[Route]>,
    settings: Arc<Settings>,
    mut request: Request,
) -> Response {
    let place = place::find(
        &table,
        &settings.context_path,
        settings.depth,
        request.method(),
        request.uri().path(),
    );
    let Some(place) = place else {
        return ApiError::NoRoute.into_response();
    };
    Routed::note(&request, &place, &settings.context_path);
    let Some(uri) = place::with_path(request.uri(), &place.path) else {
        return ApiError::NoRoute.into_response();
    };
    *request.uri_mut() = uri;
    request.extensions_mut().insert(place.repository);
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Answers a path of the table with a method that it does not have there.
fn wrong_method(table: &[Route], path: &MatchedPath) -> Response {
    let methods = table.iter().filter(|route| route.pattern == path.as_str());
    let allow: Vec<&str> = methods.map(|route| route.method.as_str()).collect();
    let mut response = ApiError::WrongMethod.into_response();
    if let Ok(allow) = HeaderValue::from_str(&allow.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
