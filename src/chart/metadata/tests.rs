use proptest::prelude::*;

use super::decode::Draft;
use super::*;
use crate::chart::yaml::{self, Budget};

fn apply(draft: &mut Draft, yaml: &str) -> Result<(), FieldError> {
    draft.apply(&yaml::read(yaml.as_bytes(), Budget::for_bytes(1 << 20)).unwrap())
}

fn decode(yaml: &str) -> Result<Draft, FieldError> {
    let mut draft = Draft::default();
    apply(&mut draft, yaml).map(|()| draft)
}

/// Decodes and checks; the minimum that Helm wants is there already.
fn load(yaml: &str) -> Metadata {
    let yaml = format!("name: demo\nversion: 1.0.0\n{yaml}");
    decode(&yaml).unwrap().finish().unwrap()
}

fn refusal(yaml: &str) -> String {
    decode(yaml).unwrap().finish().unwrap_err().to_string()
}

#[test]
fn all_fields_are_read_and_unknown_ones_dropped() {
    let metadata = load(
        "apiVersion: v2\nhome: h\nsources: [s1, s2]\ndescription: d\nkeywords: [k]\n\
         maintainers: [{name: m, email: e, url: u, x: y}]\nicon: i\ncondition: c\ntags: t\n\
         appVersion: 1.10\ndeprecated: yes\nannotations: {a: 1, b: null}\nkubeVersion: '>=1'\n\
         type: library\nengine: gotpl\ndigest: x\ncreated: y\nurls: [z]\n\
         dependencies: [{name: d, version: 1.0, repository: r, condition: c, tags: [t], enabled: on, \
         import-values: [a, {child: 1, parent: [2.5]}, ~, true], alias: al}]",
    );
    let json = serde_json::to_string(&metadata).unwrap();
    let expected = r#"{"name":"demo","home":"h","sources":["s1","s2"],"version":"1.0.0","description":"d","keywords":["k"],"maintainers":[{"name":"m","email":"e","url":"u"}],"icon":"i","apiVersion":"v2","condition":"c","tags":"t","appVersion":"1.1","deprecated":true,"annotations":{"a":"1","b":""},"kubeVersion":">=1","dependencies":[{"name":"d","version":"1","repository":"r","condition":"c","tags":["t"],"enabled":true,"import-values":["a",{"child":1.0,"parent":[2.5]},null,true],"alias":"al"}],"type":"library"}"#;
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
}

#[test]
fn keys_match_without_regard_to_case() {
    assert_eq!(load("HOME: h\nAppVersion: 1\n").home, "h");
    assert_eq!(load("ſources: [s]\n").sources, ["s"]);
    assert_eq!(load("\u{212A}eywords: [k]\n").keywords, ["k"]);
    // Go sorts the keys before it decodes them, so that the lower-case one wins.
    assert_eq!(load("home: lower\nHOME: upper\n").home, "lower");
    let both = load("Maintainers: [{name: a, url: u}, {name: b}]\nmaintainers: [{name: c}]\n");
    assert_eq!(both.maintainers.len(), 1);
    assert_eq!(
        (&*both.maintainers[0].name, &*both.maintainers[0].url),
        ("c", "u")
    );
}

#[test]
fn nulls_are_absent() {
    let metadata = load(
        "home: ~\nsources: ~\nkeywords: [~, a]\nannotations: ~\ndeprecated: ~\nmaintainers: ~",
    );
    assert_eq!(metadata.keywords, ["", "a"]);
    assert_eq!(metadata.home, "");
    assert!(metadata.sources.is_empty() && metadata.maintainers.is_empty());
}

#[test]
fn wrong_types_name_the_field() {
    let cases = [
        ("name: [a]", "field `name` must be a text, not a list"),
        (
            "Version: {a: b}",
            "field `Version` must be a text, not a mapping",
        ),
        (
            "deprecated: 'true'",
            "field `deprecated` must be a boolean, not a text",
        ),
        (
            "deprecated: 1",
            "field `deprecated` must be a boolean, not a number",
        ),
        ("sources: a", "field `sources` must be a list, not a text"),
        (
            "keywords: [a, [b]]",
            "field `keywords[1]` must be a text, not a list",
        ),
        (
            "annotations: [a]",
            "field `annotations` must be a mapping, not a list",
        ),
        (
            "annotations: {a: {b: c}}",
            "field `annotations.a` must be a text, not a mapping",
        ),
        (
            "maintainers: [joe]",
            "field `maintainers[0]` must be a mapping, not a text",
        ),
        (
            "maintainers: [{name: [a]}]",
            "field `maintainers[0].name` must be a text, not a list",
        ),
        (
            "dependencies: {a: b}",
            "field `dependencies` must be a list, not a mapping",
        ),
        (
            "dependencies: [{enabled: 1}]",
            "field `dependencies[0].enabled` must be a boolean, not a number",
        ),
        (
            "dependencies: [{import-values: a}]",
            "field `dependencies[0].import-values` must be a list, not a text",
        ),
        (
            "dependencies: [{import-values: [.inf]}]",
            "field `dependencies[0].import-values` must be finite numbers, not infinity or not-a-number",
        ),
        (
            "unknown: [.nan]",
            "field `unknown` must be finite numbers, not infinity or not-a-number",
        ),
        ("[a]", "the document must be a mapping, not a list"),
        ("text", "the document must be a mapping, not a text"),
    ];
    for (yaml, expected) in cases {
        assert_eq!(decode(yaml).unwrap_err().to_string(), expected, "{yaml}");
    }
}

#[test]
fn checks_come_in_helms_order() {
    let cases = [
        ("", "chart.metadata.name is required"),
        ("name: \"\\e\"", "chart.metadata.name is required"),
        ("name: .", "chart.metadata.name \".\" is not allowed"),
        ("name: ..", "chart.metadata.name \"..\" is not allowed"),
        ("name: a/b", "chart.metadata.name \"a/b\" is invalid"),
        ("name: ../a", "chart.metadata.name \"../a\" is invalid"),
        ("name: a/", "chart.metadata.name \"a/\" is invalid"),
        ("name: /", "chart.metadata.name \"/\" is invalid"),
        ("name: a", "chart.metadata.version is required"),
        (
            "name: a\nversion: x\ntype: y",
            "chart.metadata.version \"x\" is invalid",
        ),
        (
            "name: a\nversion: 1\ntype: Library",
            "chart.metadata.type must be application or library",
        ),
        (
            "name: a\nversion: 1\nmaintainers: [~]",
            "maintainers must not contain empty or null nodes",
        ),
        (
            "name: a\nversion: 1\ndependencies: [~]",
            "dependencies must not contain empty or null nodes",
        ),
        (
            "name: a\nversion: 1\ndependencies: [{name: x, alias: a.b}]",
            "dependency \"x\" has disallowed characters in the alias",
        ),
        (
            "name: a\nversion: 1\ndependencies: [{name: x}, {name: x}]",
            "more than one dependency with name or alias \"x\"",
        ),
        (
            "name: a\nversion: 1\ndependencies: [{name: x}, {name: y, alias: x}]",
            "more than one dependency with name or alias \"x\"",
        ),
    ];
    for (yaml, expected) in cases {
        assert_eq!(refusal(yaml), format!("validation: {expected}"), "{yaml}");
    }
}

#[test]
fn what_helm_does_not_check_passes() {
    for yaml in [
        "name: a b\nversion: v1",
        "name: é\\\nversion: '01.2'",
        "name: x\nversion: 1-a+b\napiVersion: v9",
    ] {
        decode(yaml).unwrap().finish().unwrap();
    }
    let metadata = load("dependencies: [{name: x}, {name: x, alias: y}]");
    assert_eq!(metadata.dependencies.len(), 2);
    assert_eq!(metadata.api_version, "v1");
}

#[test]
fn texts_are_sanitised_where_helm_does() {
    let metadata = load(
        "description: \"a\\nb\\e\"\nsources: [\"a\\tb\"]\nmaintainers: [{name: \"a\\nb\"}]\n\
         annotations: {k: \"a\\nb\"}\ndependencies: [{name: \"a\\nb\", alias: x, tags: [\"\\e\"]}]",
    );
    assert_eq!(metadata.description, "a b");
    assert_eq!(metadata.sources, ["a b"]);
    assert_eq!(metadata.maintainers[0].name, "a b");
    assert_eq!(metadata.dependencies[0].name, "a b");
    assert_eq!(metadata.dependencies[0].tags, [""]);
    assert_eq!(metadata.annotations["k"], "a\nb");
}

#[test]
fn a_second_document_is_decoded_over_the_first() {
    let mut draft =
        decode("name: a\nversion: 1.0.0\nsources: [x, y]\nannotations: {k: 1, l: 2}").unwrap();
    apply(&mut draft, "name: b\nsources: [~]\nannotations: {l: 3}").unwrap();
    let metadata = draft.finish().unwrap();
    assert_eq!(metadata.name, "b");
    assert_eq!(metadata.version, "1.0.0");
    assert_eq!(metadata.sources, ["x"]);
    assert_eq!(metadata.annotations["k"], "1");
    assert_eq!(metadata.annotations["l"], "3");
}

#[test]
fn checked_metadata_stays_the_same_when_it_is_checked_again() {
    let metadata = load("description: \"a\\nb\"\ndependencies: [{name: x}]\nmaintainers: [{}]");
    assert_eq!(metadata.clone().validated().unwrap(), metadata);
    let invalid = Metadata {
        name: "a/b".to_owned(),
        ..metadata
    };
    assert!(invalid.validated().is_err());
}

proptest! {
    #[test]
    fn any_texts_survive_json(
        name in "\\PC{1,10}",
        value in "\\PC{0,20}",
        number in any::<f64>().prop_filter("JSON has no infinities", |number| number.is_finite()),
    ) {
        let dependency = Dependency {
            import_values: vec![ImportValue::Number(number), ImportValue::Text(value.clone())],
            ..Dependency::default()
        };
        let metadata = Metadata {
            annotations: [(name.clone(), value.clone())].into(),
            keywords: vec![value],
            dependencies: vec![dependency],
            name,
            ..Metadata::default()
        };
        let json = serde_json::to_string(&metadata).unwrap();
        prop_assert_eq!(serde_json::from_str::<Metadata>(&json).unwrap(), metadata);
    }
}
