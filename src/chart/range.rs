//! Version constraints as Helm reads them: Masterminds semver 3.5.0.
//!
//! Helm takes `--version` and the versions of an index that it merges as constraints, and `ChartMuseum`
//! the version in a URL. The rules differ from those of Cargo and npm in many corners, so this
//! follows the Go code closely, down to its regular expressions.

use std::sync::LazyLock;

use regex_lite::Regex;

use super::version::ChartVersion;

/// Longest constraint.
const MAX_BYTES: usize = 512;

/// Most alternatives.
const MAX_GROUPS: usize = 32;

/// A constraint on versions: alternatives, each of which is a list of conditions.
#[derive(Clone, Debug)]
pub struct VersionRange {
    groups: Vec<Group>,
}

/// Why a text is not a constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Longer than Masterminds accepts.
    #[error("constraint string is too long (max {MAX_BYTES} bytes)")]
    TooLong,
    /// More `||` than Masterminds accepts.
    #[error("too many constraint groups (max {MAX_GROUPS})")]
    TooManyGroups,
    /// Not a constraint.
    #[error("improper constraint: {0}")]
    Improper(String),
    /// Looks like a constraint, but one of its versions is not a version.
    #[error("constraint parser error")]
    Version,
}

impl VersionRange {
    /// Parses constraints such as `^1.2`, `>=1.0 <2.0 || 3.x` or `1.2 - 1.4`.
    ///
    /// # Errors
    /// When Masterminds does not accept `text`; the empty text is such a one, since Helm replaces it
    /// by `*` before.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        if text.len() > MAX_BYTES {
            return Err(RangeError::TooLong);
        }
        let text = rewrite_hyphens(text);
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > MAX_GROUPS {
            return Err(RangeError::TooManyGroups);
        }
        let groups: Result<_, _> = groups.into_iter().map(Group::parse).collect();
        Ok(Self { groups: groups? })
    }

    /// Returns whether `version` satisfies the constraint. A pre-release only does where the
    /// alternative names a pre-release itself.
    pub fn matches(&self, version: &ChartVersion) -> bool {
        self.groups.iter().any(|group| group.matches(version))
    }
}

/// Conditions that must all hold.
#[derive(Clone, Debug)]
struct Group {
    conditions: Vec<Condition>,
    has_pre_release: bool,
}

impl Group {
    fn parse(text: &str) -> Result<Self, RangeError> {
        if !PATTERNS.group.is_match(text) {
            return Err(RangeError::Improper(text.to_owned()));
        }
        let mut conditions = Vec::new();
        for captures in PATTERNS.condition.captures_iter(text) {
            let part = |name| captures.name(name).map_or("", |part| part.as_str());
            conditions.push(Condition::parse(&part)?);
        }
        let has_pre_release = conditions
            .iter()
            .any(|condition| !condition.version.pre_release().is_empty());
        Ok(Self {
            conditions,
            has_pre_release,
        })
    }

    fn matches(&self, version: &ChartVersion) -> bool {
        if !version.pre_release().is_empty() && !self.has_pre_release {
            return false;
        }
        self.conditions
            .iter()
            .all(|condition| condition.matches(version))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of a condition's version is given; the rest is a wildcard or missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    Major,
    Minor,
    All,
}

/// An operator and a version, wildcards read as 0.
#[derive(Clone, Debug)]
struct Condition {
    operator: Operator,
    version: ChartVersion,
    given: Given,
}

impl Condition {
    fn parse<'a>(part: &dyn Fn(&'static str) -> &'a str) -> Result<Self, RangeError> {
        let operator = match part("operator") {
            "!=" => Operator::NotEqual,
            ">" => Operator::Greater,
            "<" => Operator::Less,
            ">=" | "=>" => Operator::GreaterOrEqual,
            "<=" | "=<" => Operator::LessOrEqual,
            "~" | "~>" => Operator::Tilde,
            "^" => Operator::Caret,
            _ => Operator::Equal,
        };
        let (major, minor, patch) = (part("major"), part("minor"), part("patch"));
        let pre_release = part("pre");
        let (given, text) = if is_open(major) {
            (Given::Nothing, format!("0.0.0{pre_release}"))
        } else if is_open(minor) {
            (Given::Major, format!("{major}.0.0{pre_release}"))
        } else if is_open(patch) {
            (Given::Minor, format!("{major}{minor}.0{pre_release}"))
        } else {
            (Given::All, part("version").to_owned())
        };
        let version = text.parse().map_err(|_| RangeError::Version)?;
        Ok(Self {
            operator,
            version,
            given,
        })
    }

    fn matches(&self, version: &ChartVersion) -> bool {
        match self.operator {
            Operator::Equal if self.given == Given::All => *version == self.version,
            Operator::Equal | Operator::Tilde => self.matches_tilde(version),
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.is_exceeded(version),
            Operator::Less => *version < self.version,
            Operator::GreaterOrEqual => *version >= self.version,
            Operator::LessOrEqual => self.is_reached(version),
            Operator::Caret => self.matches_caret(version),
        }
    }

    /// `!=`: with wildcards, everything outside what they cover.
    fn differs(&self, version: &ChartVersion) -> bool {
        let [major, minor, _] = self.version.numbers();
        let [its_major, its_minor, _] = version.numbers();
        match self.given {
            // Masterminds takes `!=*` for `!=0.0.0`.
            Given::All | Given::Nothing => *version != self.version,
            Given::Major => major != its_major,
            Given::Minor if [major, minor] != [its_major, its_minor] => true,
            Given::Minor => version.pre_release() != self.version.pre_release(),
        }
    }

    /// `>`: with wildcards, above all that they cover.
    fn is_exceeded(&self, version: &ChartVersion) -> bool {
        let [major, minor, _] = self.version.numbers();
        let [its_major, its_minor, _] = version.numbers();
        match self.given {
            Given::All => *version > self.version,
            _ if its_major != major => its_major > major,
            Given::Major => false,
            Given::Minor => its_minor > minor,
            Given::Nothing => *version > self.version,
        }
    }

    /// `<=`: with wildcards, up to all that they cover.
    fn is_reached(&self, version: &ChartVersion) -> bool {
        let [major, minor, _] = self.version.numbers();
        let [its_major, its_minor, _] = version.numbers();
        match self.given {
            Given::All => *version <= self.version,
            _ if its_major != major => its_major < major,
            Given::Major => true,
            Given::Nothing | Given::Minor => its_minor <= minor,
        }
    }

    fn matches_tilde(&self, version: &ChartVersion) -> bool {
        if *version < self.version {
            return false;
        }
        let [major, minor, patch] = self.version.numbers();
        let [its_major, its_minor, _] = version.numbers();
        // `~0.0.0` and `*` mean everything.
        if [major, minor, patch] == [0; 3] && matches!(self.given, Given::All | Given::Nothing) {
            return true;
        }
        major == its_major && (minor == its_minor || self.given == Given::Major)
    }

    fn matches_caret(&self, version: &ChartVersion) -> bool {
        if *version < self.version {
            return false;
        }
        let [major, minor, patch] = self.version.numbers();
        let [its_major, its_minor, its_patch] = version.numbers();
        if major != its_major {
            return false;
        }
        if major > 0 || self.given == Given::Major {
            return true;
        }
        if minor > 0 || self.given == Given::Minor {
            return minor == its_minor;
        }
        minor == its_minor && patch == its_patch
    }
}

fn is_open(part: &str) -> bool {
    let part = part.strip_prefix('.').unwrap_or(part);
    matches!(part, "" | "x" | "X" | "*")
}

/// Turns `1.2 - 1.4` into `>= 1.2, <= 1.4`, each time in the first place where the same text stands.
fn rewrite_hyphens(text: &str) -> String {
    let mut rewritten = text.to_owned();
    for captures in PATTERNS.hyphen.captures_iter(text) {
        let part = |name| captures.name(name).map_or("", |part| part.as_str());
        let bounds = format!(">= {}, <= {} ", part("low"), part("high"));
        rewritten = rewritten.replacen(part("all"), &bounds, 1);
    }
    rewritten
}

struct Patterns {
    hyphen: Regex,
    group: Regex,
    condition: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    // Go's `\s`, which has no vertical tab. The bar in the digits is Masterminds' own.
    let space = r"[\t\n\f\r ]";
    let number = r"[0-9|xX*]+";
    let pre = r"-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*";
    let meta = r"\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*";
    let version = format!(r"v?{number}(?:\.{number})?(?:\.{number})?(?:{pre})?(?:{meta})?");
    let operator = r"=|!=|>|<|>=|=>|<=|=<|~|~>|\^|";
    let condition = format!(r"{space}*(?:{operator}){space}*(?:{version}){space}*");
    let named = format!(
        r"v?(?P<major>{number})(?P<minor>\.{number})?(?P<patch>\.{number})?(?P<pre>{pre})?(?:{meta})?"
    );
    Patterns {
        hyphen: compile(&format!(
            "(?P<all>{space}*(?P<low>{version}){space}+-{space}+(?P<high>{version}){space}*)"
        )),
        group: compile(&format!(
            "^(?:{condition})(?:(?:{space}+|,{space}*){condition})*$"
        )),
        condition: compile(&format!(
            "(?P<operator>{operator}){space}*(?P<version>{named})"
        )),
    }
});

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants that tests compile"
)]
fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is well-formed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VECTORS: &str = include_str!("../../tests/vectors/ranges.tsv");

    #[test]
    fn matches_what_masterminds_matches() {
        let mut lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
        let versions: Vec<ChartVersion> = lines
            .next()
            .unwrap()
            .split(' ')
            .map(|text| text.parse().unwrap())
            .collect();
        for line in lines {
            let (quoted, expected) = line.split_once('\t').unwrap();
            let text: String = serde_json::from_str(quoted).unwrap();
            let actual = match VersionRange::parse(&text) {
                Err(_) => "improper".to_owned(),
                Ok(range) => {
                    let matched = versions.iter().enumerate();
                    let matched = matched.filter(|(_, version)| range.matches(version));
                    let positions: Vec<String> = matched.map(|(at, _)| at.to_string()).collect();
                    positions.join(" ")
                }
            };
            assert_eq!(actual, expected, "{text:?}");
        }
    }

    #[test]
    fn errors_say_why() {
        let cases = [
            (" ".repeat(513), RangeError::TooLong),
            ("1||".repeat(32) + "1", RangeError::TooManyGroups),
            (
                "latest".to_owned(),
                RangeError::Improper("latest".to_owned()),
            ),
            ("1 || y".to_owned(), RangeError::Improper(" y".to_owned())),
            ("1|2".to_owned(), RangeError::Version),
        ];
        for (text, expected) in cases {
            assert_eq!(VersionRange::parse(&text).unwrap_err(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9xX*v.<>=!~^|, +a-]{0,40}") {
            let _ = VersionRange::parse(&text);
        }

        #[test]
        fn a_release_matches_its_own_text(text in "v?[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(\\+[a-z]{1,3})?") {
            let version: ChartVersion = text.parse().unwrap();
            prop_assert!(VersionRange::parse(&text).unwrap().matches(&version));
        }

        #[test]
        fn greater_and_not_greater_are_opposites(
            bound in "[0-3]\\.[0-3]\\.[0-3]",
            version in "[0-3]\\.[0-3]\\.[0-3]",
        ) {
            let version: ChartVersion = version.parse().unwrap();
            let matches = |operator: &str| {
                VersionRange::parse(&format!("{operator}{bound}")).unwrap().matches(&version)
            };
            prop_assert_ne!(matches(">"), matches("<="));
            prop_assert_ne!(matches("<"), matches(">="));
            prop_assert_ne!(matches("="), matches("!="));
        }
    }
}
