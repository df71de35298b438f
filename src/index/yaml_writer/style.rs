//! Which of YAML's styles a text is written in.

use super::resolve;

/// The styles that go-yaml uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// A key on one line with its value: never folded, never a literal block.
    SimpleKey,
    /// Anywhere else.
    Free,
}

/// Chooses the style that go-yaml writes `text` in: the one that its content asks for, or the next
/// less readable one as long as it is not allowed.
pub(super) fn choose(text: &str, position: Position) -> Style {
    if is_simple(text) {
        return if resolve::is_other_than_text(text) {
            Style::DoubleQuoted
        } else {
            Style::Plain
        };
    }
    let facts = Facts::of(text);
    if text.contains('\n') {
        return if facts.is_literal_allowed() && position == Position::Free {
            Style::Literal
        } else {
            Style::DoubleQuoted
        };
    }
    if resolve::is_other_than_text(text) {
        return Style::DoubleQuoted;
    }
    if facts.is_plain_allowed() {
        Style::Plain
    } else if facts.is_single_quoted_allowed() {
        Style::SingleQuoted
    } else {
        Style::DoubleQuoted
    }
}

/// Tells at little cost that a text can only be plain or double quoted, which holds for most.
fn is_simple(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"./_+=~^$;<>()".contains(&byte);
    let is_safe_inside = |byte: u8| is_safe(byte) || b"-@,".contains(&byte);
    let mut bytes = text.bytes();
    match bytes.next() {
        None => true,
        Some(b'>') => false,
        Some(first) => is_safe(first) && bytes.all(is_safe_inside) && !text.starts_with("..."),
    }
}

/// Tells whether a character ends a line for go-yaml.
pub(super) fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Tells whether go-yaml writes a character as it is; it does not do so with any character outside
/// the basic plane, nor with a tab.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

/// What decides on the styles that are allowed.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a text"
)]
struct Facts {
    has_break: bool,
    has_edge: bool,
    ends_with_space: bool,
    has_indicator: bool,
    has_unprintable: bool,
    has_space_before_break: bool,
    has_break_before_space: bool,
}

impl Facts {
    fn of(text: &str) -> Self {
        let mut facts = Self {
            has_edge: text.starts_with([' ']) || text.ends_with([' ']),
            ends_with_space: text.ends_with(' '),
            has_indicator: text.starts_with("---") || text.starts_with("..."),
            ..Self::default()
        };
        let mut previous = None;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let is_followed_by_blank = characters.peek().is_none_or(|next| is_blank(*next));
            let is_indicator = match previous {
                None => is_first_indicator(character, is_followed_by_blank),
                Some(previous) => match character {
                    ':' => is_followed_by_blank,
                    '#' => is_blank(previous),
                    _ => false,
                },
            };
            facts.has_indicator |= is_indicator;
            facts.has_unprintable |= !is_printable(character);
            let follows_space = previous == Some(' ');
            let follows_break = previous.is_some_and(is_break);
            facts.has_break |= is_break(character);
            facts.has_space_before_break |= follows_space && is_break(character);
            facts.has_break_before_space |= follows_break && character == ' ';
            previous = Some(character);
        }
        facts
    }

    fn is_plain_allowed(&self) -> bool {
        !(self.has_edge || self.has_break || self.has_indicator || self.has_unprintable)
    }

    fn is_single_quoted_allowed(&self) -> bool {
        !(self.has_unprintable || self.has_space_before_break || self.has_break_before_space)
    }

    fn is_literal_allowed(&self) -> bool {
        !(self.ends_with_space || self.has_space_before_break || self.has_unprintable)
    }
}

fn is_first_indicator(character: char, is_followed_by_blank: bool) -> bool {
    match character {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' => true,
        '?' | ':' | '-' => is_followed_by_blank,
        _ => false,
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\0') || is_break(character)
}
