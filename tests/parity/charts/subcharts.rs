//! Archives with more than a `Chart.yaml`: values, schema, templates, charts inside.

use super::{chart, letters};
use crate::archive::Archive;
use crate::directory::Directory;

pub(super) fn directories() -> Vec<Directory> {
    vec![values(), inside()]
}

fn put(directory: &mut Directory, add: impl FnOnce(Archive) -> Archive) {
    let letters = letters(directory.len());
    let archive = Archive::default().file(
        "c/Chart.yaml",
        format!("name: {letters}\nversion: 1.0.0\napiVersion: v2\n"),
    );
    directory.put(format!("{letters}.tgz"), add(archive).tgz());
}

fn values() -> Directory {
    let mut directory = Directory::new("values and other files");
    for text in [
        "",
        "{}",
        "a: b\n",
        "[]",
        "text",
        "1",
        "null",
        "~",
        "# comment\n",
        "a: [\n",
        "a: b\na: c\n",
        "\u{feff}a: b\n",
        "a: *x\n",
        "a:\n\tb\n",
        "1: x\n",
        "[a]: b\n",
        "a: 1e400\n",
        "{\"a\": 1}",
        "a: !!binary aGk=\n",
        "a: .nan\n",
        "a: .inf\n",
        "b: &b {c: d}\na: {<<: *b}\n",
        "a: 2020-01-01\n",
        "a: \u{7f}\n",
        "a: !custom b\n",
        "---\na: b\n",
        "true: x\n",
    ] {
        put(&mut directory, |archive| {
            archive.file("c/values.yaml", text)
        });
    }
    put(&mut directory, |archive| {
        archive.file("c/values.yaml", b"a: \xff\n")
    });
    for (file, text) in [
        ("values.schema.json", "not json"),
        ("templates/x.yaml", "{{ broken"),
        ("templates/NOTES.txt", "notes"),
        ("README.md", "readme"),
        ("LICENSE", ""),
        (".helmignore", "Chart.yaml"),
        ("crds/x.yaml", ": :"),
        ("templates/", ""),
        ("files/x.bin", "\0\u{1}"),
        ("chart.yaml", "name: lower"),
        ("VALUES.yaml", "["),
        ("ci/values.yaml", "["),
        ("templates/_helpers.tpl", ""),
        ("a b/ü.txt", "x"),
        ("Chart.yaml.bak", "["),
        ("x/../README.md", "x"),
        ("./README.md", "x"),
        ("x//y", "x"),
        ("x/./y", "x"),
    ] {
        put(&mut directory, |archive| {
            archive.file(format!("c/{file}"), text)
        });
    }
    directory
}

fn inside() -> Directory {
    let mut directory = Directory::new("charts inside charts");
    let good = "name: sub\nversion: 1.0.0\n";
    for (file, content) in [
        ("charts/sub/Chart.yaml", good.as_bytes().to_vec()),
        ("charts/sub/Chart.yaml", b"name: sub\n".to_vec()),
        ("charts/sub/Chart.yaml", b"[".to_vec()),
        ("charts/sub/Chart.yaml", Vec::new()),
        ("charts/sub/values.yaml", b"a: b".to_vec()),
        ("charts/_sub/Chart.yaml", b"[".to_vec()),
        ("charts/.sub/Chart.yaml", b"[".to_vec()),
        ("charts/README.md", b"x".to_vec()),
        ("charts/sub.tgz", chart(good)),
        ("charts/sub.tgz", chart("name: sub\n")),
        ("charts/sub.tgz", b"junk".to_vec()),
        ("charts/sub.tgz", Vec::new()),
        ("charts/sub.tgz.prov", b"junk".to_vec()),
        ("charts/_sub.tgz", b"junk".to_vec()),
        ("charts/.sub.tgz", b"junk".to_vec()),
        ("charts/sub.tar.gz", b"junk".to_vec()),
        ("charts/sub.TGZ", b"junk".to_vec()),
        ("charts/sub/x.tgz", b"junk".to_vec()),
        ("charts/sub", b"a file".to_vec()),
        ("charts/sub/charts/deep/Chart.yaml", b"[".to_vec()),
        ("charts/sub/charts/deep.tgz", b"junk".to_vec()),
        ("charts/sub/README.md", b"x".to_vec()),
        ("charts/x.prov", b"x".to_vec()),
        (
            "charts/sub.tgz",
            Archive::default().file("sub/README.md", "x").tgz(),
        ),
        (
            "charts/sub.tgz",
            Archive::default()
                .file("sub/Chart.yaml", good)
                .file("sub/charts/deep.tgz", "junk")
                .tgz(),
        ),
        (
            "charts/sub/Chart.yaml",
            b"name: ..\nversion: 1.0.0\n".to_vec(),
        ),
        (
            "charts/sub/Chart.yaml",
            b"name: sub\nversion: bad\n".to_vec(),
        ),
        (
            "charts/sub/Chart.yaml",
            b"name: sub\nversion: 1.0.0\ntype: bad\n".to_vec(),
        ),
        (
            "charts/sub/Chart.yaml",
            b"apiVersion: v2\nname: sub\nversion: 1.0.0\ndependencies: [null]\n".to_vec(),
        ),
    ] {
        put(&mut directory, |archive| {
            archive.file(format!("c/{file}"), content)
        });
    }
    put(&mut directory, |archive| {
        archive.file("c/charts/sub/Chart.yaml", good).file(
            "c/charts/sub/charts/deep/Chart.yaml",
            "name: deep\nversion: 1.0.0\n",
        )
    });
    put(&mut directory, |archive| {
        archive
            .file("c/charts/sub/Chart.yaml", good)
            .file("c/charts/sub/values.yaml", "[")
    });
    put(&mut directory, |archive| {
        archive
            .file("c/charts/a/Chart.yaml", good)
            .file("c/charts/b/Chart.yaml", good)
    });
    put(&mut directory, |archive| {
        archive
            .file("c/charts/sub/Chart.yaml", good)
            .file("c/charts/sub/requirements.yaml", "[")
    });
    directory
}
