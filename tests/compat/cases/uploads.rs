//! Uploads of a raw archive (1.7).

use super::row;
use crate::archive::{Archive, gzip};
use crate::case::{Body, Case, JSON, Scenario, error, text};
use crate::charts::{chart, other_chart, with_metadata};
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    let mut cases = accepted();
    cases.extend(refused());
    cases.extend(stricter());
    vec![Scenario::new("raw uploads", &[], cases)]
}

fn saved(name: &'static str, ask: Ask) -> Case {
    Case::same(row::RAW, name, ask, 201, JSON, text(r#"{"saved":true}"#))
}

fn post(body: impl Into<Vec<u8>>) -> Ask {
    Ask::post("/api/charts", body)
}

fn accepted() -> Vec<Case> {
    let file = |archive: &str| {
        let path = format!("/charts/{archive}");
        Ask::get(path)
    };
    vec![
        saved(
            "curl's default type",
            post(chart("a", "1.0.0")).header("Content-Type", "application/x-www-form-urlencoded"),
        ),
        saved(
            "a type that is none",
            post(chart("a", "1.0.1")).header("Content-Type", "junk"),
        ),
        saved(
            "the type of an archive",
            post(chart("a", "1.0.2")).header("Content-Type", "application/gzip"),
        ),
        saved("in chunks", post(chart("a", "1.0.3")).chunked()),
        saved(
            "a form's type that is not exactly one",
            post(chart("a", "1.0.4")).header("Content-Type", "multipart/x"),
        ),
        saved("build metadata", post(chart("a", "1.0.0+b.1"))),
        saved("a version of one number", post(chart("a", "1"))),
        saved("a version of two numbers", post(chart("a", "1.2"))),
        saved("a version with v", post(chart("a", "v3.2.1"))),
        saved("a version with a zero in front", post(chart("a", "01.2.3"))),
        saved(
            "no apiVersion",
            post(with_metadata("name: old\nversion: 1.0.0\n")),
        ),
        saved(
            "unknown keys and numbers for texts",
            post(with_metadata(
                "name: 7\nversion: 1.0.0\nx: 1\nappVersion: 2\n",
            )),
        ),
        Case::same(
            row::FILE,
            "the file is named by Chart.yaml",
            file("a-v3.2.1.tgz"),
            200,
            Some("application/x-tar"),
            Body::Bytes(chart("a", "v3.2.1")),
        ),
        Case::same(
            row::FILE,
            "a plus stays a plus",
            file("a-1.0.0+b.1.tgz"),
            200,
            Some("application/x-tar"),
            Body::Bytes(chart("a", "1.0.0+b.1")),
        ),
        Case::same(
            row::FILE,
            "an escaped plus is one",
            file("a-1.0.0%2Bb.1.tgz"),
            200,
            Some("application/x-tar"),
            Body::Bytes(chart("a", "1.0.0+b.1")),
        ),
        Case::same(
            row::RAW,
            "the same again",
            post(chart("a", "1.0.0")),
            409,
            JSON,
            error("file already exists"),
        ),
        Case::same(
            row::RAW,
            "another archive of the version",
            post(other_chart("a", "1.0.0")),
            409,
            JSON,
            error("file already exists"),
        ),
        saved(
            "with force",
            Ask::post("/api/charts?force", other_chart("a", "1.0.0")),
        ),
        Case::same(
            row::FILE,
            "what was forced",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            Some("application/x-tar"),
            Body::Bytes(other_chart("a", "1.0.0")),
        ),
        saved(
            "with force=false, which forces too",
            Ask::post("/api/charts?force=false", chart("a", "1.0.0")),
        ),
        Case::same(
            row::FILE,
            "what was forced again",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            Some("application/x-tar"),
            Body::Bytes(chart("a", "1.0.0")),
        ),
        saved(
            "with force, of what is not there",
            Ask::post("/api/charts?force", chart("a", "5.0.0")),
        ),
    ]
}

fn refused() -> Vec<Case> {
    let archive = |name: &str, content: &str| Archive::default().file(name, content).tgz();
    let good = "name: a\nversion: 9.0.0\n";
    let in_metadata = |text: &str| with_metadata(text);
    [
        ("an empty body", Vec::new(), "EOF"),
        ("a short text", b"junk".to_vec(), "unexpected EOF"),
        (
            "a long text",
            b"this is not an archive at all".to_vec(),
            "gzip: invalid header",
        ),
        (
            "no Chart.yaml",
            archive("c/values.yaml", "a: 1\n"),
            "Chart.yaml file is missing",
        ),
        (
            "Chart.yaml without a folder",
            archive("Chart.yaml", good),
            r#"chart illegally contains content outside the base directory: "Chart.yaml""#,
        ),
        (
            "no files at all",
            Archive::default().tgz(),
            "no files in chart archive",
        ),
        ("gzip of nothing", gzip(b""), "no files in chart archive"),
        (
            "no name",
            in_metadata("version: 1.0.0\n"),
            "validation: chart.metadata.name is required",
        ),
        (
            "no version",
            in_metadata("name: a\n"),
            "validation: chart.metadata.version is required",
        ),
        (
            "a name with a path",
            in_metadata("name: ../a\nversion: 1.0.0\n"),
            r#"validation: chart.metadata.name "../a" is invalid"#,
        ),
        (
            "a version that is none",
            in_metadata("name: a\nversion: foo\n"),
            r#"validation: chart.metadata.version "foo" is invalid"#,
        ),
        (
            "four numbers",
            in_metadata("name: a\nversion: 1.2.3.4\n"),
            r#"validation: chart.metadata.version "1.2.3.4" is invalid"#,
        ),
        (
            "a zero in a pre-release",
            in_metadata("name: a\nversion: 1.2.3-01\n"),
            r#"validation: chart.metadata.version "1.2.3-01" is invalid"#,
        ),
        (
            "another type",
            in_metadata("name: a\nversion: 1.0.0\ntype: x\n"),
            "validation: chart.metadata.type must be application or library",
        ),
    ]
    .map(|(name, body, said)| Case::same(row::RAW, name, post(body), 400, JSON, error(said)))
    .into()
}

fn stricter() -> Vec<Case> {
    vec![
        saved(
            "a name with a space",
            post(with_metadata("name: a b\nversion: 1.0.0\n")),
        )
        .but(
            400,
            JSON,
            Body::Has("must be 1 to 250 letters"),
            "no registry takes it, and it surprises shells and URLs",
        ),
    ]
}
