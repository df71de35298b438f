//! Says where two indexes differ, by entry, in a few lines.

use std::collections::{BTreeMap, BTreeSet};

/// How many entries a report shows.
const SHOWN: usize = 6;

/// Returns the URLs of the entries of an index without merged entries or base.
pub(crate) fn listed_urls(index: &str) -> BTreeSet<String> {
    entries(index).into_keys().collect()
}

/// Names the entries that differ, each with its first differing lines.
pub(crate) fn of(left: &str, expected: &str, right: &str, actual: &str) -> String {
    let theirs = entries(expected);
    let ours = entries(actual);
    let mut report = Vec::new();
    for (url, entry) in &theirs {
        match ours.get(url) {
            None => report.push(format!(
                "  {url}: listed by {left} only\n{}",
                first_lines(entry)
            )),
            Some(other) if other != entry => {
                report.push(format!(
                    "  {url}:\n{}",
                    first_difference(left, entry, right, other)
                ));
            }
            Some(_) => {}
        }
    }
    for (url, entry) in &ours {
        if !theirs.contains_key(url) {
            report.push(format!(
                "  {url}: listed by {right} only\n{}",
                first_lines(entry)
            ));
        }
    }
    if report.is_empty() {
        report.push(format!(
            "  the entries are the same, their order or surroundings are not:\n{}",
            first_difference(left, expected, right, actual)
        ));
    }
    let more = report.len().saturating_sub(SHOWN);
    report.truncate(SHOWN);
    if more > 0 {
        report.push(format!("  … and {more} more"));
    }
    report.join("\n")
}

/// The entries of an index by their first URL (and a number where two share one).
fn entries(index: &str) -> BTreeMap<String, String> {
    let lines: Vec<&str> = index.split_inclusive('\n').collect();
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    let mut current = String::new();
    for line in lines.into_iter().chain(["  - \n"]) {
        let starts = line.starts_with("  - ") || line.starts_with("  : - ") || line == "      {\n";
        if starts && let Some(url) = url_of(&current) {
            let mut key = url.clone();
            let mut number = 1;
            while entries.contains_key(&key) {
                number += 1;
                key = format!("{url} #{number}");
            }
            entries.insert(key, std::mem::take(&mut current));
        }
        if starts {
            current.clear();
        }
        // The line of the next chart's name belongs to no entry.
        let is_name = line.starts_with("  ") && !line.starts_with("   ") && !starts;
        let is_json_name = line.starts_with("    \"") || line.starts_with("    ]");
        let is_surrounding = !line.starts_with(' ');
        if !is_name && !is_json_name && !is_surrounding {
            current.push_str(line);
        }
    }
    entries
}

fn url_of(entry: &str) -> Option<String> {
    let mut lines = entry.lines().map(str::trim_start);
    lines.find(|line| *line == "urls:" || line.starts_with("\"urls\": ["))?;
    let line = lines.next()?;
    let url = line.strip_prefix("- ").unwrap_or(line);
    Some(
        url.trim_end_matches(',')
            .trim_matches(['"', '\''])
            .to_owned(),
    )
}

fn first_lines(entry: &str) -> String {
    entry
        .lines()
        .take(4)
        .map(|line| format!("      {line}\n"))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn first_difference(left: &str, expected: &str, right: &str, actual: &str) -> String {
    let theirs: Vec<&str> = expected.split('\n').collect();
    let ours: Vec<&str> = actual.split('\n').collect();
    let at = theirs.iter().zip(&ours).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&str]| -> String {
        let shown: Vec<String> = lines
            .iter()
            .skip(at)
            .take(3)
            .map(|line| format!("{:?}", clip(line)))
            .collect();
        if shown.is_empty() {
            "(ends)".to_owned()
        } else {
            shown.join("\n                 ")
        }
    };
    let width = left.len().max(right.len());
    format!(
        "      line {}\n      {left:width$}: {}\n      {right:width$}: {}",
        at + 1,
        show(&theirs),
        show(&ours)
    )
}

fn clip(line: &str) -> String {
    if line.chars().count() <= 160 {
        return line.to_owned();
    }
    line.chars().take(160).chain(['…']).collect()
}
