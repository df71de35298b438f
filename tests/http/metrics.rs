//! `/metrics`: what is counted, and that clients cannot make it grow.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use bytes::Bytes;
use chartroom::http::settings::{ContextPath, Depth, Settings};
use chartroom::server::{self, Stop};
use chartroom_storage::Timeouts;
use chartroom_storage::testing::Faulty;
use futures_util::{FutureExt, stream};
use object_store::memory::InMemory;
use rand::RngExt;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::auth::{Scheme, auth};
use crate::scrape::Scrape;
use crate::support::{TestServer, chart};

async fn with(change: impl FnOnce(&mut Settings)) -> TestServer {
    let on = |settings: &mut Settings| {
        settings.metrics = true;
        change(settings);
    };
    TestServer::builder().settings(on).build().await
}

pub(crate) async fn server() -> TestServer {
    with(|_| {}).await
}

/// A bit of everything.
pub(crate) async fn traffic(server: &TestServer) {
    for (status, reply) in [
        (201, server.post("/api/charts", chart("one", "1.0.0")).await),
        (409, server.post("/api/charts", chart("one", "1.0.0")).await),
        (201, server.post("/api/charts", chart("one", "2.0.0")).await),
        (201, server.post("/api/charts", chart("two", "1.0.0")).await),
        (200, server.get("/index.yaml").await),
        (200, server.get("/charts/one-1.0.0.tgz").await),
        (200, server.get("/api/charts/one/1.0.0").await),
        (404, server.get("/api/charts/none").await),
        (404, server.get("/nothing").await),
        (405, server.request(Method::PUT, "/index.yaml", &[]).await),
        (
            200,
            server
                .request(Method::DELETE, "/api/charts/two/1.0.0", &[])
                .await,
        ),
    ] {
        assert_eq!(reply.status, status, "{reply}");
    }
}

#[tokio::test]
async fn metrics_are_served_if_they_are_enabled_and_not_below_the_context_path() {
    assert_eq!(TestServer::start().await.get("/metrics").await.status, 404);
    let server = with(|settings| {
        settings.context_path = ContextPath::parse("/ctx").unwrap();
        settings.depth = Depth::Dynamic;
    })
    .await;
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status, 200);
    let text = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(reply.header("content-type"), text);
    assert_eq!(server.get("/ctx/metrics").await.status, 404);
    let head = server.request(Method::HEAD, "/metrics", &[]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    let wrong = server.request(Method::POST, "/metrics", &[]).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.header("allow")),
        (405, "GET, HEAD")
    );
}

#[tokio::test]
async fn openmetrics_is_sent_to_those_who_take_nothing_else() {
    let server = server().await;
    let accept = [("accept", "application/openmetrics-text")];
    let reply = server.request(Method::GET, "/metrics", &accept).await;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(reply.header("content-type"), media_type);
    assert!(reply.text().ends_with("# EOF\n"));
    assert!(
        reply
            .text()
            .contains("# TYPE chartroom_uploads_refused counter\n")
    );
    assert!(
        reply
            .text()
            .contains("# TYPE chartmuseum_request_size_bytes summary\n")
    );
}

#[tokio::test]
async fn the_series_of_chartmuseum_are_called_as_they_were() {
    let server = server().await;
    traffic(&server).await;
    let reply = server.get("/metrics").await;
    let mut lines: Vec<&str> = reply
        .text()
        .lines()
        .filter(|line| line.contains("chartmuseum_"))
        // How long something took and how large it was differ from run to run.
        .filter(|line| !line.contains("_bucket{") && !line.contains("_sum"))
        .collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    # HELP chartmuseum_chart_versions_served_total Current number of chart versions served
    # HELP chartmuseum_charts_served_total Current number of charts served
    # HELP chartmuseum_request_duration_seconds The HTTP request latencies in seconds.
    # HELP chartmuseum_request_size_bytes The HTTP request sizes in bytes.
    # HELP chartmuseum_requests_total How many HTTP requests processed, partitioned by status code and HTTP method.
    # HELP chartmuseum_response_size_bytes The HTTP response sizes in bytes.
    # HELP chartroom_requests_not_found_total Requests answered 404 or 405, which chartmuseum_requests_total leaves out.
    # TYPE chartmuseum_chart_versions_served_total gauge
    # TYPE chartmuseum_charts_served_total gauge
    # TYPE chartmuseum_request_duration_seconds histogram
    # TYPE chartmuseum_request_size_bytes summary
    # TYPE chartmuseum_requests_total counter
    # TYPE chartmuseum_response_size_bytes summary
    chartmuseum_chart_versions_served_total{repo=""} 2
    chartmuseum_charts_served_total{repo=""} 1
    chartmuseum_request_duration_seconds_count{code="200",method="DELETE",url="/api/charts/:name/:version"} 1
    chartmuseum_request_duration_seconds_count{code="200",method="GET",url="/api/charts/:name/:version"} 1
    chartmuseum_request_duration_seconds_count{code="200",method="GET",url="/charts/:filename"} 1
    chartmuseum_request_duration_seconds_count{code="200",method="GET",url="/index.yaml"} 1
    chartmuseum_request_duration_seconds_count{code="201",method="POST",url="/api/charts"} 3
    chartmuseum_request_duration_seconds_count{code="409",method="POST",url="/api/charts"} 1
    chartmuseum_request_size_bytes_count 8
    chartmuseum_requests_total{code="200",method="DELETE",handler="helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm",host="127.0.0.1:8879",url="/api/charts/:name/:version"} 1
    chartmuseum_requests_total{code="200",method="GET",handler="helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm",host="127.0.0.1:8879",url="/api/charts/:name/:version"} 1
    chartmuseum_requests_total{code="200",method="GET",handler="helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm",host="127.0.0.1:8879",url="/charts/:filename"} 1
    chartmuseum_requests_total{code="200",method="GET",handler="helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm",host="127.0.0.1:8879",url="/index.yaml"} 1
    chartmuseum_requests_total{code="201",method="POST",handler="helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm",host="127.0.0.1:8879",url="/api/charts"} 3
    chartmuseum_requests_total{code="409",method="POST",handler="helm.sh/chartmuseum/pkg/chartmuseum/router.(*Router).rootHandler-fm",host="127.0.0.1:8879",url="/api/charts"} 1
    chartmuseum_response_size_bytes_count 8
    "#);
    let buckets: Vec<String> = Scrape::parse(reply.text())
        .samples
        .into_iter()
        .filter(|sample| sample.name == "chartmuseum_request_duration_seconds_bucket")
        .filter(|sample| sample.labels["url"] == "/index.yaml")
        .map(|sample| sample.labels["le"].clone())
        .collect();
    let expected = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf";
    assert_eq!(buckets.join(" "), expected);
}

#[tokio::test]
async fn what_happens_to_the_log_and_the_store_is_counted() {
    let server = server().await;
    traffic(&server).await;
    let before = Scrape::of(&server).await;
    let total = |scrape: &Scrape, name: &str, label: (&str, &str)| {
        let name = format!("chartroom_{name}_total");
        scrape.value(&name, &[label]).unwrap()
    };
    // Three uploads and, for the deletion, one before and one after it.
    let won = ("result", "won");
    assert_eq!(total(&before, "log_appends", won).to_string(), "5");
    assert_eq!(before.value("chartroom_log_changes_total", &[]), Some(5.0));
    assert!(total(&before, "log_catch_ups", ("result", "current")) >= 1.0);
    assert_eq!(before.value("chartroom_index_generation", &[]), Some(5.0));
    assert_eq!(
        before.value("chartroom_repositories_loaded", &[]),
        Some(1.0)
    );
    let index = server.get("/index.yaml").await.body.len();
    let yaml = before.value("chartroom_index_bytes", &[("format", "yaml")]);
    assert_eq!(yaml.unwrap().to_string(), index.to_string());

    let key = |text: &str| chartroom_storage::Key::parse(text).unwrap();
    let store = &server.store;
    store.delete(&key("one-1.0.0.tgz")).await.unwrap();
    let by_hand = Bytes::from(chart("three", "1.0.0"));
    store
        .create(&key("three-1.0.0.tgz"), by_hand)
        .await
        .unwrap();
    let broken = Bytes::from_static(b"x");
    store
        .create(&key("broken-1.0.0.tgz"), broken)
        .await
        .unwrap();
    let path = chartroom_storage::RepositoryPath::root();
    server
        .repositories
        .loaded(&path)
        .unwrap()
        .refresh()
        .await
        .unwrap();
    let after = Scrape::of(&server).await;
    for (change, count) in [("entered", "1"), ("dropped", "1"), ("finished", "0")] {
        let entries = total(&after, "refresh_entries", ("change", change));
        assert_eq!(entries.to_string(), count, "{change}");
    }
    let refreshes = |scrape: &Scrape| {
        let name = "chartroom_refresh_duration_seconds_count";
        scrape.value(name, &[("result", "ok")]).unwrap()
    };
    assert_eq!((refreshes(&after) - refreshes(&before)).to_string(), "1");
    assert_eq!(after.value("chartroom_unreadable_archives", &[]), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn requests_to_a_store_that_fails_are_counted_as_what_they_are() {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let server = TestServer::builder()
        .store(faulty.store(Timeouts::default()))
        .settings(|settings| settings.metrics = true)
        .build()
        .await;
    let total = async |operation, result| {
        let labels = [("operation", operation), ("result", result)];
        let scrape = Scrape::of(&server).await;
        scrape.value("chartroom_store_operations_total", &labels)
    };
    assert_eq!(total("create", "unavailable").await, Some(0.0));
    let created = total("create", "ok").await.unwrap();
    let uploaded = server.post("/api/charts", chart("one", "1.0.0")).await;
    assert_eq!(uploaded.status, 201);
    // The archive and the record.
    assert_eq!(total("create", "ok").await, Some(created + 2.0));
    faulty.partition(true);
    let failed = server.post("/api/charts", chart("two", "1.0.0")).await;
    assert_eq!(failed.status, 503);
    assert!(total("create", "unavailable").await.unwrap() >= 1.0);
    assert_eq!(server.get("/index.yaml").await.status, 503);
    assert!(total("get", "unavailable").await.unwrap() >= 1.0);
    let scrape = Scrape::of(&server).await;
    let name = "chartroom_log_catch_ups_total";
    let catch_ups = scrape.value(name, &[("result", "failed")]);
    assert!(catch_ups.unwrap() >= 1.0, "{catch_ups:?}");
    let name = "chartroom_index_staleness_seconds";
    assert!(scrape.value(name, &[]).unwrap() > 0.0);
}

#[tokio::test]
async fn nothing_that_a_client_makes_up_becomes_a_series() {
    let server = with(|settings| settings.depth = Depth::Dynamic).await;
    traffic(&server).await;
    let mut random = rand::rng();
    let mut word = || -> String {
        let letters = (0..8).map(|_| char::from(random.random_range(b'a'..=b'z')));
        letters.collect()
    };
    let everything = |server: &TestServer, words: [String; 3]| {
        let [a, b, c] = words;
        let made_up = Method::from_bytes(a.to_uppercase().as_bytes()).unwrap();
        let paths = [
            format!("/{a}"),
            format!("/{a}/index.yaml?{b}={c}"),
            format!("/{a}/{b}/charts/{c}-1.0.0.tgz"),
            format!("/api/{a}/charts?{b}"),
            format!("/api/charts/{a}/{b}"),
            format!("/api/{a}/charts/{b}/{c}"),
            format!("/{a}/health"),
            format!("/metrics?{a}"),
            "/index.yaml".to_owned(),
        ];
        let methods = [
            Method::GET,
            Method::HEAD,
            Method::DELETE,
            Method::PUT,
            made_up,
        ];
        let requests = paths.into_iter().flat_map(move |path| {
            let host = format!("{a}.example:{}", b.len());
            let headers = [
                ("host", host),
                ("user-agent", c.clone()),
                ("x-request-id", b.clone()),
            ];
            methods.clone().into_iter().map(move |method| {
                let mut request = Request::builder().method(method).uri(&path);
                for (name, value) in &headers {
                    request = request.header(*name, value);
                }
                request.body(Body::empty()).unwrap()
            })
        });
        let requests: Vec<Request<Body>> = requests.collect();
        let router = server.router.clone();
        async move {
            for request in requests {
                let response = router.clone().oneshot(request).await.unwrap();
                axum::body::to_bytes(response.into_body(), 1 << 20)
                    .await
                    .unwrap();
            }
        }
    };
    everything(&server, [word(), word(), word()]).await;
    let once = Scrape::of(&server).await;
    for _ in 0..20 {
        everything(&server, [word(), word(), word()]).await;
    }
    let often = Scrape::of(&server).await;
    assert_eq!(often.samples.len(), once.samples.len());
    let charts = "chartmuseum_charts_served_total";
    assert_eq!(often.value(charts, &[]), Some(1.0), "the root's alone");
    let unknown = [("url", "/:repo/index.yaml"), ("method", "GET")];
    let requests = often.value("chartmuseum_requests_total", &unknown);
    assert_eq!(requests, Some(21.0));
}

#[tokio::test]
async fn uploads_in_flight_and_refused_are_counted() {
    let server = with(|settings| settings.max_uploads = 1).await;
    let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post("/api/charts").body(endless).unwrap();
    let mut upload = std::pin::pin!(server.router.clone().oneshot(request));
    assert!(
        upload.as_mut().now_or_never().is_none(),
        "it waits for the body"
    );
    let refused = server.post("/api/charts", chart("one", "1.0.0")).await;
    assert_eq!(refused.status, 503);
    let scrape = Scrape::of(&server).await;
    let value = |name: &str| scrape.value(&format!("chartroom_uploads_{name}"), &[]);
    assert_eq!(value("in_flight"), Some(1.0));
    assert_eq!(value("limit"), Some(1.0));
    assert_eq!(value("refused_total"), Some(1.0));
}

#[tokio::test]
async fn a_client_that_goes_away_is_counted_with_its_route() {
    let server = server().await;
    let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post("/api/charts").body(endless).unwrap();
    let gone = server.router.clone().oneshot(request).now_or_never();
    assert!(gone.is_none());
    let scrape = Scrape::of(&server).await;
    let labels = [("code", "499"), ("url", "/api/charts")];
    let counted = scrape.value("chartmuseum_requests_total", &labels);
    assert_eq!(counted, Some(1.0));
}

#[tokio::test]
async fn a_request_without_the_right_is_counted_with_its_route() {
    let server = TestServer::builder()
        .settings(|settings| settings.metrics = true)
        .auth(auth(Scheme::Basic, false))
        .build()
        .await;
    let refused = server.get("/charts/one-1.0.0.tgz").await;
    assert_eq!(refused.status, 401);
    let scrape = Scrape::of(&server).await;
    let labels = [("code", "401"), ("url", "/charts/:filename")];
    let counted = scrape.value("chartmuseum_requests_total", &labels);
    assert_eq!(counted, Some(1.0));
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let server = server().await;
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = server::Settings {
        max_connections: 1024,
        header_timeout: Duration::from_secs(10),
        write_timeout: Duration::from_secs(10),
        drain_timeout: Duration::from_secs(10),
    };
    let stop = Stop::default();
    let tracker = server.metrics.connections();
    let serving = server::serve(
        listener,
        server.router.clone(),
        None,
        settings,
        tracker,
        stop.clone(),
    );
    let serving = tokio::spawn(serving);
    let connections = |expected: f64| {
        let server = &server;
        let wait = async move {
            loop {
                let scrape = Scrape::of(server).await;
                if scrape.value("chartroom_connections", &[]) == Some(expected) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
    };
    connections(0.0).await.unwrap();
    let clients = [
        TcpStream::connect(address).await.unwrap(),
        TcpStream::connect(address).await.unwrap(),
    ];
    connections(2.0).await.unwrap();
    drop(clients);
    connections(0.0).await.unwrap();
    stop.now.cancel();
    serving.await.unwrap();
}
