//! A client that means well, all the while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::server::agent;
use crate::subject::{Subject, chart};

/// How long a request may take until it is served, refusals and further tries included. In an idle
/// program it takes a few milliseconds; a build that is not optimised, beside other tests, gets more.
const BOUND: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 3 });

/// Versions are new in every test.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// Reads and uploads until it is told to stop.
pub(crate) struct Witness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    times: Vec<Duration>,
    refusals: usize,
}

impl Witness {
    pub(crate) fn of(subject: &Subject) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (url, is_over) = (subject.server.url().to_owned(), Arc::clone(&stop));
        let thread = thread::spawn(move || watch(&url, &is_over));
        Self { stop, thread }
    }

    /// Stops, and judges.
    pub(crate) fn was_served(self, what: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let Seen {
            mut times,
            refusals,
        } = self.thread.join().expect("every request is served");
        times.sort_unstable();
        let longest = times.last().copied().unwrap_or_default();
        let median = times[times.len() / 2];
        let late = times[times.len() * 99 / 100];
        eprintln!(
            "{what}: {} requests, median {median:.1?}, p99 {late:.1?}, longest {longest:.1?}, {refusals} refusals",
            times.len()
        );
        assert!(times.len() >= 4, "{what}: only {} requests", times.len());
        assert!(longest <= BOUND, "{what}: a request took {longest:.1?}");
    }
}

fn watch(url: &str, is_over: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    while !is_over.load(Ordering::Relaxed) {
        // A connection for these, which is given up before the server does so.
        let agent = agent(BOUND);
        for path in ["/health", "/index.yaml", "/charts/witness-0.0.0.tgz"] {
            seen.note(|| get(&agent, &format!("{url}{path}")), 200);
        }
        let version = NEXT.fetch_add(1, Ordering::Relaxed);
        let archive = chart("witness", &format!("1.0.{version}"));
        let upload = || answer(agent.post(format!("{url}/api/charts")).send(&archive));
        seen.note(upload, 201);
    }
    seen
}

fn get(agent: &Agent, url: &str) -> Result<u16, String> {
    answer(agent.get(url).call())
}

fn answer(reply: Result<http::Response<ureq::Body>, ureq::Error>) -> Result<u16, String> {
    let mut reply = reply.map_err(|error| error.to_string())?;
    let status = reply.status().as_u16();
    if status == 503 && !reply.headers().contains_key("retry-after") {
        return Err("503 without Retry-After".to_owned());
    }
    reply
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_vec()
        .map_err(|error| error.to_string())?;
    Ok(status)
}

impl Seen {
    /// Asks until it is served; nothing but a refusal may come before.
    fn note(&mut self, ask: impl Fn() -> Result<u16, String>, expected: u16) {
        let begin = Instant::now();
        loop {
            match ask() {
                Ok(status) if status == expected => break,
                Ok(503) if begin.elapsed() < BOUND => {
                    self.refusals += 1;
                    thread::sleep(Duration::from_millis(50));
                }
                other => panic!("{other:?} after {:.1?}", begin.elapsed()),
            }
        }
        self.times.push(begin.elapsed());
    }
}
