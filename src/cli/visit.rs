//! What the commands have in common that look at a storage without serving it.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use chartroom_storage::{Clock, Location, RepositoryPath, Store, Timeouts};
use clap::{Arg, ArgAction, ArgMatches, Command};
use tracing::Level;

use crate::config::options::Group;
use crate::config::{self, Config};
use crate::repository::{RegistryOptions, Repositories, Visit};
use crate::telemetry;

const REPOSITORY: &str = "repository";
const JSON: &str = "json";

/// How long threads that are busy may keep the process from ending.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// What of the configuration matters to somebody who only looks.
const SHOWN: [Group; 3] = [Group::Storage, Group::Logging, Group::General];

/// Adds the flags: the configuration of `serve`, so that its variables and its file can be used as
/// they are, and those of a visit.
pub(super) fn add_to(command: Command) -> Command {
    let is_shown = |arg: &Arg| {
        let heading = arg.get_help_heading();
        heading.is_none_or(|heading| SHOWN.iter().any(|group| group.heading() == heading))
    };
    config::args::add_to(command)
        .mut_args(|arg| if is_shown(&arg) { arg } else { arg.hide(true) })
        .arg(
            Arg::new(REPOSITORY)
                .long(REPOSITORY)
                .value_name("PATH")
                .help("The repository within the storage, such as org/team"),
        )
        .arg(
            Arg::new(JSON)
                .long(JSON)
                .action(ArgAction::SetTrue)
                .help("Print one JSON document"),
        )
}

/// A storage that is looked at.
pub(super) struct Storage {
    store: Store,
    location: Location,
    options: RegistryOptions,
    /// The repository that was named.
    pub(super) repository: Option<RepositoryPath>,
    pub(super) json: bool,
}

/// Whether a command is going to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Reads the configuration, opens the storage and does what the command does: 1 if that fails, 2 if the
/// arguments are wrong.
pub(super) fn run<F: Future<Output = anyhow::Result<ExitCode>>>(
    matches: &ArgMatches,
    access: Access,
    work: impl FnOnce(Storage) -> F,
) -> ExitCode {
    let config = match Config::load(matches, &config::variables()) {
        Ok(config) => config,
        Err(problems) => {
            complain(&problems);
            return ExitCode::from(2);
        }
    };
    let path = matches.get_one::<String>(REPOSITORY);
    let repository = match path.map(|path| RepositoryPath::parse(path.trim_matches('/'))) {
        None => None,
        Some(Ok(path)) => Some(path),
        Some(Err(error)) => {
            complain(&format_args!("--{REPOSITORY}: {error}"));
            return ExitCode::from(2);
        }
    };
    let json = matches.get_flag(JSON);
    match start(&config, repository, json, access, work) {
        Ok(code) => code,
        Err(error) => {
            complain(&format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes to stderr, and does not mind if nobody reads it.
pub(super) fn complain(text: &dyn fmt::Display) {
    let _ = writeln!(std::io::stderr(), "chartroom: {text}");
}

/// Writes the answer of a command.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("the answer cannot be written")
}

fn start<F: Future<Output = anyhow::Result<ExitCode>>>(
    config: &Config,
    repository: Option<RepositoryPath>,
    json: bool,
    access: Access,
    work: impl FnOnce(Storage) -> F,
) -> anyhow::Result<ExitCode> {
    let mut log = config.log.clone();
    // The answer says everything; what a refresh tells a server's log would stand in between.
    if log.level <= Level::INFO {
        log.level = Level::ERROR;
    }
    telemetry::start(&log).context("the log cannot be started")?;
    let storage = Storage {
        store: open(config, access)?,
        location: config.storage.clone(),
        options: config.registry(),
        repository,
        json,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let result = runtime.block_on(work(storage));
    runtime.shutdown_timeout(LAST_WAIT);
    result
}

/// Nothing is made where there is nothing, and nothing is tried out by somebody who only reads.
fn open(config: &Config, access: Access) -> anyhow::Result<Store> {
    let location = &config.storage;
    if *location == Location::Memory {
        return Err(anyhow!(
            "the storage is the memory of a server; nobody else can look at it"
        ));
    }
    let store = Store::open_existing(location, &config.buckets, Timeouts::default())
        .with_context(|| format!("the storage {location} cannot be opened"))?;
    match access {
        Access::Read => Ok(store),
        Access::Write => super::open_store(config),
    }
}

impl Storage {
    /// Begins to look at a repository.
    pub(super) async fn visit(&self, path: &RepositoryPath) -> anyhow::Result<Visit> {
        let store = self.store.within(path);
        let visit = Visit::begin(store, Clock::default(), self.options.of(path)).await;
        visit.with_context(|| format!("the {} cannot be read", name(path)))
    }

    /// Looks for the repositories of the storage: those that have archives or a log.
    pub(super) async fn repositories(&self) -> anyhow::Result<crate::repository::Paths> {
        let options = RegistryOptions {
            // None is opened.
            is_single: false,
            ..self.options.clone()
        };
        let repositories =
            Repositories::open(self.store.clone(), Clock::default(), options).await?;
        let paths = repositories.list(None).await;
        repositories.close().await;
        paths.with_context(|| format!("the repositories in {} cannot be listed", self.location))
    }
}

/// Returns how a person calls a repository.
pub(super) fn name(path: &RepositoryPath) -> String {
    if path.is_root() {
        return "root repository".to_owned();
    }
    format!("repository {path}")
}

/// The same as [`printable`], of several lines.
pub(super) fn printable_lines(text: &str) -> String {
    let lines = text.lines().map(|line| printable(line) + "\n");
    lines.collect()
}

/// Makes a text harmless that others wrote: a terminal obeys control characters.
pub(super) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}
