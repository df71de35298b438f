//! Compares passwords with those of a file.
//!
//! A comparison is expensive by design, so that there is a bound on how many run and how many wait;
//! and a password that was right is known again by a digest of it, under a key that the process makes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use uuid::Uuid;

use super::htpasswd::{LARGEST, Users};
use super::watched::{FileError, Watched};
use super::{Identity, Refusal, Unknown};

/// How many requests wait for a comparison.
const WAITING: usize = 64;
/// For how long each waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// More bytes bcrypt does not look at.
pub(super) const LONGEST: usize = 72;

pub(super) struct Passwords {
    file: Arc<Watched<Users>>,
    running: Arc<Semaphore>,
    waiting: Semaphore,
    key: [[u8; 16]; 2],
}

impl Passwords {
    pub(super) fn try_new(path: &Path) -> Result<Self, FileError> {
        let parse = |text: &str| Users::parse(text).map_err(Into::into);
        // Half of the cores are left for everybody else.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            file: Arc::new(Watched::load(path, LARGEST, parse)?),
            running: Arc::new(Semaphore::new((cores / 2).clamp(1, 8))),
            waiting: Semaphore::new(WAITING),
            key: [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes),
        })
    }

    pub(super) fn file(&self) -> &Arc<Watched<Users>> {
        &self.file
    }

    /// Tells whether it is the user's password.
    ///
    /// # Cancellation
    /// A comparison that began goes on to its end, and holds its place until then.
    pub(super) async fn identify(
        &self,
        user: &str,
        password: SecretSlice<u8>,
    ) -> Result<Identity, Unknown> {
        let bytes = password.expose_secret();
        // bcrypt ends at a NUL, so that other passwords would be the same; and an empty one is none.
        if bytes.is_empty() || bytes.len() > LONGEST || bytes.contains(&0) {
            return Err(Refusal::WrongPassword.into());
        }
        let digest = self.digest(user, bytes);
        let identity = Identity::User(user.into());
        let users = self.file.current();
        if users.is_verified(user, &digest) {
            return Ok(identity);
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(Unknown::Busy);
        };
        let running = Arc::clone(&self.running).acquire_owned();
        let Ok(Ok(permit)) = timeout(PATIENCE, running).await else {
            return Err(Unknown::Busy);
        };
        // Somebody with the same password may have waited before.
        if users.is_verified(user, &digest) {
            return Ok(identity);
        }
        let name = user.to_owned();
        let compared = spawn_blocking(move || {
            let _permit = permit;
            users.verify(&name, password.expose_secret(), digest)
        });
        match compared.await {
            Ok(true) => Ok(identity),
            Ok(false) => Err(Refusal::WrongPassword.into()),
            Err(error) => Err(Unknown::Unavailable(error.to_string().into())),
        }
    }

    fn digest(&self, user: &str, password: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key.as_flattened());
        hash.update(user.len().to_be_bytes());
        hash.update(user);
        hash.update(password);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn passwords(directory: &TempDir, password: &str) -> Passwords {
        let path = directory.path().join("htpasswd");
        let hash = bcrypt::hash(password, 4).unwrap();
        fs::write(&path, format!("alice:{hash}\n")).unwrap();
        Passwords::try_new(&path).unwrap()
    }

    async fn send(passwords: &Passwords, user: &str, password: &[u8]) -> Result<Identity, Unknown> {
        passwords.identify(user, password.to_vec().into()).await
    }

    const WRONG: Unknown = Unknown::Refused(Refusal::WrongPassword);

    #[tokio::test]
    async fn the_right_password_lets_in_and_no_other_does() {
        let directory = TempDir::new().unwrap();
        let longest = "x".repeat(LONGEST);
        let passwords = passwords(&directory, &longest);
        for _ in 0..2 {
            let who = send(&passwords, "alice", longest.as_bytes()).await;
            assert_eq!(who, Ok(Identity::User("alice".into())));
        }
        let longer = "x".repeat(LONGEST + 1);
        let enormous = "x".repeat(1 << 20);
        for (user, password) in [
            ("alice", ""),
            ("alice", "wrong"),
            ("alice", &longest[1..]),
            // bcrypt alone would let these in.
            ("alice", &longer),
            ("alice", &enormous),
            ("bob", &longest),
            ("", &longest),
            ("Alice", &longest),
        ] {
            let who = send(&passwords, user, password.as_bytes()).await;
            assert_eq!(who, Err(WRONG), "{user} {}", password.len());
        }
    }

    #[tokio::test]
    async fn what_follows_a_nul_makes_no_second_password() {
        let directory = TempDir::new().unwrap();
        let passwords = passwords(&directory, "a");
        assert!(send(&passwords, "alice", b"a").await.is_ok());
        // bcrypt repeats a password with a NUL behind it, so that it takes both for one.
        assert!(bcrypt::verify(b"a\0a", &bcrypt::hash("a", 4).unwrap()).unwrap());
        for password in [&b"a\0a"[..], b"a\0", b"\0"] {
            assert_eq!(send(&passwords, "alice", password).await, Err(WRONG));
        }
    }

    #[tokio::test]
    async fn a_hundred_requests_with_one_password_cost_one_comparison() {
        let directory = TempDir::new().unwrap();
        let passwords = passwords(&directory, "secret");
        assert!(send(&passwords, "alice", b"secret").await.is_ok());
        // From here on nothing can be compared.
        passwords.running.close();
        for _ in 0..100 {
            assert!(send(&passwords, "alice", b"secret").await.is_ok());
        }
        assert_eq!(
            send(&passwords, "alice", b"other").await,
            Err(Unknown::Busy)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn comparisons_are_bounded_and_so_is_the_wait_for_one() {
        let directory = TempDir::new().unwrap();
        let passwords = passwords(&directory, "secret");
        let cores = u32::try_from(passwords.running.available_permits()).unwrap();
        let held = passwords.running.acquire_many(cores).await.unwrap();
        let begin = tokio::time::Instant::now();
        assert_eq!(
            send(&passwords, "alice", b"secret").await,
            Err(Unknown::Busy)
        );
        assert_eq!(begin.elapsed(), PATIENCE);
        let waiting = passwords
            .waiting
            .acquire_many(u32::try_from(WAITING).unwrap());
        let waiting = waiting.await.unwrap();
        let begin = tokio::time::Instant::now();
        assert_eq!(
            send(&passwords, "alice", b"secret").await,
            Err(Unknown::Busy)
        );
        assert_eq!(begin.elapsed(), Duration::ZERO);
        drop((held, waiting));
        assert!(send(&passwords, "alice", b"secret").await.is_ok());
    }

    #[tokio::test]
    async fn a_changed_file_counts_and_what_was_right_before_does_not() {
        let directory = TempDir::new().unwrap();
        let passwords = passwords(&directory, "old");
        assert!(send(&passwords, "alice", b"old").await.is_ok());
        let path = directory.path().join("htpasswd");
        fs::write(&path, "alice:broken\nmallory:also\n").unwrap();
        assert!(passwords.file().reload().is_err());
        assert!(send(&passwords, "alice", b"old").await.is_ok());
        assert_eq!(send(&passwords, "mallory", b"also").await, Err(WRONG));
        let hash = bcrypt::hash("new", 4).unwrap();
        fs::write(&path, format!("alice:{hash}")).unwrap();
        assert!(passwords.file().reload().unwrap());
        assert_eq!(send(&passwords, "alice", b"old").await, Err(WRONG));
        assert!(send(&passwords, "alice", b"new").await.is_ok());
        fs::write(&path, "").unwrap();
        assert!(passwords.file().reload().unwrap());
        assert_eq!(send(&passwords, "alice", b"new").await, Err(WRONG));
    }
}
