//! Provenance files: a chart's metadata and the digests of its archive, clear-signed with PGP.
//!
//! The signature is not checked here: nobody but the reader of a chart knows whose to trust.

use std::collections::BTreeMap;

use super::digest::{Digest, DigestError};
use super::metadata::decode::{FieldError, fields, fold, text};
use super::version::{ChartVersion, VersionError};
use super::yaml::{self, Budget, YamlError};

/// Largest provenance file: the metadata is at most 1 MiB in an archive.
pub const MAX_BYTES: usize = 2 << 20;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// What a provenance file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The chart's name.
    pub name: String,
    /// The chart's version, as written.
    pub version: String,
    /// File names and their digests; one, in all that `helm package --sign` writes.
    pub files: BTreeMap<String, Digest>,
}

/// Why a text is not a provenance file.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    /// Longer than [`MAX_BYTES`].
    #[error("provenance file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not UTF-8.
    #[error("provenance file is not text")]
    Encoding,
    /// Not a clear-signed message with headers, a body and a signature.
    #[error("provenance file is not a PGP signed message")]
    NotSigned,
    /// No line `...` between the metadata and the digests.
    #[error("provenance file does not separate metadata and files by a line with three dots")]
    NoSeparator,
    /// One of the two parts is not YAML.
    #[error("provenance file: {0}")]
    Yaml(#[from] YamlError),
    /// A field has the wrong kind.
    #[error("provenance file: {0}")]
    Field(#[from] FieldError),
    /// No name.
    #[error("provenance file names no chart")]
    NoName,
    /// Not the version of a chart.
    #[error("provenance file: {0}")]
    Version(#[from] VersionError),
    /// No digest at all.
    #[error("provenance file lists no files")]
    NoFiles,
    /// Not `sha256:` and a digest.
    #[error("provenance file: digest of {0:?} is not sha256 and 64 hex digits")]
    Digest(String),
}

impl Provenance {
    /// Parses a provenance file, with either kind of line end.
    ///
    /// # Errors
    /// When helm could not use it, whatever the keys.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProvenanceError> {
        if bytes.len() > MAX_BYTES {
            return Err(ProvenanceError::TooLarge);
        }
        let message = std::str::from_utf8(bytes).map_err(|_| ProvenanceError::Encoding)?;
        let body = signed_text(message).ok_or(ProvenanceError::NotSigned)?;
        let (metadata, files) = body
            .split_once("\n...\n")
            .ok_or(ProvenanceError::NoSeparator)?;
        // Helm looks at the second part only, were there more.
        let files = files.split("\n...\n").next().unwrap_or_default();
        let (name, version) = identity(metadata)?;
        Ok(Self {
            name,
            version,
            files: digests(files)?,
        })
    }
}

/// Returns the text between the headers and the signature, dashes unescaped (RFC 4880, 7.1), with
/// LF at the line ends.
fn signed_text(message: &str) -> Option<String> {
    let mut lines = message.lines().map(str::trim_end);
    if lines.find(|line| !line.is_empty())? != BEGIN {
        return None;
    }
    // Headers such as `Hash: SHA512`, up to an empty line.
    lines.find(|line| line.is_empty())?;
    let mut text = String::with_capacity(message.len());
    for line in lines {
        if line == SIGNATURE {
            return Some(text);
        }
        text.push_str(line.strip_prefix("- ").unwrap_or(line));
        text.push('\n');
    }
    None
}

fn identity(metadata: &str) -> Result<(String, String), ProvenanceError> {
    let document = yaml::read(metadata.as_bytes(), Budget::for_bytes(MAX_BYTES))?;
    let (mut name, mut version) = (String::new(), String::new());
    for (key, value) in fields(&document, "the document")? {
        match &*fold(key) {
            "name" => text(key, value, &mut name)?,
            "version" => text(key, value, &mut version)?,
            _ => {}
        }
    }
    if name.is_empty() {
        return Err(ProvenanceError::NoName);
    }
    version.parse::<ChartVersion>()?;
    Ok((name, version))
}

fn digests(part: &str) -> Result<BTreeMap<String, Digest>, ProvenanceError> {
    let document = yaml::read(part.as_bytes(), Budget::for_bytes(MAX_BYTES))?;
    let mut files = BTreeMap::new();
    for (key, value) in fields(&document, "the document")? {
        if fold(key) != "files" {
            continue;
        }
        for (file, digest) in fields(value, key)? {
            let mut written = String::new();
            text(file, digest, &mut written)?;
            let digest = parse_digest(&written)
                .map_err(|DigestError| ProvenanceError::Digest(file.to_owned()))?;
            files.insert(file.to_owned(), digest);
        }
    }
    if files.is_empty() {
        return Err(ProvenanceError::NoFiles);
    }
    Ok(files)
}

fn parse_digest(text: &str) -> Result<Digest, DigestError> {
    text.strip_prefix("sha256:").ok_or(DigestError)?.parse()
}
