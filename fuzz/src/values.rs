//! Values of documents, to be compared.

use chartroom::chart::yaml::{Node, Scalar};
use serde_json::Value;

/// A document as Go holds it after the hop through JSON: every number is a 64-bit float.
#[expect(clippy::cast_precision_loss, reason = "as Go does")]
pub(crate) fn of_node(node: &Node) -> Value {
    match node {
        Node::Scalar(Scalar::Null) => Value::Null,
        Node::Scalar(Scalar::Bool(flag)) => Value::from(*flag),
        Node::Scalar(Scalar::Int(number)) => Value::from(*number as f64),
        Node::Scalar(Scalar::Uint(number)) => Value::from(*number as f64),
        Node::Scalar(Scalar::Float(number)) => Value::from(*number),
        Node::Scalar(Scalar::Text(text)) => Value::from(&**text),
        Node::List(items) => items.iter().map(|item| of_node(item)).collect(),
        Node::Map(fields) => fields
            .iter()
            .map(|(key, value)| (key.to_string(), of_node(value)))
            .collect(),
    }
}

/// The same of a JSON document.
pub(crate) fn with_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.into_iter().map(with_floats).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, with_floats(value)))
            .collect(),
        other => other,
    }
}

/// The levels of a document, with all aliases written out.
pub(crate) fn depth(node: &Node) -> usize {
    match node {
        Node::Scalar(_) => 0,
        Node::List(items) => {
            1 + items
                .iter()
                .map(|item| depth(item))
                .max()
                .unwrap_or_default()
        }
        Node::Map(fields) => {
            1 + fields
                .values()
                .map(|value| depth(value))
                .max()
                .unwrap_or_default()
        }
    }
}

/// The number of values of a document, with all aliases written out.
pub(crate) fn count(node: &Node) -> usize {
    match node {
        Node::Scalar(_) => 1,
        Node::List(items) => 1 + items.iter().map(|item| count(item)).sum::<usize>(),
        Node::Map(fields) => 1 + fields.values().map(|value| 1 + count(value)).sum::<usize>(),
    }
}

/// Tells whether JSON, which escapes less than YAML wants, means the same when it is read as YAML.
pub(crate) fn is_yaml_too(json: &str) -> bool {
    !json.contains(|character| {
        matches!(
            character,
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    })
}

/// Writes a text between quotes, all but letters and digits escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            quoted.push(character);
        } else {
            quoted.push_str(&format!("\\U{:08X}", u32::from(character)));
        }
    }
    quoted.push('"');
    quoted
}
