//! Archives for the targets.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

const BLOCK: usize = 512;

/// Appends an entry with a right header; a name longer than its field goes into a pax record.
pub(crate) fn push(tar: &mut Vec<u8>, flag: u8, name: &str, body: &[u8]) {
    if name.len() > 100 {
        let record = format!(" path={name}\n");
        let mut length = record.len() + 1;
        while format!("{length}{record}").len() != length {
            length += 1;
        }
        push_header(tar, b'x', b"pax", length as u64);
        push_body(tar, format!("{length}{record}").as_bytes());
    }
    let short: Vec<u8> = name.bytes().take(100).collect();
    push_header(tar, flag, &short, body.len() as u64);
    push_body(tar, body);
}

/// Appends a header, whatever it says about the size.
pub(crate) fn push_header(tar: &mut Vec<u8>, flag: u8, name: &[u8], size: u64) {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    // Twelve octal digits hold 64 GiB.
    block[124..136].copy_from_slice(format!("{:012o}", size % (1 << 36)).as_bytes());
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    repair(&mut block);
    tar.extend_from_slice(&block);
}

/// Appends a body, and zeros up to the next block.
pub(crate) fn push_body(tar: &mut Vec<u8>, body: &[u8]) {
    tar.extend_from_slice(body);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

/// Puts the right checksums into the headers, as far as they can be followed, since a fuzzer would not
/// find them.
pub(crate) fn repaired(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + BLOCK) {
        if block.iter().all(|byte| *byte == 0) {
            at += BLOCK;
            continue;
        }
        repair(block);
        let digits = String::from_utf8_lossy(&block[124..136]);
        let size = usize::from_str_radix(digits.trim_matches([' ', '\0']), 8).unwrap_or_default();
        let has_body = !matches!(block[156], b'1'..=b'6');
        let body = if has_body { size } else { 0 };
        at = at.saturating_add(BLOCK + body.min(1 << 30).next_multiple_of(BLOCK));
    }
    tar
}

fn repair(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Compresses.
pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}
