use super::*;

const TYPICAL: &str = r#"apiVersion: v1
entries:
  app:
  - apiVersion: v2
    appVersion: 1.10
    annotations:
      a: "1"
    created: "2024-01-02T03:04:05.678900001+02:00"
    dependencies:
    - name: common
      repository: ""
      import-values:
      - child: a
        parent: 12345678901234567890
    - name: common
      repository: ""
    description: "a\nb"
    digest: sha256:abc
    engine: gotpl
    keywords:
    - ""
    - null
    maintainers:
    - {}
    name: other
    urls:
    - https://example.com/app-1.0.0.tgz
    version: 1.0.0
  - null
  - name: app
    version: latest
  - name: app
    version: 2.0.0
    maintainers: [null]
  - name: app
    version: 3.0.0
  empty: null
generated: "2024-01-02T03:04:05Z"
publicKeys: [x]
serverInfo:
  contextPath: /a
annotations: {a: b}
"#;

#[test]
fn entries_are_read_as_helm_reads_them() {
    let (entries, skipped) = IndexFile::parse(TYPICAL.as_bytes()).unwrap().into_entries();
    let skipped: Vec<&str> = skipped.iter().map(|entry| &*entry.version).collect();
    assert_eq!(skipped, ["latest", "2.0.0"]);
    let [first, second] = &entries[..] else {
        panic!("{entries:?}");
    };
    assert_eq!(first.metadata.name, "other");
    assert_eq!(first.metadata.app_version, "1.1");
    assert_eq!(first.metadata.description, "a b");
    assert_eq!(first.metadata.keywords, ["", ""]);
    assert_eq!(first.metadata.dependencies.len(), 2);
    assert_eq!(first.digest, "sha256:abc");
    assert_eq!(first.engine, "gotpl");
    assert_eq!(
        timestamp::format(&first.created),
        "2024-01-02T03:04:05.678900001+02:00"
    );
    assert_eq!(second.metadata.api_version, "v1");
    assert_eq!(second.created, timestamp::zero());
}

#[test]
fn yaml_is_read_strictly() {
    for (text, problem) in [
        ("", "empty"),
        ("entries: {}", "apiVersion"),
        ("null", "apiVersion"),
        ("apiVersion: ''\nentries: {}", "apiVersion"),
        ("apiVersion: v1\nfoo: 1", "`foo` in the top level"),
        (
            "apiVersion: v1\nentries: {a: [{name: a, removd: true}]}",
            "removd",
        ),
        (
            "apiVersion: v1\nentries: {a: [{maintainers: [{nick: x}]}]}",
            "nick",
        ),
        (
            "apiVersion: v1\nentries: {a: [{dependencies: [{nick: x}]}]}",
            "nick",
        ),
        (
            "apiVersion: v1\nentries: {a: [{name: a, name: b}]}",
            "duplicate",
        ),
        ("apiVersion: v1\nentries: {a: [], a: []}", "twice"),
        (
            "apiVersion: v1\nentries: {a: [{annotations: {b: c, b: d}}]}",
            "twice",
        ),
        (
            "apiVersion: v1\nentries: {a: [{created: 2024-01-01}]}",
            "RFC 3339",
        ),
        ("apiVersion: v1\nentries: {a: {b: c}}", "sequence"),
        (
            "apiVersion: v1\nentries: {a: [{deprecated: 'true'}]}",
            "bool",
        ),
        ("apiVersion: v1\nentries: [", "YAML"),
    ] {
        let error = IndexFile::parse(text.as_bytes()).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let message = format!("{error}: {}", source.unwrap_or_default());
        assert!(message.contains(problem), "{text}: {message}");
    }
    for text in [
        "apiVersion: v1",
        "apiVersion: v1\nentries: null",
        "apiVersion: x/v9\nentries: {}",
    ] {
        let file = IndexFile::parse(text.as_bytes()).unwrap();
        assert!(file.into_entries().0.is_empty());
    }
}

#[test]
fn json_is_read_leniently() {
    let text = r#"{"apiVersion":"v1","more":1,"entries":{"a":[{"name":"b","name":"a","version":"1.0.0",
        "more":[2],"home":"https:\/\/x\ud83d\ude00","created":null}]}}"#;
    let (entries, skipped) = IndexFile::parse(text.as_bytes()).unwrap().into_entries();
    assert!(skipped.is_empty());
    assert_eq!(entries[0].metadata.name, "a");
    assert_eq!(entries[0].metadata.home, "https://x😀");
    for text in [
        r#"{"apiVersion":"v1","entries":{"a":[{"created":"x"}]}}"#,
        "[]",
        "{}",
    ] {
        assert!(IndexFile::parse(text.as_bytes()).is_err(), "{text}");
    }
}

/// Helm prints what is too large for 64 bits without quotes, unless it is decimal.
#[test]
fn numbers_beyond_64_bits_are_read_as_helm_reads_them() {
    for (written, read) in [
        ("0xFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFF"),
        (
            "-0o7777777777777777777777777",
            "-0o7777777777777777777777777",
        ),
        ("0x7FFFFFFFFFFFFFFF", "9223372036854775807"),
        (
            "0xFFFFFFFFFFFFFFFFFFx\\U0001F600",
            "0xFFFFFFFFFFFFFFFFFFx\\U0001F600",
        ),
        ("18446744073709551616", "1.8446744e+19"),
        ("-18446744073709551616", "-1.8446744e+19"),
    ] {
        let text = format!(
            "apiVersion: v1\nentries:\n  {written}:\n  - name: {written}\n    version: 1.0.0\n    \
             annotations: {{é: {written}, {written}: b}}\n    created: \"2024-01-02T03:04:05Z\"\n"
        );
        let (entries, skipped) = IndexFile::parse(text.as_bytes()).unwrap().into_entries();
        assert!(skipped.is_empty(), "{skipped:?}");
        let metadata = &entries[0].metadata;
        assert_eq!(metadata.name, read);
        assert_eq!(metadata.annotations["é"], read);
        assert_eq!(metadata.annotations[read], "b");
    }
}
