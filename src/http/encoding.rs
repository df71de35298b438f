//! Content negotiation: whether a client asks for gzip (RFC 9110, section 12.5.3).

use axum::http::{HeaderMap, header};

/// Tells whether `Accept-Encoding` asks for gzip. A client that does not send the header gets none:
/// helm does not, and could not read it.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let mut gzip = None;
    let mut any = None;
    let mut identity = None;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        let Ok(value) = value.to_str() else { continue };
        for coding in value.split(',') {
            let (name, quality) = quality(coding);
            match name.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(quality),
                "*" => any = Some(quality),
                "identity" => identity = Some(quality),
                _ => {}
            }
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// Returns the name and the quality in thousandths; one that is not a number counts as 0.
pub(super) fn quality(coding: &str) -> (&str, u16) {
    let mut parts = coding.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    for part in parts {
        let Some(value) = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")) else {
            continue;
        };
        return (name, thousandths(value).unwrap_or(0));
    }
    (name, 1000)
}

fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let is_number = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    match whole {
        "1" if is_number && fraction.bytes().all(|digit| digit == b'0') => Some(1000),
        "0" if is_number => format!("{fraction:0<3}").parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn gzip_is_sent_only_to_those_who_ask() {
        for (value, expected) in [
            ("gzip", true),
            ("GZIP", true),
            ("deflate, gzip;q=0.5", true),
            ("*", true),
            ("*;q=0.1", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("gzip; q=0.001", true),
            ("*, gzip;q=0", false),
            ("identity", false),
            ("", false),
            ("br", false),
            ("identity;q=1, gzip;q=0.5", false),
            ("identity;q=0.5, gzip", true),
            ("gzip;q=abc", false),
            ("gzip;q=2", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(wants_gzip(&headers), expected, "{value}");
        }
        assert!(!wants_gzip(&HeaderMap::new()));
    }
}
