//! Texts in YAML's four styles, folded and escaped as go-yaml does it.

use std::borrow::Cow;

use super::Emitter;
use super::style::{Position, Style, choose, is_break, is_printable};

/// A line is folded at the first place after this many characters.
const WIDTH: usize = 80;

impl Emitter<'_> {
    /// Writes `text`; `indent` is where its further lines begin.
    pub(super) fn text(&mut self, text: &str, indent: usize, position: Position) {
        let text = as_read_back(text);
        match choose(&text, position) {
            Style::Plain => self.plain(&text, indent, position),
            Style::SingleQuoted => self.single_quoted(&text, indent, position),
            Style::DoubleQuoted => self.double_quoted(&text, indent, position),
            Style::Literal => self.literal(&text, indent),
        }
    }

    fn may_fold(&self, position: Position) -> bool {
        position == Position::Free && self.column > WIDTH
    }

    fn plain(&mut self, text: &str, indent: usize, position: Position) {
        // Most texts end before they could be folded.
        if text.is_ascii() && self.column + text.len() <= WIDTH {
            self.raw(text);
            return;
        }
        let mut follows_space = false;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if character != ' ' {
                self.put(character);
            } else if self.may_fold(position) && !follows_space && characters.peek() != Some(&' ') {
                self.start_line(indent);
            } else {
                self.put(' ');
            }
            follows_space = character == ' ';
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, position: Position) {
        self.put('\'');
        let mut follows_space = false;
        let mut follows_break = false;
        let mut is_first = true;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            if character == ' ' {
                let is_inside = !is_first && next.is_some_and(|next| next != ' ');
                if self.may_fold(position) && !follows_space && is_inside {
                    self.start_line(indent);
                } else {
                    self.put(' ');
                }
            } else if is_break(character) {
                self.put_break(character);
            } else {
                if follows_break {
                    self.start_line(indent);
                }
                if character == '\'' {
                    self.put('\'');
                }
                self.put(character);
            }
            follows_space = character == ' ';
            follows_break = is_break(character);
            is_first = false;
        }
        self.put('\'');
    }

    fn double_quoted(&mut self, text: &str, indent: usize, position: Position) {
        // go-yaml takes a byte order mark in front for a reason to escape everything.
        let escapes_all = text.starts_with('\u{feff}');
        self.put('"');
        let mut follows_space = false;
        let mut is_first = true;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            let is_plain = is_printable(character)
                && !is_break(character)
                && !matches!(character, '"' | '\\')
                && !escapes_all;
            if !is_plain {
                self.escape(character);
                follows_space = false;
            } else if character == ' ' {
                let is_inside = !is_first && next.is_some();
                if self.may_fold(position) && !follows_space && is_inside {
                    self.start_line(indent);
                    // The reader would drop a space at the start of a line.
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                follows_space = true;
            } else {
                self.put(character);
                follows_space = false;
            }
            is_first = false;
        }
        self.put('"');
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(character);
                let escape = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                self.raw(&escape);
                return;
            }
        };
        self.put('\\');
        self.put(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.put('2');
        }
        let mut from_end = text.chars().rev();
        let ends_with_break = from_end.next().is_some_and(is_break);
        if !ends_with_break {
            self.put('-');
        } else if from_end.next().is_none_or(is_break) {
            self.put('+');
        }
        self.put_break('\n');
        let mut follows_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.put_break(character);
            } else {
                if follows_break {
                    self.start_line(indent);
                }
                self.put(character);
            }
            follows_break = is_break(character);
        }
    }
}

/// Returns `text` as it comes out of the detour that Helm's output takes: JSON, read again as YAML.
///
/// Go's JSON escapes all line breaks but NEL (U+0085), which the YAML reader then folds as it folds
/// line breaks between quotes: spaces around are dropped, one break becomes a space, and of several
/// all but one stay.
fn as_read_back(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{85}') {
        return Cow::Borrowed(text);
    }
    let is_blank = |character| matches!(character, ' ' | '\u{85}');
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{85}') {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        folded.push_str(before.trim_end_matches(' '));
        let tail = after.trim_start_matches(is_blank);
        let run = after.get(..after.len() - tail.len()).unwrap_or_default();
        let breaks = run.matches('\u{85}').count();
        if breaks == 1 {
            folded.push(' ');
        } else {
            folded.extend(std::iter::repeat_n('\n', breaks - 1));
        }
        rest = tail;
    }
    folded.push_str(rest);
    Cow::Owned(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_line_characters_fold_like_line_breaks() {
        for (text, folded) in [
            ("ab", "ab"),
            ("a\u{85}b", "a b"),
            ("a  \u{85} b", "a b"),
            ("a\u{85}\u{85}b", "a\nb"),
            ("a\u{85} \u{85}\u{85}b\u{85}", "a\n\nb "),
            ("\u{85}", " "),
        ] {
            assert_eq!(as_read_back(text), folded, "{text:?}");
        }
    }
}
