//! `chartroom check`.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::{Storage, age, chart, upload};

/// The lines of a report, without what comes after the file.
fn findings(out: &str) -> Vec<String> {
    out.lines()
        .filter(|line| line.starts_with("  "))
        .map(|line| {
            let mut words = line.split_whitespace();
            let [severity, kind, file] = [(); 3].map(|()| words.next().unwrap());
            format!("{severity} {kind} {}", file.trim_end_matches(':'))
        })
        .collect()
}

#[test]
fn a_sound_directory_is_checked_beside_its_server() {
    let storage = Storage::new();
    let server = storage.serve();
    for version in ["1.0.0", "2.0.0"] {
        assert_eq!(upload(&server, &chart("app", version)), 201);
    }
    let before = storage.state();
    let ended = storage.run(&["check", "DIR"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(
        ended.out,
        "root repository: 2 archives in the store, 2 versions in the index, generation 2\n\
         checked 1 repository: nothing is wrong\n"
    );
    assert_eq!(ended.err, "");
    assert_eq!(storage.state(), before);
}

#[test]
fn a_check_says_what_is_wrong_and_writes_nothing() {
    let storage = Storage::new();
    storage.put_chart("app", "1.0.0");
    storage.put_chart("app", "2.0.0");
    storage.adopt();
    fs::remove_file(storage.directory().join("app-1.0.0.tgz")).unwrap();
    storage.put_chart("app", "3.0.0");
    storage.put("junk-1.0.0.tgz", "junk, and more junk");
    storage.put("app-9.0.0.tgz.prov", "junk");
    storage.put("notes.txt", "notes");
    let before = storage.state();
    let ended = storage.run(&["check", "DIR"]);
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    let expected = [
        "error missing-archive app-1.0.0.tgz",
        "error unlisted-archive app-3.0.0.tgz",
        "warning orphaned-provenance app-9.0.0.tgz.prov",
        "warning unreadable-archive junk-1.0.0.tgz",
        "info foreign-file notes.txt",
    ];
    assert_eq!(findings(&ended.out), expected);
    assert!(ended.out.contains("gzip: invalid header"), "{}", ended.out);
    assert!(
        ended
            .out
            .ends_with("checked 1 repository: 2 errors, 2 warnings, 1 note; --repair mends 3\n"),
        "{}",
        ended.out
    );
    assert_eq!(storage.state(), before);
}

#[test]
fn a_repair_mends_and_a_second_one_has_nothing_to_do() {
    let storage = Storage::new();
    storage.put_chart("app", "1.0.0");
    storage.put_chart("app", "2.0.0");
    storage.adopt();
    fs::remove_file(storage.directory().join("app-1.0.0.tgz")).unwrap();
    storage.put_chart("app", "3.0.0");
    // By the directory's own clock it has been alone for long: nothing is waited for.
    let orphan = storage.put("app-9.0.0.tgz.prov", "junk");
    age(&orphan, Duration::from_hours(1));
    let ended = storage.run(&["check", "DIR", "--repair"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let expected = [
        "mended missing-archive app-1.0.0.tgz",
        "mended unlisted-archive app-3.0.0.tgz",
        "mended orphaned-provenance app-9.0.0.tgz.prov",
    ];
    assert_eq!(findings(&ended.out), expected);
    assert!(
        ended.out.ends_with(": nothing is wrong, 3 mended\n"),
        "{}",
        ended.out
    );
    assert_eq!(ended.err, "");
    assert!(!orphan.try_exists().unwrap());
    let before = storage.state();
    let ended = storage.run(&["check", "DIR", "--repair"]);
    assert_eq!((ended.code, findings(&ended.out)), (0, vec![]));
    assert_eq!(storage.state(), before);
}

#[test]
fn the_json_is_one_document() {
    let storage = Storage::new();
    storage.put_chart("app", "1.0.0");
    storage.adopt();
    storage.put("team/inner-1.0.0.tgz", chart("inner", "1.0.0"));
    storage.put("app-2.0.0.tgz", "");
    let ended = storage.run(&["check", "DIR", "--json"]);
    assert_eq!(ended.code, 3);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(json["complete"], true);
    assert_eq!((&json["errors"], &json["warnings"]), (&0.into(), &1.into()));
    let repositories = json["repositories"].as_array().unwrap();
    let paths: Vec<&Value> = repositories
        .iter()
        .map(|repository| &repository["repository"])
        .collect();
    assert_eq!(paths, ["", "team"]);
    let finding = &repositories[0]["findings"][0];
    assert_eq!(finding["kind"], "empty-archive");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["file"], "app-2.0.0.tgz");
    assert_eq!(finding["mended"], false);
    assert_eq!(repositories[1]["generation"], Value::Null);
    assert_eq!(repositories[1]["findings"][0]["kind"], "no-log");
}

#[test]
fn every_repository_is_checked_unless_one_is_named() {
    let storage = Storage::new();
    storage.put("a/app-1.0.0.tgz", chart("app", "1.0.0"));
    storage.put("a/b/app-1.0.0.tgz", "junk, and more junk");
    storage.put("empty/notes.txt", "notes");
    let before = storage.state();
    let ended = storage.run(&["check", "DIR", "--repair"]);
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    let headers: Vec<&str> = ended
        .out
        .lines()
        .filter(|line| !line.starts_with("  "))
        .filter_map(|line| line.split_once(": ").map(|(header, _)| header))
        .collect();
    assert_eq!(
        headers,
        [
            "root repository",
            "repository a",
            "repository a/b",
            "checked 3 repositories"
        ]
    );
    assert!(ended.out.contains("no log yet: 1 archive will be adopted"));
    assert_eq!(storage.state(), before, "a repair begins no log");

    assert_eq!(storage.run(&["check", "DIR", "--repository", "a"]).code, 0);
    let ended = storage.run(&["check", "DIR", "--repository=/a/b/"]);
    assert_eq!(ended.code, 3);
    assert!(!ended.out.contains("root repository"), "{}", ended.out);
}

#[test]
fn folders_that_are_too_deep_are_said_to_be_left_out() {
    let storage = Storage::new();
    storage.put("1/2/3/4/5/6/7/8/9/app-1.0.0.tgz", "junk, and more junk");
    let ended = storage.run(&["check", "DIR"]);
    assert_eq!(ended.code, 0);
    assert!(
        ended.out.contains("not every repository was looked for"),
        "{}",
        ended.out
    );
    let named = storage.run(&["check", "DIR", "--repository", "1/2/3/4/5/6/7/8/9"]);
    assert_eq!(named.code, 3);
}

#[test]
fn what_could_not_be_checked_is_never_fine() {
    let storage = Storage::new();
    storage.put_chart("app", "1.0.0");
    storage.adopt();
    let file = storage.put("notes.txt", "notes");
    let file = file.to_str().unwrap();
    for arguments in [
        &["check", "DIR/missing"][..],
        &["check", "DIR/missing", "--repair"],
        &["check", file],
        &["check", "memory:"],
        &["check", "DIR", "--repository", "nothing"],
    ] {
        let ended = storage.run(arguments);
        assert_eq!(ended.code, 1, "{arguments:?}: {}", ended.out);
        assert!(ended.err.starts_with("chartroom: "), "{}", ended.err);
    }
    assert!(
        !storage.directory().join("missing").try_exists().unwrap(),
        "it was made"
    );
    for arguments in [
        &["check", "DIR", "--repository", "../up"][..],
        &["check", "DIR", "--refresh-interval", "soon"],
        &["check", "DIR", "--unknown"],
    ] {
        assert_eq!(storage.run(arguments).code, 2, "{arguments:?}");
    }

    // A log that cannot be read: both say so, and a report is not begun.
    let records: Vec<_> = storage
        .state()
        .into_keys()
        .filter(|path| path.to_str().unwrap().contains("/log/"))
        .collect();
    fs::write(&records[0], "junk").unwrap();
    for command in [&["check", "DIR"][..], &["explain", "app", "1.0.0", "DIR"]] {
        let ended = storage.run(command);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{command:?}");
        assert!(ended.err.contains("the object is damaged"), "{}", ended.err);
    }
}

#[test]
fn the_configuration_of_a_server_names_the_storage() {
    let storage = Storage::new();
    storage.put_chart("app", "1.0.0");
    for variables in [
        &[("CHARTROOM_STORAGE", "DIR")][..],
        &[("STORAGE", "local"), ("STORAGE_LOCAL_ROOTDIR", "DIR")],
    ] {
        let ended = storage.run_with(&["check"], variables);
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        assert!(
            ended.out.contains("1 archive in the store"),
            "{}",
            ended.out
        );
    }
    let ended = storage.run(&["check", "--storage=local", "--storage-local-rootdir=DIR"]);
    assert!(
        ended.out.contains("1 archive in the store"),
        "{}",
        ended.out
    );
}

/// Uploads go on while a repair is run again and again: each is acknowledged, and none is harmed.
#[test]
fn repairs_beside_a_server_that_takes_uploads_harm_nothing() {
    const UPLOADS: usize = 40;
    let storage = Storage::new();
    let server = storage.serve();
    thread::scope(|scope| {
        let uploading = scope.spawn(|| {
            for number in 0..UPLOADS {
                let body = chart("app", &format!("{number}.0.0"));
                assert_eq!(upload(&server, &body), 201, "{number}");
            }
        });
        let mut repairs = 0;
        while !uploading.is_finished() || repairs == 0 {
            let ended = storage.run(&["check", "DIR", "--repair"]);
            assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
            repairs += 1;
        }
    });
    let ended = storage.run(&["check", "DIR"]);
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(
        ended
            .out
            .contains("40 archives in the store, 40 versions in the index"),
        "{}",
        ended.out
    );
}
