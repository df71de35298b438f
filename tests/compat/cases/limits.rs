//! Limits: bytes of a body, objects of a repository, versions of a chart.

use super::row;
use crate::case::{Body, Case, JSON, Scenario, error, text};
use crate::charts::{chart, other_chart, provenance};
use crate::wire::{Ask, file};

pub(crate) fn all() -> Vec<Scenario> {
    vec![bytes(), objects(), versions()]
}

fn saved(row: &'static str, name: &'static str, ask: Ask) -> Case {
    Case::same(row, name, ask, 201, JSON, text(r#"{"saved":true}"#))
}

fn post(body: Vec<u8>) -> Ask {
    Ask::post("/api/charts", body)
}

fn bytes() -> Scenario {
    let archive = chart("a", "1.0.0");
    let option = format!("--max-upload-size={}", archive.len());
    let too_large = |row, ask: Ask| {
        let theirs = text("request too large");
        let plain = Some("text/plain; charset=utf-8");
        Case::same(row, "a byte too many", ask, 413, plain, theirs)
            .but(
                413,
                JSON,
                error("request too large"),
                "all errors have one form",
            )
            .headers("Connection", Some("close"), Some("close"))
    };
    let longer = [archive.as_slice(), b"x"].concat();
    let cases = vec![
        saved(row::RAW, "as many bytes as allowed", post(archive)),
        too_large(row::RAW, post(longer.clone())),
        too_large(row::RAW, post(longer.clone()).chunked()),
        too_large(row::PROVENANCE, Ask::post("/api/prov", longer.clone())),
        too_large(
            row::FORM,
            Ask::form("/api/charts", &[file("chart", &longer)]),
        ),
    ];
    Scenario::new("the largest body", &[&option], cases)
}

/// ChartMuseum counts its own index-cache.yaml, which it would write at any moment.
fn objects() -> Scenario {
    let full = |row, name, ask| {
        let said = error("repo has reached storage limit");
        Case::same(row, name, ask, 507, JSON, said)
    };
    let one = chart("c", "1.0.0");
    let cases = vec![
        saved(row::RAW, "the first object", post(chart("a", "1.0.0"))),
        saved(
            row::PROVENANCE,
            "the second object",
            Ask::post("/api/prov", provenance("a", "1.0.0")),
        ),
        full(row::RAW, "the third object", post(chart("b", "1.0.0"))),
        full(
            row::PROVENANCE,
            "a third provenance",
            Ask::post("/api/prov", provenance("b", "1.0.0")),
        ),
        Case::same(
            row::RAW,
            "a conflict comes first",
            post(chart("a", "1.0.0")),
            409,
            JSON,
            error("file already exists"),
        ),
        saved(
            row::RAW,
            "what is replaced needs no room",
            Ask::post("/api/charts?force", other_chart("a", "1.0.0")),
        ),
        saved(
            row::FORM,
            "a form",
            Ask::form("/api/charts", &[file("chart", &one)]),
        )
        .but(
            507,
            JSON,
            error("repo has reached storage limit"),
            "the limit is for forms too",
        ),
    ];
    let options = ["--max-storage-objects=2", "--disable-statefiles"];
    Scenario::new("the most objects", &options, cases)
}

fn versions() -> Scenario {
    let list = |name, versions: &'static [&'static str]| {
        let ask = Ask::get("/api/charts");
        Case::same(row::LIST, name, ask, 200, JSON, Body::Versions(versions))
    };
    let d = chart("d", "1.0.0");
    let signed = provenance("d", "1.0.0");
    let both = [file("chart", d.as_slice()), file("prov", &signed)];
    let cases = vec![
        saved(row::RAW, "one", post(chart("a", "1.0.0"))),
        saved(row::RAW, "two", post(chart("a", "1.1.0"))),
        list("both are there", &["a-1.1.0", "a-1.0.0"]),
        saved(row::RAW, "three", post(chart("a", "1.2.0"))),
        list("the oldest went", &["a-1.2.0", "a-1.1.0"]),
        saved(row::RAW, "another chart", post(chart("b", "1.0.0"))),
        list(
            "which is counted by itself",
            &["a-1.2.0", "a-1.1.0", "b-1.0.0"],
        ),
        saved(
            row::RAW,
            "the newest again",
            Ask::post("/api/charts?force", other_chart("a", "1.2.0")),
        ),
        Case::same(
            row::FILE,
            "an overwrite makes nothing too many",
            Ask::get("/charts/a-1.1.0.tgz"),
            404,
            JSON,
            error("object not found"),
        )
        .but(
            200,
            crate::case::TAR,
            Body::Bytes(chart("a", "1.1.0")),
            "ChartMuseum deletes a version for it",
        ),
        Case::same(
            row::FORM,
            "a chart with its provenance",
            Ask::form("/api/charts", &both),
            500,
            JSON,
            error("invalid chart package"),
        )
        .but(
            201,
            JSON,
            text(r#"{"saved":true}"#),
            "ChartMuseum takes the provenance for a chart",
        ),
    ];
    Scenario::new("the most versions", &["--per-chart-limit=2"], cases)
}
