//! A real ChartMuseum fills the storage, chartroom takes over, and ChartMuseum again.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};
use tempfile::TempDir;

use crate::adoption::{Entry, digest, download_all, entries};
use crate::charts::{chart, other_chart, provenance};
use crate::places::Place;
use crate::stores::Kind;
use crate::subject::{Launch, Program, Subject, chartmuseum};
use crate::wire::{Ask, file};

/// Longest wait for what ChartMuseum does in the background.
const PATIENCE: Duration = Duration::from_secs(30);

/// Chart, version, URL and digest of all that is listed.
type Listed = BTreeSet<[String; 4]>;

fn listed(entries: &[Entry]) -> Listed {
    let of = |entry: &Entry| {
        [&entry.name, &entry.version, &entry.url, &entry.digest].map(String::to_owned)
    };
    entries.iter().map(of).collect()
}

/// What is listed of an archive by its own name.
fn entry(name: &str, version: &str, content: &[u8]) -> [String; 4] {
    let url = format!("charts/{name}-{version}.tgz");
    [name.to_owned(), version.to_owned(), url, digest(content)]
}

/// The first archive of a version.
fn first(name: &str, version: &str) -> [String; 4] {
    entry(name, version, &chart(name, version))
}

/// The one that replaced it.
fn other(name: &str, version: &str) -> [String; 4] {
    entry(name, version, &other_chart(name, version))
}

/// The condition is polled: nothing tells when ChartMuseum has done it.
fn wait_until(what: &str, subject: &Subject, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what}\n{}", subject.said());
        thread::sleep(Duration::from_millis(50));
    }
}

fn sends(subject: &Subject, ask: &Ask, status: u16) {
    let reply = subject.ask(ask);
    assert_eq!(reply.status, status, "{ask}: {reply}\n{}", subject.said());
}

/// One storage, one repository in it, and the options of both programs.
struct Journey<'a> {
    place: &'a Place,
    museum: &'a Program,
    options: &'a [&'a str],
    /// What is before the repository's paths.
    prefix: String,
    /// The path of ChartMuseum's cached index in the storage.
    cache: String,
}

impl<'a> Journey<'a> {
    fn new(place: &'a Place, museum: &'a Program, options: &'a [&'a str], tenant: &str) -> Self {
        let is_root = tenant.is_empty();
        let (before, after) = if is_root { ("", "") } else { ("/", "/") };
        Self {
            place,
            museum,
            options,
            prefix: format!("{before}{tenant}"),
            cache: format!("{tenant}{after}index-cache.yaml"),
        }
    }

    fn start(&self, program: &Program, more: &[&str]) -> (TempDir, Subject) {
        let home = tempfile::tempdir().expect("a temporary directory");
        let flags = self.place.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let launch = Launch::new(home.path()).flags(&flags).flags(self.options);
        let mut launch = launch.flags(more);
        for (name, value) in self.place.variables() {
            launch = launch.variable(&name, value);
        }
        let subject = launch.start(program);
        (home, subject)
    }

    fn upload(&self, archive: Vec<u8>) -> Ask {
        Ask::post(format!("/api{}/charts", self.prefix), archive)
    }

    fn overwrite(&self, archive: Vec<u8>) -> Ask {
        Ask::post(format!("/api{}/charts?force", self.prefix), archive)
    }

    fn sign(&self, name: &str, version: &str) -> Ask {
        let (archive, signature) = (chart(name, version), provenance(name, version));
        let parts = [file("chart", &archive), file("prov", &signature)];
        Ask::form(format!("/api{}/charts", self.prefix), &parts)
    }

    fn delete(&self, name: &str, version: &str) -> Ask {
        Ask::delete(format!("/api{}/charts/{name}/{version}", self.prefix))
    }

    fn entries(&self, server: &Subject) -> Vec<Entry> {
        entries(server, &self.prefix)
    }

    fn cached(&self) -> String {
        String::from_utf8_lossy(&self.place.read(&self.cache)).into_owned()
    }

    fn check_signature(&self, server: &Subject, name: &str) {
        let path = format!("{}/charts/{name}-1.0.0.tgz.prov", self.prefix);
        assert_eq!(server.get(&path).body, provenance(name, "1.0.0"), "{path}");
    }

    /// ChartMuseum writes its index in the background and in no order, so that an older one may stay:
    /// each change waits until the one before it is written.
    fn change(&self, server: &Subject, ask: &Ask, status: u16, (name, versions): (&str, usize)) {
        sends(server, ask, status);
        wait_until("ChartMuseum writes its index", server, || {
            let text = self.cached();
            let listed = self.entries(server);
            let of_name = listed.iter().filter(|entry| entry.name == name).count();
            let is_in = |entry: &Entry| text.contains(&entry.digest);
            of_name == versions && listed.iter().all(is_in)
        });
    }

    /// Returns what it lists at the end.
    fn chartmuseum_fills_it(&self) -> Vec<Entry> {
        let (_home, server) = self.start(self.museum, &[]);
        let change = |ask: &Ask, status: u16, count: (&str, usize)| {
            self.change(&server, ask, status, count);
        };
        change(&self.upload(chart("a", "1.0.0")), 201, ("a", 1));
        change(&self.upload(chart("a", "1.1.0")), 201, ("a", 2));
        change(&self.upload(chart("c", "0.1.0+build")), 201, ("c", 1));
        change(&self.sign("b", "1.0.0"), 201, ("b", 1));
        let replaced = self.overwrite(other_chart("c", "0.1.0+build"));
        change(&replaced, 201, ("c", 1));
        change(&self.delete("a", "1.0.0"), 200, ("a", 1));
        let expected = [
            first("a", "1.1.0"),
            first("b", "1.0.0"),
            other("c", "0.1.0+build"),
        ];
        wait_until("ChartMuseum lists what it has", &server, || {
            listed(&self.entries(&server)) == Listed::from(expected.clone())
        });
        let entries = self.entries(&server);
        wait_until("ChartMuseum writes its index", &server, || {
            let text = self.cached();
            entries.iter().all(|entry| text.contains(&entry.created))
        });
        entries
    }

    /// Nothing is changed, and the times are ChartMuseum's.
    fn chartroom_takes_over(&self, theirs: &[Entry]) {
        let before = self.place.objects();
        let (_home, server) = self.start(&Program::Chartroom, &[]);
        let ours = self.entries(&server);
        assert_eq!(listed(&ours), listed(theirs), "{}", server.said());
        for (theirs, ours) in theirs.iter().zip(&ours) {
            let time = |text: &str| text.parse::<DateTime<FixedOffset>>().expect("a time");
            assert_eq!(time(&theirs.created), time(&ours.created), "{}", ours.name);
        }
        assert_eq!(download_all(&server, &self.prefix), theirs.len());
        self.check_signature(&server, "b");
        assert_eq!(self.place.objects(), before, "objects changed");

        sends(&server, &self.upload(chart("a", "1.1.0")), 409);
        sends(&server, &self.upload(chart("d", "1.0.0")), 201);
        sends(&server, &self.sign("e", "1.0.0"), 201);
        sends(&server, &self.overwrite(other_chart("a", "1.1.0")), 201);
        sends(&server, &self.delete("c", "0.1.0+build"), 200);
        let expected = [
            other("a", "1.1.0"),
            first("b", "1.0.0"),
            first("d", "1.0.0"),
            first("e", "1.0.0"),
        ];
        assert_eq!(listed(&self.entries(&server)), Listed::from(expected));
        assert!(server.stop().success());
    }

    /// It believes its own old index until it looks at the storage again. Returns what it lists at the
    /// end.
    fn chartmuseum_comes_back(&self) -> Listed {
        let (_home, server) = self.start(self.museum, &["--cache-interval=1s"]);
        let is_listed = |expected: &Listed| {
            wait_until("ChartMuseum lists what there is", &server, || {
                listed(&self.entries(&server)) == *expected
            });
        };
        let mut expected = Listed::from([
            other("a", "1.1.0"),
            first("b", "1.0.0"),
            first("d", "1.0.0"),
            first("e", "1.0.0"),
        ]);
        is_listed(&expected);
        assert_eq!(download_all(&server, &self.prefix), expected.len());
        self.check_signature(&server, "e");
        sends(&server, &self.delete("e", "1.0.0"), 200);
        sends(&server, &self.upload(chart("f", "1.0.0")), 201);
        expected.remove(&first("e", "1.0.0"));
        expected.insert(first("f", "1.0.0"));
        is_listed(&expected);
        expected
    }

    /// Without its old index it need not wait for its next look.
    fn chartmuseum_without_its_index(&self, expected: &Listed) {
        self.place.remove(&self.cache);
        let (_home, server) = self.start(self.museum, &[]);
        wait_until("ChartMuseum reads the storage", &server, || {
            listed(&self.entries(&server)) == *expected
        });
    }

    /// It sees what ChartMuseum did meanwhile.
    fn chartroom_comes_back(&self, expected: &Listed) {
        let (_home, server) = self.start(&Program::Chartroom, &[]);
        let ours = self.entries(&server);
        assert_eq!(listed(&ours), *expected, "{}", server.said());
        assert_eq!(download_all(&server, &self.prefix), expected.len());
        let gone = server.get(&format!("{}/charts/e-1.0.0.tgz.prov", self.prefix));
        assert_eq!(gone.status, 404, "{gone}");
    }

    fn make(&self) {
        let theirs = self.chartmuseum_fills_it();
        self.chartroom_takes_over(&theirs);
        let expected = self.chartmuseum_comes_back();
        self.chartmuseum_without_its_index(&expected);
        self.chartroom_comes_back(&expected);
    }
}

#[test]
fn a_directory_goes_from_chartmuseum_to_chartroom_and_back() {
    let Some(museum) = chartmuseum("a directory from a real ChartMuseum and back") else {
        return;
    };
    for (options, tenant) in [
        (&[][..], ""),
        (&["--json-index"], ""),
        (&["--depth=1"], "org"),
        (&["--depth=2"], "org/team"),
        (&["--depth-dynamic"], ""),
        (&["--depth-dynamic"], "o/r/t"),
    ] {
        Journey::new(&Place::folder(), &museum, options, tenant).make();
    }
}

#[test]
fn a_bucket_goes_from_chartmuseum_to_chartroom_and_back() {
    let what = "a bucket from a real ChartMuseum and back";
    let Some(museum) = chartmuseum(what) else {
        return;
    };
    for (options, tenant) in [(&[][..], ""), (&["--depth=1"], "org")] {
        let Some(place) = Place::bucket(Kind::Minio, what) else {
            return;
        };
        Journey::new(&place, &museum, options, tenant).make();
    }
}
