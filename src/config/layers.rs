//! Precedence: flag, then variable, then file, then default. What each source says is read into its
//! type here, and every problem is kept, so that all are reported together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::options::{self, Definition};
use super::parse::Wrong;

/// Where a value was written, in descending order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The positional argument.
    Argument,
    /// A flag, by its name.
    Flag(&'static str),
    /// A variable, by its name.
    Variable(String),
    /// The configuration file, by its path.
    File(PathBuf),
    /// Nowhere: the default.
    Default,
}

impl Source {
    /// Returns the layer: an argument and a flag are of the same one.
    fn rank(&self) -> u8 {
        match self {
            Self::Argument | Self::Flag(_) => 0,
            Self::Variable(_) => 1,
            Self::File(_) => 2,
            Self::Default => 3,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => formatter.write_str("argument DIR"),
            Self::Flag(name) => write!(formatter, "flag --{name}"),
            Self::Variable(name) => write!(formatter, "variable {name}"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// A value as it was written, and where.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// The text.
    pub text: String,
    /// Where it was written.
    pub source: Source,
}

/// What one source says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    values: BTreeMap<&'static str, Value>,
    directory: Option<Value>,
}

impl Layer {
    /// Notes the value of an option.
    pub(super) fn insert(&mut self, definition: &Definition, value: Value) {
        self.values.insert(definition.name, value);
    }

    /// Notes the positional form of `--storage`.
    pub(super) fn set_directory(&mut self, text: String) {
        let source = Source::Argument;
        self.directory = Some(Value { text, source });
    }

    fn get(&self, definition: &Definition) -> Option<&Value> {
        self.values.get(definition.name)
    }
}

/// Something wrong in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The option, or the key that is none.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// Where it was written.
    pub source: Source,
    /// What to do about it.
    pub fix: String,
}

/// Reads options out of the layers and keeps what is wrong.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// In the order of precedence.
    pub(super) layers: [Layer; 3],
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    /// Returns the value of highest precedence, if any source has one.
    pub(super) fn find(&mut self, definition: &Definition) -> Option<Value> {
        let [flags, variables, file] = &self.layers;
        if definition.name == options::STORAGE.name
            && let Some(directory) = &flags.directory
        {
            if flags.get(definition).is_some() {
                self.problems.push(Problem {
                    key: definition.name.to_owned(),
                    what: "DIR and --storage are both given".to_owned(),
                    source: Source::Flag(options::STORAGE.name),
                    fix: "give one of them".to_owned(),
                });
            }
            return Some(directory.clone());
        }
        let value = flags.get(definition).or(variables.get(definition));
        value.or(file.get(definition)).cloned()
    }

    /// Reads an option that has a default; `None` means that a problem was noted.
    pub(super) fn value<T>(
        &mut self,
        definition: &Definition,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.value_and_source(definition, parse)
            .map(|(value, _)| value)
    }

    /// The same, with the source.
    pub(super) fn value_and_source<T>(
        &mut self,
        definition: &Definition,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<(T, Source)> {
        let value = self.find(definition).unwrap_or_else(|| Value {
            text: definition.default.to_owned(),
            source: Source::Default,
        });
        match parse(&value.text) {
            Ok(parsed) => Some((parsed, value.source)),
            Err(wrong) => {
                self.note(definition, value.source, wrong);
                None
            }
        }
    }

    /// Reads an option and a switch that stands for one of its values. The source of higher precedence
    /// decides; within one source they must not contradict each other.
    pub(super) fn value_or_switch<T: PartialEq + Copy>(
        &mut self,
        definition: &Definition,
        parse: impl Fn(&str) -> Result<T, Wrong>,
        switch: &Definition,
        switched: T,
    ) -> Option<T> {
        let value = self.value_and_source(definition, parse);
        let on = self.value_and_source(switch, super::parse::switch);
        let ((value, source), (on, switch_source)) = (value?, on?);
        if !on || value == switched {
            return Some(value);
        }
        if source.rank() == switch_source.rank() {
            let what = format!("it contradicts {}", definition.name);
            let fix = format!("remove one of {} and {}", switch.name, definition.name);
            self.note(switch, switch_source, Wrong { what, fix });
            return None;
        }
        Some(if source.rank() < switch_source.rank() {
            value
        } else {
            switched
        })
    }

    /// Keeps a problem with a value.
    pub(super) fn note(&mut self, definition: &Definition, source: Source, wrong: Wrong) {
        self.problems.push(Problem {
            key: definition.name.to_owned(),
            what: wrong.what,
            source,
            fix: wrong.fix,
        });
    }
}
