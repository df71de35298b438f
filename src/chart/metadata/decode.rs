//! From YAML to [`Metadata`]: what sigs.k8s.io/yaml and Go's JSON decoder do to `Chart.yaml`.
//!
//! Keys match without regard to case, texts take any scalar, and a document is decoded *over* what
//! is there already: several `Chart.yaml` in one archive, or `Maintainers` beside `maintainers`,
//! add up field by field and list element by list element.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Dependency, ImportValue, Maintainer, Metadata};
use crate::chart::yaml::{Node, Scalar};

/// A value of the wrong kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {expected}, not {found}")]
pub struct FieldError {
    /// Where, such as ``field `dependencies[0].name` ``.
    field: String,
    expected: &'static str,
    found: &'static str,
}

/// Metadata whose lists may still hold nulls, which validation refuses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft {
    /// Everything except the two lists below.
    pub(crate) metadata: Metadata,
    pub(crate) maintainers: Vec<Option<Maintainer>>,
    pub(crate) dependencies: Vec<Option<Dependency>>,
}

impl Draft {
    /// Decodes a `Chart.yaml` over what is there.
    pub(crate) fn apply(&mut self, document: &Node) -> Result<(), FieldError> {
        for (key, value) in fields(document, "the document")? {
            self.apply_field(&fold(key), key, value)?;
        }
        Ok(())
    }

    /// Decodes a `requirements.yaml`, which may only say what the chart depends on.
    ///
    /// Helm decodes the whole file over the metadata, so that it can change even the name and the
    /// version; a chart that means to do that cannot be told from one that lies about its name.
    pub(crate) fn apply_requirements(&mut self, document: &Node) -> Result<(), FieldError> {
        for (key, value) in fields(document, "the document")? {
            if fold(key) == "dependencies" {
                self.apply_field("dependencies", key, value)?;
            } else {
                check_finite(key, value)?;
            }
        }
        Ok(())
    }

    fn apply_field(&mut self, folded: &str, key: &str, value: &Node) -> Result<(), FieldError> {
        let metadata = &mut self.metadata;
        match folded {
            "name" => text(key, value, &mut metadata.name),
            "home" => text(key, value, &mut metadata.home),
            "sources" => texts(key, value, &mut metadata.sources),
            "version" => text(key, value, &mut metadata.version),
            "description" => text(key, value, &mut metadata.description),
            "keywords" => texts(key, value, &mut metadata.keywords),
            "maintainers" => objects(key, value, &mut self.maintainers, maintainer),
            "icon" => text(key, value, &mut metadata.icon),
            "apiversion" => text(key, value, &mut metadata.api_version),
            "condition" => text(key, value, &mut metadata.condition),
            "tags" => text(key, value, &mut metadata.tags),
            "appversion" => text(key, value, &mut metadata.app_version),
            "deprecated" => flag(key, value, &mut metadata.deprecated),
            "annotations" => annotations(key, value, &mut metadata.annotations),
            "kubeversion" => text(key, value, &mut metadata.kube_version),
            "dependencies" => objects(key, value, &mut self.dependencies, dependency),
            "type" => text(key, value, &mut metadata.kind),
            _ => check_finite(key, value),
        }
    }
}

fn maintainer(target: &mut Maintainer, folded: &str, key: &str, value: &Node) -> Decoded {
    match folded {
        "name" => text(key, value, &mut target.name),
        "email" => text(key, value, &mut target.email),
        "url" => text(key, value, &mut target.url),
        _ => check_finite(key, value),
    }
}

/// Decodes one field of a dependency; lock files hold the same objects.
pub(crate) fn dependency(
    target: &mut Dependency,
    folded: &str,
    key: &str,
    value: &Node,
) -> Decoded {
    match folded {
        "name" => text(key, value, &mut target.name),
        "version" => text(key, value, &mut target.version),
        "repository" => text(key, value, &mut target.repository),
        "condition" => text(key, value, &mut target.condition),
        "tags" => texts(key, value, &mut target.tags),
        "enabled" => flag(key, value, &mut target.enabled),
        "import-values" => import_values(key, value, &mut target.import_values),
        "alias" => text(key, value, &mut target.alias),
        _ => check_finite(key, value),
    }
}

type Decoded = Result<(), FieldError>;

/// Folds a key as Go's JSON decoder does, far enough for ASCII names: the two characters outside
/// ASCII that fold into it are the long s and the Kelvin sign.
pub(crate) fn fold(key: &str) -> String {
    key.chars()
        .map(|character| match character {
            'ſ' => 's',
            '\u{212A}' => 'k',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// Returns the fields of a mapping; null has none.
pub(crate) fn fields<'a>(
    node: &'a Node,
    whole: &str,
) -> Result<impl Iterator<Item = (&'a str, &'a Node)>, FieldError> {
    let map = match node {
        Node::Map(map) => Some(map),
        Node::Scalar(Scalar::Null) => None,
        other => return Err(wrong(whole, "a mapping", other)),
    };
    Ok(map
        .into_iter()
        .flatten()
        .map(|(key, value)| (&**key, &**value)))
}

pub(crate) fn text(key: &str, value: &Node, target: &mut String) -> Decoded {
    let Node::Scalar(scalar) = value else {
        return Err(wrong(key, "a text", value));
    };
    if let Some(text) = scalar.to_text() {
        *target = text;
    }
    Ok(())
}

fn flag(key: &str, value: &Node, target: &mut bool) -> Decoded {
    match value {
        Node::Scalar(Scalar::Null) => Ok(()),
        Node::Scalar(Scalar::Bool(value)) => {
            *target = *value;
            Ok(())
        }
        other => Err(wrong(key, "a boolean", other)),
    }
}

fn texts(key: &str, value: &Node, target: &mut Vec<String>) -> Decoded {
    let items = list(key, value)?;
    target.resize_with(items.len(), String::new);
    for (position, (item, text_of)) in items.iter().zip(target).enumerate() {
        text(&format!("{key}[{position}]"), item, text_of)?;
    }
    Ok(())
}

fn annotations(key: &str, value: &Node, target: &mut BTreeMap<String, String>) -> Decoded {
    if value.is_null() {
        target.clear();
    }
    for (name, value) in fields(value, key)? {
        let mut annotation = String::new();
        text(&format!("{key}.{name}"), value, &mut annotation)?;
        target.insert(name.to_owned(), annotation);
    }
    Ok(())
}

/// Decodes a list of objects over `target`, element by element; an element's fields that the list
/// does not name stay, as with Go's lists of pointers.
pub(crate) fn objects<T: Default>(
    key: &str,
    value: &Node,
    target: &mut Vec<Option<T>>,
    decode: fn(&mut T, &str, &str, &Node) -> Decoded,
) -> Decoded {
    let items = list(key, value)?;
    target.resize_with(items.len(), || None);
    for (position, (item, object)) in items.iter().zip(target).enumerate() {
        if item.is_null() {
            *object = None;
            continue;
        }
        let path = format!("{key}[{position}]");
        let object = object.get_or_insert_default();
        for (name, value) in fields(item, &path)? {
            decode(object, &fold(name), &format!("{path}.{name}"), value)?;
        }
    }
    Ok(())
}

fn import_values(key: &str, value: &Node, target: &mut Vec<ImportValue>) -> Decoded {
    check_finite(key, value)?;
    *target = list(key, value)?
        .iter()
        .map(|item| import_value(item))
        .collect();
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Go decodes every number of an untyped JSON value into a 64-bit float"
)]
fn import_value(node: &Node) -> ImportValue {
    match node {
        Node::Scalar(Scalar::Null) => ImportValue::Null,
        Node::Scalar(Scalar::Bool(value)) => ImportValue::Bool(*value),
        Node::Scalar(Scalar::Int(value)) => ImportValue::Number(*value as f64),
        Node::Scalar(Scalar::Uint(value)) => ImportValue::Number(*value as f64),
        Node::Scalar(Scalar::Float(value)) => ImportValue::Number(*value),
        Node::Scalar(Scalar::Text(text)) => ImportValue::Text(text.to_string()),
        Node::List(items) => {
            ImportValue::List(items.iter().map(|item| import_value(item)).collect())
        }
        Node::Map(fields) => ImportValue::Map(
            fields
                .iter()
                .map(|(key, value)| (key.to_string(), import_value(value)))
                .collect(),
        ),
    }
}

fn list<'a>(key: &str, value: &'a Node) -> Result<&'a [Rc<Node>], FieldError> {
    match value {
        Node::Scalar(Scalar::Null) => Ok(&[]),
        Node::List(items) => Ok(items),
        other => Err(wrong(key, "a list", other)),
    }
}

/// Refuses what JSON cannot hold, also in fields that nobody reads: Helm fails there too.
pub(crate) fn check_finite(key: &str, value: &Node) -> Decoded {
    if value.is_finite() {
        return Ok(());
    }
    Err(FieldError {
        field: describe(key),
        expected: "finite numbers",
        found: "infinity or not-a-number",
    })
}

fn wrong(key: &str, expected: &'static str, found: &Node) -> FieldError {
    FieldError {
        field: describe(key),
        expected,
        found: found.kind(),
    }
}

fn describe(key: &str) -> String {
    if key == "the document" {
        return key.to_owned();
    }
    let key: String = key.chars().take(100).collect();
    format!("field `{key}`")
}
