//! How a version is found (1.6).

use super::row;
use crate::case::{Body, Case, JSON, Scenario, error, text};
use crate::charts::chart;
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    let uploads = [
        ("a", "0.1.0"),
        ("a", "0.1.5"),
        ("a", "0.2.0"),
        ("a", "0.2.1-rc.1"),
        ("a", "1.0.0+b1"),
        ("a", "2.0.0-alpha"),
        ("pre", "1.0.0-a"),
        ("pre", "1.0.0-b"),
        ("odd", "1"),
        ("odd", "v1.2.3"),
    ];
    let mut cases: Vec<Case> = uploads
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
    for (path, versions) in [
        ("a/latest", &["a-1.0.0+b1"][..]),
        ("a/0.1.0", &["a-0.1.0"]),
        ("a/0.2.1-rc.1", &["a-0.2.1-rc.1"]),
        ("a/2.0.0-alpha", &["a-2.0.0-alpha"]),
        ("a/1.0.0+b1", &["a-1.0.0+b1"]),
        ("a/1.0.0%2Bb1", &["a-1.0.0+b1"]),
        ("a/1.0.0", &["a-1.0.0+b1"]),
        ("a/0.1", &["a-0.1.5"]),
        ("a/0", &["a-0.2.0"]),
        ("a/^0.2", &["a-0.2.0"]),
        ("a/~0.1.0", &["a-0.1.5"]),
        ("a/*", &["a-1.0.0+b1"]),
        ("a/%3E0.1.0", &["a-1.0.0+b1"]),
        ("a/%3E0.1.0%2C%3C0.2.0", &["a-0.1.5"]),
        ("a/0.1.0%20-%200.2.0", &["a-0.2.0"]),
        ("a/0.1.0%20%7C%7C%200.1.5", &["a-0.1.5"]),
        ("a/%3E%3D0.2.1-0%20%3C1", &["a-0.2.1-rc.1"]),
        ("pre/1.0.0-a", &["pre-1.0.0-a"]),
        ("odd/1", &["odd-1"]),
        ("odd/v1.2.3", &["odd-v1.2.3"]),
        ("odd/1.2.3", &["odd-v1.2.3"]),
        ("odd/latest", &["odd-v1.2.3"]),
    ] {
        let ask = Ask::get(format!("/api/charts/{path}"));
        let body = Body::Versions(versions);
        cases.push(Case::same(row::VERSION, "a version", ask, 200, JSON, body));
    }
    for (path, text) in [
        ("none/1.0.0", "no chart name found"),
        ("none/latest", "no chart name found"),
        ("none/%3Cx%3E", "no chart name found"),
        ("a/9.9.9", "no chart version found for a-9.9.9"),
        ("a/^9", "no chart version found for a-^9"),
        ("a/0.3.0-rc.1", "no chart version found for a-0.3.0-rc.1"),
        ("a/x.y.z", "improper constraint: x.y.z"),
        ("a/%3Cx%3E", "improper constraint: <x>"),
    ] {
        let ask = Ask::get(format!("/api/charts/{path}"));
        cases.push(Case::same(
            row::VERSION,
            "no version",
            ask,
            404,
            JSON,
            error(text),
        ));
    }
    cases.extend([
        Case::same(
            row::CHART,
            "the versions of a chart, newest first",
            Ask::get("/api/charts/a"),
            200,
            JSON,
            Body::Versions(&[
                "a-2.0.0-alpha",
                "a-1.0.0+b1",
                "a-0.2.1-rc.1",
                "a-0.2.0",
                "a-0.1.5",
                "a-0.1.0",
            ]),
        ),
        Case::same(
            row::CHART,
            "no chart",
            Ask::get("/api/charts/none"),
            404,
            JSON,
            error("chart not found"),
        ),
        Case::same(
            row::VERSION,
            "the latest of pre-releases only",
            Ask::get("/api/charts/pre/latest"),
            404,
            JSON,
            error("no chart version found for pre-"),
        )
        .but(
            200,
            JSON,
            Body::Versions(&["pre-1.0.0-b"]),
            "the newest pre-release is the latest there is",
        ),
        Case::same(
            row::VERSION,
            "an empty version",
            Ask::get("/api/charts/a/"),
            200,
            JSON,
            Body::Versions(&["a-1.0.0+b1"]),
        )
        .but(
            404,
            JSON,
            error("not found"),
            "an empty segment names nothing; `latest` does",
        ),
        Case::same(
            row::VERSION,
            "a segment too many",
            Ask::get("/api/charts/a/0.1.0/x"),
            404,
            JSON,
            error("not found"),
        ),
    ]);
    vec![Scenario::new("versions of charts", &[], cases)]
}
