//! Values of options, from their texts.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Why a text is not a value: what it is not, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) fix: String,
}

impl Wrong {
    fn new(text: &str, what: &str, fix: &str) -> Self {
        Self {
            what: format!("`{text}` is not {what}"),
            fix: fix.to_owned(),
        }
    }
}

/// Reads `30`, `30s`, `500ms`, `2m`, `1h` and, as Go prints them, `1m30s`.
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
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit())
            .ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let end = tail
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        // u32, so that no product or sum below can overflow.
        let number = u64::from(number.parse::<u32>().map_err(|_| wrong())?);
        total += match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number * 60),
            "h" => Duration::from_secs(number * 3600),
            _ => return Err(wrong()),
        };
        rest = tail;
    }
    if text.is_empty() {
        Err(wrong())
    } else {
        Ok(total)
    }
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

/// Reads a number above zero.
pub(super) fn count(text: &str) -> Result<usize, Wrong> {
    // What tokio's semaphores can hold.
    const MOST: usize = usize::MAX >> 3;
    match text.parse() {
        Ok(count) if (1..=MOST).contains(&count) => Ok(count),
        _ => Err(Wrong::new(text, "a count", "write a whole number above 0")),
    }
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
            "1.5s",
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
