//! Deletions (1.10).

use super::row;
use crate::case::{Body, Case, JSON, Scenario, error, text};
use crate::charts::{chart, provenance};
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    let saved = |ask| {
        Case::same(
            row::RAW,
            "an upload",
            ask,
            201,
            JSON,
            text(r#"{"saved":true}"#),
        )
    };
    let deleted = |name, path: &str| {
        Case::same(
            row::DELETE,
            name,
            Ask::delete(path),
            200,
            JSON,
            text(r#"{"deleted":true}"#),
        )
    };
    let missing = |name, path: &str| {
        let theirs = Body::Has("no such file or directory");
        Case::same(row::DELETE, name, Ask::delete(path), 404, JSON, theirs).but(
            404,
            JSON,
            error("object not found"),
            "no path in the text, and the same on every storage",
        )
    };
    let gone = |path: &str| {
        let said = error("object not found");
        Case::same(row::FILE, "it is gone", Ask::get(path), 404, JSON, said)
    };
    let cases = vec![
        saved(Ask::post("/api/charts", chart("a", "1.0.0"))),
        saved(Ask::post("/api/charts", chart("a", "1.0.0+b"))),
        saved(Ask::post("/api/charts", chart("a", "2.0.0"))),
        saved(Ask::post("/api/prov", provenance("a", "1.0.0"))),
        deleted("a version with its provenance", "/api/charts/a/1.0.0"),
        gone("/charts/a-1.0.0.tgz"),
        gone("/charts/a-1.0.0.tgz.prov"),
        missing("it again", "/api/charts/a/1.0.0"),
        missing("a version is literal", "/api/charts/a/latest"),
        missing("and no constraint", "/api/charts/a/2"),
        deleted("an escaped plus", "/api/charts/a/1.0.0%2Bb"),
        Case::same(
            row::LIST,
            "what is left",
            Ask::get("/api/charts"),
            200,
            JSON,
            Body::Versions(&["a-2.0.0"]),
        ),
        deleted("the last one", "/api/charts/a/2.0.0"),
        Case::same(
            row::LIST,
            "nothing is left",
            Ask::get("/api/charts"),
            200,
            JSON,
            text("{}"),
        ),
        Case::same(
            row::RAW,
            "a deleted version can be uploaded again",
            Ask::post("/api/charts", chart("a", "1.0.0")),
            201,
            JSON,
            text(r#"{"saved":true}"#),
        ),
    ];
    vec![Scenario::new("deletions", &[], cases)]
}
