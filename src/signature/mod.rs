//! Whether a provenance file is signed by somebody who is trusted here, as `helm verify` decides it.
//!
//! Helm reads with Go's OpenPGP library (`go-crypto` 1.4), which is more particular than
//! GnuPG in some ways and less in others. Where a text is taken apart, or a rule of keys is applied, the
//! comments say what that library does; `tests/provenance` holds every verdict against helm's own.
//! The mathematics is rPGP's.

mod armor;
mod clearsign;
#[cfg(feature = "openpgp")]
mod key;
#[cfg(feature = "openpgp")]
mod keyring;
#[cfg(not(feature = "openpgp"))]
#[path = "no_keyring.rs"]
mod keyring;
mod policy;

pub(crate) use policy::Verified;
pub use policy::{KeyringError, Policy, Rule};

/// Whose signature a text has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    /// The fingerprint of the key that signed, a subkey maybe.
    pub(crate) fingerprint: String,
    /// The user that the key names.
    pub(crate) user: String,
}

/// Why a provenance file proves nothing. The values are those of a metric and of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no provenance file.
    Missing,
    /// It is not a signed message that can be read.
    Malformed,
    /// No key of the keyring signed it.
    UnknownKey,
    /// The signature is not that of the text.
    BadSignature,
    /// The signature was made with a hash that can be forged.
    WeakHash,
    /// The key or the signature has expired, or is from the future.
    Expired,
    /// The key was revoked.
    Revoked,
    /// It is that of another archive.
    Mismatch,
}

impl Fault {
    /// Every fault.
    pub(crate) const ALL: [Self; 8] = [
        Self::Missing,
        Self::Malformed,
        Self::UnknownKey,
        Self::BadSignature,
        Self::WeakHash,
        Self::Expired,
        Self::Revoked,
        Self::Mismatch,
    ];

    /// Returns the fault in one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown-key",
            Self::BadSignature => "bad-signature",
            Self::WeakHash => "weak-hash",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Mismatch => "mismatch",
        }
    }

    /// Returns the fault in words, to a person.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Missing => "there is no provenance file",
            Self::Malformed => "it is not a signed message that can be read",
            Self::UnknownKey => "no key of the keyring made the signature",
            Self::BadSignature => "the signature is not that of the text",
            Self::WeakHash => "the signature was made with SHA-1, which can be forged",
            Self::Expired => "the key or the signature has expired",
            Self::Revoked => "the key was revoked",
            Self::Mismatch => "it is that of another archive",
        }
    }
}

#[cfg(test)]
mod tests;
