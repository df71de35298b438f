//! Files of users and their passwords, as `htpasswd -B` writes them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use bcrypt::HashParts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The largest file: some 15,000 users.
pub(super) const LARGEST: usize = 1 << 20;
/// What a comparison may cost: 14 takes about a second, and each step twice as long. htpasswd writes 5
/// unless told otherwise.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The kinds of bcrypt that are the same for what we let in. (2x is that of a broken program.)
const KINDS: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
/// Compared with where there are no users; nobody knows a password for it.
const NOBODY: &str = "$2y$05$abcdefghijklmnopqrstuuVwnR1zyFWpDDnL0DrB8QlmYLuFiEYNe";

/// Why a text is no such file. No part of a line is shown: it may be a password in clear.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HtpasswdError {
    /// A line has another form.
    #[error("line {0} is not `name:hash`")]
    Form(usize),
    /// A hash of another kind.
    #[error("line {0} has no bcrypt hash: write it with htpasswd -B")]
    Kind(usize),
    /// A damaged hash.
    #[error("line {0} has a bcrypt hash that is damaged")]
    Hash(usize),
    /// A hash that takes too long to compare.
    #[error("line {line} has a bcrypt hash of cost {cost}; {} to {} are accepted", COSTS.start(), COSTS.end())]
    Cost {
        /// The line.
        line: usize,
        /// Its cost.
        cost: u32,
    },
    /// Two lines for one user.
    #[error("line {line} is for the same user as line {first}")]
    Twice {
        /// The line.
        line: usize,
        /// The first one.
        first: usize,
    },
}

/// The users of a file.
pub(super) struct Users {
    hashes: BTreeMap<Box<str>, Box<str>>,
    /// Of each user, what let them in last: one digest under a key of the process, so that a hundred
    /// requests cost one comparison. It is forgotten with the file's content.
    verified: Mutex<BTreeMap<Box<str>, [u8; 32]>>,
}

impl Users {
    /// Reads the text of a file. Empty lines and those that begin with `#` do not count.
    pub(super) fn parse(text: &str) -> Result<Self, HtpasswdError> {
        let mut lines_of = BTreeMap::new();
        let mut hashes = BTreeMap::new();
        for (index, written) in text.lines().enumerate() {
            let line = index + 1;
            let written = written.trim_end();
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            let Some((name, hash)) = written.split_once(':') else {
                return Err(HtpasswdError::Form(line));
            };
            if name.is_empty() || name.contains(char::is_control) {
                return Err(HtpasswdError::Form(line));
            }
            check(hash, line)?;
            match lines_of.entry(name) {
                Entry::Vacant(entry) => entry.insert(line),
                Entry::Occupied(entry) => {
                    let first = *entry.get();
                    return Err(HtpasswdError::Twice { line, first });
                }
            };
            hashes.insert(name.into(), hash.into());
        }
        Ok(Self {
            hashes,
            verified: Mutex::default(),
        })
    }

    /// Returns the names of the users.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.hashes.keys().map(|name| &**name)
    }

    /// Tells whether `digest` let the user in before.
    pub(super) fn is_verified(&self, user: &str, digest: &[u8; 32]) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let known = verified.get(user);
        known.is_some_and(|known| known.ct_eq(digest).into())
    }

    /// Compares a password, which takes its time, and notes `digest` if it is the right one. For an
    /// unknown user another one's hash is compared, always the same, so that the time does not tell who
    /// there is.
    pub(super) fn verify(&self, user: &str, password: &[u8], digest: [u8; 32]) -> bool {
        let known = self.hashes.get(user);
        let hash = known.map_or_else(|| self.another(user), |hash| &**hash);
        let is_right = matches!(bcrypt::verify(password, hash), Ok(true));
        let lets_in = is_right && known.is_some();
        if lets_in {
            let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.insert(user.into(), digest);
        }
        lets_in
    }

    fn another(&self, user: &str) -> &str {
        let digest: [u8; 32] = Sha256::digest(user).into();
        let [a, b, c, d, ..] = digest;
        let number = u32::from_be_bytes([a, b, c, d]) as usize;
        let index = number.checked_rem(self.hashes.len()).unwrap_or_default();
        self.hashes
            .values()
            .nth(index)
            .map_or(NOBODY, |hash| &**hash)
    }
}

fn check(hash: &str, line: usize) -> Result<(), HtpasswdError> {
    if !KINDS.iter().any(|kind| hash.starts_with(kind)) {
        return Err(HtpasswdError::Kind(line));
    }
    let parts = HashParts::from_str(hash).map_err(|_| HtpasswdError::Hash(line))?;
    let cost = parts.get_cost();
    if !COSTS.contains(&cost) {
        return Err(HtpasswdError::Cost { line, cost });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(password: &str) -> String {
        bcrypt::hash(password, 4).unwrap()
    }

    #[test]
    fn the_three_kinds_of_bcrypt_are_read_as_htpasswd_writes_them() {
        let written = hash("secret");
        let [a, b, y] = ["2a", "2b", "2y"].map(|kind| format!("${kind}{}", &written[3..]));
        let text = format!("# users\nalice:{a}\n\nbob:{b}\r\ncarol:{y}");
        let users = Users::parse(&text).unwrap();
        assert!(users.names().eq(["alice", "bob", "carol"]));
        for user in ["alice", "bob", "carol"] {
            assert!(users.verify(user, b"secret", [0; 32]), "{user}");
            assert!(!users.verify(user, b"Secret", [0; 32]), "{user}");
        }
        // htpasswd -nbB alice secret
        let text = "alice:$2y$05$XZVDMQNZnAmWlqQWmgC21u2wF2uEbEfrRxHqQ6dFmnRDuJ2GkSNhq";
        assert!(Users::parse(text).is_ok());
    }

    #[test]
    fn broken_lines_are_named_and_nothing_of_them_is_shown() {
        let good = hash("x");
        let expensive = good.replacen("$04$", "$15$", 1);
        let short = &good[..59];
        for (text, expected) in [
            ("secret".to_owned(), HtpasswdError::Form(1)),
            (format!("a:{good}\n\n:{good}"), HtpasswdError::Form(3)),
            ("a:secret".to_owned(), HtpasswdError::Kind(1)),
            ("a:".to_owned(), HtpasswdError::Kind(1)),
            ("a:$apr1$x$y".to_owned(), HtpasswdError::Kind(1)),
            ("a:{SHA}secret".to_owned(), HtpasswdError::Kind(1)),
            (
                format!("a:{}", good.replace("$2b$", "$2x$")),
                HtpasswdError::Kind(1),
            ),
            (format!("a:{short}"), HtpasswdError::Hash(1)),
            (format!("a:{good}x"), HtpasswdError::Hash(1)),
            (format!("a: {good}"), HtpasswdError::Kind(1)),
            (
                format!("a:{expensive}"),
                HtpasswdError::Cost { line: 1, cost: 15 },
            ),
            (
                format!("#\na:{good}\nb:{good}\na:{good}"),
                HtpasswdError::Twice { line: 4, first: 2 },
            ),
        ] {
            let error = Users::parse(&text).err().unwrap();
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn unknown_users_are_compared_too_and_never_let_in() {
        for text in [String::new(), format!("alice:{}", hash("secret"))] {
            let users = Users::parse(&text).unwrap();
            // The hash that is compared is that of the right password.
            assert!(!users.verify("mallory", b"secret", [1; 32]));
            assert!(!users.is_verified("mallory", &[1; 32]));
        }
        let users = Users::parse("").unwrap();
        assert!(HashParts::from_str(users.another("x")).is_ok());
    }

    #[test]
    fn a_password_that_was_right_is_known_by_its_digest() {
        let users = Users::parse(&format!("alice:{}", hash("secret"))).unwrap();
        assert!(!users.is_verified("alice", &[1; 32]));
        assert!(!users.verify("alice", b"wrong", [2; 32]));
        assert!(!users.is_verified("alice", &[2; 32]));
        assert!(users.verify("alice", b"secret", [1; 32]));
        assert!(users.is_verified("alice", &[1; 32]));
        assert!(!users.is_verified("bob", &[1; 32]));
    }
}
