//! Bodies of responses, in the pieces that they are kept in.

use std::sync::Arc;

use bytes::Bytes;

use super::Encoding;
use super::gzip::{self, Total};
use super::sequence::Sequence;

/// An index or a part of one, ready to be sent: a header, blocks that are shared with the index, and a
/// footer. The pieces are never joined.
///
/// A copy is cheap, and stays as it is when the index changes.
#[derive(Clone, Debug)]
pub struct Body {
    header: Bytes,
    middle: Middle,
    footer: Bytes,
    len: u64,
    encoding: Encoding,
}

#[derive(Clone, Debug)]
enum Middle {
    /// All blocks of a format.
    Blocks(Arc<Sequence>),
    /// The same, compressed.
    Pieces(Arc<Sequence>),
    /// Some texts of their own.
    Slices(Arc<[Bytes]>),
}

impl Body {
    /// Returns a body that holds a whole sequence.
    pub(super) fn of_sequence(header: Vec<u8>, sequence: Arc<Sequence>, footer: Vec<u8>) -> Self {
        let len = size(&header) + sequence.bytes() + size(&footer);
        Self {
            header: header.into(),
            middle: Middle::Blocks(sequence),
            footer: footer.into(),
            len,
            encoding: Encoding::Identity,
        }
    }

    /// Returns a body that holds `slices`.
    pub(super) fn of_slices(header: Vec<u8>, slices: Vec<Bytes>, footer: Vec<u8>) -> Self {
        let middle: u64 = slices.iter().map(|slice| size(slice)).sum();
        Self {
            len: size(&header) + middle + size(&footer),
            header: header.into(),
            middle: Middle::Slices(slices.into()),
            footer: footer.into(),
            encoding: Encoding::Identity,
        }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns how the body is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Tells whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the pieces in order; none is empty. The iterator owns all that it needs.
    pub fn chunks(&self) -> Chunks {
        Chunks {
            body: self.clone(),
            next: 0,
        }
    }

    /// Tells whether [`Body::gzip`] takes no time, as nothing is left to compress.
    pub fn is_compressed(&self) -> bool {
        match &self.middle {
            Middle::Blocks(sequence) => sequence.is_compressed(),
            Middle::Slices(_) | Middle::Pieces(_) => self.encoding == Encoding::Gzip,
        }
    }

    /// Returns the body compressed to one gzip member; a compressed body as it is.
    ///
    /// # Cost
    /// Blocks that were compressed before, for whatever snapshot of the index, are not compressed
    /// again; a new one takes about a millisecond. Call it off the async threads.
    #[must_use]
    pub fn gzip(&self) -> Self {
        if self.encoding == Encoding::Gzip {
            return self.clone();
        }
        let mut total = Total::default();
        let first = gzip::plain(&self.header);
        let last = gzip::plain(&self.footer);
        total.add(&first, self.header.len());
        let middle = match &self.middle {
            Middle::Blocks(sequence) => {
                total.add_total(sequence.total());
                Middle::Pieces(Arc::clone(sequence))
            }
            Middle::Slices(slices) => Middle::Slices(compress_all(slices.iter(), &mut total)),
            Middle::Pieces(_) => self.middle.clone(),
        };
        total.add(&last, self.footer.len());
        let header = [&gzip::HEADER, &*first.deflated].concat();
        let deflated = total.deflated - size(&first.deflated);
        let footer = [&*last.deflated, &total.footer(self.len)].concat();
        Self {
            len: size(&header) + deflated - size(&last.deflated) + size(&footer),
            header: header.into(),
            middle,
            footer: footer.into(),
            encoding: Encoding::Gzip,
        }
    }
}

fn compress_all<'a>(texts: impl Iterator<Item = &'a Bytes>, total: &mut Total) -> Arc<[Bytes]> {
    let compress = |text: &Bytes| {
        let piece = gzip::compress(text);
        total.add(&piece, text.len());
        piece.deflated
    };
    texts.map(compress).collect()
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The pieces of a [`Body`].
#[derive(Clone, Debug)]
pub struct Chunks {
    body: Body,
    next: usize,
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            let position = self.next;
            // The largest number marks the end.
            self.next = position.checked_add(1)?;
            let chunk = match position.checked_sub(1) {
                None => Some(self.body.header.clone()),
                Some(position) => self.body.middle_chunk(position),
            };
            let chunk = chunk.unwrap_or_else(|| {
                self.next = usize::MAX;
                self.body.footer.clone()
            });
            if !chunk.is_empty() {
                return Some(chunk);
            }
        }
    }
}

impl Body {
    fn middle_chunk(&self, position: usize) -> Option<Bytes> {
        match &self.middle {
            Middle::Blocks(sequence) => Some(sequence.block(position)?.text().clone()),
            Middle::Pieces(sequence) => {
                let block = sequence.block(position)?;
                Some(block.piece().deflated.clone())
            }
            Middle::Slices(slices) => slices.get(position).cloned(),
        }
    }
}
