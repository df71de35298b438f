//! The cleartext signature framework (RFC 9580, 7), read as go-crypto's `clearsign.Decode` reads it.

use super::armor::{self, Block};

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
const END: &[u8] = b"\n-----END PGP SIGNATURE-----";
/// The one header that may stand there; it is compared with nothing.
const HASH: &str = "Hash";
const HASHES: [&str; 9] = [
    "MD5",
    "SHA1",
    "RIPEMD160",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
    "SHA3-256",
    "SHA3-512",
];

/// A text and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clearsigned {
    /// The text, with LF at the line ends but the last.
    pub(super) text: Vec<u8>,
    /// What is signed: the text with CRLF instead.
    pub(super) signed: Vec<u8>,
    /// The signatures.
    pub(super) signatures: Block,
}

/// Returns the first signed message of a file. What stands before and behind it does not count.
pub(super) fn decode(file: &[u8]) -> Option<Clearsigned> {
    let rest = after_begin(file)?;
    let (suffix, rest) = line(rest);
    if !suffix.is_empty() {
        return None;
    }
    let mut rest = after_headers(rest)?;
    let (mut text, mut signed) = (Vec::new(), Vec::new());
    loop {
        let here = rest;
        let (found, after) = line(rest);
        if found.is_empty() && after.is_empty() {
            return None;
        }
        if found == SIGNATURE {
            rest = here;
            break;
        }
        rest = after;
        // The line end before the signature is not signed.
        if !text.is_empty() {
            signed.extend_from_slice(b"\r\n");
        }
        let unescaped = found.strip_prefix(b"- ").unwrap_or(found);
        let trimmed = trim_end(unescaped);
        signed.extend_from_slice(trimmed);
        text.extend_from_slice(trimmed);
        text.push(b'\n');
    }
    // Helm ends with a panic where there is no line at all.
    text.pop()?;
    let armored = rest.get(..find(rest, END)? + END.len())?;
    let (signatures, _) = armor::read(armored)?;
    Some(Clearsigned {
        text,
        signed,
        signatures,
    })
}

/// The line that begins the message may be the first, or any other one.
fn after_begin(file: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = file.strip_prefix(BEGIN) {
        return Some(rest);
    }
    let mut from = 0;
    loop {
        let at = from + find(file.get(from..)?, BEGIN)?;
        let before = at.checked_sub(1).and_then(|before| file.get(before));
        if before == Some(&b'\n') {
            return file.get(at + BEGIN.len()..);
        }
        from = at + 1;
    }
}

fn after_headers(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        if rest.is_empty() {
            return None;
        }
        let (header, after) = line(rest);
        rest = after;
        if String::from_utf8_lossy(header).trim().is_empty() {
            return Some(rest);
        }
        if !header.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return None;
        }
        let (name, values) = std::str::from_utf8(header).ok()?.split_once(':')?;
        let is_known = |value: &str| HASHES.contains(&&*value.trim().to_ascii_uppercase());
        if name.trim() != HASH || !values.split(',').all(is_known) {
            return None;
        }
    }
}

/// Returns the first line, without its LF or CRLF, and what follows.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let Some((found, rest)) = end.and_then(|end| text.split_at_checked(end)) else {
        return (text, &[]);
    };
    let found = found.strip_suffix(b"\r").unwrap_or(found);
    (found, rest.get(1..).unwrap_or_default())
}

fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t'));
    line.get(..end.map_or(0, |end| end + 1)).unwrap_or_default()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na: 1 \t\n- - x\n\n...\nfiles:\n\
                          -----BEGIN PGP SIGNATURE-----\n\nAQID\n=AAAA\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn a_message_is_read_with_either_line_end_and_with_texts_around_it() {
        for file in [
            SAMPLE.to_owned(),
            SAMPLE.replace('\n', "\r\n"),
            format!("before\n{SAMPLE}after\n{SAMPLE}"),
            SAMPLE.replace("Hash: SHA512\n", ""),
            SAMPLE.replace("SHA512", "sha256, SHA512"),
        ] {
            let message = decode(file.as_bytes()).unwrap();
            assert_eq!(message.text, b"a: 1\n- x\n\n...\nfiles:", "{file}");
            assert_eq!(message.signed, b"a: 1\r\n- x\r\n\r\n...\r\nfiles:");
            assert_eq!(message.signatures.bytes, [1, 2, 3]);
        }
    }

    #[test]
    fn what_is_no_message_to_go_crypto_is_none_here() {
        for file in [
            String::new(),
            format!("x{SAMPLE}"),
            SAMPLE.replace("MESSAGE-----", "MESSAGE----- "),
            SAMPLE.replace("Hash: SHA512", "Comment: x"),
            SAMPLE.replace("SHA512", "SHA513"),
            SAMPLE.replace("SHA512", "SHA512\u{e9}"),
            SAMPLE.replace("SIGNATURE-----\n\n", "SIGNATURE-----\n"),
            SAMPLE.replace("BEGIN PGP SIGNATURE-----", "BEGIN PGP SIGNATURE----- "),
            SAMPLE.replace("END PGP", "END"),
            SAMPLE.replace("a: 1 \t\n- - x\n\n...\nfiles:\n", ""),
        ] {
            assert_eq!(decode(file.as_bytes()), None, "{file}");
        }
    }

    #[test]
    fn the_first_empty_line_is_signed_too() {
        let file = SAMPLE.replace("a: 1 \t\n", "\n\n");
        let message = decode(file.as_bytes()).unwrap();
        assert_eq!(message.signed, b"\r\n\r\n- x\r\n\r\n...\r\nfiles:");
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in 0_usize..200, cut in 0_usize..60, with in "\\PC{0,5}") {
            let mut file = SAMPLE.to_owned();
            let start = at.min(file.len());
            let end = (start + cut).min(file.len());
            file.replace_range(start..end, &with);
            let _ = decode(file.as_bytes());
        }
    }
}
