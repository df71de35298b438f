//! Unquoted scalars of every type in every field that wants a text (helm-facts 1.5).

use super::numbered;
use crate::directory::Directory;

const SCALARS: &[&str] = &[
    "1.10",
    "2.50",
    "1.0",
    "0x10",
    "0X10",
    "0b101",
    "-0b101",
    ".5",
    "1.",
    "+1",
    "-1",
    "no",
    "n",
    "N",
    "off",
    "yes",
    "y",
    "Y",
    "on",
    "true",
    "false",
    "True",
    "FALSE",
    "tRUE",
    "~",
    "null",
    "Null",
    "NULL",
    "\"\"",
    "''",
    "",
    "20230615.1",
    "20230615",
    "1234567.0",
    "1234567",
    "999999.9",
    "1000000.0",
    "100000.5",
    "123456789012345678901234567890",
    ".inf",
    "+.inf",
    "-.inf",
    ".Inf",
    ".nan",
    ".NaN",
    "2020-01-01",
    "2020-1-1",
    "2020-01-01T00:00:00Z",
    "2020-01-01 10:00:00",
    "2020-01-01T10:00:00.5+02:00",
    "1e400",
    "-1e400",
    "1e3",
    "1E3",
    "1e+3",
    "010",
    "0o10",
    "08",
    "0o8",
    "-010",
    "1_000",
    "1_000.5",
    "_1",
    "1__0",
    "1.123456789",
    "16777217.0",
    "16777217",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "1e-7",
    "0.0001",
    "0.00001",
    "0.00012345",
    "1e20",
    "1e21",
    "1e5",
    "1e6",
    "123456.7",
    "3.4e38",
    "3.5e38",
    "1e39",
    "1e300",
    "1.4e-45",
    "1e-46",
    "-0",
    "-0.0",
    "0.0",
    "0",
    "+0",
    "00",
    "0x",
    "0xffffffffffffffff",
    "0x7fffffffffffffff",
    "-0x10",
    "1:20",
    "190:20:30",
    "190:20:30.15",
    "1.2.3",
    "v1.0",
    "v1",
    "1.2.3-rc.1",
    "=",
    "<<",
    "plain text",
    "'single ''quoted'''",
    "\"double \\\"quoted\\\"\"",
    "'1.10'",
    "\"1.10\"",
    "!!str 1.10",
    "!!str true",
    "!!str",
    "!!float 1",
    "!!int '3'",
    "!!bool 'yes'",
    "!!null ''",
    "!!binary aGVsbG8=",
    "!!binary aGVs bG8=",
    "!!timestamp '2020-01-01'",
    "! 1.10",
    "!custom 1.10",
    "&anchor 1.10",
    "|\n  block\n",
    "|-\n  block\n",
    ">\n  folded\n  text\n",
    ">+\n  folded\n\n",
    "1.10 # comment",
    "1e",
    "0.1e1",
    "1.0e+2",
    "12e03",
    "-.5",
    "+.5",
    "1e-05",
    "6.02214076e23",
    "0.30000001192092896",
    "0.1",
    "0.7",
    "33554433.0",
    "4294967296",
    "4294967296.0",
    ".1_0",
    "1_0.5",
    "0b",
    "0b2",
    "0B11",
    "685_230.15",
    "685.230_15e+03",
    "-2:30",
    "1:60",
    "NaN",
    "Infinity",
    "inf",
    "e1",
    "0e0",
    "5e-324",
    "1.7976931348623157e308",
];

pub(super) fn directories() -> Vec<Directory> {
    let each = |template: fn(&str) -> String| SCALARS.iter().map(move |scalar| template(scalar));
    vec![
        numbered("scalars as texts", each(|s| format!("appVersion: {s}\n"))),
        numbered(
            "scalars as every top-level text",
            each(|s| {
                if s.contains('\n') || s.contains('#') || s.contains('&') {
                    return format!("description: {s}\n");
                }
                format!(
                    "description: {s}\nhome: {s}\nicon: {s}\ncondition: {s}\ntags: {s}\nkubeVersion: {s}\nsources: [{s}]\nkeywords:\n- {s}\n- {s}\n"
                )
            }),
        ),
        numbered(
            "scalars as maintainers",
            each(|s| {
                if s.contains('\n') {
                    return format!("maintainers:\n- name: {}", s.replace("\n ", "\n   "));
                }
                format!("maintainers:\n- name: {s}\n- email: {s}\n- url: {s}\n")
            }),
        ),
        numbered(
            "scalars as values of annotations",
            each(|s| format!("annotations:\n  a: {}", indented(s))),
        ),
        numbered(
            "scalars as keys of annotations",
            each(|s| {
                if s.contains('\n') || s.contains('#') {
                    return String::from("annotations:\n  ? |\n    block\n  : x\n");
                }
                format!("annotations:\n  {s}: x\n")
            }),
        ),
        numbered(
            "scalars as dependencies",
            each(|s| {
                if s.contains('\n') {
                    return format!(
                        "dependencies:\n- name: x\n  version: {}",
                        s.replace('\n', "\n  ")
                    );
                }
                format!("dependencies:\n- name: {s}\n  version: {s}\n  repository: {s}\n")
            }),
        ),
        numbered(
            "scalars as other fields of dependencies",
            each(|s| {
                let s = if s.contains('\n') || s.contains('#') || s.contains('&') {
                    "1.10"
                } else {
                    s
                };
                format!("dependencies:\n- name: x\n  condition: {s}\n  tags:\n  - {s}\n")
            }),
        ),
        numbered(
            "scalars as aliases",
            each(|s| format!("dependencies:\n- name: x\n  alias: {}", indented(s))),
        ),
        numbered(
            "scalars as API versions",
            each(|s| format!("apiVersion: {s}\n")),
        ),
        numbered("scalars as types", each(|s| format!("type: {s}\n"))),
        numbered(
            "scalars as deprecated",
            each(|s| format!("deprecated: {s}\n")),
        ),
        numbered(
            "scalars as versions",
            each(|s| format!("name: NAME\nversion: {s}\n")),
        ),
        numbered(
            "scalars as enabled",
            each(|s| format!("dependencies:\n- name: x\n  enabled: {}", indented(s))),
        ),
        numbered(
            "scalars as import-values",
            each(|s| {
                let s = if s.contains('\n') { "1.10" } else { s };
                format!(
                    "dependencies:\n- name: x\n  import-values:\n  - {s}\n  - child: {s}\n    parent: {s}\n"
                )
            }),
        ),
        numbered(
            "scalars as dependency tags",
            each(|s| {
                let s = if s.contains('\n') { "1.10" } else { s };
                format!("dependencies:\n- name: x\n  tags: {s}\n")
            }),
        ),
        numbered(
            "scalars where a list belongs",
            each(|s| format!("keywords: {s}\n")),
        ),
        numbered(
            "scalars where a map belongs",
            each(|s| format!("annotations: {s}\n")),
        ),
    ]
}

/// A scalar as a value two levels down.
fn indented(scalar: &str) -> String {
    scalar
        .replace('\n', "\n  ")
        .trim_end_matches(' ')
        .to_owned()
        + "\n"
}
