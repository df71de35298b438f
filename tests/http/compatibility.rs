//! docs/compatibility.md, held against the table of routes.

use std::collections::BTreeMap;

use chartroom::http::routes::ROUTES;

const DOCUMENT: &str = include_str!("../../docs/compatibility.md");

/// The rows of the tables on `ChartMuseum`: the first cell, and the verdict.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let begin = DOCUMENT.find("## ChartMuseum").unwrap();
    let end = DOCUMENT.find("## `helm serve`").unwrap();
    DOCUMENT[begin..end].lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (first, verdict) = (cells.next()?, cells.next()?);
        let is_head = verdict.starts_with('|') || first.starts_with('|');
        (!is_head).then_some((first, verdict.trim()))
    })
}

#[test]
fn every_route_has_a_row_and_every_row_a_verdict() {
    for route in ROUTES {
        let wanted = format!("{}`", route.pattern);
        let has_row = rows().any(|(first, _)| {
            first
                .match_indices(&wanted)
                .any(|(at, _)| matches!(first.as_bytes()[at - 1], b' ' | b'`'))
        });
        assert!(has_row, "{} is in no row", route.pattern);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (first, verdict) in rows() {
        let verdicts = [
            "same",
            "fixed",
            "new",
            "not needed",
            "not taken",
            "not written",
            "stricter on upload",
        ];
        assert!(verdicts.contains(&verdict), "{first}: {verdict:?}");
        *counts.entry(verdict).or_default() += 1;
    }
    assert!(counts["same"] > 20 && counts["fixed"] > 20, "{counts:?}");
    println!("{counts:?}");
}
