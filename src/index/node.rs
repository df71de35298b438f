//! An entry as the tree of values that Helm marshals.
//!
//! Both writers print this tree, so that the list of fields, their order and the rules on which of
//! them are left out stand in one place.

use std::borrow::Cow;

use super::{Entry, timestamp};
use crate::chart::yaml::{self, Scalar};
use crate::chart::{Dependency, ImportValue, Maintainer, Metadata};

/// A value of an index. A map's keys are in the order of Helm's structs, or bytewise where they are
/// data; the YAML writer sorts them anew.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(&'a str, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Returns a node for a text.
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a Entry> for Node<'a> {
    fn from(entry: &'a Entry) -> Self {
        let mut fields = Fields(Vec::with_capacity(24));
        fields.metadata(&entry.metadata);
        // Of the fields that Helm always writes, a missing list is null in Go.
        let urls = if entry.urls.is_empty() {
            Node::Null
        } else {
            texts(&entry.urls)
        };
        fields.0.push(("urls", urls));
        let created = Cow::Owned(timestamp::format(&entry.created));
        fields.0.push(("created", Node::Text(created)));
        fields.flag("removed", entry.removed);
        fields.text("digest", &entry.digest);
        fields.text("checksum", &entry.checksum);
        fields.text("engine", &entry.engine);
        fields.text("tillerVersion", &entry.tiller_version);
        fields.text("url", &entry.url);
        Node::Map(fields.0)
    }
}

/// The fields of a struct, in the order of Helm's; empty values are left out.
struct Fields<'a>(Vec<(&'a str, Node<'a>)>);

impl<'a> Fields<'a> {
    fn metadata(&mut self, metadata: &'a Metadata) {
        self.text("name", &metadata.name);
        self.text("home", &metadata.home);
        self.texts("sources", &metadata.sources);
        self.text("version", &metadata.version);
        self.text("description", &metadata.description);
        self.texts("keywords", &metadata.keywords);
        self.nodes("maintainers", &metadata.maintainers);
        self.text("icon", &metadata.icon);
        self.text("apiVersion", &metadata.api_version);
        self.text("condition", &metadata.condition);
        self.text("tags", &metadata.tags);
        self.text("appVersion", &metadata.app_version);
        self.flag("deprecated", metadata.deprecated);
        if !metadata.annotations.is_empty() {
            let annotations = metadata.annotations.iter();
            let annotations = annotations.map(|(key, value)| (key.as_str(), Node::text(value)));
            self.0
                .push(("annotations", Node::Map(annotations.collect())));
        }
        self.text("kubeVersion", &metadata.kube_version);
        self.nodes("dependencies", &metadata.dependencies);
        self.text("type", &metadata.kind);
    }

    fn text(&mut self, key: &'a str, text: &'a str) {
        if !text.is_empty() {
            self.0.push((key, Node::text(text)));
        }
    }

    fn flag(&mut self, key: &'a str, flag: bool) {
        if flag {
            self.0.push((key, Node::Bool(true)));
        }
    }

    fn texts(&mut self, key: &'a str, list: &'a [String]) {
        if !list.is_empty() {
            self.0.push((key, texts(list)));
        }
    }

    fn nodes<T>(&mut self, key: &'a str, list: &'a [T])
    where
        Node<'a>: From<&'a T>,
    {
        if !list.is_empty() {
            self.0
                .push((key, Node::List(list.iter().map(Node::from).collect())));
        }
    }
}

fn texts(list: &[String]) -> Node<'_> {
    Node::List(list.iter().map(|text| Node::text(text)).collect())
}

impl<'a> From<&'a Maintainer> for Node<'a> {
    fn from(maintainer: &'a Maintainer) -> Self {
        let mut fields = Fields(Vec::new());
        fields.text("name", &maintainer.name);
        fields.text("email", &maintainer.email);
        fields.text("url", &maintainer.url);
        Node::Map(fields.0)
    }
}

impl<'a> From<&'a Dependency> for Node<'a> {
    fn from(dependency: &'a Dependency) -> Self {
        let mut fields = Fields(vec![("name", Node::text(&dependency.name))]);
        fields.text("version", &dependency.version);
        let repository = Node::text(&dependency.repository);
        fields.0.push(("repository", repository));
        fields.text("condition", &dependency.condition);
        fields.texts("tags", &dependency.tags);
        fields.flag("enabled", dependency.enabled);
        fields.nodes("import-values", &dependency.import_values);
        fields.text("alias", &dependency.alias);
        Node::Map(fields.0)
    }
}

impl<'a> From<&'a ImportValue> for Node<'a> {
    fn from(value: &'a ImportValue) -> Self {
        match value {
            ImportValue::Null => Node::Null,
            ImportValue::Bool(flag) => Node::Bool(*flag),
            ImportValue::Number(number) => Node::Number(*number),
            ImportValue::Text(text) => Node::text(text),
            ImportValue::List(list) => Node::List(list.iter().map(Node::from).collect()),
            ImportValue::Map(map) => {
                let pairs = map.iter();
                Node::Map(
                    pairs
                        .map(|(key, value)| (key.as_str(), value.into()))
                        .collect(),
                )
            }
        }
    }
}

/// A YAML document as Go holds it after the hop through JSON: every number is a 64-bit float.
impl<'a> From<&'a yaml::Node> for Node<'a> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Go decodes every number of an untyped JSON value into a 64-bit float"
    )]
    fn from(node: &'a yaml::Node) -> Self {
        match node {
            yaml::Node::Scalar(Scalar::Null) => Node::Null,
            yaml::Node::Scalar(Scalar::Bool(flag)) => Node::Bool(*flag),
            yaml::Node::Scalar(Scalar::Int(number)) => Node::Number(*number as f64),
            yaml::Node::Scalar(Scalar::Uint(number)) => Node::Number(*number as f64),
            yaml::Node::Scalar(Scalar::Float(number)) => Node::Number(*number),
            yaml::Node::Scalar(Scalar::Text(text)) => Node::text(text),
            yaml::Node::List(items) => {
                Node::List(items.iter().map(|item| Node::from(&**item)).collect())
            }
            yaml::Node::Map(fields) => {
                let pairs = fields.iter();
                Node::Map(
                    pairs
                        .map(|(key, value)| (&**key, Node::from(&**value)))
                        .collect(),
                )
            }
        }
    }
}
