//! Writes chart archives entry by entry: `helm package` would rewrite the `Chart.yaml`.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

/// A tar archive in the making, whose entries need not make sense.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
}

impl Archive {
    /// Adds a file. Names up to 100 bytes go into the header as they are.
    pub(crate) fn file(self, name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.entry(EntryType::Regular, name.as_ref(), content.as_ref())
    }

    /// Adds an entry of any type.
    pub(crate) fn entry(mut self, kind: EntryType, name: &[u8], content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        // `Header::set_path` refuses `..` and absolute names, which are wanted here.
        let field = &mut header.as_old_mut().name;
        assert!(
            name.len() <= field.len(),
            "a longer name needs an extension"
        );
        field[..name.len()].copy_from_slice(name);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(content);
        let padding = content.len().next_multiple_of(512) - content.len();
        self.bytes.resize(self.bytes.len() + padding, 0);
        self
    }

    /// The tar with its two closing blocks, as gzip.
    pub(crate) fn tgz(self) -> Vec<u8> {
        gzip(&self.tar())
    }

    /// The tar with its two closing blocks.
    pub(crate) fn tar(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 1024, 0);
        self.bytes
    }
}

/// Packs one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}
