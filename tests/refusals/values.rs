//! Values that are wrong, by flag, variable and file: the program ends with exit code 2 and a message,
//! where ChartMuseum often ends with 0 and none. And what it takes from ChartMuseum's configuration.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::binary::chartroom;
use crate::server::agent;

/// The program without anything of this process's environment but what a start needs.
fn program(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(chartroom());
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

fn is_refused(
    home: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    says: &[&str],
) -> Result<(), String> {
    let Output {
        status,
        stdout,
        stderr,
    } = program(home, arguments, variables)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&stderr);
    let case = format!("{arguments:?} {variables:?}: {status}\n{text}");
    if status.code() != Some(2) || !stdout.is_empty() || text.contains("panicked") {
        return Err(case);
    }
    match says.iter().find(|word| !text.contains(**word)) {
        Some(word) => Err(format!("{word:?} is not in {case}")),
        None => Ok(()),
    }
}

#[test]
fn wrong_values_end_with_exit_code_2_and_the_name_of_the_option() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let rootdir = home.path().join("charts");
    let rootdir = rootdir.to_string_lossy();
    let museum = [
        ("STORAGE", "local"),
        ("STORAGE_LOCAL_ROOTDIR", rootdir.as_ref()),
    ];
    let wrong = [
        ("port", "PORT", "web"),
        ("port", "PORT", "65536"),
        ("listen-host", "LISTEN_HOST", "example.com"),
        ("debug", "DEBUG", "maybe"),
        ("cache-interval", "CACHE_INTERVAL", "soon"),
        ("read-timeout", "READ_TIMEOUT", "-1"),
        ("max-upload-size", "MAX_UPLOAD_SIZE", "20MB"),
        ("depth", "DEPTH", "deep"),
        ("context-path", "CONTEXT_PATH", "/../x"),
        ("chart-url", "CHART_URL", "example.com"),
        ("per-chart-limit", "PER_CHART_LIMIT", "-1"),
        ("cache", "CACHE", "memcached"),
        ("disable-statefiles", "DISABLE_STATEFILES", "perhaps"),
        ("tls-cert", "TLS_CERT", "/nonexistent"),
        ("basic-auth-user", "BASIC_AUTH_USER", "alone"),
        ("bearer-auth", "BEARER_AUTH", "true"),
        ("web-template-path", "WEB_TEMPLATE_PATH", "/templates"),
        ("storage-etcd-endpoint", "STORAGE_ETCD_ENDPOINT", "http://e"),
    ];
    let mut complaints = Vec::new();
    for (flag, variable, value) in wrong {
        let argument = format!("--{flag}={value}");
        let file = home.path().join("chartmuseum.yaml");
        let text = format!("storage.backend: local\n{flag}: '{value}'\n");
        fs::write(&file, text).expect("a file is written");
        let [_, rootdir] = museum;
        let config = ("CONFIG", &*file.to_string_lossy());
        let ours = format!("CHARTROOM_{variable}");
        for (arguments, variables) in [
            (vec!["memory:", &argument], vec![]),
            (vec![], [&museum[..], &[(variable, value)]].concat()),
            (vec!["serve"], vec![rootdir, config]),
            (vec!["memory:"], vec![(ours.as_str(), value)]),
        ] {
            complaints
                .extend(is_refused(home.path(), &arguments, &variables, &[flag, "fix: "]).err());
        }
    }
    let unknown = ["memory:", "--no-such-flag"];
    complaints.extend(is_refused(home.path(), &unknown, &[], &["--no-such-flag"]).err());
    let missing = ["--storage", "local"];
    complaints.extend(
        is_refused(
            home.path(),
            &missing,
            &[],
            &["storage-local-rootdir", "./local"],
        )
        .err(),
    );
    for backend in ["alibaba", "baidu", "etcd", "openstack", "oracle", "tencent"] {
        let variables = [("STORAGE", backend), ("PORT", "web")];
        complaints.extend(is_refused(home.path(), &[], &variables, &[backend, "2 problems"]).err());
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let left: Vec<_> = fs::read_dir(home.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "something was made: {left:?}");
}

/// A process that is ended when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // `Child::kill` sends SIGKILL. The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn chartmuseums_own_variables_start_the_server_and_what_is_not_needed_is_told() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let rootdir = home.path().join("charts");
    let log = home.path().join("log");
    // Between here and the server's bind another program may take the port; then the start fails and
    // says so.
    let port = TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port()
        .to_string();
    // As its chart sets them, many of them empty.
    let variables = [
        ("STORAGE", "local"),
        ("STORAGE_LOCAL_ROOTDIR", &*rootdir.to_string_lossy()),
        ("PORT", &port),
        ("LISTEN_HOST", "127.0.0.1"),
        ("DEBUG", ""),
        ("CACHE", "redis"),
        ("CACHE_REDIS_ADDR", "redis:6379"),
        ("CACHE_INTERVAL", "5m"),
        ("DISABLE_STATEFILES", "true"),
        ("STORAGE_AMAZON_BUCKET", ""),
        ("WEB_TEMPLATE_PATH", ""),
    ];
    let output = fs::File::create(&log).expect("a log file");
    let child = program(home.path(), &[], &variables)
        .stdout(output.try_clone().expect("a second handle"))
        .stderr(output)
        .spawn()
        .expect("it starts");
    let mut running = Running(child);
    let client = agent(Duration::from_secs(5));
    let begin = Instant::now();
    let said = || fs::read_to_string(&log).unwrap_or_default();
    loop {
        let ended = running.0.try_wait().expect("its own child");
        assert!(ended.is_none(), "it ended with {ended:?}\n{}", said());
        let reply = client.get(format!("http://127.0.0.1:{port}/ready")).call();
        if reply.is_ok_and(|reply| reply.status() == 200) {
            break;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "{}", said());
        // The condition is polled: a process has no other way to say that it listens.
        std::thread::sleep(Duration::from_millis(5));
    }
    let said = said();
    for words in [
        "ChartMuseum's variables, defaults and file keys count",
        "cache (variable CACHE), cache-redis-addr (variable CACHE_REDIS_ADDR) are not needed",
        "disable-statefiles (variable DISABLE_STATEFILES) is not needed",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    assert!(rootdir.is_dir());
}
