//! Reads YAML: the only module that knows a YAML crate.
//!
//! [`read`] reads what Helm's own parser reads, under [`Budget`]s: `Chart.yaml` and its siblings.
//! [`from_str`] fills plain data types: configuration files, index files.

pub mod node;
pub mod scalar;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

use granit_parser::{Event, Options, Parser, ScalarStyle, StrInput};
use serde::de::DeserializeOwned;

pub use node::Node;
use scalar::Tag;
pub use scalar::{Scalar, ScalarError};

/// What reading one document may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Length of the input.
    pub bytes: usize,
    /// Scalars, collections and aliases.
    pub nodes: usize,
    /// Collections inside each other, with all aliases written out.
    pub depth: usize,
    /// Bytes that aliases and merge keys repeat, each node counting for a few.
    pub repeated: usize,
}

impl Budget {
    /// Enough for any `Chart.yaml` or `values.yaml` up to `bytes` long.
    pub const fn for_bytes(bytes: usize) -> Self {
        Self {
            bytes,
            nodes: 250_000,
            // JSON is read back to 128 levels, of which an index and a record of the log have four
            // around a chart: one that they could not read back would end the repository.
            depth: 100,
            repeated: 8 << 20,
        }
    }
}

/// What one node weighs beside its text.
const NODE_WEIGHT: usize = 16;

/// Why a text cannot be read as YAML.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// Longer than the budget.
    #[error("YAML is longer than {0} bytes")]
    TooLong(usize),
    /// More nodes than the budget.
    #[error("YAML has more than {0} values")]
    TooManyNodes(usize),
    /// Nested deeper than the budget.
    #[error("YAML is nested deeper than {0} levels")]
    TooDeep(usize),
    /// Aliases repeat more than the budget.
    #[error("YAML contains excessive aliasing")]
    TooManyAliases,
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("YAML is not valid UTF-8")]
    Encoding,
    /// A character that YAML forbids.
    #[error("control characters are not allowed")]
    ControlCharacter,
    /// Not YAML.
    #[error("line {line}: {problem}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A scalar that contradicts its tag.
    #[error(transparent)]
    Scalar(#[from] ScalarError),
    /// An anchor inside the value that it names.
    #[error("an anchor's value contains itself")]
    Recursive,
    /// A null, list, mapping or huge number as a key.
    #[error("{0} cannot be a mapping key")]
    Key(&'static str),
    /// `<<` with something else than mappings.
    #[error("map merge requires map or sequence of maps as the value")]
    Merge,
    /// Right YAML, wrong data.
    #[error(transparent)]
    Data(serde_yaml::Error),
}

/// Reads the first document of `bytes` as Helm does; nothing at all is null.
///
/// # Errors
/// When it is not YAML, when Helm could not turn it into JSON, or when it exceeds `budget`.
pub fn read(bytes: &[u8], budget: Budget) -> Result<Node, YamlError> {
    let text = decode(bytes, budget.bytes)?;
    let mut reader = Reader::new(&text, budget);
    let root = reader.document()?;
    drop(reader);
    // An anchor on the root itself is the only other owner, and it is gone.
    Ok(Rc::unwrap_or_clone(root))
}

/// Fills `T` from `text`.
///
/// The text goes through the event parser first, only to be counted: serde's YAML parser takes
/// quadratic time on nested brackets and does not bound what aliases repeat.
///
/// # Errors
/// When it is not YAML, when it exceeds `budget`, or when it does not fit `T`.
pub fn from_str<T: DeserializeOwned>(text: &str, budget: Budget) -> Result<T, YamlError> {
    let checked = decode(text.as_bytes(), budget.bytes)?;
    let mut reader = Reader::new(&checked, budget);
    reader.document()?;
    let quoted = quote(&checked, &reader.wide);
    serde_yaml::from_str(&quoted).map_err(YamlError::Data)
}

/// Puts quotes around what stands at `places`.
fn quote<'text>(text: &'text str, places: &[Range<usize>]) -> Cow<'text, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::with_capacity(text.len() + 2 * places.len());
    let mut end = 0;
    for place in places {
        let between = text.get(end..place.start).unwrap_or_default();
        let inside = text.get(place.clone()).unwrap_or_default();
        quoted.extend([between, "\"", inside, "\""]);
        end = place.end;
    }
    quoted.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(quoted)
}

/// Returns the lines, counted from 1, on which the items of the list begin that stands under `key` in
/// the outermost mapping. What is no YAML has none after the mistake.
pub fn lines_of_items(text: &str, key: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut depth = 0_usize;
    // Whether the next value of the outermost mapping is a key, and whether the last key was the one.
    let (mut is_key, mut is_below) = (true, false);
    let mut parser = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        let (begins, ends) = match &event {
            Event::MappingStart(..) | Event::SequenceStart(..) => (true, false),
            Event::MappingEnd | Event::SequenceEnd => (false, true),
            Event::Scalar(..) | Event::Alias(_) => (true, true),
            _ => continue,
        };
        if begins {
            if depth == 2 && is_below {
                lines.push(span.start.line());
            }
            depth += 1;
        }
        if ends {
            depth = depth.saturating_sub(1);
            if depth == 1 {
                if is_key {
                    is_below = matches!(&event, Event::Scalar(text, ..) if **text == *key);
                }
                is_key = !is_key;
            }
        }
    }
    lines
}

/// Returns the text without its byte order mark. UTF-16 is recognised by its mark, as in go-yaml:
/// that is what a redirection in older versions of `PowerShell` writes.
fn decode(bytes: &[u8], limit: usize) -> Result<Cow<'_, str>, YamlError> {
    if bytes.len() > limit {
        return Err(YamlError::TooLong(limit));
    }
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    };
    if !text.chars().all(is_allowed) {
        return Err(YamlError::ControlCharacter);
    }
    if text.contains(OLD_BREAKS) {
        return Ok(text.replace(OLD_BREAKS, "\n").into());
    }
    Ok(text)
}

/// Line breaks of YAML 1.1, which go-yaml reads, and no longer of 1.2, which our parser reads. Not to
/// see them would be to see other fields than helm: a `name:` may follow one. Helm keeps the last
/// two in a text, but then sanitises them to spaces everywhere except in annotations.
const OLD_BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|_| YamlError::Encoding)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, YamlError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(YamlError::Encoding);
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map(Cow::Owned)
        .map_err(|_| YamlError::Encoding)
}

/// The characters that go-yaml's reader lets through.
fn is_allowed(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Builds the tree of one document.
struct Reader<'input> {
    text: &'input str,
    parser: Parser<'input, StrInput<'input>>,
    budget: Budget,
    nodes: usize,
    repeated: usize,
    /// Where hexadecimal, octal and binary numbers stand that are too large for 64 bits: texts to
    /// Helm, which prints them without quotes, and numbers of 128 bits to serde's YAML parser.
    wide: Vec<Range<usize>>,
    /// `None` while the anchored value is still being read.
    anchors: HashMap<usize, Option<Built>>,
}

/// A value and what it weighs with all its aliases written out.
#[derive(Clone)]
struct Built {
    node: Rc<Node>,
    weight: usize,
    /// How many levels are below it.
    height: usize,
    is_alias: bool,
    is_merge_key: bool,
}

impl Built {
    fn of(node: Node, weight: usize, height: usize) -> Self {
        Self {
            node: Rc::new(node),
            weight: weight.saturating_add(NODE_WEIGHT),
            height,
            is_alias: false,
            is_merge_key: false,
        }
    }
}

impl<'input> Reader<'input> {
    fn new(text: &'input str, budget: Budget) -> Self {
        // The last two are what libyaml does, which go-yaml was translated from.
        let options: Options = granit_parser::options! {
            emit_comments: false,
            bom_inside_document_as_content: true,
            block_scalar_eof_without_line_feed: true,
        };
        Self {
            text,
            parser: Parser::new_from_str_with_options(text, options),
            budget,
            nodes: 0,
            repeated: 0,
            wide: Vec::new(),
            anchors: HashMap::new(),
        }
    }

    /// Reads up to the end of the first document; Helm never looks at what follows.
    fn document(&mut self) -> Result<Rc<Node>, YamlError> {
        loop {
            match self.event()? {
                Event::StreamStart => {}
                Event::DocumentStart(..) => break,
                _ => return Ok(Rc::new(Node::NULL)),
            }
        }
        let first = self.event()?;
        let root = self.value(first, 0)?;
        self.event()?;
        Ok(root.node)
    }

    fn event(&mut self) -> Result<Event<'input>, YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                match &event {
                    Event::Scalar(_, ScalarStyle::DoubleQuoted, ..) => {
                        let quoted = span.slice(self.text).unwrap_or_default();
                        check_escapes(quoted, span.start.line())?;
                    }
                    Event::Scalar(text, ScalarStyle::Plain, _, None) if is_wide(text) => {
                        self.wide.extend(span.byte_range());
                    }
                    _ => {}
                }
                Ok(event)
            }
            Some(Err(error)) => Err(YamlError::Syntax {
                line: error.marker().line(),
                problem: error.info(),
            }),
            None => Ok(Event::StreamEnd),
        }
    }

    fn value(&mut self, event: Event<'input>, depth: usize) -> Result<Built, YamlError> {
        self.nodes += 1;
        if self.nodes > self.budget.nodes {
            return Err(YamlError::TooManyNodes(self.budget.nodes));
        }
        if depth > self.budget.depth {
            return Err(YamlError::TooDeep(self.budget.depth));
        }
        let (anchor, built) = match event {
            Event::Alias(anchor) => return self.alias(anchor, depth),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                (anchor, scalar(&text, style, tag.as_deref())?)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.anchors.insert(anchor, None);
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(_, anchor, _) => {
                self.anchors.insert(anchor, None);
                (anchor, self.map(depth)?)
            }
            _ => {
                return Err(YamlError::Syntax {
                    line: 0,
                    problem: "unexpected end".to_owned(),
                });
            }
        };
        // 0 stands for "no anchor".
        if anchor != 0 {
            self.anchors.insert(anchor, Some(built.clone()));
        }
        Ok(built)
    }

    fn alias(&mut self, anchor: usize, depth: usize) -> Result<Built, YamlError> {
        let Some(Some(built)) = self.anchors.get(&anchor) else {
            return Err(YamlError::Recursive);
        };
        // Whoever walks over the values does so with recursion, and each alias may add its levels to
        // those of the one before it.
        if depth.saturating_add(built.height) > self.budget.depth {
            return Err(YamlError::TooDeep(self.budget.depth));
        }
        self.repeated = self.repeated.saturating_add(built.weight);
        if self.repeated > self.budget.repeated {
            return Err(YamlError::TooManyAliases);
        }
        Ok(Built {
            is_alias: true,
            is_merge_key: false,
            ..built.clone()
        })
    }

    fn list(&mut self, depth: usize) -> Result<Built, YamlError> {
        let mut items = Vec::new();
        let mut weight: usize = 0;
        let mut height = 0;
        loop {
            let event = self.event()?;
            if event == Event::SequenceEnd {
                return Ok(Built::of(Node::List(items), weight, height));
            }
            let item = self.value(event, depth + 1)?;
            weight = weight.saturating_add(item.weight);
            height = height.max(item.height + 1);
            items.push(item.node);
        }
    }

    /// Reads a mapping in order, so that later keys win; a merge key counts where it stands, which
    /// is go-yaml v2's reading.
    fn map(&mut self, depth: usize) -> Result<Built, YamlError> {
        let mut fields = BTreeMap::new();
        let mut weight: usize = 0;
        let mut height = 0;
        loop {
            let event = self.event()?;
            if event == Event::MappingEnd {
                return Ok(Built::of(Node::Map(fields), weight, height));
            }
            let key = self.value(event, depth + 1)?;
            let event = self.event()?;
            let value = self.value(event, depth + 1)?;
            weight = weight
                .saturating_add(key.weight)
                .saturating_add(value.weight);
            height = height.max(value.height + 1);
            if key.is_merge_key {
                merge(&mut fields, &value)?;
            } else {
                fields.insert(key_text(&key.node)?, value.node);
            }
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Built, YamlError> {
    let tag = match tag {
        Some(tag) => match tag.strip_prefix("tag:yaml.org,2002:") {
            Some(name) => Tag::Standard(name),
            None => Tag::Other,
        },
        None if style == ScalarStyle::Plain => Tag::Implicit,
        None => Tag::Quoted,
    };
    let mut built = Built::of(Node::Scalar(Scalar::resolve(text, tag)?), text.len(), 0);
    built.is_merge_key = text == "<<" && matches!(tag, Tag::Implicit | Tag::Standard("merge"));
    Ok(built)
}

fn is_wide(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = ["0x", "0o", "0b"]
        .iter()
        .find_map(|radix| unsigned.strip_prefix(radix));
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        && matches!(Scalar::resolve(text, Tag::Implicit), Ok(Scalar::Text(_)))
}

/// Refuses the two escapes of JSON that go-yaml does not know: a slash, and half of a character.
fn check_escapes(quoted: &str, line: usize) -> Result<(), YamlError> {
    let mut rest = quoted;
    while let Some((_, escape)) = rest.split_once('\\') {
        let is_surrogate = matches!(
            escape.as_bytes(),
            [
                b'u',
                b'd' | b'D',
                b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F',
                ..,
            ]
        );
        if escape.starts_with('/') || is_surrogate {
            return Err(YamlError::Syntax {
                line,
                problem: "found unknown escape character".to_owned(),
            });
        }
        let mut characters = escape.chars();
        characters.next();
        rest = characters.as_str();
    }
    Ok(())
}

fn key_text(key: &Node) -> Result<Box<str>, YamlError> {
    match key {
        Node::Scalar(scalar) => scalar.to_key().map(String::into_boxed_str),
        _ => None,
    }
    .ok_or(YamlError::Key(key.kind()))
}

/// Copies the fields of a mapping, or of each of a list of mappings with the first one winning.
fn merge(fields: &mut BTreeMap<Box<str>, Rc<Node>>, value: &Built) -> Result<(), YamlError> {
    let sources = match &*value.node {
        Node::Map(source) => {
            extend(fields, source);
            return Ok(());
        }
        // go-yaml takes a list that is written in place, not one behind an alias.
        Node::List(sources) if !value.is_alias => sources,
        _ => return Err(YamlError::Merge),
    };
    for source in sources.iter().rev() {
        let Node::Map(source) = &**source else {
            return Err(YamlError::Merge);
        };
        extend(fields, source);
    }
    Ok(())
}

fn extend(fields: &mut BTreeMap<Box<str>, Rc<Node>>, source: &BTreeMap<Box<str>, Rc<Node>>) {
    for (key, value) in source {
        fields.insert(key.clone(), Rc::clone(value));
    }
}

#[cfg(test)]
mod tests;
