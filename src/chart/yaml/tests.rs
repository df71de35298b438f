use proptest::prelude::*;

use super::*;

const SCALARS: &str = include_str!("../../../tests/vectors/scalars.tsv");
const BUDGET: Budget = Budget::for_bytes(1 << 20);

/// Reads and prints in a form that shows the kinds.
fn show(yaml: &str) -> String {
    match read(yaml.as_bytes(), BUDGET) {
        Ok(node) => print(&node),
        Err(error) => format!("error: {error}"),
    }
}

fn print(node: &Node) -> String {
    match node {
        Node::Scalar(Scalar::Text(text)) => format!("{text:?}"),
        Node::Scalar(scalar) => scalar.to_text().unwrap_or_else(|| "null".to_owned()),
        Node::List(items) => {
            let items: Vec<String> = items.iter().map(|item| print(item)).collect();
            format!("[{}]", items.join(", "))
        }
        Node::Map(fields) => {
            let fields = fields.iter();
            let fields: Vec<String> = fields
                .map(|(key, value)| format!("{key}: {}", print(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

#[test]
fn scalars_become_the_texts_of_helm() {
    let mut count = 0;
    for line in SCALARS.lines().filter(|line| !line.starts_with('#')) {
        let (written, expected) = line.split_once('\t').unwrap();
        let written: String = serde_json::from_str(written).unwrap();
        let document = format!("annotations:\n  k: {written}\n");
        let actual = annotation(&document);
        if expected == "refused" {
            assert_eq!(actual, None, "{written:?}");
        } else {
            let expected: String = serde_json::from_str(expected).unwrap();
            assert_eq!(actual, Some(expected), "{written:?}");
        }
        count += 1;
    }
    assert!(count > 500);
}

fn annotation(document: &str) -> Option<String> {
    let mut draft = crate::chart::metadata::decode::Draft::default();
    draft.apply(&read(document.as_bytes(), BUDGET).ok()?).ok()?;
    draft.metadata.annotations.remove("k")
}

#[test]
fn structure_is_read_as_go_yaml_does() {
    let cases = [
        ("", "null"),
        ("# only a comment\n", "null"),
        ("---\n", "null"),
        ("a: 1\nb: two\n", "{a: 1, b: \"two\"}"),
        ("{\"a\": [1, null, true]}", "{a: [1, null, true]}"),
        ("a: 1\na: 2\n", "{a: 2}"),
        ("a: 1\n---\nb: [\n", "{a: 1}"),
        ("\u{FEFF}a: 1", "{a: 1}"),
        (
            "1.10: a\n0x10: b\nyes: c\n.inf: d\n2020-01-01: e",
            "{.inf: \"d\", 1.1: \"a\", 16: \"b\", 2020-01-01: \"e\", true: \"c\"}",
        ),
        ("a: &x 1\nb: *x\n", "{a: 1, b: 1}"),
        ("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"),
        ("&k a: 1\nb: *k\n", "{a: 1, b: \"a\"}"),
        (
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n",
            "{a: {p: 1, q: 2}, b: {p: 1, q: 3}}",
        ),
        (
            "a: &x {p: 1, q: 2}\nb: {q: 3, <<: *x}\n",
            "{a: {p: 1, q: 2}, b: {p: 1, q: 2}}",
        ),
        ("b: {<<: [{p: 1}, {p: 2, q: 2}]}\n", "{b: {p: 1, q: 2}}"),
        ("{\"<<\": {p: 1}}", "{<<: {p: 1}}"),
        ("{!!merge <<: {p: 1}}", "{p: 1}"),
        ("a: |\n  text", "{a: \"text\"}"),
        ("a: |\n  text\n\n", "{a: \"text\\n\"}"),
        ("a: >+\n  x\n  y\n\n", "{a: \"x y\\n\\n\"}"),
        (
            "a: b\u{85}c: d\u{2028}e: f",
            "{a: \"b\", c: \"d\", e: \"f\"}",
        ),
        ("a: b\rc: d\r\ne: f", "{a: \"b\", c: \"d\", e: \"f\"}"),
    ];
    for (yaml, expected) in cases {
        assert_eq!(show(yaml), expected, "{yaml:?}");
    }
}

#[test]
fn what_go_yaml_refuses_is_refused() {
    let cases = [
        ("a: [", "line"),
        ("a: b: c", "line"),
        ("a: @b", "line"),
        ("a: *x", "line"),
        ("a: \"\\/\"", "unknown escape"),
        ("a: \"\\ud83d\\ude00\"", "unknown escape"),
        ("a: \u{7F}", "control characters"),
        ("a: \u{0}", "control characters"),
        ("a: \u{FFFE}", "control characters"),
        ("~: a", "null cannot be a mapping key"),
        ("? [a]\n: b", "a list cannot be a mapping key"),
        ("? {a: b}\n: c", "a mapping cannot be a mapping key"),
        (
            "18446744073709551615: a",
            "a number cannot be a mapping key",
        ),
        ("a: &a [*a]", "contains itself"),
        ("a: &a {b: *a}", "contains itself"),
        ("<<: 1", "map merge"),
        ("<<: [1]", "map merge"),
        ("a: &a [{p: 1}]\nb: {<<: *a}", "map merge"),
        ("a: !!int x", "cannot decode `x` as a !!int"),
        ("a: !!binary x", "base64"),
    ];
    for (yaml, expected) in cases {
        let shown = show(yaml);
        assert!(
            shown.starts_with("error:") && shown.contains(expected),
            "{yaml:?}: {shown}"
        );
    }
    assert!(matches!(read(b"a: \xFF", BUDGET), Err(YamlError::Encoding)));
}

#[test]
fn escapes_are_found_in_double_quotes_only() {
    for yaml in [
        "a: '\\/'",
        "a: \\/",
        "a: \"\\\\/\"",
        "a: \"x\" # \\/",
        "a: \"\\u00e9\"",
    ] {
        assert!(!show(yaml).starts_with("error"), "{yaml}");
    }
}

#[test]
fn utf_16_is_recognised_by_its_mark() {
    let text = "name: é😀\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = [0xFEFF]
        .iter()
        .chain(&units)
        .flat_map(|unit: &u16| unit.to_le_bytes())
        .collect();
    let big: Vec<u8> = [0xFEFF]
        .iter()
        .chain(&units)
        .flat_map(|unit: &u16| unit.to_be_bytes())
        .collect();
    for bytes in [&little, &big] {
        assert_eq!(print(&read(bytes, BUDGET).unwrap()), "{name: \"é😀\"}");
        assert!(read(&bytes[..bytes.len() - 1], BUDGET).is_err());
    }
}

#[test]
fn each_budget_holds() {
    let budget = Budget {
        bytes: 400,
        nodes: 40,
        depth: 5,
        repeated: 1000,
    };
    let error = |yaml: &str| read(yaml.as_bytes(), budget).unwrap_err().to_string();
    assert_eq!(error(&"#".repeat(401)), "YAML is longer than 400 bytes");
    assert_eq!(error(&"- a\n".repeat(40)), "YAML has more than 40 values");
    assert_eq!(
        error("[[[[[[x]]]]]]"),
        "YAML is nested deeper than 5 levels"
    );
    let text = "x".repeat(200);
    assert_eq!(
        error(&format!("[&a {text}{}]", ", *a".repeat(6))),
        "YAML contains excessive aliasing"
    );
    read(b"[[[[[x]]]]]", budget).unwrap();
    read(format!("[&a {text}, *a, *a]").as_bytes(), budget).unwrap();
}

/// Depth costs stack wherever somebody walks over the values: 20 KB of such aliases once ended the
/// process.
#[test]
fn aliases_do_not_nest_deeper_than_what_is_written_out_may() {
    let nested = |levels: usize| {
        let first = "a0: &a0 [x]\n".to_owned();
        (1..levels).fold(first, |text, level| {
            format!("{text}a{level}: &a{level} [*a{}]\n", level - 1)
        })
    };
    read(nested(BUDGET.depth - 1).as_bytes(), BUDGET).unwrap();
    let error = read(nested(BUDGET.depth).as_bytes(), BUDGET).unwrap_err();
    assert!(matches!(error, YamlError::TooDeep(_)), "{error}");
    let merged = "a: &a {b: [[x]]}\nc: {d: {<<: *a}}\n";
    let budget = |depth| Budget { depth, ..BUDGET };
    read(merged.as_bytes(), budget(6)).unwrap();
    let error = read(merged.as_bytes(), budget(5)).unwrap_err();
    assert!(matches!(error, YamlError::TooDeep(_)), "{error}");
}

#[test]
fn infinities_are_found_behind_aliases() {
    for yaml in [".inf", "[.nan]", "a: {b: -.inf}", "a: &x [.inf]\nb: *x"] {
        assert!(
            !read(yaml.as_bytes(), BUDGET).unwrap().is_finite(),
            "{yaml}"
        );
    }
    assert!(read(b"a: [1e308, '.inf']", BUDGET).unwrap().is_finite());
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    name: String,
    #[serde(default)]
    numbers: Vec<u8>,
}

#[test]
fn plain_types_are_filled_under_the_same_budgets() {
    let plain: Plain = from_str("name: x\nnumbers: [1, 2]\n", BUDGET).unwrap();
    assert_eq!(
        plain,
        Plain {
            name: "x".to_owned(),
            numbers: vec![1, 2]
        }
    );
    let error = |yaml: &str| from_str::<Plain>(yaml, BUDGET).unwrap_err();
    assert!(matches!(error("name: x\nother: y"), YamlError::Data(_)));
    assert!(matches!(error("name: ["), YamlError::Syntax { .. }));
    assert!(matches!(
        error(&("[".repeat(200) + &"]".repeat(200))),
        YamlError::TooDeep(_)
    ));
    assert!(matches!(error(&"#".repeat(2 << 20)), YamlError::TooLong(_)));
    let text = "x".repeat(500_000);
    let bomb = format!("name: &a {text}\nnumbers: [{}]", "*a,".repeat(1000));
    assert!(matches!(error(&bomb), YamlError::TooManyAliases));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, BUDGET);
    }

    #[test]
    fn arbitrary_yaml_never_panics(text in "([-:,?&*!|>'\"%@#{}\\[\\]a1.~<= \n\t]|: |- |\n  |&a|\\*a|<<: |!!int ){0,60}") {
        let _ = read(text.as_bytes(), BUDGET);
        let _ = from_str::<Plain>(&text, BUDGET);
    }

    #[test]
    fn every_json_text_is_read_back(text in "\\PC{0,40}") {
        prop_assume!(!text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{FEFF}']));
        let json = serde_json::to_string(&text).unwrap();
        if let Ok(node) = read(json.as_bytes(), BUDGET) {
            prop_assert_eq!(node, Node::Scalar(Scalar::Text(text.into())));
        }
    }

    #[test]
    fn integers_are_read_back(number in any::<i64>()) {
        prop_assert_eq!(show(&number.to_string()), number.to_string());
        prop_assert_eq!(show(&format!("{number:#x}")).is_empty(), false);
    }
}
