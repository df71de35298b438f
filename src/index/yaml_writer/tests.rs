//! The writer against what go-yaml printed.

use super::*;

/// Each line is a text and what sigs.k8s.io/yaml 1.6.0 with go.yaml.in/yaml/v2 2.4.4 (Helm's) printed
/// for a document with that text as a value, in a list, as a key and as a value below it.
const VECTORS: &str = include_str!("../../../tests/vectors/yaml.jsonl");

#[test]
fn texts_are_written_as_go_yaml_writes_them() {
    let mut differences = Vec::new();
    for line in VECTORS.lines() {
        let (text, expected): (String, String) = serde_json::from_str(line).unwrap();
        // Helm cannot print a key with a next-line character at all.
        let key = if text.contains('\u{85}') {
            "key"
        } else {
            &text
        };
        let annotations = vec![(key, Node::text(&text))];
        let entry = Node::Map(vec![
            ("description", Node::text(&text)),
            (
                "keywords",
                Node::List(vec![Node::text(&text), Node::text("x")]),
            ),
            ("annotations", Node::Map(annotations)),
        ]);
        let mut out = Vec::new();
        write_pair("entry", &entry, &mut out);
        let written = String::from_utf8(out).unwrap();
        if written != expected {
            differences.push((text, written, expected));
        }
    }
    for (text, written, expected) in differences.iter().take(10) {
        println!("{text:?}\n--- written\n{written}\n--- expected\n{expected}");
    }
    assert_eq!(differences.len(), 0);
}
