//! Names that lead somewhere else (10.1: 1, 2, and CVE-2019-1000009).

use std::fs;
use std::path::Path;

use crate::adoption::listing;
use crate::charts::{chart, provenance, with_metadata};
use crate::subject::Program;
use crate::wire::{Ask, file};

/// A storage, and beside it what nobody may reach.
fn beside_secrets() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    for folder in ["storage/org/team", "secret/team"] {
        fs::create_dir_all(scratch.path().join(folder)).expect("a folder is made");
    }
    for folder in ["", "secret", "secret/team"] {
        let at = |name: &str| scratch.path().join(folder).join(name);
        fs::write(at("secret-1.0.0.tgz"), chart("secret", "1.0.0")).expect("a file is written");
        fs::write(at("secret-1.0.0.tgz.prov"), provenance("secret", "1.0.0"))
            .expect("a file is written");
    }
    scratch
}

/// What is outside of the storage.
fn outside(scratch: &Path) -> Vec<String> {
    listing(scratch)
        .into_iter()
        .filter(|(name, _)| !name.starts_with("storage/") && !name.ends_with(".log"))
        .map(|(name, (digest, _))| format!("{name} {digest}"))
        .collect()
}

/// Segments that a path may try.
const SEGMENTS: [&str; 12] = [
    "..",
    "%2e%2e",
    ".%2E",
    ".",
    "%2e",
    "..%2fsecret",
    "..%2Fsecret%2Fteam",
    "..%5csecret",
    "%2e%2e%2f",
    "..%00",
    "org%2f..%2f..",
    "",
];

#[test]
fn no_path_leads_out_of_the_directory() {
    for (option, depth) in [("--depth=1", 1), ("--depth=2", 2), ("--depth-dynamic", 3)] {
        let scratch = beside_secrets();
        let storage = scratch.path().join("storage");
        let before = outside(scratch.path());
        let server = Program::under_test().over(&storage, &[option]);
        let mut tenants: Vec<String> = SEGMENTS.iter().map(|&segment| segment.to_owned()).collect();
        for _ in 1..depth {
            let longer = tenants.iter().flat_map(|tenant| {
                ["org", "..", "secret"].map(|segment| format!("{tenant}/{segment}"))
            });
            tenants = tenants.iter().cloned().chain(longer).collect();
        }
        for tenant in tenants {
            let reads = [
                format!("/{tenant}/index.yaml"),
                format!("/{tenant}/charts/secret-1.0.0.tgz"),
                format!("/{tenant}/charts/secret-1.0.0.tgz.prov"),
                format!("/api/{tenant}/charts"),
                format!("/api/{tenant}/charts/secret/1.0.0"),
                format!("/api/{tenant}/charts/secret/1.0.0/values"),
                format!("/api/{tenant}/charts/secret/1.0.0/templates"),
            ];
            for target in reads {
                let reply = server.ask(&Ask::get(&*target));
                let is_safe = reply.status != 200 || !reply.text().contains("secret");
                let is_archive = reply.body.starts_with(&[0x1f, 0x8b]);
                assert!(is_safe && !is_archive, "{option} {target}: {reply}");
            }
            let api = format!("/api/{tenant}");
            let archive = chart("planted", "1.0.0");
            let form = [file("chart", archive.as_slice())];
            for ask in [
                Ask::post(format!("{api}/charts?force"), archive.clone()),
                Ask::form(format!("{api}/charts?force"), &form),
                Ask::post(format!("{api}/prov?force"), provenance("planted", "1.0.0")),
                Ask::delete(format!("{api}/charts/secret/1.0.0")),
            ] {
                let reply = server.ask(&ask);
                assert!(reply.status < 500, "{option} {ask}: {reply}");
                assert_eq!(outside(scratch.path()), before, "{option} {ask}: {reply}");
            }
        }
        // Nor did it write its own beside.
        let folders: Vec<_> = fs::read_dir(scratch.path())
            .expect("a folder")
            .map(|item| item.expect("an item").file_name())
            .filter(|name| name == ".chartroom" || name == "index-cache.yaml")
            .collect();
        assert!(folders.is_empty(), "{option}: {folders:?}");
    }
}

#[test]
fn no_file_name_leads_out_of_the_directory() {
    let scratch = beside_secrets();
    let storage = scratch.path().join("storage");
    let server = Program::under_test().over(&storage, &["--allow-overwrite"]);
    let saved = Ask::post("/api/charts", chart("a", "1.0.0"));
    assert_eq!(server.ask(&saved).status, 201);
    let (before, inside) = (outside(scratch.path()), listing(&storage));
    let archive = chart("a", "1.0.0");
    for name in [
        "../../x",
        "../secret/secret",
        "/tmp/x",
        "x/../../y",
        "..",
        "..\\x",
        "x/y",
    ] {
        let signature = provenance(name, "1.0.0");
        let both = [
            file("chart", archive.as_slice()),
            file("prov", signature.as_slice()),
        ];
        let metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
        for ask in [
            // The chart exists: ChartMuseum then looks at the second name no more.
            Ask::form("/api/charts?force", &both),
            Ask::form("/api/charts", &both),
            Ask::form("/api/charts?force", &both[1..]),
            Ask::post("/api/prov?force", signature.clone()),
            Ask::post("/api/charts?force", with_metadata(&metadata)),
        ] {
            let reply = server.ask(&ask);
            assert_eq!(reply.status, 400, "{name} {ask}: {reply}");
            assert_eq!(outside(scratch.path()), before, "{name} {ask}: {reply}");
        }
    }
    for version in ["1.0.0/../../x", "../1.0.0", "1.0.0+../../x"] {
        let metadata = format!("apiVersion: v2\nname: a\nversion: {version}\n");
        let reply = server.ask(&Ask::post("/api/charts?force", with_metadata(&metadata)));
        assert_eq!(reply.status, 400, "{version}: {reply}");
        assert_eq!(outside(scratch.path()), before, "{version}: {reply}");
    }
    for path in [
        "/charts/..%2fsecret-1.0.0.tgz",
        "/charts/../secret-1.0.0.tgz",
        "/charts/%2e%2e/secret-1.0.0.tgz.prov",
        "/charts/..%5csecret-1.0.0.tgz",
        "/charts/%2e%2e%2fsecret%2fsecret-1.0.0.tgz",
    ] {
        let reply = server.ask(&Ask::get(path));
        assert_eq!(reply.status, 404, "{path}: {reply}");
    }
    let delete = server.ask(&Ask::delete("/api/charts/..%2fsecret/1.0.0"));
    assert_eq!(delete.status, 404, "{delete}");
    assert_eq!(outside(scratch.path()), before);
    let digests =
        |found: std::collections::BTreeMap<String, _>| found.into_keys().collect::<Vec<_>>();
    assert_eq!(digests(listing(&storage)), digests(inside));
}
