//! Archives that are much larger inside, or hard to read.

use std::time::{Duration, Instant};

use crate::archive::Archive;
use crate::bodies;
use crate::server::agent;
use crate::subject::{Subject, chart};
use crate::witness::Witness;

const CLIENTS: usize = 16;
/// How long a reply may take while all of them are at it.
const END: Duration = Duration::from_secs(30);

/// How much YAML there is in an archive: as much as the limits allow, or what a build that is not
/// optimised reads in the same time.
const YAML: usize = if cfg!(debug_assertions) {
    32 << 10
} else {
    900 << 10
};

/// Files of 5 MiB.
const FILES: u8 = if cfg!(debug_assertions) { 4 } else { 18 };

/// YAML of as many nodes as its bytes allow.
fn dense(open: &str, item: &str) -> Vec<u8> {
    let metadata = format!(
        "apiVersion: v2\nname: dense\nversion: 1.0.0\nannotations: {open}{}",
        item.repeat(YAML / item.len())
    );
    Archive::default().file("c/Chart.yaml", metadata).tgz()
}

/// As much of everything that is looked at as the limits allow.
fn full() -> Vec<u8> {
    let mut archive = Archive::default().file(
        "c/Chart.yaml",
        "apiVersion: v2\nname: full\nversion: 1.0.0\n",
    );
    let values = format!("a: [{}]", "0,".repeat(YAML));
    archive = archive.file("c/values.yaml", values);
    for number in 0..FILES {
        archive = archive.file(format!("c/files/{number}"), vec![b'a' + number; 5 << 20]);
    }
    archive.tgz()
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let good = chart("witness", "0.0.0");
    let mut bombs: Vec<_> = bodies::all(&good)
        .into_iter()
        .filter(|case| case.path == "/api/charts" && case.content_type.is_none())
        .filter(|case| case.name.contains("bomb") && case.body.len() < 4 << 20)
        .map(|case| (case.name, case.body))
        .collect();
    bombs.push(("a list of nothing", dense("[", ",")));
    bombs.push(("deep lists", dense("", "[")));
    bombs.push(("deep blocks", dense("\n", "- ")));
    bombs.push(("many keys", dense("{", "? a,")));
    bombs.push(("all that is allowed", full()));
    bombs
}

#[test]
fn bombs_from_many_clients_at_once_are_refused_and_cost_nobody_else() {
    let bombs = bombs();
    let subject = Subject::start();
    let witness = Witness::of(&subject);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (bombs, url) = (&bombs, format!("{}/api/charts", subject.server.url()));
            scope.spawn(move || {
                // Each begins with another one, and all of them come to the worst.
                let from = client * bombs.len() / CLIENTS;
                for (name, body) in bombs.iter().cycle().skip(from).take(bombs.len()) {
                    let sent = Instant::now();
                    let reply = agent(END).post(&url).send(body.as_slice());
                    let status = reply.expect(name).status().as_u16();
                    // Taken, refused for what it is, or for the slots.
                    let is_fine = matches!(status, 201 | 400 | 409 | 413 | 503);
                    assert!(is_fine && sent.elapsed() < END, "{name}: {status}");
                }
            });
        }
    });
    eprintln!(
        "bombs: {} from each of {CLIENTS} clients in {:.1?}",
        bombs.len(),
        begin.elapsed()
    );
    witness.was_served("bombs");
    subject.is_as_before("bombs");
}
