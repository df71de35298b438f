//! A real ChartMuseum fills the storage, chartroom takes over, and ChartMuseum again.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};

use crate::adoption::{Entry, digest, download_all, entries};
use crate::charts::{chart, other_chart, provenance};
use crate::places::Place;
use crate::stores::Kind;
use crate::subject::{Launch, Program, Subject, chartmuseum};
use crate::wire::{Ask, file};

/// Longest wait for what ChartMuseum does in the background.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts either program over the place.
fn start(program: &Program, place: &Place, options: &[&str]) -> (tempfile::TempDir, Subject) {
    let home = tempfile::tempdir().expect("a temporary directory");
    let flags = place.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut launch = Launch::new(home.path()).flags(&flags).flags(options);
    for (name, value) in place.variables() {
        launch = launch.variable(&name, value);
    }
    let subject = launch.start(program);
    (home, subject)
}

/// Chart, version, URL and digest of all that is listed.
fn listed(entries: &[Entry]) -> BTreeSet<[String; 4]> {
    let of = |entry: &Entry| {
        [&entry.name, &entry.version, &entry.url, &entry.digest].map(String::to_owned)
    };
    entries.iter().map(of).collect()
}

fn expect(charts: &[(&str, &str, &[u8])]) -> BTreeSet<[String; 4]> {
    let of = |(name, version, content): &(&str, &str, &[u8])| {
        let url = format!("charts/{name}-{version}.tgz");
        [
            (*name).to_owned(),
            (*version).to_owned(),
            url,
            digest(content),
        ]
    };
    charts.iter().map(of).collect()
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

fn there_and_back(place: &Place, museum: &Program, options: &[&str], tenant: &str) {
    let prefix = if tenant.is_empty() {
        String::new()
    } else {
        format!("/{tenant}")
    };
    let folder = if tenant.is_empty() {
        String::new()
    } else {
        format!("{tenant}/")
    };
    let charts = format!("/api{prefix}/charts");
    let forced = format!("{charts}?force");
    let delete = |name: &str, version: &str| Ask::delete(format!("{charts}/{name}/{version}"));

    // ChartMuseum fills it. It writes its index in the background and in no order, so that an older one
    // may stay: each change waits until the one before it is written, and the last is by itself.
    let (_home, server) = start(museum, place, options);
    let cache = format!("{folder}index-cache.yaml");
    let change = |ask: &Ask, status: u16, name: &str, versions: usize| {
        sends(&server, ask, status);
        wait_until("ChartMuseum writes its index", &server, || {
            let text = String::from_utf8_lossy(&place.read(&cache)).into_owned();
            let listed = entries(&server, &prefix);
            let is_in = |entry: &Entry| text.contains(&entry.digest);
            let is_listed = listed.iter().filter(|entry| entry.name == name).count() == versions;
            is_listed && listed.iter().all(is_in)
        });
    };
    change(
        &Ask::post(charts.as_str(), chart("a", "1.0.0")),
        201,
        "a",
        1,
    );
    change(
        &Ask::post(charts.as_str(), chart("a", "1.1.0")),
        201,
        "a",
        2,
    );
    change(
        &Ask::post(charts.as_str(), chart("c", "0.1.0+build")),
        201,
        "c",
        1,
    );
    let signature = provenance("b", "1.0.0");
    let b = chart("b", "1.0.0");
    let form = Ask::form(
        charts.as_str(),
        &[file("chart", &b), file("prov", &signature)],
    );
    change(&form, 201, "b", 1);
    change(
        &Ask::post(forced.as_str(), other_chart("c", "0.1.0+build")),
        201,
        "c",
        1,
    );
    change(&delete("a", "1.0.0"), 200, "a", 1);
    let a = chart("a", "1.1.0");
    let c = other_chart("c", "0.1.0+build");
    let expected = expect(&[
        ("a", "1.1.0", &a),
        ("b", "1.0.0", &b),
        ("c", "0.1.0+build", &c),
    ]);
    wait_until("ChartMuseum lists what it has", &server, || {
        listed(&entries(&server, &prefix)) == expected
    });
    let theirs = entries(&server, &prefix);
    wait_until("ChartMuseum writes its index", &server, || {
        let text = String::from_utf8_lossy(&place.read(&cache)).into_owned();
        theirs.iter().all(|entry| text.contains(&entry.created))
    });
    drop(server);

    // chartroom takes over, and changes nothing.
    let before = place.objects();
    let (_home, server) = start(&Program::Chartroom, place, options);
    let ours = entries(&server, &prefix);
    assert_eq!(listed(&ours), expected, "{}", server.said());
    for (theirs, ours) in theirs.iter().zip(&ours) {
        let time = |text: &str| text.parse::<DateTime<FixedOffset>>().expect("a time");
        assert_eq!(time(&theirs.created), time(&ours.created), "{}", ours.name);
    }
    assert_eq!(download_all(&server, &prefix), 3);
    assert_eq!(
        server
            .get(&format!("{prefix}/charts/b-1.0.0.tgz.prov"))
            .body,
        signature
    );
    assert_eq!(place.objects(), before, "objects changed");

    // It works on it.
    sends(
        &server,
        &Ask::post(charts.as_str(), chart("a", "1.1.0")),
        409,
    );
    sends(
        &server,
        &Ask::post(charts.as_str(), chart("d", "1.0.0")),
        201,
    );
    let e = chart("e", "1.0.0");
    let signed = provenance("e", "1.0.0");
    sends(
        &server,
        &Ask::form(charts.as_str(), &[file("chart", &e), file("prov", &signed)]),
        201,
    );
    sends(
        &server,
        &Ask::post(forced.as_str(), other_chart("a", "1.1.0")),
        201,
    );
    sends(&server, &delete("c", "0.1.0+build"), 200);
    let (a, d) = (other_chart("a", "1.1.0"), chart("d", "1.0.0"));
    let expected = expect(&[
        ("a", "1.1.0", &a),
        ("b", "1.0.0", &b),
        ("d", "1.0.0", &d),
        ("e", "1.0.0", &e),
    ]);
    assert_eq!(listed(&entries(&server, &prefix)), expected);
    assert!(server.stop().success());

    // And back: ChartMuseum believes its own old index until it looks at the storage again.
    let interval = [options, &["--cache-interval=1s"]].concat();
    let (_home, server) = start(museum, place, &interval);
    wait_until("ChartMuseum follows", &server, || {
        listed(&entries(&server, &prefix)) == expected
    });
    assert_eq!(download_all(&server, &prefix), 4);
    assert_eq!(
        server
            .get(&format!("{prefix}/charts/e-1.0.0.tgz.prov"))
            .body,
        signed
    );
    sends(&server, &delete("e", "1.0.0"), 200);
    sends(
        &server,
        &Ask::post(charts.as_str(), chart("f", "1.0.0")),
        201,
    );
    let f = chart("f", "1.0.0");
    let expected = expect(&[
        ("a", "1.1.0", &a),
        ("b", "1.0.0", &b),
        ("d", "1.0.0", &d),
        ("f", "1.0.0", &f),
    ]);
    wait_until("ChartMuseum lists what it has", &server, || {
        listed(&entries(&server, &prefix)) == expected
    });
    drop(server);

    // Without its old index it has no need to wait.
    place.remove(&cache);
    let (_home, server) = start(museum, place, options);
    wait_until("ChartMuseum reads the storage", &server, || {
        listed(&entries(&server, &prefix)) == expected
    });
    drop(server);

    // chartroom sees what ChartMuseum did meanwhile.
    let (_home, server) = start(&Program::Chartroom, place, options);
    assert_eq!(
        listed(&entries(&server, &prefix)),
        expected,
        "{}",
        server.said()
    );
    assert_eq!(download_all(&server, &prefix), 4);
    let gone = server.get(&format!("{prefix}/charts/e-1.0.0.tgz.prov"));
    assert_eq!(gone.status, 404, "{gone}");
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
        there_and_back(&Place::folder(), &museum, options, tenant);
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
        there_and_back(&place, &museum, options, tenant);
    }
}
