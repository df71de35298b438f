//! Versions: which are valid, in which order they come, and ties.

use super::{letters, numbered, quoted};
use crate::directory::Directory;

pub(super) fn directories() -> Vec<Directory> {
    vec![
        validity(),
        precedence(),
        ties("ties in file order", false),
        ties("ties in reverse", true),
        many(),
    ]
}

fn validity() -> Directory {
    let long = format!("1.0.0-{}", "a".repeat(250));
    let longer = format!("1.0.0-{}", "a".repeat(251));
    let versions = [
        "1",
        "1.2",
        "v1.2.3",
        "v1",
        "01.2.3",
        "1.02.3",
        "1.2.03",
        "00.0.0",
        "1.2.3.4",
        "latest",
        "1.0.0-01",
        "1.0.0-0",
        "1.0.0-00",
        "1.0.0-0a",
        "1.0.0-a.01",
        "1.0.0-a.1",
        "V1.0.0",
        "1.0.0-a_b",
        "1.0.0+a_b",
        "1.0.0+01",
        "1.0.0+",
        "1.0.0-",
        "1.0.0--",
        "1.0.0---.-",
        "1.0.0-+a",
        "1.0.0-a+b-c.d",
        "1.0.0+a+b",
        "1-rc",
        "1.2-rc.1",
        "1+b",
        "v1.2-a+b",
        "99999999999999999999.0.0",
        "18446744073709551615.0.0",
        "18446744073709551616.0.0",
        "0.18446744073709551615.0",
        "1.0.18446744073709551616",
        "1.0.0-18446744073709551616",
        "",
        " ",
        " 1.0.0",
        "1.0.0 ",
        "1.0.0\n",
        "1 .0.0",
        "1..0",
        "1.0.",
        ".1.0",
        "v",
        "vv1",
        "v.1",
        "-1.0.0",
        "1.-1.0",
        "+1.0.0",
        "1.0.0-é",
        "٣.0.0",
        "1.0.0-a..b",
        "1.0.0-.a",
        "1.0.0-a.",
        "1.0.0+a..b",
        "1,0,0",
        "1.x",
        "1.*",
        "^1.0.0",
        ">=1.0.0",
        "=1.0.0",
        "~1",
        "*",
        "1.0.0/2",
        "../1.0.0",
        "1.0.0-A",
        "1.0.0-Z.z",
        "1.0.0+build.5",
        "2020.01.01",
        "1_0.0.0",
        "0x1.0.0",
        "1e3.0.0",
        "1.0.0\u{200b}",
        "1.0.0\u{0}",
        "1.0.0-😀",
        &long,
        &longer,
    ];
    numbered(
        "valid and invalid versions",
        versions.map(|version| format!("name: NAME\nversion: {}\n", quoted(version))),
    )
}

/// One chart whose versions have one order, in files whose names have another.
fn precedence() -> Directory {
    let mut directory = Directory::new("order of versions");
    let versions = [
        "1.0.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "2.0.0",
        "2.1.0",
        "2.1.1",
        "2.1.1-0",
        "2.1.1--",
        "2.1.1-1",
        "2.1.1-a",
        "2.1.1-A",
        "2.1.1-a.b",
        "2.1.1-a.b.c",
        "2.1.1-a.1",
        "2.1.1-a.10",
        "2.1.1-a.9",
        "10.0.0",
        "9.0.0",
        "9.10.0",
        "9.9.0",
        "0.0.0",
        "0.0.1",
        "0.0.0-0",
        "v3.0.0",
        "3.1",
        "4",
        "04.1.0",
        "18446744073709551615.0.0",
        "18446744073709551614.0.0",
        "2.1.1-a-b",
        "2.1.1-aa",
        "2.1.1-18446744073709551615",
        "2.1.1-99999999999999999999",
        "2.1.1-9999999999999999999a",
    ];
    for (number, version) in versions.iter().enumerate() {
        // A stride that is prime to the count scatters the file names.
        let file = letters(number * 17 % versions.len());
        directory.put_chart(&file, format!("name: scattered\nversion: \"{version}\"\n"));
    }
    directory
}

/// Up to twelve versions of equal precedence keep the order of their files.
fn ties(name: &str, reverse: bool) -> Directory {
    let mut directory = Directory::new(name);
    let versions = [
        "1.0.0+a",
        "1.0.0+b",
        "v1.0.0",
        "1",
        "1.0",
        "01.0.0",
        "1.0.0",
        "v1.0.0+c",
        "0.9.0",
        "1.0.1",
        "1.0.0-rc.1",
        "1.0.0-rc.1+d",
    ];
    for (number, version) in versions.iter().enumerate() {
        let place = if reverse {
            versions.len() - number
        } else {
            number
        };
        directory.put_chart(
            &letters(place),
            format!("name: tied\nversion: \"{version}\"\n"),
        );
    }
    // The same version twice, at the top and below.
    for file in ["twice-1", "twice-2", "sub/twice-0"] {
        directory.put_chart(
            file,
            format!("name: twice\nversion: 1.0.0\ndescription: {file}\n"),
        );
    }
    directory
}

/// Many versions without a tie, as sorting changes its method at twelve.
fn many() -> Directory {
    let mut directory = Directory::new("many versions");
    for number in 0..130_usize {
        let scattered = number * 57 % 130;
        let version = format!(
            "{}.{}.{}",
            scattered / 50,
            scattered / 10 % 5,
            scattered % 10
        );
        directory.put_chart(
            &letters(number),
            format!("name: many\nversion: {version}\n"),
        );
    }
    directory
}
