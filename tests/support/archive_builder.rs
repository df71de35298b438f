//! Builds chart archives for tests, good and bad ones. Used by unit and integration tests alike.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "a test helper, of which no test needs everything"
)]

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

/// Collects the entries of an archive.
pub(crate) struct ArchiveBuilder {
    tar: Vec<u8>,
}

impl ArchiveBuilder {
    /// Begins an archive without entries.
    pub(crate) fn new() -> Self {
        Self { tar: Vec::new() }
    }

    /// Begins the archive of a chart: `<name>/Chart.yaml` with these two fields and `apiVersion`.
    pub(crate) fn chart(name: &str, version: &str) -> Self {
        let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
        Self::new().file(&format!("{name}/Chart.yaml"), metadata)
    }

    /// Adds a file under exactly this name, however odd, of at most 100 bytes.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', name, content)
    }

    /// Adds an entry of any type.
    pub(crate) fn entry(self, flag: u8, name: &str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        let header = Self::header(flag, name, content.len() as u64);
        self.raw(header.as_bytes()).body(content)
    }

    /// Adds bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.tar.extend_from_slice(bytes);
        self
    }

    /// Adds bytes, and zeros up to the next block.
    pub(crate) fn body(mut self, bytes: &[u8]) -> Self {
        self.tar.extend_from_slice(bytes);
        self.tar.resize(self.tar.len().next_multiple_of(512), 0);
        self
    }

    /// Adds a pax header for the next entry.
    pub(crate) fn pax(self, key: &str, value: &str) -> Self {
        let body = format!(" {key}={value}\n");
        let mut length = body.len() + 1;
        while format!("{length}{body}").len() != length {
            length += 1;
        }
        self.entry(b'x', "pax", format!("{length}{body}"))
    }

    /// Makes a header with a right checksum.
    pub(crate) fn header(flag: u8, name: &str, size: u64) -> tar::Header {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkflag = [flag];
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        header
    }

    /// Returns the tar without end blocks.
    pub(crate) fn tar(self) -> Vec<u8> {
        self.tar
    }

    /// Returns the archive.
    pub(crate) fn tgz(self) -> Vec<u8> {
        gzip(&self.raw(&[0; 1024]).tar)
    }
}

/// Compresses.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
