//! Clients that take their time, and those that go away halfway.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::subject::Subject;
use crate::witness::Witness;

/// Longer than each of the server's deadlines, on a busy machine too.
const END: Duration = Duration::from_secs(15);

/// Sends a text, then a byte now and then until the server ends the connection. Returns what it said.
async fn trickle(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut said = Vec::new();
    let drip = async {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = async {
        tokio::select! {
            _ = reader.read_to_end(&mut said) => {}
            () = drip => {}
        }
    };
    timeout(END, ended).await.expect("the server ends it");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_are_given_up() {
    let subject = Subject::start();
    let witness = Witness::of(&subject);
    let begin = Instant::now();
    let heads = (0..400).map(|_| trickle(subject.address(), "GET / HTTP/1.1\r\nHost: "));
    for said in join_all(heads).await {
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    assert!(begin.elapsed() < END);
    witness.was_served("slow heads");
    subject.is_as_before("slow heads");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_are_given_up_and_hold_no_more_than_the_slots() {
    let subject = Subject::start();
    let witness = Witness::of(&subject);
    let head = "POST /api/charts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n";
    let bodies = (0..200).map(|_| trickle(subject.address(), head));
    let said = join_all(bodies).await;
    let count = |status: &str| {
        let start = format!("HTTP/1.1 {status}");
        said.iter().filter(|said| said.starts_with(&start)).count()
    };
    assert!((1..=16).contains(&count("408")), "{}", count("408"));
    assert_eq!(count("408") + count("503"), 200, "{said:?}");
    witness.was_served("slow bodies");
    subject.is_as_before("slow bodies");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_closed_connections_end() {
    let subject = Subject::start();
    let witness = Witness::of(&subject);
    let whole = "GET /index.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let half_head = "GET /index.yaml HTTP/1.1\r\nHo";
    let half_body = "POST /api/charts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx";
    let half_closed = |text: &'static str| async {
        let mut stream = TcpStream::connect(subject.address()).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        // What was not read may be answered with a reset.
        let ended = stream.read_to_end(&mut said);
        let _ = timeout(END, ended).await.expect("the server ends it");
        String::from_utf8_lossy(&said).into_owned()
    };
    let (whole, rest) = tokio::join!(
        join_all((0..200).map(|_| half_closed(whole))),
        join_all((0..200).flat_map(|_| [half_closed(half_head), half_closed(half_body)]))
    );
    for said in whole {
        // A client that says goodbye before it has its reply may go without.
        let is_fine = said.is_empty() || said.starts_with("HTTP/1.1 200");
        assert!(is_fine, "{said}");
    }
    for said in rest {
        assert!(!said.starts_with("HTTP/1.1 2"), "{said}");
    }
    witness.was_served("half-closed connections");
    subject.is_as_before("half-closed connections");
}
