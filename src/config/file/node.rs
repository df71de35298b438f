//! What stands in a configuration file. Values are texts; what they mean is read where all the other
//! sources are read.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value of the file.
#[derive(Clone)]
pub(super) enum Node {
    /// Keys and values.
    Map(BTreeMap<String, Node>),
    /// Everything else.
    Leaf(Leaf),
}

/// A value that has no keys.
#[derive(Clone)]
pub(super) enum Leaf {
    /// Nothing.
    Null,
    /// A text, a number, true or false.
    Text(String),
    /// Several values.
    List(Vec<Node>),
}

impl Node {
    /// Says what it is.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Map(_) => "a map",
            Self::Leaf(Leaf::Null) => "null",
            Self::Leaf(Leaf::Text(_)) => "a text",
            Self::Leaf(Leaf::List(_)) => "a list",
        }
    }

    /// Adds everything in it that is no map to `leaves`, by its keys joined with dots.
    pub(super) fn leaves(&self, key: &str, leaves: &mut Vec<(String, Leaf)>) {
        match self {
            Self::Map(entries) => {
                for (name, node) in entries {
                    node.leaves(&format!("{key}.{name}"), leaves);
                }
            }
            Self::Leaf(leaf) => leaves.push((key.to_owned(), leaf.clone())),
        }
    }
}

impl Leaf {
    /// Returns the text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::List(_) => None,
        }
    }

    /// Returns the items of a list, or the one that it is, as `path=text` if they stand at a path. Fails
    /// with what is wrong and how to mend it.
    pub(super) fn items(self, path: Option<&str>) -> Result<Vec<String>, (String, String)> {
        let nodes = match self {
            Self::List(nodes) => nodes,
            leaf => vec![Node::Leaf(leaf)],
        };
        let mut items = Vec::new();
        for node in nodes {
            let Node::Leaf(Self::Text(text)) = node else {
                return Err((
                    format!("{} is not a value", node.kind()),
                    "write texts".to_owned(),
                ));
            };
            items.push(match path {
                None | Some("") => text,
                Some(path) => format!("{path}={text}"),
            });
        }
        Ok(items)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

fn text(text: impl Into<String>) -> Node {
    Node::Leaf(Leaf::Text(text.into()))
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a number, true or false, a list or a map")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(text(value))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Leaf::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Leaf::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Leaf(Leaf::List(nodes)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            match entries.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(node);
                }
                Entry::Occupied(entry) => {
                    let problem = format!("`{}` is given twice", entry.key());
                    return Err(A::Error::custom(problem));
                }
            }
        }
        Ok(Node::Map(entries))
    }
}
