//! What Helm does to the texts of a chart before it shows them, on both ends of an index.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Code points that Unicode 15.1 and 16 assigned. Helm is built with the tables of 15.0 and deletes
/// them; a newer table would make our index differ from what every client makes of it.
const NEWER_THAN_UNICODE_15: [(u32, u32); 50] = [
    (0x897, 0x897),
    (0x1B4E, 0x1B4F),
    (0x1B7F, 0x1B7F),
    (0x1C89, 0x1C8A),
    (0x2427, 0x2429),
    (0x2FFC, 0x2FFF),
    (0x31E4, 0x31E5),
    (0x31EF, 0x31EF),
    (0xA7CB, 0xA7CD),
    (0xA7DA, 0xA7DC),
    (0x105C0, 0x105F3),
    (0x10D40, 0x10D65),
    (0x10D69, 0x10D85),
    (0x10D8E, 0x10D8F),
    (0x10EC2, 0x10EC4),
    (0x10EFC, 0x10EFC),
    (0x11380, 0x11389),
    (0x1138B, 0x1138B),
    (0x1138E, 0x1138E),
    (0x11390, 0x113B5),
    (0x113B7, 0x113C0),
    (0x113C2, 0x113C2),
    (0x113C5, 0x113C5),
    (0x113C7, 0x113CA),
    (0x113CC, 0x113D5),
    (0x113D7, 0x113D8),
    (0x113E1, 0x113E2),
    (0x116D0, 0x116E3),
    (0x11BC0, 0x11BE1),
    (0x11BF0, 0x11BF9),
    (0x11F5A, 0x11F5A),
    (0x13460, 0x143FA),
    (0x16100, 0x16139),
    (0x16D40, 0x16D79),
    (0x18CFF, 0x18CFF),
    (0x1CC00, 0x1CCF9),
    (0x1CD00, 0x1CEB3),
    (0x1E5D0, 0x1E5FA),
    (0x1E5FF, 0x1E5FF),
    (0x1F8B2, 0x1F8BB),
    (0x1F8C0, 0x1F8C1),
    (0x1FA89, 0x1FA89),
    (0x1FA8F, 0x1FA8F),
    (0x1FABE, 0x1FABE),
    (0x1FAC6, 0x1FAC6),
    (0x1FADC, 0x1FADC),
    (0x1FADF, 0x1FADF),
    (0x1FAE9, 0x1FAE9),
    (0x1FBCB, 0x1FBEF),
    (0x2EBF0, 0x2EE5D),
];

/// Turns each white-space character into one space and deletes everything else that is not a
/// letter, mark, number, punctuation or symbol of Unicode 15.0.
pub fn sanitise(text: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    *text = text.chars().filter_map(sanitise_char).collect();
}

fn sanitise_char(character: char) -> Option<char> {
    if character.is_whitespace() {
        return Some(' ');
    }
    is_printable(character).then_some(character)
}

/// Go's `unicode.IsPrint`, apart from the space.
fn is_printable(character: char) -> bool {
    use GeneralCategory as Is;
    match get_general_category(character) {
        Is::Control
        | Is::Format
        | Is::LineSeparator
        | Is::ParagraphSeparator
        | Is::PrivateUse
        | Is::SpaceSeparator
        | Is::Surrogate
        | Is::Unassigned => false,
        _ => !is_newer(u32::from(character)),
    }
}

fn is_newer(code: u32) -> bool {
    let following = NEWER_THAN_UNICODE_15.partition_point(|(first, _)| *first <= code);
    following
        .checked_sub(1)
        .and_then(|range| NEWER_THAN_UNICODE_15.get(range))
        .is_some_and(|(_, last)| code <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_over_unicode_gives_the_counts_of_helm() {
        let (mut kept, mut spaces, mut deleted) = (0, 0, 0);
        for character in '\0'..=char::MAX {
            match sanitise_char(character) {
                Some(same) if same == character && same != ' ' => kept += 1,
                Some(_) => spaces += 1,
                None => deleted += 1,
            }
        }
        assert_eq!((kept, spaces, deleted), (148_997, 25, 963_042));
    }

    #[test]
    fn texts_change_as_in_helm() {
        let cases = [
            ("plain", "plain"),
            ("crlf\r\nx", "crlf  x"),
            ("nbsp\u{A0}x", "nbsp x"),
            ("del\u{7F}\u{1B}[31m", "del[31m"),
            ("\u{FEFF}bom\u{200D}", "bom"),
            ("é日本😀", "é日本😀"),
            ("👩\u{200D}💻", "👩💻"),
            ("unicode 16: \u{1FAE9}", "unicode 16: "),
            ("unicode 15.1: \u{2EBF0}", "unicode 15.1: "),
        ];
        for (text, expected) in cases {
            let mut sanitised = text.to_owned();
            sanitise(&mut sanitised);
            assert_eq!(sanitised, expected, "{text:?}");
        }
    }
}
