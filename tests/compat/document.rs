//! docs/compatibility.md, held against the routes, the options and the table of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use axum::http::Method;
use chartroom::config::options::{self, Here};
use chartroom::http::routes::ROUTES;

use crate::cases;
use crate::report::say;
use crate::subject::chartmuseum;

/// A row of one of the tables about ChartMuseum.
#[derive(Clone, Debug)]
struct Row {
    section: String,
    name: String,
    verdict: String,
    text: String,
}

/// ChartMuseum's own routes.
const THEIRS: [(&str, &str); 19] = [
    ("GET", "/"),
    ("GET", "/info"),
    ("GET", "/health"),
    ("GET", "/metrics"),
    ("GET", "/index.yaml"),
    ("HEAD", "/index.yaml"),
    ("GET", "/charts/{file}"),
    ("GET", "/artifacthub-repo.yml"),
    ("GET", "/static"),
    ("GET", "/api/charts"),
    ("GET", "/api/charts/{name}"),
    ("HEAD", "/api/charts/{name}"),
    ("GET", "/api/charts/{name}/{version}"),
    ("HEAD", "/api/charts/{name}/{version}"),
    ("GET", "/api/charts/{name}/{version}/templates"),
    ("GET", "/api/charts/{name}/{version}/values"),
    ("POST", "/api/charts"),
    ("POST", "/api/prov"),
    ("DELETE", "/api/charts/{name}/{version}"),
];

const DOCUMENT: &str = include_str!("../../docs/compatibility.md");

const VERDICTS: [&str; 5] = ["same", "fixed", "not needed", "not taken", "new"];

/// The rows of the sections about ChartMuseum.
fn rows() -> Vec<Row> {
    let mut section = String::new();
    let mut rows = Vec::new();
    for line in DOCUMENT.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        let cells: Vec<&str> = line.split(" | ").collect();
        let &[name, verdict, text] = cells.as_slice() else {
            continue;
        };
        if section.starts_with("ChartMuseum: ") && !verdict.is_empty() && name != "|---|---|---|" {
            rows.push(Row {
                section: section.clone(),
                name: name.trim_start_matches("| ").to_owned(),
                verdict: verdict.to_owned(),
                text: text.trim_end_matches('|').trim().to_owned(),
            });
        }
    }
    rows
}

/// What stands in backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_option_has_one_row() {
    let rows = rows();
    let mut found: Vec<(&str, &str)> = Vec::new();
    for row in rows.iter().filter(|row| row.section.ends_with("options")) {
        let flag = code(&row.name).next().expect("a flag");
        found.push((flag.trim_start_matches("--"), &row.verdict));
    }
    let wanted: Vec<(&str, &str)> = options::ALL
        .iter()
        .filter_map(|definition| {
            let verdict = match definition.museum?.here {
                Here::Same => "same",
                Here::Differs(_) => "fixed",
                Here::NotNeeded(_) => "not needed",
                Here::Refused(_) => "not taken",
            };
            Some((definition.name, verdict))
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn every_route_has_one_row() {
    let mut named = BTreeMap::new();
    for row in rows().iter().filter(|row| row.section.ends_with("routes")) {
        let route = code(&row.name).next().expect("a route");
        let (method, pattern) = route.split_once(' ').expect("method and path");
        let is_form = row.name.ends_with("as a form");
        let key = (method.to_owned(), pattern.to_owned(), is_form);
        let earlier = named.insert(key, row.verdict.clone());
        assert!(earlier.is_none(), "two rows for {route}");
    }
    for (method, pattern) in THEIRS {
        let verdict = named.get(&(method.to_owned(), pattern.to_owned(), false));
        assert!(
            verdict.is_some_and(|verdict| verdict != "new"),
            "{method} {pattern}: {verdict:?}"
        );
    }
    for route in ROUTES {
        let key = |method: &Method| (method.to_string(), route.pattern.to_owned(), false);
        // That HEAD is answered wherever GET is has a row of its own.
        let has_row = named.contains_key(&key(&route.method))
            || route.method == Method::HEAD && named.contains_key(&key(&Method::GET));
        assert!(has_row, "no row for {} {}", route.method, route.pattern);
    }
    for ((method, pattern, _), verdict) in &named {
        let is_ours = ROUTES
            .iter()
            .any(|route| route.method == method.as_str() && route.pattern == *pattern);
        assert_eq!(
            is_ours,
            verdict != "not taken",
            "{method} {pattern} is {verdict}"
        );
        let is_theirs = THEIRS.contains(&(method.as_str(), pattern.as_str()));
        assert_eq!(
            is_theirs,
            verdict != "new",
            "{method} {pattern} is {verdict}"
        );
    }
}

#[test]
fn every_difference_in_the_table_of_requests_is_told() {
    let rows = rows();
    let verdicts: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| (row.name.as_str(), row.verdict.as_str()))
        .collect();
    let mut differing = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for scenario in cases::all() {
        for case in &scenario.cases {
            let verdict = verdicts.get(case.row);
            let verdict = verdict.unwrap_or_else(|| panic!("{}: no row {}", case.name, case.row));
            asked.insert(case.row);
            if let Some(reason) = case.reason {
                assert_ne!(*verdict, "same", "{}: {}: {reason}", case.row, case.name);
                differing.insert(case.row);
            }
        }
    }
    let is_played = |row: &&Row| row.section.ends_with("routes") && row.verdict != "new";
    for row in rows.iter().filter(is_played) {
        assert!(
            asked.contains(row.name.as_str()),
            "nothing is asked of {}",
            row.name
        );
    }
    assert!(differing.len() > 10, "{differing:?}");
}

#[test]
fn every_row_says_what_and_why_and_the_counts_are_told() {
    let mut counts = BTreeMap::from(VERDICTS.map(|verdict| (verdict.to_owned(), 0)));
    for row in rows() {
        assert!(VERDICTS.contains(&row.verdict.as_str()), "{row:?}");
        assert!(row.verdict == "same" || !row.text.is_empty(), "{row:?}");
        *counts.entry(row.verdict).or_default() += 1;
    }
    let told = VERDICTS.map(|verdict| format!("{} {verdict}", counts[verdict]));
    say(&format!(
        "docs/compatibility.md about ChartMuseum: {}",
        told.join(", ")
    ));
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
}

/// Proves that no option of it is missing.
#[test]
fn a_real_chartmuseum_has_no_other_options() {
    let Some(program) = chartmuseum("the options of a real ChartMuseum") else {
        return;
    };
    let output = Command::new(program.path())
        .arg("--help")
        .output()
        .expect("it starts");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let theirs: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--"))
        .filter_map(|line| line.split([' ', ',', '=']).next())
        .filter(|name| !["help", "version", "generate-shell-completion"].contains(name))
        .collect();
    let ours: BTreeSet<&str> = options::ALL
        .iter()
        .filter(|definition| definition.museum.is_some())
        .map(|definition| definition.name)
        .collect();
    assert_eq!(theirs, ours);
}
