//! Precedence: flag, then variable, then ChartMuseum's bare variable, then file, then default. What
//! each source says is read into its type here, and every problem is kept, so that all are reported
//! together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::options::Definition;
use super::parse::{self, Wrong};

/// Where a value was written, in descending order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The positional argument.
    Argument,
    /// A flag, by its name.
    Flag(&'static str),
    /// A variable of ours, by its name.
    Variable(String),
    /// A variable of ChartMuseum's, by its name.
    BareVariable(String),
    /// The configuration file, by its path.
    File(PathBuf),
    /// A key of a configuration file in ChartMuseum's form, as it is written there.
    Key(PathBuf, String),
    /// Nowhere: the default.
    Default,
}

impl Source {
    /// Returns the layer: an argument and a flag are of the same one.
    fn rank(&self) -> u8 {
        match self {
            Self::Argument | Self::Flag(_) => 0,
            Self::Variable(_) => 1,
            Self::BareVariable(_) => 2,
            Self::File(_) | Self::Key(..) => 3,
            Self::Default => 4,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => formatter.write_str("argument DIR"),
            Self::Flag(name) => write!(formatter, "flag --{name}"),
            Self::Variable(name) | Self::BareVariable(name) => write!(formatter, "variable {name}"),
            Self::File(path) => write!(formatter, "file {}", path.display()),
            Self::Key(path, key) => write!(formatter, "key {key} of file {}", path.display()),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// A value as it was written, and where. The items of a list are lines.
#[derive(Clone)]
pub(super) struct Value {
    /// The text.
    pub(super) text: String,
    /// Where it was written.
    pub(super) source: Source,
}

/// What one source says.
#[derive(Default)]
pub(super) struct Layer {
    values: BTreeMap<&'static str, Value>,
    directory: Option<Value>,
}

impl Layer {
    /// Notes the value of an option.
    pub(super) fn insert(&mut self, definition: &Definition, value: Value) {
        self.values.insert(definition.name, value);
    }

    /// Adds an item to an option that is a list.
    pub(super) fn append(&mut self, definition: &Definition, value: Value) {
        match self.values.get_mut(definition.name) {
            Some(present) => {
                present.text.push('\n');
                present.text.push_str(&value.text);
            }
            None => self.insert(definition, value),
        }
    }

    /// Notes the positional form of `--storage`.
    pub(super) fn set_directory(&mut self, text: String) {
        let source = Source::Argument;
        self.directory = Some(Value { text, source });
    }

    /// Returns the positional form of `--storage`.
    pub(super) fn directory(&self) -> Option<&Value> {
        self.directory.as_ref()
    }

    /// Returns the value of an option.
    pub(super) fn get(&self, definition: &Definition) -> Option<&Value> {
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

/// There is no value, and a problem was noted that says why.
#[derive(Debug)]
pub(super) struct Noted;

/// A value that some source has.
pub(super) struct Given<T> {
    /// The value.
    pub(super) value: T,
    /// Which of the options that were asked for.
    pub(super) definition: &'static Definition,
    /// Where it was written.
    pub(super) source: Source,
}

/// Reads options out of the layers and keeps what is wrong.
#[derive(Default)]
pub(super) struct Reader {
    /// In the order of precedence: flags, our variables, ChartMuseum's variables, the file.
    pub(super) layers: [Layer; 4],
    /// What named a storage backend of ChartMuseum's, so that its defaults hold.
    pub(super) museum: Option<Source>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
    /// What is worth a line in the log but stops nothing.
    pub(super) notices: Vec<String>,
}

impl Reader {
    /// Returns the value of highest precedence, if any source has one.
    pub(super) fn find(&self, definition: &Definition) -> Option<&Value> {
        self.layers.iter().find_map(|layer| layer.get(definition))
    }

    /// Returns the value of highest precedence, if it is more than an empty text.
    pub(super) fn find_any(&self, definition: &Definition) -> Option<&Value> {
        self.find(definition).filter(|value| !value.text.is_empty())
    }

    /// Returns where the value of an option comes from.
    pub(super) fn source_of(&self, definition: &Definition) -> Source {
        self.find(definition)
            .map_or(Source::Default, |value| value.source.clone())
    }

    /// Reads an option that has a default.
    pub(super) fn value<T>(
        &mut self,
        definition: &'static Definition,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<T, Noted> {
        self.value_of(&[definition], parse)
    }

    /// Reads an option that has a default and several names.
    pub(super) fn value_of<T>(
        &mut self,
        names: &[&'static Definition],
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<T, Noted> {
        self.given_or_default(names, parse).map(|given| given.value)
    }

    /// Reads an option that need not have a value; an empty text is none.
    pub(super) fn optional<T>(
        &mut self,
        definition: &'static Definition,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Noted> {
        self.optional_of(&[definition], parse)
    }

    /// The same, with several names.
    pub(super) fn optional_of<T>(
        &mut self,
        names: &[&'static Definition],
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Noted> {
        let given = self.given(names, parse)?;
        Ok(given.map(|given| given.value))
    }

    /// The same, with where the value comes from.
    pub(super) fn given<T>(
        &mut self,
        names: &[&'static Definition],
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Option<Given<T>>, Noted> {
        match self.nearest(names)? {
            Some(given) if !given.value.is_empty() => self.parse(given, parse).map(Some),
            _ => Ok(None),
        }
    }

    fn given_or_default<T>(
        &mut self,
        names: &[&'static Definition],
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Given<T>, Noted> {
        match self.nearest(names)? {
            Some(given) => self.parse(given, parse),
            None => Err(Noted),
        }
    }

    /// Returns the text of highest precedence that one of the names has; the default of the first that
    /// has one.
    pub(super) fn nearest(
        &mut self,
        names: &[&'static Definition],
    ) -> Result<Option<Given<String>>, Noted> {
        let mut nearest: Option<Given<String>> = None;
        for definition in names {
            let Some(Value { text, source }) = self.find(definition).cloned() else {
                continue;
            };
            match &nearest {
                Some(other) if other.source.rank() < source.rank() => continue,
                Some(other) if other.source.rank() == source.rank() && other.value != text => {
                    let what = format!("it contradicts {}", other.definition.name);
                    let fix = format!(
                        "remove one of {} and {}",
                        other.definition.name, definition.name
                    );
                    return Err(self.note(definition, source, Wrong { what, fix }));
                }
                _ => {}
            }
            nearest = Some(Given {
                value: text,
                definition,
                source,
            });
        }
        Ok(nearest.or_else(|| self.default_of(names)))
    }

    fn default_of(&self, names: &[&'static Definition]) -> Option<Given<String>> {
        let museum = |definition: &'static Definition| {
            let default = definition.museum.and_then(|museum| museum.default);
            default
                .filter(|_| self.museum.is_some())
                .map(|text| (definition, text))
        };
        let ours = |definition: &'static Definition| (definition, definition.default);
        let default = names.iter().copied().find_map(museum);
        let default = default.or_else(|| names.iter().copied().map(ours).next());
        default.map(|(definition, text)| Given {
            value: text.to_owned(),
            definition,
            source: Source::Default,
        })
    }

    fn parse<T>(
        &mut self,
        given: Given<String>,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Given<T>, Noted> {
        let Given {
            value,
            definition,
            source,
        } = given;
        match parse(&value) {
            Ok(value) => Ok(Given {
                value,
                definition,
                source,
            }),
            Err(wrong) => Err(self.note(definition, source, wrong)),
        }
    }

    /// Reads an option and a switch that stands for one of its values. The source of higher precedence
    /// decides; within one source they must not contradict each other.
    pub(super) fn value_or_switch<T: PartialEq + Copy>(
        &mut self,
        definition: &'static Definition,
        parse: impl Fn(&str) -> Result<T, Wrong>,
        switch: &'static Definition,
        switched: T,
    ) -> Result<T, Noted> {
        let value = self.given_or_default(&[definition], parse);
        let on = self.given_or_default(&[switch], parse::switch);
        let (value, on) = (value?, on?);
        if !on.value || value.value == switched {
            return Ok(value.value);
        }
        if value.source.rank() == on.source.rank() {
            let what = format!("it contradicts {}", definition.name);
            let fix = format!("remove one of {} and {}", switch.name, definition.name);
            return Err(self.note(switch, on.source, Wrong { what, fix }));
        }
        Ok(if value.source.rank() < on.source.rank() {
            value.value
        } else {
            switched
        })
    }

    /// Notes that something is given without what belongs to it; `otherwise` is what comes of removing it.
    pub(super) fn lacks<T>(&mut self, given: Given<T>, missing: &str, otherwise: &str) -> Noted {
        let wrong = Wrong {
            what: format!("it is given without {missing}"),
            fix: format!("add {missing}, or remove it to {otherwise}"),
        };
        self.note(given.definition, given.source, wrong)
    }

    /// Keeps a problem with a value.
    pub(super) fn note(&mut self, definition: &Definition, source: Source, wrong: Wrong) -> Noted {
        self.problems.push(Problem {
            key: definition.name.to_owned(),
            what: wrong.what,
            source,
            fix: wrong.fix,
        });
        Noted
    }
}
