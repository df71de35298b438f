//! Chart names and keys of annotations: which are valid, and their natural order.

use super::{letters, numbered, quoted};
use crate::directory::Directory;
use crate::natural;

pub(super) fn directories() -> Vec<Directory> {
    let mut directories = vec![invalid()];
    let names: Vec<String> = NAMES
        .iter()
        .map(|name| (*name).to_owned())
        .chain(long())
        .collect();
    let shown: Vec<String> = SCALARS
        .iter()
        .map(|(_, shown)| (*shown).to_owned())
        .collect();
    for (number, group) in natural::groups(&names).into_iter().enumerate() {
        let mut directory = Directory::new(format!("names in natural order, group {number}"));
        for (number, name) in group.iter().enumerate() {
            directory.put_chart(
                &letters(number),
                format!("name: {}\nversion: 1.0.0\n", quoted(name)),
            );
        }
        directories.push(directory);
        // The same as keys, in one chart.
        let lines: String = group
            .iter()
            .map(|name| format!("  {}: x\n", quoted(name)))
            .collect();
        let text = format!("annotations:\n{lines}");
        directories.push(numbered("keys in natural order", [text]));
    }
    for (number, group) in natural::groups(&shown).into_iter().enumerate() {
        let mut directory = Directory::new(format!("names that are scalars, group {number}"));
        for (scalar, shown) in SCALARS {
            if group.iter().any(|name| name == shown) {
                directory.put_chart(
                    &letters(directory.len()),
                    format!("name: {scalar}\nversion: 1.0.0\n"),
                );
            }
        }
        directories.push(directory);
    }
    directories
}

/// Names that stay as they are.
///
/// `a10b` beside `a1b` is left out: helm puts it first, which is one of the three steps of its circle
/// `a1b`, `a2b`, `a10b`, `a1b`. No order of all names can follow it there.
const NAMES: &[&str] = &[
    "3scale",
    "10web",
    "2048",
    "AB",
    "MinIO",
    "a-b",
    "a.b",
    "a_b",
    "aB",
    "ab",
    "app",
    "app-1.0",
    "app-1.2",
    "app-1.10",
    "app-v1",
    "app-v2",
    "app-v10",
    "app1",
    "app01",
    "app001",
    "app2",
    "app10",
    "redis",
    "redis-2",
    "redis-10",
    "redis-cluster",
    "redis2",
    "redis10",
    "a",
    "A",
    "z",
    "Z",
    "0",
    "1",
    "9",
    "10",
    "01",
    "a b",
    "a  b",
    "ä",
    "é",
    "日本",
    "😀",
    "a😀",
    "x-y-z",
    "x.y.z",
    "x_y_z",
    "a0",
    "a00",
    "a1b",
    "a1c",
    "1a",
    "2a",
    "10a",
    "-",
    "-a",
    "_",
    "_a",
    "...",
    ".a",
    "a.",
    "+",
    "~",
    "true",
    "yes",
    "null",
    "1.0",
    "1e3",
    "0x10",
    "2020-01-01",
    "a: b",
    "a #b",
    "#",
    "@",
    "%41",
    "a\\b",
    "\\",
    "it's",
    "\"q\"",
    "[a]",
    "{a}",
    "a,b",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "?",
    "a?",
    "=",
    "<<",
    "٣",
    "۴",
    "a٣",
    "e\u{301}",
    "\u{fb01}",
    "ＡＢ",
    "Ⅷ",
    "²",
    "½",
    "a²",
    "ǅ",
    "ʰ",
    "ª",
    "_1",
    "_2",
    "_10",
    "-1",
    "-2",
    "-10",
];

/// Unquoted scalars, and the names they become.
const SCALARS: &[(&str, &str)] = &[
    ("1.10", "1.1"),
    ("1.50", "1.5"),
    ("0x11", "17"),
    ("1e3", "1000"),
    ("010", "8"),
    ("yes", "true"),
    ("no", "false"),
    (".inf", "+Inf"),
    ("-.inf", "-Inf"),
    (".nan", "NaN"),
    ("2020-01-01", "2020-01-01"),
    ("1_000_000", "1000000"),
    ("1e20", "1e+20"),
    ("1:20", "1:20"),
    ("0b11", "3"),
    ("-5", "-5"),
    ("1.5e-9", "1.5e-09"),
    ("!!binary aGk=", "hi"),
];

/// Names about 128 bytes long, which are written in two ways.
fn long() -> impl Iterator<Item = String> {
    [126, 127, 128, 129, 200, 260]
        .into_iter()
        .flat_map(|width| {
            [
                "n".repeat(width),
                "n ".repeat(width / 2) + "n",
                "ü".repeat(width / 2),
                format!("# {}", "n".repeat(width)),
            ]
        })
}

fn invalid() -> Directory {
    let names = [
        "a/b",
        "/a",
        "a/",
        "/",
        ".",
        "..",
        "./a",
        "a/..",
        "../a",
        "",
        " ",
        "a\nb",
        "a\n",
        "\ta",
        "a\u{200b}b",
        "\u{200b}",
        ".\u{200b}",
        "a\u{0}b",
        "a\u{7f}b",
        "a\u{2028}b",
        "a\\..\\b",
        "\u{feff}",
        "a\r\nb",
    ];
    // Sanitising makes some of them equal; then the order is that of the files.
    let mut directory = Directory::new("invalid names, and names that sanitising changes");
    for (number, name) in names.iter().enumerate() {
        directory.put_chart(
            &letters(number),
            format!("name: {}\nversion: 1.0.0\n", quoted(name)),
        );
    }
    directory
}
