//! Flags: the options as clap knows them. No value is read into its type here, so that a wrong flag is
//! reported together with everything else that is wrong.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use super::layers::{Layer, Source, Value};
use super::options::{self, Definition, Kind};

/// The id of the positional form of `--storage`.
const DIRECTORY: &str = "DIR";

/// Adds every option, and the positional DIR, to `command`.
pub fn add_to(command: Command) -> Command {
    let directory = Arg::new(DIRECTORY)
        .value_name(DIRECTORY)
        .value_hint(ValueHint::DirPath)
        .help("The directory to keep charts in, or a storage URL. Write a directory that has the name of a command as ./index");
    command
        .arg(directory)
        .args(options::ALL.iter().map(|definition| argument(definition)))
}

fn argument(definition: &'static Definition) -> Arg {
    let mut help = definition.help.to_owned();
    let has_default = !matches!(definition.kind, Kind::Switch) && !definition.default.is_empty();
    if has_default {
        help = format!("{help} [default: {}]", definition.default);
    }
    let argument = Arg::new(definition.name)
        .long(definition.name)
        .help(help)
        .help_heading(definition.group.heading())
        // The last one counts, so that a wrapper script's flags can be overridden.
        .overrides_with(definition.name)
        .action(ArgAction::Set);
    match definition.kind {
        Kind::Value(placeholder) => argument.value_name(placeholder).allow_hyphen_values(true),
        // `--debug` and, as in Go, `--debug=false`.
        Kind::Switch => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL")
            .hide_possible_values(true),
    }
}

/// Returns the positional argument of a command line without a command.
pub fn directory(matches: &ArgMatches) -> Option<&str> {
    let given = matches.subcommand_name().is_none();
    let directory = given
        .then(|| matches.get_one::<String>(DIRECTORY))
        .flatten();
    directory.map(String::as_str)
}

/// Returns the options that were given as flags.
pub(super) fn layer(matches: &ArgMatches) -> Layer {
    let mut layer = Layer::default();
    for definition in options::ALL {
        if let Some(text) = given(matches, definition.name) {
            layer.insert(
                definition,
                Value {
                    text,
                    source: Source::Flag(definition.name),
                },
            );
        }
    }
    if let Some(text) = given(matches, DIRECTORY) {
        layer.set_directory(text);
    }
    layer
}

fn given(matches: &ArgMatches, id: &str) -> Option<String> {
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    matches.get_one::<String>(id).cloned()
}
