//! Bad input against the real server: each is refused in words, quickly, within bounded memory, and
//! changes nothing. And starts that cannot work: each ends with a message and an exit code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(clippy::too_many_lines, reason = "lists of cases are long")]

mod access;
#[path = "../support/archive.rs"]
mod archive;
#[path = "../support/binary.rs"]
mod binary;
mod bodies;
mod memory;
#[path = "../support/server.rs"]
mod server;
mod starts;
mod values;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bodies::Refused;
use serde_json::Value;
use server::{Server, agent};
use ureq::Agent;
use ureq::http::{Request, Response};

/// How long a refusal may take. Code that is not optimised gets more.
const SOON: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });

#[test]
fn bad_requests_are_refused_in_words_and_change_nothing() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = scratch.path().join("storage");
    fs::create_dir(&storage).expect("a folder is made");
    let server = Server::start(&storage, &[], &scratch.path().join("server.log"));
    let client = agent(Duration::from_mins(1));

    let good = bodies::good_chart();
    let reply = client
        .post(format!("{}/api/charts", server.url()))
        .send(&good);
    assert_eq!(reply.expect("a reply").status(), 201);
    let mut before = state(&client, &server, &storage);

    let mut complaints = Vec::new();
    for case in bodies::all(&good) {
        if let Err(reason) = check(&client, &server, &case) {
            complaints.push(format!("{}: {reason}", case.name));
        }
        let after = state(&client, &server, &storage);
        if after != before {
            complaints.push(format!(
                "{}: it changed {} to {}",
                case.name,
                before.brief(),
                after.brief()
            ));
            before = after;
        }
    }
    let peak = memory::peak(server.id());
    if peak > memory::BOUND {
        complaints.push(format!("the server took {} MiB", peak >> 20));
    }
    assert!(
        complaints.is_empty(),
        "{}\n{}",
        complaints.join("\n"),
        server.said()
    );
}

/// Sends one request and judges the reply.
fn check(client: &Agent, server: &Server, case: &Refused) -> Result<(), String> {
    let mut request =
        Request::builder()
            .method(case.method)
            .uri(format!("{}{}", server.url(), case.path));
    if let Some(kind) = case.content_type {
        request = request.header("Content-Type", kind);
    }
    // A client that sends all before it reads cannot see a refusal that comes before the end.
    if case.body.len() > 1 << 20 {
        request = request.header("Expect", "100-continue");
    }
    let begin = Instant::now();
    let request = request
        .body(case.body.as_slice())
        .map_err(|error| error.to_string())?;
    let configured = client
        .configure_request(request)
        .allow_non_standard_methods(true)
        .build();
    let mut reply: Response<ureq::Body> =
        client.run(configured).map_err(|error| error.to_string())?;
    let body = reply
        .body_mut()
        .read_to_vec()
        .map_err(|error| error.to_string())?;
    let took = begin.elapsed();
    let text = String::from_utf8_lossy(&body);
    if reply.status().as_u16() != case.status {
        return Err(format!(
            "{} instead of {}: {text}",
            reply.status(),
            case.status
        ));
    }
    let said: Value = serde_json::from_slice(&body).map_err(|error| format!("{error}: {text}"))?;
    if said["error"].as_str().is_none_or(str::is_empty) {
        return Err(format!("no `error` in {text}"));
    }
    if !text.contains(case.says) {
        return Err(format!("{:?} is not in {text}", case.says));
    }
    if took > SOON {
        return Err(format!("it took {took:.1?}"));
    }
    Ok(())
}

/// What a refused request must not change: the generation, the entries, and the files.
#[derive(Debug, PartialEq)]
struct State {
    generation: String,
    entries: Value,
    files: BTreeMap<String, u64>,
}

impl State {
    fn brief(&self) -> String {
        let files: Vec<&String> = self.files.keys().collect();
        format!("generation {} and {files:?}", self.generation)
    }
}

fn state(client: &Agent, server: &Server, storage: &Path) -> State {
    let request = client
        .get(format!("{}/index.yaml", server.url()))
        .header("User-Agent", "Helm/4.3.1");
    let mut reply = request.call().expect("an index");
    let generation = reply.headers()["X-Chartroom-Generation"]
        .to_str()
        .expect("a number")
        .to_owned();
    let index = reply.body_mut().read_to_vec().expect("an index");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    let files = fs::read_dir(storage).expect("the storage").map(|item| {
        let item = item.expect("a file");
        let is_file = item.file_type().expect("a type").is_file();
        let size = if is_file {
            item.metadata().expect("a size").len()
        } else {
            0
        };
        (item.file_name().to_string_lossy().into_owned(), size)
    });
    State {
        generation,
        entries: index["entries"].clone(),
        files: files.collect(),
    }
}
