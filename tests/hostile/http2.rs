//! What HTTP/2 lets a client do cheaply.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::{Authority, Files};
use crate::frames;
use crate::server::Server;
use crate::subject::{BOUND, Subject, Usage};

const END: Duration = Duration::from_secs(15);
/// How long a request may take while an attack goes on.
const SERVED: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 3 });
/// How long each attack goes on.
const TIME: Duration = Duration::from_secs(3);
const ATTACKERS: usize = 8;

struct Https {
    server: Server,
    authority: Authority,
    _files: Files,
    _subject: Subject,
}

impl Https {
    async fn start() -> Self {
        let subject = Subject::start();
        let authority = Authority::new("an authority");
        let (server, files) = subject.with_tls(&authority);
        let https = Self {
            server,
            authority,
            _files: files,
            _subject: subject,
        };
        let begin = Instant::now();
        while https.get("/ready").await != Some(200) {
            assert!(begin.elapsed() < END, "{}", https.server.said());
            sleep(Duration::from_millis(20)).await;
        }
        https
    }

    async fn connect(&self) -> Option<TlsStream<TcpStream>> {
        let address = self.server.url().trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.ok()?;
        let config = self.authority.trusting().protocol("h2").config();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(config).connect(name, stream).await.ok()
    }

    /// The status of a reply, on a connection of its own.
    async fn get(&self, path: &str) -> Option<u16> {
        let stream = self.connect().await?;
        let (mut requests, connection) = h2::client::handshake(stream).await.ok()?;
        let connection = tokio::spawn(connection);
        let request = http::Request::get(format!("https://localhost{path}"));
        let (reply, _) = requests
            .send_request(request.body(()).unwrap(), true)
            .ok()?;
        let mut reply = reply.await.ok()?;
        while let Some(piece) = reply.body_mut().data().await {
            let length = piece.ok()?.len();
            let _ = reply.body_mut().flow_control().release_capacity(length);
        }
        connection.abort();
        Some(reply.status().as_u16())
    }

    /// Writes `first`, and then what `next` makes, as fast as the server takes it, on a few connections
    /// that are opened anew when they are ended. Everything that it says is read and dropped.
    async fn flood(&self, first: &[u8], next: impl Fn(u32) -> Vec<u8>) -> (usize, u64) {
        let begin = Instant::now();
        let attack = async || {
            let (mut ended, mut sent) = (0, 0);
            while begin.elapsed() < TIME {
                let Some(stream) = self.connect().await else {
                    continue;
                };
                let (mut reader, mut writer) = tokio::io::split(stream);
                let write = async {
                    let hello = [frames::PREFACE, &frames::settings(), first].concat();
                    if writer.write_all(&hello).await.is_err() {
                        return;
                    }
                    for number in 0.. {
                        let is_over = begin.elapsed() >= TIME;
                        if is_over || writer.write_all(&next(number)).await.is_err() {
                            return;
                        }
                        sent += 1;
                    }
                };
                let read = async {
                    let mut space = vec![0; 64 << 10];
                    while reader.read(&mut space).await.is_ok_and(|count| count > 0) {}
                };
                let _ = timeout(END, async {
                    tokio::select! {
                        () = write => {}
                        () = read => {}
                    }
                })
                .await;
                ended += 1;
            }
            (ended, sent)
        };
        let all = join_all((0..ATTACKERS).map(|_| attack())).await;
        all.into_iter()
            .fold((0, 0), |(ended, sent), one| (ended + one.0, sent + one.1))
    }

    /// Asks for the index while `attack` goes on.
    async fn serves_during<T>(&self, what: &str, attack: impl Future<Output = T>) -> T {
        let mut times = Vec::new();
        let mut attack = std::pin::pin!(attack);
        let outcome = loop {
            let ask = async {
                let begin = Instant::now();
                let status = self.get("/index.yaml").await;
                assert_eq!(status, Some(200), "{what}");
                times.push(begin.elapsed());
            };
            let asked = async {
                ask.await;
                sleep(Duration::from_millis(20)).await;
            };
            tokio::select! {
                biased;
                () = asked => {}
                outcome = &mut attack => break outcome,
            }
        };
        times.sort_unstable();
        let longest = times.last().copied().unwrap();
        let usage = Usage::of(self.server.id());
        eprintln!(
            "{what}: {} requests, median {:.1?}, longest {longest:.1?}, peak {} MiB",
            times.len(),
            times[times.len() / 2],
            usage.peak >> 20
        );
        assert!(longest <= SERVED, "{what}: a request took {longest:.1?}");
        assert!(usage.peak <= BOUND, "{what}: {usage:?}");
        outcome
    }

    /// Waits until the files are closed that connections have open.
    async fn is_as_before(&self, before: Usage, what: &str) {
        let begin = Instant::now();
        while Usage::of(self.server.id()).files > before.files + 4 {
            assert!(begin.elapsed() < END, "{what}: connections stay open");
            sleep(Duration::from_millis(50)).await;
        }
        assert!(!self.server.said().contains("panicked"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_http2_end_and_others_are_served() {
    let https = Https::start().await;
    let before = Usage::of(https.server.id());
    let odd = |number: u32| number.wrapping_mul(2).wrapping_add(1) & 0x7FFF_FFFF;
    let head = frames::endless_head();
    let none = Vec::new();
    let batch = |one: Vec<u8>| one.repeat(100);
    let (pings, settings) = (batch(frames::ping()), batch(frames::settings()));
    let part = frames::continuation();

    let attack = https.flood(&none, |number| {
        (0..50)
            .flat_map(|each| frames::reset(odd(number * 50 + each)))
            .collect()
    });
    let (ended, sent) = https.serves_during("rapid reset", attack).await;
    eprintln!("rapid reset: {} requests on {ended} connections", sent * 50);
    https.is_as_before(before, "rapid reset").await;

    for (what, bytes) in [("ping flood", pings), ("settings flood", settings)] {
        let attack = https.flood(&none, |_| bytes.clone());
        let (ended, sent) = https.serves_during(what, attack).await;
        eprintln!("{what}: {} frames on {ended} connections", sent * 100);
        https.is_as_before(before, what).await;
    }

    let attack = https.flood(&head, |_| part.clone());
    let (ended, sent) = https.serves_during("continuation flood", attack).await;
    eprintln!("continuation flood: {sent} frames on {ended} connections");
    // What the system keeps of a connection is 16 MiB at most.
    let parts = sent / u64::try_from(ended).unwrap();
    assert!(parts < 1000, "a head of {parts} parts");
    https.is_as_before(before, "continuation flood").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_nobody_reads_hold_no_memory_and_end() {
    let https = Https::start().await;
    let before = Usage::of(https.server.id());
    let stall = async {
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(0);
        let stream = https.connect().await.unwrap();
        let (mut requests, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
        let task = tokio::spawn(connection);
        let mut replies = Vec::new();
        for _ in 0..100 {
            let request = http::Request::get("https://localhost/index.yaml");
            requests = requests.ready().await.unwrap();
            replies.push(
                requests
                    .send_request(request.body(()).unwrap(), true)
                    .unwrap()
                    .0,
            );
        }
        for reply in join_all(replies).await {
            // The head is taken, the body never is.
            let mut body = reply.unwrap().into_body();
            let ended = timeout(END, body.data()).await.expect("the stream ends");
            assert!(ended.is_none_or(|piece| piece.is_err()));
        }
        task.abort();
    };
    https.serves_during("stalled streams", stall).await;
    https.is_as_before(before, "stalled streams").await;
}
