//! JSON as Go's `encoding/json` prints it.
//!
//! Clients before Helm 3.13 read the JSON index with a YAML parser: it never holds `\/` or a
//! surrogate escape, both of which such a parser refuses.

use super::node::Node;
use super::number;
use crate::chart::yaml;

/// Appends a YAML document as Go prints it after Helm has read it: keys in order, numbers as 64-bit
/// floats. Aliases are written out, which the reader bounds.
pub fn write_yaml(document: &yaml::Node, out: &mut Vec<u8>) {
    write(&Node::from(document), out);
}

/// Appends `node` to `out` in compact form.
pub(super) fn write(node: &Node<'_>, out: &mut Vec<u8>) {
    match node {
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Number(value) => out.extend_from_slice(number::json(*value).as_bytes()),
        Node::Text(text) => write_text(text, out),
        Node::List(list) => {
            out.push(b'[');
            for (position, item) in list.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Node::Map(map) => {
            out.push(b'{');
            for (position, (key, value)) in map.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

/// Appends `text` as a JSON string, with Go's escapes: those for HTML, too.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(needs_care) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut characters = tail.chars();
        let Some(character) = characters.next() else {
            break;
        };
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{2028}' => out.extend_from_slice(b"\\u2028"),
            '\u{2029}' => out.extend_from_slice(b"\\u2029"),
            '\0'..='\x1f' | '<' | '>' | '&' => {
                let code = usize::from(u8::try_from(character).unwrap_or_default());
                let digit = |value| HEX.get(value).copied().unwrap_or_default();
                out.extend_from_slice(b"\\u00");
                out.extend([digit(code >> 4), digit(code & 15)]);
            }
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = characters.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Tells whether a character that begins with this byte may need an escape. `0xE2` begins U+2028 and
/// U+2029, and many others, which are then written as they are.
fn needs_care(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xE2)
}

/// Lays compact JSON out over lines as Go's `json.MarshalIndent` does with two spaces, which is the
/// form of `helm repo index --json`.
///
/// The text may come in any number of pieces, and needs no final step.
#[derive(Default)]
pub struct Indenter {
    depth: usize,
    place: Place,
    /// An object or a list was opened, and it is not yet known whether it is empty.
    opened: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    InText,
    AfterBackslash,
}

impl Indenter {
    /// Appends the next piece of compact JSON to `out`, laid out.
    pub fn push(&mut self, compact: &[u8], out: &mut Vec<u8>) {
        for &byte in compact {
            match self.place {
                Place::AfterBackslash => {
                    self.place = Place::InText;
                    out.push(byte);
                }
                Place::InText => {
                    self.place = match byte {
                        b'\\' => Place::AfterBackslash,
                        b'"' => Place::Outside,
                        _ => Place::InText,
                    };
                    out.push(byte);
                }
                Place::Outside => self.push_outside(byte, out),
            }
        }
    }

    fn push_outside(&mut self, byte: u8, out: &mut Vec<u8>) {
        if matches!(byte, b'}' | b']') {
            self.depth = self.depth.saturating_sub(1);
            if self.opened {
                self.opened = false;
            } else {
                self.start_line(out);
            }
            out.push(byte);
            return;
        }
        if self.opened {
            self.opened = false;
            self.start_line(out);
        }
        out.push(byte);
        match byte {
            b'{' | b'[' => {
                self.depth += 1;
                self.opened = true;
            }
            b',' => self.start_line(out),
            b':' => out.push(b' '),
            b'"' => self.place = Place::InText,
            _ => {}
        }
    }

    fn start_line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::values;

    #[test]
    fn texts_are_escaped_as_go_escapes_them() {
        // From Go's json.Marshal.
        let rows = [
            ("plain /é日😀", "\"plain /é日😀\""),
            ("\"\\", "\"\\\"\\\\\""),
            ("<a>&", "\"\\u003ca\\u003e\\u0026\""),
            (
                "\0\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{1f}\u{7f}",
                "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001b\\u001f\u{7f}\"",
            ),
            (
                "\u{2027}\u{2028}\u{2029}\u{202a}\u{feff}",
                "\"\u{2027}\\u2028\\u2029\u{202a}\u{feff}\"",
            ),
        ];
        for (text, expected) in rows {
            let mut out = Vec::new();
            write_text(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn values_are_printed_as_go_prints_them() {
        // Each line holds a values.yaml, and what Go's encoding/json prints after sigs.k8s.io/yaml
        // 1.6.0 has read it into a map; null for what it refuses.
        let mut count = 0;
        for line in include_str!("../../tests/vectors/values.jsonl").lines() {
            let (document, expected): (String, Option<String>) =
                serde_json::from_str(line).unwrap();
            let printed = values::read(document.as_bytes()).ok().map(|values| {
                let mut out = Vec::new();
                write_yaml(&values, &mut out);
                String::from_utf8(out).unwrap()
            });
            assert_eq!(printed, expected, "{document:?}");
            count += 1;
        }
        assert!(count > 400);
    }

    #[test]
    fn indenting_does_not_depend_on_how_the_text_is_cut() {
        let compact = br#"{"a":[],"b":{},"c":[1,{"d":"x\"y\\","e":[[null]]}],"f{":true}"#;
        let expected = "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": \"x\\\"y\\\\\",\n      \
             \"e\": [\n        [\n          null\n        ]\n      ]\n    }\n  ],\n  \"f{\": true\n}";
        for size in [1, 2, 3, 7, compact.len()] {
            let mut out = Vec::new();
            let mut indenter = Indenter::default();
            for piece in compact.chunks(size) {
                indenter.push(piece, &mut out);
            }
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
