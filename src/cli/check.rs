//! `chartroom check`: what is wrong in a storage, and, with `--repair`, no longer is.

mod report;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use chartroom_storage::RepositoryPath;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;

use self::report::Counts;
use super::visit::{self, Access, Storage};
use crate::repository::check::{Repair, Report};

const REPAIR: &str = "repair";

/// The exit code when something is wrong still.
const FOUND: u8 = 3;

const EXIT_CODES: &str = "\
Every archive and provenance file is read, and compared with the log and with each other. Servers may
run meanwhile. Without --repository the root repository and all below it are checked.

Exit codes:
  0  nothing is wrong, or everything that was is mended
  1  it could not be checked
  2  wrong usage
  3  something is wrong (errors and warnings; notes do not count)";

/// Describes the command.
pub(super) fn command() -> Command {
    let command = Command::new("check")
        .about("Say what is wrong in a storage, and mend what can be mended")
        .after_help(EXIT_CODES);
    visit::add_to(command).arg(
        Arg::new(REPAIR)
            .long(REPAIR)
            .action(ArgAction::SetTrue)
            .help(
                "Mend what can be mended; no archive is deleted but those whose deletion was begun",
            ),
    )
}

/// Does the command.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let (repair, access) = if matches.get_flag(REPAIR) {
        (Repair::Yes, Access::Write)
    } else {
        (Repair::No, Access::Read)
    };
    visit::run(matches, access, async move |storage| {
        check(&storage, repair).await
    })
}

/// What was found in one repository.
#[derive(Serialize)]
struct Checked {
    repository: String,
    #[serde(flatten)]
    report: Report,
}

/// Everything that was found.
#[derive(Serialize)]
struct Document {
    repositories: Vec<Checked>,
    /// Whether all repositories were looked for.
    complete: bool,
    #[serde(flatten)]
    counts: Counts,
}

async fn check(storage: &Storage, repair: Repair) -> anyhow::Result<ExitCode> {
    let (paths, complete) = match &storage.repository {
        Some(path) => (vec![path.clone()], true),
        None => all(storage).await?,
    };
    let mut document = Document {
        repositories: Vec::new(),
        complete,
        counts: Counts::default(),
    };
    for path in paths {
        let report = check_one(storage, &path, repair).await?;
        document.counts.add(&report);
        if storage.json {
            let repository = path.as_str().to_owned();
            document.repositories.push(Checked { repository, report });
        } else {
            // What was found is told even if a later repository cannot be read.
            visit::print(&report::text(&path, &report))?;
        }
    }
    if storage.json {
        let json =
            serde_json::to_string_pretty(&document).context("the report cannot be written")?;
        visit::print(&format!("{json}\n"))?;
    } else {
        visit::print(&report::summary(&document.counts, complete, repair))?;
    }
    Ok(if document.counts.something_is_wrong() {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    })
}

/// Returns the root repository and all others, and whether those are all that there are.
async fn all(storage: &Storage) -> anyhow::Result<(Vec<RepositoryPath>, bool)> {
    let found = storage.repositories().await?;
    let mut paths = found.paths;
    if !paths.contains(&RepositoryPath::root()) {
        paths.insert(0, RepositoryPath::root());
    }
    Ok((paths, !found.is_cut))
}

async fn check_one(
    storage: &Storage,
    path: &RepositoryPath,
    repair: Repair,
) -> anyhow::Result<Report> {
    let visit = storage.visit(path).await?;
    if repair == Repair::Yes && std::io::stderr().is_terminal() {
        visit::complain(&format_args!(
            "repairing the {}; what may be somebody's work under way is waited for, half a minute or so",
            visit::name(path)
        ));
    }
    let report = visit.check(repair).await;
    visit.end().await;
    let report = report.with_context(|| format!("the {} cannot be checked", visit::name(path)))?;
    let is_nothing = report.generation.is_none() && report.archives == 0;
    if is_nothing && storage.repository.is_some() {
        // A wrong path must not look like a sound repository.
        return Err(anyhow!(
            "there is no {}: neither a log nor an archive",
            visit::name(path)
        ));
    }
    Ok(report)
}
