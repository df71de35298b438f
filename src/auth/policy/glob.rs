//! Patterns of whole segments: `org/*`, `org/**`, `org/team-*`.

use std::fmt;

/// A pattern of segments between slashes. In a segment `*` stands for any characters; the segment `**`
/// stands for any number of segments, none too. Nothing else is special.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    segments: Vec<Box<str>>,
}

/// Why a text is no pattern of repositories.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// There is nothing.
    #[error("a pattern of repositories is empty: the repository at the root is `/`, all are `**`")]
    Empty,
    /// A segment is empty, which no repository's is.
    #[error("`{0}` has an empty segment: write org/team, without a slash at either end")]
    EmptySegment(String),
    /// Two stars in a segment of other characters.
    #[error("`{0}` has ** within a segment: it stands for whole segments only")]
    Stars(String),
    /// It is longer than a repository's path can be.
    #[error("a pattern is longer than {LONGEST} bytes")]
    TooLong,
}

const LONGEST: usize = 1024;
const ANY: &str = "**";

impl Glob {
    /// Reads a pattern of repositories. `/` is the one at the root.
    ///
    /// # Errors
    /// If it has empty segments, or `**` within a segment.
    pub fn of_repositories(text: &str) -> Result<Self, GlobError> {
        match text {
            "" => return Err(GlobError::Empty),
            "/" => {
                return Ok(Self {
                    segments: Vec::new(),
                });
            }
            _ => {}
        }
        if text.split('/').any(str::is_empty) {
            return Err(GlobError::EmptySegment(text.to_owned()));
        }
        Self::of_text(text)
    }

    /// Reads a pattern of other texts, such as claims.
    ///
    /// # Errors
    /// If it has `**` within a segment.
    pub fn of_text(text: &str) -> Result<Self, GlobError> {
        if text.len() > LONGEST {
            return Err(GlobError::TooLong);
        }
        let segments: Vec<Box<str>> = text.split('/').map(Into::into).collect();
        if segments
            .iter()
            .any(|segment| segment.contains(ANY) && **segment != *ANY)
        {
            return Err(GlobError::Stars(text.to_owned()));
        }
        Ok(Self { segments })
    }

    /// Tells whether a repository is meant, by its segments.
    pub fn matches<'a>(&self, segments: impl Iterator<Item = &'a str>) -> bool {
        let segments: Vec<&str> = segments.collect();
        fits(
            &self.segments,
            &segments,
            |wanted| **wanted == *ANY,
            |wanted, segment| {
                fits(
                    wanted.as_bytes(),
                    segment.as_bytes(),
                    |wanted| *wanted == b'*',
                    |wanted, byte| wanted == byte,
                )
            },
        )
    }

    /// Tells whether another text is meant.
    pub fn matches_text(&self, text: &str) -> bool {
        self.matches(text.split('/'))
    }
}

/// Tells whether `items` are as wanted, where some of the wanted stand for any number of items. Going
/// back to the last such one is enough, so that it takes at most the product of both lengths.
fn fits<W, I>(
    wanted: &[W],
    items: &[I],
    is_any: impl Fn(&W) -> bool,
    is_it: impl Fn(&W, &I) -> bool,
) -> bool {
    let (mut at_wanted, mut at_item) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while let Some(item) = items.get(at_item) {
        match wanted.get(at_wanted) {
            Some(any) if is_any(any) => {
                last = Some((at_wanted, at_item));
                at_wanted += 1;
            }
            Some(one) if is_it(one, item) => {
                at_wanted += 1;
                at_item += 1;
            }
            _ => {
                let Some((any, taken)) = last else {
                    return false;
                };
                last = Some((any, taken + 1));
                at_wanted = any + 1;
                at_item = taken + 1;
            }
        }
    }
    wanted.iter().skip(at_wanted).all(is_any)
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return formatter.write_str("/");
        }
        formatter.write_str(&self.segments.join("/"))
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chartroom_storage::RepositoryPath;

    fn matches(pattern: &str, path: &str) -> bool {
        let glob = Glob::of_repositories(pattern).unwrap();
        assert_eq!(glob.to_string(), pattern);
        glob.matches(RepositoryPath::parse(path).unwrap().segments())
    }

    #[test]
    fn repositories_are_matched_by_whole_segments() {
        for (pattern, yes, no) in [
            ("/", &[""][..], &["org", "org/team"][..]),
            ("**", &["", "org", "org/team/x"], &[]),
            ("*", &["org", "x"], &["", "org/team"]),
            ("org", &["org"], &["", "Org", "org2", "org/team", "xorg"]),
            (
                "org/*",
                &["org/team", "org/x"],
                &["org", "org/a/b", "orgs/team", ""],
            ),
            (
                "org/**",
                &["org", "org/a", "org/a/b/c"],
                &["organisation", "x/org", ""],
            ),
            (
                "**/prod",
                &["prod", "a/prod", "a/b/prod"],
                &["a/prod/b", "a/nonprod"],
            ),
            (
                "a/**/z",
                &["a/z", "a/b/z", "a/b/z/z"],
                &["a", "z", "a/b/z/y"],
            ),
            (
                "team-*",
                &["team-a", "team-"],
                &["team", "team-a/b", "xteam-a"],
            ),
            ("*-*-x", &["a-b-x", "a-b-c-x", "--x"], &["a-x", "a-b-xx"]),
            ("a?[b]{c}.+", &["a?[b]{c}.+"], &["ab", "a1b"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
            for path in no {
                assert!(!matches(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn patterns_that_would_match_nothing_are_refused() {
        for text in ["", "//", "/org", "org/", "a//b"] {
            assert!(Glob::of_repositories(text).is_err(), "{text}");
        }
        for text in ["a**", "**a", "***", "x/a**b"] {
            assert_eq!(
                Glob::of_repositories(text),
                Err(GlobError::Stars(text.to_owned()))
            );
        }
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(Glob::of_text(&long), Err(GlobError::TooLong));
    }

    #[test]
    fn a_pattern_with_many_stars_takes_no_longer_than_both_lengths_multiplied() {
        let glob = Glob::of_text(&"*a".repeat(500)).unwrap();
        // Exponential, it would not end.
        assert!(!glob.matches_text(&"a".repeat(20_000).replace('a', "ab")));
        let glob = Glob::of_text(&["**/a"; 200].join("/")).unwrap();
        assert!(!glob.matches_text(&vec!["b"; 5000].join("/")));
    }

    #[test]
    fn claims_keep_their_empty_segments() {
        let glob = Glob::of_text("https://issuer.example/*").unwrap();
        assert!(glob.matches_text("https://issuer.example/x"));
        assert!(!glob.matches_text("https:/issuer.example/x"));
        assert!(Glob::of_text("").unwrap().matches_text(""));
        assert!(!Glob::of_text("").unwrap().matches_text("x"));
    }
}
