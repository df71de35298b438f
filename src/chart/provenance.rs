//! Provenance files: a chart's metadata and the digests of its archive, clear-signed with PGP.
//!
//! Signatures are not checked here but in [`signature`](crate::signature), by who knows whose to trust.

use std::collections::BTreeMap;

use super::digest::{Digest, DigestError};
use super::metadata::decode::{FieldError, fields, fold, text};
use super::name::{FileName, NameError};
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
        Self::of_text(&body)
    }

    /// Parses the text of a signed message, which is already out of its armor.
    ///
    /// # Errors
    /// As [`Provenance::parse`].
    pub(crate) fn parse_signed(text: &[u8]) -> Result<Self, ProvenanceError> {
        if text.len() > MAX_BYTES {
            return Err(ProvenanceError::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| ProvenanceError::Encoding)?;
        Self::of_text(text)
    }

    fn of_text(body: &str) -> Result<Self, ProvenanceError> {
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

    /// Returns the name under which this is stored: beside the archive, by the chart that it names
    /// and not by the file that it lists.
    ///
    /// # Errors
    /// When name and version do not make a safe file name.
    pub fn file_name(&self) -> Result<FileName, NameError> {
        Ok(FileName::of_version(&self.name, &self.version)?.provenance())
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

/// Helm compares the texts: upper-case digits never match.
fn parse_digest(text: &str) -> Result<Digest, DigestError> {
    let digits = text.strip_prefix("sha256:").ok_or(DigestError)?;
    if digits.contains(|digit: char| digit.is_ascii_uppercase()) {
        return Err(DigestError);
    }
    digits.parse()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "c6841b3a895f1444a6738b5d04564a57e860ce42f8519c3be807fb6d9bee7888";

    /// As `helm package --sign` writes it.
    fn sample() -> String {
        format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v1\n\
             description: Test chart versioning\nname: hashtest\nversion: 1.2.3\n\n...\nfiles:\n  \
             hashtest-1.2.3.tgz: sha256:{HEX}\n-----BEGIN PGP SIGNATURE-----\n\nwsBcBAEB\n=YgnR\n\
             -----END PGP SIGNATURE-----\n"
        )
    }

    #[test]
    fn what_helm_signs_is_read() {
        let text = sample();
        let crlf = text.replace('\n', "\r\n");
        let two_headers = text.replace("Hash: SHA512", "Hash: SHA512\nComment: x");
        let blank_in_front = format!("\n{text}");
        let escaped = text.replace("description:", "- -x: y\ndescription:");
        for text in [&text, &crlf, &two_headers, &blank_in_front, &escaped] {
            let provenance = Provenance::parse(text.as_bytes()).unwrap();
            assert_eq!(provenance.name, "hashtest");
            assert_eq!(provenance.version, "1.2.3");
            let digest = HEX.parse().unwrap();
            assert_eq!(
                provenance.files,
                [("hashtest-1.2.3.tgz".to_owned(), digest)].into()
            );
            let name = provenance.file_name().unwrap();
            assert_eq!(name.as_str(), "hashtest-1.2.3.tgz.prov");
        }
    }

    #[test]
    fn the_version_is_coerced_as_in_the_chart() {
        let text = sample().replace("1.2.3\n\n", "1.10\n\n");
        assert_eq!(Provenance::parse(text.as_bytes()).unwrap().version, "1.1");
    }

    #[test]
    fn other_texts_are_refused() {
        let sample = sample();
        let cases = [
            (String::new(), "is not a PGP signed message"),
            ("junk".to_owned(), "is not a PGP signed message"),
            (
                sample.replace("BEGIN PGP SIGNATURE", "X"),
                "is not a PGP signed message",
            ),
            (
                sample
                    .replace("SHA512\n\n", "SHA512\n")
                    .replace("\n\n", "\n"),
                "is not a PGP signed message",
            ),
            (sample.replace("\n...\n", "\n"), "three dots"),
            (sample.replace("name: hashtest\n", ""), "names no chart"),
            (
                sample.replace("name: hashtest", "name: [x]"),
                "field `name` must be a text",
            ),
            (
                sample.replace("version: 1.2.3", "version: x"),
                "version `x` is not semantic",
            ),
            (
                sample.replace("version: 1.2.3", "version: ]"),
                "provenance file: line",
            ),
            (sample.replace("sha256:", "sha512:"), "is not sha256"),
            (sample.replace("7888", "788"), "is not sha256"),
            (sample.replace("c684", "C684"), "is not sha256"),
            (sample.replace("files:", "other:"), "lists no files"),
            ("x".repeat(MAX_BYTES + 1), "larger than"),
        ];
        for (text, expected) in cases {
            let error = Provenance::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
        assert!(Provenance::parse(b"\xFF").is_err());
    }

    #[test]
    fn a_name_with_a_path_has_no_file_name() {
        let text = sample().replace("name: hashtest", "name: ../hashtest");
        let provenance = Provenance::parse(text.as_bytes()).unwrap();
        assert!(provenance.file_name().is_err());
    }

    proptest! {
        #[test]
        fn damaged_texts_never_panic(at in 0_usize..500, cut in 0_usize..50, with in "\\PC{0,5}") {
            let mut text = sample();
            let start = at.min(text.len());
            let end = (start + cut).min(text.len());
            text.replace_range(start..end, &with);
            let _ = Provenance::parse(text.as_bytes());
        }
    }
}
