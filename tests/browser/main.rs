//! The pages in a real browser.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

mod chromium;
#[path = "../support/report.rs"]
mod report;
#[path = "../http/support.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod support;
#[path = "../support/tools.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod tools;

use std::io::Read as _;
use std::time::Duration;

use chartroom::http::settings::{ContextPath, Depth};
use chartroom::server::{self, Settings, Stop};
use support::{TestServer, archive, chart};
use url::Url;

use chromium::{Chromium, Dump};

const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a port of its own.
struct Running {
    url: Url,
}

impl Running {
    async fn start(server: &TestServer) -> Self {
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let settings = Settings {
            max_connections: 64,
            header_timeout: PATIENCE,
            write_timeout: PATIENCE,
            drain_timeout: PATIENCE,
        };
        // It ends with the runtime.
        tokio::spawn(server::serve(
            listener,
            server.router.clone(),
            settings,
            Stop::default(),
        ));
        Self {
            url: url.parse().unwrap(),
        }
    }

    /// Lets the browser open a page.
    async fn open(&self, browser: &Chromium, path: &str) -> (Url, Dump) {
        let url = self.url.join(path).unwrap();
        let (browser, opened) = (browser.clone(), url.clone());
        let dump = tokio::task::spawn_blocking(move || browser.open(&opened));
        (url, dump.await.unwrap())
    }
}

/// The first link of a page, as the browser resolves it.
fn first_link(page: &Url, dump: &Dump) -> Url {
    let (_, rest) = dump.dom.split_once("<a href=\"").expect("a link");
    let (link, _) = rest.split_once('"').unwrap();
    page.join(&link.replace("&amp;", "&")).unwrap()
}

async fn download(url: Url) -> Vec<u8> {
    let task = tokio::task::spawn_blocking(move || {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut reply = agent
            .get(url.as_str())
            .call()
            .expect("the link leads somewhere");
        assert_eq!(reply.headers()["content-type"], "application/x-tar");
        let mut body = Vec::new();
        reply.body_mut().as_reader().read_to_end(&mut body).unwrap();
        body
    });
    task.await.unwrap()
}

fn browser() -> Option<Chromium> {
    let browser = Chromium::find();
    if browser.is_none() {
        tools::skip("the pages in a real browser", "chromium");
    }
    browser
}

const MARKUP: &str =
    "<b id=\"markup\">bold</b><script>document.title='taken'</script><img src=x> &amp;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_single_repository_leads_to_its_charts() {
    let Some(browser) = browser() else {
        return;
    };
    let server = TestServer::start().await;
    let hostile = archive(&format!(
        "apiVersion: v2\nname: app\nversion: 1.2.0+build.5\nappVersion: '3.1'\ndescription: '{}'\n",
        MARKUP.replace('\'', "''")
    ));
    for archive in [chart("app", "1.1.0"), hostile.clone()] {
        assert_eq!(server.post("/api/charts", archive).await.status, 201);
    }
    let running = Running::start(&server).await;
    for path in ["/", "/charts/"] {
        let (url, page) = running.open(&browser, path).await;
        let dom = &page.dom;
        assert!(dom.contains("<h1>Helm Charts Repository</h1>"), "{dom}");
        let address = url.as_str().trim_end_matches('/');
        let command = format!("helm repo add local {address}</code>");
        assert!(dom.contains(&command), "{dom}");
        assert!(dom.contains(">app-1.2.0+build.5</a>"), "{dom}");
        assert!(!dom.contains("app-1.1.0"), "{dom}");
        // The browser writes the text of its tree again: what it took for markup would be markup here.
        let text = MARKUP
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        assert!(dom.contains(&format!("<td>{text}</td>")), "{dom}");
        for element in ["<script", "<img", "<b "] {
            assert!(!dom.contains(element), "{dom}");
        }
        assert!(dom.contains("<title>Helm Repository</title>"), "{dom}");
        page.assert_nothing_was_blocked();
        let archive = first_link(&url, &page);
        assert_eq!(download(archive).await, hostile, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_click_leads_to_a_repository_and_one_more_to_its_chart() {
    let Some(browser) = browser() else {
        return;
    };
    let server = TestServer::builder()
        .settings(|settings| {
            settings.context_path = ContextPath::parse("/a/ctx").unwrap();
            settings.depth = Depth::Fixed(2);
        })
        .build()
        .await;
    let uploaded = chart("app", "1.0.0");
    let path = "/a/ctx/api/org/the%20team/charts";
    assert_eq!(server.post(path, uploaded.clone()).await.status, 201);
    let running = Running::start(&server).await;
    for root in ["/a/ctx", "/a/ctx/"] {
        let (url, list) = running.open(&browser, root).await;
        assert!(list.dom.contains(">org/the team</a>"), "{}", list.dom);
        list.assert_nothing_was_blocked();
        let repository = first_link(&url, &list);
        assert_eq!(repository.path(), "/a/ctx/org/the%20team/", "{root}");
        let (url, page) = running.open(&browser, repository.path()).await;
        let command = format!(
            "helm repo add the-team {}</code>",
            url.as_str().trim_end_matches('/')
        );
        assert!(page.dom.contains(&command), "{}", page.dom);
        let archive = first_link(&url, &page);
        assert_eq!(download(archive).await, uploaded, "{root}");
    }
}

/// Were this silent, the tests above could not fail by a policy that forbids too much.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_browser_says_what_a_policy_blocks() {
    let Some(browser) = browser() else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("page.html");
    let policy = "default-src 'none'; style-src 'sha256-AAAA'";
    let page = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"><style>p {{ color: red }}</style><p>x"
    );
    std::fs::write(&file, page).unwrap();
    let url = Url::from_file_path(&file).unwrap();
    let dump = tokio::task::spawn_blocking(move || browser.open(&url));
    let dump = dump.await.unwrap();
    assert!(dump.dom.contains("<p>x"), "{}", dump.dom);
    assert!(dump.is_something_blocked(), "{}", dump.log);
}
