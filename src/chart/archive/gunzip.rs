//! Inflates under limits.

use std::io::{BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::ArchiveError;
use super::hint::NotAnArchive;
use crate::chart::limits::Limits;

/// What a tar header and its padding may add to a file.
const BYTES_PER_ENTRY: u64 = 2048;

/// The ratio is not looked at before: small charts full of repeated text are common.
const RATIO_FROM: u64 = 8 << 20;

type Rejoined<'a> = std::io::Chain<Cursor<Vec<u8>>, Counted<'a>>;

/// The inflated bytes of a gzip stream of any number of members, as Go reads it.
pub(super) struct Gunzip<'a> {
    decoder: MultiGzDecoder<BufReader<Rejoined<'a>>>,
    bytes_out: u64,
    most: u64,
    ratio: u64,
}

impl<'a> Gunzip<'a> {
    /// Looks at the first bytes. Go reads ten of them before it judges, hence the error for fewer.
    pub(super) fn new(input: &'a mut dyn Read, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut head = Vec::with_capacity(64);
        input.take(64).read_to_end(&mut head)?;
        if head.is_empty() {
            return Err(ArchiveError::Empty);
        }
        if !head.starts_with(&[0x1F, 0x8B, 8]) {
            let seen = NotAnArchive::guess(&head);
            return Err(if head.len() < 10 {
                ArchiveError::TooShort(seen)
            } else {
                ArchiveError::NotGzip(seen)
            });
        }
        let entries = u64::try_from(limits.entries).unwrap_or(u64::MAX);
        let counted = Counted {
            input,
            bytes_in: 64,
        };
        Ok(Self {
            decoder: MultiGzDecoder::new(BufReader::new(Cursor::new(head).chain(counted))),
            bytes_out: 0,
            most: limits
                .content_bytes
                .saturating_add(entries.saturating_mul(BYTES_PER_ENTRY)),
            ratio: limits.ratio,
        })
    }

    fn check(&self) -> Result<(), ArchiveError> {
        if self.bytes_out > self.most {
            return Err(ArchiveError::TooLarge(self.most));
        }
        let (_, counted) = self.decoder.get_ref().get_ref().get_ref();
        let allowed = counted.bytes_in.saturating_mul(self.ratio);
        if self.bytes_out > allowed.max(RATIO_FROM) {
            return Err(ArchiveError::Ratio(self.ratio));
        }
        Ok(())
    }
}

impl Read for Gunzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.decoder.read(buffer).map_err(gzip_error)?;
        self.bytes_out += count as u64;
        self.check().map_err(std::io::Error::other)?;
        Ok(count)
    }
}

/// Keeps our own errors, which come from an archive around this one, and names gzip's.
fn gzip_error(error: std::io::Error) -> std::io::Error {
    let is_ours = error
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<ArchiveError>);
    match error.kind() {
        _ if is_ours => error,
        std::io::ErrorKind::UnexpectedEof => error,
        _ => std::io::Error::other(ArchiveError::CorruptGzip(error.to_string())),
    }
}

/// Counts what goes in.
struct Counted<'a> {
    input: &'a mut dyn Read,
    bytes_in: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.bytes_in += count as u64;
        Ok(count)
    }
}
