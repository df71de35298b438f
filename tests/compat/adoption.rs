//! Directories that a ChartMuseum wrote: they are served as they are, and nothing in them is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::charts::{chart, other_chart, provenance};
use crate::subject::{Program, Subject};
use crate::wire::Ask;

/// Every file below a folder, but for chartroom's own: its content's digest and its time.
pub(crate) fn listing(folder: &Path) -> BTreeMap<String, (String, SystemTime)> {
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, (String, SystemTime)>) {
    for item in fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.file_name().is_some_and(|name| name == ".chartroom") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        let name = path.strip_prefix(root).expect("it is below");
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified());
        let digest = digest(&fs::read(&path).expect("a file"));
        found.insert(
            name.to_string_lossy().into_owned(),
            (digest, modified.expect("a time")),
        );
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// One version of an index: chart, version, URL, digest, time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) url: String,
    pub(crate) digest: String,
    pub(crate) created: String,
}

/// What an index lists, in its order of versions; by helm's own way of reading it if `prefix` is where
/// the repository is.
pub(crate) fn entries(subject: &Subject, prefix: &str) -> Vec<Entry> {
    let reply = subject.get(&format!("/api{prefix}/charts"));
    assert_eq!(reply.status, 200, "{reply}\n{}", subject.said());
    let list: Value = reply.json();
    let mut entries = Vec::new();
    for versions in list.as_object().expect("a map").values() {
        for version in versions.as_array().expect("a list") {
            let text = |key: &str| version[key].as_str().unwrap_or_default().to_owned();
            entries.push(Entry {
                name: text("name"),
                version: text("version"),
                url: version["urls"][0].as_str().unwrap_or_default().to_owned(),
                digest: text("digest"),
                created: text("created"),
            });
        }
    }
    entries
}

/// Downloads everything that a repository lists, and compares it with its digest.
pub(crate) fn download_all(subject: &Subject, prefix: &str) -> usize {
    let entries = entries(subject, prefix);
    for entry in &entries {
        let reply = subject.get(&format!("{prefix}/{}", entry.url.replace(' ', "%20")));
        assert_eq!(reply.status, 200, "{entry:?}: {reply}");
        assert_eq!(digest(&reply.body), entry.digest, "{entry:?}");
    }
    entries.len()
}

/// Files of a repository as users leave them, and what of them is to be listed: URL and digest.
fn leave_behind(folder: &Path) -> BTreeSet<(String, String, String, String)> {
    fs::create_dir_all(folder).expect("a folder is made");
    let put = |name: &str, content: &[u8]| {
        fs::write(folder.join(name), content).expect("a file is written");
    };
    let mut listed = BTreeSet::new();
    let mut archive = |file: &str, name: &str, version: &str| {
        let content = chart(name, version);
        put(file, &content);
        let url = format!("charts/{file}");
        listed.insert((name.to_owned(), version.to_owned(), url, digest(&content)));
    };
    archive("plain-1.0.0.tgz", "plain", "1.0.0");
    archive("plain-1.0.0+b1.tgz", "plain", "1.0.0+b1");
    archive("plain-v2.0.0.tgz", "plain", "v2.0.0");
    archive("weird.tgz", "other", "1.0.0");
    archive("no-version-in-name-.tgz", "third", "0.1.0");
    archive("plain-9.9.9.tgz", "wrong-name", "3.0.0");
    archive("twice-1.0.0.tgz", "twice", "1.0.0");
    // A second file of that name and version; the one that is named after it counts.
    put("a-copy-of-twice.tgz", &other_chart("twice", "1.0.0"));
    put("plain-1.0.0.tgz.prov", &provenance("plain", "1.0.0"));
    put("orphan-1.0.0.tgz.prov", &provenance("orphan", "1.0.0"));
    put("broken-1.0.0.tgz", b"this is not an archive at all");
    put("empty-1.0.0.tgz", b"");
    put("another-1.0.0.tar.gz", &chart("another", "1.0.0"));
    put("index.yaml", b"apiVersion: v1\nentries: {}\n");
    put("README.md", b"# Charts\n");
    fs::create_dir_all(folder.join("sub/below")).expect("a folder is made");
    let inner = folder.join("sub/inner-1.0.0.tgz");
    fs::write(inner, chart("inner", "1.0.0")).expect("a file is written");
    listed
}

fn expected(subject: &Subject, prefix: &str) -> BTreeSet<(String, String, String, String)> {
    let of = |entry: Entry| (entry.name, entry.version, entry.url, entry.digest);
    entries(subject, prefix).into_iter().map(of).collect()
}

/// What a ChartMuseum may have left in index-cache.yaml.
fn caches() -> Vec<(&'static str, Vec<u8>)> {
    let plain = digest(&chart("plain", "1.0.0"));
    let yaml = format!(
        "apiVersion: v1\nentries:\n  plain:\n  - apiVersion: v2\n    created: \"2020-01-02T03:04:05.000000006+01:00\"\n    \
         digest: {plain}\n    name: plain\n    urls:\n    - charts/plain-1.0.0.tgz\n    version: 1.0.0\n\
         generated: \"2020-01-02T03:04:05Z\"\nserverInfo: {{}}\n"
    );
    let json = format!(
        r#"{{"apiVersion":"v1","generated":"2020-01-02T03:04:05Z","entries":{{"plain":[{{"name":"plain","version":"1.0.0","apiVersion":"v2","urls":["charts/plain-1.0.0.tgz"],"created":"2020-01-02T03:04:05.000000006+01:00","digest":"{plain}"}}]}},"serverInfo":{{}}}}"#
    );
    // Lists what was deleted, lacks what is new, says another URL and context path, has a version twice.
    let stale = yaml.replace(
        "generated:",
        "  vanished:\n  - created: \"2020-01-02T03:04:05Z\"\n    digest: \
         e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n    name: vanished\n    urls:\n    \
         - https://old.example/charts/vanished-1.0.0.tgz\n    version: 1.0.0\n  - name: vanished\n    version: 1.0.0\ngenerated:",
    );
    let stale = stale.replace("serverInfo: {}", "serverInfo:\n  contextPath: /old");
    let mut long = yaml.clone();
    let mut versions = String::from("  long:\n");
    for number in 0..20_000 {
        let _ = write!(
            versions,
            "  - apiVersion: v2\n    created: \"2020-01-02T03:04:05Z\"\n    description: {}\n    digest: {number:064x}\n    \
             name: long\n    urls:\n    - charts/long-{number}.0.0.tgz\n    version: {number}.0.0\n",
            "y".repeat(200)
        );
    }
    long = long.replace("generated:", &format!("{versions}generated:"));
    vec![
        ("YAML", yaml.into_bytes()),
        ("JSON", json.clone().into_bytes()),
        ("stale", stale.into_bytes()),
        ("long", long.into_bytes()),
        ("cut", json.into_bytes()[..100].to_vec()),
        ("junk", vec![0xff, 0, b'{', b'\n', b'-']),
        ("empty", Vec::new()),
    ]
}

#[test]
fn a_directory_is_served_as_it_is_and_nothing_in_it_changes() {
    let mut cases = caches();
    cases.push(("none", Vec::new()));
    for (name, cache) in cases {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let storage = scratch.path().join("storage");
        let listed = leave_behind(&storage);
        if name != "none" {
            fs::write(storage.join("index-cache.yaml"), cache).expect("a file is written");
        }
        let before = listing(&storage);
        let server = Program::Chartroom.over(&storage, &[]);
        assert_eq!(expected(&server, ""), listed, "{name}");
        assert_eq!(download_all(&server, ""), listed.len(), "{name}");
        let knows_times = ["YAML", "JSON", "stale", "long"].contains(&name);
        for entry in entries(&server, "") {
            let is_known = entry.name == "plain" && entry.version == "1.0.0" && knows_times;
            let is_old = entry.created.starts_with("2020-01-02T02:04:05.000000006Z");
            assert_eq!(is_old, is_known, "{name}: {entry:?}");
        }
        let signature = server.get("/charts/plain-1.0.0.tgz.prov");
        assert_eq!(signature.body, provenance("plain", "1.0.0"), "{name}");
        assert_eq!(
            server.get("/charts/orphan-1.0.0.tgz.prov").status,
            200,
            "{name}"
        );
        let index = server.get("/index.yaml").text();
        for absent in [
            "vanished",
            "long",
            "broken",
            "empty-1",
            "another",
            "inner",
            "old.example",
            "serverInfo",
        ] {
            assert!(!index.contains(absent), "{name}: {absent} in {index}");
        }
        assert!(server.stop().success(), "{name}");
        assert_eq!(listing(&storage), before, "{name}: files changed");

        // A second start knows what the first one found.
        let server = Program::Chartroom.over(&storage, &[]);
        assert_eq!(expected(&server, ""), listed, "{name}");
        assert_eq!(listing(&storage), before, "{name}: files changed");
    }
}

#[test]
fn uploads_and_deletions_change_their_own_files_only() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    let mut listed = leave_behind(&storage);
    let (_, stale) = caches().swap_remove(2);
    fs::write(storage.join("index-cache.yaml"), stale).expect("a file is written");
    let before = listing(&storage);
    let server = Program::Chartroom.over(&storage, &[]);
    let new = chart("new", "1.0.0");
    assert_eq!(
        server.ask(&Ask::post("/api/charts", new.clone())).status,
        201
    );
    for (path, status) in [
        // By name and version, not by file name: the version is that of `weird.tgz`.
        ("other/1.0.0", 200),
        ("plain/1.0.0", 200),
        ("plain/9.9.9", 404),
        ("vanished/1.0.0", 404),
    ] {
        let reply = server.ask(&Ask::delete(format!("/api/charts/{path}")));
        assert_eq!(reply.status, status, "{path}: {reply}");
    }
    listed.retain(|(name, version, ..)| name != "other" && (name != "plain" || version != "1.0.0"));
    let url = "charts/new-1.0.0.tgz".to_owned();
    listed.insert(("new".to_owned(), "1.0.0".to_owned(), url, digest(&new)));
    assert_eq!(expected(&server, ""), listed);
    let mut after = listing(&storage);
    assert!(after.remove("new-1.0.0.tgz").is_some());
    let mut expected = before;
    for gone in ["weird.tgz", "plain-1.0.0.tgz", "plain-1.0.0.tgz.prov"] {
        assert!(expected.remove(gone).is_some(), "{gone}");
    }
    assert_eq!(after, expected);
}

#[test]
fn tenants_of_every_depth_are_repositories() {
    let layouts: [(&str, &[&str], &[&str]); 4] = [
        ("--depth=1", &["org", "org-org", "a", "aa"], &[]),
        ("--depth=2", &["org/team", "org/team2", "org2/team"], &[]),
        ("--depth-dynamic", &["", "org", "org/team", "o/r/t/u"], &[]),
        // What is not at the depth is nobody's.
        ("--depth=1", &["org"], &["", "org/team"]),
    ];
    for (option, tenants, others) in layouts {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let storage = scratch.path().join("storage");
        let mut listed = BTreeMap::new();
        for tenant in tenants.iter().chain(others) {
            let folder = storage.join(tenant);
            let mut own = leave_behind(&folder);
            // Each has a chart of its own, and a cache that is too old for it.
            let name = format!("of-{}", tenant.replace('/', "-"));
            let content = chart(&name, "1.0.0");
            let file = format!("{name}-1.0.0.tgz");
            fs::write(folder.join(&file), &content).expect("a file is written");
            let (_, cache) = caches().swap_remove(0);
            fs::write(folder.join("index-cache.yaml"), cache).expect("a file is written");
            own.insert((
                name,
                "1.0.0".to_owned(),
                format!("charts/{file}"),
                digest(&content),
            ));
            listed.insert(*tenant, own);
        }
        let before = listing(&storage);
        let server = Program::Chartroom.over(&storage, &[option]);
        for tenant in tenants {
            let prefix = if tenant.is_empty() {
                String::new()
            } else {
                format!("/{tenant}")
            };
            assert_eq!(
                expected(&server, &prefix),
                listed[tenant],
                "{option} {tenant}"
            );
            assert_eq!(download_all(&server, &prefix), listed[tenant].len());
            let foreign = format!("{prefix}/charts/of-none-1.0.0.tgz");
            assert_eq!(server.get(&foreign).status, 404);
        }
        let repositories = server.get("/api/repos").json();
        let mut paths: Vec<&str> = tenants.to_vec();
        if option == "--depth-dynamic" {
            // The sub-folders that everybody has hold a chart too.
            paths.extend(["sub", "org/sub", "org/team/sub", "o/r/t/u/sub"]);
        } else if option == "--depth=1" && !others.is_empty() {
            paths.push("sub");
        }
        paths.sort_unstable();
        assert_eq!(
            repositories["repositories"],
            serde_json::json!(paths),
            "{option}"
        );
        assert!(server.stop().success());
        assert_eq!(listing(&storage), before, "{option}: files changed");
    }
}

#[test]
fn a_stale_index_of_chartmuseums_is_not_believed_at_any_start() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    fs::create_dir(&storage).expect("a folder is made");
    fs::write(storage.join("a-1.0.0.tgz"), chart("a", "1.0.0")).expect("a file is written");
    let (_, stale) = caches().swap_remove(2);
    fs::write(storage.join("index-cache.yaml"), &stale).expect("a file is written");
    let server = Program::Chartroom.over(
        &storage,
        &["--chart-url=https://new.example", "--context-path=/new"],
    );
    let index = server.get("/new/index.yaml").text();
    assert!(
        index.contains("https://new.example/new/charts/a-1.0.0.tgz"),
        "{index}"
    );
    assert!(
        !index.contains("vanished") && !index.contains("/old"),
        "{index}"
    );
    assert!(server.stop().success());
    // While nothing runs: one file goes, one comes, one changes.
    fs::remove_file(storage.join("a-1.0.0.tgz")).expect("a file is removed");
    fs::write(storage.join("b-1.0.0.tgz"), chart("b", "1.0.0")).expect("a file is written");
    let server = Program::Chartroom.over(&storage, &["--cache-interval=0"]);
    let listed: Vec<String> = entries(&server, "")
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(listed, ["b"]);
    assert!(server.stop().success());
    fs::write(storage.join("b-1.0.0.tgz"), other_chart("b", "1.0.0")).expect("a file is written");
    let server = Program::Chartroom.over(&storage, &["--cache-interval=0"]);
    assert_eq!(
        entries(&server, "")[0].digest,
        digest(&other_chart("b", "1.0.0"))
    );
    assert_eq!(download_all(&server, ""), 1);
    // Printed without a server it is the same.
    drop(server);
    let printed = std::process::Command::new(crate::binary::chartroom())
        .args(["--gen-index", "--storage=local"])
        .arg(format!("--storage-local-rootdir={}", storage.display()))
        .env_clear()
        .env("HOME", scratch.path())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.status.success(), "{printed:?}");
    assert!(
        text.contains("charts/b-1.0.0.tgz") && !text.contains("vanished"),
        "{text}"
    );
}

/// Slower than a person waits, faster than a probe gives up.
#[test]
fn a_large_stale_index_does_not_hold_up_the_start() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    fs::create_dir(&storage).expect("a folder is made");
    fs::write(storage.join("a-1.0.0.tgz"), chart("a", "1.0.0")).expect("a file is written");
    let (name, long) = caches().swap_remove(3);
    assert_eq!(name, "long");
    fs::write(storage.join("index-cache.yaml"), long).expect("a file is written");
    let begin = std::time::Instant::now();
    let server = Program::Chartroom.over(&storage, &[]);
    assert_eq!(entries(&server, "").len(), 1);
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "{:?}",
        begin.elapsed()
    );
}
