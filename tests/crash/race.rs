//! Versions that all clients upload at once, each with other bytes.

use std::sync::Mutex;

use crate::belief::{Beliefs, Version};

/// How one client's upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Won,
    Refused,
    /// No reply, or one that leaves the outcome open.
    Open,
}

/// The races of one round.
#[derive(Debug)]
pub(crate) struct Races {
    versions: Vec<Version>,
    attempts: Mutex<Vec<(usize, String, Attempt)>>,
}

impl Races {
    pub(crate) fn new(round: u64, count: usize) -> Self {
        let version = |number| ("race".to_owned(), format!("{round}.{number}.0"));
        Self {
            versions: (0..count).map(version).collect(),
            attempts: Mutex::default(),
        }
    }

    pub(crate) fn versions(&self) -> &[Version] {
        &self.versions
    }

    pub(crate) fn note(&self, number: usize, digest: String, attempt: Attempt) {
        self.attempts
            .lock()
            .expect("no client panics")
            .push((number, digest, attempt));
    }

    /// Draws from the attempts what each version has to be. Returns how many have a winner.
    pub(crate) fn settle(&self, raced: &mut Beliefs) -> Result<usize, String> {
        let attempts = self.attempts.lock().expect("no client panics");
        let mut won = 0;
        for (number, version) in self.versions.iter().enumerate() {
            let here: Vec<_> = attempts
                .iter()
                .filter(|(race, ..)| *race == number)
                .collect();
            let of = |wanted| {
                here.iter()
                    .filter(move |(_, _, attempt)| *attempt == wanted)
            };
            let winners: Vec<_> = of(Attempt::Won).collect();
            match winners.as_slice() {
                [(_, digest, _)] => {
                    raced.know(version, Some(digest.clone()));
                    won += 1;
                }
                [] => {
                    for (_, digest, _) in of(Attempt::Open) {
                        raced.suspect(version, Some(digest.clone()));
                    }
                    if of(Attempt::Refused).next().is_some() {
                        raced.exclude_absence(version)?;
                    }
                }
                several => {
                    return Err(format!(
                        "{} uploads of {version:?} were answered 201",
                        several.len()
                    ));
                }
            }
        }
        Ok(won)
    }
}
