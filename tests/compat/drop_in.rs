//! ChartMuseum's own command lines, variables and files start chartroom, and the commands of its README
//! work.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::charts::{chart, other_chart, provenance};
use crate::places::Place;
use crate::stores::Kind;
use crate::subject::{Launch, Program, Subject, chartmuseum, free_port};
use crate::tools;

/// One way to start a ChartMuseum. `{port}` and `{file}` are filled in, and every file is below the
/// working directory.
struct Way {
    name: &'static str,
    flags: Vec<String>,
    variables: Vec<(String, String)>,
    /// What stands in `config.yaml`.
    file: Option<&'static str>,
    /// What stands before its paths.
    prefix: &'static str,
    /// The repository that is used; behind the prefix, and behind `/api`.
    repository: &'static str,
    /// Where the archive is below the working directory, if it is a file.
    stored: Option<&'static str>,
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let of = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(of).collect()
}

impl Way {
    fn new(name: &'static str, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self {
            name,
            flags: texts(flags),
            variables: pairs(variables),
            file: None,
            prefix: "",
            repository: "",
            stored: None,
        }
    }

    fn start(&self, program: &Program, home: &Path) -> Subject {
        let port = free_port();
        let fill = |text: &String| text.replace("{port}", &port.to_string());
        let flags: Vec<String> = self.flags.iter().map(fill).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        if let Some(text) = self.file {
            let text = text.replace("{port}", &port.to_string());
            fs::write(home.join("config.yaml"), text).expect("a file is written");
        }
        let mut launch = Launch::new(home)
            .flags(&flags)
            .below(self.prefix)
            .on_port(port);
        for (name, value) in &self.variables {
            launch = launch.variable(name, fill(value));
        }
        launch.start(program)
    }
}

/// The ways to keep charts in a directory, as ChartMuseum's README and chart have them.
fn local() -> Vec<Way> {
    vec![
        Way {
            stored: Some("chartstorage/mychart-0.1.0.tgz"),
            ..Way::new(
                "the command of the README",
                &[
                    "--debug",
                    "--port={port}",
                    "--storage=local",
                    "--storage-local-rootdir=./chartstorage",
                ],
                &[],
            )
        },
        Way {
            stored: Some("charts/mychart-0.1.0.tgz"),
            ..Way::new(
                "the variables of the README's docker command",
                &[],
                &[
                    ("DEBUG", "1"),
                    ("STORAGE", "local"),
                    ("STORAGE_LOCAL_ROOTDIR", "charts"),
                    ("PORT", "{port}"),
                ],
            )
        },
        Way {
            stored: Some("storage/mychart-0.1.0.tgz"),
            ..Way::new(
                "what the Helm chart sets: its argument, and all its variables",
                &["--port={port}", "--storage-local-rootdir=storage"],
                &[
                    ("STORAGE", "local"),
                    ("STORAGE_ALIBABA_BUCKET", ""),
                    ("STORAGE_ALIBABA_PREFIX", ""),
                    ("STORAGE_ALIBABA_ENDPOINT", ""),
                    ("STORAGE_ALIBABA_SSE", ""),
                    ("STORAGE_AMAZON_BUCKET", ""),
                    ("STORAGE_AMAZON_PREFIX", ""),
                    ("STORAGE_AMAZON_REGION", ""),
                    ("STORAGE_AMAZON_ENDPOINT", ""),
                    ("STORAGE_AMAZON_SSE", ""),
                    ("STORAGE_GOOGLE_BUCKET", ""),
                    ("STORAGE_GOOGLE_PREFIX", ""),
                    ("STORAGE_MICROSOFT_CONTAINER", ""),
                    ("STORAGE_MICROSOFT_PREFIX", ""),
                    ("STORAGE_OPENSTACK_CONTAINER", ""),
                    ("STORAGE_ORACLE_COMPARTMENTID", ""),
                    ("CHART_POST_FORM_FIELD_NAME", "chart"),
                    ("PROV_POST_FORM_FIELD_NAME", "prov"),
                    ("DEPTH", "0"),
                    ("DEBUG", "false"),
                    ("LOG_JSON", "true"),
                    ("DISABLE_STATEFILES", "false"),
                    ("ENABLE_METRICS", "false"),
                    ("DISABLE_API", "false"),
                    ("ALLOW_OVERWRITE", "false"),
                    ("CHART_URL", ""),
                    ("AUTH_ANONYMOUS_GET", "false"),
                    ("CONTEXT_PATH", ""),
                    ("INDEX_LIMIT", "0"),
                    ("CACHE", ""),
                    ("CACHE_REDIS_ADDR", ""),
                    ("CACHE_REDIS_DB", "0"),
                    ("BEARER_AUTH", "false"),
                    ("AUTH_REALM", ""),
                    ("AUTH_SERVICE", ""),
                    ("AUTH_CERT_PATH", ""),
                    ("MAX_STORAGE_OBJECTS", "0"),
                    ("CACHE_INTERVAL", "5m"),
                    ("WEB_TEMPLATE_PATH", ""),
                ],
            )
        },
        Way {
            prefix: "/helm/charts",
            repository: "/org/team",
            stored: Some("storage/org/team/mychart-0.1.0.tgz"),
            ..Way::new(
                "tenants below a context path, by variables",
                &[],
                &[
                    ("STORAGE", "LOCAL"),
                    ("STORAGE_LOCAL_ROOTDIR", "storage"),
                    ("PORT", "{port}"),
                    ("LISTEN_HOST", "127.0.0.1"),
                    ("CONTEXT_PATH", "/helm/charts"),
                    ("DEPTH", "2"),
                    ("READ_TIMEOUT", "60"),
                    ("WRITE_TIMEOUT", "60"),
                    ("MAX_UPLOAD_SIZE", "1048576"),
                    ("INDEX_LIMIT", "2"),
                    ("STORAGE_TIMESTAMP_TOLERANCE", "1s"),
                    ("LOG_LATENCY_INTEGER", "t"),
                ],
            )
        },
        Way {
            file: Some(
                "debug: true\nport: {port}\nstorage.backend: local\nstorage.local.rootdir: storage\ndepth: 1\n",
            ),
            repository: "/org",
            stored: Some("storage/org/mychart-0.1.0.tgz"),
            ..Way::new(
                "the README's configuration file",
                &["--config", "./config.yaml"],
                &[],
            )
        },
        Way {
            file: Some(
                "logJSON: true\nport: {port}\nstorage:\n  backend: local\n  local:\n    rootdir: storage\nlisten:\n  host: 127.0.0.1\ncors:\n  alloworigin: '*'\nno-such-key: 1\n",
            ),
            stored: Some("storage/mychart-0.1.0.tgz"),
            ..Way::new(
                "a nested configuration file, by its variable",
                &[],
                &[("CONFIG", "config.yaml")],
            )
        },
        Way {
            stored: Some("storage/mychart-0.1.0.tgz"),
            ..Way::new(
                "options that nothing needs any more",
                &[
                    "--port={port}",
                    "--storage=local",
                    "--storage-local-rootdir=storage",
                    "--disable-statefiles",
                    "--always-regenerate-chart-index",
                    "--enforce-semver2",
                    "--disable-metrics",
                ],
                &[],
            )
        },
    ]
}

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

/// The README's commands for a bucket, with the address of the test's server.
fn on_a_bucket(place: &Place, name: &'static str) -> Way {
    let mut flags = texts(&["--debug", "--port={port}"]);
    flags.extend(place.flags());
    Way {
        flags,
        variables: place.variables(),
        ..Way::new(name, &[], &[])
    }
}

/// The same by variables, as in a pod.
fn by_variables(place: &Place, name: &'static str) -> Way {
    let mut variables = pairs(&[("PORT", "{port}"), ("DISABLE_API", "false")]);
    for flag in place.flags() {
        let (flag, value) = flag.split_once('=').expect("a flag with a value");
        let variable = flag
            .trim_start_matches('-')
            .to_ascii_uppercase()
            .replace('-', "_");
        variables.push((variable, value.to_owned()));
    }
    variables.extend(place.variables());
    Way {
        variables,
        ..Way::new(name, &[], &[])
    }
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
