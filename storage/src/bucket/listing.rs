//! Listings, before the library reads them.
//!
//! The library takes any XML for a listing, so that the page of a web server is an empty bucket, and
//! refuses a whole listing for one name that it cannot hold, which anybody may have put there.

use bytes::Bytes;
use object_store::path::Path;

use super::refusal::Refusal;

/// The roots of what the services answer.
const ROOTS: [&str; 2] = ["<ListBucketResult", "<EnumerationResults"];

/// Where the root must have begun, after a declaration and a byte order mark.
const HEAD: usize = 1024;

/// What a listing holds of one object or folder.
struct Line {
    element: &'static str,
    /// The element with the name in it.
    name: &'static str,
    /// What the name ends in.
    end: &'static str,
}

const LINES: [Line; 4] = [
    Line::new("Contents", "Key", ""),
    Line::new("CommonPrefixes", "Prefix", "/"),
    Line::new("Blob", "Name", ""),
    Line::new("BlobPrefix", "Name", "/"),
];

impl Line {
    const fn new(element: &'static str, name: &'static str, end: &'static str) -> Self {
        Self { element, name, end }
    }
}

/// Returns the listing without the lines whose names no key of ours can be.
pub(super) fn tidy(status: u16, body: Bytes) -> Result<Bytes, Refusal> {
    let Ok(text) = std::str::from_utf8(&body) else {
        return Err(Refusal::not_a_store(status, "a listing that is not UTF-8"));
    };
    let head: String = text.chars().take(HEAD).collect();
    if !ROOTS.iter().any(|root| head.contains(root)) {
        return Err(Refusal::not_a_store(status, text));
    }
    let mut tidied: Option<String> = None;
    for line in &LINES {
        let found = drop_lines(tidied.as_deref().unwrap_or(text), line);
        tidied = found.or(tidied);
    }
    Ok(tidied.map_or(body, Bytes::from))
}

/// Returns the text without the lines that must go, or nothing if all may stay.
fn drop_lines(text: &str, line: &Line) -> Option<String> {
    let (open, close) = tags(line.element);
    let mut kept = String::new();
    let mut dropped = false;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&open) {
        let Some((inside, behind)) = after.split_once(&close) else {
            break;
        };
        kept.push_str(before);
        if is_ours(inside, line) {
            kept.push_str(&open);
            kept.push_str(inside);
            kept.push_str(&close);
        } else {
            dropped = true;
        }
        rest = behind;
    }
    kept.push_str(rest);
    dropped.then_some(kept)
}

fn tags(element: &str) -> (String, String) {
    (format!("<{element}>"), format!("</{element}>"))
}

/// Tells whether the library reads the name in a line as the one that it is.
fn is_ours(inside: &str, line: &Line) -> bool {
    let (open, close) = tags(line.name);
    let name = inside
        .split_once(&open)
        .and_then(|(_, rest)| rest.split_once(&close))
        .map(|(name, _)| decode(name));
    // A name that is written in another way (Azure's `Encoded="true"`) holds what XML cannot.
    let Some(name) = name else {
        warn(inside);
        return false;
    };
    let read = Path::parse(&name).map(String::from).unwrap_or_default();
    // An object whose name ends in a slash is the mark that a console or gateway leaves for a
    // folder.
    let is_same = !read.is_empty() && name.strip_suffix(line.end) == Some(read.as_str());
    if !is_same {
        warn(&name);
    }
    is_same
}

fn warn(name: &str) {
    let name: String = name.chars().take(200).collect();
    tracing::warn!(
        storage.key = name,
        "an object has a name that is not a key; it is left out"
    );
}

/// Resolves XML's references.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let Some((reference, behind)) = after.split_once(';') else {
            decoded.push('&');
            rest = after;
            continue;
        };
        if let Some(character) = resolve(reference) {
            decoded.push(character);
        } else {
            decoded.push('&');
            decoded.push_str(reference);
            decoded.push(';');
        }
        rest = behind;
    }
    decoded.push_str(rest);
    decoded
}

fn resolve(reference: &str) -> Option<char> {
    match reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(lines: &str) -> String {
        format!("<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"x\">{lines}</ListBucketResult>")
    }

    fn tidied(text: String) -> String {
        let body = tidy(200, Bytes::from(text)).unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn a_page_of_a_web_server_is_no_listing() {
        for page in [
            "<html><body><h1>It works!</h1></body></html>",
            "",
            "{}",
            "<Error><Code>x</Code></Error>",
        ] {
            tidy(200, Bytes::from(page)).unwrap_err();
        }
        tidy(200, Bytes::from_static(b"\xff")).unwrap_err();
    }

    #[test]
    fn names_that_no_key_can_be_are_left_out() {
        let line = |key: &str| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
        let good = [line("a.tgz"), line("a/b&amp;c &lt;&#x41;.tgz"), line("é")].concat();
        let bad = [
            line("a//b.tgz"),
            line("/a.tgz"),
            line("folder/"),
            line("a/../b"),
            line("a&#x1;b"),
            line(""),
        ]
        .concat();
        let folders = "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>";
        let odd_folders = "<CommonPrefixes><Prefix>/</Prefix></CommonPrefixes>\
                           <CommonPrefixes><Prefix>b//</Prefix></CommonPrefixes>";
        let all = s3(&format!(
            "<Prefix>x//</Prefix>{bad}{good}{odd_folders}{folders}"
        ));
        assert_eq!(
            tidied(all),
            s3(&format!("<Prefix>x//</Prefix>{good}{folders}"))
        );
        let untouched = s3(&good);
        assert_eq!(tidied(untouched.clone()), untouched);
    }

    #[test]
    fn azures_listings_are_read_too() {
        let list = |lines: &str| {
            format!("\u{feff}<EnumerationResults><Blobs>{lines}</Blobs></EnumerationResults>")
        };
        let good = "<Blob><Name>a.tgz</Name><Properties/></Blob>\
                    <BlobPrefix><Name>b/</Name></BlobPrefix>";
        let bad = "<Blob><Name Encoded=\"true\">%01</Name></Blob><Blob><Name>a//b</Name></Blob>\
                   <Blob><Name>folder/</Name></Blob><BlobPrefix><Name>c</Name></BlobPrefix>";
        assert_eq!(tidied(list(&format!("{bad}{good}"))), list(good));
    }
}
