//! Entries of the size and shape of those in public repositories.

use std::sync::Arc;

use chartroom::chart::{Dependency, Maintainer, Metadata};
use chartroom::index::Entry;
use chrono::DateTime;

/// How the versions of an index are spread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// All are of one chart.
    OneChart,
    /// A hundred versions for each chart.
    Spread,
}

impl Shape {
    pub(crate) const ALL: [Self; 2] = [Self::OneChart, Self::Spread];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::OneChart => "one chart",
            Self::Spread => "spread",
        }
    }
}

/// Makes the entry number `number` of an index, 1.3 KB in YAML, with its tie.
fn entry(shape: Shape, number: usize) -> (Entry, Arc<str>) {
    let (chart, number) = match shape {
        Shape::OneChart => (0, number),
        Shape::Spread => (number / 100, number % 100),
    };
    let name = format!("application-{chart}");
    let version = format!("{}.{}.{}", number / 400, number / 20 % 20, number % 20);
    let tie = Arc::from(format!("{name}-{version}.tgz"));
    (entry_of(&name, &version), tie)
}

/// Makes the entries of an index of `count` versions.
pub(crate) fn entries(shape: Shape, count: usize) -> Vec<(Entry, Arc<str>)> {
    (0..count).map(|number| entry(shape, number)).collect()
}

fn entry_of(name: &str, version: &str) -> Entry {
    let text = |text: &str| text.to_owned();
    let dependency = |name: &str| Dependency {
        name: text(name),
        version: text("2.x.x"),
        repository: text("oci://registry-1.docker.io/bitnamicharts"),
        condition: format!("{name}.enabled"),
        ..Dependency::default()
    };
    let annotations = [
        ("category", "Infrastructure"),
        ("licenses", "Apache-2.0"),
        (
            "images",
            "- name: app\n  image: docker.io/bitnami/app:1.2.3-debian-12-r0\n",
        ),
    ];
    let metadata = Metadata {
        name: text(name),
        version: text(version),
        api_version: text("v2"),
        home: format!("https://example.com/charts/{name}"),
        sources: vec![format!(
            "https://github.com/example/charts/tree/main/{name}"
        )],
        description: text(
            "A long enough description of what the chart is about, and why it should be chosen over all \
             the others that do the same in a slightly different way.",
        ),
        keywords: ["database", "cache", "cluster"].map(text).to_vec(),
        maintainers: vec![Maintainer {
            name: text("Example, Inc. and its contributors"),
            url: text("https://github.com/example/charts"),
            ..Maintainer::default()
        }],
        icon: format!("https://example.com/assets/stacks/{name}/img/{name}-stack-220x234.png"),
        app_version: text(version),
        kube_version: text(">=1.23.0-0"),
        annotations: annotations
            .map(|(key, value)| (text(key), text(value)))
            .into(),
        dependencies: vec![dependency("common"), dependency("redis")],
        kind: text("application"),
        ..Metadata::default()
    };
    Entry {
        urls: vec![format!("charts/{name}-{version}.tgz")],
        metadata,
        created: DateTime::default(),
        digest: "0123456789abcdef".repeat(4),
        removed: false,
        checksum: String::new(),
        engine: String::new(),
        tiller_version: String::new(),
        url: String::new(),
    }
}
