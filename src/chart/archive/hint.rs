//! Advice for a person whose upload was not an archive.

use super::ArchiveError;

/// What the body of an upload seems to be instead of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnArchive {
    /// The name of a file, as in `--data-binary ./chart.tgz` or `@chart.tgz`.
    FileName,
    /// A tar that is not compressed.
    Tar,
    /// A zip file.
    Zip,
    /// Compressed, but not with gzip.
    OtherCompression,
    /// A web page or other markup.
    Markup,
    /// A JSON document.
    Json,
    /// The parts of a form.
    Form,
    /// YAML, such as a `Chart.yaml` by itself, or a provenance file.
    Text,
    /// Anything else.
    Unknown,
}

impl NotAnArchive {
    /// Guesses from the first bytes.
    pub(super) fn guess(head: &[u8]) -> Self {
        let text = head.trim_ascii();
        match text {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => return Self::Zip,
            [b'B', b'Z', b'h', ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] | [0xFD, b'7', b'z', ..] => {
                return Self::OtherCompression;
            }
            [b'<', ..] => return Self::Markup,
            [b'{' | b'[', ..] => return Self::Json,
            [b'-', b'-', ..] if !text.starts_with(b"-----BEGIN") && text.len() > 10 => {
                return Self::Form;
            }
            _ => {}
        }
        let is_text = std::str::from_utf8(head).is_ok_and(|text| !text.contains('\0'));
        let is_short = head.len() < 64;
        match is_text {
            true if is_short && has_archive_suffix(text) => Self::FileName,
            true if text.starts_with(b"@") || text.starts_with(b"./") => Self::FileName,
            true => Self::Text,
            // The name at the start of a tar header ends in zeros.
            false if head.ends_with(&[0, 0]) && head.first() != Some(&0) => Self::Tar,
            false => Self::Unknown,
        }
    }
}

fn has_archive_suffix(text: &[u8]) -> bool {
    [&b".tgz"[..], b".tar.gz", b".prov"]
        .iter()
        .any(|suffix| text.ends_with(suffix))
}

impl ArchiveError {
    /// Returns what a person can do about it, where that can be guessed.
    pub fn hint(&self) -> Option<&'static str> {
        let seen = match self {
            Self::TooShort(seen) | Self::NotGzip(seen) => seen,
            Self::Empty => return Some("the body is empty; did curl find the file?"),
            Self::MissingChart => {
                return Some(
                    "Chart.yaml must be in one folder at the top of the archive; `helm package` makes it so",
                );
            }
            Self::OutsideBase(_) => {
                return Some("all files must be in one folder; `helm package` makes it so");
            }
            _ => return None,
        };
        Some(match seen {
            NotAnArchive::FileName => {
                "the body is the name of a file; did you forget the @ in --data-binary @file?"
            }
            NotAnArchive::Tar => "the body is a tar that is not compressed; use `helm package`",
            NotAnArchive::Zip => "the body is a zip file; use `helm package`",
            NotAnArchive::OtherCompression => {
                "the body is not compressed with gzip; use `helm package`"
            }
            NotAnArchive::Markup => {
                "the body is a web page, not a chart; was its download redirected?"
            }
            NotAnArchive::Json => "the body is a JSON document, not a chart",
            NotAnArchive::Form => {
                "the body is a form; send it as multipart/form-data with the field `chart`"
            }
            NotAnArchive::Text => "the body is text, not a chart archive; use `helm package`",
            NotAnArchive::Unknown => "the body is not compressed with gzip",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_recognised() {
        let mut tar = [0; 64];
        tar[..15].copy_from_slice(b"demo/Chart.yaml");
        let cases: [(&[u8], NotAnArchive); 15] = [
            (b"./chart.tgz", NotAnArchive::FileName),
            (b"@c.tgz", NotAnArchive::FileName),
            (b"demo-1.0.0.tgz\n", NotAnArchive::FileName),
            (b"@/home/me/charts/a", NotAnArchive::FileName),
            (&tar, NotAnArchive::Tar),
            (b"PK\x03\x04aaaaaaaaaa", NotAnArchive::Zip),
            (b"BZh91AY&SY", NotAnArchive::OtherCompression),
            (b"\x28\xB5\x2F\xFD.......", NotAnArchive::OtherCompression),
            (b"<!DOCTYPE html>", NotAnArchive::Markup),
            (b"{\"error\":\"x\"}", NotAnArchive::Json),
            (b"------WebKitFormBoundary", NotAnArchive::Form),
            (b"-----BEGIN PGP SIGNED MESSAGE-----", NotAnArchive::Text),
            (b"apiVersion: v2\nname: x\n", NotAnArchive::Text),
            (b"\xFF\xFE\xFD", NotAnArchive::Unknown),
            (b"", NotAnArchive::Text),
        ];
        for (body, expected) in cases {
            assert_eq!(NotAnArchive::guess(body), expected, "{body:?}");
        }
    }
}
