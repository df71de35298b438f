//! `values.yaml`: the values that a chart has by default.

use std::collections::BTreeMap;

use super::archive::FileProblem;
use super::metadata::FieldError;
use super::metadata::decode::{check_finite, fields};
use super::yaml::{self, Budget, Node};

/// Reads a `values.yaml` as Helm does: a mapping, and an empty one where there is nothing.
///
/// # Errors
/// When Helm would not load a chart that holds it.
pub fn read(bytes: &[u8]) -> Result<Node, FileProblem> {
    let document = yaml::read(bytes, Budget::for_bytes(bytes.len()))?;
    check(&document)?;
    if document.is_null() {
        return Ok(Node::Map(BTreeMap::new()));
    }
    Ok(document)
}

/// Checks what Helm checks when it loads the chart.
pub(crate) fn check(document: &Node) -> Result<(), FieldError> {
    for (key, value) in fields(document, "the document")? {
        check_finite(key, value)?;
    }
    Ok(())
}
