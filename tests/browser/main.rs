//! The pages in a real browser.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

#[path = "../support/archive_builder.rs"]
mod archive_builder;
#[path = "../support/binary.rs"]
mod binary;
mod chromium;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod server;
#[path = "../support/tools.rs"]
#[allow(dead_code, reason = "no test needs everything")]
mod tools;

use std::io::Read as _;
use std::time::Duration;

use tempfile::TempDir;
use url::Url;

use archive_builder::ArchiveBuilder;
use chromium::{Chromium, Dump};
use server::{Server, agent};

const PATIENCE: Duration = Duration::from_mins(1);

/// A server over an empty directory.
struct Running {
    server: Server,
    _scratch: TempDir,
}

impl Running {
    fn start(options: &[&str]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("charts");
        std::fs::create_dir(&directory).unwrap();
        let server = Server::start(&directory, options, &scratch.path().join("log"));
        Self {
            server,
            _scratch: scratch,
        }
    }

    fn upload(&self, path: &str, archive: &[u8]) {
        let url = format!("{}{path}", self.server.url());
        let reply = agent(PATIENCE).post(url).send(archive).unwrap();
        assert_eq!(reply.status(), 201);
    }

    /// Lets the browser open a page.
    fn open(&self, browser: &Chromium, path: &str) -> (Url, Dump) {
        let url = Url::parse(self.server.url()).unwrap().join(path).unwrap();
        let dump = browser.open(&url);
        (url, dump)
    }
}

/// The first link of a page, as the browser resolves it.
fn first_link(page: &Url, dump: &Dump) -> Url {
    let (_, rest) = dump.dom.split_once("<a href=\"").expect("a link");
    let (link, _) = rest.split_once('"').unwrap();
    page.join(&link.replace("&amp;", "&")).unwrap()
}

fn download(url: &Url) -> Vec<u8> {
    let mut reply = agent(PATIENCE).get(url.as_str()).call().unwrap();
    assert_eq!(reply.status(), 200, "{url}");
    assert_eq!(reply.headers()["content-type"], "application/x-tar");
    let mut body = Vec::new();
    reply.body_mut().as_reader().read_to_end(&mut body).unwrap();
    body
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

#[test]
fn the_page_of_a_single_repository_leads_to_its_charts() {
    let Some(browser) = browser() else {
        return;
    };
    let running = Running::start(&[]);
    let hostile = ArchiveBuilder::new()
        .file(
            "app/Chart.yaml",
            format!(
                "apiVersion: v2\nname: app\nversion: 1.2.0+build.5\ndescription: '{}'\n",
                MARKUP.replace('\'', "''")
            ),
        )
        .tgz();
    running.upload("/api/charts", &ArchiveBuilder::chart("app", "1.1.0").tgz());
    running.upload("/api/charts", &hostile);
    for path in ["/", "/charts/"] {
        let (url, page) = running.open(&browser, path);
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
        assert_eq!(download(&archive), hostile, "{path}");
    }
}

#[test]
fn one_click_leads_to_a_repository_and_one_more_to_its_chart() {
    let Some(browser) = browser() else {
        return;
    };
    let running = Running::start(&["--context-path", "/a/ctx", "--depth", "2"]);
    let uploaded = ArchiveBuilder::chart("app", "1.0.0").tgz();
    running.upload("/a/ctx/api/org/the%20team/charts", &uploaded);
    for root in ["/a/ctx", "/a/ctx/"] {
        let (url, list) = running.open(&browser, root);
        assert!(list.dom.contains(">org/the team</a>"), "{}", list.dom);
        list.assert_nothing_was_blocked();
        let repository = first_link(&url, &list);
        assert_eq!(repository.path(), "/a/ctx/org/the%20team/", "{root}");
        let (url, page) = running.open(&browser, repository.path());
        let command = format!(
            "helm repo add the-team {}</code>",
            url.as_str().trim_end_matches('/')
        );
        assert!(page.dom.contains(&command), "{}", page.dom);
        let archive = first_link(&url, &page);
        assert_eq!(download(&archive), uploaded, "{root}");
    }
}

/// Were this silent, the tests above could not fail by a policy that forbids too much.
#[test]
fn the_browser_says_what_a_policy_blocks() {
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
    let dump = browser.open(&url);
    assert!(dump.dom.contains("<p>x"), "{}", dump.dom);
    assert!(dump.is_something_blocked(), "{}", dump.log);
}
