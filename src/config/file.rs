//! The configuration file: YAML, in our form or in ChartMuseum's.
//!
//! Ours is a map of option names to plain values, and an unknown key is an error. ChartMuseum's has
//! keys of its own, nested or with dots, in any case; it ignores those that it does not know.

mod node;

use std::collections::BTreeMap;
use std::fs::File as Handle;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::layers::{Layer, Problem, Source, Value};
use super::options::{self, CONFIG, Definition, Kind, STORAGE};
use crate::chart::yaml;
use node::{Leaf, Node};

/// No sensible file is larger, and a device given by mistake has no end.
const MAX_BYTES: u64 = 1 << 20;

const BUDGET: yaml::Budget = yaml::Budget::for_bytes(1 << 20);

/// A file that was read, and not yet looked at.
pub(super) struct File {
    path: PathBuf,
    entries: BTreeMap<String, Node>,
}

/// What a file says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) layer: Layer,
    pub(super) problems: Vec<Problem>,
    /// What is worth a line in the log but stops nothing.
    pub(super) notices: Vec<String>,
}

impl File {
    /// Reads the file at `path`.
    pub(super) fn read(path: &Path, named_by: &Source) -> Result<Self, Problem> {
        let problem = |what: String, fix: &str| Problem {
            key: CONFIG.name.to_owned(),
            what,
            source: named_by.clone(),
            fix: fix.to_owned(),
        };
        let text = text_of(path).map_err(|error| {
            let what = format!("cannot read {}: {error}", path.display());
            problem(what, "give the path of a YAML file that chartroom may read")
        })?;
        // A file of comments only is null to YAML.
        let entries = match yaml::from_str::<Option<Node>>(&text, BUDGET) {
            Ok(Some(Node::Map(entries))) => Ok(entries),
            Ok(None | Some(Node::Leaf(Leaf::Null))) => Ok(BTreeMap::new()),
            Ok(Some(other)) => Err(format!("it is {}", other.kind())),
            Err(error) => Err(error.to_string()),
        };
        match entries {
            Ok(entries) => Ok(Self {
                path: path.to_owned(),
                entries,
            }),
            Err(found) => {
                let what = format!("{} is not a YAML map of options: {found}", path.display());
                Err(problem(what, "write one `name: value` per line"))
            }
        }
    }

    /// Returns what the file says about the storage, if it is in ChartMuseum's form.
    pub(super) fn museum_storage(&self) -> Option<Value> {
        self.leaves()
            .into_iter()
            .find(|(key, _)| is_museum_key(&STORAGE, key))
            .map(|(key, leaf)| self.value(key, leaf.text().unwrap_or_default()))
    }

    /// Returns what the file says about the storage in our form.
    pub(super) fn storage(&self) -> Option<Value> {
        match self.entries.get(STORAGE.name) {
            Some(Node::Leaf(Leaf::Text(text))) => Some(Value {
                text: text.clone(),
                source: Source::File(self.path.clone()),
            }),
            _ => None,
        }
    }

    /// Reads the file in our form.
    pub(super) fn ours(self) -> Said {
        let Self { path, entries } = self;
        let mut said = Said::default();
        for (key, node) in entries {
            let source = Source::File(path.clone());
            let found = options::ALL
                .iter()
                .find(|definition| definition.name == key);
            let wrong = match found {
                Some(definition) => said.take(definition, node, &source).err(),
                None => Some((
                    "no option has this name".to_owned(),
                    suggestion(&key, &node),
                )),
            };
            if let Some((what, fix)) = wrong {
                said.problems.push(Problem {
                    key,
                    what,
                    source,
                    fix,
                });
            }
        }
        said
    }

    /// Reads the file in ChartMuseum's form, in which our names are keys too.
    pub(super) fn museum(self) -> Said {
        let mut said = Said::default();
        for (key, leaf) in self.leaves() {
            let found = options::ALL
                .iter()
                .find_map(|definition| Some((*definition, KeyOf::read(definition, &key)?)));
            let Some((definition, key_of)) = found else {
                said.notices.push(format!(
                    "the key {key} of the file {} is not an option of ChartMuseum or of chartroom and is ignored",
                    self.path.display()
                ));
                continue;
            };
            let source = Source::Key(self.path.clone(), key.clone());
            let wrong = match (leaf, definition.kind) {
                // viper takes null for "not set".
                (Leaf::Null, _) => continue,
                (leaf, Kind::List(_)) => leaf.items(key_of.item()).map(|items| {
                    for text in items {
                        let source = source.clone();
                        said.layer.append(definition, Value { text, source });
                    }
                }),
                (_, _) if said.layer.get(definition).is_some() => Err((
                    "another key of the file gives the same option".to_owned(),
                    "remove one of them".to_owned(),
                )),
                (leaf, _) => said.take(definition, Node::Leaf(leaf), &source),
            };
            if let Err((what, fix)) = wrong {
                said.problems.push(Problem {
                    key: definition.name.to_owned(),
                    what,
                    source,
                    fix,
                });
            }
        }
        said
    }

    /// Returns everything in the file that is no map, by its keys joined with dots.
    fn leaves(&self) -> Vec<(String, Leaf)> {
        let mut leaves = Vec::new();
        for (key, node) in &self.entries {
            node.leaves(key, &mut leaves);
        }
        leaves
    }

    fn value(&self, key: String, text: &str) -> Value {
        Value {
            text: text.to_owned(),
            source: Source::Key(self.path.clone(), key),
        }
    }
}

impl Said {
    /// Takes the value of an option, or says what is wrong and how to mend it.
    fn take(
        &mut self,
        definition: &Definition,
        node: Node,
        source: &Source,
    ) -> Result<(), (String, String)> {
        let source = source.clone();
        match (node, definition.kind) {
            (Node::Leaf(Leaf::Text(_)), _) if definition.name == CONFIG.name => Err((
                "a configuration file cannot name another".to_owned(),
                format!("remove it, or use --{}", definition.name),
            )),
            (node, Kind::List(_)) => {
                let mut leaves = Vec::new();
                node.leaves("", &mut leaves);
                for (path, leaf) in leaves {
                    let path = path.strip_prefix('.');
                    for text in leaf.items(path)? {
                        let source = source.clone();
                        self.layer.append(definition, Value { text, source });
                    }
                }
                Ok(())
            }
            (Node::Leaf(Leaf::Text(text)), _) => {
                self.layer.insert(definition, Value { text, source });
                Ok(())
            }
            (other, _) => Err((
                format!("{} is not a value", other.kind()),
                "write a single text, number, true or false".to_owned(),
            )),
        }
    }
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    Handle::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other(format!(
            "it is larger than {MAX_BYTES} bytes"
        )));
    }
    Ok(text)
}

fn is_museum_key(definition: &Definition, key: &str) -> bool {
    definition
        .museum
        .is_some_and(|museum| !museum.key.is_empty() && museum.key.eq_ignore_ascii_case(key))
}

/// A key of an option, as far as it goes.
enum KeyOf<'key> {
    /// The option itself.
    Whole,
    /// An item of a map, by the rest of the key in its own case: repositories have names with capitals,
    /// which viper would take away.
    Item(&'key str),
}

impl<'key> KeyOf<'key> {
    /// Returns how `key` names the option, if it does.
    fn read(definition: &Definition, key: &'key str) -> Option<Self> {
        if is_museum_key(definition, key) || definition.name.eq_ignore_ascii_case(key) {
            return Some(Self::Whole);
        }
        let Kind::List(_) = definition.kind else {
            return None;
        };
        let (head, rest) = key.split_at_checked(definition.name.len())?;
        let rest = rest.strip_prefix('.')?;
        head.eq_ignore_ascii_case(definition.name)
            .then_some(Self::Item(rest))
    }

    fn item(self) -> Option<&'key str> {
        match self {
            Self::Whole => None,
            Self::Item(path) => Some(path),
        }
    }
}

/// ChartMuseum's keys are ours without the hyphens (`maxuploadsize`), or with dots.
fn suggestion(key: &str, node: &Node) -> String {
    let plain = |text: &str| text.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let near: Option<&&Definition> = options::ALL
        .iter()
        .find(|definition| plain(definition.name) == plain(key));
    match (near, node) {
        (Some(definition), _) => format!("write `{}`", definition.name),
        (None, Node::Map(_)) => {
            "write one `name: value` per line; a file in ChartMuseum's form needs storage.backend"
                .to_owned()
        }
        (None, _) => "see docs/configuration.md for the names".to_owned(),
    }
}
