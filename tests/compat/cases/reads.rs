//! What helm and people read: the server's own pages, the index and the files (1.1, 1.4).

use super::row;
use crate::case::{
    Body, Case, HTML, INDEX_TYPE, JSON, PLAIN, SIGNATURE, Scenario, TAR, YAML, error, text,
};
use crate::charts::{VALUES, chart, provenance, rich_chart};
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        Scenario::new("an empty repository", &[], empty()),
        Scenario::new("a repository with a chart", &[], with_a_chart()),
    ]
}

fn empty() -> Vec<Case> {
    let get = |row, name, path: &str, status, kind, body| {
        Case::same(row, name, Ask::get(path), status, kind, body)
    };
    vec![
        get(row::WELCOME, "the welcome page", "/", 200, HTML, Body::Has("ChartMuseum!")).but(
            200,
            Some("text/html; charset=utf-8"),
            Body::Has("helm repo add"),
            "lists the charts and says how to use them",
        ),
        get(row::INFO, "the version", "/info", 200, JSON, Body::Has(r#"{"version":""#)),
        get(row::HEALTH, "health", "/health", 200, JSON, text(r#"{"healthy":true}"#)),
        get(
            row::INDEX,
            "the index of nothing",
            "/index.yaml",
            200,
            INDEX_TYPE,
            text("apiVersion: v1\nentries: {}\ngenerated: \"<time>\"\nserverInfo: {}\n"),
        )
        .but(
            200,
            INDEX_TYPE,
            text("apiVersion: v1\nentries: {}\ngenerated: \"<time>\"\n"),
            "helm before 3.4 refuses an index with serverInfo; it is there with a context path only",
        ),
        Case::same(row::INDEX_HEAD, "HEAD of the index", Ask::head("/index.yaml"), 200, None, Body::Empty)
            .but(200, INDEX_TYPE, Body::Empty, "has the headers of GET"),
        get(row::LIST, "the list of nothing", "/api/charts", 200, JSON, text("{}")),
        get(row::FILE, "a missing archive", "/charts/a-1.0.0.tgz", 404, JSON, error("object not found")),
        get(row::FILE, "a missing provenance", "/charts/a-1.0.0.tgz.prov", 404, JSON, error("object not found")),
        get(
            row::FILE,
            "a name with another ending",
            "/charts/index-cache.yaml",
            500,
            JSON,
            error("unsupported file extension"),
        )
        .but(404, JSON, error("unsupported file extension"), "it is the client's mistake"),
        get(row::FILE, "no name", "/charts/", 500, JSON, error("unsupported file extension"))
            .but(200, Some("text/html; charset=utf-8"), Body::Has("helm repo add"), "is the page of the repository `/charts`, as helm serve had it"),
        get(row::EVERY, "an unknown path", "/nothing", 404, JSON, error("not found")),
        get(row::EVERY, "a slash too many", "/index.yaml/", 404, JSON, error("not found")),
        get(row::EVERY, "two slashes", "//index.yaml", 404, JSON, error("not found")),
        get(row::METRICS, "metrics that are not enabled", "/metrics", 404, JSON, error("not found")),
        get(row::STATIC, "static files that nobody configured", "/static/x.css", 404, JSON, error("not found")),
        get(row::ARTIFACT_HUB, "no id for Artifact Hub", "/artifacthub-repo.yml", 404, JSON, error("not found"))
            .but(404, JSON, error("Artifact Hub repository ID not found"), "says what is not configured"),
        Case::same(
            row::EVERY,
            "the client's id of a request",
            Ask::get("/health").header("X-Request-Id", "abc-1"),
            200,
            JSON,
            text(r#"{"healthy":true}"#),
        )
        .header("X-Request-Id", Some("abc-1")),
        wrong_method("PUT", "/index.yaml"),
        wrong_method("OPTIONS", "/api/charts"),
        wrong_method("POST", "/charts/a-1.0.0.tgz"),
        wrong_method("DELETE", "/api/charts/a"),
        Case::same(row::EVERY, "HEAD of a page that has none", Ask::head("/health"), 404, JSON, Body::Empty)
            .but(200, JSON, Body::Empty, "HEAD is answered wherever GET is"),
    ]
}

fn wrong_method(method: &'static str, path: &str) -> Case {
    let ask = Ask::new(method, path);
    Case::same(
        row::EVERY,
        "a wrong method",
        ask,
        404,
        JSON,
        error("not found"),
    )
    .but(
        405,
        JSON,
        error("method not allowed"),
        "the path is there, and Allow names its methods",
    )
}

fn with_a_chart() -> Vec<Case> {
    let archive = rich_chart("rich", "1.0.0");
    let get =
        |row, name, path: &str, kind, body| Case::same(row, name, Ask::get(path), 200, kind, body);
    vec![
        Case::same(
            row::RAW,
            "an upload",
            Ask::post("/api/charts", archive.clone()),
            201,
            JSON,
            text(r#"{"saved":true}"#),
        ),
        get(
            row::VERSION,
            "all fields in their order",
            "/api/charts/rich/1.0.0",
            JSON,
            text(VERSION),
        ),
        get(
            row::CHART,
            "the versions of a chart",
            "/api/charts/rich",
            JSON,
            text(format!("[{VERSION}]")),
        ),
        get(
            row::LIST,
            "the list",
            "/api/charts",
            JSON,
            text(format!("{{\"rich\":[{VERSION}]}}")),
        ),
        Case::same(
            row::CHART_HEAD,
            "HEAD of a chart",
            Ask::head("/api/charts/rich"),
            200,
            None,
            Body::Empty,
        )
        .but(200, JSON, Body::Empty, "has the headers of GET"),
        Case::same(
            row::CHART_HEAD,
            "HEAD of no chart",
            Ask::head("/api/charts/none"),
            404,
            PLAIN,
            Body::Empty,
        )
        .but(404, JSON, Body::Empty, "has the headers of GET"),
        Case::same(
            row::VERSION_HEAD,
            "HEAD of a version",
            Ask::head("/api/charts/rich/1.0.0"),
            200,
            None,
            Body::Empty,
        )
        .but(200, JSON, Body::Empty, "has the headers of GET"),
        Case::same(
            row::VERSION_HEAD,
            "HEAD of no version",
            Ask::head("/api/charts/rich/9.9.9"),
            404,
            PLAIN,
            Body::Empty,
        )
        .but(404, JSON, Body::Empty, "has the headers of GET"),
        get(
            row::INDEX,
            "the index",
            "/index.yaml",
            INDEX_TYPE,
            text(format!("{INDEX}serverInfo: {{}}\n")),
        )
        .but(
            200,
            INDEX_TYPE,
            text(INDEX),
            "no serverInfo without a context path",
        ),
        get(
            row::TEMPLATES,
            "the templates in their order",
            "/api/charts/rich/1.0.0/templates",
            JSON,
            text(TEMPLATES),
        ),
        get(
            row::VALUES,
            "the values as they are",
            "/api/charts/rich/1.0.0/values",
            YAML,
            text(VALUES),
        ),
        get(
            row::VALUES,
            "the values of the latest version",
            "/api/charts/rich/latest/values",
            YAML,
            text(VALUES),
        ),
        Case::same(
            row::VALUES,
            "the values of no chart",
            Ask::get("/api/charts/none/1.0.0/values"),
            404,
            JSON,
            error("no chart name found"),
        ),
        Case::same(
            row::TEMPLATES,
            "the templates of no version",
            Ask::get("/api/charts/rich/9.9.9/templates"),
            404,
            JSON,
            error("no chart version found for rich-9.9.9"),
        ),
        Case::same(
            row::RAW,
            "a chart with nothing in it",
            Ask::post("/api/charts", chart("bare", "1.0.0")),
            201,
            JSON,
            text(r#"{"saved":true}"#),
        ),
        get(
            row::TEMPLATES,
            "no templates and no values",
            "/api/charts/bare/1.0.0/templates",
            JSON,
            text(r#"{"templates":null,"values":null}"#),
        ),
        Case::same(
            row::VALUES,
            "no values",
            Ask::get("/api/charts/bare/1.0.0/values"),
            404,
            JSON,
            error("values.yaml not found"),
        ),
        Case::same(
            row::PROVENANCE,
            "a provenance file",
            Ask::post("/api/prov", provenance("rich", "1.0.0")),
            201,
            JSON,
            text(r#"{"saved":true}"#),
        ),
        get(
            row::FILE,
            "the archive",
            "/charts/rich-1.0.0.tgz",
            TAR,
            Body::Bytes(archive.clone()),
        ),
        get(
            row::FILE,
            "the provenance",
            "/charts/rich-1.0.0.tgz.prov",
            SIGNATURE,
            Body::Bytes(provenance("rich", "1.0.0")),
        ),
        Case::same(
            row::FILE,
            "a part of an archive",
            part(),
            200,
            TAR,
            Body::Bytes(archive.clone()),
        )
        .but(
            206,
            TAR,
            Body::Bytes(archive[..4].to_vec()),
            "ranges are answered",
        ),
        Case::same(
            row::EVERY,
            "HEAD of an archive",
            Ask::head("/charts/rich-1.0.0.tgz"),
            404,
            JSON,
            Body::Empty,
        )
        .but(200, TAR, Body::Empty, "HEAD is answered wherever GET is"),
    ]
}

fn part() -> Ask {
    Ask::get("/charts/rich-1.0.0.tgz").header("Range", "bytes=0-3")
}

const VERSION: &str = r#"{"name":"rich","home":"https://example.com/\u003cx\u003e","sources":["https://example.com/a\u0026b"],"version":"1.0.0","description":"One \u003cb\u003e \u0026 two","keywords":["web","yes"],"maintainers":[{"name":"Ann","email":"ann@example.com","url":"https://ann.example.com"}],"icon":"https://example.com/i.png","apiVersion":"v2","condition":"a.enabled","tags":"a,b","appVersion":"1.1","deprecated":true,"annotations":{"k1":"true","k2":"v"},"kubeVersion":"\u003e=1.20","dependencies":[{"name":"dep","version":"1.x","repository":"https://example.com/charts","condition":"dep.enabled","tags":["t"],"alias":"other"}],"type":"application","urls":["charts/rich-1.0.0.tgz"],"created":"<time>","digest":"<digest>"}"#;

const TEMPLATES: &str = r#"{"templates":[{"name":"templates/b.yaml","data":"a2luZDogPEI+ICYgY28K"},{"name":"templates/a.txt","data":"YQ=="},{"name":"templates/sub/c.yaml","data":"YzogMQo="}],"values":{"image":{"tag":"\u003c1.10\u003e"},"replicas":2}}"#;

const INDEX: &str = "apiVersion: v1
entries:
  rich:
  - annotations:
      k1: \"true\"
      k2: v
    apiVersion: v2
    appVersion: \"1.1\"
    condition: a.enabled
    created: \"<time>\"
    dependencies:
    - alias: other
      condition: dep.enabled
      name: dep
      repository: https://example.com/charts
      tags:
      - t
      version: 1.x
    deprecated: true
    description: One <b> & two
    digest: <digest>
    home: https://example.com/<x>
    icon: https://example.com/i.png
    keywords:
    - web
    - \"yes\"
    kubeVersion: '>=1.20'
    maintainers:
    - email: ann@example.com
      name: Ann
      url: https://ann.example.com
    name: rich
    sources:
    - https://example.com/a&b
    tags: a,b
    type: application
    urls:
    - charts/rich-1.0.0.tgz
    version: 1.0.0
generated: \"<time>\"
";
