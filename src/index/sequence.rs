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

/// How many blocks a group holds at most. A change copies the list of groups and one group, so that it
/// costs a square root of what there is.
const GROUP: usize = 128;

/// All versions of an index in the order of one format.
///
/// A copy shares the blocks. Where the versions are cut into blocks depends on the history; what the
/// blocks hold, one after the other, does not.
#[derive(Debug)]
pub(super) struct Sequence {
    format: Format,
    size: Size,
    /// None is empty.
    groups: Vec<Arc<Group>>,
    bytes: u64,
    total: OnceLock<Total>,
}

/// Some blocks that follow one another.
#[derive(Debug, Default)]
struct Group {
    blocks: Vec<Arc<Block>>,
    total: OnceLock<Total>,
}

impl Clone for Sequence {
    fn clone(&self) -> Self {
        Self {
            groups: self.groups.clone(),
            // A copy is made to be changed.
            total: OnceLock::new(),
            ..*self
        }
    }
}

impl Clone for Group {
    fn clone(&self) -> Self {
        Self::of(self.blocks.clone())
    }
}

impl Group {
    fn of(blocks: Vec<Arc<Block>>) -> Self {
        Self {
            blocks,
            total: OnceLock::new(),
        }
    }

    fn total(&self) -> &Total {
        self.total.get_or_init(|| {
            let mut total = Total::default();
            for block in &self.blocks {
                total.add(block.piece(), block.text().len());
            }
            total
        })
    }
}

impl Sequence {
    /// Returns a sequence without versions.
    pub(super) fn empty(format: Format, size: Size) -> Self {
        Self {
            format,
            size,
            groups: Vec::new(),
            bytes: 0,
            total: OnceLock::new(),
        }
    }

    /// Returns the blocks.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> + Clone {
        self.groups.iter().flat_map(|group| &group.blocks)
    }

    /// Returns the blocks from a position on.
    pub(super) fn blocks_from(&self, at: usize) -> impl Iterator<Item = &Arc<Block>> {
        let (group, within) = self.locate(at);
        let groups = self.groups.get(group..).unwrap_or_default().iter();
        groups.flat_map(|group| &group.blocks).skip(within)
    }

    /// Returns the block at a position.
    pub(super) fn block(&self, at: usize) -> Option<&Arc<Block>> {
        let (group, within) = self.locate(at);
        self.groups.get(group)?.blocks.get(within)
    }

    /// Returns the number of blocks for which `is_before` holds; it must hold for the first ones only.
    pub(super) fn partition_point(&self, is_before: impl Fn(&Block) -> bool) -> usize {
        let group = self
            .groups
            .partition_point(|group| group.blocks.last().is_some_and(|block| is_before(block)));
        let before = self
            .groups
            .iter()
            .take(group)
            .map(|group| group.blocks.len());
        let within = self.groups.get(group).map_or(0, |group| {
            group.blocks.partition_point(|block| is_before(block))
        });
        before.sum::<usize>() + within
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
            for group in &self.groups {
                total.add_total(group.total());
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
        let block = self.block(self.block_of(key));
        block.is_some_and(|block| block.find(key, self.format).is_ok())
    }

    /// Puts versions in their places, or in those of the ones with the same keys. They must be in
    /// order, no key twice.
    ///
    /// # Cost
    /// Each block that gets some of them is made anew once.
    pub(super) fn insert_all(&mut self, mut added: &[Part<'_>]) {
        while let Some(first) = added.first() {
            let at = self.block_of(first.key).min(self.len().saturating_sub(1));
            let block = self.block(at).cloned();
            // What comes after the last block belongs to it, too.
            let last = block.as_ref().filter(|_| at + 1 < self.len());
            let here = last
                .and_then(|block| block.last_key())
                .map_or(added.len(), |last| {
                    added.partition_point(|part| part.key.compare(last, self.format).is_le())
                });
            // The first one is in its block, or that would be another one.
            let Some((here, rest)) = added.split_at_checked(here.max(1)) else {
                return;
            };
            let known = block.iter().flat_map(|block| block.parts());
            let known = known.collect::<Vec<Part<'_>>>();
            self.settle(at, &interleave(&known, here, self.format));
            added = rest;
        }
    }

    /// Removes a version; returns whether it was there.
    pub(super) fn remove(&mut self, key: Key<'_>) -> bool {
        let at = self.block_of(key);
        let Some(block) = self.block(at).cloned() else {
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
        self.partition_point(|block| {
            let last = block.last_key();
            last.is_some_and(|last| last.compare(key, self.format).is_lt())
        })
    }

    /// Returns the number of blocks.
    pub(super) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.blocks.len()).sum()
    }

    /// Returns the group of a block, and its position there; behind the last group for what is behind
    /// the last block.
    fn locate(&self, at: usize) -> (usize, usize) {
        let mut within = at;
        for (position, group) in self.groups.iter().enumerate() {
            if within < group.blocks.len() {
                return (position, within);
            }
            within -= group.blocks.len();
        }
        (self.groups.len(), within)
    }

    /// Makes the block at `at` anew from `parts`. One more block is made anew at most: the next one, if
    /// its lead no longer holds, or a neighbour that is merged with what remains.
    fn settle(&mut self, at: usize, parts: &[Part<'_>]) {
        let weight = weigh(parts);
        let previous = at.checked_sub(1).and_then(|before| self.block(before));
        let previous = previous.cloned();
        let next = self.block(at + 1).cloned();
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

    /// Replaces the blocks at `range` by the blocks of `runs`, each cut as its size asks for.
    fn replace(&mut self, range: Range<usize>, runs: &[&[Part<'_>]]) {
        let before = range.start.checked_sub(1);
        let before = before.and_then(|before| self.block(before)).cloned();
        let mut previous = before.as_ref().map(|block| block.last_chart());
        let mut made = Vec::new();
        for run in runs {
            for parts in cut(run, self.size) {
                made.push(Arc::new(Block::join(parts, previous, self.format)));
                previous = parts.last().map(|part| &**part.chart);
            }
        }
        self.bytes += made.iter().map(length).sum::<u64>();
        self.bytes -= self.splice(range, made);
        self.total = OnceLock::new();
    }

    /// Puts `made` in the place of the blocks at `range`, and returns how long their text was.
    fn splice(&mut self, range: Range<usize>, made: Vec<Arc<Block>>) -> u64 {
        // A place behind the last block is one in the last group.
        let (first, start) = match self.locate(range.start) {
            (group, _) if group == self.groups.len() => match self.groups.last() {
                Some(last) => (group - 1, last.blocks.len()),
                None => (0, 0),
            },
            place => place,
        };
        // The groups that are touched become one, which is cut again.
        let mut end = start + range.len();
        let mut touched: Vec<Arc<Block>> = Vec::new();
        let mut groups = first;
        while let Some(group) = self.groups.get(groups)
            && (groups == first || end > touched.len() || touched.len() < GROUP / 4)
        {
            touched.extend_from_slice(&group.blocks);
            groups += 1;
        }
        end = end.min(touched.len());
        let old = touched.splice(start.min(end)..end, made);
        let old = old.map(|block| length(&block)).sum();
        let pieces = touched.len().div_ceil(GROUP);
        let size = touched.len().div_ceil(pieces.max(1)).max(1);
        let made = touched
            .chunks(size)
            .map(|blocks| Group::of(blocks.to_vec()));
        self.groups.splice(first..groups, made.map(Arc::new));
        old
    }
}

/// Returns both in one order; of two with the same key, the one that is `added`.
fn interleave<'a>(known: &[Part<'a>], added: &[Part<'a>], format: Format) -> Vec<Part<'a>> {
    let mut parts = Vec::with_capacity(known.len() + added.len());
    let mut rest = known;
    for part in added {
        let before = rest.partition_point(|known| known.key.compare(part.key, format).is_lt());
        let (before, after) = rest.split_at_checked(before).unwrap_or((rest, &[]));
        parts.extend_from_slice(before);
        parts.push(*part);
        rest = match after.split_first() {
            Some((same, after)) if same.key == part.key => after,
            _ => after,
        };
    }
    parts.extend_from_slice(rest);
    parts
}

fn length(block: &Arc<Block>) -> u64 {
    u64::try_from(block.text().len()).unwrap_or(u64::MAX)
}

fn weigh(parts: &[Part<'_>]) -> usize {
    parts.iter().map(Part::weight).sum()
}

/// Cuts `parts` in halves until each is small enough or a single version. What is much more than a
/// block comes with a bulk of new versions, and becomes blocks that are filled alike.
fn cut<'p, 'a>(parts: &'p [Part<'a>], size: Size) -> Vec<&'p [Part<'a>]> {
    let weight = weigh(parts);
    if parts.is_empty() {
        return Vec::new();
    }
    if weight > 2 * size.most {
        return fill(parts, size);
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

/// Cuts `parts` where a block is filled.
fn fill<'p, 'a>(parts: &'p [Part<'a>], size: Size) -> Vec<&'p [Part<'a>]> {
    let mut pieces = Vec::new();
    let mut rest = parts;
    while !rest.is_empty() {
        let mut weight = 0;
        let fitting = rest.iter().take_while(|part| {
            weight += part.weight();
            weight <= size.filled()
        });
        let count = fitting.count().max(1);
        let Some((piece, after)) = rest.split_at_checked(count) else {
            break;
        };
        pieces.push(piece);
        rest = after;
    }
    pieces
}
