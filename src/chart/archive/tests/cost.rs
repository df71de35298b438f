//! What hostile archives may cost.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn each_limit_holds() {
    let limits = Limits {
        archive_bytes: 60_000,
        content_bytes: 40_000,
        file_bytes: 20_000,
        entries: 50,
        header_bytes: 300,
        metadata_bytes: 1_000,
        yaml_bytes: 15_000,
        depth: 2,
        ..Limits::default()
    };
    let big = vec![b'#'; 19_000];
    let nested = |inner: Vec<u8>| demo().file("demo/charts/x.tgz", inner).tgz();
    let mut many = demo();
    for _ in 0..60 {
        many = many.file("demo/x", "");
    }
    let mut deep = String::from("demo/");
    for _ in 0..3 {
        deep.push_str("charts/x/");
    }
    let cases = [
        (
            vec![0; 60_001],
            "chart archive is larger than the maximum size 60000",
        ),
        (
            demo()
                .file("demo/a", &big)
                .file("demo/b", &big)
                .file("demo/c", &big)
                .tgz(),
            "decompressed chart is larger than the maximum file size 40000",
        ),
        (
            demo().file("demo/a", vec![0; 20_001]).tgz(),
            "decompressed chart file \"demo/a\" is larger than the maximum file size 20000",
        ),
        (many.tgz(), "chart archive has more than 50 entries"),
        (
            demo().pax("comment", &"x".repeat(400)).tgz(),
            "archive/tar: header field is larger than 300 bytes",
        ),
        (
            demo().entry(b'L', "x", vec![b'x'; 400]).tgz(),
            "archive/tar: header field is larger than 300 bytes",
        ),
        (
            demo().file("demo/Chart.yaml", &big).tgz(),
            "chart file \"Chart.yaml\" is larger than the maximum size 1000 of its kind",
        ),
        (
            demo().file("demo/values.yaml", &big).tgz(),
            "the chart's YAML files together are larger than 15000 bytes",
        ),
        (
            demo().file(&deep, "").tgz(),
            "sub-charts are nested deeper than 2 levels",
        ),
        (
            nested(nested(nested(demo().tgz()))),
            "sub-charts are nested deeper than 2 levels",
        ),
    ];
    for (bytes, expected) in cases {
        let error = read(&bytes, &limits, Acceptance::Helm).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn bombs_end_quickly() {
    // A thousand to one, of which the header alone looks like a file.
    let header = ArchiveBuilder::header(b'0', "demo/zeros", 5 << 20);
    let mut zeros = demo();
    for _ in 0..19 {
        zeros = zeros.raw(header.as_bytes()).raw(&vec![0; 5 << 20]);
    }
    let zeros = zeros.tgz();
    let blocks = gzip(
        &ArchiveBuilder::header(b'5', "d/", 0)
            .as_bytes()
            .repeat(100_000),
    );
    let records = gzip(
        &ArchiveBuilder::header(b'x', "p", 0)
            .as_bytes()
            .repeat(100_000),
    );
    let huge_record = ArchiveBuilder::header(b'x', "p", 8 << 30);
    let huge_record = gzip(
        &demo()
            .raw(huge_record.as_bytes())
            .raw(&vec![0; 1 << 20])
            .tar(),
    );
    // Each inner archive is within the limits; together they are not.
    let inner = ArchiveBuilder::chart("x", "1.0.0")
        .file("x/zeros", vec![0; 5 << 20])
        .tgz();
    let mut nested = demo();
    for number in 0..30 {
        nested = nested.file(&format!("demo/charts/x{number}.tgz"), &inner);
    }
    let cases = [
        (zeros, "times its size"),
        (blocks, "entries"),
        (records, "entries"),
        (huge_record, "header field is larger"),
        (nested.tgz(), "decompressed chart is larger"),
    ];
    for (bytes, expected) in cases {
        let start = Instant::now();
        let text = refusal(&bytes);
        assert!(text.contains(expected), "{text}");
        let elapsed = start.elapsed();
        // A tenth of a second with optimisation; without, on a busy machine, it must still end.
        assert!(elapsed < Duration::from_secs(30), "{expected}: {elapsed:?}");
    }
}

#[test]
fn yaml_bombs_end_quickly() {
    let mut aliases = vec!["a: &a [x, x, x, x, x, x, x, x, x]".to_owned()];
    for (name, before) in ('b'..='j').zip('a'..) {
        let repeated = vec![format!("*{before}"); 9].join(", ");
        aliases.push(format!("{name}: &{name} [{repeated}]"));
    }
    let aliases = aliases.join("\n");
    let text = "x".repeat(500_000);
    let replay = format!("a: &a {text}\nb: [{}]\n", "*a, ".repeat(100_000));
    let keys: Vec<String> = (0..5000).map(|number| format!("k{number}: 1")).collect();
    let merges = format!(
        "a: &a {{{}}}\nb: {{{}}}\n",
        keys.join(", "),
        "<<: *a, ".repeat(5000)
    );
    let cases = [
        ("aliases", aliases),
        ("replay", replay),
        ("merges", merges),
        ("brackets", "a: ".to_owned() + &"[".repeat(500_000)),
        ("braces", "a: ".to_owned() + &"{a: ".repeat(200_000)),
        (
            "blocks",
            (0..1000).map(|depth| " ".repeat(depth) + "a:\n").collect(),
        ),
        ("dashes", "- ".repeat(100_000)),
        ("itself", "a: &a [*a]".to_owned()),
        ("values", "a: [".to_owned() + &"1,".repeat(600_000) + "]"),
    ];
    for (what, yaml) in cases {
        for file in [
            "demo/values.yaml",
            "demo/Chart.yaml",
            "demo/requirements.yaml",
        ] {
            let bytes = demo().file(file, &yaml).tgz();
            let start = Instant::now();
            refusal(&bytes);
            let elapsed = start.elapsed();
            // Without optimisation; anything that is not linear takes minutes.
            assert!(elapsed < Duration::from_secs(30), "{what}: {elapsed:?}");
        }
    }
}
