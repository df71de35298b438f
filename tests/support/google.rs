//! What Google answers and fake-gcs-server does not: a translating proxy in front of it.
//!
//! The emulator has no upload by the XML API and answers what is missing in a form of its own. All
//! else goes through as it is.

use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;

/// Larger than any body of a test.
const LIMIT: usize = 64 * 1024 * 1024;

/// The proxy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Google {
    address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Emulator {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Google {
    /// Starts in front of the emulator at `url`.
    pub(crate) async fn start(url: &str) -> Self {
        let emulator = Emulator {
            url: url.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let router = axum::Router::new().fallback(translate).with_state(emulator);
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { address, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Google {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn translate(State(emulator): State<Emulator>, request: Request) -> Response {
    let answer = match request.method() {
        &Method::PUT => emulator.upload(request).await,
        _ => emulator.pass(request).await,
    };
    answer.unwrap_or_else(|error| {
        (
            StatusCode::BAD_GATEWAY,
            format!("the proxy failed: {error}"),
        )
            .into_response()
    })
}

impl Emulator {
    /// Makes an upload by the XML API one by the JSON API.
    async fn upload(&self, request: Request) -> Result<Response, Failed> {
        let (parts, body) = request.into_parts();
        let (bucket, name) = split(&parts.uri);
        let mut uri = format!(
            "{}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}",
            self.url
        );
        if let Some(generation) = parts.headers.get("x-goog-if-generation-match") {
            uri.push_str("&ifGenerationMatch=");
            uri.push_str(generation.to_str()?);
        }
        let body = axum::body::to_bytes(body, LIMIT).await?;
        let upload = http::Request::post(uri)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(Full::new(body))?;
        let answer = self.client.request(upload).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if status == StatusCode::PRECONDITION_FAILED {
            return Ok(refuse(status, "PreconditionFailed"));
        }
        if status == StatusCode::NOT_FOUND {
            return Ok(refuse(status, "NoSuchBucket"));
        }
        if !status.is_success() {
            return Ok((status, body).into_response());
        }
        let object: serde_json::Value = serde_json::from_slice(&body)?;
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        let headers = [
            ("etag", format!("\"{}\"", text("etag"))),
            ("x-goog-generation", text("generation")),
        ];
        Ok((status, headers).into_response())
    }

    async fn pass(&self, request: Request) -> Result<Response, Failed> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut passed = http::Request::builder()
            .method(parts.method)
            .uri(format!("{}{path}", self.url));
        if let Some(headers) = passed.headers_mut() {
            *headers = without_host(parts.headers);
        }
        let body = axum::body::to_bytes(body, LIMIT).await?;
        let answer = self.client.request(passed.body(Full::new(body))?).await?;
        let missing = [StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR];
        if missing.contains(&answer.status()) && !path.starts_with("/storage/") {
            let (bucket, _) = split(&parts.uri);
            return Ok(if !self.has_bucket(bucket).await? {
                refuse(StatusCode::NOT_FOUND, "NoSuchBucket")
            } else if answer.status() == StatusCode::NOT_FOUND {
                refuse(StatusCode::NOT_FOUND, "NoSuchKey")
            } else {
                answer.map(Body::new)
            });
        }
        Ok(answer.map(Body::new))
    }

    async fn has_bucket(&self, bucket: &str) -> Result<bool, Failed> {
        let uri = format!("{}/storage/v1/b/{bucket}", self.url);
        let answer = self.client.get(uri.parse()?).await?;
        Ok(answer.status().is_success())
    }
}

fn without_host(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(header::HOST);
    headers
}

/// Returns the bucket and the object's name, as they are written: percent-encoded.
fn split(uri: &Uri) -> (&str, &str) {
    let path = uri.path().trim_start_matches('/');
    path.split_once('/').unwrap_or((path, ""))
}

fn refuse(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}
