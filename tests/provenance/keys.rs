//! Throw-away keys of every kind, made by GnuPG.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// When keys were made that have expired since, and when they signed.
const PAST: [&str; 2] = ["--faked-system-time", "20200101T000000!"];
const LATER: [&str; 2] = ["--faked-system-time", "20200102T000000!"];
const FUTURE: [&str; 2] = ["--faked-system-time", "20400101T000000!"];

/// A home of GnuPG with keys in it.
pub(crate) struct Keys {
    scratch: TempDir,
}

/// How a text is signed.
#[derive(Clone, Copy)]
pub(crate) struct Pen {
    /// The name of the key.
    pub(crate) key: &'static str,
    /// Options of gpg.
    pub(crate) options: &'static [&'static str],
}

/// A pen without options.
pub(crate) const fn pen(key: &'static str) -> Pen {
    Pen { key, options: &[] }
}

/// Signs as of a day in 2020.
pub(crate) const fn in_2020(key: &'static str) -> Pen {
    Pen {
        key,
        options: &LATER,
    }
}

/// Signs as of a day to come.
pub(crate) const fn in_2040(key: &'static str) -> Pen {
    Pen {
        key,
        options: &FUTURE,
    }
}

/// The names of the keys that are trusted, after [`Keys::revoke`].
const TRUSTED: [&str; 16] = [
    "rsa2048",
    "rsa4096",
    "rsa1024",
    "ed25519",
    "nistp256",
    "nistp384",
    "nistp521",
    "secp256k1",
    "brainpool",
    "old",
    "expired",
    "revoked",
    "compromised",
    "master",
    "worn",
    "shed",
];

impl Keys {
    /// Makes two of the keys.
    pub(crate) fn two() -> Self {
        let keys = Self::none();
        for name in ["rsa2048", "ed25519"] {
            keys.make(name, name, "default", "never", &[]);
        }
        keys
    }

    fn none() -> Self {
        let scratch = tempfile::Builder::new()
            .prefix("cr-prov-")
            .tempdir()
            .expect("a temporary directory");
        let keys = Self { scratch };
        let home = keys.home();
        fs::create_dir(&home).expect("a folder is made");
        let private = Command::new("chmod").arg("700").arg(&home).status();
        assert!(private.is_ok_and(|status| status.success()), "chmod");
        keys
    }

    /// Makes all keys.
    pub(crate) fn new() -> Self {
        let keys = Self::none();
        for (name, algorithm) in [
            ("rsa2048", "rsa2048"),
            ("rsa4096", "rsa4096"),
            ("rsa1024", "rsa1024"),
            ("ed25519", "ed25519"),
            ("nistp256", "nistp256"),
            ("nistp384", "nistp384"),
            ("nistp521", "nistp521"),
            ("secp256k1", "secp256k1"),
            ("brainpool", "brainpoolP256r1"),
            ("stranger", "rsa2048"),
            ("revoked", "ed25519"),
            ("compromised", "ed25519"),
        ] {
            keys.make(name, algorithm, "default", "never", &[]);
        }
        keys.make("old", "ed25519", "default", "never", &PAST);
        keys.make("expired", "ed25519", "default", "10d", &PAST);
        // Keys that only certify, with subkeys that sign.
        keys.make("master", "rsa2048", "cert", "never", &PAST);
        keys.add_subkey("master", "never", &[]);
        keys.make("shed", "ed25519", "cert", "never", &[]);
        keys.add_subkey("shed", "never", &[]);
        keys.make("worn", "ed25519", "cert", "never", &PAST);
        keys.add_subkey("worn", "10d", &PAST);
        keys
    }

    /// The folder that holds everything.
    pub(crate) fn path(&self) -> &Path {
        self.scratch.path()
    }

    fn home(&self) -> PathBuf {
        self.path().join("gnupg")
    }

    fn make(&self, name: &str, algorithm: &str, usage: &str, expiry: &str, options: &[&str]) {
        let user = format!("{name} <{name}@example.com>");
        let make = ["--quick-generate-key", &user, algorithm, usage, expiry];
        self.gpg(&[options, &make].concat(), b"");
    }

    fn add_subkey(&self, name: &str, expiry: &str, options: &[&str]) {
        let fingerprint = self.fingerprint(name);
        let add = ["--quick-add-key", &fingerprint, "ed25519", "sign", expiry];
        self.gpg(&[options, &add].concat(), b"");
    }

    fn fingerprint(&self, name: &str) -> String {
        let listed = self.gpg(&["--with-colons", "--list-keys", &address(name)], b"");
        let listed = String::from_utf8(listed).expect("a list of texts");
        let line = listed.lines().find(|line| line.starts_with("fpr:"));
        let fingerprint = line.and_then(|line| line.split(':').nth(9));
        fingerprint.expect("it has a fingerprint").to_owned()
    }

    /// Signs a text.
    pub(crate) fn sign(&self, text: &[u8], pen: Pen) -> Vec<u8> {
        let user = address(pen.key);
        let sign = ["--local-user", &user, "--clearsign"];
        self.gpg(&[pen.options, &sign].concat(), text)
    }

    /// Signs a text with two keys.
    pub(crate) fn sign_twice(&self, text: &[u8], first: &str, second: &str) -> Vec<u8> {
        let (first, second) = (address(first), address(second));
        let options = ["--local-user", &first, "--local-user", &second];
        self.gpg(&[&options[..], &["--clearsign"]].concat(), text)
    }

    /// Revokes what is to be revoked: after that it signs no more.
    pub(crate) fn revoke(&self) {
        let fingerprint = self.fingerprint("revoked");
        let made = self
            .home()
            .join(format!("openpgp-revocs.d/{fingerprint}.rev"));
        let made = fs::read_to_string(made).expect("gpg makes one with every key");
        // A colon keeps people from importing it by mistake.
        self.gpg(&["--import"], made.replace(":-----", "-----").as_bytes());
        let user = address("compromised");
        let revocation = self.gpg_asking(&["--gen-revoke", &user], b"y\n1\n\ny\n");
        self.gpg(&["--import"], &revocation);
        let answers = b"key 1\nrevkey\ny\n0\n\ny\nsave\n";
        self.gpg_asking(&["--edit-key", &address("shed")], answers);
    }

    /// Writes the public keys that are trusted.
    pub(crate) fn export(&self, file: &str) -> PathBuf {
        self.export_some(file, &TRUSTED, &["--export"])
    }

    /// Writes some keys, as the options have it.
    pub(crate) fn export_some(&self, file: &str, names: &[&str], options: &[&str]) -> PathBuf {
        let users: Vec<String> = names.iter().map(|name| address(name)).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let bytes = self.gpg(&[options, &users].concat(), b"");
        let path = self.path().join(file);
        fs::write(&path, bytes).expect("a file is written");
        path
    }

    fn gpg(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        self.run(&[&["--batch"], arguments].concat(), input)
    }

    /// Answers the questions of a command that has no other way.
    fn gpg_asking(&self, arguments: &[&str], answers: &[u8]) -> Vec<u8> {
        let asking = ["--no-tty", "--yes", "--command-fd", "0"];
        self.run(&[&asking[..], arguments].concat(), answers)
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("gpg")
            .args(["--quiet", "--no-auto-check-trustdb"])
            .args(["--pinentry-mode", "loopback", "--passphrase", ""])
            .args(arguments)
            .env("GNUPGHOME", self.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gpg starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || {
            // It may end before it has read everything.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("gpg ends");
        writer.join().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "gpg {arguments:?}: {said}");
        output.stdout
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // The agent that gpg leaves behind serves this home only.
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(self.home())
            .args(["--kill", "gpg-agent"])
            .status();
    }
}

/// Whole, so that no key is found by a part of another one's name.
fn address(name: &str) -> String {
    format!("<{name}@example.com>")
}
