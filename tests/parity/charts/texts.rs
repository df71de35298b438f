//! Texts that Helm's YAML writer quotes, folds, escapes or writes as a block (helm-facts 1.6).

use super::{letters, numbered, quoted, quoted_key};
use crate::directory::Directory;

pub(super) fn directories() -> Vec<Directory> {
    let mut keys = numbered("keys of one annotation", words().map(|text| one_key(&text)));
    keys.put_chart("zzz", "name: zzz\nversion: 1.0.0\n");
    vec![
        numbered("words and samples", words().map(|text| everywhere(&text))),
        keys,
        numbered("every character in every place", characters().map(places)),
        numbered("folding around column 80", folding()),
        numbered("literal blocks", blocks()),
        numbered("lengths of keys", long_keys()),
    ]
}

/// A text in every field that takes one.
fn everywhere(text: &str) -> String {
    let text = quoted(text);
    format!(
        "description: {text}\nhome: {text}\nicon: {text}\ncondition: {text}\ntags: {text}\nappVersion: {text}\n\
         kubeVersion: {text}\nsources: [{text}, x]\nkeywords: [x, {text}]\n\
         maintainers: [{{name: {text}, email: {text}, url: {text}}}]\nannotations: {{a: {text}}}\n\
         dependencies: [{{name: {text}, version: {text}, repository: {text}, condition: {text}, tags: [{text}]}}]\n"
    )
}

fn one_key(text: &str) -> String {
    format!("annotations: {{{}: x}}\n", quoted_key(text))
}

/// Texts seen to matter: indicators, words of other types, numbers, dates.
fn words() -> impl Iterator<Item = String> {
    const SAMPLES: &[&str] = &[
        "",
        " ",
        "  ",
        "plain",
        "two words",
        "colon: space",
        "colon:nospace",
        "colon:",
        ":colon",
        ": colon",
        ":",
        "hash #c",
        "a#b",
        "#",
        "# c",
        "a #",
        "@at",
        "*x",
        "!x",
        "%x",
        "&x",
        "|x",
        ">x",
        "`tick`",
        "<lt",
        "it's",
        "'single",
        "'",
        "''",
        "\"",
        "\"quoted\"",
        "say \"hi\"",
        "---",
        "--- a",
        "---a",
        "...",
        "... a",
        "..",
        "--",
        "-",
        "- dash",
        "-dash",
        "?",
        "? q",
        "?q",
        "[a]",
        "a [b] {c}",
        "{a}",
        "]",
        "}",
        ",",
        ", a",
        "a, b",
        "trailing ",
        " leading",
        "  both  ",
        "back\\slash",
        "\\",
        "\\n",
        "http://h/?a=b#c",
        "a: b: c",
        "key: \"v\"",
        "y",
        "Y",
        "n",
        "N",
        "yes",
        "Yes",
        "YES",
        "yEs",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "true",
        "True",
        "TRUE",
        "tRue",
        "false",
        "False",
        "FALSE",
        "~",
        "null",
        "Null",
        "NULL",
        "nUll",
        ".nan",
        ".NaN",
        ".NAN",
        ".Nan",
        "NaN",
        ".inf",
        ".Inf",
        ".INF",
        "+.inf",
        "-.Inf",
        "-.INF",
        "inf",
        "Infinity",
        "+Inf",
        "0",
        "-0",
        "+0",
        "1",
        "+1",
        "-1",
        "01",
        "010",
        "08",
        "0o10",
        "0o8",
        "0x10",
        "0X1F",
        "0xg",
        "0x",
        "-0x10",
        "0b101",
        "0b2",
        "0B1",
        "-0b11",
        "1_000",
        "_1",
        "1_",
        "1__0",
        "0_7",
        "1.0",
        "1.",
        ".5",
        "-.5",
        "+.5",
        ".",
        "1.2.3",
        "v1.0",
        "1e3",
        "1E3",
        "1e+3",
        "1e-3",
        "1e",
        "e3",
        "1e400",
        "-1e400",
        "1e-400",
        "1.5e3",
        ".1e3",
        ".1_0",
        "._1",
        "._",
        "1.e3",
        "0.1_1",
        "12e03",
        "1_2.3_4",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "0x7fffffffffffffff",
        "0xffffffffffffffff",
        "0x10000000000000000",
        "0x1p4",
        "0x.8p1",
        "1:20",
        "1:60",
        "190:20:30",
        "190:20:30.15",
        "-1:20",
        "1:2:3:4",
        "1_0:20",
        "01:20",
        "0:0",
        "60:00",
        "2020-01-01",
        "2020-1-1",
        "2020-13-01",
        "2020-02-30",
        "2020-02-29",
        "2021-02-29",
        "20-01-01",
        "02020-01-01",
        "2020-01-01T00:00:00Z",
        "2020-01-01t00:00:00Z",
        "2020-01-01T0:0:0Z",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00+05:30",
        "2020-01-01T00:00:00.5Z",
        "2020-01-01 00:00:00",
        "2020-01-01 00:00:00.123",
        "2020-01-01 00:00:00 Z",
        "2020-01-01 00:00:00Z",
        "2001-12-14 21:59:43.10 -5",
        "2020-01-01T25:00:00Z",
        "2020-1-1T1:2:3Z",
        "2020-01-01T00:00Z",
        "2020-01-01 ",
        "2020-01",
        "2020",
        "=",
        "<<",
        "<",
        "+",
        "++",
        "-+1",
        "+-1",
        "0.",
        "-.",
        "+.",
        "..5",
        "1..5",
        "0x1.8",
        "1,000",
        "1 000",
        "1+1",
        "٣",
        "é",
        "日本",
        "日本: 語",
        "😀",
        "a 😀 b",
        "e\u{301}",
        "\u{a0}",
        "a\u{a0}b",
        "\u{a0}a",
        "\u{3000}",
        "\u{ad}",
        "\u{200d}",
        "\u{1F468}\u{200D}\u{1F469}",
        "\u{feff}",
        "\u{feff}abc",
        "a\u{feff}b",
        "\u{2028}",
        "a\u{2028}b",
        "a\u{2029} b",
        "\u{85}",
        "a\u{85}b",
        "\t",
        "a\tb",
        "\ta",
        "a\t",
        "a \tb",
        "\r",
        "a\rb",
        "a\r\nb",
        "\n",
        "a\nb",
        "a\n",
        "\na",
        "a \nb",
        "a\n b",
        "\u{1}",
        "\u{0}",
        "a\u{7}b",
        "\u{1b}[0m",
        "<a href=\"x\">&amp;</a>",
        "${VAR}",
        "{{ .Values.x }}",
        "%{x}",
        "a\u{300}: b",
        "\u{1F1E9}\u{1F1EA} #",
        "\u{fffd}",
        "\u{10ffff}",
        "\u{e000}",
        "\u{d7ff}",
        "\u{378}",
        "\u{1fae9}",
        "\u{2066}x\u{2069}",
    ];
    SAMPLES.iter().map(|text| (*text).to_owned())
}

fn characters() -> impl Iterator<Item = char> {
    let ascii = (0..0x7f).map(char::from);
    let special = [
        '\u{85}',
        '\u{a0}',
        '\u{ad}',
        '\u{2028}',
        '\u{2029}',
        '\u{200b}',
        '\u{feff}',
        '\u{e000}',
        '\u{fffd}',
        '\u{d7ff}',
        '\u{3000}',
        '\u{301}',
        'é',
        'ß',
        '日',
        'ا',
        '٣',
        '\u{1F600}',
        '\u{10000}',
        '\u{10FFFF}',
        '\u{1680}',
        '\u{2000}',
        '\u{180e}',
        '\u{600}',
        '\u{61c}',
        '\u{f8ff}',
        '\u{ffef}',
        '\u{1ff}',
        '«',
        '―',
    ];
    ascii.chain(special)
}

/// A character at the start, in the middle and at the end, alone and beside spaces.
fn places(c: char) -> String {
    let texts = [
        format!("{c}"),
        format!("{c}x"),
        format!("{c} x"),
        format!("x{c}y"),
        format!("x {c}y"),
        format!("x{c} y"),
        format!("x {c} y"),
        format!("x{c}"),
        format!("x {c}"),
        format!("{c}{c}"),
        format!(" {c}"),
        format!("{c} "),
        format!("x\n{c}y"),
        format!("x{c}\ny"),
        format!("{c}\n"),
    ];
    let mut annotations = String::from("annotations:\n");
    for (number, text) in texts.iter().enumerate() {
        let letters = letters(number);
        annotations += &format!("  {letters}: {}\n", quoted(text));
        // Letters in front keep the order of the keys one order.
        annotations += &format!("  {}: k\n", quoted_key(&format!("k-{letters}-{text}")));
    }
    let description = quoted(&texts.join(" "));
    let keywords: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!(
        "description: {description}\nkeywords: [{}]\n{annotations}",
        keywords.join(", ")
    )
}

/// Words whose end falls on each column around 80, in each style and depth.
fn folding() -> impl Iterator<Item = String> {
    let starts: [&str; 6] = ["", "# ", "😀 ", "it's: ", "é ", "\t"];
    let tails = [
        "bb cc",
        " bb",
        "bb  cc",
        "bb",
        "\u{a0}b c",
        "#b",
        "bb ccc dddd eeeee",
        "b\\ \"c\"",
        "'q' b",
        "😀 b",
    ];
    (58..92).map(move |width| {
        let mut text = String::new();
        let mut annotations = String::from("annotations:\n");
        let mut number = 0;
        for start in starts {
            for tail in tails {
                text = format!("{start}{} {tail}", "a".repeat(width));
                // One long line folds more than once.
                let again = format!("{text} {} {} z", "d".repeat(width), "e ".repeat(width));
                annotations += &format!("  {}: {}\n", letters(number), quoted(&text));
                annotations += &format!("  {}: {}\n", letters(number + 1), quoted(&again));
                number += 2;
            }
        }
        let in_words = |word: usize| -> String {
            let unit = "w".repeat(word) + " ";
            unit.repeat(width * 4 / (word + 1)).trim_end().to_owned()
        };
        format!(
            "description: {}\nhome: {}\nsources: [{}, {}]\nkeywords: [{}]\ndependencies: [{{name: d, repository: {}}}]\n{annotations}",
            quoted(&in_words(width % 7 + 1)),
            quoted(&format!("# {}", in_words(width % 11 + 1))),
            quoted(&text),
            quoted(&format!("{}: x y z", in_words(width % 5 + 1))),
            quoted(&in_words(width % 13 + 1)),
            quoted(&in_words(width % 9 + 1)),
        )
    })
}

/// Every text of up to five characters over a letter, a space and two kinds of break.
fn blocks() -> impl Iterator<Item = String> {
    const ALPHABET: [char; 4] = ['a', ' ', '\n', '\t'];
    let mut texts = vec![String::new()];
    for length in 1..=5_usize {
        for number in 0..ALPHABET
            .len()
            .pow(u32::try_from(length).expect("it is small"))
        {
            let digits = (0..length).map(|place| ALPHABET[number >> (2 * place) & 3]);
            let text: String = digits.collect();
            // Without a break it is no block, and tabs are tried enough with three characters.
            if text.contains('\n') && (length < 5 || !text.contains('\t')) {
                texts.push(text);
            }
        }
    }
    for text in [
        "l1\nl2\n",
        "l1\n\nl2",
        "\n\n\n\n\n\n",
        "# a\n# b\n",
        "- a\n- b\n",
        "a:\n  b: c\n",
        "é\n日本\n",
        "😀\n",
    ] {
        texts.push(text.to_owned());
    }
    for width in [78, 82, 160] {
        texts.push(format!("{}\nx", "word ".repeat(width / 5) + "w"));
    }
    let chunks: Vec<Vec<String>> = texts.chunks(20).map(<[String]>::to_vec).collect();
    chunks.into_iter().map(|chunk| {
        let lines = chunk.iter().enumerate();
        let lines: String = lines
            .map(|(number, text)| format!("  {}: {}\n", letters(number), quoted(text)))
            .collect();
        format!("annotations:\n{lines}")
    })
}

/// Keys about 128 bytes long are written in two ways.
fn long_keys() -> impl Iterator<Item = String> {
    let widths = [100, 126, 127, 128, 129, 130, 200, 400];
    widths.into_iter().flat_map(|width| {
        let keys = [
            "k".repeat(width),
            "é".repeat(width / 2) + if width % 2 == 1 { "x" } else { "" },
            "k ".repeat(width / 2),
            "# ".repeat(width / 2) + "x",
            "😀".repeat(width / 4),
            format!("{}\n{}", "k".repeat(width / 2), "l".repeat(width / 2)),
        ];
        keys.map(|key| {
            format!(
                "annotations:\n  {}: {}\n  a: b\n",
                quoted(&key),
                quoted(&"value and more value ".repeat(width / 20))
            )
        })
    })
}
