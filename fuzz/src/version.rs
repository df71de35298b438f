//! Versions, their order, and constraints on them.

use std::cmp::Ordering;

use chartroom::chart::{ChartVersion, VersionRange};

/// Each line is a version or a constraint, or neither.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').take(6).collect();
    let versions: Vec<ChartVersion> = lines.iter().filter_map(|line| parse(line)).collect();
    for one in &versions {
        check_alone(one);
        for two in &versions {
            check_pair(one, two);
            for three in &versions {
                // Transitive.
                if one.cmp(two) == two.cmp(three) {
                    assert_eq!(one.cmp(three), one.cmp(two));
                }
            }
        }
    }
    for line in &lines {
        check_range(line, &versions);
    }
}

fn parse(text: &str) -> Option<ChartVersion> {
    let version: ChartVersion = text.parse().ok()?;
    assert_eq!(version.as_str(), text);
    assert!(text.len() <= 256);
    Some(version)
}

fn check_alone(version: &ChartVersion) {
    let [major, minor, patch] = version.numbers();
    let pre = version.pre_release();
    // What it says of itself is what it is.
    let plain = match pre {
        "" => format!("{major}.{minor}.{patch}"),
        pre => format!("{major}.{minor}.{patch}-{pre}"),
    };
    // Filled up it may be longer than a version may be.
    if let Ok(plain) = plain.parse::<ChartVersion>() {
        assert_eq!(&plain, version);
        assert_eq!(
            (plain.numbers(), plain.pre_release()),
            (version.numbers(), pre)
        );
    }
    if !pre.is_empty() {
        let release: ChartVersion = format!("{major}.{minor}.{patch}").parse().expect("numbers");
        assert!(*version < release);
    }
}

fn check_pair(one: &ChartVersion, two: &ChartVersion) {
    let order = one.cmp(two);
    assert_eq!(two.cmp(one), order.reverse());
    assert_eq!(one.partial_cmp(two), Some(order));
    assert_eq!(one == two, order == Ordering::Equal);
    assert_eq!(one.cmp(one), Ordering::Equal);
    if one.numbers() != two.numbers() {
        assert_eq!(order, one.numbers().cmp(&two.numbers()));
    }
    let [major, minor, patch] = two.numbers();
    let suffix = match two.pre_release() {
        "" => String::new(),
        pre => format!("-{pre}"),
    };
    let bound = format!("{major}.{minor}.{patch}{suffix}");
    if bound.len() > 256 {
        return;
    }
    // Masterminds takes `~0.0.0` and `!=` with wildcards for something else, but not these.
    let is_seen = one.pre_release().is_empty() || !two.pre_release().is_empty();
    for (operator, expected) in [
        ("=", order.is_eq()),
        ("!=", order.is_ne()),
        (">", order.is_gt()),
        ("<", order.is_lt()),
        (">=", order.is_ge()),
        ("=>", order.is_ge()),
        ("<=", order.is_le()),
    ] {
        let Ok(range) = VersionRange::parse(&format!("{operator} {bound}")) else {
            panic!("{operator} {bound} is no constraint");
        };
        assert_eq!(
            range.matches(one),
            expected && is_seen,
            "{operator} {bound}: {one}"
        );
    }
    for operator in ["^", "~"] {
        let Ok(range) = VersionRange::parse(&format!("{operator}{bound}")) else {
            panic!("{operator}{bound} is no constraint");
        };
        if range.matches(one) {
            assert!(one >= two && is_seen, "{operator}{bound}: {one}");
        }
        assert!(range.matches(two), "{operator}{bound}");
    }
}

fn check_range(text: &str, versions: &[ChartVersion]) {
    let Ok(range) = VersionRange::parse(text) else {
        return;
    };
    assert!(!text.is_empty() && text.len() <= 512);
    // Alternatives are independent of each other, but for the hyphens, which Masterminds rewrites in
    // the whole text.
    let parts: Result<Vec<_>, _> = text.split("||").map(VersionRange::parse).collect();
    if text.contains('-') {
        return;
    }
    let parts = parts.expect("a part of a constraint is one");
    for version in versions {
        let any = parts.iter().any(|part| part.matches(version));
        assert_eq!(range.matches(version), any, "{text}: {version}");
    }
}
