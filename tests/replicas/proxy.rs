//! A way to the store that can be slow, cut, or lose replies: a TCP proxy on loopback.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// What becomes of what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    /// Every piece of a reply comes so much later.
    Slow(Duration),
    /// Connections break.
    Cut,
    /// The replies to this many puts of archives never come: their connections break.
    LosePuts(usize),
}

/// The proxy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: Arc<Mutex<Mode>>,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts in front of the server at `url`.
    pub(crate) fn start(runtime: &Runtime, url: &str) -> Self {
        let target = url.strip_prefix("http://").expect("no TLS").to_owned();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)));
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let mode = Arc::new(Mutex::new(Mode::Open));
        let requests = Arc::default();
        let shared = (Arc::clone(&mode), Arc::clone(&requests));
        let task = runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (mode, requests) = shared.clone();
                tokio::spawn(connect(client, target.clone(), mode, requests));
            }
        });
        Self {
            address,
            mode,
            requests,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().expect("no panic while it is held") = mode;
    }

    pub(crate) fn mode(&self) -> Mode {
        *self.mode.lock().expect("no panic while it is held")
    }
}

impl Proxy {
    /// How many requests of this method for archives passed.
    pub(crate) fn requests_for_archives(&self, method: &str) -> usize {
        let requests = self.requests.lock().expect("no panic while it is held");
        let is_one = |line: &&String| line.starts_with(method) && line.contains(".tgz ");
        requests.iter().filter(is_one).count()
    }

    /// How many requests passed.
    pub(crate) fn all_requests(&self) -> usize {
        self.requests
            .lock()
            .expect("no panic while it is held")
            .len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(
    client: TcpStream,
    target: String,
    mode: Arc<Mutex<Mode>>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The first line of the request that the next reply is to.
    let request = Mutex::new(String::new());
    // Whichever ends first ends both, as a broken connection does.
    tokio::select! {
        () = forward(from_client, to_server, &request, &requests, &mode) => {}
        () = reply(from_server, to_client, &request, &mode) => {}
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    request: &Mutex<String>,
    requests: &Mutex<Vec<String>>,
    mode: &Mutex<Mode>,
) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let piece = &piece[..length];
        let begins = ["GET /", "PUT /", "HEAD /", "POST /", "DELETE /"];
        if begins
            .iter()
            .any(|begin| piece.starts_with(begin.as_bytes()))
        {
            let line = piece.split(|byte| *byte == b'\r').next();
            let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
            requests.lock().expect("no panic").push(line.clone());
            *request.lock().expect("no panic") = line;
        }
        let is_cut = *mode.lock().expect("no panic") == Mode::Cut;
        if is_cut || to.write_all(piece).await.is_err() {
            return;
        }
    }
}

async fn reply(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    request: &Mutex<String>,
    mode: &Mutex<Mode>,
) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let is_put_of_archive = {
            let line = request.lock().expect("no panic");
            line.starts_with("PUT ") && line.contains(".tgz ")
        };
        let delay = {
            let mut mode = mode.lock().expect("no panic");
            match &mut *mode {
                Mode::Slow(delay) => *delay,
                Mode::Cut => return,
                Mode::LosePuts(left) if *left > 0 && is_put_of_archive => {
                    *left -= 1;
                    return;
                }
                Mode::Open | Mode::LosePuts(_) => Duration::ZERO,
            }
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
