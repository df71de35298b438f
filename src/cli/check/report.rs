//! A report as a person reads it: a line for each finding.

use std::collections::BTreeMap;
use std::fmt::Write;

use chartroom_storage::RepositoryPath;
use serde::Serialize;

use crate::cli::visit::{name, printable};
use crate::repository::check::{Finding, Kind, Repair, Report, Severity};

/// How many notes of one kind are shown of each repository.
const NOTES: usize = 20;

/// How many findings there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// What is wrong still.
    errors: usize,
    /// Likewise.
    warnings: usize,
    /// What is no fault.
    notes: usize,
    /// What was wrong and is mended.
    mended: usize,
    /// What a repair would mend.
    mendable: usize,
    #[serde(skip)]
    repositories: usize,
}

impl Counts {
    pub(super) fn add(&mut self, report: &Report) {
        self.repositories += 1;
        for finding in &report.findings {
            match (finding.mended, finding.severity) {
                (true, _) => self.mended += 1,
                (false, Severity::Error) => self.errors += 1,
                (false, Severity::Warning) => self.warnings += 1,
                (false, Severity::Information) => self.notes += 1,
            }
            self.mendable += usize::from(!finding.mended && finding.repair.is_some());
        }
    }

    pub(super) fn something_is_wrong(&self) -> bool {
        self.errors + self.warnings > 0
    }
}

/// Writes what was found in one repository.
pub(super) fn text(path: &RepositoryPath, report: &Report) -> String {
    let archives = count(report.archives, "archive");
    let listed = count(report.listed, "version");
    let log = match report.generation {
        Some(generation) => format!("{listed} in the index, generation {generation}"),
        None => "no log".to_owned(),
    };
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{}: {archives} in the store, {log}", name(path));
    let mut notes: BTreeMap<Kind, usize> = BTreeMap::new();
    for finding in &report.findings {
        if finding.severity == Severity::Information {
            let seen = notes.entry(finding.kind).or_default();
            *seen += 1;
            if *seen > NOTES {
                continue;
            }
        }
        text.push_str(&line(finding));
    }
    for (kind, seen) in notes {
        if seen > NOTES {
            let more = seen - NOTES;
            let _ = writeln!(
                text,
                "  info     {kind:<19} and {more} more; --json names all"
            );
        }
    }
    text
}

fn line(finding: &Finding) -> String {
    let Finding {
        kind,
        severity,
        file,
        what,
        repair,
        advice,
        mended,
        left_because,
    } = finding;
    let severity = if *mended {
        "mended".to_owned()
    } else {
        severity.to_string()
    };
    let subject = if file.is_empty() {
        String::new()
    } else {
        format!("{file}: ")
    };
    let mut line = format!("  {severity:<8} {kind:<19} {subject}{what}");
    let mut remark = |what: &str, text: &str| {
        // Writing to a String cannot fail.
        let _ = write!(line, " [{what}: {text}]");
    };
    match (mended, repair, left_because) {
        (true, Some(repair), _) => remark("mended", repair),
        (_, _, Some(reason)) => remark("left", reason),
        (_, Some(repair), _) => remark("--repair", repair),
        _ => {}
    }
    if let Some(advice) = advice.as_ref().filter(|_| !mended) {
        remark("to do", advice);
    }
    printable(&line) + "\n"
}

/// Writes the last lines.
pub(super) fn summary(counts: &Counts, complete: bool, repair: Repair) -> String {
    let mut parts = Vec::new();
    for (number, word) in [
        (counts.errors, "error"),
        (counts.warnings, "warning"),
        (counts.notes, "note"),
    ] {
        if number > 0 {
            parts.push(count(number, word));
        }
    }
    if counts.mended > 0 {
        parts.push(format!("{} mended", counts.mended));
    }
    let repositories = if counts.repositories == 1 {
        "1 repository".to_owned()
    } else {
        format!("{} repositories", counts.repositories)
    };
    let mut text = format!("checked {repositories}: ");
    if !counts.something_is_wrong() {
        parts.insert(0, "nothing is wrong".to_owned());
    }
    text.push_str(&parts.join(", "));
    if counts.mendable > 0 && repair == Repair::No {
        let _ = write!(text, "; --repair mends {}", counts.mendable);
    }
    text.push('\n');
    if !complete {
        text.push_str(
            "not every repository was looked for: some lie more than 8 folders deep, or there are too many; \
             name one with --repository\n",
        );
    }
    text
}

fn count(number: usize, word: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}
