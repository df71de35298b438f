//! The threat model, and the tests that it names.

use std::fs;
use std::path::Path;

use super::section10::is_test;

const DOCUMENT: &str = include_str!("../../docs/security.md");
const TITLE: &str = "## Threats and the tests that cover them";

/// The rows of the table, as their cells.
fn rows() -> Vec<Vec<&'static str>> {
    let (_, section) = DOCUMENT.split_once(TITLE).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &'static str| line.trim_matches('|').split(" | ").map(str::trim).collect();
    lines.skip(1).map(cells).collect()
}

#[test]
fn every_threat_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = rows();
    let mut named = 0;
    for row in &rows {
        let [class, known, done, tests] = row[..] else {
            panic!("a row has {} cells: {row:?}", row.len());
        };
        assert!(!known.is_empty() && !done.is_empty(), "{class}");
        let tests: Vec<&str> = tests
            .split(", ")
            .map(|test| test.trim_matches('`'))
            .collect();
        assert!(!tests.is_empty(), "nothing covers: {class}");
        for test in tests {
            let (file, function) = test
                .split_once("::")
                .unwrap_or_else(|| panic!("{class}: {test}"));
            let text = fs::read_to_string(root.join(file));
            let text = text.unwrap_or_else(|error| panic!("{class}: {file}: {error}"));
            assert!(
                is_test(&text, function),
                "{class}: no test {function} in {file}"
            );
            named += 1;
        }
    }
    println!(
        "{} classes of threats, covered by {named} tests",
        rows.len()
    );
    assert!(rows.len() > 20, "{} rows", rows.len());
}
