//! The blocks of one format, in order.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::Format;
use super::block::{Block, Lead, Part};
use super::gzip::Total;
use super::key::Key;

/// How large blocks are, in bytes of their text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// A larger block is split, unless it is a single version.
    pub(super) most: usize,
}

impl Size {
    /// What indexes are made of. Larger blocks cost more to make again at a change, smaller ones
    /// compress worse and are more to keep.
    pub(super) const DEFAULT: Self = Self { most: 64 << 10 };

    /// A new or merged block leaves some room, so that the next change does not split it.
    pub(super) fn filled(self) -> usize {
        self.most / 4 * 3
    }

    /// A smaller block is merged with a neighbour if that leaves room.
    fn least(self) -> usize {
        self.most / 4
    }
}

/// All versions of an index in the order of one format.
///
/// A copy shares the blocks. Where the versions are cut into blocks depends on the history; what the
/// blocks hold, one after the other, does not.
#[derive(Debug)]
pub(super) struct Sequence {
    format: Format,
    size: Size,
    blocks: Vec<Arc<Block>>,
    bytes: u64,
    total: OnceLock<Total>,
}

impl Clone for Sequence {
    fn clone(&self) -> Self {
        Self {
            blocks: self.blocks.clone(),
            // A copy is made to be changed.
            total: OnceLock::new(),
            ..*self
        }
    }
}

impl Sequence {
    /// Returns a sequence without versions.
    pub(super) fn empty(format: Format, size: Size) -> Self {
        Self::from_blocks(format, size, Vec::new())
    }

    /// Returns the sequence of `blocks`, which are in order and made with the right leads.
    pub(super) fn from_blocks(format: Format, size: Size, blocks: Vec<Arc<Block>>) -> Self {
        Self {
            format,
            size,
            bytes: blocks.iter().map(length).sum(),
            blocks,
            total: OnceLock::new(),
        }
    }

    /// Returns the blocks.
    pub(super) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// Returns the length of all blocks' text.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the length of all compressed blocks and the checksum of their text. The first call
    /// compresses those that are new.
    pub(super) fn total(&self) -> &Total {
        self.total.get_or_init(|| {
            let mut total = Total::default();
            for block in &self.blocks {
                total.add(block.piece(), block.text().len());
            }
            total
        })
    }

    /// Tells whether [`Sequence::total`] has nothing left to compress.
    pub(super) fn is_compressed(&self) -> bool {
        self.total.get().is_some()
    }

    /// Tells whether there is a version with this key.
    pub(super) fn contains(&self, key: Key<'_>) -> bool {
        let block = self.blocks.get(self.block_of(key));
        block.is_some_and(|block| block.find(key, self.format).is_ok())
    }

    /// Puts a version in its place, or in that of the one with the same key.
    pub(super) fn insert(&mut self, part: Part<'_>) {
        let key = part.key;
        let at = self.block_of(key).min(self.blocks.len().saturating_sub(1));
        let block = self.blocks.get(at).cloned();
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut place = Err(0);
        if let Some(block) = &block {
            place = block.find(key, self.format);
            parts.reserve_exact(block.len() + 1);
            parts.extend(block.parts());
        }
        match place {
            Ok(position) => {
                if let Some(old) = parts.get_mut(position) {
                    *old = part;
                }
            }
            Err(position) => parts.insert(position, part),
        }
        self.settle(at, &parts);
    }

    /// Removes a version; returns whether it was there.
    pub(super) fn remove(&mut self, key: Key<'_>) -> bool {
        let at = self.block_of(key);
        let Some(block) = self.blocks.get(at).cloned() else {
            return false;
        };
        let Ok(position) = block.find(key, self.format) else {
            return false;
        };
        let mut parts: Vec<Part<'_>> = block.parts().collect();
        parts.remove(position);
        self.settle(at, &parts);
        true
    }

    /// Returns the position of the block that `key` is in or goes to: the first one that does not end
    /// before it. Thus a new version stands in one block with the version that it precedes.
    pub(super) fn block_of(&self, key: Key<'_>) -> usize {
        self.blocks.partition_point(|block| {
            let last = block.last_key();
            last.is_some_and(|last| last.compare(key, self.format).is_lt())
        })
    }

    /// Makes the block at `at` anew from `parts`. One more block is made anew at most: the next one, if
    /// its lead no longer holds, or a neighbour that is merged with what remains.
    fn settle(&mut self, at: usize, parts: &[Part<'_>]) {
        let weight = weigh(parts);
        let previous = at.checked_sub(1).and_then(|before| self.blocks.get(before));
        let previous = previous.cloned();
        let next = self.blocks.get(at + 1).cloned();
        let leads = parts.last().map(|part| &**part.chart);
        let leads = leads.or(previous.as_ref().map(|block| block.last_chart()));
        let is_stale = next.as_ref().is_some_and(|next| {
            let chart = next.charts().next().map(|(chart, _)| &**chart);
            let lead = Lead::after(leads, chart.unwrap_or_default(), self.format);
            lead != next.lead()
        });
        let fits = |neighbour: &Arc<Block>| {
            weight < self.size.least() && weight + neighbour.text().len() <= self.size.filled()
        };
        if let Some(next) = next.filter(|next| is_stale || (!parts.is_empty() && fits(next))) {
            let after: Vec<Part<'_>> = next.parts().collect();
            if fits(&next) {
                let joined: Vec<Part<'_>> = parts.iter().copied().chain(after).collect();
                self.replace(at..at + 2, &[&joined]);
            } else {
                self.replace(at..at + 2, &[parts, &after]);
            }
            return;
        }
        if let Some(previous) = previous.filter(|block| !parts.is_empty() && fits(block)) {
            let joined: Vec<Part<'_>> = previous.parts().chain(parts.iter().copied()).collect();
            self.replace(at - 1..at + 1, &[&joined]);
            return;
        }
        self.replace(at..at + 1, &[parts]);
    }

    /// Replaces the blocks at `range` by the blocks of `groups`, each cut as its size asks for.
    fn replace(&mut self, range: Range<usize>, groups: &[&[Part<'_>]]) {
        let range = range.start..range.end.min(self.blocks.len());
        let before = range.start.checked_sub(1);
        let before = before.and_then(|before| self.blocks.get(before)).cloned();
        let mut previous = before.as_ref().map(|block| block.last_chart());
        let mut made = Vec::new();
        for group in groups {
            for parts in cut(group, self.size) {
                made.push(Arc::new(Block::join(parts, previous, self.format)));
                previous = parts.last().map(|part| &**part.chart);
            }
        }
        self.bytes += made.iter().map(length).sum::<u64>();
        let old = self.blocks.splice(range, made);
        self.bytes -= old.map(|block| length(&block)).sum::<u64>();
        self.total = OnceLock::new();
    }
}

fn length(block: &Arc<Block>) -> u64 {
    u64::try_from(block.text().len()).unwrap_or(u64::MAX)
}

fn weigh(parts: &[Part<'_>]) -> usize {
    parts.iter().map(Part::weight).sum()
}

/// Cuts `parts` in halves until each is small enough or a single version.
fn cut<'p, 'a>(parts: &'p [Part<'a>], size: Size) -> Vec<&'p [Part<'a>]> {
    let weight = weigh(parts);
    if parts.is_empty() {
        return Vec::new();
    }
    if parts.len() == 1 || weight <= size.most {
        return vec![parts];
    }
    let mut first_half = 0;
    let mut middle = 0;
    for part in parts {
        // The cut that leaves the halves most alike is before or after the part in the middle.
        if first_half + part.weight() / 2 > weight / 2 {
            break;
        }
        first_half += part.weight();
        middle += 1;
    }
    let middle = middle.clamp(1, parts.len() - 1);
    let Some((left, right)) = parts.split_at_checked(middle) else {
        return vec![parts];
    };
    let mut pieces = cut(left, size);
    pieces.extend(cut(right, size));
    pieces
}
