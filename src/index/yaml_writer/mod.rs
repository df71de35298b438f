//! YAML as `helm repo index` prints it, byte for byte.
//!
//! Helm turns its structs into JSON, reads that back as YAML and has go-yaml v2 print it. So every
//! mapping is sorted by [`order::natural`](super::order::natural), lists are not indented below their
//! key, long texts are folded past column 80, and texts are quoted when they could be read as
//! something else. The rules are written down where they are applied; `tests/vectors/` holds what
//! go-yaml itself printed.

mod resolve;
mod scalar;
mod style;

use self::style::{Position, is_break};
use super::node::Node;
use super::{number, order};

/// go-yaml writes longer keys in the explicit form, `? key`.
const MAX_SIMPLE_KEY: usize = 128;

/// Appends the lines of one version to `out`, from its `- ` on. What stands before that depends on
/// the version's neighbours: see [`write_lead`].
pub(super) fn write_entry(chart: &str, entry: &Node<'_>, out: &mut Vec<u8>) {
    let indent = list_indent(chart);
    let mut emitter = Emitter {
        out,
        column: indent,
    };
    emitter.raw("- ");
    emitter.inline(entry, indent + 2);
    emitter.end_line();
}

/// Appends what stands before the first version of a chart: its name as a key.
pub(super) fn write_chart_lead(chart: &str, out: &mut Vec<u8>) {
    let mut emitter = Emitter { out, column: 0 };
    emitter.start_line(2);
    if is_simple_key(chart) {
        emitter.text(chart, 4, Position::SimpleKey);
        emitter.raw(":");
        emitter.start_line(2);
    } else {
        emitter.raw("? ");
        emitter.text(chart, 4, Position::Free);
        emitter.start_line(2);
        emitter.raw(": ");
    }
}

/// Appends what stands before every other version of a chart.
pub(super) fn write_lead(chart: &str, out: &mut Vec<u8>) {
    out.extend(std::iter::repeat_n(b' ', list_indent(chart)));
}

/// Appends `key: value` and a line end, at the top level; `value` may be nested.
pub(super) fn write_pair(key: &str, value: &Node<'_>, out: &mut Vec<u8>) {
    let mut emitter = Emitter { out, column: 0 };
    emitter.pair(key, value, 0);
    emitter.end_line();
}

/// Where the dashes of a chart's versions stand.
fn list_indent(chart: &str) -> usize {
    if is_simple_key(chart) { 2 } else { 4 }
}

fn is_simple_key(key: &str) -> bool {
    key.len() <= MAX_SIMPLE_KEY && !key.contains(is_break)
}

/// Writes block-style YAML and keeps track of the column, which decides where lines are folded.
struct Emitter<'o> {
    out: &'o mut Vec<u8>,
    column: usize,
}

impl Emitter<'_> {
    /// Writes a value where a key or a dash already stands on the line.
    fn inline(&mut self, node: &Node<'_>, indent: usize) {
        match node {
            Node::Map(map) if !map.is_empty() => self.map(map, indent),
            Node::List(list) if !list.is_empty() => self.list(list, indent),
            Node::Map(_) => self.raw("{}"),
            Node::List(_) => self.raw("[]"),
            Node::Null => self.raw("null"),
            Node::Bool(true) => self.raw("true"),
            Node::Bool(false) => self.raw("false"),
            Node::Number(value) => self.raw(&number::yaml(*value)),
            // The lines of a text stand as deep as the content of a mapping would.
            Node::Text(text) => self.text(text, indent, Position::Free),
        }
    }

    /// Writes a mapping whose first key goes to where the line stands.
    fn map(&mut self, map: &[(&str, Node<'_>)], indent: usize) {
        let mut sorted: Vec<_> = map.iter().collect();
        sorted.sort_by(|(left, _), (right, _)| order::natural(left, right));
        for (position, (key, value)) in sorted.into_iter().enumerate() {
            if position > 0 {
                self.start_line(indent);
            }
            self.pair(key, value, indent);
        }
    }

    fn list(&mut self, list: &[Node<'_>], indent: usize) {
        for (position, item) in list.iter().enumerate() {
            if position > 0 {
                self.start_line(indent);
            }
            self.raw("- ");
            self.inline(item, indent + 2);
        }
    }

    fn pair(&mut self, key: &str, value: &Node<'_>, indent: usize) {
        if !is_simple_key(key) {
            self.raw("? ");
            self.text(key, indent + 2, Position::Free);
            self.start_line(indent);
            self.raw(": ");
            self.inline(value, indent + 2);
            return;
        }
        self.text(key, indent + 2, Position::SimpleKey);
        self.raw(":");
        match value {
            Node::Map(map) if !map.is_empty() => {
                self.start_line(indent + 2);
                self.map(map, indent + 2);
            }
            // A list stands as deep as its key.
            Node::List(list) if !list.is_empty() => {
                self.start_line(indent);
                self.list(list, indent);
            }
            _ => {
                self.raw(" ");
                self.inline(value, indent + 2);
            }
        }
    }

    /// Writes a character that does not end a line.
    fn put(&mut self, character: char) {
        self.out
            .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.column += 1;
    }

    /// Writes ASCII text without line breaks.
    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.column += text.len();
    }

    /// Writes a line break of the text itself.
    fn put_break(&mut self, character: char) {
        self.put(character);
        self.column = 0;
    }

    /// Goes to column `indent` of a new line; a line that was just begun is a new one.
    fn start_line(&mut self, indent: usize) {
        self.end_line();
        self.out.extend(std::iter::repeat_n(b' ', indent));
        self.column = indent;
    }

    fn end_line(&mut self) {
        if self.column > 0 {
            self.put_break('\n');
        }
    }
}

#[cfg(test)]
mod tests;
