//! A YAML value as Helm sees it after go-yaml v2 and the hop through JSON.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::scalar::Scalar;

/// A value. Anchored values are shared, not copied.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A text, number, boolean or null.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Rc<Node>>),
    /// A mapping. Keys are texts, since JSON knows no others, and sorted bytewise, which is the
    /// order in which Helm's JSON decoder meets them.
    Map(BTreeMap<Box<str>, Rc<Node>>),
}

impl Node {
    /// A null.
    pub const NULL: Self = Self::Scalar(Scalar::Null);

    /// Returns whether this is null, written or implied.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(Scalar::Null))
    }

    /// Names the kind of value for an error message.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(Scalar::Null) => "null",
            Self::Scalar(Scalar::Bool(_)) => "a boolean",
            Self::Scalar(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)) => "a number",
            Self::Scalar(Scalar::Text(_)) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// Returns whether JSON can hold the value: infinities and not-a-number fail the whole chart in
    /// Helm wherever they do not become texts.
    ///
    /// # Cost
    /// The size with all aliases written out, which the reader bounds.
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Scalar(Scalar::Float(value)) => value.is_finite(),
            Self::Scalar(_) => true,
            Self::List(items) => items.iter().all(|item| item.is_finite()),
            Self::Map(fields) => fields.values().all(|value| value.is_finite()),
        }
    }
}
