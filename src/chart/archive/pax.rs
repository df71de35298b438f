//! Extended headers of tar: records `<length> <key>=<value>\n` about the next entry.

use super::ArchiveError;

/// What an extended header says, as far as it matters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

impl Pax {
    /// Reads the records; the last one with a key counts, and an empty value is as good as none.
    pub(super) fn parse(records: &[u8]) -> Result<Self, ArchiveError> {
        let mut pax = Self::default();
        for record in Records(records) {
            let Record { key, value } = record?;
            match key {
                b"path" => pax.name = Some(value.to_vec()).filter(|name| !name.is_empty()),
                b"size" if value.is_empty() => pax.size = None,
                b"size" => {
                    let size = integer(value).and_then(|size| u64::try_from(size).ok());
                    pax.size = Some(size.ok_or(ArchiveError::TarHeader)?);
                }
                // Nobody looks at these, but Go refuses the archive.
                b"uid" | b"gid" if !value.is_empty() && integer(value).is_none() => {
                    return Err(ArchiveError::TarHeader);
                }
                b"mtime" | b"atime" | b"ctime" if !value.is_empty() && !is_time(value) => {
                    return Err(ArchiveError::TarHeader);
                }
                _ if key.starts_with(b"GNU.sparse.") => return Err(ArchiveError::Sparse),
                _ => {}
            }
        }
        Ok(pax)
    }
}

/// Checks that a global header is well-formed; nothing in it matters.
pub(super) fn check(records: &[u8]) -> Result<(), ArchiveError> {
    Records(records).try_for_each(|record| record.map(drop))
}

struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
}

/// Iterates over records; the first malformed one is the last.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((record, rest)) = split(self.0) else {
            self.0 = &[];
            return Some(Err(ArchiveError::TarHeader));
        };
        self.0 = rest;
        Some(Ok(record))
    }
}

fn split(records: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = records.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(integer(records.get(..space)?)?).ok()?;
    let (record, rest) = records.split_at_checked(length)?;
    let body = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (body.get(..equals)?, body.get(equals + 1..)?);
    let is_text = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname");
    let checked = if is_text { value } else { key };
    if key.is_empty() || checked.contains(&0) {
        return None;
    }
    Some((Record { key, value }, rest))
}

/// Go's `strconv.ParseInt(text, 10, 64)`, which takes a sign.
fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Seconds with a fraction, which may be negative.
fn is_time(text: &[u8]) -> bool {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = parts.next().unwrap_or_default();
    let fraction = parts.next().unwrap_or_default();
    integer(seconds).is_some() && fraction.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_go_reads_them() {
        let pax = |name: Option<&str>, size| {
            let name = name.map(|name| name.as_bytes().to_vec());
            Some(Pax { name, size })
        };
        let cases: [(&[u8], Option<Pax>); 18] = [
            (b"", pax(None, None)),
            (b"10 path=a\n", pax(Some("a"), None)),
            (b"10 path=a\n10 path=b\n", pax(Some("b"), None)),
            (b"10 path=a\n8 path=\n", pax(None, None)),
            (b"11 path=a=b\n", None),
            (b"12 path=a=b\n", pax(Some("a=b"), None)),
            (b"10 size=7\n", pax(None, Some(7))),
            (b"10 size=x\n", None),
            (b"11 size=-1\n", None),
            (b"9 uid=x\n", None),
            (b"13 mtime=1.5\n", pax(None, None)),
            (b"12 mtime=.5\n", None),
            (b"11 path=a\0\n", None),
            (b"10 path=a", None),
            (b"8 path=a\n", None),
            (b"99 path=a\n", None),
            (b"5 =a\n", None),
            (b"22 GNU.sparse.major=1\n", None),
        ];
        for (records, expected) in cases {
            let parsed = Pax::parse(records).ok();
            assert_eq!(parsed, expected, "{}", records.escape_ascii());
        }
    }
}
