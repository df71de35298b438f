//! Whatever the history, the same entries give the same bytes; and a change touches two blocks.

use std::collections::BTreeMap;
use std::io::Read as _;

use proptest::prelude::*;

use super::*;
use crate::chart::Metadata;

/// Small blocks, so that few entries make many.
const SMALL: Size = Size { most: 2048 };

fn entry(name: &str, version: &str, padding: usize) -> Entry {
    Entry {
        metadata: Metadata {
            name: name.to_owned(),
            version: version.to_owned(),
            api_version: "v2".to_owned(),
            description: "x".repeat(padding),
            ..Metadata::default()
        },
        urls: vec![format!("{name}-{version}.tgz")],
        created: time(),
        digest: String::new(),
        removed: false,
        checksum: String::new(),
        engine: String::new(),
        tiller_version: String::new(),
        url: String::new(),
    }
}

fn time() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-01-02T03:04:05.6Z").unwrap()
}

fn text(body: &Body) -> String {
    let joined: Vec<u8> = body.chunks().flatten().collect();
    assert_eq!(body.len(), joined.len() as u64);
    String::from_utf8(joined).unwrap()
}

fn inflate(body: &Body) -> String {
    let joined: Vec<u8> = body.chunks().flatten().collect();
    assert_eq!(body.len(), joined.len() as u64);
    let mut text = String::new();
    // Reads one member only, so that it also shows that there is just one.
    let mut decoder = flate2::bufread::GzDecoder::new(&*joined);
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "bytes after the member");
    text
}

const FORMATS: [Format; 2] = [Format::Yaml, Format::Json];

fn check_blocks(index: &Index, size: Size) {
    for format in FORMATS {
        let sequence = index.sequence(format);
        let mut previous: Option<String> = None;
        let mut bytes = 0;
        let mut count = 0;
        let mut last: Option<Part<'_>> = None;
        for block in sequence.blocks() {
            assert!(block.len() == 1 || block.text().len() <= size.most);
            let chart = block.charts().next().unwrap().0;
            let lead = super::super::block::Lead::after(previous.as_deref(), chart, format);
            assert_eq!(block.lead(), lead);
            previous = Some(block.last_chart().to_owned());
            bytes += block.text().len() as u64;
            count += block.len();
            for part in block.parts() {
                if let Some(last) = last {
                    assert!(last.key.compare(part.key, format).is_lt());
                }
                last = Some(part);
            }
        }
        assert_eq!(sequence.bytes(), bytes);
        assert_eq!(index.len(), count);
    }
}

/// Compares all that can be seen of two indexes.
fn check_equal(left: &Index, right: &Index) {
    assert_eq!(left.len(), right.len());
    assert_eq!(left.charts(), right.charts());
    for format in FORMATS {
        for context in [None, Some("/charts")] {
            let body = left.body(format, &time(), context);
            let expected = text(&right.body(format, &time(), context));
            assert_eq!(text(&body), expected);
            assert_eq!(inflate(&body.gzip()), expected);
        }
    }
}

/// How many blocks of `old` are not in `new`, for the format where they are more.
fn replaced(old: &Index, new: &Index) -> usize {
    let of_format = |format| {
        let blocks = new.sequence(format).blocks();
        let is_gone = |block: &&Arc<Block>| !blocks.clone().any(|kept| Arc::ptr_eq(kept, block));
        old.sequence(format).blocks().filter(is_gone).count()
    };
    FORMATS.map(of_format).into_iter().max().unwrap_or_default()
}

#[test]
fn an_empty_index_is_what_helm_writes_for_an_empty_directory() {
    let index = Index::default();
    assert_eq!(
        text(&index.body(Format::Yaml, &time(), None)),
        "apiVersion: v1\nentries: {}\ngenerated: \"2026-01-02T03:04:05.6Z\"\n"
    );
    assert_eq!(
        text(&index.body(Format::Json, &time(), Some("/a"))),
        "{\"apiVersion\":\"v1\",\"generated\":\"2026-01-02T03:04:05.6Z\",\"entries\":{},\
         \"serverInfo\":{\"contextPath\":\"/a\"}}"
    );
    assert_eq!(text(&index.list_body(0, None)), "{}");
    assert_eq!(index.names().count(), 0);
}

#[test]
fn a_body_has_charts_and_versions_in_the_order_of_its_format() {
    let long = "n".repeat(130);
    let entries = [
        ("app10", "1.0.0", "b"),
        ("app2", "1.0.0", "app2-1.0.0.tgz"),
        ("app10", "1.10.0", ""),
        ("app10", "v1.0.0", "a"),
        ("true", "1", ""),
        (&long, "1.0.0", ""),
        (&long, "2.0.0", ""),
    ];
    let mut index = Index::default();
    for (name, version, tie) in entries {
        index.insert(&entry(name, version, 1), tie);
    }
    let names: Vec<Arc<str>> = index.names().collect();
    let bytewise = ["app10", "app2", &long, "true"].map(Arc::from);
    assert_eq!(names, bytewise);
    assert_eq!(index.charts(), 4);
    let versions = |name: &str| {
        let versions = index.versions(name).into_iter();
        let versions = versions.map(|version| version.version_text.to_string());
        versions.collect::<Vec<String>>()
    };
    assert_eq!(versions("app10"), ["1.10.0", "v1.0.0", "1.0.0"]);
    assert_eq!(versions("app"), Vec::<String>::new());

    let yaml = text(&index.body(Format::Yaml, &time(), Some("/a b: c")));
    let item = |indent: &str, name: &str, version: &str| {
        format!(
            "- apiVersion: v2\n{indent}  created: \"2026-01-02T03:04:05.6Z\"\n{indent}  description: x\n\
             {indent}  name: {name}\n{indent}  urls:\n{indent}  - {}-{version}.tgz\n\
             {indent}  version: {version}\n",
            name.trim_matches('"')
        )
    };
    let expected = [
        "apiVersion: v1\nentries:\n  app2:\n  ",
        &item("  ", "app2", "1.0.0"),
        "  app10:\n  ",
        &item("  ", "app10", "1.10.0"),
        "  ",
        &item("  ", "app10", "v1.0.0"),
        "  ",
        &item("  ", "app10", "1.0.0"),
        "  ? ",
        &long,
        "\n  : ",
        &item("    ", &long, "2.0.0"),
        "    ",
        &item("    ", &long, "1.0.0"),
        "  \"true\":\n  ",
        &item("  ", "\"true\"", "1").replace("version: 1", "version: \"1\""),
        "generated: \"2026-01-02T03:04:05.6Z\"\nserverInfo:\n  contextPath: '/a b: c'\n",
    ];
    assert_eq!(yaml, expected.concat());

    let json: serde_json::Value =
        serde_json::from_str(&text(&index.body(Format::Json, &time(), None))).unwrap();
    let app10 = &json["entries"]["app10"];
    assert_eq!(app10.as_array().unwrap().len(), 3);
    assert_eq!(app10[1]["version"], "v1.0.0");
    let newest: serde_json::Value =
        serde_json::from_slice(&index.versions("app10")[0].json).unwrap();
    assert_eq!(&newest, &app10[0]);
}

#[test]
fn parts_of_the_list_hold_the_same_texts_as_the_whole() {
    let mut entries = Vec::new();
    for chart in 0..40 {
        for version in 0..=(chart % 7) * 3 {
            let entry = entry(&format!("c{chart:02}"), &format!("{version}.0.0"), 120);
            entries.push((entry, Arc::from("")));
        }
    }
    let index = Index::from_entries_with_size(entries.clone(), SMALL);
    check_blocks(&index, SMALL);
    assert!(index.json.len() > 20);
    let whole: Vec<String> = index
        .names()
        .map(|name| {
            let versions = index.versions(&name);
            let versions: Vec<&str> = versions
                .iter()
                .map(|version| std::str::from_utf8(&version.json).unwrap())
                .collect();
            format!("\"{name}\":[{}]", versions.join(","))
        })
        .collect();
    assert_eq!(whole.len(), 40);
    let listed = text(&index.list_body(0, None));
    assert_eq!(listed, format!("{{{}}}", whole.join(",")));
    serde_json::from_str::<serde_json::Value>(&listed).unwrap();
    for offset in [0, 1, 5, 38, 39, 40, 100] {
        for limit in [1, 2, 17, 39, 40, 41] {
            let part: Vec<&str> = whole
                .iter()
                .skip(offset)
                .take(limit)
                .map(String::as_str)
                .collect();
            let expected = format!("{{{}}}", part.join(","));
            let body = index.list_body(offset, Some(limit));
            assert_eq!(text(&body), expected, "{offset} {limit}");
            assert_eq!(inflate(&body.gzip()), expected);
        }
    }
    let all: Vec<VersionRef> = index.iter_json().collect();
    assert_eq!(all.len(), index.len());
    let of_chart = all.iter().filter(|version| &*version.name == "c13");
    let of_chart: Vec<&Bytes> = of_chart.map(|version| &version.json).collect();
    let versions = index.versions("c13");
    assert_eq!(
        of_chart,
        versions.iter().map(|v| &v.json).collect::<Vec<_>>()
    );
}

#[test]
fn of_several_entries_with_one_key_the_last_one_counts() {
    let entries = vec![
        (entry("a", "1.0.0", 1), Arc::from("t")),
        (entry("a", "1.0.0", 2), Arc::from("t")),
        (entry("a", "1.0.0", 3), Arc::from("t")),
        (entry("a", "1.0.0", 4), Arc::from("u")),
    ];
    let mut one_by_one = Index::default();
    for (entry, tie) in &entries {
        one_by_one.insert(entry, tie);
    }
    assert_eq!(one_by_one.len(), 2);
    check_equal(&one_by_one, &Index::from_entries(entries));
    assert!(text(&one_by_one.body(Format::Yaml, &time(), None)).contains("description: xxx\n"));
}

#[test]
fn many_small_charts_share_blocks_and_a_large_entry_has_its_own() {
    let mut entries = Vec::new();
    for chart in 0..2000 {
        entries.push((entry(&format!("chart-{chart}"), "1.0.0", 50), Arc::from("")));
    }
    entries.push((entry("chart-77x", "1.0.0", 100_000), Arc::from("")));
    let index = Index::from_entries(entries);
    check_blocks(&index, Size::DEFAULT);
    assert!(index.json.len() < 12, "{}", index.json.len());
    let large = index
        .json
        .blocks()
        .filter(|block| block.text().len() > 65536);
    assert_eq!(large.map(|block| block.len()).collect::<Vec<_>>(), [1]);
}

/// A version of about the size and shape of those in public repositories.
fn typical(name: &str, version: &str) -> Entry {
    let text = |text: &str| text.to_owned();
    let dependency = |name: &str| crate::chart::Dependency {
        name: text(name),
        version: text("2.x.x"),
        repository: text("oci://registry-1.docker.io/bitnamicharts"),
        condition: format!("{name}.enabled"),
        ..crate::chart::Dependency::default()
    };
    let annotations = [
        ("category", "Infrastructure"),
        ("licenses", "Apache-2.0"),
        (
            "images",
            "- name: app\n  image: docker.io/bitnami/app:1.2.3-debian-12-r0\n",
        ),
    ];
    let metadata = Metadata {
        home: format!("https://example.com/charts/{name}"),
        sources: vec![format!(
            "https://github.com/example/charts/tree/main/{name}"
        )],
        description: "A long enough description of what the chart is about, and why it should be \
             chosen over all the others that do the same in a slightly different way."
            .to_owned(),
        keywords: ["database", "cache", "cluster"].map(text).to_vec(),
        maintainers: vec![crate::chart::Maintainer {
            name: text("Example, Inc. and its contributors"),
            url: text("https://github.com/example/charts"),
            ..crate::chart::Maintainer::default()
        }],
        icon: format!("https://example.com/assets/stacks/{name}/img/{name}-stack-220x234.png"),
        app_version: text(version),
        kube_version: text(">=1.23.0-0"),
        annotations: annotations.map(|(k, v)| (text(k), text(v))).into(),
        dependencies: vec![dependency("common"), dependency("redis")],
        kind: text("application"),
        ..entry(name, version, 0).metadata
    };
    Entry {
        metadata,
        urls: vec![format!("charts/{name}-{version}.tgz")],
        digest: "0123456789abcdef".repeat(4),
        ..entry(name, version, 0)
    }
}

#[test]
fn an_index_takes_less_than_twice_the_memory_of_its_yaml() {
    let mut entries = Vec::new();
    for chart in 0..100 {
        for minor in 0..30 {
            let name = format!("application-{chart}");
            let version = format!("{}.{minor}.0", minor % 3);
            let tie = Arc::from(format!("{name}-{version}.tgz"));
            entries.push((typical(&name, &version), tie));
        }
    }
    let index = Index::from_entries(entries);
    let bytes = index.yaml.bytes() / 3000;
    assert!((1200..1400).contains(&bytes), "{bytes} bytes of YAML each");
    let held: usize = FORMATS
        .iter()
        .flat_map(|format| index.sequence(*format).blocks())
        .map(|block| block.held())
        .sum();

    let yaml = usize::try_from(index.yaml.bytes()).unwrap();
    assert!(held < 2 * yaml, "{held} bytes for {yaml} bytes of YAML");
}

#[test]
fn a_copy_shares_compressed_blocks_with_what_it_was_copied_from() {
    let versions = (0..1000).map(|n| (entry("a", &format!("{n}.0.0"), 300), Arc::from("")));
    let mut index = Index::from_entries(versions.collect());
    let old = index.clone();
    let before = text(&old.body(Format::Yaml, &time(), None));
    let _ = old.body(Format::Yaml, &time(), None).gzip();
    index.insert(&entry("a", "500.5.0", 300), "");
    let shared = index.yaml.blocks().filter(|block| {
        let same = old.yaml.blocks().find(|kept| Arc::ptr_eq(kept, block));
        same.is_some_and(|same| same.piece().deflated.as_ptr() == block.piece().deflated.as_ptr())
    });
    assert!(shared.count() >= old.yaml.len() - 2);
    assert_eq!(text(&old.body(Format::Yaml, &time(), None)), before);
}

#[test]
fn gzip_itself_reads_a_compressed_body() {
    let versions = (0..300).map(|n| (typical("a", &format!("{n}.0.0")), Arc::from("")));
    let index = Index::from_entries(versions.collect());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for chunk in index.body(Format::Yaml, &time(), None).gzip().chunks() {
        std::io::Write::write_all(&mut file, &chunk).unwrap();
    }
    let mut gzip = std::process::Command::new("gzip");
    // `-t` looks at no name when it reads its input.
    let tested = gzip.arg("-t").stdin(file.reopen().unwrap()).output();
    let output = match tested {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: there is no gzip here");
            return;
        }
        tested => tested.unwrap(),
    };
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// Few names and versions, so that replacing, removing, edges and ties are frequent.
fn changes() -> impl Strategy<Value = Vec<(bool, usize, usize, usize, usize)>> {
    let change = (
        prop::bool::weighted(0.6),
        0..5_usize,
        0..14_usize,
        0..4_usize,
        prop_oneof![4 => 0..300_usize, 1 => 300..3000_usize],
    );
    prop::collection::vec(change, 1..120)
}

const NAMES: [&str; 5] = ["a", "a2", "a10", "B", "no"];
const VERSIONS: [&str; 14] = [
    "1.0.0", "v1.0.0", "1", "1.0.0+x", "1.0.0-a", "2.0.0", "2.1.0", "3.0.0", "4.0.0", "10.0.0",
    "10.1.0", "10.2.0", "10.3.0", "0.1.0",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_history_does_not_show(changes in changes()) {
        let mut index = Index::with_size(SMALL);
        let mut model = BTreeMap::new();
        for (is_insert, name, version, tie, padding) in changes {
            let (name, version) = (NAMES[name], VERSIONS[version]);
            let file = format!("{name}-{version}.tgz");
            let tie = ["", "s", "b-1.0.0.tgz", &file][tie];
            let old = index.clone();
            if is_insert {
                let entry = entry(name, version, padding);
                index.insert(&entry, tie);
                model.insert((name, version, tie.to_owned()), entry);
            } else {
                let was_there = model.remove(&(name, version, tie.to_owned())).is_some();
                prop_assert_eq!(index.remove(name, &version.parse().unwrap(), tie), was_there);
            }
            prop_assert!(replaced(&old, &index) <= 2);
            check_blocks(&index, SMALL);
        }
        let entries: Vec<_> = model
            .iter()
            .map(|((_, _, tie), entry)| (entry.clone(), Arc::from(tie.as_str())))
            .collect();
        let fresh = Index::from_entries_with_size(entries.clone(), SMALL);
        check_blocks(&fresh, SMALL);
        check_equal(&index, &fresh);
    }
}

#[test]
fn many_at_once_give_the_same_as_one_by_one() {
    // Enough blocks for several groups; every batch spreads over all of them.
    let of = |number: usize| {
        let (name, version) = (
            format!("c{}", number % 37),
            format!("{}.{}.0", number % 7, number),
        );
        (entry(&name, &version, number * 31 % 700), number)
    };
    let mut index = Index::with_size(SMALL);
    let mut single = Index::with_size(SMALL);
    for batch in 0..20 {
        let entries = (0..100).map(|number| of((number * 20 + batch) * 7919 % 2003));
        let entries: Vec<_> = entries.collect();
        for (entry, number) in &entries {
            single.insert(entry, &number.to_string());
        }
        let rows = entries
            .iter()
            .map(|(entry, number)| Row::of(entry, &number.to_string()));
        index.insert_all(rows.collect());
        check_blocks(&index, SMALL);
    }
    assert!(index.yaml.len() > 400, "{}", index.yaml.len());
    check_equal(&index, &single);
    for number in (0..2003).filter(|number| number % 3 > 0) {
        let (entry, tie) = of(number);
        let Metadata { name, version, .. } = &entry.metadata;
        let version = version.parse().unwrap();
        let was_there = single.remove(name, &version, &tie.to_string());
        assert_eq!(index.remove(name, &version, &tie.to_string()), was_there);
    }
    check_blocks(&index, SMALL);
    check_equal(&index, &single);
    let versions: Vec<_> = index.iter_json().collect();
    for found in versions {
        let again = index.find(&found.name, &found.version_text).unwrap();
        assert_eq!(again.json, found.json);
    }
}

#[test]
fn the_latest_version_is_the_newest_release_if_there_is_one() {
    // Three blocks' worth of pre-releases stand before the release of `b`.
    let mut entries = vec![
        entry("a", "1.0.0", 10),
        entry("a", "1.10.0", 10),
        entry("a", "2.0.0-rc.1", 10),
        entry("b", "0.9.0", 10),
        entry("c", "1.0.0-alpha", 10),
        entry("c", "1.0.0-beta", 10),
        entry("d", "1.0.0+build", 10),
    ];
    entries.extend((0..60).map(|number| entry("b", &format!("1.0.0-rc.{number}"), 100)));
    let entries: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry, Arc::from("")))
        .collect();
    let index = Index::from_entries_with_size(entries.clone(), SMALL);
    assert!(index.json.len() > 3);
    let latest = |offset, limit| {
        let latest = index.latest(offset, limit);
        let named = latest.iter();
        let named = named.map(|found| format!("{}-{}", found.name, found.version_text));
        named.collect::<Vec<_>>().join(" ")
    };
    let all = "a-1.10.0 b-0.9.0 c-1.0.0-beta d-1.0.0+build";
    assert_eq!(latest(0, usize::MAX), all);
    assert_eq!(latest(0, 1), "a-1.10.0");
    assert_eq!(latest(1, 2), "b-0.9.0 c-1.0.0-beta");
    assert_eq!(latest(3, 5), "d-1.0.0+build");
    assert_eq!(latest(4, 5), "");
    assert_eq!(latest(usize::MAX, usize::MAX), "");
    assert_eq!(latest(0, 0), "");
}
