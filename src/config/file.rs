//! The configuration file: a YAML map of option names to plain values.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::layers::{Layer, Problem, Source, Value};
use super::options::{self, CONFIG, Definition};
use crate::chart::yaml;

/// No sensible file is larger, and a device given by mistake has no end.
const MAX_BYTES: u64 = 1 << 20;

const BUDGET: yaml::Budget = yaml::Budget::for_bytes(1 << 20);

/// Reads the options in the file at `path`, and everything that is wrong with it.
pub(super) fn layer(path: &Path, named_by: &Source) -> (Layer, Vec<Problem>) {
    let problem = |what: String, fix: &str| Problem {
        key: CONFIG.name.to_owned(),
        what,
        source: named_by.clone(),
        fix: fix.to_owned(),
    };
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            let what = format!("cannot read {}: {error}", path.display());
            let fix = "give the path of a YAML file that chartroom may read";
            return (Layer::default(), vec![problem(what, fix)]);
        }
    };
    // A file of comments only is null to YAML.
    match yaml::from_str::<Option<BTreeMap<String, Scalar>>>(&text, BUDGET) {
        Ok(entries) => collect(entries.unwrap_or_default(), path),
        Err(error) => {
            let what = format!("{} is not a YAML map of options: {error}", path.display());
            let fix = "write one `name: value` per line";
            (Layer::default(), vec![problem(what, fix)])
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other(format!(
            "it is larger than {MAX_BYTES} bytes"
        )));
    }
    Ok(text)
}

fn collect(entries: BTreeMap<String, Scalar>, path: &Path) -> (Layer, Vec<Problem>) {
    let mut layer = Layer::default();
    let mut problems = Vec::new();
    for (key, value) in entries {
        let source = Source::File(path.to_owned());
        let found = options::ALL
            .iter()
            .find(|definition| definition.name == key);
        let (what, fix) = match (found, value) {
            (Some(definition), Scalar::Text(text)) if definition.name != CONFIG.name => {
                layer.insert(definition, Value { text, source });
                continue;
            }
            (Some(definition), Scalar::Text(_)) => (
                "a configuration file cannot name another".to_owned(),
                format!("remove it, or use --{}", definition.name),
            ),
            (Some(_), Scalar::Other(found)) => (
                format!("{found} is not a value"),
                "write a single text, number, true or false".to_owned(),
            ),
            (None, _) => ("no option has this name".to_owned(), suggestion(&key)),
        };
        problems.push(Problem {
            key,
            what,
            source,
            fix,
        });
    }
    (layer, problems)
}

/// ChartMuseum's keys are ours without the hyphens (`maxuploadsize`), or with dots.
fn suggestion(key: &str) -> String {
    let plain = |text: &str| text.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let near: Option<&&Definition> = options::ALL
        .iter()
        .find(|definition| plain(definition.name) == plain(key));
    match near {
        Some(definition) => format!("write `{}`", definition.name),
        None => "see docs/configuration.md for the names".to_owned(),
    }
}

/// A value as text; what it means is read where all the other sources are read.
enum Scalar {
    Text(String),
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, a number, true or false")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other("null"))
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("a map"))
    }
}
