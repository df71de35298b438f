//! What becomes of an upload without a provenance that proves something.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chartroom_storage::Clock;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::keyring::Keyring;
use super::{Fault, Signer, clearsign};
use crate::chart::Digest;
use crate::chart::provenance::{MAX_BYTES, Provenance};

/// A thousand keys take a few megabytes.
const LARGEST_FILE: u64 = 16 << 20;
/// How often the file is looked at, as those of TLS.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// What becomes of an upload whose provenance proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It is stored, and told.
    Warn,
    /// It is refused.
    Require,
}

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file cannot be read.
    #[error("--keyring: {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("--keyring: {} cannot be used: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<KeyringError>,
    },
    /// It is larger than any keyring.
    #[error("it is larger than {LARGEST_FILE} bytes")]
    TooLarge,
    /// `GnuPG`'s own database.
    #[error("it is a keybox, which only GnuPG reads: write a keyring with gpg --export")]
    Keybox,
    /// It is no sequence of packets.
    #[error("it is no keyring, or the end of it is missing: gpg --export writes one")]
    Packets,
    /// Its armor is damaged.
    #[error("its ASCII armor is damaged")]
    Armor,
    /// It is armored, and something else.
    #[error("it holds a {0} and not public keys")]
    Kind(String),
    /// No key in it can be used.
    #[error("there is no key in it{}{notices}", if notices.is_empty() { "" } else { ": " })]
    Empty {
        /// What is wrong with those that are there.
        notices: String,
    },
    /// This program cannot verify signatures.
    #[error("this chartroom was built without the feature openpgp")]
    Unsupported,
}

/// Whether provenance is verified at upload, and what follows.
#[derive(Clone, Debug, Default)]
pub struct Policy(Option<Arc<Verifier>>);

#[derive(Debug)]
struct Verifier {
    rule: Rule,
    path: PathBuf,
    current: ArcSwap<Current>,
    clock: Clock,
    check_every: Duration,
}

#[derive(Debug)]
struct Current {
    keyring: Keyring,
    /// Contents are compared, not times and sizes.
    digest: Digest,
}

/// A provenance file that proves what it says.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    /// What was signed. Nothing else of the file is looked at.
    pub(crate) provenance: Provenance,
    /// By whom.
    pub(crate) signer: Signer,
}

impl Policy {
    /// Reads the keyring.
    ///
    /// # Errors
    /// When there is no key in the file that can be used.
    pub fn load(rule: Rule, keyring: &Path, clock: Clock) -> Result<Self, KeyringError> {
        let current = current(keyring, &content(keyring)?)?;
        tell(keyring, &current.keyring);
        Ok(Self(Some(Arc::new(Verifier {
            rule,
            path: keyring.to_owned(),
            current: ArcSwap::from_pointee(current),
            clock,
            check_every: CHECK_EVERY,
        }))))
    }

    /// Returns what becomes of an upload whose provenance proves nothing; `None` when nobody looks.
    pub(crate) fn rule(&self) -> Option<Rule> {
        self.0.as_ref().map(|verifier| verifier.rule)
    }

    /// Verifies a provenance file, whatever archive it stands beside. Takes the time of a signature's
    /// mathematics.
    pub(crate) fn verify(&self, file: &[u8]) -> Result<Verified, Fault> {
        let verifier = self.0.as_ref().ok_or(Fault::UnknownKey)?;
        if file.len() > MAX_BYTES {
            return Err(Fault::Malformed);
        }
        let message = clearsign::decode(file).ok_or(Fault::Malformed)?;
        let current = verifier.current.load();
        let signer = current.keyring.verify(&message, verifier.clock.wall())?;
        let provenance = Provenance::parse_signed(&message.text).map_err(|_| Fault::Malformed)?;
        Ok(Verified { provenance, signer })
    }

    /// Takes over what the keyring holds from time to time, for ever.
    ///
    /// # Cancellation
    /// At any moment: either the old keys or the new ones are in use.
    pub async fn follow(self) {
        let Some(verifier) = self.0 else {
            return std::future::pending().await;
        };
        let mut told = None;
        loop {
            sleep(verifier.check_every).await;
            let reloading = Arc::clone(&verifier);
            let problem = match spawn_blocking(move || reloading.reload()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            // A file that stays broken is told once.
            if let Some(problem) = problem.as_ref().filter(|_| problem != told) {
                tracing::error!(
                    error = problem,
                    "the keyring changed and cannot be used: the old one stays in use"
                );
            }
            told = problem;
        }
    }
}

impl Verifier {
    fn reload(&self) -> Result<(), KeyringError> {
        let content = content(&self.path)?;
        if Digest::of(&content) == self.current.load().digest {
            return Ok(());
        }
        let current = current(&self.path, &content)?;
        tell(&self.path, &current.keyring);
        self.current.store(Arc::new(current));
        Ok(())
    }
}

fn tell(path: &Path, keyring: &Keyring) {
    let (path, keys) = (path.display(), keyring.len());
    tracing::info!(keyring = %path, keys, "provenance is verified with this keyring");
    for notice in keyring.notices() {
        tracing::warn!(keyring = %path, "the keyring: {notice}");
    }
}

fn content(path: &Path) -> Result<Vec<u8>, KeyringError> {
    let wrong = |source| KeyringError::File {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    let file = File::open(path).map_err(wrong)?;
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut content)
        .map_err(wrong)?;
    Ok(content)
}

fn current(path: &Path, content: &[u8]) -> Result<Current, KeyringError> {
    let is_too_large = u64::try_from(content.len()).is_ok_and(|size| size > LARGEST_FILE);
    let keyring = if is_too_large {
        Err(KeyringError::TooLarge)
    } else {
        Keyring::read(content)
    };
    let keyring = keyring.map_err(|source| KeyringError::Content {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    Ok(Current {
        keyring,
        digest: Digest::of(content),
    })
}
