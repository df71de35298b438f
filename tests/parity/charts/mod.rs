//! The awkward charts, in directories of one subject each.

mod dependencies;
mod metadata;
mod names;
mod random;
mod scalars;
mod shapes;
mod subcharts;
mod texts;
mod versions;

use std::fmt::Write as _;

use crate::archive::Archive;
use crate::directory::Directory;

/// All directories on which helm v3 and v4 agree.
pub(crate) fn all(seed: u64) -> Vec<Directory> {
    let mut directories = vec![Directory::new("nothing")];
    directories.extend(texts::directories());
    directories.extend(scalars::directories());
    directories.extend(metadata::directories());
    directories.extend(dependencies::directories());
    directories.extend(versions::directories());
    directories.extend(names::directories());
    directories.extend(shapes::directories());
    directories.extend(subcharts::directories());
    directories.extend(random::directories(seed));
    directories
}

/// Directories that helm v3 and v4 treat differently.
pub(crate) fn disputed() -> Vec<Directory> {
    shapes::disputed()
}

/// A directory with `folder.tgz`, a folder with a chart in it, and `fine.tgz`.
pub(crate) fn folder() -> Directory {
    shapes::folder()
}

/// Directories that no helm can index as YAML, and the file to blame.
///
/// Helm writes JSON and reads that as YAML. What it does not escape there, and YAML forbids, breaks the
/// run: control characters in any text that Helm does not sanitise, and a line break in a key.
pub(crate) fn poisoned() -> Vec<(Directory, String)> {
    let mut cases = Vec::new();
    for c in ['\u{7f}', '\u{80}', '\u{9f}', '\u{fffe}', '\u{ffff}'] {
        let text = quoted(&format!("a{c}b"));
        let place = format!("U+{:04X} in", u32::from(c));
        cases.extend([
            (
                format!("{place} an annotation"),
                format!("annotations: {{a: {text}}}"),
            ),
            (
                format!("{place} an annotation's key"),
                format!("annotations: {{{text}: a}}"),
            ),
            (
                format!("{place} the API version"),
                format!("apiVersion: {text}"),
            ),
            (
                format!("{place} import-values"),
                format!("dependencies: [{{name: a, import-values: [{text}]}}]"),
            ),
            (
                format!("{place} a key of import-values"),
                format!("dependencies: [{{name: a, import-values: [{{{text}: x}}]}}]"),
            ),
        ]);
    }
    let next_line = quoted("a\u{85}b");
    cases.push((
        "U+0085 in an annotation's key".to_owned(),
        format!("annotations: {{{next_line}: x}}"),
    ));
    let directories = cases.into_iter().map(|(name, text)| {
        let mut directory = Directory::new(name);
        directory.put_chart("fine-1.0.0", "name: fine\nversion: 1.0.0\n");
        directory.put_chart(
            "poison-1.0.0",
            format!("name: poison\nversion: 1.0.0\n{text}\n"),
        );
        (directory, "poison-1.0.0.tgz".to_owned())
    });
    directories.collect()
}

/// An archive that holds nothing but this `Chart.yaml`.
pub(crate) fn chart(chart_yaml: impl AsRef<[u8]>) -> Vec<u8> {
    Archive::default()
        .file("chart/Chart.yaml", chart_yaml)
        .tgz()
}

/// The n-th of a row of names in letters only, whose natural order is that of their numbers.
fn letters(number: usize) -> String {
    let digit = |place: usize| {
        let offset = u8::try_from(number / place % 26).expect("it is below 26");
        char::from(b'a' + offset)
    };
    [26 * 26, 26, 1].map(digit).into_iter().collect()
}

/// A text as a double-quoted YAML scalar in ASCII, so that every reader gets every character.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let point = u32::from(c);
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            _ if point < 0x100 => write!(quoted, "\\x{point:02X}").expect("memory"),
            _ if point < 0x1_0000 => write!(quoted, "\\u{point:04X}").expect("memory"),
            _ => write!(quoted, "\\U{point:08X}").expect("memory"),
        }
    }
    quoted + "\""
}

/// A text as a key. NEL in a key is left to `poisoned`.
fn quoted_key(text: &str) -> String {
    quoted(&text.replace('\u{85}', "\u{a0}"))
}

/// Puts one chart per `Chart.yaml`, each named after its place in the list.
///
/// `NAME` in a text stands for the chart's name; a text without it gets name and version in front.
fn numbered(name: &str, chart_yamls: impl IntoIterator<Item = impl AsRef<str>>) -> Directory {
    let mut directory = Directory::new(name);
    for (number, text) in chart_yamls.into_iter().enumerate() {
        let letters = letters(number);
        let text = text.as_ref();
        let text = if text.contains("NAME") {
            text.replace("NAME", &letters)
        } else {
            format!("name: {letters}\nversion: 1.0.0\n{text}")
        };
        directory.put_chart(&letters, text);
    }
    directory
}
