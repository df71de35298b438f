//! Which paths there are: context path and depth (1.3).

use super::row;
use crate::case::{Body, Case, HTML, INDEX_TYPE, JSON, Scenario, TAR, error, text};
use crate::charts::chart;
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    vec![context(), one_segment(), two_segments(), any_segments()]
}

const PAGE: Option<&str> = Some("text/html; charset=utf-8");

fn get(
    row: &'static str,
    name: &'static str,
    path: &str,
    kind: Option<&'static str>,
    body: Body,
) -> Case {
    Case::same(row, name, Ask::get(path), 200, kind, body)
}

fn saved(path: &str, name: &str) -> Case {
    let ask = Ask::post(path, chart(name, "1.0.0"));
    Case::same(
        row::RAW,
        "an upload",
        ask,
        201,
        JSON,
        text(r#"{"saved":true}"#),
    )
}

fn missing(row: &'static str, name: &'static str, path: &str) -> Case {
    Case::same(row, name, Ask::get(path), 404, JSON, error("not found"))
}

/// ChartMuseum answers with something; chartroom has nothing there.
fn only_theirs(
    row: &'static str,
    name: &'static str,
    path: &str,
    kind: Option<&'static str>,
    body: Body,
    reason: &'static str,
) -> Case {
    get(row, name, path, kind, body).but(404, JSON, error("not found"), reason)
}

fn context() -> Scenario {
    let boundary = "the context path ends at a slash";
    let empty =
        "apiVersion: v1\nentries: {}\ngenerated: \"<time>\"\nserverInfo:\n  contextPath: /ctx/a\n";
    let cases = vec![
        get(
            row::INDEX,
            "the index tells the context path",
            "/ctx/a/index.yaml",
            INDEX_TYPE,
            text(empty),
        ),
        get(
            row::WELCOME,
            "the welcome page",
            "/ctx/a/",
            HTML,
            Body::Has("ChartMuseum!"),
        )
        .but(
            200,
            PAGE,
            Body::Has("helm repo add"),
            "lists the charts and says how to use them",
        ),
        get(
            row::WELCOME,
            "the welcome page without a slash",
            "/ctx/a",
            HTML,
            Body::Has("ChartMuseum!"),
        )
        .but(
            200,
            PAGE,
            Body::Has("helm repo add"),
            "lists the charts and says how to use them",
        ),
        get(
            row::HEALTH,
            "health",
            "/ctx/a/health",
            JSON,
            text(r#"{"healthy":true}"#),
        ),
        saved("/ctx/a/api/charts", "a"),
        get(
            row::LIST,
            "the list",
            "/ctx/a/api/charts",
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
        get(
            row::FILE,
            "the archive",
            "/ctx/a/charts/a-1.0.0.tgz",
            TAR,
            Body::Bytes(chart("a", "1.0.0")),
        ),
        get(
            row::VERSION,
            "URLs stay relative",
            "/ctx/a/api/charts/a/1.0.0",
            JSON,
            Body::Has(r#""urls":["charts/a-1.0.0.tgz"]"#),
        ),
        missing(row::CONTEXT, "nothing above it", "/health"),
        missing(row::CONTEXT, "nothing above it", "/index.yaml"),
        missing(row::CONTEXT, "nor between", "/ctx/index.yaml"),
        only_theirs(
            row::CONTEXT,
            "what only begins like it",
            "/ctx/azzz/health",
            JSON,
            text(r#"{"healthy":true}"#),
            boundary,
        ),
        only_theirs(
            row::CONTEXT,
            "what only begins like it",
            "/ctx/a-b/index.yaml",
            INDEX_TYPE,
            Body::Has("a-1.0.0.tgz"),
            boundary,
        ),
    ];
    // With and without slashes around it is the same.
    Scenario::new("a context path", &["--context-path=ctx/a/"], cases)
}

fn one_segment() -> Scenario {
    let page = "a wrong URL is not answered with a page, which helm would take for an index";
    let server = "the server is asked at its root only";
    let dots = "dot segments and empty ones name nothing";
    let cases = vec![
        saved("/api/org/charts", "a"),
        saved("/api/org-org/charts", "b"),
        get(
            row::LIST,
            "one",
            "/api/org/charts",
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
        get(
            row::LIST,
            "the other",
            "/api/org-org/charts",
            JSON,
            Body::Versions(&["b-1.0.0"]),
        ),
        get(
            row::LIST,
            "one that is not there",
            "/api/none/charts",
            JSON,
            text("{}"),
        ),
        get(
            row::INDEX,
            "the index",
            "/org/index.yaml",
            INDEX_TYPE,
            Body::Has("- charts/a-1.0.0.tgz"),
        ),
        get(
            row::FILE,
            "the archive",
            "/org/charts/a-1.0.0.tgz",
            TAR,
            Body::Bytes(chart("a", "1.0.0")),
        ),
        Case::same(
            row::FILE,
            "of the other",
            Ask::get("/org/charts/b-1.0.0.tgz"),
            404,
            JSON,
            error("object not found"),
        ),
        get(
            row::HEALTH,
            "health",
            "/health",
            JSON,
            text(r#"{"healthy":true}"#),
        ),
        saved("/api/api/charts", "c"),
        get(
            row::FILE,
            "of a repository called api",
            "/api/charts/c-1.0.0.tgz",
            TAR,
            Body::Bytes(chart("c", "1.0.0")),
        ),
        missing(row::PATHS, "the API without a repository", "/api/charts"),
        missing(row::PATHS, "a segment too many", "/a/b/index.yaml"),
        only_theirs(
            row::PATHS,
            "a path of one segment",
            "/index.yaml",
            HTML,
            Body::Has("ChartMuseum!"),
            page,
        ),
        only_theirs(
            row::PATHS,
            "any segment",
            "/anything",
            HTML,
            Body::Has("ChartMuseum!"),
            page,
        ),
        only_theirs(
            row::PATHS,
            "health of a repository",
            "/org/health",
            JSON,
            text(r#"{"healthy":true}"#),
            server,
        ),
        only_theirs(
            row::PATHS,
            "info of a repository",
            "/org/info",
            JSON,
            Body::Has(r#"{"version":""#),
            server,
        ),
        get(row::INFO, "info", "/info", HTML, Body::Has("ChartMuseum!")).but(
            200,
            JSON,
            Body::Has(r#"{"version":""#),
            server,
        ),
        only_theirs(
            row::PATHS,
            "an empty segment",
            "//index.yaml",
            INDEX_TYPE,
            Body::Has("entries: {}"),
            dots,
        ),
        only_theirs(
            row::PATHS,
            "two dots",
            "/../index.yaml",
            INDEX_TYPE,
            Body::Has("entries: {}"),
            dots,
        ),
        only_theirs(
            row::PATHS,
            "two escaped dots",
            "/%2e%2e/index.yaml",
            INDEX_TYPE,
            Body::Has("entries: {}"),
            dots,
        ),
        only_theirs(
            row::PATHS,
            "one dot",
            "/./index.yaml",
            INDEX_TYPE,
            Body::Has("entries: {}"),
            dots,
        ),
    ];
    Scenario::new("repositories of one segment", &["--depth=1"], cases)
}

fn two_segments() -> Scenario {
    let cases = vec![
        saved("/api/org/a/charts", "a"),
        saved("/api/org/aa/charts", "b"),
        get(
            row::LIST,
            "one",
            "/api/org/a/charts",
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
        get(
            row::LIST,
            "the other",
            "/api/org/aa/charts",
            JSON,
            Body::Versions(&["b-1.0.0"]),
        ),
        get(
            row::INDEX,
            "the index",
            "/org/a/index.yaml",
            INDEX_TYPE,
            Body::Has("- charts/a-1.0.0.tgz"),
        ),
        get(
            row::FILE,
            "the archive",
            "/org/a/charts/a-1.0.0.tgz",
            TAR,
            Body::Bytes(chart("a", "1.0.0")),
        ),
        Case::same(
            row::DELETE,
            "a deletion",
            Ask::delete("/api/org/a/charts/a/1.0.0"),
            200,
            JSON,
            text(r#"{"deleted":true}"#),
        ),
        get(row::LIST, "gone", "/api/org/a/charts", JSON, text("{}")),
        get(
            row::LIST,
            "the other stays",
            "/api/org/aa/charts",
            JSON,
            Body::Versions(&["b-1.0.0"]),
        ),
        missing(row::PATHS, "the API without a repository", "/api/charts"),
        missing(row::PATHS, "with a half of one", "/api/org/charts"),
    ];
    Scenario::new("repositories of two segments", &["--depth=2"], cases)
}

fn any_segments() -> Scenario {
    let server = "the server is asked at its root only";
    let cases = vec![
        saved("/api/charts", "a"),
        saved("/api/o/charts", "b"),
        saved("/api/o/r/t/u/charts", "c"),
        get(
            row::LIST,
            "the root",
            "/api/charts",
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
        get(
            row::LIST,
            "one segment",
            "/api/o/charts",
            JSON,
            Body::Versions(&["b-1.0.0"]),
        ),
        get(
            row::LIST,
            "four segments",
            "/api/o/r/t/u/charts",
            JSON,
            Body::Versions(&["c-1.0.0"]),
        ),
        get(
            row::INDEX,
            "the index of the root",
            "/index.yaml",
            INDEX_TYPE,
            Body::Has("- charts/a-1.0.0.tgz"),
        ),
        get(
            row::INDEX,
            "that of four",
            "/o/r/t/u/index.yaml",
            INDEX_TYPE,
            Body::Has("- charts/c-1.0.0.tgz"),
        ),
        get(
            row::FILE,
            "the archive",
            "/o/r/t/u/charts/c-1.0.0.tgz",
            TAR,
            Body::Bytes(chart("c", "1.0.0")),
        ),
        get(
            row::HEALTH,
            "health",
            "/health",
            JSON,
            text(r#"{"healthy":true}"#),
        ),
        get(
            row::LIST,
            "the repository `charts`, not the chart",
            "/api/charts/charts",
            JSON,
            text("{}"),
        ),
        missing(row::PATHS, "health of a repository", "/o/r/health"),
        missing(row::PATHS, "info of a repository", "/o/info"),
        get(row::INFO, "info", "/info", HTML, Body::Has("ChartMuseum!")).but(
            200,
            JSON,
            Body::Has(r#"{"version":""#),
            server,
        ),
        missing(row::PATHS, "a path of one segment", "/o"),
    ];
    Scenario::new("repositories of any depth", &["--depth-dynamic"], cases)
}
