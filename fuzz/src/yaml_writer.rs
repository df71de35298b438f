//! The index as it is written, against readers of it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use chartroom::chart::yaml::{self, Budget};
use chartroom::chart::{Dependency, ImportValue, Maintainer, Metadata};
use chartroom::index::{Entry, Format, Index, IndexFile, timestamp};
use chrono::{DateTime, FixedOffset};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::values;

/// Takes the bytes for the texts and values of entries.
pub fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(drafts) = Vec::<Draft>::arbitrary(&mut input) else {
        return;
    };
    let entries: Vec<(Entry, Arc<str>)> = drafts
        .into_iter()
        .take(12)
        .filter_map(|draft| {
            let tie = draft.tie.text().into();
            Some((draft.entry()?, tie))
        })
        .collect();
    let index = Index::from_entries(entries.clone());
    check_history(&index, &entries);
    check_readers(&index);
}

/// A text: any, or one of characters that YAML has a meaning for.
#[derive(Arbitrary, Clone, Debug)]
enum Text {
    Any(String),
    Odd(Vec<u8>),
    Word(u8),
    Long(u8, Vec<u8>),
}

const ODD: [char; 64] = [
    ' ', ' ', '\n', '\n', '\t', '\r', '\0', '\u{7}', '\u{1b}', ':', '#', '-', '?', ',', '[', ']',
    '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '<', '=', '~', '.', '/', '\\',
    '_', '+', '0', '1', '7', '9', 'a', 'e', 'E', 'x', 'o', 'b', 'n', 'N', 'y', 'T', 'Z', 'f', 'é',
    'ß', '日', '😀', '\u{a0}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{ad}', '\u{200b}', '\u{1}',
    '\u{e000}',
];

const WORDS: [&str; 24] = [
    "null",
    "~",
    "true",
    "No",
    "on",
    "y",
    "0x1F",
    "0o17",
    "017",
    "1e3",
    "1.5",
    ".inf",
    ".NaN",
    "1_000",
    "1:20",
    "2020-01-02",
    "---",
    "...",
    "=",
    "0xFFFFFFFFFFFFFFFFFF",
    "18446744073709551616",
    "-0",
    "+.5",
    "1e999",
];

impl Text {
    fn text(&self) -> String {
        let odd = |byte: &u8| ODD[usize::from(*byte) % ODD.len()];
        let text = match self {
            Self::Any(text) => text.clone(),
            Self::Odd(bytes) => bytes.iter().map(odd).collect(),
            Self::Word(word) => WORDS[usize::from(*word) % WORDS.len()].to_owned(),
            Self::Long(count, bytes) => {
                let part: String = bytes.iter().take(40).map(odd).collect();
                part.repeat(usize::from(*count))
            }
        };
        // What only a deliberate hand puts into a repository: the writer does as Helm does, whose reading
        // of its own next-line characters and merge keys is lossy, and our reader takes all breaks of
        // YAML 1.1 for line feeds.
        let is_lossy = |character| {
            matches!(
                character,
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'
            )
        };
        text.chars()
            .filter(|character| !is_lossy(*character))
            .collect()
    }

    fn key(&self) -> String {
        match self.text() {
            text if text == "<<" => String::new(),
            text => text,
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Draft {
    name: Text,
    version: u8,
    tie: Text,
    texts: [Option<Text>; 6],
    lists: Vec<Text>,
    maintainers: Vec<(Text, Text)>,
    annotations: Vec<(Text, Text)>,
    dependencies: Vec<(Text, Text, Vec<Import>)>,
    deprecated: bool,
    created: i64,
    nanoseconds: u32,
    offset: i16,
}

#[derive(Arbitrary, Debug)]
enum Import {
    Null,
    Bool(bool),
    Number(f64),
    Integer(i64),
    Text(Text),
    List(Vec<Import>),
    Map(Vec<(Text, Import)>),
}

const VERSIONS: [&str; 8] = [
    "1.0.0",
    "v1.0.0",
    "1.0.0+b",
    "1.0.0-rc.1",
    "2",
    "10.0.0",
    "1.10",
    "0.1.0",
];

impl Draft {
    /// Returns what passes Helm's checks.
    fn entry(self) -> Option<Entry> {
        let texts = |list: &[Text]| list.iter().map(Text::text).collect();
        let [description, home, app_version, icon, api, url] = self
            .texts
            .map(|text| text.map(|text| text.text()).unwrap_or_default());
        let metadata = Metadata {
            name: self.name.text(),
            version: VERSIONS[usize::from(self.version) % VERSIONS.len()].to_owned(),
            description,
            home,
            app_version,
            icon,
            api_version: api,
            deprecated: self.deprecated,
            sources: texts(&self.lists),
            keywords: texts(&self.lists),
            maintainers: self.maintainers.iter().map(maintainer).collect(),
            annotations: pairs(&self.annotations),
            dependencies: self.dependencies.iter().map(dependency).collect(),
            ..Metadata::default()
        };
        let seconds = self.created.rem_euclid(253_402_300_800 - 100_000) + 50_000;
        let offset = FixedOffset::east_opt(i32::from(self.offset % 1440) * 60)?;
        let created = DateTime::from_timestamp(seconds, self.nanoseconds % 1_000_000_000)?;
        Some(Entry {
            metadata: metadata.validated().ok()?,
            urls: vec![url],
            created: created.with_timezone(&offset),
            digest: self.lists.first().map(Text::text).unwrap_or_default(),
            removed: false,
            checksum: String::new(),
            engine: String::new(),
            tiller_version: String::new(),
            url: String::new(),
        })
    }
}

fn maintainer((name, email): &(Text, Text)) -> Maintainer {
    Maintainer {
        name: name.text(),
        email: email.text(),
        ..Maintainer::default()
    }
}

fn dependency((name, version, imports): &(Text, Text, Vec<Import>)) -> Dependency {
    Dependency {
        name: name.text(),
        version: version.text(),
        import_values: imports.iter().map(|value| import(value, 0)).collect(),
        ..Dependency::default()
    }
}

fn pairs(list: &[(Text, Text)]) -> BTreeMap<String, String> {
    list.iter()
        .map(|(key, value)| (key.key(), value.text()))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "as Go does")]
fn import(value: &Import, depth: usize) -> ImportValue {
    match value {
        Import::List(_) | Import::Map(_) if depth > 8 => ImportValue::Null,
        Import::Bool(flag) => ImportValue::Bool(*flag),
        Import::Number(number) if number.is_finite() => ImportValue::Number(*number),
        Import::Null | Import::Number(_) => ImportValue::Null,
        Import::Integer(number) => ImportValue::Number(*number as f64),
        Import::Text(text) => ImportValue::Text(text.text()),
        Import::List(list) => {
            ImportValue::List(list.iter().map(|value| import(value, depth + 1)).collect())
        }
        Import::Map(map) => {
            let fields = map.iter();
            ImportValue::Map(
                fields
                    .map(|(key, value)| (key.key(), import(value, depth + 1)))
                    .collect(),
            )
        }
    }
}

/// As much of an index as metadata is in.
#[derive(Deserialize)]
struct File {
    entries: BTreeMap<String, Vec<Metadata>>,
}

fn generated() -> DateTime<FixedOffset> {
    timestamp::zero()
}

fn body(index: &Index, format: Format) -> Vec<u8> {
    let body = index.body(format, &generated(), Some("/ctx"));
    let bytes: Vec<u8> = body.chunks().flatten().collect();
    assert_eq!(bytes.len() as u64, body.len());
    bytes
}

/// An index depends on its entries, not on how they came.
fn check_history(index: &Index, entries: &[(Entry, Arc<str>)]) {
    let mut grown = Index::default();
    for (entry, tie) in entries {
        grown.insert(entry, tie);
    }
    assert_eq!((grown.len(), grown.charts()), (index.len(), index.charts()));
    for format in [Format::Yaml, Format::Json] {
        assert_eq!(body(&grown, format), body(index, format));
    }
    for version in index.iter_json() {
        let found = index.find(&version.name, &version.version_text);
        assert!(found.is_some(), "{version:?}");
        let removed = version
            .version
            .as_ref()
            .is_some_and(|known| grown.remove(&version.name, known, &version.tie));
        assert!(removed, "{version:?}");
    }
    assert!(grown.is_empty());
    assert_eq!(
        body(&grown, Format::Yaml),
        body(&Index::default(), Format::Yaml)
    );
}

/// All readers read the same out of both formats.
fn check_readers(index: &Index) {
    let (yaml, json) = (body(index, Format::Yaml), body(index, Format::Json));
    let text = String::from_utf8_lossy(&yaml);
    let expected: Value = serde_json::from_slice(&json).expect("JSON was written");
    let expected = values::with_floats(expected);
    let budget = Budget::for_bytes(64 << 20);
    let read = yaml::read(&yaml, budget).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(values::of_node(&read), expected, "{text}");

    let charts = |bytes: &[u8]| {
        let file = IndexFile::parse(bytes).unwrap_or_else(|error| panic!("{error:?}: {text}"));
        let (entries, skipped) = file.into_entries();
        assert!(skipped.is_empty(), "{skipped:?}: {text}");
        entries
    };
    let (from_yaml, from_json) = (charts(&yaml), charts(&json));
    assert_eq!(from_json.len(), index.len());
    assert_eq!(from_yaml, from_json, "{text}");

    // It takes what is written so for a number of 128 bits, of which our own reader knows.
    if !["0x", "0o", "0b"].iter().any(|radix| text.contains(radix)) {
        let file: File = serde_yaml::from_slice(&yaml)
            .unwrap_or_else(|error| panic!("not read by yaml_serde: {error}: {text}"));
        let read: BTreeMap<&str, &[Metadata]> = file
            .entries
            .iter()
            .map(|(name, entries)| (&**name, &**entries))
            .collect();
        let listed = index.names().map(|name| {
            let entries = from_json
                .iter()
                .filter(|entry| entry.metadata.name == *name);
            entries
                .map(|entry| entry.metadata.clone())
                .collect::<Vec<_>>()
        });
        assert!(
            listed.eq(read.values().map(|entries| entries.to_vec())),
            "{text}"
        );
    }

    let packed = index.body(Format::Yaml, &generated(), Some("/ctx"));
    let packed: Vec<u8> = packed.gzip().chunks().flatten().collect();
    let mut inflated = Vec::new();
    GzDecoder::new(&*packed)
        .read_to_end(&mut inflated)
        .expect("gzip was written");
    assert_eq!(inflated, yaml);
}
