//! `helm cm-push`: its requests byte for byte, and the plugin itself.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::charts::{chart, other_chart};
use crate::subject::{Launch, Program, Subject, cm_push};
use crate::tokens::{token, write_key};
use crate::wire::{Ask, Reply, exchange};

/// A boundary of Go's.
const BOUNDARY: &str = "247c854a14855969bee95b28d0d95709e39158f7034dce2ba0e87e16d506";

/// The request of helm-push 0.10.4, as it was recorded: chunked, with the path of a temporary file for a
/// name. `authorization` is a header line with its end, or nothing.
fn push(server: &Subject, target: &str, authorization: &str, archive: &[u8]) -> Reply {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"chart\"; \
         filename=\"/tmp/helm-push-3826976635/a-1.0.0.tgz\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    let form = [head.as_bytes(), archive, tail.as_bytes()].concat();
    let mut request = format!(
        "POST {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Go-http-client/1.1\r\nTransfer-Encoding: chunked\r\n\
         {authorization}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nAccept-Encoding: gzip\r\n\r\n{:x}\r\n",
        server.address,
        form.len()
    )
    .into_bytes();
    request.extend_from_slice(&form);
    request.extend_from_slice(b"\r\n0\r\n\r\n");
    exchange(server.address, &request, false).unwrap_or_else(|error| panic!("{target}: {error}"))
}

/// What it asks before: the index, which Go unpacks.
fn index(server: &Subject, target: &str, authorization: &str) -> (u16, String) {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Go-http-client/1.1\r\n{authorization}Accept-Encoding: gzip\r\n\r\n",
        server.address
    );
    let reply = exchange(server.address, request.as_bytes(), false).expect("a reply");
    let mut text = String::new();
    if reply.header("Content-Encoding") == Some("gzip") {
        let mut reader = flate2::read::MultiGzDecoder::new(reply.body.as_slice());
        reader.read_to_string(&mut text).expect("gzip of text");
    } else {
        text = reply.text();
    }
    (reply.status, text)
}

/// What the plugin prints of a refusal is the `error` of a JSON body.
fn is_refused(reply: &Reply, status: u16, error: &str) {
    assert_eq!(reply.status, status, "{reply}");
    assert_eq!(reply.json()["error"], error, "{reply}");
}

fn start(options: &[&str]) -> (tempfile::TempDir, Subject) {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    let server = Program::Chartroom.over(&storage, options);
    (scratch, server)
}

#[test]
fn its_requests_store_refuse_and_force() {
    let (_scratch, server) = start(&[]);
    let target = "/api/charts";
    let first = push(&server, target, "", &chart("a", "1.0.0"));
    assert_eq!(
        (first.status, first.text().as_str()),
        (201, r#"{"saved":true}"#)
    );
    is_refused(
        &push(&server, target, "", &other_chart("a", "1.0.0")),
        409,
        "chart already exists",
    );
    let forced = push(&server, "/api/charts?force", "", &other_chart("a", "1.0.0"));
    assert_eq!(forced.status, 201, "{forced}");
    assert_eq!(
        server.get("/charts/a-1.0.0.tgz").body,
        other_chart("a", "1.0.0")
    );
    is_refused(
        &push(&server, target, "", b"this is not an archive at all"),
        400,
        "gzip: invalid header",
    );
    // The name of the file that it sends does not count.
    assert_eq!(push(&server, target, "", &chart("b", "2.0.0")).status, 201);
    assert_eq!(server.get("/charts/b-2.0.0.tgz").status, 200);
}

#[test]
fn it_learns_the_context_path_from_the_index_and_tenants_from_the_url() {
    let (_scratch, server) = start(&["--context-path=/ctx", "--depth=2"]);
    let (status, text) = index(&server, "/ctx/org/team/index.yaml", "");
    assert_eq!(status, 200);
    assert!(
        text.contains("\nserverInfo:\n  contextPath: /ctx\n"),
        "{text}"
    );
    let reply = push(
        &server,
        "/ctx/api/org/team/charts",
        "",
        &chart("a", "1.0.0"),
    );
    assert_eq!(reply.status, 201, "{reply}");
    assert_eq!(server.get("/ctx/org/team/charts/a-1.0.0.tgz").status, 200);
    // Without the context path it goes to a place that is not there, and says so.
    is_refused(
        &push(&server, "/api/org/team/charts", "", &chart("a", "2.0.0")),
        404,
        "not found",
    );
}

#[test]
fn its_credentials_are_those_of_basic_and_bearer() {
    let (_scratch, server) = start(&["--basic-auth-user=ann", "--basic-auth-pass=secret"]);
    let archive = chart("a", "1.0.0");
    is_refused(
        &push(&server, "/api/charts", "", &archive),
        401,
        "unauthorized",
    );
    is_refused(
        &push(
            &server,
            "/api/charts",
            "Authorization: Basic YW5uOndyb25n\r\n",
            &archive,
        ),
        401,
        "unauthorized",
    );
    let right = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
    assert_eq!(push(&server, "/api/charts", right, &archive).status, 201);
    assert_eq!(index(&server, "/index.yaml", right).0, 200);

    let keys = tempfile::tempdir().expect("a temporary directory");
    let key = format!("--auth-cert-path={}", write_key(keys.path()).display());
    let (_scratch, server) = start(&[
        "--bearer-auth",
        "--auth-realm=https://x",
        "--auth-service=y",
        &key,
    ]);
    let bearer = |actions: &[&str]| format!("Authorization: Bearer {}\r\n", token("repo", actions));
    is_refused(
        &push(&server, "/api/charts", &bearer(&["pull"]), &archive),
        401,
        "unauthorized",
    );
    assert_eq!(
        push(&server, "/api/charts", &bearer(&["push"]), &archive).status,
        201
    );
    assert_eq!(index(&server, "/index.yaml", &bearer(&["pull"])).0, 200);
}

/// Stands for helm, which the plugin asks for its version only: by a flag that helm v3 does not know.
fn helm(home: &Path) -> PathBuf {
    let path = home.join("helm");
    let script = "#!/bin/sh\necho 'Error: unknown flag: --tls' >&2\nexit 1\n";
    fs::write(&path, script).expect("a file is written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is made executable");
    path
}

/// The plugin as helm calls it.
struct Plugin<'a> {
    path: &'a Path,
    home: &'a Path,
}

impl Plugin<'_> {
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(self.path)
            .args(arguments)
            .current_dir(self.home)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home)
            // What helm sets for each of its plugins.
            .env("HELM_BIN", helm(self.home))
            .env("HELM_PLUGIN_NAME", "cm-push")
            .env("HELM_PLUGIN_DIR", self.home)
            .env("HELM_DEBUG", "false")
            .env("HELM_NAMESPACE", "default")
            .env(
                "HELM_REPOSITORY_CONFIG",
                self.home.join("repositories.yaml"),
            )
            .env("HELM_CACHE_HOME", self.home.join("cache"))
            .env("HELM_REPOSITORY_CACHE", self.home.join("cache/repository"))
            .envs(variables.iter().copied())
            .output()
            .expect("it starts");
        let text = [stdout, stderr].concat();
        (
            status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    fn pushes(&self, arguments: &[&str], variables: &[(&str, &str)]) {
        let (is_done, text) = self.run(arguments, variables);
        assert!(is_done && text.contains("Done."), "{arguments:?}: {text}");
    }

    fn fails(&self, arguments: &[&str], variables: &[(&str, &str)], says: &str) {
        let (is_done, text) = self.run(arguments, variables);
        assert!(!is_done && text.contains(says), "{arguments:?}: {text}");
    }
}

/// A chart in a folder, and one that is packed.
fn charts(home: &Path) -> (String, String) {
    let folder = home.join("dir");
    fs::create_dir(&folder).expect("a folder is made");
    fs::write(
        folder.join("Chart.yaml"),
        "apiVersion: v2\nname: dir\nversion: 0.1.0\n",
    )
    .expect("a file is written");
    let file = home.join("packed.tgz");
    fs::write(&file, chart("a", "1.0.0")).expect("a file is written");
    (file.display().to_string(), folder.display().to_string())
}

#[test]
fn the_real_plugin_pushes_and_understands_refusals() {
    let Some(path) = cm_push("the real cm-push plugin") else {
        return;
    };
    let (scratch, server) = start(&[]);
    let plugin = Plugin {
        path: &path,
        home: scratch.path(),
    };
    let (file, folder) = charts(scratch.path());
    let url = server.url();
    plugin.pushes(&[&file, &url], &[]);
    plugin.fails(&[&file, &url], &[], "Error: 409: chart already exists");
    plugin.pushes(&["--force", &file, &url], &[]);
    plugin.pushes(&[&folder, &url], &[]);
    plugin.pushes(&["--version=9.9.9", "--app-version=7", &folder, &url], &[]);
    let list = server.get("/api/charts").json();
    assert_eq!(list["dir"][0]["version"], "9.9.9");
    assert_eq!(list["dir"][0]["appVersion"], "7");
    assert_eq!(list["a"][0]["version"], "1.0.0");
    // As the downloader of `cm://` URLs.
    let at = url.replace("http://", "cm://");
    let archive = format!("{at}/charts/a-1.0.0.tgz");
    let output = Command::new(&path)
        .args(["", "", "", &archive])
        .env_clear()
        .env("HOME", scratch.path())
        .env("HELM_BIN", helm(scratch.path()))
        .env("HELM_REPO_USE_HTTP", "true")
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, server.get("/charts/a-1.0.0.tgz").body);
}

#[test]
fn the_real_plugin_finds_context_path_tenant_and_credentials() {
    let Some(path) = cm_push("the real cm-push plugin, below a context path") else {
        return;
    };
    let (scratch, server) = start(&[
        "--context-path=/ctx",
        "--depth=1",
        "--basic-auth-user=ann",
        "--basic-auth-pass=secret",
    ]);
    let plugin = Plugin {
        path: &path,
        home: scratch.path(),
    };
    let (file, folder) = charts(scratch.path());
    let url = format!("{}/ctx/org", server.url());
    plugin.fails(&[&file, &url], &[], "401");
    plugin.fails(
        &["--context-path=/ctx", &file, &url],
        &[],
        "Error: 401: unauthorized",
    );
    let credentials = [
        ("HELM_REPO_USERNAME", "ann"),
        ("HELM_REPO_PASSWORD", "secret"),
    ];
    plugin.pushes(&[&file, &url], &credentials);
    plugin.pushes(&["--username=ann", "--password=secret", &folder, &url], &[]);

    // By the name of a repository, of which helm has the index: what `helm repo update` got, in JSON.
    let helms = Ask::get("/ctx/org/index.yaml")
        .header("User-Agent", "Helm/3.22.0")
        .header("Authorization", "Basic YW5uOnNlY3JldA==");
    let reply = server.ask(&helms);
    assert_eq!(
        reply.header("Content-Type"),
        Some("application/json"),
        "{reply}"
    );
    let cache = scratch.path().join("cache/repository");
    fs::create_dir_all(&cache).expect("a folder is made");
    fs::write(cache.join("mine-index.yaml"), &reply.body).expect("a file is written");
    let repositories = format!(
        "apiVersion: v1\nrepositories:\n- name: mine\n  url: {url}\n  username: ann\n  password: secret\n"
    );
    fs::write(scratch.path().join("repositories.yaml"), repositories).expect("a file is written");
    plugin.fails(&[&file, "mine"], &[], "Error: 409: chart already exists");
    plugin.pushes(&["--version=2.0.0", &file, "mine"], &[]);
    let list = Ask::get("/ctx/api/org/charts/a").header("Authorization", "Basic YW5uOnNlY3JldA==");
    assert_eq!(server.ask(&list).json()[0]["version"], "2.0.0");
}

#[test]
fn the_real_plugin_sends_tokens() {
    let Some(path) = cm_push("the real cm-push plugin, with a token") else {
        return;
    };
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let key = format!("--auth-cert-path={}", write_key(scratch.path()).display());
    let root = format!(
        "--storage-local-rootdir={}",
        scratch.path().join("storage").display()
    );
    let server = Launch::new(scratch.path())
        .flags(&[
            "--storage=local",
            &root,
            "--bearer-auth",
            "--auth-realm=https://x",
            "--auth-service=y",
            &key,
        ])
        .start(&Program::Chartroom);
    let plugin = Plugin {
        path: &path,
        home: scratch.path(),
    };
    let (file, _) = charts(scratch.path());
    let reads = token("repo", &["pull"]);
    let writes = token("repo", &["pull", "push"]);
    plugin.fails(
        &["--access-token", &reads, &file, &server.url()],
        &[],
        "Error: 401: unauthorized",
    );
    plugin.pushes(&["--access-token", &writes, &file, &server.url()], &[]);
    plugin.pushes(
        &["--version=2.0.0", &file, &server.url()],
        &[("HELM_REPO_ACCESS_TOKEN", &writes)],
    );
}
