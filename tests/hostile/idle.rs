//! Many connections that ask for nothing.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::subject::Subject;
use crate::witness::Witness;

const CONNECTIONS: usize = 2000;
const END: Duration = Duration::from_secs(15);

/// Opens them all, and keeps them. Half of them have asked for something before.
async fn open(address: &str) -> Vec<TcpStream> {
    let connect = |number: usize| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if number.is_multiple_of(2) {
            let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
            // It may be closed by then, to make room for others.
            let _ = stream.write_all(request).await;
        }
        stream
    };
    stream::iter(0..CONNECTIONS)
        .map(connect)
        .buffer_unordered(100)
        .collect()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_idle_connections_keep_nobody_out() {
    let subject = Subject::start();
    let witness = Witness::of(&subject);
    let begin = Instant::now();
    // Twice, so that they are more than the server takes for longer than it leaves them alone.
    for _ in 0..2 {
        let open = timeout(END, open(subject.address())).await;
        let ends = open.expect("nobody waits for a connection").into_iter();
        let ends = ends.map(|mut stream| async move {
            // The server's deadline, or the room that others need.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        timeout(END, futures_util::future::join_all(ends))
            .await
            .expect("the server ends them");
    }
    eprintln!("idle connections: {:.1?}", begin.elapsed());
    witness.was_served("idle connections");
    subject.is_as_before("idle connections");
}
