//! Reads what `/metrics` answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::TestServer;

/// One line of a scrape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// A scrape in the text format.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape {
    /// The kinds of the families, by name.
    pub(crate) kinds: BTreeMap<String, String>,
    pub(crate) samples: Vec<Sample>,
}

impl Scrape {
    pub(crate) async fn of(server: &TestServer) -> Self {
        let reply = server.get("/metrics").await;
        assert_eq!(reply.status, 200, "{reply}");
        Self::parse(reply.text())
    }

    /// Strict: what it does not know is a failure.
    pub(crate) fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        let mut helped = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(!help.is_empty());
                name.clone_into(&mut helped);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, helped, "a family without a text");
                let before = scrape.kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} is there twice");
            } else {
                let sample = sample(line);
                let family = scrape.family(&sample.name);
                assert_eq!(family, Some(&*helped), "{line} stands in another family");
                let is_double =
                    |other: &Sample| (&other.name, &other.labels) == (&sample.name, &sample.labels);
                assert!(
                    !scrape.samples.iter().any(is_double),
                    "{line} is there twice"
                );
                scrape.samples.push(sample);
            }
        }
        scrape
    }

    /// The family that a series belongs to.
    fn family(&self, series: &str) -> Option<&str> {
        let is = |name: &&String| {
            let kind = self.kinds[*name].as_str();
            match series.strip_prefix(name.as_str()) {
                Some("") => matches!(kind, "counter" | "gauge"),
                Some("_sum" | "_count") => matches!(kind, "histogram" | "summary"),
                Some("_bucket") => kind == "histogram",
                _ => false,
            }
        };
        self.kinds.keys().find(is).map(String::as_str)
    }

    /// The value of the one series with this name and these labels among its own.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |sample: &&Sample| {
            sample.name == name
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(*label).is_some_and(|it| it == value))
        };
        let mut found = self.samples.iter().filter(fits);
        let first = found.next()?;
        assert!(found.next().is_none(), "{name} {labels:?} are several");
        Some(first.value)
    }

    /// The names of all series, each with the labels that it has anywhere.
    pub(crate) fn series(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut series: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for sample in &self.samples {
            let labels = series.entry(&sample.name).or_default();
            labels.extend(sample.labels.keys().map(String::as_str));
        }
        series
    }

    /// The names of all families, each with its kind and its labels, without those of buckets.
    pub(crate) fn families(&self) -> BTreeMap<&str, (&str, BTreeSet<&str>)> {
        let mut families: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
        for (name, kind) in &self.kinds {
            families.insert(name, (kind, BTreeSet::new()));
        }
        for sample in &self.samples {
            let family = self.family(&sample.name).unwrap();
            let labels = sample.labels.keys().map(String::as_str);
            let (_, known) = families.get_mut(family).unwrap();
            known.extend(labels.filter(|label| *label != "le"));
        }
        families
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let value = match value {
        "+Inf" => f64::INFINITY,
        number => number.parse().expect(line),
    };
    let Some((name, labels)) = series.split_once('{') else {
        return Sample {
            name: series.to_owned(),
            labels: BTreeMap::new(),
            value,
        };
    };
    let mut rest = labels.strip_suffix('}').expect(line);
    let mut labels = BTreeMap::new();
    while !rest.is_empty() {
        let (label, quoted) = rest.split_once("=\"").expect(line);
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        let end = loop {
            match letters.next().expect(line) {
                (end, '"') => break end,
                (_, '\\') => match letters.next().expect(line).1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
        rest = &quoted[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Sample {
        name: name.to_owned(),
        labels,
        value,
    }
}
