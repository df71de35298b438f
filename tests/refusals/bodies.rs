//! Requests that are refused.

use tar::EntryType;

use crate::archive::{Archive, gzip};

/// A request, and what its refusal has to be.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    /// A text that has to be in the reply.
    pub(crate) says: &'static str,
}

/// The chart that is there already.
pub(crate) fn good_chart() -> Vec<u8> {
    chart("name: good\nversion: 1.0.0\n")
}

fn chart(chart_yaml: impl AsRef<[u8]>) -> Vec<u8> {
    Archive::default().file("c/Chart.yaml", chart_yaml).tgz()
}

/// An otherwise good chart with something added.
fn with(add: impl FnOnce(Archive) -> Archive) -> Vec<u8> {
    add(Archive::default().file("c/Chart.yaml", "name: x\nversion: 1.0.0\n")).tgz()
}

fn yaml(lines: &str) -> Vec<u8> {
    chart(format!("name: x\nversion: 1.0.0\n{lines}\n"))
}

/// A chart of a name of its own, so that one that is taken does not hide the next.
fn poison(letter: &str, line: &str) -> Vec<u8> {
    chart(format!("name: poison-{letter}\nversion: 1.0.0\n{line}\n"))
}

/// All of them.
pub(crate) fn all(good: &[u8]) -> Vec<Refused> {
    let mut cases = Vec::new();
    for (name, body, says) in archives(good) {
        cases.push(Refused {
            name,
            method: "POST",
            path: "/api/charts",
            content_type: None,
            body,
            status: 400,
            says,
        });
    }
    cases.extend(forms(good));
    cases.extend(requests(good));
    cases
}

/// Bodies that are no chart, or not one that is taken.
fn archives(good: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let long = format!("name: {}\nversion: 1.0.0", "n".repeat(251));
    let nested = format!("a: {}", "[".repeat(100_000));
    let aliases = (1..40).fold(
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]".to_owned(),
        |text, level| {
            let alias = format!("*a{}", level - 1);
            format!(
                "{text}\na{level}: &a{level} [{}]",
                vec![alias; 10].join(", ")
            )
        },
    );
    let merges = (1..40).fold("a0: &a0 {x: y}".to_owned(), |text, level| {
        let alias = format!("*a{}", level - 1);
        format!("{text}\na{level}: &a{level} {{b: {alias}, c: {alias}, <<: {alias}}}")
    });
    vec![
        ("an empty body", Vec::new(), "hint"),
        ("junk", b"\x00\x01junk\xff".repeat(100), ""),
        (
            "a path in the place of the file",
            b"./chart-1.0.0.tgz".to_vec(),
            "@",
        ),
        (
            "a file name in the place of the file",
            b"chart-1.0.0.tgz".to_vec(),
            "@",
        ),
        ("HTML", b"<html><body>404</body></html>".to_vec(), ""),
        ("a gzip that is cut", good[..good.len() / 2].to_vec(), ""),
        ("a gzip header alone", good[..10].to_vec(), ""),
        ("gzip of junk", gzip(&b"junk".repeat(1000)), ""),
        ("gzip of nothing", gzip(b""), ""),
        (
            "a tar without gzip",
            Archive::default()
                .file("c/Chart.yaml", "name: x\nversion: 1.0.0\n")
                .tar(),
            "",
        ),
        ("an empty tar", Archive::default().tgz(), ""),
        (
            "no Chart.yaml",
            Archive::default().file("c/values.yaml", "a: b").tgz(),
            "Chart.yaml",
        ),
        (
            "a chart not in a folder",
            Archive::default()
                .file("Chart.yaml", "name: x\nversion: 1.0.0")
                .tgz(),
            "",
        ),
        (
            "an entry above the folder",
            with(|archive| archive.file("c/../../x", "x")),
            "",
        ),
        (
            "an absolute entry",
            with(|archive| archive.file("c//etc/passwd", "x")),
            "",
        ),
        (
            "an entry with backslashes",
            with(|archive| archive.file("c\\..\\..\\x", "x")),
            "",
        ),
        (
            "a symbolic link",
            with(|archive| archive.entry(EntryType::Symlink, b"c/link", b"")),
            "link",
        ),
        (
            "a hard link",
            with(|archive| archive.entry(EntryType::Link, b"c/link", b"")),
            "link",
        ),
        (
            "a device",
            with(|archive| archive.entry(EntryType::Char, b"c/device", b"")),
            "device",
        ),
        (
            "a fifo",
            with(|archive| archive.entry(EntryType::Fifo, b"c/fifo", b"")),
            "fifo",
        ),
        ("a gzip bomb", gzip(&vec![0; 300 << 20]), ""),
        (
            "a bomb in a file",
            with(|archive| archive.file("c/zeros", vec![0; 101 << 20])),
            "",
        ),
        (
            "a file above 5 MiB",
            with(|archive| archive.file("c/large", vec![0; (5 << 20) + 1])),
            "",
        ),
        (
            "very many entries",
            with(|archive| {
                (0..30_000).fold(archive, |archive, n| archive.file(format!("c/{n}"), ""))
            }),
            "",
        ),
        ("YAML of aliases", yaml(&aliases), ""),
        ("YAML of merged aliases", yaml(&merges), ""),
        ("YAML in 100,000 brackets", yaml(&nested), ""),
        ("YAML that is none", yaml("a: [b"), "Chart.yaml"),
        (
            "values that are none",
            with(|archive| archive.file("c/values.yaml", "[")),
            "values.yaml",
        ),
        ("a list for a text", yaml("description: [a]"), ""),
        ("a text for a list", yaml("keywords: a"), ""),
        ("a text for a flag", yaml("deprecated: 'true'"), ""),
        ("no name", chart("version: 1.0.0"), "name"),
        ("no version", chart("name: x"), "version"),
        (
            "a bad version",
            chart("name: x\nversion: latest"),
            "version",
        ),
        (
            "a version with a path",
            chart("name: x\nversion: 1.0.0-../../x"),
            "version",
        ),
        ("a bad type", yaml("type: bad"), "type"),
        (
            "a name that is a path",
            chart("name: ../x\nversion: 1.0.0"),
            "name",
        ),
        (
            "a name with a slash",
            chart("name: a/b\nversion: 1.0.0"),
            "name",
        ),
        (
            "a name of two dots",
            chart("name: ..\nversion: 1.0.0"),
            "name",
        ),
        (
            "a name with a space",
            chart("name: a b\nversion: 1.0.0"),
            "name",
        ),
        (
            "a name in Unicode",
            chart("name: ünïcode\nversion: 1.0.0"),
            "name",
        ),
        ("a long name", chart(long), "name"),
        // These make every later `helm repo index` over the directory fail.
        (
            "a control character in an annotation",
            poison("a", "annotations: {a: \"\\x7f\"}"),
            "control",
        ),
        (
            "a control character in the key of an annotation",
            poison("b", "annotations: {\"\\x80\": a}"),
            "control",
        ),
        (
            "a line break in the key of an annotation",
            poison("c", "annotations: {\"a\\Nb\": a}"),
            "",
        ),
        (
            "a control character in import-values",
            poison("d", "dependencies: [{name: a, import-values: [\"\\x7f\"]}]"),
            "",
        ),
        (
            "a control character in the API version",
            poison("e", "apiVersion: \"v2\\x7f\""),
            "",
        ),
    ]
}

/// Forms that hold nothing of use.
fn forms(good: &[u8]) -> Vec<Refused> {
    let part = |field: &str, content: &[u8]| {
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"f\"\r\n\r\n"
        );
        [head.as_bytes(), content, b"\r\n--b--\r\n"].concat()
    };
    let form = |name, status, says, body| Refused {
        name,
        method: "POST",
        path: "/api/charts",
        content_type: Some("multipart/form-data; boundary=b"),
        body,
        status,
        says,
    };
    let no_boundary = Refused {
        content_type: Some("multipart/form-data"),
        ..form("a form without boundary", 400, "", part("chart", good))
    };
    vec![
        no_boundary,
        form(
            "a form with the wrong field",
            400,
            "chart and prov",
            part("file", good),
        ),
        form(
            "an empty form",
            400,
            "chart and prov",
            b"--b--\r\n".to_vec(),
        ),
        form(
            "a form that is cut",
            400,
            "",
            part("chart", good)[..60].to_vec(),
        ),
        form("a form with junk", 400, "", part("chart", b"junk")),
        form(
            "a form with a bad provenance file",
            400,
            "provenance",
            part("prov", b"junk"),
        ),
        form(
            "a form with what exists",
            409,
            "already exists",
            part("chart", good),
        ),
    ]
}

/// Requests whose body is not the reason.
fn requests(good: &[u8]) -> Vec<Refused> {
    let request = |name, method, path, status| Refused {
        name,
        method,
        path,
        content_type: None,
        body: Vec::new(),
        status,
        says: "",
    };
    vec![
        Refused {
            body: good.to_vec(),
            says: "file already exists",
            ..request("an upload of what exists", "POST", "/api/charts", 409)
        },
        Refused {
            body: vec![b'x'; 21 << 20],
            ..request("a body over the limit", "POST", "/api/charts", 413)
        },
        Refused {
            body: b"junk".to_vec(),
            ..request("a bad provenance file", "POST", "/api/prov", 400)
        },
        request("an unknown path", "GET", "/nothing", 404),
        request("an unknown method", "PUT", "/api/charts", 405),
        request("a made-up method", "FROBNICATE", "/index.yaml", 405),
        request(
            "a delete of nothing",
            "DELETE",
            "/api/charts/nothing/1.0.0",
            404,
        ),
        request(
            "a delete of a path",
            "DELETE",
            "/api/charts/..%2f..%2fx/1.0.0",
            404,
        ),
        request(
            "a download of nothing",
            "GET",
            "/charts/nothing-1.0.0.tgz",
            404,
        ),
        request(
            "a download of another kind",
            "GET",
            "/charts/index-cache.yaml",
            404,
        ),
        request(
            "a download of the log",
            "GET",
            "/charts/.chartroom%2fgenesis",
            404,
        ),
        request(
            "a download of a path",
            "GET",
            "/charts/..%2f..%2f..%2fetc%2fpasswd.tgz",
            404,
        ),
        request("a path that is no UTF-8", "GET", "/charts/%ff.tgz", 400),
        request(
            "a chart that is not there",
            "GET",
            "/api/charts/nothing",
            404,
        ),
        request(
            "a version that is not there",
            "GET",
            "/api/charts/good/9.9.9",
            404,
        ),
        request("a bad limit", "GET", "/api/charts?limit=0", 400),
        request("a bad offset", "GET", "/api/charts?offset=-1", 400),
    ]
}
