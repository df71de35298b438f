//! One gzip stream out of pieces that were compressed one by one.
//!
//! A piece is raw deflate data that refers to nothing before it and ends on a byte boundary, so that
//! pieces can stand in any order. The stream is a single gzip member: a header, the pieces, an empty
//! final block, and the checksum of everything, combined from those of the pieces.

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

/// No name, no time, no flags, made on no known system.
pub(super) const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// An empty stored block that is the last one.
const END: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// The most that one stored block can hold.
const MAX_STORED: usize = 0xffff;

/// A compressed text and the checksum of the text.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) deflated: Bytes,
    crc: u32,
}

/// The sum of several pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    /// The length of the compressed pieces.
    pub(super) deflated: u64,
    crc: crc32fast::Hasher,
}

impl Total {
    /// Adds a piece whose text has `length` bytes.
    pub(super) fn add(&mut self, piece: &Piece, length: usize) {
        self.deflated += u64::try_from(piece.deflated.len()).unwrap_or(u64::MAX);
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let piece = crc32fast::Hasher::new_with_initial_len(piece.crc, length);
        self.crc.combine(&piece);
    }

    /// Adds all pieces of another sum.
    pub(super) fn add_total(&mut self, other: &Self) {
        self.deflated += other.deflated;
        self.crc.combine(&other.crc);
    }

    /// Returns what ends the stream of a text of `length` bytes.
    pub(super) fn footer(self, length: u64) -> Vec<u8> {
        let [a, b, c, d, ..] = length.to_le_bytes();
        let mut footer = END.to_vec();
        footer.extend_from_slice(&self.crc.finalize().to_le_bytes());
        // The format has the length modulo 2^32.
        footer.extend_from_slice(&[a, b, c, d]);
        footer
    }
}

/// Compresses `text` to a piece.
pub(super) fn compress(text: &[u8]) -> Piece {
    // flate2 has no error for a fresh compressor; a piece that is merely stored is right as well.
    let deflated = deflate(text).unwrap_or_else(|_| store(text));
    Piece {
        deflated: deflated.into_boxed_slice().into(),
        crc: crc32fast::hash(text),
    }
}

/// Makes a piece of `text` without compressing it, for texts too short to gain from that.
pub(super) fn plain(text: &[u8]) -> Piece {
    Piece {
        deflated: store(text).into(),
        crc: crc32fast::hash(text),
    }
}

fn deflate(text: &[u8]) -> Result<Vec<u8>, flate2::CompressError> {
    let mut compress = Compress::new(Compression::default(), false);
    let mut out = Vec::with_capacity(text.len() / 4 + 64);
    let mut rest = text;
    loop {
        let before = compress.total_in();
        compress.compress_vec(rest, &mut out, FlushCompress::Sync)?;
        let taken = usize::try_from(compress.total_in() - before).unwrap_or(usize::MAX);
        rest = rest.get(taken..).unwrap_or_default();
        // Room that is left over says that the flush is complete.
        if rest.is_empty() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(out.capacity().max(64));
    }
}

fn store(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 5 * (text.len() / MAX_STORED + 1));
    for chunk in text.chunks(MAX_STORED) {
        let length = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    out
}
