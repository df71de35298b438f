//! The reader of chart archives.

use arbitrary::{Arbitrary, Unstructured};
use chartroom::chart::archive::{self, Acceptance, ArchiveError};
use chartroom::chart::{ChartVersion, Digest, Limits, Metadata};
use flate2::Compression;

use crate::tar;

/// Small, so that they are met.
const LIMITS: Limits = Limits {
    archive_bytes: 1 << 20,
    content_bytes: 96 << 10,
    file_bytes: 32 << 10,
    entries: 48,
    header_bytes: 2 << 10,
    metadata_bytes: 16 << 10,
    yaml_bytes: 32 << 10,
    depth: 3,
    ratio: 300,
    extracted_bytes: 48 << 10,
    rendered_bytes: 8 << 10,
};

/// For what was taken under [`LIMITS`] and is packed anew.
const WIDER: Limits = Limits {
    entries: 200,
    content_bytes: 128 << 10,
    file_bytes: 48 << 10,
    header_bytes: 64 << 10,
    extracted_bytes: 1 << 20,
    ..LIMITS
};

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The first byte says what the others are: an archive, a tar whose checksums are put right, or what an
/// archive is built of.
pub fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    match kind % 3 {
        0 => {
            let _ = check(rest);
        }
        1 => check_tar(&tar::repaired(rest)),
        _ => {
            let mut input = Unstructured::new(rest);
            if let Ok(entries) = Vec::<Entry>::arbitrary(&mut input) {
                check_tar(&pack(&entries, 3));
            }
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Entry {
    /// A file of a chart: which one, in which folder.
    File(Place, u8, Body),
    /// A file of any name.
    Odd(String, Body),
    /// A header that lies about its body.
    Lie(u8, Place, u8, u64, Vec<u8>),
    /// Records about the next entry.
    Pax(Vec<(PaxKey, String)>),
    LongName(String),
    Raw(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Place {
    Top,
    Directory,
    OtherDirectory,
    Nested,
    Elsewhere(String),
}

#[derive(Arbitrary, Debug)]
enum PaxKey {
    Path,
    Size,
    Time,
    Other(String),
}

#[derive(Arbitrary, Debug)]
enum Body {
    Text(String),
    Bytes(Vec<u8>),
    Zeros(u16),
    Chart,
    Archive(Vec<Entry>),
}

const NAMES: [&str; 12] = [
    "Chart.yaml",
    "values.yaml",
    "requirements.yaml",
    "Chart.lock",
    "requirements.lock",
    "templates/a.yaml",
    "charts/b.tgz",
    "charts/c.tgz",
    "charts/b.tgz/x",
    "charts/_d.tgz",
    "charts/README",
    "README.md",
];

fn pack(entries: &[Entry], depth: usize) -> Vec<u8> {
    let mut packed = Vec::new();
    for entry in entries {
        match entry {
            Entry::File(place, name, body) => {
                tar::push(
                    &mut packed,
                    b'0',
                    &name_in(place, *name),
                    &body.bytes(depth),
                );
            }
            Entry::Odd(name, body) => tar::push(&mut packed, b'0', name, &body.bytes(depth)),
            Entry::Lie(flag, place, name, size, body) => {
                let name: Vec<u8> = name_in(place, *name).bytes().take(100).collect();
                tar::push_header(&mut packed, *flag, &name, *size);
                tar::push_body(&mut packed, body);
            }
            Entry::Pax(records) => {
                let mut body = String::new();
                for (key, value) in records {
                    let key = match key {
                        PaxKey::Path => "path",
                        PaxKey::Size => "size",
                        PaxKey::Time => "mtime",
                        PaxKey::Other(key) => key,
                    };
                    let record = format!(" {key}={value}\n");
                    let mut length = record.len() + 1;
                    while format!("{length}{record}").len() != length {
                        length += 1;
                    }
                    body.push_str(&format!("{length}{record}"));
                }
                tar::push(&mut packed, b'x', "pax", body.as_bytes());
            }
            Entry::LongName(name) => tar::push(&mut packed, b'L', "long", name.as_bytes()),
            Entry::Raw(bytes) => packed.extend_from_slice(bytes),
        }
        if packed.len() > LIMITS.archive_bytes / 2 {
            break;
        }
    }
    packed
}

fn name_in(place: &Place, name: u8) -> String {
    let name = NAMES[usize::from(name) % NAMES.len()];
    match place {
        Place::Top => format!("demo/{name}"),
        Place::Directory => format!("demo/charts/sub/{name}"),
        Place::OtherDirectory => format!("demo\\charts\\other\\{name}"),
        Place::Nested => format!("demo/charts/sub/charts/deep/{name}"),
        Place::Elsewhere(folder) => format!("{folder}/{name}"),
    }
}

impl Body {
    fn bytes(&self, depth: usize) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Zeros(count) => vec![0; usize::from(*count)],
            Self::Chart => b"apiVersion: v2\nname: demo\nversion: 1.0.0\n".to_vec(),
            Self::Archive(_) if depth == 0 => Vec::new(),
            Self::Archive(entries) => tar::gzip(&pack(entries, depth - 1), Compression::fast()),
        }
    }
}

type Outcome = Result<Metadata, String>;

fn check_tar(tar: &[u8]) {
    let outcome = check(&tar::gzip(tar, Compression::none()));
    // A stream is the same however it is deflated and cut into members.
    let (one, two) = tar.split_at(tar.len() / 3);
    let cut = [
        tar::gzip(one, Compression::fast()),
        tar::gzip(two, Compression::best()),
    ];
    assert_eq!(read(&cut.concat(), &LIMITS), outcome);
}

fn read(bytes: &[u8], limits: &Limits) -> Outcome {
    match archive::read(bytes, limits, Acceptance::Helm) {
        Ok(chart) => Ok(chart.metadata),
        Err(error) => Err(error.to_string()),
    }
}

fn check(bytes: &[u8]) -> Outcome {
    let files = archive::files(bytes, &LIMITS, |_| true);
    if let Ok(files) = &files {
        check_files(files);
    }
    let upload = archive::read(bytes, &LIMITS, Acceptance::Upload);
    let chart = match archive::read(bytes, &LIMITS, Acceptance::Helm) {
        Ok(chart) => chart,
        Err(error) => {
            assert!(
                upload.is_err(),
                "an upload is taken that helm does not load: {error}"
            );
            return Err(error.to_string());
        }
    };
    if let Ok(upload) = upload {
        assert_eq!(upload, chart);
        let rendered = serde_json::to_vec(&chart.metadata).expect("metadata is JSON");
        assert!(rendered.len() <= LIMITS.rendered_bytes);
    }
    assert_eq!(chart.size, bytes.len() as u64);
    assert_eq!(chart.digest, Digest::of(bytes));
    assert!(!chart.metadata.name.is_empty() && !chart.metadata.name.contains('/'));
    assert!(chart.metadata.version.parse::<ChartVersion>().is_ok());
    match files {
        Ok(files) => check_packed_anew(bytes, &files, &chart.metadata),
        Err(ArchiveError::ExtractedTooLarge(_)) => {}
        Err(error) => panic!("a chart whose files cannot be read: {error}"),
    }
    Ok(chart.metadata)
}

fn check_files(files: &[(String, Vec<u8>)]) {
    let sizes = files.iter().map(|(_, content)| content.len());
    assert!(sizes.clone().sum::<usize>() <= LIMITS.extracted_bytes);
    assert!(sizes.max().unwrap_or_default() as u64 <= LIMITS.file_bytes);
    assert!(files.len() <= LIMITS.entries);
    for (path, _) in files {
        assert!(
            !path.is_empty() && !path.starts_with('/') && !path.contains(['\\', '\0']),
            "{path:?}"
        );
        for segment in path.split('/') {
            assert!(!matches!(segment, "" | "." | ".."), "{path:?}");
        }
    }
}

/// The files of a chart, packed in the plainest way, are the same chart.
fn check_packed_anew(bytes: &[u8], files: &[(String, Vec<u8>)], metadata: &Metadata) {
    let mut packed = Vec::new();
    for (path, content) in files {
        // Only one byte order mark is cut off.
        let mark: &[u8] = if content.starts_with(MARK) { MARK } else { b"" };
        let content = [mark, content].concat();
        tar::push(&mut packed, b'0', &format!("x/{path}"), &content);
    }
    let packed = tar::gzip(&packed, Compression::none());
    assert_eq!(read(&packed, &WIDER).as_ref(), Ok(metadata));
    let again = archive::files(&packed, &WIDER, |_| true).expect("just packed");
    assert_eq!(again, files);
    let last = files.iter().rfind(|(path, _)| path == "Chart.yaml");
    let one = archive::file(bytes, "Chart.yaml", &LIMITS).expect("was read before");
    assert_eq!(one.as_ref(), last.map(|(_, content)| content));
    let mut unread = bytes;
    let contents = archive::contents(&mut unread, &LIMITS).expect("was read before");
    let templates = files
        .iter()
        .filter(|(path, _)| path.starts_with("templates/"));
    assert_eq!(contents.templates.len(), templates.count());
}
