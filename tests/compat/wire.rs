//! HTTP/1.1 by hand: what is sent is exactly what a test says, dot segments and all, and what comes
//! back is looked at as it came.

use std::fmt::{self, Write as _};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a reply.
const PATIENCE: Duration = Duration::from_mins(1);

/// The boundary of forms.
const BOUNDARY: &str = "d7a1c0f3b2";

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    is_chunked: bool,
}

/// A file of a form, or a text if it has no file name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) field: &'a str,
    pub(crate) file: Option<&'a str>,
    pub(crate) content: &'a [u8],
}

/// A file in the field of that name.
pub(crate) fn file<'a>(field: &'a str, content: &'a [u8]) -> Part<'a> {
    let file = Some("x.tgz");
    Part {
        field,
        file,
        content,
    }
}

impl Ask {
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            headers: Vec::new(),
            body: None,
            is_chunked: false,
        }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn head(target: impl Into<String>) -> Self {
        Self::new("HEAD", target)
    }

    pub(crate) fn delete(target: impl Into<String>) -> Self {
        Self::new("DELETE", target)
    }

    pub(crate) fn post(target: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::new("POST", target)
        }
    }

    /// A form as curl sends it.
    pub(crate) fn form(target: impl Into<String>, parts: &[Part<'_>]) -> Self {
        let mut body = Vec::new();
        for part in parts {
            let file = part
                .file
                .map(|file| format!("; filename=\"{file}\""))
                .unwrap_or_default();
            let kind = part
                .file
                .map_or("", |_| "Content-Type: application/octet-stream\r\n");
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"{file}\r\n{kind}\r\n",
                part.field
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(part.content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        Self::post(target, body).header("Content-Type", &kind)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the body in chunks, without its length in front.
    pub(crate) fn chunked(self) -> Self {
        Self {
            is_chunked: true,
            ..self
        }
    }

    /// Tells whether it changes nothing, and may be sent again.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }

    fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let Self { method, target, .. } = self;
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        for (name, value) in &self.headers {
            // Writing to a String cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        match &self.body {
            Some(_) if self.is_chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Some(body) => {
                let _ = write!(head, "Content-Length: {}\r\n", body.len());
            }
            None => {}
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        let body = self.body.as_deref().unwrap_or_default();
        if self.is_chunked {
            for chunk in body.chunks(1000) {
                bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(body);
        }
        bytes
    }

    /// Sends it on a connection of its own and reads the whole reply.
    pub(crate) fn send(&self, address: SocketAddr) -> io::Result<Reply> {
        exchange(address, &self.bytes(address), self.method == "HEAD")
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.target)
    }
}

/// A reply, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header; names know no case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.header("Content-Type").unwrap_or("no type");
        let text = self.text();
        let shown: String = text.chars().take(600).collect();
        write!(formatter, "{} ({kind}) {shown:?}", self.status)
    }
}

/// Sends bytes and reads one reply.
pub(crate) fn exchange(address: SocketAddr, request: &[u8], is_head: bool) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // A server that refuses early may close while this still sends; its reply is there to read.
    let sent = stream.write_all(request);
    let reply = read(&mut BufReader::new(stream), is_head);
    match (sent, reply) {
        (_, Ok(reply)) => Ok(reply),
        (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(error),
    }
}

fn read(stream: &mut impl BufRead, is_head: bool) -> io::Result<Reply> {
    let (status, headers) = head(stream)?;
    let mut reply = Reply {
        status,
        headers,
        body: Vec::new(),
    };
    if is_head || status == 304 || status == 204 {
        return Ok(reply);
    }
    reply.body = if reply.header("Transfer-Encoding") == Some("chunked") {
        chunks(stream)?
    } else if let Some(length) = reply.header("Content-Length") {
        let length = length.parse().map_err(io::Error::other)?;
        let mut body = Vec::new();
        stream.take(length).read_to_end(&mut body)?;
        if body.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        body
    } else {
        let mut body = Vec::new();
        stream.read_to_end(&mut body)?;
        body
    };
    Ok(reply)
}

fn head(stream: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("not a status line: {first:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Ok((status, headers));
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(line(stream)?.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size];
        stream.read_exact(&mut chunk)?;
        body.extend_from_slice(&chunk);
        line(stream)?;
        if size == 0 {
            return Ok(body);
        }
    }
}
