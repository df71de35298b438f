//! Uploads as multipart/form-data.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use chartroom::http::fuzzing::{self, Files};
use chartroom::http::settings::Settings;
use tokio::runtime::{Builder, Runtime};

#[derive(Arbitrary, Debug)]
struct Upload {
    chunks: Vec<u8>,
    limit: Option<u8>,
    body: Body,
}

#[derive(Arbitrary, Debug)]
enum Body {
    Parts(Vec<Part>),
    Raw(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
struct Part {
    name: Name,
    file: Option<FileName>,
    header: Option<String>,
    content: Vec<u8>,
}

#[derive(Arbitrary, Debug, PartialEq)]
enum Name {
    Chart,
    Package,
    Provenance,
    Signature,
    Other(u8),
}

#[derive(Arbitrary, Debug)]
enum FileName {
    Plain,
    Empty,
    Spaces,
}

impl Name {
    fn text(&self) -> String {
        match self {
            Self::Chart => "chart".to_owned(),
            Self::Package => "package".to_owned(),
            Self::Provenance => "prov".to_owned(),
            Self::Signature => "signature".to_owned(),
            Self::Other(number) => format!("f{number}"),
        }
    }
}

impl FileName {
    fn text(&self) -> &'static str {
        match self {
            Self::Plain => "a.tgz",
            Self::Empty => "",
            Self::Spaces => "a b;c.tgz",
        }
    }
}

const BOUNDARY: &str = "Xb";

thread_local! {
    /// The deadline of a body needs a clock.
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
}

/// Takes the bytes for a body and for how it arrives.
pub fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(upload) = Upload::arbitrary(&mut input) else {
        return;
    };
    let body = match &upload.body {
        Body::Parts(parts) => write(parts),
        Body::Raw(bytes) => bytes.clone(),
    };
    if body.len() > 1 << 16 {
        return;
    }
    let whole = read(vec![Bytes::from(body.clone())], u64::MAX);
    let bytewise = body.iter().map(|byte| Bytes::from(vec![*byte]));
    assert_eq!(read(bytewise.collect(), u64::MAX), whole);
    assert_eq!(read(cut(&body, &upload.chunks), u64::MAX), whole);
    if let Body::Parts(parts) = &upload.body
        && are_plain(parts)
    {
        assert_eq!(whole.ok(), expected(parts));
    }
    if let Some(limit) = upload.limit.map(u64::from)
        && let Ok((chart, provenance)) = read(cut(&body, &upload.chunks), limit)
    {
        let files = chart.iter().chain(provenance.iter());
        assert!(files.map(|file| file.len() as u64).sum::<u64>() <= limit);
    }
}

fn read(chunks: Vec<Bytes>, limit: u64) -> Result<Files, String> {
    let settings = Settings {
        max_upload_size: limit,
        chart_field: "package".to_owned(),
        provenance_field: "signature".to_owned(),
        ..Settings::default()
    };
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    RUNTIME.with(|runtime| runtime.block_on(fuzzing::form(&content_type, chunks, &settings)))
}

/// Cuts a body into pieces of these lengths, over and over.
fn cut(body: &[u8], lengths: &[u8]) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    let mut rest = body;
    let lengths = lengths.iter().map(|length| usize::from(*length));
    let mut lengths = lengths.filter(|length| *length > 0).cycle();
    while !rest.is_empty() {
        let length = lengths.next().unwrap_or(rest.len()).min(rest.len());
        let (chunk, after) = rest.split_at(length);
        chunks.push(Bytes::copy_from_slice(chunk));
        rest = after;
    }
    chunks
}

fn write(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let name = part.name.text();
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
        if let Some(file) = &part.file {
            head.push_str(&format!("; filename=\"{}\"", file.text()));
        }
        if let Some(header) = &part.header {
            head.push_str(&format!("\r\nX-Other: {header}"));
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Tells whether nobody can misread the parts.
fn are_plain(parts: &[Part]) -> bool {
    let delimiter = format!("--{BOUNDARY}");
    let is_plain = |part: &Part| {
        let mut windows = part.content.windows(delimiter.len());
        part.header.is_none() && !windows.any(|window| window == delimiter.as_bytes())
    };
    !parts.is_empty() && parts.iter().all(is_plain)
}

/// What a form of plain parts holds; `None` if nothing can be stored of it.
fn expected(parts: &[Part]) -> Option<Files> {
    let first = |name: &Name| {
        let part = parts
            .iter()
            .find(|part| part.name == *name && part.file.is_some())?;
        Some(Bytes::from(part.content.clone()))
    };
    let chart = (first(&Name::Chart), first(&Name::Package));
    let provenance = (first(&Name::Provenance), first(&Name::Signature));
    let differ = |files: &Files| files.0.is_some() && files.1.is_some() && files.0 != files.1;
    if differ(&chart) || differ(&provenance) {
        return None;
    }
    let files = (chart.0.or(chart.1), provenance.0.or(provenance.1));
    (files.0.is_some() || files.1.is_some()).then_some(files)
}
