//! Requests per second: by `wrk`, or by a generator that costs a little more than that.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One request, to be sent over and over.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `http://127.0.0.1:PORT`.
    pub(crate) server: String,
    pub(crate) path: String,
    pub(crate) header: Option<(&'static str, String)>,
    /// The status that each reply must have.
    pub(crate) status: u16,
}

/// Sends it on so many connections for so long, and returns how many replies came in a second.
pub(crate) async fn rate(
    target: &Target,
    connections: usize,
    lasts: Duration,
    wrk: Option<&Path>,
) -> anyhow::Result<f64> {
    match wrk {
        Some(wrk) => by_wrk(wrk, target, connections, lasts).await,
        None => by_ourselves(target, connections, lasts).await,
    }
}

async fn by_wrk(
    wrk: &Path,
    target: &Target,
    connections: usize,
    lasts: Duration,
) -> anyhow::Result<f64> {
    let mut command = Command::new(wrk);
    command
        .args(["--threads", "2", "--timeout", "30s"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{}s", lasts.as_secs().max(1))]);
    if let Some((name, value)) = &target.header {
        command.arg("--header").arg(format!("{name}: {value}"));
    }
    command.arg(format!("{}{}", target.server, target.path));
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.context("wrk does not start")?;
    let said = String::from_utf8_lossy(&output.stdout);
    for trouble in ["Non-2xx", "Socket errors"] {
        let line = said.lines().find(|line| line.contains(trouble));
        anyhow::ensure!(line.is_none(), "wrk: {}", line.unwrap_or_default().trim());
    }
    let rate = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    let rate = rate.with_context(|| format!("wrk says no rate: {said}"))?;
    Ok(rate.trim().parse()?)
}

async fn by_ourselves(target: &Target, connections: usize, lasts: Duration) -> anyhow::Result<f64> {
    let address = target.server.trim_start_matches("http://");
    let address: SocketAddr = address.parse()?;
    let header = target.header.as_ref();
    let header = header.map_or_else(String::new, |(name, value)| format!("{name}: {value}\r\n"));
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {address}\r\n{header}\r\n",
        target.path
    );
    let begin = Instant::now();
    let end = begin + lasts;
    let mut running = JoinSet::new();
    for _ in 0..connections {
        let (request, status) = (request.clone(), target.status);
        running.spawn(async move { talk(address, request.as_bytes(), status, end).await });
    }
    let mut replies = 0;
    while let Some(one) = running.join_next().await {
        replies += one??;
    }
    Ok(replies as f64 / begin.elapsed().as_secs_f64())
}

/// Asks on one connection until `end`, and returns how many replies there were.
async fn talk(
    address: SocketAddr,
    request: &[u8],
    status: u16,
    end: Instant,
) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 256 * 1024];
    let expected = format!("HTTP/1.1 {status} ");
    let mut replies = 0;
    while Instant::now() < end {
        stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            let read = stream
                .read(buffer.get_mut(filled..).unwrap_or_default())
                .await?;
            anyhow::ensure!(read > 0, "the connection was closed");
            filled += read;
            let so_far = buffer.get(..filled).unwrap_or_default();
            if let Some(head) = head_of(so_far) {
                break head;
            }
        };
        let text = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
        anyhow::ensure!(text.starts_with(&expected), "answered {text}");
        let mut left = match status {
            304 => 0,
            _ => length_of(text)?.saturating_sub(filled - head),
        };
        while left > 0 {
            let read = stream.read(&mut buffer).await?;
            anyhow::ensure!(read > 0, "the connection was closed");
            left = left.saturating_sub(read);
        }
        replies += 1;
    }
    Ok(replies)
}

/// Returns where the body begins; nothing if the head is not whole.
pub(crate) fn head_of(bytes: &[u8]) -> Option<usize> {
    let end = b"\r\n\r\n";
    let place = bytes.windows(end.len()).position(|window| window == end)?;
    Some(place + end.len())
}

/// Returns the length that a head announces.
pub(crate) fn length_of(head: &str) -> anyhow::Result<usize> {
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length = lengths.next().context("a reply without a length")?;
    Ok(length.trim().parse()?)
}
