//! Starts that cannot work, and starts over damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::archive::Archive;
use crate::binary::chartroom;
use crate::server::{Server, agent};

/// Runs a start that is expected to end by itself.
pub(crate) fn start(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(chartroom())
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("it starts");
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(!output.status.success(), "{arguments:?} succeeds:\n{text}");
    assert!(!text.contains("panicked"), "{arguments:?}:\n{text}");
    (output, text)
}

#[test]
fn a_second_server_on_a_port_says_so_and_touches_nothing() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let [first, second] = ["first", "second"].map(|name| scratch.path().join(name));
    fs::create_dir(&first).expect("a folder is made");
    let server = Server::start(&first, &[], &scratch.path().join("server.log"));
    let port = server.url().rsplit(':').next().expect("a port");
    let (_, text) = start(&["serve", &second.to_string_lossy(), "--port", port]);
    assert!(text.contains(port) && text.contains("in use"), "{text}");
    assert!(
        fs::symlink_metadata(&second).is_err(),
        "it made its directory"
    );
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let file = scratch.path().join("a-file");
    fs::write(&file, "x").expect("a file is written");
    let (_, text) = start(&["serve", &file.to_string_lossy(), "--port", "0"]);
    assert!(text.contains("a-file"), "{text}");
    let (_, text) = start(&["index", &scratch.path().join("nowhere").to_string_lossy()]);
    assert!(text.contains("nowhere"), "{text}");
}

#[test]
fn everything_wrong_with_the_options_is_told_at_once() {
    let (output, text) = start(&[
        "serve",
        "--port",
        "99999",
        "--index-format",
        "xml",
        "--freshness",
        "soon",
    ]);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for option in ["port", "index-format", "freshness"] {
        assert!(text.contains(option), "{option} is not named:\n{text}");
    }
}

#[test]
fn corrupt_archives_in_the_directory_are_named_and_skipped() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    fs::create_dir(&storage).expect("a folder is made");
    let good = Archive::default()
        .file("c/Chart.yaml", "name: good\nversion: 1.0.0\n")
        .tgz();
    fs::write(storage.join("good-1.0.0.tgz"), &good).expect("a file is written");
    fs::write(storage.join("cut-1.0.0.tgz"), &good[..good.len() / 2]).expect("a file is written");
    fs::write(storage.join("empty-1.0.0.tgz"), "").expect("a file is written");
    let options = ["--refresh-interval", "100ms"];
    let server = Server::start(&storage, &options, &scratch.path().join("server.log"));
    let client = agent(Duration::from_secs(10));
    let get = |path: &str| {
        let mut reply = client
            .get(format!("{}{path}", server.url()))
            .call()
            .expect("a reply");
        let status = reply.status().as_u16();
        (status, reply.body_mut().read_to_vec().expect("a body"))
    };
    let index = String::from_utf8(get("/index.yaml").1).expect("UTF-8");
    assert!(
        index.contains("good") && !index.contains("cut") && !index.contains("empty"),
        "{index}"
    );
    assert_eq!(get("/charts/good-1.0.0.tgz"), (200, good));
    // A file that is put by hand shows up, which also proves that refreshes came by again.
    let late = Archive::default()
        .file("c/Chart.yaml", "name: late\nversion: 1.0.0\n")
        .tgz();
    fs::write(storage.join("late-1.0.0.tgz"), &late).expect("a file is written");
    let begin = std::time::Instant::now();
    while get("/charts/late-1.0.0.tgz").0 != 200
        || !String::from_utf8_lossy(&get("/index.yaml").1).contains("late")
    {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "late-1.0.0.tgz does not show up\n{}",
            server.said()
        );
    }
    let said = server.said();
    for file in ["cut-1.0.0.tgz", "empty-1.0.0.tgz"] {
        let lines = said.lines().filter(|line| line.contains(file)).count();
        assert_eq!(lines, 1, "{file} is named {lines} times:\n{said}");
    }
}

#[test]
fn a_broken_record_of_the_log_stops_the_start_and_damages_nothing() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    fs::create_dir(&storage).expect("a folder is made");
    let server = Server::start(&storage, &[], &scratch.path().join("server.log"));
    let client = agent(Duration::from_secs(10));
    for name in ["one", "two", "three"] {
        let chart = Archive::default()
            .file("c/Chart.yaml", format!("name: {name}\nversion: 1.0.0\n"))
            .tgz();
        let reply = client
            .post(format!("{}/api/charts", server.url()))
            .send(&chart);
        assert_eq!(reply.expect("a reply").status(), 201);
    }
    assert!(server.stop().success());

    let records = files_below(&storage.join(".chartroom"));
    let record = records
        .iter()
        .filter(|path| path.to_string_lossy().contains("/log/"))
        .max();
    let record = record.expect("the log has records");
    fs::write(record, b"junk").expect("a record is broken");
    let before = contents(&storage);
    let (_, text) = start(&["serve", &storage.to_string_lossy(), "--port", "0"]);
    let name = record
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert!(
        text.contains(&name),
        "the record {name} is not named:\n{text}"
    );
    assert_eq!(contents(&storage), before, "the start changed files");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| {
        let content = fs::read(&path).expect("a file");
        (path, content)
    };
    files_below(folder).into_iter().map(read).collect()
}
