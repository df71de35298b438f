//! ASCII armor, read as go-crypto reads it: the checksum is not compared, and what stands behind a
//! damaged place is not there.

use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Go does not look at the bits that are left over.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Longer lines of base64 are refused; a writer makes them 64 letters long (RFC 9580, 6.2, allows 76).
const LONGEST_LINE: usize = 96;
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What a block of armor holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What it says it is, such as `PGP SIGNATURE`.
    pub(super) kind: String,
    /// The packets.
    pub(super) bytes: Vec<u8>,
    /// Whether more was to come that cannot be read.
    pub(super) is_damaged: bool,
}

/// Reads the first block of a text, and returns it with what follows. `None` if there is none.
pub(super) fn read(text: &[u8]) -> Option<(Block, &[u8])> {
    let mut rest = text;
    let kind = loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        if let Some(kind) = kind(line.trim_ascii()) {
            break kind;
        }
    };
    // Headers, up to an empty line. Armor without that line is none to go-crypto.
    loop {
        let (line, after) = next_line(rest)?;
        rest = after;
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        if !line.contains(&b':') {
            return None;
        }
    }
    let (letters, is_cut, rest) = body(rest);
    let (bytes, is_whole) = decode(&letters);
    let block = Block {
        kind,
        bytes,
        is_damaged: is_cut || !is_whole,
    };
    Some((block, rest))
}

fn kind(line: &[u8]) -> Option<String> {
    let kind = line.strip_prefix(BEGIN)?.strip_suffix(DASHES)?;
    Some(String::from_utf8_lossy(kind).into_owned())
}

/// Returns the base64, whether it ends before the end of the armor, and what follows.
fn body(text: &[u8]) -> (Vec<u8>, bool, &[u8]) {
    let mut letters = Vec::new();
    let mut rest = text;
    while let Some((line, after)) = next_line(rest) {
        rest = after;
        let line = line.trim_ascii();
        if line.starts_with(END) {
            return (letters, false, rest);
        }
        // The checksum ends it too.
        if line.len() == 5 && line.starts_with(b"=") {
            return (letters, false, rest);
        }
        if line.len() > LONGEST_LINE {
            return (letters, true, rest);
        }
        letters.extend_from_slice(line);
    }
    // No end: go-crypto takes the end of the text for it.
    (letters, false, rest)
}

/// Decodes as far as it goes, and tells whether that is all.
fn decode(letters: &[u8]) -> (Vec<u8>, bool) {
    if let Ok(bytes) = STANDARD.decode(letters) {
        return (bytes, true);
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3);
    for group in letters.chunks(4) {
        match STANDARD.decode(group) {
            Ok(some) => bytes.extend_from_slice(&some),
            Err(_) => break,
        }
        if group.contains(&b'=') {
            break;
        }
    }
    (bytes, false)
}

/// Returns the text up to the next line feed, and what stands behind it; `None` at the end.
fn next_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    let end = text.iter().position(|byte| *byte == b'\n');
    Some(match end.and_then(|end| text.split_at_checked(end)) {
        Some((line, rest)) => (line, rest.get(1..).unwrap_or_default()),
        None => (text, &[]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(body: &str) -> Option<Block> {
        read(body.as_bytes()).map(|(block, _)| block)
    }

    #[test]
    fn a_block_is_read_with_and_without_its_checksum() {
        for text in [
            "-----BEGIN PGP X-----\n\nAQID\n-----END PGP X-----\n",
            "\r\njunk\r\n-----BEGIN PGP X-----\r\nVersion: 1\r\n\r\nAQ\r\nID\r\n=AAAA\r\n-----END PGP X-----",
            "-----BEGIN PGP X-----\n\nAQID",
        ] {
            let block = block(text).unwrap();
            assert_eq!(block.kind, "PGP X");
            assert_eq!(block.bytes, [1, 2, 3]);
            assert!(!block.is_damaged, "{text}");
        }
    }

    #[test]
    fn what_stands_before_a_damaged_place_is_kept() {
        for text in ["AQID\nA*==\n", "AQIDA\n", "AQID\nAQ==AQID\n"] {
            let block = block(&format!("-----BEGIN PGP X-----\n\n{text}-----END ")).unwrap();
            assert!(block.bytes.starts_with(&[1, 2, 3]), "{text}");
            assert!(block.is_damaged, "{text}");
        }
        let long = format!("-----BEGIN PGP X-----\n\n{}\n", "A".repeat(97));
        assert!(block(&long).unwrap().is_damaged);
    }

    #[test]
    fn without_an_empty_line_there_is_no_block() {
        assert_eq!(
            block("-----BEGIN PGP X-----\nAQID\n-----END PGP X-----"),
            None
        );
        assert_eq!(block("AQID"), None);
        assert_eq!(block(""), None);
    }
}
