use std::sync::Arc;

use chrono::DateTime;

use super::*;
use crate::chart::Metadata;
use crate::index::{Entry, Index};

fn entry(name: &str, version: &str) -> Entry {
    Entry {
        metadata: Metadata {
            name: name.to_owned(),
            version: version.to_owned(),
            ..Metadata::default()
        },
        urls: vec![format!("charts/{name}-{version}.tgz")],
        created: DateTime::UNIX_EPOCH.fixed_offset(),
        digest: String::new(),
        removed: false,
        checksum: String::new(),
        engine: String::new(),
        tiller_version: String::new(),
        url: String::new(),
    }
}

fn address(name: &str) -> Address {
    Address {
        name: name.to_owned(),
        alias: "team".to_owned(),
        url: "http://charts.example/ctx".to_owned(),
    }
}

fn page(entries: Vec<Entry>, name: &str, offset: usize) -> String {
    let entries = entries.into_iter().map(|entry| (entry, Arc::from("")));
    let index = Index::from_entries(entries.collect());
    let generated = DateTime::parse_from_rfc3339("2026-01-02T03:04:05.6Z").unwrap();
    let generated = Some(generated.to_utc());
    let beside = Paths::default();
    render::repository(&index, generated, &address(name), &beside, "", offset).unwrap()
}

fn paths(paths: &[&str]) -> Paths {
    let paths = paths
        .iter()
        .map(|path| RepositoryPath::parse(path).unwrap());
    Paths {
        paths: paths.collect(),
        is_cut: false,
    }
}

/// The lines of the body that hold something.
fn body(page: &str) -> String {
    let (_, body) = page.split_once("<body>").unwrap();
    let lines = body.lines().filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_repository_shows_the_latest_version_of_each_chart() {
    let mut deprecated = entry("old", "1.0.0");
    deprecated.metadata.deprecated = true;
    let mut described = entry("nginx", "1.10.0");
    described.metadata.app_version = "1.27".to_owned();
    described.metadata.description = "A web server".to_owned();
    let page = page(
        vec![
            entry("nginx", "1.9.0"),
            described,
            entry("nginx", "2.0.0-rc.1"),
            entry("next", "1.0.0-alpha"),
            entry("next", "1.0.0-beta"),
            deprecated,
        ],
        "org/team",
        0,
    );
    insta::assert_snapshot!(body(&page), @r#"
    <main>
    <h1>Helm Charts Repository <span class="name">org/team</span></h1>
    <pre><code>helm repo add team http://charts.example/ctx</code></pre>
    <table>
    <thead>
    <tr><th scope="col">Chart</th><th scope="col">App version</th><th scope="col">Description</th></tr>
    </thead>
    <tbody>
    <tr>
    <td class="chart"><a href="./charts/next-1.0.0-beta.tgz">next-1.0.0-beta</a></td>
    <td class="app"></td>
    <td></td>
    </tr>
    <tr>
    <td class="chart"><a href="./charts/nginx-1.10.0.tgz">nginx-1.10.0</a></td>
    <td class="app">1.27</td>
    <td>A web server</td>
    </tr>
    <tr>
    <td class="chart"><a href="./charts/old-1.0.0.tgz">old-1.0.0</a> <span class="deprecated">deprecated</span></td>
    <td class="app"></td>
    <td></td>
    </tr>
    </tbody>
    </table>
    <nav>
    <span>3 in all</span>
    </nav>
    </main>
    <footer>
    <p>Last generated: <time>2026-01-02 03:04:05 UTC</time></p>
    <p>chartroom 0.1.0</p>
    </footer>
    </body>
    </html>
    "#);
    assert!(page.contains("<title>Helm Repository org/team</title>"));
}

#[test]
fn what_a_chart_says_is_text() {
    let mut chart = entry("demo", "1.0.0");
    chart.metadata.description = "</td><script>alert('1')</script> & \"x\"".to_owned();
    chart.metadata.app_version = "<img src=x onerror=alert(1)>".to_owned();
    chart.urls = vec!["charts/a\" onclick=\"b".to_owned()];
    let mut script = entry("script", "1.0.0");
    script.urls = vec!["java\nscript:alert(1)".to_owned()];
    let mut nothing = entry("nothing", "1.0.0");
    nothing.urls = Vec::new();
    let mut absolute = entry("absolute", "1.0.0");
    absolute.urls = vec!["https://cdn.example/a?b=c&d=e".to_owned()];
    let page = body(&page(vec![chart, script, nothing, absolute], "", 0));
    let cells: Vec<&str> = page.lines().filter(|line| line.contains("<td")).collect();
    insta::assert_snapshot!(cells.join("\n"), @r#"
    <td class="chart"><a href="https://cdn.example/a?b=c&#38;d=e">absolute-1.0.0</a></td>
    <td class="app"></td>
    <td></td>
    <td class="chart"><a href="./charts/a&#34; onclick=&#34;b">demo-1.0.0</a></td>
    <td class="app">&#60;img src=x onerror=alert(1)&#62;</td>
    <td>&#60;/td&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62; &#38; &#34;x&#34;</td>
    <td class="chart">nothing-1.0.0</td>
    <td class="app"></td>
    <td></td>
    <td class="chart">script-1.0.0</td>
    <td class="app"></td>
    <td></td>
    "#);
}

#[test]
fn long_texts_are_cut() {
    let mut chart = entry("demo", "1.0.0");
    chart.metadata.description = "é".repeat(401);
    let page = page(vec![chart], "", 0);
    assert!(page.contains(&format!("<td>{}…</td>", "é".repeat(400))));
}

#[test]
fn an_empty_repository_says_so() {
    let page = body(&page(Vec::new(), "", 0));
    assert!(page.contains("There are no charts yet."), "{page}");
    assert!(!page.contains("<table>"), "{page}");
    let index = Index::default();
    let beside = Paths::default();
    let never = render::repository(&index, None, &address(""), &beside, "", 0).unwrap();
    assert!(never.contains("Last generated: never"), "{never}");
}

#[test]
fn a_page_holds_500_charts_and_leads_to_its_neighbours() {
    let charts = || {
        (0..1001)
            .map(|number| entry(&format!("c{number:04}"), "1.0.0"))
            .collect()
    };
    let seen = |offset| {
        let page = page(charts(), "", offset);
        let nav = page.split_once("<nav>").unwrap().1;
        let nav = nav.split_once("</nav>").unwrap().0;
        let nav: Vec<&str> = nav.lines().filter(|line| !line.is_empty()).collect();
        format!(
            "{} rows: {}",
            page.matches("<tr>").count() - 1,
            nav.join(" ")
        )
    };
    let pages: Vec<String> = [0, 500, 1000, 1001, 5000, usize::MAX].map(seen).into();
    insta::assert_snapshot!(pages.join("\n"), @r#"
    500 rows: <span>1 to 500 of 1001</span> <a rel="next" href="?offset=500">Next</a>
    500 rows: <a rel="prev" href="?offset=0">Previous</a> <span>501 to 1000 of 1001</span> <a rel="next" href="?offset=1000">Next</a>
    1 rows: <a rel="prev" href="?offset=500">Previous</a> <span>1001 to 1001 of 1001</span>
    0 rows: <a rel="prev" href="?offset=501">Previous</a> <span>Nothing here: there are 1001</span>
    0 rows: <a rel="prev" href="?offset=501">Previous</a> <span>Nothing here: there are 1001</span>
    0 rows: <a rel="prev" href="?offset=501">Previous</a> <span>Nothing here: there are 1001</span>
    "#);
    let whole = page(vec![entry("a", "1.0.0")], "", 0);
    assert!(whole.contains("<span>1 in all</span>"), "{whole}");
}

#[test]
fn repositories_are_links_to_their_pages() {
    let mut found = paths(&["a", "org/team x", "a:b", "100%", "<b>"]);
    let page = body(&render::repositories(&found, "", 0).unwrap());
    let items: Vec<&str> = page.lines().filter(|line| line.contains("<li>")).collect();
    insta::assert_snapshot!(items.join("\n"), @r#"
    <li><a href="./a/">a</a></li>
    <li><a href="./org/team%20x/">org/team x</a></li>
    <li><a href="./a%3Ab/">a:b</a></li>
    <li><a href="./100%25/">100%</a></li>
    <li><a href="./%3Cb%3E/">&#60;b&#62;</a></li>
    "#);
    assert!(page.contains("<span>5 in all</span>"), "{page}");
    assert!(!page.contains("not listed"), "{page}");
    found.is_cut = true;
    let page = render::repositories(&found, "", 0).unwrap();
    assert!(page.contains("not listed"), "{page}");
    let page = render::repositories(&Paths::default(), "", 0).unwrap();
    assert!(page.contains("no repositories yet"), "{page}");
}

#[test]
fn links_are_relative_to_the_folder_of_the_page() {
    let entries = vec![(entry("demo", "1.0.0"), Arc::from(""))];
    let index = Index::from_entries(entries);
    let beside = paths(&["org"]);
    for (base, archive, repository) in [
        ("", "./charts/demo-1.0.0.tgz", "./org/"),
        ("ctx", "./ctx/charts/demo-1.0.0.tgz", "./ctx/org/"),
    ] {
        let page = render::repository(&index, None, &address(""), &beside, base, 0).unwrap();
        assert!(page.contains(&format!("href=\"{archive}\"")), "{page}");
        assert!(page.contains(&format!("href=\"{repository}\"")), "{page}");
    }
}

/// A browser applies no other style than the one whose hash the policy names.
#[test]
fn the_style_is_the_one_that_the_policy_allows() {
    let page = page(Vec::new(), "", 0);
    let style = page.split_once("<style>").unwrap().1;
    let style = style.split_once("</style>").unwrap().0;
    let hash = STANDARD.encode(Sha256::digest(style));
    let response = html(page.clone()).unwrap();
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        policy.contains(&format!("style-src 'sha256-{hash}';")),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
}
