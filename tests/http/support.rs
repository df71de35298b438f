//! A server over a store in memory, and charts to upload.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use chartroom::audit::AuditLog;
use chartroom::auth::Auth;
use chartroom::auth::oidc::KeyFetches;
use chartroom::chart::Digest;
use chartroom::http;
use chartroom::http::Hosts;
use chartroom::http::settings::{Depth, Settings};
use chartroom::metrics::{IssuerRequests, Metrics};
use chartroom::repository::{Options, RegistryOptions, Repositories};
use chartroom_storage::{BucketOptions, Clock, Location, Store, Timeouts};
use tower::ServiceExt;

use crate::openapi;

pub(crate) fn settings() -> Settings {
    Settings {
        max_upload_size: 1 << 20,
        max_uploads: 4,
        hosts: Hosts::Any,
        ..Settings::default()
    }
}

pub(crate) struct TestServer {
    pub(crate) router: Router,
    pub(crate) repositories: Arc<Repositories>,
    pub(crate) store: Store,
    /// Whether paths are as they are documented: one repository, and no context path.
    is_plain: bool,
    pub(crate) metrics: Metrics,
}

pub(crate) struct Builder {
    auth: Auth,
    audit: Option<AuditLog>,
    settings: Settings,
    options: RegistryOptions,
    store: Store,
}

impl TestServer {
    pub(crate) fn builder() -> Builder {
        let store = Store::open(
            &Location::Memory,
            &BucketOptions::default(),
            Timeouts::default(),
        )
        .unwrap();
        Builder {
            auth: Auth::open(),
            audit: None,
            settings: settings(),
            options: RegistryOptions {
                repository: Options {
                    freshness: Duration::ZERO,
                    ..Options::default()
                },
                ..RegistryOptions::default()
            },
            store,
        }
    }

    pub(crate) async fn start() -> Self {
        Self::builder().build().await
    }

    /// Sends a request, and holds the reply against the documentation.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let reply = Reply {
            status: head.status,
            headers: head.headers,
            body,
        };
        if self.is_plain {
            openapi::check(&method, &path, &reply);
        }
        reply
    }

    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        self.post_as(method, path, headers, Bytes::new()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.post_as(Method::POST, path, &[], body.into()).await
    }

    pub(crate) async fn post_as(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// The names of the objects that are not the log's.
    pub(crate) async fn stored(&self) -> Vec<String> {
        let objects = self.store.list().await.unwrap();
        objects
            .iter()
            .map(|object| object.key.as_str().to_owned())
            .collect()
    }
}

impl Builder {
    pub(crate) fn store(mut self, store: Store) -> Self {
        self.store = store;
        self
    }

    pub(crate) fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    pub(crate) fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    pub(crate) fn audit(mut self, log: AuditLog) -> Self {
        self.audit = Some(log);
        self
    }

    pub(crate) fn options(mut self, change: impl FnOnce(&mut RegistryOptions)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) async fn build(self) -> TestServer {
        let server = self.launch().await;
        // The first look at the files is over: nothing happens but what a test does. Polled by the
        // clock, which a test may have paused: it must be able to go on.
        while server.repositories.ready().await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server
    }

    /// Like [`Builder::build`], without waiting until it is ready.
    pub(crate) async fn launch(self) -> TestServer {
        let is_single = self.settings.depth == Depth::Fixed(0);
        let metrics = metrics();
        let mut options = self.options;
        options.repository.events = Arc::new(metrics.clone());
        let store = self.store.metered(Arc::new(metrics.clone()));
        let repositories = open(store, options, is_single).await;
        let is_plain = is_single && self.settings.context_path.as_str().is_empty();
        let router = http::router(
            Arc::clone(&repositories),
            self.settings,
            Arc::new(self.auth),
            self.audit,
            metrics.clone(),
        );
        TestServer {
            router,
            repositories,
            store: self.store,
            is_plain,
            metrics,
        }
    }
}

/// As those of a server that listens at the default address.
pub(crate) fn metrics() -> Metrics {
    let issuers = IssuerRequests::default();
    issuers.expect(&"ci".into());
    Metrics::new("127.0.0.1:8879".parse().unwrap(), 1024).with_issuers(issuers)
}

async fn open(store: Store, options: RegistryOptions, is_single: bool) -> Arc<Repositories> {
    let options = RegistryOptions {
        repository: Options {
            refresh_interval: Duration::ZERO,
            ..options.repository
        },
        is_single,
        ..options
    };
    // Follows tokio's clock, which some tests pause.
    let clock = Clock::paused(Clock::default().wall());
    Repositories::open(store, clock, options).await.unwrap()
}

/// A reply, printed without what differs from run to run.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The body, if it is a text.
    pub(crate) fn text_or_nothing(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.status.as_u16())?;
        let mut names: Vec<&str> = self
            .headers
            .keys()
            .map(axum::http::HeaderName::as_str)
            .collect();
        names.sort_unstable();
        for name in names {
            let value = self.header(name);
            let shown = match name {
                "x-request-id" | "last-modified" | "etag" => "<…>".to_owned(),
                _ => value.to_owned(),
            };
            writeln!(formatter, "{name}: {shown}")?;
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) => write!(formatter, "\n{}", steady(text)),
            Err(_) => write!(formatter, "\n<{} bytes>", self.body.len()),
        }
    }
}

/// Replaces digests and times.
pub(crate) fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_hex = |count: usize| {
            rest.len() >= count
                && rest
                    .bytes()
                    .take(count)
                    .all(|byte| byte.is_ascii_hexdigit())
        };
        if is_hex(64) {
            steady.push_str("<digest>");
            rest = &rest[64..];
        } else if rest.starts_with("20") && rest.get(10..11) == Some("T") {
            let end = rest.find('"').unwrap_or(rest.len());
            steady.push_str("<time>");
            rest = &rest[end..];
        } else {
            steady.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    steady
}

/// A chart archive with this Chart.yaml.
pub(crate) fn archive(chart_yaml: &str) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut tar = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_size(chart_yaml.len() as u64);
    header.set_mode(0o644);
    let name = "chart/Chart.yaml";
    tar.append_data(&mut header, name, chart_yaml.as_bytes())
        .unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

pub(crate) fn chart(name: &str, version: &str) -> Vec<u8> {
    let description = "One <b> & two";
    archive(&format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\ndescription: {description}\n"
    ))
}

/// The provenance file of [`chart`].
pub(crate) fn provenance(name: &str, version: &str) -> String {
    let digest = Digest::of(&chart(name, version));
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: {name}\nversion: {version}\n\n...\n\
         files:\n  {name}-{version}.tgz: sha256:{digest}\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"
    )
}
