//! Walks the entries of a tar stream the way Go's `archive/tar` does, without ever unpacking.
//!
//! Not the `tar` crate: its iterator reads long-name records of any size into memory, ends at the
//! first block of zeros where Go wants two, and skips a body behind a link where Go does not. Two
//! readers that disagree about where an entry begins are how a chart shows one `Chart.yaml` to the
//! server and another to helm.

use std::io::Read;

use super::ArchiveError;
use super::header::{BLOCK, Header, until_nul};
use super::pax::{self, Pax};
use crate::chart::limits::Limits;

/// What kind of thing an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// Not a file and not a directory: what it is called in messages.
    Special(&'static str),
}

/// The header of one entry, long names applied.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// The length of the body.
    pub(super) size: u64,
}

/// Reads entries from `input`.
pub(super) struct Tar<'a> {
    input: &'a mut dyn Read,
    /// What is left of the current body.
    body: u64,
    /// Zeros between the body and the next block.
    padding: u64,
}

/// What records before an entry say about it.
#[derive(Default)]
struct Records {
    pax: Pax,
    gnu_name: Option<Vec<u8>>,
}

impl<'a> Tar<'a> {
    pub(super) fn new(input: &'a mut dyn Read) -> Self {
        Self {
            input,
            body: 0,
            padding: 0,
        }
    }

    /// Moves to the next entry. `entries` counts down over all archives that one upload holds.
    pub(super) fn next(
        &mut self,
        limits: &Limits,
        entries: &mut usize,
    ) -> Result<Option<Entry>, ArchiveError> {
        let mut records = Records::default();
        loop {
            self.skip_body()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            *entries = entries
                .checked_sub(1)
                .ok_or(ArchiveError::TooManyEntries(limits.entries))?;
            self.set_body(if has_body(header.flag) {
                header.size
            } else {
                0
            });
            match header.flag {
                // Only the last one before an entry counts.
                b'x' => records.pax = Pax::parse(&self.record(limits)?)?,
                b'L' => {
                    let name = until_nul(&self.record(limits)?).to_vec();
                    records.gnu_name = Some(name).filter(|name| !name.is_empty());
                }
                b'K' => drop(self.record(limits)?),
                b'g' => {
                    pax::check(&self.record(limits)?)?;
                    // Go hands a global header out as an entry of its own.
                    records = Records::default();
                }
                _ => return self.entry(header, records).map(Some),
            }
        }
    }

    fn entry(&mut self, header: Header, records: Records) -> Result<Entry, ArchiveError> {
        let is_directory = header.is_directory();
        let name = records.gnu_name.or(records.pax.name).unwrap_or(header.name);
        let size = records.pax.size.unwrap_or(header.size);
        // Old archives mark a directory by its name only.
        let is_old_directory = header.flag == 0 && name.ends_with(b"/");
        let has_body = has_body(header.flag) && !is_old_directory;
        self.set_body(if has_body { size } else { 0 });
        let kind = match header.flag {
            b'S' => return Err(ArchiveError::Sparse),
            _ if is_directory || is_old_directory => Kind::Directory,
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::Special("a hard link"),
            b'2' => Kind::Special("a symbolic link"),
            b'3' | b'4' => Kind::Special("a device"),
            b'6' => Kind::Special("a named pipe"),
            _ => Kind::Special("of an unknown type"),
        };
        // Helm misses the bytes that a link claims to have, and refuses the chart.
        if !has_body && size > 0 && kind != Kind::Directory {
            return Err(ArchiveError::TarHeader);
        }
        Ok(Entry { name, kind, size })
    }

    /// The body of the current entry.
    pub(super) fn body(&mut self) -> Body<'_, 'a> {
        Body { tar: self }
    }

    fn set_body(&mut self, size: u64) {
        self.body = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    fn skip_body(&mut self) -> Result<(), ArchiveError> {
        std::io::copy(&mut self.body(), &mut std::io::sink())?;
        // The padding of the last body may be missing, as in Go.
        let mut padding = (&mut *self.input).take(self.padding);
        std::io::copy(&mut padding, &mut std::io::sink())?;
        self.padding = 0;
        Ok(())
    }

    /// Reads a header block; `None` at two blocks of zeros or where the input ends.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        let mut block = [0; BLOCK];
        if !self.fill(&mut block)? {
            return Ok(None);
        }
        if block != [0; BLOCK] {
            return Header::parse(&block).map(Some);
        }
        if self.fill(&mut block)? && block != [0; BLOCK] {
            return Err(ArchiveError::TarHeader);
        }
        Ok(None)
    }

    /// Fills a block; `false` when the input ends before its first byte.
    fn fill(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, ArchiveError> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest)? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(ArchiveError::Truncated),
                count => filled += count,
            }
        }
        Ok(true)
    }

    /// Reads a body that describes the next entry.
    fn record(&mut self, limits: &Limits) -> Result<Vec<u8>, ArchiveError> {
        if self.body > limits.header_bytes as u64 {
            return Err(ArchiveError::HeaderTooLarge(limits.header_bytes));
        }
        let mut record = Vec::new();
        self.body().read_to_end(&mut record)?;
        Ok(record)
    }
}

/// Reads the rest of an entry's body.
pub(super) struct Body<'tar, 'a> {
    tar: &'tar mut Tar<'a>,
}

impl Read for Body<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.tar.body == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let count = (&mut *self.tar.input).take(self.tar.body).read(buffer)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.tar.body -= count as u64;
        Ok(count)
    }
}

/// Links, devices, directories and pipes have no body, whatever size their headers claim.
fn has_body(flag: u8) -> bool {
    !matches!(flag, b'1'..=b'6')
}
