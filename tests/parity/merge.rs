//! `--merge`: what an old index brings into a new one.

use crate::directory::Directory;

/// The fresh charts.
pub(crate) fn directory() -> Directory {
    let mut directory = Directory::new("merge");
    for (file, name, version) in [
        ("app-1.2.3", "app", "1.2.3"),
        ("app-1.3.0", "app", "1.3.0"),
        ("app-2.0.0-rc.1", "app", "2.0.0-rc.1"),
        ("build-1.0.0+b", "build", "1.0.0+b"),
        ("vee-v1.0.0", "vee", "v1.0.0"),
        ("short-1.2", "short", "1.2"),
    ] {
        directory.put_chart(
            file,
            format!("name: {name}\nversion: {version}\nappVersion: 1.10\n"),
        );
    }
    directory
}

/// One old entry, as an index has it.
fn entry(name: &str, version: &str, more: &str) -> String {
    format!(
        "  - apiVersion: v2\n    created: \"2020-02-03T04:05:06.789Z\"\n    digest: d-{version}\n    name: {name}\n    urls:\n    - old/{name}-{version}.tgz\n    version: \"{version}\"\n{more}"
    )
}

fn index(entries: &str) -> String {
    format!("apiVersion: v1\nentries:\n{entries}generated: \"2020-01-01T00:00:00Z\"\n")
}

fn versions(name: &str, versions: &[&str]) -> String {
    let entries: String = versions
        .iter()
        .map(|version| entry(name, version, ""))
        .collect();
    index(&format!("  {name}:\n{entries}"))
}

/// Times that an index may and may not hold.
const TIMES: &[&str] = &[
    "\"2020-01-01T00:00:00.120000000+05:30\"",
    "2020-01-01T00:00:00Z",
    "\"2020-01-01T00:00:00.123456789123Z\"",
    "\"2020-01-01T00:00:00,5Z\"",
    "\"2020-01-01T00:00:00-00:00\"",
    "\"2020-01-01T00:00:00+00:00\"",
    "\"2020-01-01T00:00:00.000Z\"",
    "null",
    "\"0001-01-01T00:00:00Z\"",
    "2020-01-01",
    "\"\"",
    "\"2020-01-01t00:00:00z\"",
    "\"2020-01-01 00:00:00Z\"",
    "12",
    "\"2020-01-01T00:00:00\"",
    "\"2020-02-30T00:00:00Z\"",
    "\"2020-01-01T24:00:00Z\"",
    "\"2016-12-31T23:59:60Z\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"10000-01-01T00:00:00Z\"",
    "\"2020-01-01T00:00:00+23:59\"",
    "\"2020-01-01T00:00:00+24:00\"",
    "\"2020-1-1T00:00:00Z\"",
];

/// Names of cases and the content of the file; none where there is no file.
pub(crate) fn files() -> Vec<(String, Option<Vec<u8>>)> {
    let mut files: Vec<(String, Option<Vec<u8>>)> = vec![("no file".to_owned(), None)];
    let mut add =
        |name: &str, content: String| files.push((name.to_owned(), Some(content.into_bytes())));

    for (name, content) in [
        ("stale entries", versions("app", &["1.2.2", "0.9.0", "1.2.4", "3.0.0-alpha"])),
        ("another chart", versions("gone", &["1.0.0", "2.0.0", "2.0.0-rc.1"])),
        ("the same versions", versions("app", &["1.2.3", "1.3.0", "2.0.0-rc.1"])),
        ("a v in front", versions("app", &["v1.2.3", "v1.2.2", "v1.3.0+x", "v2.0.0-rc.1"])),
        ("short versions", versions("app", &["1.2", "1", "2", "1.4", "0"])),
        ("short fresh version", versions("short", &["1.2.0", "1.2", "1", "v1.2", "1.2.1", "1.2.0+m"])),
        ("fresh version with a v", versions("vee", &["1.0.0", "v1.0.0", "1.0.0+m", "v1.0", "1.0.1"])),
        ("constraints as versions", versions("app", &["^1.0.0", "*", ">=1", "1.x", "~1.9", "=1.2.3", "1.2.3 - 1.2.4"])),
        ("build metadata", versions("build", &["1.0.0+other", "1.0.0", "1.0.0+b", "1.0.1+b", "1"])),
        ("ties among the old", versions("gone", &["1.0.0+a", "1.0.0+b", "v1.0.0", "1.0.0"])),
        ("ties in reverse", versions("gone", &["1.0.0", "v1.0.0", "1.0.0+b", "1.0.0+a"])),
        ("duplicates", versions("gone", &["1.0.0", "1.0.0", "1.0.0"])),
        ("bad versions", versions("gone", &["latest", "1.2.3.4", "", "1.0.0"])),
        ("only bad versions", versions("gone", &["latest"])),
        ("a key that is not the name", index(&format!("  key:\n{}{}", entry("gone", "1.0.0", ""), entry("other", "1.0.0", "")))),
        ("a name twice under two keys", index(&format!("  one:\n{}  two:\n{}", entry("gone", "1.0.0", ""), entry("gone", "2.0.0", "")))),
        ("old fields", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    removed: true\n    checksum: c\n    engine: gotpl\n    tillerVersion: '>2'\n    url: u\n")))),
        ("every field", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    description: \"a: b\"\n    home: h\n    icon: i\n    keywords: [k, '']\n    sources: [s]\n    maintainers: [{name: m, email: e, url: u}, {}]\n    appVersion: \"1.10\"\n    deprecated: true\n    annotations: {b: '2', a: \"x\\ny\\n\"}\n    kubeVersion: '>1'\n    condition: c\n    tags: t\n    type: library\n    dependencies: [{name: d, version: 1.x, repository: r, condition: c, tags: [t], enabled: true, import-values: [{child: c, parent: p}, x], alias: a}]\n")))),
        ("an unquoted number", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    appVersion: 1.10\n")))),
        ("an unquoted number in an annotation", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    annotations: {a: 1.10, b: true}\n")))),
        ("texts to sanitise", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    description: \"a\\nb\\u200bc\\u0007\"\n    keywords: [\"a\\tb\"]\n    annotations: {a: \"b\\u200b\"}\n    type: application\n")))),
        ("an unknown field", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    unknown: x\n")))),
        ("an unknown field of a maintainer", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    maintainers: [{name: a, phone: b}]\n")))),
        ("an unknown field at the top", index("  {}\n").replace("  {}\n", "") + "unknown: x\n"),
        ("a field twice", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    name: gone\n")))),
        ("fields in capitals", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    Home: h\n    DESCRIPTION: d\n")))),
        ("a chart twice", index(&format!("  gone:\n{}  gone:\n{}", entry("gone", "1.0.0", ""), entry("gone", "2.0.0", "")))),
        ("a bad type", index(&format!("  gone:\n{}{}", entry("gone", "1.0.0", "    type: bad\n"), entry("gone", "2.0.0", "")))),
        ("a number as name", index(&entry("1.50", "1.0.0", "").replace("  - api", "  1.50:\n  - api"))),
        ("a bad name", index(&format!("  gone:\n{}{}{}", entry("a/b", "1.0.0", ""), entry("..", "2.0.0", ""), entry("''", "2.0.0", "")))),
        ("dependencies alike", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    dependencies: [{name: d, repository: ''}, {name: d, repository: ''}]\n")))),
        ("a dependency of null", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    dependencies: [null]\n")))),
        ("a maintainer of null", index(&format!("  gone:\n{}", entry("gone", "1.0.0", "    maintainers: [null]\n")))),
        ("null entries", index(&format!("  gone:\n  - null\n{}  none:\n  none2: []\n", entry("gone", "1.0.0", "")))),
        ("no urls", "apiVersion: v1\nentries:\n  gone:\n  - {name: gone, version: 1.0.0}\n  - {name: gone, version: 1.0.1, urls: []}\n  - {name: gone, version: 1.0.2, urls: null}\n  - {name: gone, version: 1.0.3, urls: [a, b, '', null]}\n".to_owned()),
        ("no API version in an entry", "apiVersion: v1\nentries:\n  gone:\n  - {name: gone, version: 1.0.0, apiVersion: ''}\n".to_owned()),
        ("entries of null", "apiVersion: v1\nentries: null\n".to_owned()),
        ("no entries", "apiVersion: v1\n".to_owned()),
        ("empty entries", "apiVersion: v1\nentries: {}\n".to_owned()),
        ("another API version", "apiVersion: v9\nentries: {}\n".to_owned()),
        ("a number as API version", "apiVersion: 1\nentries: {}\n".to_owned()),
        ("no API version", "entries: {}\n".to_owned()),
        ("an empty API version", "apiVersion: ''\nentries: {}\n".to_owned()),
        ("an empty file", String::new()),
        ("a newline", "\n".to_owned()),
        ("junk", "junk".to_owned()),
        ("a list", "[]".to_owned()),
        ("bad YAML", "apiVersion: v1\nentries: [\n".to_owned()),
        ("entries of the wrong type", "apiVersion: v1\nentries: []\n".to_owned()),
        ("a chart of the wrong type", "apiVersion: v1\nentries: {gone: {}}\n".to_owned()),
        ("an entry of the wrong type", "apiVersion: v1\nentries: {gone: [text]}\n".to_owned()),
        ("surroundings", index(&format!("  gone:\n{}", entry("gone", "1.0.0", ""))) + "annotations: {a: b}\npublicKeys: [k]\nserverInfo: {contextPath: /x, any: [1]}\n"),
        ("two documents", index(&format!("  gone:\n{}", entry("gone", "1.0.0", ""))) + "---\napiVersion: v1\nentries: {}\n"),
        ("a byte order mark", format!("\u{feff}{}", versions("gone", &["1.0.0"]))),
        ("JSON", r#"{"apiVersion":"v1","generated":"2020-01-01T00:00:00Z","entries":{"gone":[{"name":"gone","version":"1.0.0","urls":["u"],"created":"2020-01-01T00:00:00.10Z","digest":"d","annotations":{"b":"2","a":"<&>"}}]}}"#.to_owned()),
        ("JSON with unknown fields", r#"{"apiVersion":"v1","more":1,"entries":{"gone":[{"name":"gone","version":"1.0.0","more":{"x":[]},"urls":[]}]}}"#.to_owned()),
        ("JSON with a number as text", r#"{"apiVersion":"v1","entries":{"gone":[{"name":"gone","version":"1.0.0","appVersion":1.1}]}}"#.to_owned()),
        ("JSON with fields twice", r#"{"apiVersion":"v1","entries":{"gone":[{"name":"gone","name":"gone2","version":"1.0.0"}]}}"#.to_owned()),
        ("JSON with escapes", r#"{"apiVersion":"v1","entries":{"gone":[{"name":"gone","version":"1.0.0","description":"\ud83d\ude00 \/ \u00e9 \ud800 x"}]}}"#.to_owned()),
        ("JSON with a byte order mark", "\u{feff}{\"apiVersion\":\"v1\",\"entries\":{}}".to_owned()),
        ("JSON of null", "null".to_owned()),
        ("JSON in capitals", r#"{"APIVERSION":"v1","Entries":{"gone":[{"NAME":"gone","Version":"1.0.0"}]}}"#.to_owned()),
    ] {
        add(name, content);
    }
    for time in TIMES {
        add(
            &format!("created: {time}"),
            format!(
                "apiVersion: v1\nentries:\n  gone:\n  - name: gone\n    version: 1.0.0\n    created: {time}\n    urls: [u]\n"
            ),
        );
    }
    for time in ["null", "\"\"", "2020-01-01", "\"nonsense\""] {
        add(
            &format!("generated: {time}"),
            format!("apiVersion: v1\nentries: {{}}\ngenerated: {time}\n"),
        );
    }
    files
}
