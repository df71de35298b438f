//! The index as it is served.

mod latest;

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, FixedOffset};

use super::block::{Block, Joiner, Part};
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
/// blocks, 8 bytes for each 64 KiB of the index. Per version some 50 bytes are kept for each format
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
    #[expect(
        clippy::needless_pass_by_value,
        reason = "nobody has a use for the entries afterwards, and they are large"
    )]
    pub fn from_entries(entries: Vec<(Entry, Arc<str>)>) -> Self {
        Self::from_entries_with_size(&entries, Size::DEFAULT)
    }

    fn from_entries_with_size(entries: &[(Entry, Arc<str>)], size: Size) -> Self {
        let mut rows: Vec<Row<'_>> = entries.iter().map(Row::from).collect();
        // Stable, so that the last of several alike is last.
        rows.sort_by(|left, right| left.compare(right, Format::Json));
        rows.reverse();
        rows.dedup_by(|one, kept| one.key == kept.key);
        rows.reverse();
        let mut names: Vec<Arc<str>> = Vec::new();
        for row in &mut rows {
            match names.last() {
                Some(name) if **name == *row.key.chart => row.name = Arc::clone(name),
                _ => names.push(Arc::clone(&row.name)),
            }
        }
        let charts = names.len();
        let json = render_all(&rows, Format::Json, size);
        rows.sort_by(|left, right| left.compare(right, Format::Yaml));
        Self {
            yaml: Arc::new(render_all(&rows, Format::Yaml, size)),
            json: Arc::new(json),
            versions: rows.len(),
            charts,
        }
    }

    /// Adds an entry, or replaces the one with the same name, version text and tie. Versions are in
    /// descending order of precedence; among those of the same one `tie` decides, ascending.
    pub fn insert(&mut self, entry: &Entry, tie: &str) {
        let name = &entry.metadata.name;
        let version = &entry.metadata.version;
        let key = Key::new(name, version, tie);
        let known = self.find_chart(name);
        self.charts += usize::from(known.is_none());
        self.versions += usize::from(!self.contains(key));
        let chart = known.unwrap_or_else(|| Arc::from(name.as_str()));
        let node = Node::from(entry);
        for format in [Format::Yaml, Format::Json] {
            let mut text = Vec::new();
            write_entry(&chart, &node, format, &mut text);
            let part = Part {
                chart: &chart,
                key,
                text: &text,
            };
            self.sequence_mut(format).insert(part);
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
        for block in self.json.blocks().iter().skip(first) {
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
        for (number, block) in self.json.blocks().iter().enumerate().skip(at) {
            let start = if number == at {
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
        let blocks = self.json.blocks().iter();
        let charts = blocks.flat_map(|block| block.charts().map(|(chart, _)| chart));
        charts.filter_map(move |chart| {
            let is_new = previous != Some(chart);
            previous = Some(chart);
            is_new.then(|| Arc::clone(chart))
        })
    }

    /// Returns all versions: the charts in byte order, each with its newest version first.
    pub fn iter_json(&self) -> impl Iterator<Item = VersionRef> {
        self.json.blocks().iter().flat_map(|block| {
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
        for block in self.json.blocks().iter().skip(self.first_block(name)) {
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
        let blocks = self.json.blocks();
        blocks
            .partition_point(|block| compare_charts(block.last_chart(), name, Format::Json).is_lt())
    }

    /// Returns the shared name of a chart that the index has.
    fn find_chart(&self, name: &str) -> Option<Arc<str>> {
        let block = self.json.blocks().get(self.first_block(name))?;
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

/// An entry on the way into a new index; its version is parsed once.
struct Row<'a> {
    key: Key<'a>,
    name: Arc<str>,
    version: Reverse<Option<ChartVersion>>,
    entry: &'a Entry,
}

impl<'a> From<&'a (Entry, Arc<str>)> for Row<'a> {
    fn from((entry, tie): &'a (Entry, Arc<str>)) -> Self {
        let Metadata { name, version, .. } = &entry.metadata;
        Self {
            key: Key::new(name, version, tie),
            name: Arc::from(name.as_str()),
            version: newest_first(version),
            entry,
        }
    }
}

impl Row<'_> {
    /// Does what [`Key::compare`] does.
    fn compare(&self, other: &Self, format: Format) -> Ordering {
        compare_charts(self.key.chart, other.key.chart, format)
            .then_with(|| self.version.cmp(&other.version))
            .then_with(|| self.key.compare_ties(other.key))
    }
}

/// Renders `rows`, which are in order, straight into blocks.
fn render_all(rows: &[Row<'_>], format: Format, size: Size) -> Sequence {
    let mut blocks = Vec::new();
    let mut previous: Option<&str> = None;
    let mut joiner: Option<Joiner> = None;
    let mut text = Vec::new();
    for row in rows {
        text.clear();
        write_entry(row.key.chart, &Node::from(row.entry), format, &mut text);
        let part = Part {
            chart: &row.name,
            key: row.key,
            text: &text,
        };
        if let Some(full) = joiner.take_if(|open| open.text_len() + part.weight() > size.filled()) {
            blocks.push(Arc::new(full.finish()));
        }
        let open =
            joiner.get_or_insert_with(|| Joiner::empty(previous, Some(row.key.chart), format));
        open.push(part.key, part.chart, |out| {
            out.extend_from_slice(part.text);
        });
        previous = Some(row.key.chart);
    }
    blocks.extend(joiner.map(|open| Arc::new(open.finish())));
    Sequence::from_blocks(format, size, blocks)
}

fn write_entry(chart: &str, node: &Node<'_>, format: Format, out: &mut Vec<u8>) {
    match format {
        Format::Yaml => yaml_writer::write_entry(chart, node, out),
        Format::Json => json_writer::write(node, out),
    }
}

#[cfg(test)]
mod tests;
