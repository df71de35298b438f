//! What is said of the metrics elsewhere, held against what is exposed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::metrics::{server, traffic};
use crate::scrape::Scrape;

async fn scrape() -> Scrape {
    let server = server().await;
    traffic(&server).await;
    Scrape::of(&server).await
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(file);
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn the_table_of_the_documentation_is_what_is_exposed() {
    let scrape = scrape().await;
    let mut exposed = scrape.families();
    let text = read("operations.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [name, kind, labels, _, ""] = cells[..] else {
            continue; // Of another table.
        };
        let labels = labels.split(", ").map(|label| label.trim_matches('`'));
        let labels: BTreeSet<&str> = labels.filter(|label| !label.is_empty()).collect();
        documented.insert(name.trim_matches('`'), (kind, labels));
    }
    if !cfg!(target_os = "linux") {
        documented.retain(|name, _| !name.starts_with("process_"));
        exposed.retain(|name, _| !name.starts_with("process_"));
    }
    assert!(documented.len() > 30, "the table was not found");
    assert_eq!(documented, exposed);
}

/// A part of a query.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Sign(char),
}

/// Cuts an expression up; texts and durations are left out.
fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '"' => while rest.next().is_some_and(|inner| inner != '"') {},
            '[' => while rest.next().is_some_and(|inner| inner != ']') {},
            letter if letter.is_ascii_alphabetic() || letter == '_' => {
                let mut word = letter.to_string();
                let is_inside =
                    |next: &char| next.is_ascii_alphanumeric() || matches!(next, '_' | ':');
                while let Some(next) = rest.next_if(is_inside) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            // A number is not a word, even if letters follow.
            letter if letter.is_ascii_digit() => {
                while rest
                    .next_if(|it| it.is_ascii_alphanumeric() || *it == '.')
                    .is_some()
                {}
            }
            letter if letter.is_whitespace() => {}
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

const FUNCTIONS: [&str; 8] = [
    "count",
    "histogram_quantile",
    "increase",
    "max",
    "min",
    "rate",
    "sum",
    "vector",
];
const OPERATORS: [&str; 3] = ["and", "or", "unless"];
const GROUPINGS: [&str; 4] = ["by", "on", "ignoring", "without"];
/// The labels that the scraper adds to each series.
const OF_THE_TARGET: [&str; 2] = ["instance", "job"];

/// Checks that an expression uses series and labels that are exposed. What it does not know is a
/// failure. Returns the series.
fn check(expression: &str, exposed: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeSet<String> {
    // Grafana's: the values of a label.
    if let Some(inner) = expression.strip_prefix("label_values(") {
        let (selector, label) = inner.strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
        return check(&format!("sum by ({label}) ({selector})"), exposed);
    }
    let tokens = tokens(expression);
    let mut series: BTreeSet<String> = BTreeSet::new();
    let mut grouped: Vec<String> = Vec::new();
    let mut at = 0;
    let word = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word.as_str()),
        _ => None,
    };
    let sign = |at: usize, sign: char| tokens.get(at) == Some(&Token::Sign(sign));
    while at < tokens.len() {
        let Some(name) = word(at) else {
            at += 1;
            continue;
        };
        at += 1;
        if OPERATORS.contains(&name) {
            continue;
        }
        if FUNCTIONS.contains(&name) {
            let is_called = sign(at, '(') || word(at).is_some_and(|next| GROUPINGS.contains(&next));
            assert!(is_called, "{name} in {expression}");
            continue;
        }
        if GROUPINGS.contains(&name) {
            assert!(sign(at, '('), "{expression}");
            while !sign(at, ')') {
                grouped.extend(word(at).map(str::to_owned));
                at += 1;
            }
            continue;
        }
        if name == "up" {
            assert!(sign(at, '{'), "{expression}");
        }
        let no_labels = BTreeSet::new();
        let labels = match name {
            "up" => &no_labels,
            _ => exposed
                .get(name)
                .unwrap_or_else(|| panic!("{name} is not exposed: {expression}")),
        };
        series.insert(name.to_owned());
        if sign(at, '{') {
            while !sign(at, '}') {
                if let Some(label) = word(at) {
                    let is_known = labels.contains(label) || OF_THE_TARGET.contains(&label);
                    assert!(is_known, "{name} has no {label}: {expression}");
                }
                at += 1;
            }
        }
    }
    assert!(!series.is_empty(), "no series: {expression}");
    for label in &grouped {
        let has = |name: &String| {
            exposed
                .get(name.as_str())
                .is_some_and(|it| it.contains(label.as_str()))
        };
        let is_known = series.iter().any(has) || OF_THE_TARGET.contains(&label.as_str());
        assert!(is_known, "nothing has {label}: {expression}");
    }
    series
}

/// The values of a key, wherever it stands.
fn values<'a>(json: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match json {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if name == key => found.push(text),
                    other => values(other, key, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| values(value, key, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_dashboard_uses_what_is_exposed() {
    let scrape = scrape().await;
    let exposed = scrape.series();
    let dashboard: Value =
        serde_json::from_str(&read("monitoring/grafana-dashboard.json")).unwrap();
    let mut expressions = Vec::new();
    values(&dashboard, "expr", &mut expressions);
    values(&dashboard, "definition", &mut expressions);
    assert!(expressions.len() > 40, "{}", expressions.len());
    let mut used = BTreeSet::new();
    for expression in expressions {
        used.extend(check(expression, &exposed));
    }
    // Everything that is counted is shown somewhere.
    let shown = |name: &&&str| {
        let family = name.trim_end_matches("_bucket").trim_end_matches("_sum");
        let family = family.trim_end_matches("_count");
        used.iter().any(|used| used.starts_with(family))
    };
    let ours = exposed.keys().filter(|name| name.starts_with("chart"));
    let hidden: Vec<&&str> = ours.filter(|name| !shown(name)).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    // Each panel asks the source that a person chose, and no two have the same number.
    let panels = dashboard["panels"].as_array().unwrap();
    let numbers: BTreeSet<u64> = panels.iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert_eq!(numbers.len(), panels.len());
    let mut sources = Vec::new();
    values(&dashboard["panels"], "uid", &mut sources);
    assert!(sources.iter().all(|source| *source == "${datasource}"));
}

#[tokio::test]
async fn the_alerts_use_what_is_exposed() {
    let scrape = scrape().await;
    let exposed = scrape.series();
    let rules: Value = serde_yaml::from_str(&read("monitoring/alerts.yaml")).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    let mut names = BTreeSet::new();
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        check(rule["expr"].as_str().unwrap(), &exposed);
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(
            ["info", "warning", "critical"].contains(&severity),
            "{name}"
        );
        let annotations = &rule["annotations"];
        for annotation in ["summary", "description"] {
            assert!(annotations[annotation].is_string(), "{name}: {annotation}");
        }
        // What a text says of a metric must be right, too.
        let description = annotations["description"].as_str().unwrap();
        for word in
            description.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        {
            let is_metric = word.starts_with("chartroom_") || word.starts_with("process_");
            assert!(!is_metric || exposed.contains_key(word), "{name}: {word}");
        }
    }
    assert!(names.len() >= 8, "{names:?}");
}

#[test]
fn expressions_with_unknown_names_are_refused() {
    let exposed = BTreeMap::from([
        ("a_total", BTreeSet::from(["code"])),
        ("b", BTreeSet::from(["repo"])),
    ]);
    for right in [
        "sum by (code) (rate(a_total{code=~\"5..\", job=~\"$job\"}[5m])) / 2e3 > 0.1",
        "max(b) and on (instance) increase(a_total[$__rate_interval]) > 0",
        "label_values(b{job=~\"$job\"}, repo)",
        "label_values(b, repo)",
        "up{job=\"x\"} == 0",
    ] {
        check(right, &exposed);
    }
    for wrong in [
        "rate(c_total[5m])",
        "a_total{repo=\"\"}",
        "sum by (repo) (a_total)",
        "label_values(a_total, repo)",
        "avg(b)",
        "1 > 2",
    ] {
        let checked = std::panic::catch_unwind(|| check(wrong, &exposed));
        assert!(checked.is_err(), "{wrong}");
    }
}
