//! Many clients that upload at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

/// What came of a block of uploads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) took: Duration,
    pub(crate) acknowledged: usize,
    pub(crate) refused: usize,
}

pub(crate) type Http = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn client() -> Http {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Uploads all archives once, each by the next client that is free, half of the clients by each
/// replica.
pub(crate) async fn upload(
    http: &Http,
    replicas: &[String],
    archives: Vec<Bytes>,
    clients: usize,
) -> Figures {
    let archives = Arc::new(archives);
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    let begin = Instant::now();
    for number in 0..clients {
        let url = format!("{}/api/charts", replicas[number % replicas.len()]);
        let (http, archives, next) = (http.clone(), Arc::clone(&archives), Arc::clone(&next));
        running.spawn(async move {
            let mut counts = [0, 0];
            while let Some(archive) = archives.get(next.fetch_add(1, Ordering::Relaxed)) {
                let created = send(&http, &url, archive.clone()).await == Some(StatusCode::CREATED);
                counts[usize::from(created)] += 1;
            }
            counts
        });
    }
    let counts = running.join_all().await;
    Figures {
        took: begin.elapsed(),
        acknowledged: counts.iter().map(|[_, created]| created).sum(),
        refused: counts.iter().map(|[refused, _]| refused).sum(),
    }
}

/// Returns what an upload is answered; nothing if nobody answers.
async fn send(http: &Http, url: &str, archive: Bytes) -> Option<StatusCode> {
    let request = Request::builder().method(Method::POST).uri(url);
    let request = request.body(Full::new(archive)).expect("a request");
    let response = http.request(request).await.ok()?;
    let status = response.status();
    // The connection is used again only after the body was read.
    response.into_body().collect().await.ok()?;
    Some(status)
}

/// Reads a path, whatever it answers; nothing if nobody answers.
pub(crate) async fn get(http: &Http, url: &str) -> Option<(StatusCode, Bytes)> {
    let request = Request::builder().uri(url).body(Full::default());
    let response = http.request(request.expect("a request")).await.ok()?;
    let status = response.status();
    let body = response.into_body().collect().await.ok()?;
    Some((status, body.to_bytes()))
}
