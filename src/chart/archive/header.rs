//! Decodes the header block of a tar entry as Go's `archive/tar` does.

use super::ArchiveError;

/// The size of a block.
pub(super) const BLOCK: usize = 512;

/// What a header block says.
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) mode: u64,
    pub(super) flag: u8,
}

impl Header {
    /// Decodes a block that is not all zeros.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, ArchiveError> {
        decode(block).ok_or(ArchiveError::TarHeader)
    }

    /// Returns whether Go takes the entry for a directory: by its type, or by its mode.
    pub(super) fn is_directory(&self) -> bool {
        self.flag == b'5' || self.mode & 0o170_000 == 0o040_000
    }
}

/// The formats that differ in where the beginning of a long name is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    V7,
    Ustar,
    Star,
    Gnu,
}

fn decode(block: &[u8; BLOCK]) -> Option<Header> {
    if !is_checksum_right(block)? {
        return None;
    }
    let format = format_of(block);
    // Go refuses a header with any number that it cannot read.
    let mode = numeric(field(block, 100, 8))?;
    for (start, length) in [(108, 8), (116, 8), (136, 12)] {
        numeric(field(block, start, length))?;
    }
    if format != Format::V7 {
        numeric(field(block, 329, 8))?;
        numeric(field(block, 337, 8))?;
    }
    if format == Format::Star {
        numeric(field(block, 476, 12))?;
        numeric(field(block, 488, 12))?;
    }
    let prefix = match format {
        Format::V7 => &[],
        Format::Ustar => until_nul(field(block, 345, 155)),
        Format::Star => until_nul(field(block, 345, 131)),
        Format::Gnu => gnu_prefix(block),
    };
    let name = until_nul(field(block, 0, 100));
    let name = if prefix.is_empty() {
        name.to_vec()
    } else {
        [prefix, name].join(&b'/')
    };
    Some(Header {
        name,
        size: u64::try_from(numeric(field(block, 124, 12))?).ok()?,
        mode: u64::try_from(mode).unwrap_or_default(),
        flag: block.get(156).copied()?,
    })
}

fn format_of(block: &[u8; BLOCK]) -> Format {
    match field(block, 257, 8) {
        [b'u', b's', b't', b'a', b'r', 0, ..] if field(block, 508, 4) == b"tar\0" => Format::Star,
        [b'u', b's', b't', b'a', b'r', 0, ..] => Format::Ustar,
        b"ustar  \0" => Format::Gnu,
        _ => Format::V7,
    }
}

/// GNU has two times where others have the prefix. Go before 1.8 wrote a prefix there all the same,
/// so Go takes it for one when the times cannot be read.
fn gnu_prefix(block: &[u8; BLOCK]) -> &[u8] {
    let is_time = |time: &[u8]| time.first() == Some(&0) || numeric(time).is_some();
    if is_time(field(block, 345, 12)) && is_time(field(block, 357, 12)) {
        return &[];
    }
    let prefix = until_nul(field(block, 345, 155));
    if prefix.is_ascii() { prefix } else { &[] }
}

/// Compares the checksum, whose own field counts as spaces, with the sum of unsigned or, as very
/// old programs computed it, signed bytes.
fn is_checksum_right(block: &[u8; BLOCK]) -> Option<bool> {
    let expected = octal(field(block, 148, 8))?;
    let (mut unsigned, mut signed): (i64, i64) = (0, 0);
    for (position, byte) in block.iter().enumerate() {
        let is_own_field = (148..156).contains(&position);
        let byte = if is_own_field { b' ' } else { *byte };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    Some(expected == unsigned || expected == signed)
}

/// Reads octal digits, or a big-endian number when the first bit is set.
fn numeric(bytes: &[u8]) -> Option<i64> {
    let [first, rest @ ..] = bytes else {
        return Some(0);
    };
    if first & 0x80 == 0 {
        return octal(bytes);
    }
    let is_negative = first & 0x40 != 0;
    let inversion = if is_negative { 0xFF } else { 0 };
    let mut value = u64::from((first ^ inversion) & 0x7F);
    for byte in rest {
        if value >> 56 > 0 {
            return None;
        }
        value = value << 8 | u64::from(byte ^ inversion);
    }
    let value = i64::try_from(value).ok()?;
    Some(if is_negative { !value } else { value })
}

fn octal(bytes: &[u8]) -> Option<i64> {
    let is_filler = |byte: &u8| matches!(byte, b' ' | 0);
    let start = bytes.iter().position(|byte| !is_filler(byte));
    let Some(bytes) = start.and_then(|start| bytes.get(start..)) else {
        return Some(0);
    };
    let end = bytes.iter().rposition(|byte| !is_filler(byte))?;
    let digits = until_nul(bytes.get(..=end)?);
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    i64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

fn field(block: &[u8; BLOCK], start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

/// Returns the bytes before the first zero.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
