use proptest::prelude::*;

use super::*;
use crate::chart::testing::{ArchiveBuilder, gzip};

mod cost;

fn load(bytes: &[u8]) -> Result<ChartArchive, ArchiveError> {
    read(bytes, &Limits::default(), Acceptance::Helm)
}

fn refusal(bytes: &[u8]) -> String {
    load(bytes).unwrap_err().to_string()
}

fn upload_refusal(bytes: &[u8]) -> String {
    read(bytes, &Limits::default(), Acceptance::Upload)
        .unwrap_err()
        .to_string()
}

fn demo() -> ArchiveBuilder {
    ArchiveBuilder::chart("demo", "1.0.0")
}

#[test]
fn a_chart_is_read_with_its_digest_and_size() {
    let bytes = demo().file("demo/values.yaml", "a: 1\n").tgz();
    for acceptance in [Acceptance::Helm, Acceptance::Upload] {
        let archive = read(&bytes, &Limits::default(), acceptance).unwrap();
        assert_eq!(archive.metadata.name, "demo");
        assert_eq!(archive.metadata.version, "1.0.0");
        assert_eq!(archive.metadata.api_version, "v2");
        assert_eq!(archive.digest, Digest::of(&bytes));
        assert_eq!(archive.size, bytes.len() as u64);
    }
}

#[test]
fn what_helm_reads_is_read() {
    let chart = "name: demo\nversion: 1.0.0\n";
    let tar = demo().raw(&[0; 1024]).tar();
    let (first, second) = tar.split_at(700);
    let members = [gzip(first), gzip(second)].concat();
    let tgz = gzip(&tar);
    let mut wrong_checksum = tgz.clone();
    let end = wrong_checksum.len();
    wrong_checksum[end - 8] ^= 1;
    let long = format!("demo/{}", "d/".repeat(100));
    let cases = [
        ("several gzip members", members),
        ("garbage behind the end", [&*tgz, b"garbage"].concat()),
        ("a wrong checksum", wrong_checksum),
        ("no trailer", tgz[..tgz.len() - 8].to_vec()),
        ("no end blocks", gzip(&demo().tar())),
        ("one end block", gzip(&demo().raw(&[0; 512]).tar())),
        (
            "a byte order mark",
            ArchiveBuilder::new()
                .file("d/Chart.yaml", format!("\u{FEFF}{chart}"))
                .tgz(),
        ),
        (
            "backslashes",
            ArchiveBuilder::new().file("d\\Chart.yaml", chart).tgz(),
        ),
        (
            "two top folders",
            ArchiveBuilder::new()
                .file("a/values.yaml", "")
                .file("b/Chart.yaml", chart)
                .tgz(),
        ),
        (
            "the top folder `.`",
            ArchiveBuilder::new().file("./Chart.yaml", chart).tgz(),
        ),
        (
            "directories",
            ArchiveBuilder::new()
                .entry(b'5', "demo/", "")
                .file("demo/Chart.yaml", chart)
                .tgz(),
        ),
        (
            "a directory of old",
            ArchiveBuilder::new()
                .entry(0, "demo/", "")
                .file("demo/Chart.yaml", chart)
                .tgz(),
        ),
        (
            "a pax name",
            ArchiveBuilder::new()
                .pax("path", "demo/Chart.yaml")
                .file("x", chart)
                .tgz(),
        ),
        (
            "a GNU name",
            ArchiveBuilder::new()
                .entry(b'L', "././@LongLink", "demo/Chart.yaml\0")
                .file("x", chart)
                .tgz(),
        ),
        (
            "a global pax header",
            demo().entry(b'g', "pax", "12 comment=\n").tgz(),
        ),
        (
            "a long name",
            demo()
                .entry(b'L', "././@LongLink", long)
                .file("x", "")
                .tgz(),
        ),
        ("a link", demo().entry(b'2', "demo/link", "").tgz()),
        (
            "a provenance file of a sub-chart",
            demo().file("demo/charts/x.tgz.prov", "").tgz(),
        ),
        (
            "hidden things in charts/",
            demo()
                .file("demo/charts/.x", "")
                .file("demo/charts/_y/z", "")
                .tgz(),
        ),
        (
            "a second Chart.yaml over the first",
            demo().file("x/Chart.yaml", "description: d").tgz(),
        ),
    ];
    for (what, bytes) in cases {
        match load(&bytes) {
            Ok(archive) => assert_eq!(archive.metadata.name, "demo", "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[test]
fn what_helm_refuses_is_refused_in_its_words() {
    let truncated = gzip(&demo().file("demo/x", vec![7; 4000]).tar());
    let tar = demo().tar();
    let cases: [(Vec<u8>, &str); 27] = [
        (Vec::new(), "EOF"),
        (b"junk".to_vec(), "unexpected EOF"),
        (b"\x1F\x8B\x08".to_vec(), "unexpected EOF"),
        (b"this is not an archive".to_vec(), "gzip: invalid header"),
        (tar.clone(), "gzip: invalid header"),
        (truncated[..truncated.len() / 2].to_vec(), "unexpected EOF"),
        (gzip(&tar[..tar.len() - 700]), "unexpected EOF"),
        (gzip(b""), "no files in chart archive"),
        (gzip(&[1; 512]), "archive/tar: invalid tar header"),
        (
            gzip(&demo().raw(&[0; 512]).raw(&[1; 512]).tar()),
            "archive/tar: invalid tar header",
        ),
        (
            ArchiveBuilder::new().entry(b'5', "demo/", "").tgz(),
            "no files in chart archive",
        ),
        (
            ArchiveBuilder::new().file("demo/values.yaml", "").tgz(),
            "Chart.yaml file is missing",
        ),
        (
            ArchiveBuilder::new().file("demo/chart.yaml", "").tgz(),
            "Chart.yaml file is missing",
        ),
        (
            ArchiveBuilder::new().file("./demo/Chart.yaml", "").tgz(),
            "Chart.yaml file is missing",
        ),
        (
            ArchiveBuilder::new().file("Chart.yaml", "").tgz(),
            "chart illegally contains content outside the base directory: \"Chart.yaml\"",
        ),
        (
            demo().file("demo/../../etc/passwd", "").tgz(),
            "chart illegally references parent directory",
        ),
        (
            demo().file("demo//etc/passwd", "").tgz(),
            "chart illegally contains absolute paths",
        ),
        (
            ArchiveBuilder::new().file("demo/Chart.yaml", "").tgz(),
            "validation: chart.metadata.name is required",
        ),
        (
            ArchiveBuilder::new()
                .entry(b'2', "demo/Chart.yaml", "")
                .tgz(),
            "validation: chart.metadata.name is required",
        ),
        (
            ArchiveBuilder::new()
                .file("d/Chart.yaml", "name: ../x\nversion: 1.0.0")
                .tgz(),
            "validation: chart.metadata.name \"../x\" is invalid",
        ),
        (
            ArchiveBuilder::chart("demo", "one").tgz(),
            "validation: chart.metadata.version \"one\" is invalid",
        ),
        (
            ArchiveBuilder::new()
                .file("d/Chart.yaml", "name: [x]")
                .tgz(),
            "cannot load Chart.yaml: field `name` must be a text, not a list",
        ),
        (
            ArchiveBuilder::new().file("d/Chart.yaml", "- x").tgz(),
            "cannot load Chart.yaml: the document must be a mapping, not a list",
        ),
        (
            demo().file("demo/values.yaml", "- x").tgz(),
            "cannot load values.yaml: the document must be a mapping, not a list",
        ),
        (
            demo().file("demo/Chart.lock", "generated: yesterday").tgz(),
            "cannot load Chart.lock: field `generated` must be a time such as 2006-01-02T15:04:05Z",
        ),
        (
            demo().file("demo/charts/README.md", "").tgz(),
            "error unpacking subchart README.md in demo: Chart.yaml file is missing",
        ),
        (
            demo().file("demo/charts/x.tgz/y", "").tgz(),
            "error unpacking subchart tar in demo: expected x.tgz, got x.tgz/y",
        ),
    ];
    for (position, (bytes, expected)) in cases.into_iter().enumerate() {
        assert_eq!(refusal(&bytes), expected, "case {position}");
    }
}

#[test]
fn subcharts_must_load_at_every_depth() {
    let good = ArchiveBuilder::chart("leaf", "1.0.0").tgz();
    let bad = ArchiveBuilder::chart("leaf", "one").tgz();
    let wrap = |inner: &[u8]| {
        ArchiveBuilder::chart("middle", "1.0.0")
            .file("middle/charts/leaf.tgz", inner)
            .tgz()
    };
    let outer = |inner: &[u8]| demo().file("demo/charts/middle.tgz", inner).tgz();
    load(&outer(&wrap(&good))).unwrap();
    assert_eq!(
        refusal(&outer(&wrap(&bad))),
        "error unpacking subchart middle.tgz in demo: error unpacking subchart leaf.tgz in middle: \
         validation: chart.metadata.version \"one\" is invalid"
    );
    assert_eq!(
        refusal(&outer(b"junk junk junk")),
        "error unpacking subchart middle.tgz in demo: gzip: invalid header"
    );
    let directory = |content: &str| demo().file("demo/charts/sub/Chart.yaml", content).tgz();
    load(&directory("name: sub\nversion: 1.0.0")).unwrap();
    assert!(refusal(&directory("name: sub")).ends_with("chart.metadata.version is required"));
}

#[test]
fn requirements_give_dependencies_and_nothing_else() {
    let bytes = ArchiveBuilder::new()
        .file(
            "d/requirements.yaml",
            "name: hijacked\nversion: 6.6.6\ndependencies: [{name: r1}]",
        )
        .file(
            "d/Chart.yaml",
            "name: demo\nversion: 1.0.0\ndependencies: [{name: cy, condition: cond.a}]",
        )
        .tgz();
    let metadata = load(&bytes).unwrap().metadata;
    assert_eq!(metadata.name, "demo");
    assert_eq!(metadata.version, "1.0.0");
    assert_eq!(metadata.dependencies.len(), 1);
    assert_eq!(metadata.dependencies[0].name, "r1");
    assert_eq!(metadata.dependencies[0].condition, "cond.a");
}

#[test]
fn uploads_may_hold_files_and_directories_only() {
    for (flag, kind) in [
        (b'1', "a hard link"),
        (b'2', "a symbolic link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a named pipe"),
        (b'Z', "of an unknown type"),
    ] {
        let bytes = demo().entry(flag, "demo/odd", "").tgz();
        load(&bytes).unwrap();
        let expected = format!("chart archive contains {kind}: \"demo/odd\"");
        assert_eq!(upload_refusal(&bytes), expected);
        let outer = demo().file("demo/charts/x.tgz", &bytes).tgz();
        assert!(upload_refusal(&outer).ends_with(&expected));
    }
}

#[test]
fn uploads_need_a_safe_name() {
    for name in ["a b", "ä", "a\\b", ".hidden", &"x".repeat(251)] {
        let chart = format!("name: {name}\nversion: 1.0.0");
        let bytes = ArchiveBuilder::new().file("d/Chart.yaml", chart).tgz();
        load(&bytes).unwrap();
        assert!(upload_refusal(&bytes).starts_with("chart name "), "{name}");
    }
}

#[test]
fn sparse_files_are_refused() {
    let expected = "archive/tar: sparse files are not supported";
    assert_eq!(refusal(&demo().entry(b'S', "demo/x", "").tgz()), expected);
    let bytes = demo().pax("GNU.sparse.major", "1").file("demo/x", "").tgz();
    assert_eq!(refusal(&bytes), expected);
}

/// A body that a link claims and a size that a pax header changes must be understood as Go does, or
/// the two would see different charts.
#[test]
fn entries_begin_where_go_sees_them() {
    let hidden = demo().tar();
    let size = hidden.len() as u64;
    let link = ArchiveBuilder::header(b'2', "x/link", size);
    let bytes = gzip(
        &ArchiveBuilder::new()
            .raw(link.as_bytes())
            .raw(&hidden)
            .tar(),
    );
    assert_eq!(refusal(&bytes), "archive/tar: invalid tar header");
    // Four bytes by its own header, and the whole hidden chart by the pax header.
    let file = ArchiveBuilder::header(b'0', "y/file", 4);
    let bytes = ArchiveBuilder::new()
        .pax("size", &size.to_string())
        .raw(file.as_bytes())
        .raw(&hidden)
        .file("y/Chart.yaml", "name: seen\nversion: 1.0.0")
        .tgz();
    assert_eq!(load(&bytes).unwrap().metadata.name, "seen");
}

#[test]
fn files_are_found_by_their_path() {
    let bytes = demo()
        .file("demo/values.yaml", "first")
        .file("demo/templates/a.yaml", "a")
        .file("demo\\values.yaml", "\u{FEFF}last")
        .file("demo/templates/b.yaml", "b")
        .tgz();
    let limits = Limits::default();
    let values = file(&bytes, "values.yaml", &limits).unwrap();
    assert_eq!(values.as_deref(), Some(&b"last"[..]));
    assert_eq!(file(&bytes, "README.md", &limits).unwrap(), None);
    let templates = files(&bytes, &limits, |path| path.starts_with("templates/")).unwrap();
    let names: Vec<&str> = templates.iter().map(|(path, _)| &**path).collect();
    assert_eq!(names, ["templates/a.yaml", "templates/b.yaml"]);
    assert!(file(b"junk", "values.yaml", &limits).is_err());
}

#[test]
fn templates_and_values_are_those_of_the_chart_itself() {
    let bytes = demo()
        .file("demo/templates/pod.yaml", "\u{FEFF}pod")
        .file("demo/charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0")
        .file("demo/charts/sub/templates/inner.yaml", "inner")
        .file("demo/charts/sub/values.yaml", "inner")
        .entry(b'5', "demo/templates/tests/", "")
        .file("demo/templates/tests/_a.tpl", "")
        .file("demo/templates.yaml", "no")
        .file("demo/values.yaml", "\u{FEFF}a: 1\n")
        .file("demo/templates/NOTES.txt", "notes")
        .tgz();
    let shown = contents(&mut &*bytes, &Limits::default()).unwrap();
    let template = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    assert_eq!(
        shown.templates,
        [
            template("templates/pod.yaml", "pod"),
            template("templates/tests/_a.tpl", ""),
            template("templates/NOTES.txt", "notes"),
        ]
    );
    assert_eq!(shown.values.as_deref(), Some(&b"a: 1\n"[..]));
    let nothing = contents(&mut &*demo().tgz(), &Limits::default()).unwrap();
    assert_eq!(nothing, Contents::default());
}

#[test]
fn what_is_shown_is_limited_and_what_is_not_shown_does_not_count() {
    let bytes = demo()
        .file("demo/README.md", "x".repeat(1000))
        .file("demo/templates/a.yaml", "aaaaa")
        .file("demo/values.yaml", "bbbbb")
        .tgz();
    let limited = |extracted_bytes| {
        let limits = Limits {
            extracted_bytes,
            ..Limits::default()
        };
        contents(&mut &*bytes, &limits)
    };
    limited(10).unwrap();
    let error = limited(9).unwrap_err().to_string();
    assert_eq!(
        error,
        "the files to be shown together are larger than 9 bytes"
    );
    let limits = Limits {
        content_bytes: 1000,
        ..Limits::default()
    };
    let error = contents(&mut &*bytes, &limits).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge(_)), "{error}");
}

#[test]
fn hints_tell_what_went_wrong() {
    let hint = |bytes: &[u8]| load(bytes).unwrap_err().hint();
    assert!(hint(b"./chart.tgz").unwrap().contains("forget the @"));
    assert!(hint(b"@c.tgz").unwrap().contains("forget the @"));
    assert!(hint(&demo().tar()).unwrap().contains("tar"));
    assert!(hint(b"PK\x03\x04").unwrap().contains("zip"));
    assert!(hint(b"<html></html>").unwrap().contains("web page"));
    assert!(hint(b"{\"a\": \"json\"}").unwrap().contains("JSON"));
    assert!(hint(b"").unwrap().contains("empty"));
    assert_eq!(hint(&ArchiveBuilder::chart("demo", "one").tgz()), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = load(&bytes);
        let _ = load(&gzip(&bytes));
    }

    /// Every chart that loads after some bytes of its tar were changed is within the limits, and
    /// nothing panics on the way.
    #[test]
    fn damaged_archives_never_panic(
        changes in proptest::collection::vec((0_usize..4000, any::<u8>()), 1..5),
        flag in any::<u8>(),
    ) {
        let mut tar = demo()
            .pax("path", "demo/templates/some-long-name")
            .file("x", "content")
            .entry(flag, "demo/odd", "body")
            .file("demo/values.yaml", "a: [1, {b: c}]")
            .tar();
        for (position, byte) in changes {
            let length = tar.len();
            tar[position % length] = byte;
        }
        let bytes = gzip(&tar);
        let _ = load(&bytes);
        let _ = file(&bytes, "values.yaml", &Limits::default());
    }
}
