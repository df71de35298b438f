//! `chartroom explain`.

use std::fs;

use serde_json::Value;

use crate::{Storage, chart};

#[test]
fn a_version_is_explained_by_words_code_and_json() {
    let storage = Storage::new();
    storage.put_chart("app", "1.0.0");
    storage.put_chart("app", "2.0.0");
    storage.adopt();
    fs::remove_file(storage.directory().join("app-2.0.0.tgz")).unwrap();
    storage.adopt();
    storage.put_chart("app", "3.0.0");
    storage.put("junk-1.0.0.tgz", "junk, and more junk");
    let before = storage.state();
    for (name, version, code, reason, words) in [
        (
            "app",
            "1.0.0",
            0,
            "listed",
            "app 1.0.0 is in the index: app-1.0.0.tgz",
        ),
        (
            "app",
            "2.0.0",
            3,
            "dropped",
            "app 2.0.0 left the index at 20",
        ),
        (
            "app",
            "3.0.0",
            3,
            "not-entered",
            "the log does not know it yet",
        ),
        (
            "app",
            "9.0.0",
            3,
            "not-found",
            "there is no app-9.0.0.tgz in the store",
        ),
        ("App", "v1", 3, "spelled-differently", "which has app 1.0.0"),
        ("junk", "1.0.0", 3, "unreadable", "gzip: invalid header"),
        (
            "-x",
            "-y",
            3,
            "not-found",
            "there is no -x--y.tgz in the store",
        ),
    ] {
        let ended = storage.run(&["explain", name, version, "DIR"]);
        assert_eq!(ended.code, code, "{name} {version}: {}", ended.err);
        assert!(
            ended.out.lines().next().unwrap().contains(words),
            "{}",
            ended.out
        );
        assert!(ended.out.contains("\nwhat to do: "), "{}", ended.out);
        assert_eq!(ended.err, "");
        let ended = storage.run(&["explain", name, version, "--storage=DIR", "--json"]);
        assert_eq!(ended.code, code);
        let json: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(
            (&json["reason"], &json["listed"]),
            (&reason.into(), &(code == 0).into())
        );
    }
    assert_eq!(storage.state(), before, "an explanation writes nothing");
}

#[test]
fn a_repository_below_is_explained_when_it_is_named() {
    let storage = Storage::new();
    storage.put("org/team/app-1.0.0.tgz", chart("app", "1.0.0"));
    let ended = storage.run(&["explain", "app", "1.0.0", "DIR"]);
    assert_eq!(ended.code, 3);
    assert!(ended.out.contains("there is no log here"), "{}", ended.out);
    let ended = storage.run(&["explain", "app", "1.0.0", "DIR", "--repository", "org/team"]);
    assert_eq!(ended.code, 3);
    assert!(
        ended.out.contains("no server has started here yet"),
        "{}",
        ended.out
    );
}

#[test]
fn what_could_not_be_found_out_is_1_and_wrong_usage_2() {
    let storage = Storage::new();
    assert_eq!(
        storage
            .run(&["explain", "app", "1.0.0", "DIR/missing"])
            .code,
        1
    );
    assert_eq!(storage.run(&["explain", "app"]).code, 2);
}
