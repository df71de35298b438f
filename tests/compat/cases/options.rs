//! Options that change what is answered.

use super::row;
use crate::case::{Body, Case, INDEX_TYPE, JSON, Scenario, TAR, error, text};
use crate::charts::{chart, other_chart};
use crate::wire::{Ask, file};

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        overwriting(),
        never_overwriting(),
        no_api(),
        no_deletion(),
        absolute_urls(),
        json_index(),
        origins(),
        origins_below_a_context_path(),
        artifact_hub(),
        artifact_hub_by_repository(),
    ]
}

fn saved(row: &'static str, name: &'static str, ask: Ask) -> Case {
    Case::same(row, name, ask, 201, JSON, text(r#"{"saved":true}"#))
}

fn upload(name: &str, version: &str) -> Case {
    let ask = Ask::post("/api/charts", chart(name, version));
    saved(row::RAW, "an upload", ask)
}

fn overwriting() -> Scenario {
    let other = other_chart("a", "1.0.0");
    let cases = vec![
        upload("a", "1.0.0"),
        saved(row::RAW, "again", Ask::post("/api/charts", other.clone())),
        saved(
            row::FORM,
            "and as a form",
            Ask::form("/api/charts", &[file("chart", &other)]),
        ),
        Case::same(
            row::FILE,
            "the last one counts",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            TAR,
            Body::Bytes(other),
        ),
    ];
    Scenario::new("overwriting", &["--allow-overwrite"], cases)
}

fn never_overwriting() -> Scenario {
    let ask = Ask::post("/api/charts?force", other_chart("a", "1.0.0"));
    let said = error("file already exists");
    let cases = vec![
        upload("a", "1.0.0"),
        Case::same(row::RAW, "force is not listened to", ask, 409, JSON, said),
    ];
    Scenario::new("never overwriting", &["--disable-force-overwrite"], cases)
}

fn no_api() -> Scenario {
    let missing = |row, ask| Case::same(row, "no API", ask, 404, JSON, error("not found"));
    let cases = vec![
        missing(row::LIST, Ask::get("/api/charts")),
        missing(row::RAW, Ask::post("/api/charts", chart("a", "1.0.0"))),
        missing(row::DELETE, Ask::delete("/api/charts/a/1.0.0")),
        Case::same(
            row::HEALTH,
            "the rest is there",
            Ask::get("/health"),
            200,
            JSON,
            text(r#"{"healthy":true}"#),
        ),
    ];
    Scenario::new("no API", &["--disable-api"], cases)
}

fn no_deletion() -> Scenario {
    let ask = Ask::delete("/api/charts/a/1.0.0");
    let cases = vec![
        upload("a", "1.0.0"),
        Case::same(
            row::DELETE,
            "no deletion",
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
        ),
    ];
    Scenario::new("no deletion", &["--disable-delete"], cases)
}

fn absolute_urls() -> Scenario {
    let url = "https://x.io/base/charts/a-1.0.0.tgz";
    let values = Ask::get("/api/charts/a/1.0.0/values");
    let cases = vec![
        upload("a", "1.0.0"),
        Case::same(
            row::INDEX,
            "absolute URLs",
            Ask::get("/index.yaml"),
            200,
            INDEX_TYPE,
            Body::Has("- https://x.io/base/charts/a-1.0.0.tgz\n"),
        ),
        Case::same(
            row::VERSION,
            "absolute URLs",
            Ask::get("/api/charts/a/1.0.0"),
            200,
            JSON,
            Body::Has(url),
        ),
        Case::same(
            row::VALUES,
            "the file of an absolute URL",
            values,
            500,
            JSON,
            error("unsupported file extension"),
        )
        .but(
            404,
            JSON,
            error("values.yaml not found"),
            "ChartMuseum takes the host for the file",
        ),
    ];
    Scenario::new("absolute URLs", &["--chart-url=https://x.io/base/"], cases)
}

fn json_index() -> Scenario {
    let theirs = r#"{"apiVersion":"v1","generated":"<time>","entries":{"a":[{"name":"a","version":"1.0.0","apiVersion":"v2","urls":["charts/a-1.0.0.tgz"],"created":"<time>","digest":"<digest>"}]},"serverInfo":{}}"#;
    let ours = theirs.replace(r#","serverInfo":{}"#, "");
    let ask = Ask::get("/index.yaml");
    let cases = vec![
        upload("a", "1.0.0"),
        Case::same(row::INDEX, "JSON", ask, 200, INDEX_TYPE, text(theirs)).but(
            200,
            Some("application/json"),
            text(ours),
            "the type is that of the body; no serverInfo without a context path",
        ),
    ];
    Scenario::new("an index in JSON", &["--json-index"], cases)
}

const ORIGIN: &str = "Access-Control-Allow-Origin";

fn origins() -> Scenario {
    let star = Some("*");
    let cases = vec![
        upload("a", "1.0.0").header(ORIGIN, star),
        Case::same(
            row::LIST,
            "the API",
            Ask::get("/api/charts"),
            200,
            JSON,
            Body::Versions(&["a-1.0.0"]),
        )
        .header(ORIGIN, star),
        Case::same(
            row::CHART,
            "what is not there",
            Ask::get("/api/charts/none"),
            404,
            JSON,
            error("chart not found"),
        )
        .header(ORIGIN, star),
        Case::same(
            row::FILE,
            "no file",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            TAR,
            Body::Bytes(chart("a", "1.0.0")),
        )
        .header(ORIGIN, None),
        Case::same(
            row::HEALTH,
            "no probe",
            Ask::get("/health"),
            200,
            JSON,
            text(r#"{"healthy":true}"#),
        )
        .header(ORIGIN, None),
    ];
    Scenario::new("origins", &["--cors-alloworigin=*"], cases)
}

fn origins_below_a_context_path() -> Scenario {
    let ask = Ask::get("/ctx/api/charts");
    let cases = vec![
        Case::same(row::LIST, "the API", ask, 200, JSON, text("{}")).headers(
            ORIGIN,
            None,
            Some("https://ui.example"),
        ),
    ];
    let options = [
        "--cors-alloworigin=https://ui.example",
        "--context-path=/ctx",
    ];
    Scenario::new("origins below a context path", &options, cases)
}

fn artifact_hub() -> Scenario {
    let ask = Ask::get("/artifacthub-repo.yml");
    let body = text("repositoryID: b4f1-22\n");
    let cases = vec![Case::same(
        row::ARTIFACT_HUB,
        "the id",
        ask,
        200,
        INDEX_TYPE,
        body,
    )];
    Scenario::new("Artifact Hub", &["--artifact-hub-repo-id=b4f1-22"], cases)
}

fn artifact_hub_by_repository() -> Scenario {
    let ask = |path| Ask::get(path);
    let cases = vec![
        Case::same(
            row::ARTIFACT_HUB,
            "the id of one",
            ask("/org1/artifacthub-repo.yml"),
            200,
            INDEX_TYPE,
            text("repositoryID: b4f1-11\n"),
        ),
        Case::same(
            row::ARTIFACT_HUB,
            "an id that is a number",
            ask("/org2/artifacthub-repo.yml"),
            200,
            INDEX_TYPE,
            text("repositoryID: \"22\"\n"),
        ),
        Case::same(
            row::ARTIFACT_HUB,
            "no id",
            ask("/org3/artifacthub-repo.yml"),
            404,
            JSON,
            error("Artifact Hub repository ID not found"),
        ),
    ];
    let options = [
        "--depth=1",
        "--artifact-hub-repo-id=org1=b4f1-11",
        "--artifact-hub-repo-id=org2=22",
    ];
    Scenario::new("Artifact Hub by repository", &options, cases)
}
