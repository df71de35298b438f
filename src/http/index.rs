//! index.yaml.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use headers::{ETag, Header};

use super::conditional::{self, Outcome, Validators};
use super::error::ApiError;
use super::extract::{AtLeast, Reading};
use super::settings::{IndexFormat, Settings};
use super::{body, encoding, reply};
use crate::index::{Body as IndexBody, Encoding, Format, etag};
use crate::repository::{RELATIVE, View};

/// `GET /index.yaml`.
pub(super) async fn index(
    Reading(repository): Reading,
    State(settings): State<Arc<Settings>>,
    AtLeast(generation): AtLeast,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let view = repository.current(generation).await?;
    let representation = Representation::choose(&settings, &headers);
    let tag = representation.entity_tag(&view)?;
    let validators = validators(&tag)?;
    let mut response = match conditional::evaluate(&headers, &validators) {
        Outcome::PreconditionFailed => return Err(ApiError::PreconditionFailed),
        Outcome::NotModified => not_modified(),
        _ => representation.whole(Arc::clone(&view)).await?,
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, reply::NO_CACHE);
    headers.insert(header::VARY, representation.vary());
    let response = reply::at_generation(response, view.generation);
    Ok(reply::for_method(&method, response))
}

fn validators(tag: &HeaderValue) -> Result<Validators, ApiError> {
    let etag = ETag::decode(&mut std::iter::once(tag));
    let etag = etag.map_err(|error| ApiError::Internal(error.into()))?;
    // No Last-Modified: several generations may be of the same second.
    Ok(Validators {
        etag,
        last_modified: None,
    })
}

fn not_modified() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// One of the forms that the index is served in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Representation {
    format: Format,
    gzip: bool,
    by_client: bool,
    /// The context path, which the index repeats for helm's cm-push; only if there is one: helm before
    /// 3.4 refuses an index with `serverInfo`.
    context_path: Option<String>,
}

impl Representation {
    /// `auto` goes by the client's name: every helm reads JSON, and those from 3.13 several times
    /// faster than YAML. Others may read `.yaml` with something that only knows plain YAML.
    fn choose(settings: &Settings, headers: &HeaderMap) -> Self {
        let setting = settings.index_format;
        let context_path = settings.context_path.as_str();
        let is_helm = headers
            .get(header::USER_AGENT)
            .is_some_and(|agent| agent.as_bytes().starts_with(b"Helm/"));
        let format = match setting {
            IndexFormat::Json => Format::Json,
            IndexFormat::Auto if is_helm => Format::Json,
            IndexFormat::Auto | IndexFormat::Yaml => Format::Yaml,
        };
        Self {
            format,
            gzip: encoding::wants_gzip(headers),
            by_client: setting == IndexFormat::Auto,
            context_path: (!context_path.is_empty()).then(|| context_path.to_owned()),
        }
    }

    fn vary(&self) -> HeaderValue {
        HeaderValue::from_static(if self.by_client {
            "User-Agent, Accept-Encoding"
        } else {
            "Accept-Encoding"
        })
    }

    fn tag(&self, view: &View) -> String {
        let encoding = if self.gzip {
            Encoding::Gzip
        } else {
            Encoding::Identity
        };
        let variant = self.variant(view);
        etag(
            &view.identity,
            view.generation,
            self.format,
            encoding,
            variant.as_deref(),
        )
    }

    /// What else the bytes depend on: replicas whose options differ must not share a tag.
    fn variant(&self, view: &View) -> Option<String> {
        match (&self.context_path, view.url_base()) {
            (None, RELATIVE) => None,
            (context_path, url_base) => {
                let context_path = context_path.as_deref().unwrap_or_default();
                Some(format!("{context_path} {url_base}"))
            }
        }
    }

    fn entity_tag(&self, view: &View) -> Result<HeaderValue, ApiError> {
        reply::header_value(&self.tag(view))
    }

    async fn whole(&self, view: Arc<View>) -> Result<Response, ApiError> {
        let rendered = self.render(view).await?;
        let mut response = Response::new(body::rendered(&rendered));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(match self.format {
                Format::Yaml => "application/x-yaml",
                Format::Json => "application/json",
            }),
        );
        headers.insert(header::CONTENT_LENGTH, rendered.len().into());
        if self.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(response)
    }

    fn body(&self, view: &View) -> IndexBody {
        view.index.body(
            self.format,
            &view.generated.fixed_offset(),
            self.context_path.as_deref(),
        )
    }

    /// Blocks that changed since they were last asked for are compressed now.
    async fn render(&self, view: Arc<View>) -> Result<IndexBody, ApiError> {
        let body = self.body(&view);
        if !self.gzip {
            return Ok(body);
        }
        if body.is_compressed() {
            return Ok(body.gzip());
        }
        let compress = move || body.gzip();
        let task = tokio::task::spawn_blocking(compress);
        task.await.map_err(|error| ApiError::Internal(error.into()))
    }
}
