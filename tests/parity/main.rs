//! `chartroom index` against the real `helm repo index`, v3 and v4, byte for byte.
//!
//! Only the values of `created` and `generated` that lie within the run are set aside. The charts are
//! the awkward ones of Helm's YAML pipeline: quoting, folding, coercion, natural order, odd archives.
//! `CHARTROOM_SEED` replays the random ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "texts are put together so that they can be read, not fast"
)]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "helm looks for .tgz in this spelling only"
)]
#![allow(clippy::too_many_lines, reason = "lists of cases are long")]

#[path = "../support/archive.rs"]
mod archive;
#[path = "../support/binary.rs"]
mod binary;
mod charts;
mod compare;
mod difference;
mod directory;
mod indexer;
mod known;
mod merge;
mod natural;
mod normalise;
#[path = "../support/report.rs"]
mod report;
#[path = "../support/seed.rs"]
mod seed;
#[path = "../support/tools.rs"]
mod tools;
mod urls;

use std::collections::BTreeSet;

use compare::{Format, Task, agree};
use directory::Directory;
use indexer::Indexer;
use report::say;

const SEED: u64 = 20_261_124;

#[test]
fn awkward_charts_are_indexed_like_helm() {
    let Some(helms) = tools::helms("parity of `chartroom index` with `helm repo index`") else {
        return;
    };
    let seed = seed::seed_or(SEED);
    say(&format!(
        "parity: seed {seed} (CHARTROOM_SEED={seed} replays it)"
    ));

    let directories: Vec<Directory> = charts::all(seed)
        .into_iter()
        .map(Directory::without_known)
        .collect();
    let charts: BTreeSet<&[u8]> = directories.iter().flat_map(Directory::archives).collect();
    let mut listed = 0;
    let mut comparisons = 0;
    let mut complaints = Vec::new();
    for directory in &directories {
        for format in [Format::Yaml, Format::Json] {
            match agree(&helms, &Task::new(directory, format)) {
                Ok(entries) => {
                    listed += entries;
                    comparisons += directory.archives().count();
                }
                Err(complaint) => complaints.push(complaint),
            }
        }
    }
    say(&format!(
        "parity: {} distinct archives in {} directories, {comparisons} comparisons (YAML and JSON) against helm v3 \
         and v4 agree, {listed} entries listed",
        charts.len(),
        directories.len(),
    ));
    assert!(
        charts.len() > 500,
        "only {} distinct archives",
        charts.len()
    );
    assert!(
        complaints.is_empty(),
        "{} of {} indexes differ:\n\n{}",
        complaints.len(),
        directories.len() * 2,
        complaints.join("\n\n")
    );
}

#[test]
fn every_url_option_gives_helms_urls() {
    let Some(helms) = tools::helms("parity of `chartroom index --url`") else {
        return;
    };
    let directory = urls::directory();
    let mut complaints = Vec::new();
    for url in urls::BASES {
        let task = Task::new(&directory, Format::Yaml).url(url);
        complaints.extend(agree(&helms, &task).err());
    }
    say(&format!(
        "parity: {} values of --url over {} files",
        urls::BASES.len(),
        directory.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn merging_keeps_and_drops_what_helm_keeps_and_drops() {
    let Some(helms) = tools::helms("parity of `chartroom index --merge`") else {
        return;
    };
    let directory = merge::directory();
    let files = merge::files();
    let mut complaints = Vec::new();
    for (name, content) in files.iter().filter(|(name, _)| !known::is_merged(name)) {
        for format in [Format::Yaml, Format::Json] {
            let task = Task::new(&directory, format).merge(name, content.as_deref());
            complaints.extend(agree(&helms, &task).err());
        }
    }
    say(&format!(
        "parity: {} files to --merge, in both formats",
        files.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn what_helm_v3_and_v4_treat_differently_is_treated_like_one_of_them() {
    let Some(helms) = tools::helms("parity where helm v3 and v4 differ") else {
        return;
    };
    let mut complaints = Vec::new();
    for directory in charts::disputed() {
        if known::is_disputed(&directory.name) {
            continue;
        }
        let task = Task::new(&directory, Format::Yaml);
        match compare::agree_with_one(&helms, &task) {
            Ok(which) => say(&format!("parity: {}: like helm {which}", directory.name)),
            Err(complaint) => complaints.push(complaint),
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

/// Helm v3 lists a folder as if it were empty, helm v4 gives up: neither is worth to follow.
#[test]
fn a_folder_called_like_an_archive_is_named_and_skipped() {
    let directory = charts::folder();
    let ours = Indexer::Chartroom.run(&Task::new(&directory, Format::Yaml));
    assert!(ours.succeeded, "{}", ours.stderr);
    assert!(ours.stderr.contains("folder.tgz"), "{}", ours.stderr);
    let index = String::from_utf8(ours.index.expect("an index")).expect("UTF-8");
    assert!(
        index.contains("fine.tgz") && !index.contains("folder"),
        "{index}"
    );
}

/// Some characters make `helm repo index` fail as a whole without a word about the chart. Ours either
/// names the file, or writes an index that helm can read.
#[test]
fn what_breaks_helm_is_named_or_made_readable() {
    let Some(helms) = tools::helms("charts that break `helm repo index`") else {
        return;
    };
    let poisoned = charts::poisoned();
    let empty = Directory::new("empty");
    let mut named = 0;
    let mut complaints = Vec::new();
    for (directory, file) in &poisoned {
        let task = Task::new(directory, Format::Yaml);
        let ours = Indexer::Chartroom.run(&task);
        if ours.stderr.contains(file.as_str()) {
            named += 1;
        }
        for helm in helms.iter().cloned().map(Indexer::Helm) {
            assert!(
                !helm.run(&task).succeeded,
                "{} indexes {}",
                helm.label(),
                directory.name
            );
            if ours.stderr.contains(file.as_str()) {
                continue;
            }
            // To merge is the way to read an index without a server; JSON is the format that can hold it.
            let reading = Task::new(&empty, Format::Json).merge("ours", ours.index.as_deref());
            let read = helm.run(&reading);
            let index =
                String::from_utf8_lossy(read.index.as_deref().unwrap_or_default()).into_owned();
            if !read.succeeded || !index.contains("poison") {
                complaints.push(format!(
                    "{}: stderr does not name the file, and {} cannot read the index: {}",
                    directory.name,
                    helm.label(),
                    read.stderr
                ));
            }
        }
    }
    say(&format!(
        "parity: {} charts break helm; ours names {named} and lists the others readably",
        poisoned.len()
    ));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
