//! Uploads of a raw provenance file (1.8).

use super::row;
use crate::case::{Case, JSON, SIGNATURE, Scenario, error, text};
use crate::charts::provenance;
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    let post = |body: Vec<u8>| Ask::post("/api/prov", body);
    let saved = |name, ask| {
        Case::same(
            row::PROVENANCE,
            name,
            ask,
            201,
            JSON,
            text(r#"{"saved":true}"#),
        )
    };
    let mut cases = vec![
        saved(
            "of a chart that is not there",
            post(provenance("a", "1.0.0")),
        ),
        Case::same(
            row::FILE,
            "it is served",
            Ask::get("/charts/a-1.0.0.tgz.prov"),
            200,
            SIGNATURE,
            crate::case::Body::Bytes(provenance("a", "1.0.0")),
        ),
        Case::same(
            row::PROVENANCE,
            "the same again",
            post(provenance("a", "1.0.0")),
            409,
            JSON,
            error("file already exists"),
        ),
        saved(
            "with force",
            Ask::post("/api/prov?force", provenance("a", "1.0.0")),
        ),
        Case::same(
            row::LIST,
            "the index does not change",
            Ask::get("/api/charts"),
            200,
            JSON,
            text("{}"),
        ),
        Case::same(
            row::PROVENANCE,
            "a name with a path",
            post(provenance("../../x", "1.0.0")),
            400,
            JSON,
            error("../../x-1.0.0.tgz.prov is improperly formatted"),
        ),
    ];
    for (name, body) in [
        ("an empty body", Vec::new()),
        ("a text", b"junk".to_vec()),
        (
            "a signed text about something else",
            b"-----BEGIN PGP SIGNED MESSAGE-----\nhello\n".to_vec(),
        ),
    ] {
        cases.push(
            Case::same(
                row::PROVENANCE,
                name,
                post(body),
                500,
                JSON,
                error("invalid provenance file"),
            )
            .but(
                400,
                JSON,
                error("invalid provenance file"),
                "it is the client's mistake",
            ),
        );
    }
    let unsigned = b"-----BEGIN PGP SIGNED MESSAGE-----\nname: u\nversion: 1.0.0\n".to_vec();
    cases.push(saved("without digests and signature", post(unsigned)).but(
        400,
        JSON,
        error("invalid provenance file"),
        "helm could use it for nothing",
    ));
    vec![Scenario::new("raw provenance files", &[], cases)]
}
