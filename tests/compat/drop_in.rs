//! ChartMuseum's own command lines, variables and files start chartroom, and the commands of its README
//! work.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::charts::{chart, other_chart, provenance};
use crate::places::Place;
use crate::stores::Kind;
use crate::subject::{Launch, Program, Subject, chartmuseum};
use crate::tools;
use crate::ways::{Way, by_variables, local, on_a_bucket};

/// A shell that runs curl in the working directory.
struct Shell<'a> {
    home: &'a Path,
    way: &'a str,
}

impl Shell<'_> {
    /// Runs curl and compares status and body; `*` is any body.
    fn curl(&self, arguments: &[&str], status: &str, body: &str) -> String {
        let output = Command::new("curl")
            .args(["-sS", "-w", "\n%{http_code}"])
            .args(arguments)
            .current_dir(self.home)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .output()
            .expect("curl starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (printed, code) = text.rsplit_once('\n').unwrap_or(("", &text));
        let is_right = code == status && (body == "*" || printed.starts_with(body));
        assert!(
            is_right,
            "{}: curl {}: {code} {printed}{}",
            self.way,
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        printed.to_owned()
    }
}

/// The commands of ChartMuseum's README, one after the other.
fn use_as_documented(server: &Subject, home: &Path, way: &Way) {
    let write = |name: &str, content: Vec<u8>| {
        fs::write(home.join(name), content).expect("a file is written");
    };
    write("mychart-0.1.0.tgz", chart("mychart", "0.1.0"));
    write("mychart-0.1.0.tgz.prov", provenance("mychart", "0.1.0"));
    write("other-0.1.0.tgz", other_chart("mychart", "0.1.0"));
    write("signed-1.0.0.tgz", chart("signed", "1.0.0"));
    write("signed-1.0.0.tgz.prov", provenance("signed", "1.0.0"));
    let shell = Shell {
        home,
        way: way.name,
    };
    let base = format!("{}{}", server.url(), way.prefix);
    let (charts, prov) = (
        format!("{base}/api{}/charts", way.repository),
        format!("{base}/api{}/prov", way.repository),
    );
    let files = format!("{base}{}", way.repository);
    let saved = r#"{"saved":true}"#;
    shell.curl(
        &["--data-binary", "@mychart-0.1.0.tgz", &charts],
        "201",
        saved,
    );
    shell.curl(
        &["--data-binary", "@mychart-0.1.0.tgz.prov", &prov],
        "201",
        saved,
    );
    let (form, signature) = ("chart=@signed-1.0.0.tgz", "prov=@signed-1.0.0.tgz.prov");
    shell.curl(&["-F", form, "-F", signature, &charts], "201", saved);
    shell.curl(
        &["--data-binary", "@other-0.1.0.tgz", &charts],
        "409",
        r#"{"error":"file already exists""#,
    );
    shell.curl(
        &[
            "--data-binary",
            "@other-0.1.0.tgz",
            &format!("{charts}?force"),
        ],
        "201",
        saved,
    );
    if let Some(stored) = way.stored {
        let stored =
            fs::read(home.join(stored)).unwrap_or_else(|error| panic!("{}: {error}", way.name));
        assert_eq!(stored, other_chart("mychart", "0.1.0"), "{}", way.name);
    }
    // ChartMuseum lists an upload a moment after its reply.
    let wanted = crate::wire::Ask::get(format!("{}/api{}/charts", way.prefix, way.repository));
    let both = |reply: &crate::wire::Reply| {
        let text = reply.text();
        let is_there = text.contains("mychart") && text.contains("signed");
        if is_there {
            Ok(())
        } else {
            Err(reply.to_string())
        }
    };
    server
        .ask_until(&wanted, both)
        .unwrap_or_else(|error| panic!("{}: {error}", way.name));
    let index = shell.curl(&[&format!("{files}/index.yaml")], "200", "apiVersion: v1\n");
    assert!(
        index.contains("- charts/mychart-0.1.0.tgz"),
        "{}: {index}",
        way.name
    );
    shell.curl(
        &[
            "-o",
            "got.tgz",
            &format!("{files}/charts/mychart-0.1.0.tgz"),
        ],
        "200",
        "",
    );
    assert_eq!(
        fs::read(home.join("got.tgz")).expect("a file"),
        other_chart("mychart", "0.1.0")
    );
    shell.curl(
        &[&format!("{files}/charts/signed-1.0.0.tgz.prov")],
        "200",
        "-----BEGIN PGP SIGNED MESSAGE-----",
    );
    shell.curl(
        &[&format!("{charts}/mychart")],
        "200",
        r#"[{"name":"mychart""#,
    );
    shell.curl(
        &[&format!("{charts}/mychart/0.1.0")],
        "200",
        r#"{"name":"mychart""#,
    );
    shell.curl(&["-I", &format!("{charts}/mychart/0.1.0")], "200", "*");
    shell.curl(&["-I", &format!("{charts}/mychart/0.2.0")], "404", "*");
    shell.curl(
        &["-X", "DELETE", &format!("{charts}/mychart/0.1.0")],
        "200",
        r#"{"deleted":true}"#,
    );
    shell.curl(
        &[&format!("{files}/charts/mychart-0.1.0.tgz")],
        "404",
        r#"{"error":"object not found""#,
    );
    shell.curl(&[&format!("{base}/health")], "200", r#"{"healthy":true}"#);
}

fn has_curl(what: &str) -> bool {
    let found = Command::new("curl").arg("--version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        tools::skip(what, "curl");
    }
    is_there
}

fn go(program: &Program, ways: &[Way]) {
    for way in ways {
        let home = tempfile::tempdir().expect("a temporary directory");
        let server = way.start(program, home.path());
        use_as_documented(&server, home.path(), way);
        if program.is_ours() {
            assert!(server.stop().success(), "{}", way.name);
        }
    }
}

#[test]
fn chartmuseums_own_starts_work_on_a_directory() {
    if has_curl("ChartMuseum's starts and its README's commands") {
        go(&Program::Chartroom, &local());
    }
}

/// Proves that they are ChartMuseum's own.
#[test]
fn a_real_chartmuseum_starts_so_too() {
    let what = "the same starts of a real ChartMuseum";
    let Some(program) = chartmuseum(what).filter(|_| has_curl(what)) else {
        return;
    };
    go(&program, &local());
}

fn on_buckets(kind: Kind, flags: &'static str, variables: &'static str) {
    if !has_curl(flags) {
        return;
    }
    let Some(place) = Place::bucket(kind, flags) else {
        return;
    };
    go(&Program::Chartroom, &[on_a_bucket(&place, flags)]);
    // The second finds what the first one left, and no room for the same chart again.
    place.remove("signed-1.0.0.tgz");
    place.remove("signed-1.0.0.tgz.prov");
    go(&Program::Chartroom, &[by_variables(&place, variables)]);
}

#[test]
fn chartmuseums_own_starts_work_on_amazon() {
    on_buckets(
        Kind::Minio,
        "--storage=amazon on MinIO",
        "STORAGE=amazon on MinIO",
    );
}

#[test]
fn chartmuseums_own_starts_work_on_google() {
    on_buckets(
        Kind::FakeGcs,
        "--storage=google on fake-gcs-server",
        "STORAGE=google on fake-gcs-server",
    );
}

#[test]
fn chartmuseums_own_starts_work_on_microsoft() {
    on_buckets(
        Kind::Azurite,
        "--storage=microsoft on Azurite",
        "STORAGE=microsoft on Azurite",
    );
}

#[test]
fn a_real_chartmuseum_starts_so_on_amazon_too() {
    let what = "--storage=amazon of a real ChartMuseum on MinIO";
    let Some(program) = chartmuseum(what).filter(|_| has_curl(what)) else {
        return;
    };
    if let Some(place) = Place::bucket(Kind::Minio, what) {
        go(&program, &[on_a_bucket(&place, what)]);
    }
}

/// Values that stop a start, with the variable that holds them.
const WRONG: [(&str, &str); 12] = [
    ("PORT", "web"),
    ("DEBUG", "maybe"),
    ("CACHE_INTERVAL", "soon"),
    ("DEPTH", "x"),
    ("MAX_UPLOAD_SIZE", "x"),
    ("MAX_STORAGE_OBJECTS", "many"),
    ("PER_CHART_LIMIT", "x"),
    ("INDEX_LIMIT", "x"),
    ("READ_TIMEOUT", "x"),
    ("STORAGE_TIMESTAMP_TOLERANCE", "x"),
    ("DISABLE_DELETE", "perhaps"),
    ("ALLOW_OVERWRITE", "perhaps"),
];

fn start_wrongly(
    program: &Program,
    home: &Path,
    (name, value): (&str, &str),
) -> (Option<i32>, String) {
    Launch::new(home)
        .flags(&["--storage=local", "--storage-local-rootdir=storage"])
        .variable(name, value)
        .fail(program)
}

#[test]
fn a_wrong_value_is_told_with_its_variable_and_exit_code_2() {
    let home = tempfile::tempdir().expect("a temporary directory");
    for wrong in WRONG {
        let (code, text) = start_wrongly(&Program::Chartroom, home.path(), wrong);
        let (name, _) = wrong;
        let line = text
            .lines()
            .find(|line| line.contains(&format!("variable {name}")));
        assert!(
            code == Some(2) && line.is_some(),
            "{wrong:?}: {code:?} {text}"
        );
    }
    let flags = [
        "--storage=local",
        "--storage-local-rootdir=storage",
        "--port=web",
        "--no-such-flag",
    ];
    let (code, text) = Launch::new(home.path())
        .flags(&flags)
        .fail(&Program::Chartroom);
    assert_eq!(code, Some(2), "{text}");
    for storage in [
        "alibaba",
        "baidu",
        "etcd",
        "openstack",
        "oracle",
        "tencent",
        "nothing",
    ] {
        let launch = Launch::new(home.path()).variable("STORAGE", storage);
        let (code, text) = launch.fail(&Program::Chartroom);
        assert!(
            code == Some(2) && text.contains(storage),
            "{storage}: {code:?} {text}"
        );
    }
}

/// That it ends with 0, as if all had gone well, is what its users suffer from.
#[test]
fn a_real_chartmuseum_ends_with_exit_code_0_instead() {
    let Some(program) = chartmuseum("wrong values and a real ChartMuseum") else {
        return;
    };
    let home = tempfile::tempdir().expect("a temporary directory");
    for wrong in WRONG {
        let (code, text) = start_wrongly(&program, home.path(), wrong);
        assert_eq!((code, text.as_str()), (Some(0), ""), "{wrong:?}");
    }
}
