//! Archives of the size and shape of those in public repositories: 1.3 KB of `Chart.yaml` for each entry
//! of an index, and 4 KB in all.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context as _;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::archive::Archive;

/// What every archive is drawn from, together with its number.
const SEED: u64 = 20_261_124;

/// How many charts [`Shape::Spread`] has.
const CHARTS: usize = 200;

/// How the versions of a repository are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Over two hundred charts.
    Spread,
    /// All are of one chart.
    OneChart,
    /// Each is of a chart of its own.
    ManyCharts,
    /// Each is of a chart of its own, whose name is that of all others but for its end.
    LongNames,
}

impl Shape {
    /// Says what it is.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Spread => "versions of 200 charts",
            Self::OneChart => "versions of one chart",
            Self::ManyCharts => "charts of one version",
            Self::LongNames => "charts of one version, whose names share 66 letters",
        }
    }

    /// Returns name and version of the archive number `number`.
    fn identity(self, number: usize) -> (String, String) {
        let version = |number: usize| {
            let (major, minor, patch) = (number / 400, number / 20 % 20, number % 20);
            format!("{major}.{minor}.{patch}")
        };
        let first = || "1.0.0".to_owned();
        match self {
            Self::Spread => (
                format!("application-{}", number % CHARTS),
                version(number / CHARTS),
            ),
            Self::OneChart => ("application".to_owned(), version(number)),
            Self::ManyCharts => (format!("application-{number}"), first()),
            // A longer one does not fit into a plain tar header with the path of a template behind it.
            Self::LongNames => (format!("{}-{number:06}", "application".repeat(6)), first()),
        }
    }
}

/// A packaged chart.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) bytes: Bytes,
}

impl Chart {
    /// Returns the name of its file.
    pub(crate) fn file(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }
}

/// Packs the chart number `number`: the same bytes in every run.
pub(crate) fn chart(shape: Shape, number: usize) -> Chart {
    let (name, version) = shape.identity(number);
    let mut random = StdRng::seed_from_u64(SEED ^ number as u64);
    let archive = Archive::default()
        .file(
            format!("{name}/Chart.yaml"),
            metadata(&name, &version, &mut random),
        )
        .file(format!("{name}/values.yaml"), values(&mut random))
        .file(
            format!("{name}/templates/deployment.yaml"),
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicas }}\n",
        );
    Chart {
        name,
        version,
        bytes: archive.tgz().into(),
    }
}

fn metadata(name: &str, version: &str, random: &mut StdRng) -> String {
    let application = format!(
        "{}.{}.{}",
        random.random_range(1..30),
        random.random_range(0..20),
        random.random_range(0..40)
    );
    let build = random.random_range(0..400);
    // The long names would make an entry of twice the size.
    let short = name.get(..24).unwrap_or(name);
    format!(
        "annotations:\n  category: Infrastructure\n  licenses: Apache-2.0\n  images: |\n    - name: {short}\n      image: docker.io/example/{short}:{application}-debian-12-r{build}\n    - name: os-shell\n      image: docker.io/example/os-shell:12-debian-12-r{build}\n\
         apiVersion: v2\nappVersion: {application}\n\
         dependencies:\n- name: redis\n  condition: redis.enabled\n  repository: oci://registry.example.com/charts\n  version: 20.x.x\n- name: common\n  repository: oci://registry.example.com/charts\n  tags:\n  - example-common\n  version: 2.x.x\n\
         description: {short} is what this chart installs, with all that it needs; it is easy to set up, and scales to many nodes of a cluster without further work.\n\
         home: https://example.com/charts/{short}\nicon: https://example.com/assets/stacks/{short}/img/{short}-stack-220x234.png\n\
         keywords:\n- application\n- database\n- operator\n- cluster\nkubeVersion: '>=1.24.0-0'\n\
         maintainers:\n- name: Example, Inc. and its contributors\n  url: https://example.com/charts\n- name: Jo Maintainer\n  email: jo@example.com\n\
         name: {name}\nsources:\n- https://example.com/source/charts/tree/main/{short}\n- https://example.com/source/containers/tree/main/{short}\nversion: {version}\n"
    )
}

/// Settings that hardly compress, as hashes and keys do not.
fn values(random: &mut StdRng) -> String {
    let mut values = String::from("replicas: 1\n");
    for line in 0..90 {
        let value: u128 = random.random();
        // Writing to a text cannot fail.
        let _ = writeln!(values, "setting{line}: {value:032x}");
    }
    values
}

/// Packs the charts of these numbers.
pub(crate) fn charts(shape: Shape, numbers: std::ops::Range<usize>) -> Vec<Chart> {
    numbers.map(|number| chart(shape, number)).collect()
}

/// Writes the first `count` archives of a shape into a directory.
pub(crate) fn write(directory: &Path, shape: Shape, count: usize) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || -> io::Result<()> {
                    for number in (first..count).step_by(threads) {
                        let chart = chart(shape, number);
                        fs::write(directory.join(chart.file()), &chart.bytes)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for writer in writers {
            let written = writer
                .join()
                .ok()
                .context("a writer of archives panicked")?;
            written.context("the archives are not written")?;
        }
        Ok(())
    })
}

/// Copies a directory: archives, which nobody changes in place, as links, and the rest as it is.
pub(crate) fn clone(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            clone(&entry.path(), &target)?;
        } else if is_archive(&entry.path()) {
            fs::hard_link(entry.path(), target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tgz")
}

/// The directories of archives that rows have asked for so far.
#[derive(Debug)]
pub(crate) struct Corpora {
    folder: PathBuf,
    largest: usize,
}

impl Corpora {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.join("archives"),
            largest: 0,
        }
    }

    /// Fills a new directory with the first `count` archives of [`Shape::Spread`].
    pub(crate) fn fill(&mut self, directory: &Path, count: usize) -> anyhow::Result<()> {
        if count > self.largest {
            write(&self.folder, Shape::Spread, count)?;
            self.largest = count;
        }
        fs::create_dir_all(directory)?;
        for number in 0..count {
            let (name, version) = Shape::Spread.identity(number);
            let file = format!("{name}-{version}.tgz");
            fs::hard_link(self.folder.join(&file), directory.join(&file))?;
        }
        Ok(())
    }
}
