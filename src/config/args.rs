//! Flags: the options as clap knows them. No value is read into its type here, so that a wrong flag is
//! reported together with everything else that is wrong.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use super::environment::lines;
use super::layers::{Layer, Source, Value};
use super::options::{self, CONFIG, Definition, Kind};

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
    let has_default = definition.kind != Kind::Switch && !definition.default.is_empty();
    if has_default {
        help = format!("{help} [default: {}]", definition.default);
    }
    let argument = Arg::new(definition.name)
        .long(definition.name)
        .help(help)
        .help_heading(definition.group.heading())
        // `-h` is for those who do not come from ChartMuseum.
        .hide_short_help(definition.group.is_museum());
    let argument = if definition.name == CONFIG.name {
        argument.short('c')
    } else {
        argument
    };
    // The last one counts, so that a wrapper script's flags can be overridden.
    let single = |argument: Arg| {
        argument
            .overrides_with(definition.name)
            .action(ArgAction::Set)
    };
    match definition.kind {
        Kind::Value(placeholder) => single(argument)
            .value_name(placeholder)
            .allow_hyphen_values(true),
        Kind::List(placeholder) => argument.value_name(placeholder).action(ArgAction::Append),
        // `--debug` and, as in Go, `--debug=false`.
        Kind::Switch => single(argument)
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
        for text in given(matches, definition.name) {
            let source = Source::Flag(definition.name);
            match definition.kind {
                Kind::List(_) => {
                    let text = lines(text);
                    layer.append(definition, Value { text, source });
                }
                Kind::Value(_) | Kind::Switch => {
                    let text = text.clone();
                    layer.insert(definition, Value { text, source });
                }
            }
        }
    }
    for text in given(matches, DIRECTORY) {
        layer.set_directory(text.clone());
    }
    layer
}

fn given<'matches>(
    matches: &'matches ArgMatches,
    id: &str,
) -> impl Iterator<Item = &'matches String> + use<'matches> {
    let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
    let texts = is_given.then(|| matches.get_many::<String>(id)).flatten();
    texts.into_iter().flatten()
}
