//! Uploads as a form (1.9).

use super::row;
use crate::case::{Body, Case, JSON, SIGNATURE, Scenario, TAR, error, text};
use crate::charts::{chart, other_chart, provenance};
use crate::wire::{Ask, Part, file};

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        Scenario::new("forms", &[], plain()),
        Scenario::new(
            "forms with fields of other names",
            &[
                "--chart-post-form-field-name=pkg",
                "--prov-post-form-field-name=sig",
            ],
            named(),
        ),
    ]
}

fn saved(name: &'static str, ask: Ask) -> Case {
    Case::same(row::FORM, name, ask, 201, JSON, text(r#"{"saved":true}"#))
}

fn refused(name: &'static str, ask: Ask, status: u16, said: &str) -> Case {
    Case::same(row::FORM, name, ask, status, JSON, error(said))
}

fn form(parts: &[Part<'_>]) -> Ask {
    Ask::form("/api/charts", parts)
}

const NOTHING: &str = "no package or provenance file found in form fields chart and prov";

fn plain() -> Vec<Case> {
    let a = chart("a", "1.0.0");
    let b = chart("b", "1.0.0");
    let signed = provenance("b", "1.0.0");
    let text_field = Part {
        field: "chart",
        file: None,
        content: b"./a.tgz",
    };
    vec![
        saved("a chart", form(&[file("chart", &a)])),
        saved(
            "a chart and its provenance",
            form(&[file("prov", &signed), file("chart", &b)]),
        ),
        Case::same(
            row::FILE,
            "the chart",
            Ask::get("/charts/b-1.0.0.tgz"),
            200,
            TAR,
            Body::Bytes(b.clone()),
        ),
        Case::same(
            row::FILE,
            "its provenance",
            Ask::get("/charts/b-1.0.0.tgz.prov"),
            200,
            SIGNATURE,
            Body::Bytes(signed.clone()),
        ),
        saved(
            "a provenance alone",
            form(&[file("prov", &provenance("a", "1.0.0"))]),
        ),
        saved(
            "in chunks",
            form(&[file("chart", &chart("c", "1.0.0"))]).chunked(),
        ),
        saved(
            "only the first file of a field counts, and other fields do not",
            form(&[
                file("x", b"junk"),
                file("chart", &chart("d", "1.0.0")),
                file("chart", b"junk"),
            ]),
        ),
        Case::same(
            row::LIST,
            "what is listed",
            Ask::get("/api/charts"),
            200,
            JSON,
            Body::Versions(&["a-1.0.0", "b-1.0.0", "c-1.0.0", "d-1.0.0"]),
        ),
        refused(
            "a chart that is there",
            form(&[file("chart", &other_chart("a", "1.0.0"))]),
            409,
            "chart already exists",
        ),
        refused(
            "a provenance that is there",
            form(&[file("prov", &provenance("a", "1.0.0"))]),
            409,
            "chart already exists",
        ),
        refused(
            "a new chart with a provenance that is there",
            form(&[file("chart", &chart("b", "1.0.0")), file("prov", &signed)]),
            409,
            "chart already exists",
        ),
        Case::same(
            row::FILE,
            "nothing was replaced",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            TAR,
            Body::Bytes(a.clone()),
        ),
        saved(
            "with force",
            Ask::form(
                "/api/charts?force",
                &[file("chart", &other_chart("a", "1.0.0"))],
            ),
        ),
        Case::same(
            row::FILE,
            "what was forced",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            TAR,
            Body::Bytes(other_chart("a", "1.0.0")),
        ),
        refused("no fields", form(&[]), 400, NOTHING),
        refused(
            "a file in another field",
            form(&[file("file", &a)]),
            400,
            NOTHING,
        ),
        refused("a text and no file", form(&[text_field]), 400, NOTHING),
        refused(
            "no form at all",
            Ask::post("/api/charts", "junk")
                .header("Content-Type", "multipart/form-data; boundary=x"),
            400,
            NOTHING,
        ),
        refused(
            "a chart that is none",
            form(&[file("chart", b"this is not an archive at all")]),
            400,
            "gzip: invalid header",
        ),
        refused(
            "a provenance that is none",
            form(&[file("prov", b"junk")]),
            400,
            "invalid provenance file",
        ),
        Case::same(
            row::FORM,
            "a provenance of another chart",
            form(&[
                file("chart", &chart("e", "1.0.0")),
                file("prov", &provenance("f", "1.0.0")),
            ]),
            201,
            JSON,
            text(r#"{"saved":true}"#),
        )
        .but(
            400,
            JSON,
            error("the provenance file is that of another chart"),
            "it would fail every `helm pull --verify`",
        ),
        refused(
            "a provenance with a path for a name",
            form(&[file("prov", &provenance("../../x", "1.0.0"))]),
            400,
            "../../x-1.0.0.tgz.prov is improperly formatted",
        ),
    ]
}

fn named() -> Vec<Case> {
    let custom = "no package or provenance file found in form fields pkg and sig";
    let first = Ask::post("/api/charts", chart("first", "1.0.0"));
    vec![
        // As long as there is none, ChartMuseum looks at the storage for each list.
        Case::same(
            row::RAW,
            "a chart",
            first,
            201,
            JSON,
            text(r#"{"saved":true}"#),
        ),
        Case::same(
            row::LIST,
            "it is listed",
            Ask::get("/api/charts"),
            200,
            JSON,
            Body::Versions(&["first-1.0.0"]),
        ),
        saved(
            "the configured fields",
            form(&[
                file("pkg", &chart("a", "1.0.0")),
                file("sig", &provenance("a", "1.0.0")),
            ]),
        ),
        Case::same(
            row::FILE,
            "the chart",
            Ask::get("/charts/a-1.0.0.tgz"),
            200,
            TAR,
            Body::Bytes(chart("a", "1.0.0")),
        ),
        Case::same(
            row::FILE,
            "its provenance",
            Ask::get("/charts/a-1.0.0.tgz.prov"),
            200,
            SIGNATURE,
            Body::Bytes(provenance("a", "1.0.0")),
        ),
        Case::same(
            row::FORM,
            "they are listed",
            Ask::get("/api/charts"),
            200,
            JSON,
            Body::Versions(&["first-1.0.0"]),
        )
        .but(
            200,
            JSON,
            Body::Versions(&["a-1.0.0", "first-1.0.0"]),
            "ChartMuseum lists it only after its next look at the storage",
        ),
        saved(
            "the old fields too",
            form(&[
                file("chart", &chart("b", "1.0.0")),
                file("prov", &provenance("b", "1.0.0")),
            ]),
        ),
        refused("none of them", form(&[file("x", b"x")]), 400, custom),
    ]
}
