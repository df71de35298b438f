//! A service of our own that answers what a test wants, right or wrong.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chartroom_storage::{BucketOptions, Location, Store, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What it gets.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status, further headers, and a body, which HEAD is spared.
    Reply(u16, &'static str, String),
    /// Nothing, ever.
    Silence,
    /// The end of the connection.
    Cut,
}

/// The error of an object store.
pub(crate) fn refusal(status: u16, code: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>said so</Message></Error>");
    Answer::Reply(status, "", body)
}

type Answering = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// The service. Dropping it ends it.
pub(crate) struct Service {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Service {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (book, answer): (_, Answering) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&book), Arc::clone(&answer)));
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many requests came since the last time.
    pub(crate) fn count(&self) -> usize {
        std::mem::take(&mut *self.asked.lock().unwrap()).len()
    }

    /// An S3 store over it.
    pub(crate) fn s3(&self) -> Store {
        open("s3://bucket/prefix", &options(&self.url(), &KEYS))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    book: Arc<Mutex<Vec<Asked>>>,
    answer: Answering,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut words = head.split(' ').map(str::to_owned);
    let mut asked = Asked {
        method: words.next().unwrap(),
        path: words.next().unwrap(),
        head,
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    asked.body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    let answer = answer(&asked);
    let is_head = asked.method == "HEAD";
    book.lock().unwrap().push(asked);
    match answer {
        Answer::Reply(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            if !is_head {
                stream.write_all(body.as_bytes()).await?;
            }
            stream.shutdown().await
        }
        Answer::Silence => std::future::pending().await,
        Answer::Cut => Ok(()),
    }
}

pub(crate) const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "hush"),
];

pub(crate) fn options(endpoint: &str, variables: &[(&str, &str)]) -> BucketOptions {
    BucketOptions {
        endpoint: Some(endpoint.to_owned()),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..BucketOptions::default()
    }
}

/// Deadlines that a test can wait for.
pub(crate) const LIMITS: Timeouts = Timeouts {
    small: Duration::from_secs(2),
    transfer: Duration::from_secs(3),
};

pub(crate) fn open(location: &str, options: &BucketOptions) -> Store {
    Store::open(&Location::parse(location).unwrap(), options, LIMITS).unwrap()
}
