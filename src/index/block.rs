//! A run of neighbouring versions, rendered and joined.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::gzip::{self, Piece};
use super::key::{Key, Tie};
use super::{Format, json_writer, yaml_writer};

/// Some versions that follow one another in one format: of one chart, of several, or a part of one.
/// It never changes; readers share it, and a change to the index makes another one.
///
/// The keys of the versions are packed into one text: an allocation for each of them would cost more
/// than what may be spent on top of the rendered text.
#[derive(Debug)]
pub(super) struct Block {
    /// The versions with all that stands between them, and before the first one.
    text: Bytes,
    lead: Lead,
    charts: Box<[Run]>,
    slots: Box<[Slot]>,
    /// The versions' texts and ties, one after the other. A tie that is not the file name has
    /// [`TIE_MARK`] in front, which tells an empty one from none.
    labels: Box<str>,
    piece: OnceLock<Piece>,
}

const TIE_MARK: char = '=';

/// The part of a block that is about one chart.
#[derive(Debug)]
struct Run {
    chart: Arc<str>,
    /// The position of its first version in the block.
    first: u32,
}

/// One version in a block. A block beyond 4 GiB, that is such a single entry, is not supported.
#[derive(Debug)]
struct Slot {
    start: u32,
    end: u32,
    label: u32,
    tie: u32,
}

/// What stands before a version; it depends on what the version follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// The first version of the first chart, which only JSON tells from that of another.
    First,
    /// The first version of any other chart.
    Next,
    /// A further version of a chart.
    Same,
}

/// A version and its rendered text, on the way into a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// The shared name of the chart.
    pub(super) chart: &'a Arc<str>,
    /// The key, whose chart is the same one.
    pub(super) key: Key<'a>,
    pub(super) text: &'a [u8],
}

impl Part<'_> {
    /// Estimates how many bytes the version takes in a block, lead included.
    pub(super) fn weight(&self) -> usize {
        self.text.len() + self.chart.len() + 16
    }
}

impl Lead {
    /// Returns the lead of a version of `chart` that follows one of `previous`.
    pub(super) fn after(previous: Option<&str>, chart: &str, format: Format) -> Self {
        match (previous, format) {
            (Some(previous), _) if previous == chart => Self::Same,
            (None, Format::Json) => Self::First,
            _ => Self::Next,
        }
    }

    fn write(self, chart: &str, format: Format, out: &mut Vec<u8>) {
        match (format, self) {
            (Format::Yaml, Self::Same) => yaml_writer::write_lead(chart, out),
            (Format::Yaml, _) => yaml_writer::write_chart_lead(chart, out),
            (Format::Json, Self::Same) => out.push(b','),
            (Format::Json, lead) => {
                // What closes a chart stands before the next one, or in the footer.
                if lead == Self::Next {
                    out.extend_from_slice(b"],");
                }
                json_writer::write_text(chart, out);
                out.extend_from_slice(b":[");
            }
        }
    }
}

impl Block {
    /// Joins `parts`, which follow a version of the chart `previous`.
    pub(super) fn join(parts: &[Part<'_>], previous: Option<&str>, format: Format) -> Self {
        let mut joined = Joiner::new(parts, previous, format);
        for part in parts {
            joined.push(part.key, part.chart, |text| {
                text.extend_from_slice(part.text);
            });
        }
        joined.finish()
    }

    /// Returns the rendered versions.
    pub(super) fn text(&self) -> &Bytes {
        &self.text
    }

    /// Returns how many bytes the block holds in memory, compressed text left aside.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let parts = [size_of_val(&*self.charts), size_of_val(&*self.slots)];
        // The counters of the `Arc`, and what an allocation costs by itself.
        let overhead = size_of::<Self>() + 2 * size_of::<usize>() + 6 * 16;
        self.text.len() + self.labels.len() + parts.iter().sum::<usize>() + overhead
    }

    /// Returns the lead that the block was made with.
    pub(super) fn lead(&self) -> Lead {
        self.lead
    }

    /// Returns the number of versions.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the text, compressed; computed at the first call.
    pub(super) fn piece(&self) -> &Piece {
        self.piece.get_or_init(|| gzip::compress(&self.text))
    }

    /// Returns the charts in the block with the positions of their versions.
    pub(super) fn charts(&self) -> impl Iterator<Item = (&Arc<str>, std::ops::Range<usize>)> {
        let ends = self.charts.iter().skip(1).map(|run| widen(run.first));
        let ends = ends.chain([self.slots.len()]);
        let runs = self.charts.iter().zip(ends);
        runs.map(|(run, end)| (&run.chart, widen(run.first)..end))
    }

    /// Returns the name of the chart that the last version belongs to.
    pub(super) fn last_chart(&self) -> &str {
        self.charts.last().map_or("", |run| &run.chart)
    }

    /// Returns the key of the last version.
    pub(super) fn last_key(&self) -> Option<Key<'_>> {
        Some(self.part(self.slots.len().checked_sub(1)?)?.key)
    }

    /// Finds the place of `key`: that of the version itself, or where it would go.
    pub(super) fn find(&self, key: Key<'_>, format: Format) -> Result<usize, usize> {
        let mut low = 0;
        let mut high = self.slots.len();
        while low < high {
            let middle = usize::midpoint(low, high);
            let order = self
                .part(middle)
                .map_or(Ordering::Greater, |part| part.key.compare(key, format));
            match order {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Returns the version at `position`.
    pub(super) fn part(&self, position: usize) -> Option<Part<'_>> {
        let slot = self.slots.get(position)?;
        let after = self
            .charts
            .partition_point(|run| widen(run.first) <= position);
        let chart = &self.charts.get(after.checked_sub(1)?)?.chart;
        Some(self.part_of(chart, slot, self.slots.get(position + 1)))
    }

    /// Returns all versions.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let of_run = |(chart, range)| self.parts_of(chart, range);
        self.charts().flat_map(of_run)
    }

    /// Returns the versions at `range`, which belong to `chart`.
    pub(super) fn parts_of<'a>(
        &'a self,
        chart: &'a Arc<str>,
        range: std::ops::Range<usize>,
    ) -> impl Iterator<Item = Part<'a>> {
        range.filter_map(move |position| {
            let slot = self.slots.get(position)?;
            Some(self.part_of(chart, slot, self.slots.get(position + 1)))
        })
    }

    fn part_of<'a>(&'a self, chart: &'a Arc<str>, slot: &Slot, next: Option<&Slot>) -> Part<'a> {
        let labels_end = next.map_or(self.labels.len(), |next| widen(next.label));
        let label = |start, end| self.labels.get(start..end).unwrap_or_default();
        let tie = label(widen(slot.tie), labels_end);
        let key = Key {
            chart,
            version: label(widen(slot.label), widen(slot.tie)),
            tie: tie.strip_prefix(TIE_MARK).map_or(Tie::FileName, Tie::Text),
        };
        Part {
            chart,
            key,
            text: self.text.get(slot.range()).unwrap_or_default(),
        }
    }

    /// Returns where the version at `position` stands in the block's text, without its lead.
    pub(super) fn range(&self, position: usize) -> std::ops::Range<usize> {
        self.slots.get(position).map_or(0..0, Slot::range)
    }
}

impl Slot {
    fn range(&self) -> std::ops::Range<usize> {
        widen(self.start)..widen(self.end)
    }
}

/// Builds a block one version after the other.
struct Joiner {
    format: Format,
    lead: Lead,
    text: Vec<u8>,
    charts: Vec<Run>,
    slots: Vec<Slot>,
    labels: String,
}

impl Joiner {
    /// Starts a block for `parts`.
    fn new(parts: &[Part<'_>], previous: Option<&str>, format: Format) -> Self {
        let mut joiner = Self::empty(previous, parts.first().map(|part| &**part.chart), format);
        joiner
            .text
            .reserve_exact(parts.iter().map(Part::weight).sum());
        joiner.slots.reserve_exact(parts.len());
        joiner
    }

    /// Starts a block whose first version is of `chart` and follows one of `previous`.
    fn empty(previous: Option<&str>, chart: Option<&str>, format: Format) -> Self {
        Self {
            format,
            lead: Lead::after(previous, chart.unwrap_or_default(), format),
            text: Vec::new(),
            charts: Vec::new(),
            slots: Vec::new(),
            labels: String::new(),
        }
    }

    /// Appends a version, whose text `write` appends.
    fn push(&mut self, key: Key<'_>, chart: &Arc<str>, write: impl FnOnce(&mut Vec<u8>)) {
        let previous = self.charts.last().map(|run| &*run.chart);
        let lead = match previous {
            None => self.lead,
            previous => Lead::after(previous, key.chart, self.format),
        };
        if previous != Some(key.chart) {
            self.charts.push(Run {
                chart: Arc::clone(chart),
                first: narrow(self.slots.len()),
            });
        }
        lead.write(key.chart, self.format, &mut self.text);
        let start = narrow(self.text.len());
        write(&mut self.text);
        let label = narrow(self.labels.len());
        self.labels.push_str(key.version);
        let tie = narrow(self.labels.len());
        if let Tie::Text(text) = key.tie {
            self.labels.push(TIE_MARK);
            self.labels.push_str(text);
        }
        self.slots.push(Slot {
            start,
            end: narrow(self.text.len()),
            label,
            tie,
        });
    }

    /// Ends the block.
    fn finish(self) -> Block {
        Block {
            // Through a boxed slice, so that no spare capacity stays allocated.
            text: Bytes::from(self.text.into_boxed_slice()),
            lead: self.lead,
            charts: self.charts.into_boxed_slice(),
            slots: self.slots.into_boxed_slice(),
            labels: self.labels.into_boxed_str(),
            piece: OnceLock::new(),
        }
    }
}

fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn widen(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
