//! The index as it is served.

mod latest;

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset};

use super::block::{Block, Part};
use super::body::Body;
use super::key::{Key, compare_charts, newest_first};
use super::node::Node;
use super::sequence::{Sequence, Size};
use super::{Entry, Format, json_writer, timestamp, yaml_writer};
use crate::chart::{ChartVersion, Metadata};

/// A repository's index, rendered in all formats.
///
/// It behaves as a value: a copy is cheap, shares all that is the same, and does not change when the
/// other one does. Which bytes it renders to depends on the entries alone, not on the history.
///
/// # Cost
/// A change renders one entry, joins one block per format again (two at times) and copies the list of
/// groups of blocks and one group. Per version some 50 bytes are kept for each format
/// besides the rendered text.
#[derive(Clone, Debug)]
pub struct Index {
    yaml: Arc<Sequence>,
    json: Arc<Sequence>,
    versions: usize,
    charts: usize,
}

/// One version in an [`Index`].
#[derive(Clone, Debug)]
pub struct VersionRef {
    /// The name of the chart.
    pub name: Arc<str>,
    /// The version, unless the entry has a text that is none.
    pub version: Option<ChartVersion>,
    /// The version's text.
    pub version_text: Arc<str>,
    /// What was given to order versions of the same precedence.
    pub tie: Arc<str>,
    /// The entry as compact JSON; it shares the index's memory.
    pub json: Bytes,
}

impl Default for Index {
    fn default() -> Self {
        Self::with_size(Size::DEFAULT)
    }
}

impl Index {
    fn with_size(size: Size) -> Self {
        Self {
            yaml: Arc::new(Sequence::empty(Format::Yaml, size)),
            json: Arc::new(Sequence::empty(Format::Json, size)),
            versions: 0,
            charts: 0,
        }
    }

    /// Makes the index of `entries`, each with its tie. Of entries with the same name, version text
    /// and tie the last one is kept.
    pub fn from_entries(entries: Vec<(Entry, Arc<str>)>) -> Self {
        Self::from_entries_with_size(entries, Size::DEFAULT)
    }

    fn from_entries_with_size(entries: Vec<(Entry, Arc<str>)>, size: Size) -> Self {
        let mut index = Self::with_size(size);
        let rows = entries
            .into_iter()
            .map(|(entry, tie)| Row::of(&entry, &tie));
        index.insert_all(rows.collect());
        index
    }

    /// Adds an entry, or replaces the one with the same name, version text and tie. Versions are in
    /// descending order of precedence; among those of the same one `tie` decides, ascending.
    pub fn insert(&mut self, entry: &Entry, tie: &str) {
        self.insert_all(vec![Row::of(entry, tie)]);
    }

    /// Adds many entries as [`Index::insert`] does, the last of several alike.
    ///
    /// # Cost
    /// A block that gets some of them is joined again once.
    pub fn insert_all(&mut self, mut rows: Vec<Row>) {
        // Stable, so that the last of several alike is last.
        rows.sort_by(|left, right| left.compare(right, Format::Json));
        rows.reverse();
        rows.dedup_by(|one, kept| one.key() == kept.key());
        rows.reverse();
        let mut names: Vec<Arc<str>> = Vec::with_capacity(rows.len());
        for row in &rows {
            let name = match names.last() {
                Some(name) if **name == *row.name => Arc::clone(name),
                _ => self.find_chart(&row.name).unwrap_or_else(|| {
                    self.charts += 1;
                    Arc::from(&*row.name)
                }),
            };
            names.push(name);
            self.versions += usize::from(!self.contains(row.key()));
        }
        for format in [Format::Json, Format::Yaml] {
            let mut parts: Vec<(&Row, Part<'_>)> = rows
                .iter()
                .zip(&names)
                .map(|(row, chart)| (row, row.part(chart, format)))
                .collect();
            if format == Format::Yaml {
                parts.sort_by(|(left, _), (right, _)| left.compare(right, format));
            }
            let parts: Vec<Part<'_>> = parts.into_iter().map(|(_, part)| part).collect();
            self.sequence_mut(format).insert_all(&parts);
        }
    }

    /// Removes an entry; returns whether it was there.
    pub fn remove(&mut self, name: &str, version: &ChartVersion, tie: &str) -> bool {
        let key = Key::new(name, version.as_str(), tie);
        // Asked first, so that a copy is only made for a change.
        if !self.contains(key) {
            return false;
        }
        for format in [Format::Yaml, Format::Json] {
            self.sequence_mut(format).remove(key);
        }
        self.versions -= 1;
        self.charts -= usize::from(self.find_chart(name).is_none());
        true
    }

    /// Returns the number of versions.
    pub fn len(&self) -> usize {
        self.versions
    }

    /// Tells whether there are no versions.
    pub fn is_empty(&self) -> bool {
        self.versions == 0
    }

    /// Returns the number of charts.
    pub fn charts(&self) -> usize {
        self.charts
    }

    /// Returns the body of `index.yaml`. `context_path` is where the server says it is mounted; Helm
    /// ignores it, `helm cm-push` reads it.
    pub fn body(
        &self,
        format: Format,
        generated: &DateTime<FixedOffset>,
        context_path: Option<&str>,
    ) -> Body {
        let generated = timestamp::format(generated);
        let sequence = Arc::clone(self.sequence(format));
        let mut header = Vec::new();
        let mut footer = Vec::new();
        let server_info =
            context_path.map(|path| Node::Map(vec![("contextPath", Node::text(path))]));
        match format {
            Format::Yaml => {
                yaml_writer::write_pair("apiVersion", &Node::text("v1"), &mut header);
                if self.is_empty() {
                    yaml_writer::write_pair("entries", &Node::Map(Vec::new()), &mut header);
                } else {
                    header.extend_from_slice(b"entries:\n");
                }
                yaml_writer::write_pair("generated", &Node::text(&generated), &mut footer);
                if let Some(info) = &server_info {
                    yaml_writer::write_pair("serverInfo", info, &mut footer);
                }
            }
            Format::Json => {
                header.extend_from_slice(b"{\"apiVersion\":\"v1\",\"generated\":");
                json_writer::write_text(&generated, &mut header);
                header.extend_from_slice(b",\"entries\":{");
                footer.extend_from_slice(if self.is_empty() { b"}" } else { b"]}" });
                if let Some(info) = &server_info {
                    footer.extend_from_slice(b",\"serverInfo\":");
                    json_writer::write(info, &mut footer);
                }
                footer.push(b'}');
            }
        }
        Body::of_sequence(header, sequence, footer)
    }

    /// Returns the versions of a chart, newest first; none for an unknown chart.
    ///
    /// # Cost
    /// Three small allocations per version.
    pub fn versions(&self, name: &str) -> Vec<VersionRef> {
        let mut versions = Vec::new();
        let first = self.first_block(name);
        for block in self.json.blocks_from(first) {
            let Some((chart, range)) = block.charts().find(|(chart, _)| &***chart == name) else {
                break;
            };
            versions.extend(range.filter_map(|position| VersionRef::of(block, chart, position)));
        }
        versions
    }

    /// Returns the version of a chart with this very text; of several, the one whose tie comes first.
    ///
    /// # Cost
    /// A search; the number of versions does not matter.
    pub fn find(&self, name: &str, version: &str) -> Option<VersionRef> {
        let first = Key::new(name, version, "");
        let wanted = version.parse::<ChartVersion>().ok();
        let at = self.json.block_of(first);
        for (number, block) in self.json.blocks_from(at).enumerate() {
            let start = if number == 0 {
                block
                    .find(first, Format::Json)
                    .unwrap_or_else(|start| start)
            } else {
                0
            };
            let (chart, range) = block.charts().find(|(chart, _)| &***chart == name)?;
            for position in start.max(range.start)..range.end {
                let found = VersionRef::of(block, chart, position)?;
                if *found.version_text == *version {
                    return Some(found);
                }
                // Versions of one precedence stand together.
                if found.version != wanted {
                    return None;
                }
            }
        }
        None
    }

    /// Returns the names of the charts, in byte order.
    pub fn names(&self) -> impl Iterator<Item = Arc<str>> {
        let mut previous: Option<&Arc<str>> = None;
        let blocks = self.json.blocks();
        let charts = blocks.flat_map(|block| block.charts().map(|(chart, _)| chart));
        charts.filter_map(move |chart| {
            let is_new = previous != Some(chart);
            previous = Some(chart);
            is_new.then(|| Arc::clone(chart))
        })
    }

    /// Returns all versions: the charts in byte order, each with its newest version first.
    pub fn iter_json(&self) -> impl Iterator<Item = VersionRef> {
        self.json.blocks().flat_map(|block| {
            block.charts().flat_map(move |(chart, range)| {
                range.filter_map(move |position| VersionRef::of(block, chart, position))
            })
        })
    }

    /// Returns the body of a list of charts: a JSON object that maps names to versions, without the
    /// first `offset` charts, and with `limit` charts at most.
    pub fn list_body(&self, offset: usize, limit: Option<usize>) -> Body {
        let count = self.charts.saturating_sub(offset);
        let count = limit.map_or(count, |limit| limit.min(count));
        if count == 0 {
            return Body::of_slices(b"{}".to_vec(), Vec::new(), Vec::new());
        }
        if count == self.charts {
            let sequence = Arc::clone(&self.json);
            return Body::of_sequence(b"{".to_vec(), sequence, b"]}".to_vec());
        }
        let mut header = b"{".to_vec();
        let mut slices = Vec::new();
        let mut seen = 0;
        let mut previous: Option<&Arc<str>> = None;
        for block in self.json.blocks() {
            let mut selected: Option<std::ops::Range<usize>> = None;
            for (chart, range) in block.charts() {
                let is_new = previous != Some(chart);
                seen += usize::from(is_new);
                previous = Some(chart);
                if seen <= offset || seen > offset + count {
                    continue;
                }
                let last = block.range(range.end.saturating_sub(1));
                let mut start = 0;
                if is_new && seen == offset + 1 {
                    // The lead closes the chart before, which is not part of this list.
                    json_writer::write_text(chart, &mut header);
                    header.extend_from_slice(b":[");
                    start = block.range(range.start).start;
                }
                let start = selected.map_or(start, |selected| selected.start);
                selected = Some(start..last.end);
            }
            slices.extend(selected.map(|range| block.text().slice(range)));
            if seen > offset + count {
                break;
            }
        }
        Body::of_slices(header, slices, b"]}".to_vec())
    }

    /// Returns the body of a list of all versions of a chart, newest first; `None` for an unknown chart.
    pub fn chart_body(&self, name: &str) -> Option<Body> {
        let mut slices = Vec::new();
        for block in self.json.blocks().skip(self.first_block(name)) {
            let Some((_, range)) = block.charts().find(|(chart, _)| &***chart == name) else {
                break;
            };
            // In a block that the chart goes on in, its comma comes first.
            let start = if slices.is_empty() {
                block.range(range.start).start
            } else {
                0
            };
            let end = block.range(range.end.saturating_sub(1)).end;
            slices.push(block.text().slice(start..end));
        }
        (!slices.is_empty()).then(|| Body::of_slices(b"[".to_vec(), slices, b"]".to_vec()))
    }

    fn sequence(&self, format: Format) -> &Arc<Sequence> {
        match format {
            Format::Yaml => &self.yaml,
            Format::Json => &self.json,
        }
    }

    fn sequence_mut(&mut self, format: Format) -> &mut Sequence {
        Arc::make_mut(match format {
            Format::Yaml => &mut self.yaml,
            Format::Json => &mut self.json,
        })
    }

    fn contains(&self, key: Key<'_>) -> bool {
        self.json.contains(key)
    }

    /// Returns the position of the first block that can hold versions of `name`.
    fn first_block(&self, name: &str) -> usize {
        self.json
            .partition_point(|block| compare_charts(block.last_chart(), name, Format::Json).is_lt())
    }

    /// Returns the shared name of a chart that the index has.
    fn find_chart(&self, name: &str) -> Option<Arc<str>> {
        let block = self.json.block(self.first_block(name))?;
        let (chart, _) = block.charts().find(|(chart, _)| &***chart == name)?;
        Some(Arc::clone(chart))
    }
}

impl VersionRef {
    fn of(block: &Block, chart: &Arc<str>, position: usize) -> Option<Self> {
        let part = block.part(position)?;
        Some(Self {
            name: Arc::clone(chart),
            version: part.key.version.parse().ok(),
            version_text: Arc::from(part.key.version),
            tie: part.key.tie_text().into(),
            json: block.text().slice(block.range(position)),
        })
    }
}

/// An entry on the way into an index: rendered, its version parsed once. What it was made of is needed
/// no more.
#[derive(Debug)]
pub struct Row {
    name: Box<str>,
    version: Box<str>,
    tie: Box<str>,
    precedence: Reverse<Option<ChartVersion>>,
    yaml: Vec<u8>,
    json: Vec<u8>,
}

impl Row {
    /// Renders an entry, whose place among those of the same precedence is `tie`.
    pub fn of(entry: &Entry, tie: &str) -> Self {
        let Metadata { name, version, .. } = &entry.metadata;
        let node = Node::from(entry);
        let render = |format| {
            let mut text = Vec::with_capacity(TYPICAL_ENTRY);
            write_entry(name, &node, format, &mut text);
            text
        };
        Self {
            name: name.as_str().into(),
            version: version.as_str().into(),
            tie: tie.into(),
            precedence: newest_first(version),
            yaml: render(Format::Yaml),
            json: render(Format::Json),
        }
    }

    /// Returns the name of the chart.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version's text.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns how long the rendered texts are together.
    pub fn weight(&self) -> usize {
        self.yaml.len() + self.json.len()
    }

    fn key(&self) -> Key<'_> {
        Key::new(&self.name, &self.version, &self.tie)
    }

    fn part<'a>(&'a self, chart: &'a Arc<str>, format: Format) -> Part<'a> {
        Part {
            chart,
            key: Key::new(chart, &self.version, &self.tie),
            text: match format {
                Format::Yaml => &self.yaml,
                Format::Json => &self.json,
            },
        }
    }

    /// Does what [`Key::compare`] does.
    fn compare(&self, other: &Self, format: Format) -> Ordering {
        compare_charts(&self.name, &other.name, format)
            .then_with(|| self.precedence.cmp(&other.precedence))
            .then_with(|| self.key().compare_ties(other.key()))
    }
}

/// The room that is set aside for an entry's text.
const TYPICAL_ENTRY: usize = 2048;

fn write_entry(chart: &str, node: &Node<'_>, format: Format, out: &mut Vec<u8>) {
    match format {
        Format::Yaml => yaml_writer::write_entry(chart, node, out),
        Format::Json => json_writer::write(node, out),
    }
}

#[cfg(test)]
mod tests;
