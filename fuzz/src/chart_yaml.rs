//! `Chart.yaml`, and YAML as such.

use chartroom::chart::archive::{self, Acceptance};
use chartroom::chart::yaml::{self, Budget, Node};
use chartroom::chart::{FileName, Limits, Metadata};
use chartroom::index::{Entry, Format, Index, IndexFile, json_writer, timestamp};
use flate2::Compression;

use crate::{tar, values};

const BUDGET: Budget = Budget {
    bytes: 16 << 10,
    nodes: 2_000,
    depth: 24,
    repeated: 64 << 10,
};

/// Takes the bytes for a document, and for a `Chart.yaml`.
pub fn run(bytes: &[u8]) {
    if let Ok(document) = yaml::read(bytes, BUDGET) {
        check_document(&document);
    }
    check_chart(bytes);
}

fn check_document(document: &Node) {
    // An alias weighs 16 at least, and what it repeats may weigh as much as is left.
    assert!(values::count(document) <= 2 * (BUDGET.nodes + BUDGET.repeated / 16));
    assert!(values::depth(document) <= BUDGET.depth + 1);
    if !document.is_finite() {
        return;
    }
    let mut json = Vec::new();
    json_writer::write_yaml(document, &mut json);
    let value: serde_json::Value = serde_json::from_slice(&json).expect("JSON was written");
    assert_eq!(values::with_floats(value), values::of_node(document));
    let text = String::from_utf8(json).expect("JSON is text");
    if values::is_yaml_too(&text) && !text.contains("\"<<\"") {
        let again = yaml::read(text.as_bytes(), Budget::for_bytes(16 << 20));
        let again = again.unwrap_or_else(|error| panic!("{error}: {text}"));
        // Of zeros only floats have a sign.
        assert_eq!(values::of_node(&again), values::of_node(document), "{text}");
    }
}

fn check_chart(bytes: &[u8]) {
    let Ok(metadata) = load(bytes, Acceptance::Helm) else {
        assert!(load(bytes, Acceptance::Upload).is_err());
        return;
    };
    let again = metadata.clone().validated().expect("was validated before");
    assert_eq!(again, metadata);
    let json = serde_json::to_vec(&metadata).expect("metadata is JSON");
    let again: Metadata = serde_json::from_slice(&json).expect("metadata was written");
    assert_eq!(again, metadata);
    assert!(
        !matches!(&*metadata.name, "" | "." | ".."),
        "{}",
        metadata.name
    );
    assert!(!metadata.name.contains('/'));
    if let Ok(file) = FileName::of(&metadata) {
        assert!(!file.as_str().starts_with('.'));
    }
    if let Ok(upload) = load(bytes, Acceptance::Upload) {
        assert_eq!(upload, metadata);
        assert!(json.len() <= Limits::default().rendered_bytes);
        check_index(metadata);
    }
}

fn load(chart: &[u8], acceptance: Acceptance) -> Result<Metadata, archive::ArchiveError> {
    let mut packed = Vec::new();
    tar::push(&mut packed, b'0', "demo/Chart.yaml", chart);
    let packed = tar::gzip(&packed, Compression::none());
    archive::read(&packed, &Limits::default(), acceptance).map(|chart| chart.metadata)
}

/// What may be uploaded is read out of an index as it went in, and may be a `Chart.yaml` again.
fn check_index(metadata: Metadata) {
    let mut index = Index::default();
    let entry = Entry {
        metadata,
        urls: vec!["charts/x.tgz".to_owned()],
        created: timestamp::zero(),
        digest: "0".repeat(64),
        removed: false,
        checksum: String::new(),
        engine: String::new(),
        tiller_version: String::new(),
        url: String::new(),
    };
    index.insert(&entry, "x.tgz");
    let json = index.iter_json().next().expect("one was inserted").json;
    let json = String::from_utf8_lossy(&json);
    let folds = json.contains('\u{85}');
    for format in [Format::Yaml, Format::Json] {
        let body = index.body(format, &timestamp::zero(), Some("/ctx"));
        let bytes: Vec<u8> = body.chunks().flatten().collect();
        let text = String::from_utf8_lossy(&bytes);
        let file = IndexFile::parse(&bytes).unwrap_or_else(|error| panic!("{error:?}: {text}"));
        let (entries, skipped) = file.into_entries();
        assert!(skipped.is_empty(), "{skipped:?}: {text}");
        if format == Format::Json || !folds {
            assert_eq!(entries, std::slice::from_ref(&entry), "{text}");
        }
    }
    if !folds && values::is_yaml_too(&json) {
        let again = load(json.as_bytes(), Acceptance::Upload);
        let again = again.unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(again, entry.metadata, "{json}");
    }
}
