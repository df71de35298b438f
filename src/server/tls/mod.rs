//! TLS by rustls: version 1.2 and up, HTTP/2 by ALPN, client certificates if there is an authority
//! for them.
//!
//! The files are read again every few seconds, and what they hold now is used from the next handshake
//! on; connections that are open go on with what they began with. A new pair that is broken is told
//! in the log, and the old one stays.

mod files;
mod handshake;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;
pub use files::TlsError;
use files::{Contents, Fingerprint};
pub(super) use handshake::accept;

/// How often the files are looked at: they are small, and mostly in memory.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// The protocols that are spoken, the preferred one first.
pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// What handshakes are made with.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<Current>,
    check_every: Duration,
}

#[derive(Debug)]
struct Current {
    /// A whole one, and not only its certificate, is exchanged: sessions that were begun with another
    /// authority for clients cannot be resumed.
    config: Arc<ServerConfig>,
    fingerprint: Fingerprint,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// If one of them cannot be read or holds something else, or if the key is not that of the
    /// certificate.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = current(&files, &Contents::read(&files)?)?;
        Ok(Self {
            files,
            current: ArcSwap::from_pointee(current),
            check_every: CHECK_EVERY,
        })
    }

    /// Sets how often the files are looked at.
    #[must_use]
    pub fn check_every(mut self, time: Duration) -> Self {
        self.check_every = time;
        self
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.load().config))
    }

    /// Takes over what the files hold from time to time, for ever.
    ///
    /// # Cancellation
    /// At any moment: either the old files or the new ones are in use.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut told = None;
        loop {
            sleep(self.check_every).await;
            let tls = Arc::clone(&self);
            let problem = match spawn_blocking(move || tls.reload()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(with_source(&error)),
                Err(error) => Some(error.to_string()),
            };
            // A file that stays broken is told once.
            if let Some(problem) = problem.as_ref().filter(|_| problem != told) {
                tracing::error!(
                    error = problem,
                    "the files of TLS changed and cannot be used: the old ones stay in use"
                );
            }
            told = problem;
        }
    }

    fn reload(&self) -> Result<(), TlsError> {
        let contents = Contents::read(&self.files)?;
        if contents.fingerprint() == self.current.load().fingerprint {
            return Ok(());
        }
        self.current
            .store(Arc::new(current(&self.files, &contents)?));
        tracing::info!(
            certificate = %self.files.certificate.display(),
            "the files of TLS changed: new connections use them"
        );
        Ok(())
    }
}

/// A file's name alone would not tell what is wrong with it.
fn with_source(error: &TlsError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn current(files: &TlsFiles, contents: &Contents) -> Result<Current, TlsError> {
    Ok(Current {
        config: Arc::new(contents.config(files)?),
        fingerprint: contents.fingerprint(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    struct Pair {
        certificate: String,
        key: String,
    }

    fn pair() -> Pair {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Pair {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    fn load(directory: &TempDir, pair: &Pair) -> Tls {
        let files = TlsFiles {
            certificate: directory.path().join("tls.crt"),
            key: directory.path().join("tls.key"),
            client_ca: None,
        };
        fs::write(&files.certificate, &pair.certificate).unwrap();
        fs::write(&files.key, &pair.key).unwrap();
        Tls::load(files).unwrap()
    }

    fn in_use(tls: &Tls) -> Arc<ServerConfig> {
        Arc::clone(&tls.current.load().config)
    }

    #[test]
    fn broken_files_leave_the_old_ones_in_use_until_they_are_mended() {
        let directory = TempDir::new().unwrap();
        let (old, new) = (pair(), pair());
        let tls = load(&directory, &old);
        let first = in_use(&tls);
        // The certificate is replaced before its key is, as by most tools.
        fs::write(&tls.files.certificate, &new.certificate).unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })));
        fs::write(&tls.files.certificate, "").unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Missing { .. })));
        fs::remove_file(&tls.files.certificate).unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Read { .. })));
        assert!(Arc::ptr_eq(&first, &in_use(&tls)));

        fs::write(&tls.files.certificate, &new.certificate).unwrap();
        fs::write(&tls.files.key, &new.key).unwrap();
        tls.reload().unwrap();
        let second = in_use(&tls);
        assert!(!Arc::ptr_eq(&first, &second));
        tls.reload().unwrap();
        assert!(Arc::ptr_eq(&second, &in_use(&tls)));
    }

    #[test]
    fn nothing_secret_is_shown_for_debugging() {
        let directory = TempDir::new().unwrap();
        let pair = pair();
        let tls = load(&directory, &pair);
        let shown = format!("{tls:?}");
        for line in pair.key.lines().filter(|line| !line.starts_with('-')) {
            assert!(!shown.contains(line), "{shown}");
        }
    }
}
