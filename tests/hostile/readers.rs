//! Clients that read a byte now and then, while the index changes under them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::sleep;

use crate::archive::Archive;
use crate::subject::{Subject, Usage};
use crate::witness::Witness;

const READERS: usize = 50;
/// How long they read.
const TIME: Duration = Duration::from_secs(6);
/// Much less than all of their indexes together, and more than one with what a test takes anyway.
const ROOM: u64 = 64 << 20;

/// An index of 12 MiB.
fn charts() -> Vec<(String, Vec<u8>)> {
    let description = "d".repeat(60_000);
    let chart = |number: usize| {
        let metadata = format!(
            "apiVersion: v2\nname: chart-{number}\nversion: 1.0.0\ndescription: {description}\n"
        );
        let archive = Archive::default().file("c/Chart.yaml", metadata).tgz();
        (format!("chart-{number}-1.0.0.tgz"), archive)
    };
    (0..200).map(chart).collect()
}

/// Reads 1 KB a second, with a window as small as the system allows, and begins anew when it is given
/// up. Returns how often that was.
async fn read_slowly(address: &str) -> usize {
    let begin = Instant::now();
    let mut given_up = 0;
    while begin.elapsed() < TIME {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let request = b"GET /index.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut space = [0; 100];
        while begin.elapsed() < TIME && stream.read_exact(&mut space).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
        given_up += usize::from(begin.elapsed() < TIME);
    }
    given_up
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_of_the_index_hold_nobody_up_and_no_copies() {
    let subject = Subject::over(&charts(), &[]);
    let witness = Witness::of(&subject);
    let before = Usage::of(subject.server.id());
    let readers = join_all((0..READERS).map(|_| read_slowly(subject.address())));
    let given_up: usize = readers.await.into_iter().sum();
    let after = Usage::of(subject.server.id());
    eprintln!(
        "slow readers: from {} to {} MiB, {given_up} given up",
        before.resident >> 20,
        after.resident >> 20
    );
    assert!(given_up > 0, "the server waits for them for ever");
    assert!(after.resident <= before.resident + ROOM);
    witness.was_served("slow readers");
    subject.is_as_before("slow readers");
}
