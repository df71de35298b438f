//! Dependencies, in `Chart.yaml` and in the `requirements.yaml` of charts of API version 1.

use super::{letters, numbered};
use crate::archive::Archive;
use crate::directory::Directory;

const LISTS: &[&str] = &[
    "[]",
    "null",
    "[{}]",
    "[null]",
    "text",
    "[text]",
    "{a: b}",
    "[[a]]",
    "[{name: a}]",
    "[{name: a, version: 1.x.x, repository: 'https://example.com/charts'}]",
    "[{name: a, repository: ''}]",
    "[{name: a, repository: null, version: null}]",
    "[{name: a, repository: '@repo'}, {name: b, repository: 'alias:repo'}, {name: c, repository: 'file://../c'}]",
    "[{name: a, repository: 'oci://example.com/charts'}]",
    "[{name: a, version: '>=1.2.3 <2.0.0 || ~3.1'}]",
    "[{name: a, version: '*'}]",
    "[{name: a, version: 1.10}]",
    "[{name: a, condition: 'a.enabled,b.enabled'}]",
    "[{name: a, tags: [x, y, '']}]",
    "[{name: a, tags: []}]",
    "[{name: a, tags: x}]",
    "[{name: a, tags: [null]}]",
    "[{name: a, enabled: true}]",
    "[{name: a, enabled: false}]",
    "[{name: a, enabled: 'true'}]",
    "[{name: a, enabled: yes}]",
    "[{name: a, alias: b}]",
    "[{name: a, alias: b_c-D9}]",
    "[{name: a, alias: 'b c'}]",
    "[{name: a, alias: b.c}]",
    "[{name: a, alias: ü}]",
    "[{name: a, alias: ''}]",
    "[{name: a, alias: \"b\\n\"}]",
    "[{name: a}, {name: a}]",
    "[{name: a}, {name: a, alias: b}]",
    "[{name: a, alias: b}, {name: b}]",
    "[{name: a, alias: b}, {name: c, alias: b}]",
    "[{name: a, alias: x}, {name: a, alias: y}]",
    "[{name: ''}, {name: ''}]",
    "[{name: a, unknown: b}]",
    "[{NAME: a, Version: 1.0.0, IMPORT-VALUES: [x]}]",
    "[{name: a, importValues: [x]}]",
    "[{name: a, import-values: [x, y]}]",
    "[{name: a, import-values: [{child: c, parent: p}]}]",
    "[{name: a, import-values: []}]",
    "[{name: a, import-values: null}]",
    "[{name: a, import-values: x}]",
    "[{name: a, import-values: [null, true, 1, 1.0, 1.5, 12345678901234567890, 0x10, 1e3, 1e300, -0.0, .5, '1', 2020-01-01, ~, 1:20]}]",
    "[{name: a, import-values: [1e20, 1e21, 123456789.123456789, 1e-6, 1e-7, 9007199254740993, 0.1, 100000000000000000000, 1.7976931348623157e308]}]",
    "[{name: a, import-values: [.inf]}]",
    "[{name: a, import-values: [.nan]}]",
    "[{name: a, import-values: [[], [[x, [y]], z], {}, {b: {c: [d, {e: f}]}, a: g}]}]",
    "[{name: a, import-values: [{1: a, true: b, 1.5: c}]}]",
    "[{name: a, import-values: [{b10: x, b9: y, B: z, '<&>': w}]}]",
    "[{name: a, import-values: ['l1\n\n  l2', \"a\\nb\\n\", '# c', 'y', '']}]",
    "[{name: \"new\\nline\", version: \"1\\t0\", repository: \"a\\u200bb\"}]",
    "[{name: a/b}]",
    "[{name: ..}]",
    "[{name: 'a b'}]",
    "[{name: 😀}]",
    "[{name: \"a long name that has to be folded because it is longer than eighty columns in the index\"}]",
    "[{name: a}, {name: b}, null]",
    "[{name: a}, text]",
];

pub(super) fn directories() -> Vec<Directory> {
    let with = |api: &'static str| {
        LISTS
            .iter()
            .map(move |list| format!("apiVersion: {api}\ndependencies: {list}\n"))
    };
    vec![
        numbered("dependencies in Chart.yaml", with("v2")),
        numbered("dependencies in Chart.yaml of API version 1", with("v1")),
        requirements("requirements.yaml alone", "apiVersion: v1\n"),
        requirements("requirements.yaml without API version", ""),
        locks(),
    ]
}

/// The same lists in `requirements.yaml`.
fn requirements(name: &str, api: &str) -> Directory {
    let mut directory = Directory::new(name);
    let broken = [
        "",
        "\n",
        "[]",
        "text",
        "dependencies:\n\t- x",
        "{\"dependencies\": [{\"name\": \"json\"}]}",
        "Dependencies: [{name: a}]",
        "other: x\n",
    ];
    let texts = LISTS
        .iter()
        .map(|list| format!("dependencies: {list}\n"))
        .chain(broken.map(str::to_owned));
    for (number, text) in texts.enumerate() {
        let letters = letters(number);
        let archive = Archive::default()
            .file(
                "c/Chart.yaml",
                format!("{api}name: {letters}\nversion: 1.0.0\n"),
            )
            .file("c/requirements.yaml", text);
        directory.put(format!("{letters}.tgz"), archive.tgz());
    }
    directory
}

/// Lock files, which are read and add nothing.
fn locks() -> Directory {
    let mut directory = Directory::new("lock files");
    let texts = [
        "",
        "{}",
        "text",
        "[]",
        "generated: \"2020-01-01T00:00:00Z\"\ndigest: sha256:abc\ndependencies: [{name: a}]\n",
        "generated: 2020-01-01T00:00:00.123456789+02:00\n",
        "generated: not a time\n",
        "generated: 2020-01-01\n",
        "generated: null\n",
        "digest: [a]\n",
        "dependencies: text\n",
        "unknown: x\n",
        ": :\n\t",
        "generated: \"2020-01-01 00:00:00\"\n",
    ];
    let mut number = 0;
    for (api, file) in [
        ("v1", "requirements.lock"),
        ("v2", "Chart.lock"),
        ("v2", "requirements.lock"),
        ("v1", "Chart.lock"),
    ] {
        for text in texts {
            let letters = letters(number);
            let archive = Archive::default()
                .file(
                    "c/Chart.yaml",
                    format!("apiVersion: {api}\nname: {letters}\nversion: 1.0.0\n"),
                )
                .file(format!("c/{file}"), text);
            directory.put(format!("{letters}.tgz"), archive.tgz());
            number += 1;
        }
    }
    directory
}
