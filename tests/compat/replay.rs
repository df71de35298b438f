//! The table of requests, held against chartroom and against a real ChartMuseum.

use std::fmt::Write as _;

use crate::cases;
use crate::subject::{Program, chartmuseum};

/// Plays everything; returns how much that was.
fn play(program: &Program) -> (usize, usize) {
    let scenarios = cases::all();
    let mut complaints = String::new();
    for complaint in scenarios.iter().flat_map(|scenario| scenario.play(program)) {
        let _ = writeln!(complaints, "{complaint}");
    }
    assert!(complaints.is_empty(), "\n{complaints}");
    let cases: usize = scenarios.iter().map(|scenario| scenario.cases.len()).sum();
    (scenarios.len(), cases)
}

#[test]
fn chartroom_answers_as_chartmuseum_does_but_where_it_says_otherwise() {
    play(&Program::Chartroom);
}

/// Proves the table right: it says of ChartMuseum what ChartMuseum does.
#[test]
fn a_real_chartmuseum_answers_as_the_table_says() {
    let Some(program) = chartmuseum("the table of requests against a real ChartMuseum") else {
        return;
    };
    let (scenarios, cases) = play(&program);
    crate::report::say(&format!(
        "a real ChartMuseum answered {cases} requests to {scenarios} servers as the table says"
    ));
}
