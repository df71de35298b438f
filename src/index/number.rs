//! Numbers as Go prints them.

/// Formats `value` as Go's `encoding/json` does: the shortest text that reads back as the same value,
/// with an exponent below 1e-6 and from 1e21 on.
pub fn json(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let (digits, exponent) = scientific(value);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{}", exponent.abs());
    }
    positional(value)
}

/// Formats `value` as go-yaml writes it after it has read [`json`]'s text: an integer stays one as
/// long as it fits 64 bits, all else is Go's `%g`, which has an exponent below 1e-4 and from 1e6 on.
pub fn yaml(value: f64) -> String {
    let text = json(value);
    if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
        // `-0` is read as the integer 0.
        return if text == "-0" { "0".to_owned() } else { text };
    }
    let (digits, exponent) = scientific(value);
    if (-4..6).contains(&exponent) {
        return positional(value);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Splits `value` into its shortest decimal digits, written with one digit before the point, and the
/// exponent of ten that goes with them.
fn scientific(value: f64) -> (String, i32) {
    let shortest = format!("{value:e}");
    let digits = shortest.split_once('e').map_or("", |(digits, _)| digits);
    let decimals = digits
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    let rounded = format!("{value:.decimals$e}");
    // Where two shortest texts are equally near, Go takes the even one, and Rust need not.
    let text = if rounded.parse() == Ok(value) {
        rounded
    } else {
        shortest
    };
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or_default()),
        None => (text, 0),
    }
}

/// Writes `value` without an exponent: its shortest digits, and zeros up to the point.
fn positional(value: f64) -> String {
    let (digits, exponent) = scientific(value);
    let sign = if digits.starts_with('-') { "-" } else { "" };
    let mut digits = digits.replace(['-', '.'], "");
    let Ok(exponent) = usize::try_from(exponent) else {
        let zeros = exponent.unsigned_abs().saturating_sub(1);
        let zeros = "0".repeat(usize::try_from(zeros).unwrap_or_default());
        return format!("{sign}0.{zeros}{digits}");
    };
    let whole = exponent + 1;
    while digits.len() < whole {
        digits.push('0');
    }
    if digits.len() > whole {
        digits.insert(whole, '.');
    }
    format!("{sign}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_helm_printed_them() {
        // Value, in JSON, in YAML; from a run of sigs.k8s.io/yaml 1.6.0.
        let rows = [
            (0.0, "0", "0"),
            (-0.0, "-0", "0"),
            (-5.0, "-5", "-5"),
            (0.1, "0.1", "0.1"),
            (1e-6, "0.000001", "1e-06"),
            (1e-7, "1e-7", "1e-07"),
            (0.0001, "0.0001", "0.0001"),
            (123_456.5, "123456.5", "123456.5"),
            (1_234_567.5, "1234567.5", "1.2345675e+06"),
            (1e8, "100000000", "100000000"),
            (
                12_345_678_901_234_567_890.0,
                "12345678901234567000",
                "12345678901234567000",
            ),
            (1e20, "100000000000000000000", "1e+20"),
            (1e21, "1e+21", "1e+21"),
            (1.5e300, "1.5e+300", "1.5e+300"),
            (-1e19, "-10000000000000000000", "-1e+19"),
        ];
        for (value, in_json, in_yaml) in rows {
            assert_eq!(json(value), in_json);
            assert_eq!(yaml(value), in_yaml);
        }
    }

    #[test]
    fn numbers_are_printed_as_go_prints_them() {
        // The bits of a number, and what encoding/json and sigs.k8s.io/yaml 1.6.0 print.
        for line in include_str!("../../tests/vectors/numbers.jsonl").lines() {
            let (bits, in_json, in_yaml): (String, String, String) =
                serde_json::from_str(line).unwrap();
            let value = f64::from_bits(u64::from_str_radix(&bits, 16).unwrap());
            assert_eq!(json(value), in_json);
            assert_eq!(yaml(value), in_yaml);
        }
    }
}
