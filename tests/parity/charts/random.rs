//! Charts drawn at random from characters that matter to the YAML writer.

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::{letters, quoted, quoted_key};
use crate::directory::Directory;
use crate::seed::generator;

const DIRECTORIES: u64 = 4;
const CHARTS: usize = 60;

pub(super) fn directories(seed: u64) -> Vec<Directory> {
    (0..DIRECTORIES)
        .map(|number| {
            let mut random = generator(seed, number);
            let mut directory = Directory::new(format!("random charts {number} of seed {seed}"));
            for number in 0..CHARTS {
                let letters = letters(number);
                directory.put_chart(&letters, chart(&letters, &mut random));
            }
            directory
        })
        .collect()
}

fn chart(name: &str, random: &mut StdRng) -> String {
    let mut text = format!("name: {name}\nversion: {}\n", version(random));
    for field in [
        "description",
        "home",
        "icon",
        "appVersion",
        "kubeVersion",
        "condition",
        "tags",
    ] {
        if random.random_bool(0.6) {
            text += &format!("{field}: {}\n", scalar(random));
        }
    }
    for field in ["keywords", "sources"] {
        if random.random_bool(0.7) {
            let items: Vec<String> = (0..random.random_range(0..4))
                .map(|_| scalar(random))
                .collect();
            text += &format!("{field}: [{}]\n", items.join(", "));
        }
    }
    for number in 0..random.random_range(0..4) {
        let heading = if number == 0 { "maintainers:\n" } else { "" };
        text += &format!(
            "{heading}- {{name: {}, email: {}, url: {}}}\n",
            scalar(random),
            scalar(random),
            scalar(random)
        );
    }
    for number in 0..random.random_range(0..3) {
        let heading = if number == 0 { "dependencies:\n" } else { "" };
        let fields = ["version", "repository", "condition"]
            .map(|field| format!("  {field}: {}\n", scalar(random)));
        // Names of their own, as two alike make a chart invalid.
        text += &format!(
            "{heading}- name: {}\n{}",
            quoted(&format!("{number}{}", draw(random))),
            fields.concat()
        );
        text += &format!(
            "  import-values: [{{{}: {}}}, {}]\n",
            quoted_key(&draw(random)),
            scalar(random),
            scalar(random)
        );
    }
    text += "annotations:\n";
    for number in 0..random.random_range(1..16) {
        let key = letters(number) + &draw(random);
        text += &format!("  ? {}\n  : {}\n", quoted_key(&key), quoted(&draw(random)));
    }
    text
}

fn version(random: &mut StdRng) -> String {
    let [major, minor, patch] = [(); 3].map(|()| random.random_range(0..30));
    let suffix = ["", "", "-rc.1", "-alpha.beta", "+build.7", "-0+a"][random.random_range(0..6)];
    format!("{major}.{minor}.{patch}{suffix}")
}

/// Mostly a quoted text, sometimes a plain number, which is coerced.
fn scalar(random: &mut StdRng) -> String {
    if random.random_bool(0.8) {
        return quoted(&draw(random));
    }
    let digits = random.random_range(1..12);
    let mantissa = random.random_range(0..10_u64.pow(digits));
    match random.random_range(0..5) {
        0 => format!("{mantissa}"),
        1 => format!("{}.{mantissa}", random.random_range(0..1000)),
        2 => format!("{mantissa}e{}", random.random_range(-30..30)),
        3 => format!("-0.{mantissa}e{}", random.random_range(-9..9)),
        _ => format!("0x{mantissa:x}"),
    }
}

/// A text of a few to many characters, most of them letters.
fn draw(random: &mut StdRng) -> String {
    const AWKWARD: [char; 56] = [
        ' ', ' ', ' ', ' ', ' ', ' ', '\n', '\n', '\t', '\r', ':', ':', '#', '#', '-', '-', '?',
        ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '\\', '/', '.',
        '_', '+', '=', '<', '~', '0', '1', '9', 'é', '日', '\u{a0}', '\u{85}', '\u{2028}',
        '\u{feff}', '😀', '\u{301}', '\u{200d}', '\u{e000}', '\u{1}', 'n', 'e',
    ];
    let length = match random.random_range(0..10) {
        0..5 => random.random_range(0..8),
        5..8 => random.random_range(8..60),
        _ => random.random_range(60..260),
    };
    // How often words end decides where lines fold.
    let awkward = random.random_range(0.05..0.6);
    (0..length)
        .map(|_| {
            if random.random_bool(awkward) {
                AWKWARD[random.random_range(0..AWKWARD.len())]
            } else {
                random.random_range('a'..='z')
            }
        })
        .collect()
}
