//! Pages of the list (1.5).

use super::row;
use crate::case::{Body, Case, JSON, Scenario, error, text};
use crate::charts::chart;
use crate::wire::Ask;

/// Everything that is uploaded, as it is listed.
const ALL: &[&str] = &["B-1.0.0", "a-0.10.0", "a-0.9.0", "b-1.0.0"];

pub(crate) fn all() -> Vec<Scenario> {
    let mut cases: Vec<Case> = [
        ("b", "1.0.0"),
        ("a", "0.9.0"),
        ("a", "0.10.0"),
        ("B", "1.0.0"),
    ]
    .map(|(name, version)| {
        let ask = Ask::post("/api/charts", chart(name, version));
        Case::same(
            row::RAW,
            "an upload",
            ask,
            201,
            JSON,
            text(r#"{"saved":true}"#),
        )
    })
    .into();
    let list = |name, query: &str, versions: &'static [&'static str]| {
        let ask = Ask::get(format!("/api/charts{query}"));
        Case::same(row::LIST, name, ask, 200, JSON, Body::Versions(versions))
    };
    cases.extend([
        list("by name as bytes, newest first", "", ALL),
        list(
            "the first names",
            "?limit=2",
            &["B-1.0.0", "a-0.10.0", "a-0.9.0"],
        ),
        list(
            "names in the middle",
            "?offset=1&limit=1",
            &["a-0.10.0", "a-0.9.0"],
        ),
        list("the last names", "?offset=2&limit=9", &["b-1.0.0"]),
        list("past the end", "?offset=3&limit=1", &[]),
        list("other parameters", "?x=1&limit=1", &["B-1.0.0"]),
        list("an offset of nothing", "?offset=0", ALL),
        Case::same(
            row::LIST,
            "an offset without a limit",
            Ask::get("/api/charts?offset=1"),
            200,
            JSON,
            text("{}"),
        )
        .but(
            200,
            JSON,
            Body::Versions(&["a-0.10.0", "a-0.9.0", "b-1.0.0"]),
            "ChartMuseum answers {}, which is a bug",
        ),
    ]);
    let offset = "offset is not a valid non-negative integer";
    let limit = "limit is not a valid positive integer";
    for (query, text) in [
        ("?offset=-1", offset),
        ("?offset=x", offset),
        ("?offset=", offset),
        ("?offset=&limit=0", offset),
        ("?limit=0", limit),
        ("?limit=-1", limit),
        ("?limit=", limit),
        ("?limit=1.5", limit),
        ("?offset=1&limit=x", limit),
    ] {
        let ask = Ask::get(format!("/api/charts{query}"));
        cases.push(Case::same(
            row::LIST,
            "a page that cannot be",
            ask,
            400,
            JSON,
            error(text),
        ));
    }
    vec![Scenario::new("pages of a list", &[], cases)]
}
