//! Values of options, from their texts.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::audit::Destination;

/// Why a text is not a value: what it is not, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) fix: String,
}

impl Wrong {
    /// Says that `text` is not `what`.
    pub(super) fn new(text: &str, what: &str, fix: &str) -> Self {
        Self {
            what: format!("`{text}` is not {what}"),
            fix: fix.to_owned(),
        }
    }
}

/// Reads `30`, `30s`, `500ms`, `2m`, `1h` and what else Go reads: `1h30m`, `1.5h`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let wrong = || {
        Wrong::new(
            text,
            "a duration",
            "write a number and a unit, such as 500ms, 30s or 2m",
        )
    };
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (nanoseconds, tail) = leading_duration(rest).ok_or_else(wrong)?;
        total += nanoseconds;
        rest = tail;
    }
    let total = u64::try_from(total).map_err(|_| wrong())?;
    if text.is_empty() {
        Err(wrong())
    } else {
        Ok(Duration::from_nanos(total))
    }
}

/// Reads a number and its unit off the front of `text`; in nanoseconds.
fn leading_duration(text: &str) -> Option<(u128, &str)> {
    let (whole, tail) = split_digits(text);
    let (fraction, tail) = match tail.strip_prefix('.') {
        Some(tail) => split_digits(tail),
        None => ("", tail),
    };
    let end = tail
        .find(|letter: char| letter.is_ascii_digit() || letter == '.')
        .unwrap_or(tail.len());
    let (unit, tail) = tail.split_at(end);
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    // u32, so that no product can overflow.
    let whole = u128::from(whole.parse::<u32>().ok()?) * unit;
    let fraction = match fraction {
        "" => 0,
        digits => {
            u128::from(digits.parse::<u32>().ok()?) * unit
                / 10_u128.pow(digits.len().try_into().ok()?)
        }
    };
    Some((whole + fraction, tail))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Reads a duration above zero.
pub(super) fn deadline(text: &str) -> Result<Duration, Wrong> {
    let value = duration(text)?;
    if value.is_zero() {
        let fix = "write a duration above 0: without a deadline a stalled client would be served for ever";
        return Err(Wrong::new(text, "a deadline", fix));
    }
    Ok(value)
}

/// Reads a duration above zero, after which something is given up.
pub(super) fn period(text: &str) -> Result<Duration, Wrong> {
    let value = duration(text)?;
    if value.is_zero() {
        return Err(Wrong::new(text, "a period", "write a duration above 0"));
    }
    Ok(value)
}

/// Reads for how long something is kept that others may still be about to read.
pub(super) fn retention(text: &str) -> Result<Duration, Wrong> {
    // A quarter of it has to be enough for a store that is slow, or nothing would be proven in time.
    const LEAST: Duration = Duration::from_secs(10);
    let value = duration(text)?;
    if value < LEAST {
        return Err(Wrong::new(
            text,
            "a retention",
            "write a duration of at least 10s",
        ));
    }
    Ok(value)
}

/// Reads `20971520`, `20MiB`, `64KiB` or `1GiB`.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let wrong = || Wrong::new(text, "a size", "write bytes, such as 20971520, or 20MiB");
    let (number, factor) = match text.split_at_checked(text.len().saturating_sub(3)) {
        Some((number, "KiB")) => (number, 1 << 10),
        Some((number, "MiB")) => (number, 1 << 20),
        Some((number, "GiB")) => (number, 1 << 30),
        _ => (text, 1),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let size = number.checked_mul(factor).ok_or_else(wrong)?;
    if size == 0 { Err(wrong()) } else { Ok(size) }
}

/// Reads a size, or `0`.
pub(super) fn size_or_none(text: &str) -> Result<u64, Wrong> {
    if text == "0" { Ok(0) } else { size(text) }
}

/// Reads a number above zero.
pub(super) fn count(text: &str) -> Result<usize, Wrong> {
    // What tokio's semaphores can hold.
    const MOST: usize = usize::MAX >> 3;
    match text.parse() {
        Ok(count) if (1..=MOST).contains(&count) => Ok(count),
        _ => Err(Wrong::new(text, "a count", "write a whole number above 0")),
    }
}

/// Reads a number of which 0 means that there is no limit.
pub(super) fn limit<T: FromStr + Default + PartialEq>(text: &str) -> Result<Option<T>, Wrong> {
    match text.parse::<T>() {
        Ok(limit) => Ok((limit != T::default()).then_some(limit)),
        Err(_) => Err(Wrong::new(
            text,
            "a limit",
            "write a whole number; 0 is no limit",
        )),
    }
}

/// Reads a number.
pub(super) fn number(text: &str) -> Result<u32, Wrong> {
    text.parse()
        .map_err(|_| Wrong::new(text, "a number", "write a whole number"))
}

/// Reads a port.
pub(super) fn port(text: &str) -> Result<u16, Wrong> {
    text.parse()
        .map_err(|_| Wrong::new(text, "a port", "write a number from 0 to 65535"))
}

/// Reads an address; `localhost` is 127.0.0.1, and brackets around an IPv6 address are allowed.
pub(super) fn host(text: &str) -> Result<IpAddr, Wrong> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    bare.unwrap_or(text).parse().map_err(|_| {
        Wrong::new(
            text,
            "an IP address",
            "write an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::",
        )
    })
}

/// Reads addresses and networks, one a line.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, Wrong> {
    let network = |text: &str| {
        let network = text.parse::<IpNet>().ok();
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        network.or_else(address).ok_or_else(|| {
            let fix = "write addresses or networks, such as 10.0.0.0/8 or 127.0.0.1";
            Wrong::new(text, "a network", fix)
        })
    };
    text.lines().map(network).collect()
}

/// Reads names or addresses of a server as clients write them, without ports, one a line.
pub(super) fn host_names(text: &str) -> Result<Vec<String>, Wrong> {
    let name = |text: &str| {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let bare = bare.unwrap_or(text);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if bare.parse::<IpAddr>().is_ok() || (!bare.is_empty() && bare.bytes().all(is_plain)) {
            return Ok(bare.trim_end_matches('.').to_ascii_lowercase());
        }
        let fix = "write names without scheme and port, such as charts.example.com";
        Err(Wrong::new(text, "the name of a host", fix))
    };
    text.lines().map(name).collect()
}

/// Reads how many there may be in a second; 0 means that there is no limit.
pub(super) fn rate(text: &str) -> Result<Option<NonZeroU32>, Wrong> {
    Ok(limit::<u32>(text)?.and_then(NonZeroU32::new))
}

/// Reads the path of a file that can be opened.
pub(super) fn file(text: &str) -> Result<PathBuf, Wrong> {
    let wrong = |error: std::io::Error| Wrong {
        what: format!("cannot read {text}: {error}"),
        fix: "give the path of a file that chartroom may read".to_owned(),
    };
    let metadata = File::open(text)
        .and_then(|file| file.metadata())
        .map_err(wrong)?;
    if metadata.is_dir() {
        return Err(wrong(std::io::ErrorKind::IsADirectory.into()));
    }
    Ok(text.into())
}

/// Reads where the audit log goes. Whether the file can be written is found out when it is opened.
pub(super) fn audit_log(text: &str) -> Result<Destination, Wrong> {
    if text == "-" {
        return Ok(Destination::Stdout);
    }
    let path = PathBuf::from(text);
    if path.is_dir() {
        let fix = "give the path of a file, or - for stdout";
        return Err(Wrong::new(text, "a file: it is a directory", fix));
    }
    Ok(Destination::File(path))
}

/// Reads a URL that others begin with, writes it as browsers do, and cuts the slash at its end.
pub(super) fn base_url(text: &str) -> Result<String, Wrong> {
    let fix = "write http:// or https://, a host, and perhaps a port and a path";
    let url = Url::parse(text).map_err(|_| Wrong::new(text, "a URL", fix))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Wrong::new(text, "an http or https URL", fix));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Wrong::new(text, "a URL without `?` and `#`", fix));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Reads the URL of a bucket's server. Without a scheme it is https, as for ChartMuseum's AWS client.
pub(super) fn endpoint(text: &str) -> Result<String, Wrong> {
    if text.contains("://") {
        base_url(text)
    } else {
        base_url(&format!("https://{text}"))
    }
}

/// Reads a text that can stand between the quotes of a header field.
pub(super) fn quotable(text: &str) -> Result<String, Wrong> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    let fix = "write ASCII letters, digits and signs other than quotes and backslashes";
    Err(Wrong::new(text, "a text that a header field can hold", fix))
}

/// Reads a text, whatever it is.
#[expect(clippy::unnecessary_wraps, reason = "it stands where others can fail")]
pub(super) fn text(text: &str) -> Result<String, Wrong> {
    Ok(text.to_owned())
}

/// Reads a switch. Besides true and false it knows the words that YAML 1.1 and Go know.
pub(super) fn switch(text: &str) -> Result<bool, Wrong> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "on" => Ok(true),
        "false" | "f" | "0" | "no" | "off" => Ok(false),
        _ => Err(Wrong::new(text, "true or false", "write true or false")),
    }
}

/// Reads one of the words in `choices`.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, Wrong> {
    let found = choices.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let words = words.join(", ");
        Wrong {
            what: format!("`{text}` is not one of {words}"),
            fix: format!("write one of {words}"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_plain_numbers_are_seconds() {
        for (text, milliseconds) in [
            ("0", 0),
            ("30", 30_000),
            ("30s", 30_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("0s", 0),
            ("1.5h", 5_400_000),
            ("1h0.25s", 3_600_250),
            ("2000us", 2),
            ("3000000ns", 3),
        ] {
            assert_eq!(
                duration(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "1d",
            "-1s",
            "1.s2",
            ".5s",
            "1..5s",
            "1.5",
            "+1s",
            "30 s",
            "99999999999s",
            "1s2",
            "é",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(deadline("0").is_err());
    }

    #[test]
    fn sizes_are_bytes_or_have_a_binary_unit() {
        for (text, bytes) in [
            ("1", 1),
            ("20971520", 20_971_520),
            ("20MiB", 20_971_520),
            ("1KiB", 1024),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "MiB", "20MB", "-1", "99999999999GiB", "éé"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn base_urls_are_written_in_one_way() {
        for (text, url) in [
            ("http://a", "http://a"),
            ("https://a/", "https://a"),
            ("HTTPS://A:443/b//", "https://a/b"),
            ("http://a\n/é", "http://a/%C3%A9"),
        ] {
            assert_eq!(base_url(text).as_deref(), Ok(url), "{text}");
        }
        for text in [
            "",
            "a",
            "//a",
            "http://",
            "file:///a",
            "http://a?",
            "http://a#",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
        assert_eq!(endpoint("a:9000").as_deref(), Ok("https://a:9000"));
        assert!(endpoint("ftp://a").is_err());
    }

    #[test]
    fn hosts_are_addresses_of_either_family() {
        for text in ["127.0.0.1", "localhost", "::1", "[::1]", "0.0.0.0"] {
            assert!(host(text).is_ok(), "{text}");
        }
        for text in ["", "example.com", "127.0.0.1:80", "[::1"] {
            assert!(host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_ports_and_switches_refuse_what_they_are_not() {
        assert!(
            count("0").is_err() && count("x").is_err() && count("18446744073709551615").is_err()
        );
        assert!(port("65536").is_err() && port("tcp://10.0.0.1:80").is_err());
        assert_eq!((switch("Yes"), switch("0")), (Ok(true), Ok(false)));
        assert!(switch("maybe").is_err());
    }
}
