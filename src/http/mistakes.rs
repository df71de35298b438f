//! Recognises what people send by mistake instead of a file, and says how to send the file.

use axum::http::{HeaderMap, header};

/// The start of every gzip stream.
const GZIP: &[u8] = b"\x1f\x8b";
const SIGNED_MESSAGE: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
/// No longer body is taken for the name of a file.
const LONGEST_NAME: usize = 4096;
const ENDINGS: [&str; 3] = [".tgz", ".tar.gz", ".prov"];

/// Returns what a refused archive looks like.
pub(super) fn in_archive(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return Some("the body is empty: curl --data-binary @mychart-0.1.0.tgz".to_owned());
    }
    if body.starts_with(SIGNED_MESSAGE) {
        return Some("this is a provenance file: send it to /api/prov".to_owned());
    }
    if body.starts_with(b"PK\x03\x04") {
        return Some(
            "this is a zip file: a chart is a gzipped tar, as helm package writes it".to_owned(),
        );
    }
    if body.get(257..262) == Some(b"ustar") {
        return Some("this is a tar file without gzip: use helm package".to_owned());
    }
    if body.starts_with(GZIP) {
        return in_gzip(headers);
    }
    if let Some(hint) = in_name(body) {
        return Some(hint);
    }
    let is_form = body.starts_with(b"--")
        && body
            .windows(20)
            .take(200)
            .any(|text| text == b"Content-Disposition:");
    is_form.then(|| {
        "this is a form, but Content-Type is not multipart/form-data: leave the header to curl -F".to_owned()
    })
}

/// `curl -d @file` removes line feeds and zero bytes, and is known by its media type; some clients
/// compress what is compressed already.
fn in_gzip(headers: &HeaderMap) -> Option<String> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        let hint = "the request has Content-Encoding: send the .tgz as it is, without compressing it again";
        return Some(hint.to_owned());
    }
    let media_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    media_type
        .starts_with("application/x-www-form-urlencoded")
        .then(|| {
            "if this was sent with curl -d, use --data-binary: -d removes line feeds from the file"
                .to_owned()
        })
}

/// Returns what a refused provenance file looks like.
pub(super) fn in_provenance(body: &[u8]) -> Option<String> {
    if body.starts_with(GZIP) {
        return Some("this is a chart: send it to /api/charts".to_owned());
    }
    if body.is_empty() {
        return Some("the body is empty: curl --data-binary @mychart-0.1.0.tgz.prov".to_owned());
    }
    in_name(body)
}

/// `curl --data-binary ./file` sends the text `./file`.
fn in_name(body: &[u8]) -> Option<String> {
    if body.len() > LONGEST_NAME {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    let name = text.trim_start_matches('@');
    let is_name = ENDINGS.iter().any(|ending| name.ends_with(ending));
    if !is_name || name.contains(char::is_control) {
        return None;
    }
    Some(format!(
        "the body is the text {text:?}, not a file: did you forget the @? curl --data-binary @{name}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn what_people_send_by_mistake_is_named() {
        let none = HeaderMap::new();
        for (body, part) in [
            (&b""[..], "empty"),
            (
                b"./mychart-0.1.0.tgz",
                "curl --data-binary @./mychart-0.1.0.tgz",
            ),
            (b"mychart-0.1.0.tgz\n", "did you forget the @?"),
            (b"-----BEGIN PGP SIGNED MESSAGE-----\n", "/api/prov"),
            (b"PK\x03\x04....", "zip"),
            (
                b"--x\r\nContent-Disposition: form-data; name=chart\r\n\r\n",
                "Content-Type",
            ),
        ] {
            let hint = in_archive(&none, body).unwrap_or_default();
            assert!(hint.contains(part), "{hint}");
        }
        for body in [&b"hello"[..], b"\x1f\x8b", b"a\x1b[2J.tgz", b"\xff.tgz"] {
            assert_eq!(in_archive(&none, body), None);
        }
    }

    #[test]
    fn headers_tell_how_a_gzip_stream_was_spoilt() {
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
        assert!(
            in_archive(&headers, b"\x1f\x8b")
                .unwrap()
                .contains("--data-binary")
        );
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(
            in_archive(&headers, b"\x1f\x8b")
                .unwrap()
                .contains("Content-Encoding")
        );
    }
}
