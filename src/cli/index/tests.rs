//! The command on real directories; the archives are made here.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Makes an archive whose `Chart.yaml` is `metadata`.
fn archive(metadata: &str) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let mut header = tar::Header::new_ustar();
    header.set_size(metadata.len() as u64);
    tar.append_data(&mut header, "demo/Chart.yaml", metadata.as_bytes())
        .unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

fn write_chart(directory: &Path, file: &str, name: &str, version: &str) {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let path = directory.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, archive(&metadata)).unwrap();
}

fn args(directory: &Path) -> IndexArgs {
    IndexArgs {
        directory: directory.to_owned(),
        url: String::new(),
        merge: None,
        json: false,
        strict: false,
    }
}

/// Runs the command; returns its result, its messages and the index without what varies.
fn run_on(args: &IndexArgs) -> (Result<usize, IndexError>, String, String) {
    let clock = Clock::default();
    let mut messages = Vec::new();
    let mut report = Report {
        out: &mut messages,
        clock: &clock,
        shows_progress: false,
    };
    let result = index(args, &clock, &mut report);
    if let Err(error) = &result {
        report.failure(error);
    }
    let text = fs::read_to_string(args.directory.join("index.yaml")).unwrap_or_default();
    let stays = |line: &&str| {
        let line = line.trim_start_matches([' ', '-', '"']);
        // Compressors differ, and thus the digests of what they made.
        !["created", "generated", "digest"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let lines: Vec<&str> = text.lines().filter(stays).collect();
    let messages = String::from_utf8(messages).unwrap();
    let root = args.directory.display().to_string();
    (result, messages.replace(&root, "DIR"), lines.join("\n"))
}

#[test]
fn the_index_has_all_charts_and_the_messages_name_what_was_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write_chart(root, "a+b.tgz", "demo", "1.0.0+b");
    write_chart(root, "sub dir/c.tgz", "demo", "2.0.0");
    write_chart(root, "sub dir/d.tgz", "demo", "2.0.0");
    fs::write(
        root.join("junk.tgz"),
        "nothing that anybody could take for a chart",
    )
    .unwrap();
    fs::create_dir(root.join("folder.tgz")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("link.tgz")).unwrap();

    let (result, messages, text) = run_on(&args(root));
    assert_eq!(result.unwrap(), 3);
    insta::assert_snapshot!(messages, @r##"
    skipped folder.tgz: it is not a regular file
    skipped junk.tgz: gzip: invalid header
    skipped link.tgz: cannot read it: No such file or directory (os error 2)
    warning: sub dir/c.tgz and sub dir/d.tgz are both demo 2.0.0; both are in the index, but clients take only the first
    wrote DIR/index.yaml: charts: 1, versions: 3; left out: 3
    "##);
    insta::assert_snapshot!(text, @r##"
    apiVersion: v1
    entries:
      demo:
      - apiVersion: v2
        name: demo
        urls:
        - sub%20dir/c.tgz
        version: 2.0.0
      - apiVersion: v2
        name: demo
        urls:
        - sub%20dir/d.tgz
        version: 2.0.0
      - apiVersion: v2
        name: demo
        urls:
        - a+b.tgz
        version: 1.0.0+b
    "##);
    let mode = fs::metadata(root.join("index.yaml")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o644);
    let names = fs::read_dir(root).unwrap().count();
    assert_eq!(names, 6, "a temporary file was left");
}

#[test]
fn merging_keeps_old_versions_and_their_times() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write_chart(root, "new.tgz", "demo", "2.0.0");
    let old = root.join("old.yaml");
    let old_text = "apiVersion: v1\nentries:\n  demo:\n  - name: demo\n    version: 1.0.0\n    urls: [u]\n    \
                    created: 2020-01-02T03:04:05.60+01:00\n  - name: demo\n    version: v2.0.0\n";
    fs::write(&old, old_text).unwrap();
    let merging = IndexArgs {
        merge: Some(old.clone()),
        json: true,
        url: "http://h/charts".to_owned(),
        ..args(root)
    };
    let (result, messages, text) = run_on(&merging);
    assert_eq!(result.unwrap(), 0);
    assert_eq!(messages, "wrote DIR/index.yaml: charts: 1, versions: 2\n");
    insta::assert_snapshot!(text, @r##"
    {
      "apiVersion": "v1",
      "entries": {
        "demo": [
          {
            "name": "demo",
            "version": "2.0.0",
            "apiVersion": "v2",
            "urls": [
              "http://h/charts/new.tgz"
            ],
          },
          {
            "name": "demo",
            "version": "1.0.0",
            "apiVersion": "v1",
            "urls": [
              "u"
            ],
          }
        ]
      }
    }
    "##);
    let whole = fs::read_to_string(root.join("index.yaml")).unwrap();
    assert!(whole.contains("\"created\": \"2020-01-02T03:04:05.6+01:00\""));
    assert!(!whole.ends_with('\n'));

    fs::write(&old, "apiVersion: v1\nentries: {demo: [{nme: x}]}").unwrap();
    let (result, messages, text) = run_on(&merging);
    assert!(result.is_err());
    assert_eq!(
        messages,
        "error: cannot merge DIR/old.yaml: unknown field `nme` in an entry of chart \"demo\" of the index file\n"
    );
    assert!(!text.is_empty(), "the index of before must stay");
}

#[test]
fn a_missing_index_to_merge_is_created_empty() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let missing = root.join("missing.yaml");
    let merging = IndexArgs {
        merge: Some(missing.clone()),
        ..args(root)
    };
    let (result, _, text) = run_on(&merging);
    assert_eq!(result.unwrap(), 0);
    assert_eq!(text, "apiVersion: v1\nentries: {}");
    let created = fs::read_to_string(missing).unwrap();
    assert!(created.starts_with("apiVersion: v1\nentries: {}\ngenerated: \""));
}

#[test]
fn a_missing_directory_is_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let (result, messages, _) = run_on(&args(&directory.path().join("missing")));
    assert!(result.is_err());
    assert!(
        messages.starts_with("error: cannot list DIR: "),
        "{messages}"
    );
}

#[tokio::test(start_paused = true)]
async fn progress_is_one_rewritten_line() {
    let clock = Clock::paused(DateTime::UNIX_EPOCH);
    let mut messages = Vec::new();
    let mut report = Report {
        out: &mut messages,
        clock: &clock,
        shows_progress: true,
    };
    let mut progress = report.progress(7);
    for done in 1..=4 {
        tokio::time::advance(Duration::from_millis(40)).await;
        progress(done);
    }
    drop(progress);
    report.end_progress();
    report.out.flush().unwrap();
    let messages = String::from_utf8(messages).unwrap();
    assert_eq!(messages, "\rread 3 of 7 files\r\x1b[K");
}
