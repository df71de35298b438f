//! The command line.
//!
//! A command is a file with a `command` that describes it and a `run` that does it and returns the
//! exit code, and a line in `COMMANDS`. Without a command `serve` is meant, so that `chartroom`,
//! `chartroom --port 80` and `chartroom ./charts` all serve. A directory that has the name of a command
//! is written with a path: `chartroom ./index`, or `chartroom serve index`.

mod check;
mod check_storage;
mod explain;
mod gen_index;
mod index;
mod policy;
mod serve;
mod token;
mod visit;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use chartroom_storage::{Store, Timeouts};
use clap::error::ErrorKind;
use clap::{ArgMatches, Command};

use crate::config::{self, Config};

/// One command: what clap knows of it, and what it does.
type Entry = (fn() -> Command, fn(&ArgMatches) -> ExitCode);

/// Every command but the one that is meant without a name.
static COMMANDS: &[Entry] = &[
    (serve::command, serve::run),
    (index::command, index::run),
    (check::command, check::run),
    (check_storage::command, check_storage::run),
    (explain::command, explain::run),
    (policy::command, policy::run),
    (token::command, token::run),
];

const EXAMPLES: &str = "\
Examples:
  chartroom                               a local repository on http://127.0.0.1:8879
  chartroom ./charts --port 9000          the charts in a directory
  curl --data-binary @mychart-0.1.0.tgz http://127.0.0.1:8879/api/charts
  helm repo add local http://127.0.0.1:8879
  chartroom index ./charts                write index.yaml, as helm repo index does
  chartroom check ./charts --repair       say what is wrong in a storage, and mend it
  chartroom explain nginx 1.2.3 ./charts  say why a version is in the index, or why not

Every option can also be a variable (--log-json is CHARTROOM_LOG_JSON=true) or a line of the
file that --config names (log-json: true). Flags win over variables, variables over the file.
ChartMuseum's flags, variables and file work too, if they name the storage in its words:
  STORAGE=local STORAGE_LOCAL_ROOTDIR=./charts chartroom --port=8080

Exit codes: 0 stopped, 1 cannot start, 2 wrong arguments or configuration.";

fn command() -> Command {
    let command = Command::new("chartroom")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A Helm chart repository server: takes uploads, keeps index.yaml current, serves archives")
        .after_help(EXAMPLES)
        // Flags before a command would go to the command that is meant without a name, and be lost.
        .args_conflicts_with_subcommands(true)
        .subcommand_help_heading("Commands (serve, if none is given)")
        .subcommands(COMMANDS.iter().map(|(command, _)| command()));
    config::args::add_to(command)
}

/// Reads the arguments. After a flag clap takes the name of a command for DIR, which would make a
/// directory of that name.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let directory = config::args::directory(&matches);
    match directory.filter(|name| command.find_subcommand(name).is_some()) {
        Some(name) => Err(command.error(
            ErrorKind::ArgumentConflict,
            format!("write flags after the command: chartroom {name} --flag (a directory of this name is ./{name})"),
        )),
        None => Ok(matches),
    }
}

/// Opens the store that the configuration names.
fn open_store(config: &Config) -> anyhow::Result<Store> {
    Store::open(&config.storage, &config.buckets, Timeouts::default())
        .with_context(|| format!("the storage {} cannot be opened", config.storage))
}

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let matches = parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let Some((name, arguments)) = matches.subcommand() else {
        return serve::run(&matches);
    };
    let found = COMMANDS
        .iter()
        .find(|(command, _)| command().get_name() == name);
    // clap lets no other name through.
    found.map_or(ExitCode::from(2), |(_, run)| run(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<ArgMatches, clap::Error> {
        super::parse(
            [&["chartroom"], arguments]
                .concat()
                .into_iter()
                .map(OsString::from),
        )
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_directory_without_a_command_is_served() {
        let matches = parse(&["./charts", "--port=1"]).unwrap();
        assert_eq!(matches.subcommand_name(), None);
        assert_eq!(matches.get_one::<String>("DIR").unwrap(), "./charts");
        let matches = parse(&["serve", "serve"]).unwrap();
        let (name, arguments) = matches.subcommand().unwrap();
        assert_eq!(
            (name, arguments.get_one::<String>("DIR").unwrap().as_str()),
            ("serve", "serve")
        );
        assert_eq!(parse(&["./serve"]).unwrap().subcommand_name(), None);
    }

    #[test]
    fn flags_before_a_command_are_refused_rather_than_lost() {
        assert!(parse(&["--port=1", "serve"]).is_err());
        assert!(parse(&["--unknown"]).is_err());
        assert!(parse(&["a", "b"]).is_err());
    }

    #[test]
    fn help_shows_every_option_under_a_heading_and_its_short_form_none_of_chartmuseums_alone() {
        let flags = |help: &str| -> Vec<String> {
            let lines = help
                .lines()
                .filter_map(|line| line.split_once("  --").or(line.split_once("-c, --")));
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            lines
                .filter_map(|(_, flag)| flag.split(|letter| !is_name(letter)).next())
                .map(str::to_owned)
                .collect()
        };
        let help = command().render_long_help().to_string();
        let long = flags(&help);
        let short = flags(&command().render_help().to_string());
        for definition in config::options::ALL {
            let name = definition.name.to_owned();
            assert!(long.contains(&name), "{name}");
            assert_eq!(
                short.contains(&name),
                !definition.group.is_museum(),
                "{name}"
            );
            assert!(help.contains(&format!("{}:\n", definition.group.heading())));
        }
    }
}
