//! A client of the servers.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::corpus::Chart;
use crate::process::Process;

/// Longest wait for a reply.
const PATIENCE: Duration = Duration::from_mins(2);

/// Keeps connections open between requests.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    connections: Connections<HttpConnector, Full<Bytes>>,
}

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            connections: Connections::builder(TokioExecutor::new()).build(connector),
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Reply> {
        let exchange = async {
            let response = self.connections.request(request).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Reply {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        timeout(PATIENCE, exchange).await.context("no reply")?
    }

    pub(crate) async fn get(&self, url: &str, headers: &[(&str, &str)]) -> anyhow::Result<Reply> {
        let mut request = Request::builder().uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default())?).await
    }

    /// Uploads an archive, and returns what it is answered.
    pub(crate) async fn upload(&self, url: &str, chart: &Chart) -> anyhow::Result<Reply> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{url}/api/charts"))
            .body(Full::new(chart.bytes.clone()))?;
        self.send(request).await
    }

    /// Uploads an archive that is to be taken, and returns how long that took.
    pub(crate) async fn publish(&self, url: &str, chart: &Chart) -> anyhow::Result<Duration> {
        let begin = Instant::now();
        let reply = self.upload(url, chart).await?;
        let took = begin.elapsed();
        anyhow::ensure!(
            reply.status == StatusCode::CREATED,
            "{} was answered {}: {}",
            chart.file(),
            reply.status,
            String::from_utf8_lossy(&reply.body)
        );
        Ok(took)
    }

    /// Reads the index as browsers and scripts get it.
    pub(crate) async fn index(&self, url: &str) -> anyhow::Result<Bytes> {
        let reply = self.get(&format!("{url}/index.yaml"), &[]).await?;
        anyhow::ensure!(reply.status == StatusCode::OK, "index: {}", reply.status);
        Ok(reply.body)
    }

    /// Waits until the index has `versions` versions, and returns how long that is after the start of
    /// the process.
    pub(crate) async fn whole(
        &self,
        process: &mut Process,
        versions: usize,
    ) -> anyhow::Result<Duration> {
        let patience = Duration::from_mins(5);
        loop {
            anyhow::ensure!(process.runs(), "the server ended");
            anyhow::ensure!(process.begun.elapsed() < patience, "no whole index");
            // Nobody listens in the first moments.
            if let Ok(index) = self.index(&process.url).await {
                let took = process.begun.elapsed();
                if count(&index) >= versions {
                    return Ok(took);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Counts the versions of a YAML index.
pub(crate) fn count(index: &[u8]) -> usize {
    let mark = b"digest: ";
    index
        .split(|byte| *byte == b'\n')
        .filter(|line| line.trim_ascii_start().starts_with(mark))
        .count()
}

/// Finds out which of these charts an index lists.
pub(crate) fn missing(index: &[u8], charts: &[Chart]) -> usize {
    let text = String::from_utf8_lossy(index);
    let listed: std::collections::HashSet<&str> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- ")?.rsplit('/').next())
        .filter(|file| file.ends_with(".tgz"))
        .collect();
    charts
        .iter()
        .filter(|chart| !listed.contains(chart.file().as_str()))
        .count()
}
