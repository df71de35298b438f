//! The keys whose signatures are trusted.

use chrono::{DateTime, Utc};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Packet, PacketHeader, Signature, SignatureType, SubpacketData};
use pgp::types::{Fingerprint, KeyDetails};

use super::clearsign::Clearsigned;
use super::key::{self, Key, Packets, Subkey, is_expired, is_key_expired};
use super::{Fault, KeyringError, Signer, armor};

/// What `gpg --export --armor` begins with.
const ARMOR: &[u8] = b"-----BEGIN PGP";
const KINDS: [&str; 2] = ["PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK"];

/// The keys whose signatures are trusted.
#[derive(Debug)]
pub(super) struct Keyring {
    keys: Vec<Key>,
    notices: Vec<String>,
}

/// The key that is to have made a signature.
enum Candidate<'a> {
    Primary(&'a Key),
    Subkey(&'a Key, &'a Subkey),
}

impl Keyring {
    /// Reads a ring: as `gpg --export` writes it, or armored, several blocks of armor too.
    pub(super) fn read(file: &[u8]) -> Result<Self, KeyringError> {
        if file.get(8..12) == Some(b"KBXf") {
            return Err(KeyringError::Keybox);
        }
        let mut ring = Self {
            keys: Vec::new(),
            notices: Vec::new(),
        };
        if file.trim_ascii_start().starts_with(ARMOR) {
            let mut rest = file;
            while let Some((block, after)) = armor::read(rest) {
                if block.is_damaged {
                    return Err(KeyringError::Armor);
                }
                if !KINDS.contains(&&*block.kind) {
                    return Err(KeyringError::Kind(block.kind));
                }
                ring.add(&block.bytes)?;
                rest = after;
            }
        } else {
            ring.add(file)?;
        }
        if ring.keys.is_empty() {
            return Err(KeyringError::Empty {
                notices: ring.notices.join("; "),
            });
        }
        Ok(ring)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), KeyringError> {
        // A file that is being written would be a ring without its last keys.
        if !is_whole(bytes) {
            return Err(KeyringError::Packets);
        }
        let mut packets = key::packets(bytes);
        let mut position = self.keys.len();
        while let Some(read) = Key::read(&mut packets) {
            position += 1;
            match read {
                Ok(read) => {
                    if read.is_secret {
                        let fingerprint = hex(&read.key.primary.fingerprint());
                        self.notices.push(format!(
                            "it holds the secret part of {fingerprint}, which no server needs: gpg --export leaves it out"
                        ));
                    }
                    self.keys.push(read.key);
                }
                Err(error) => self
                    .notices
                    .push(format!("key number {position} is left out: {error}")),
            }
        }
        Ok(())
    }

    /// Returns how many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns what is worth a line in the log.
    pub(super) fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Finds out who signed a message.
    pub(super) fn verify(
        &self,
        message: &Clearsigned,
        now: DateTime<Utc>,
    ) -> Result<Signer, Fault> {
        let mut packets = key::packets(&message.signatures.bytes);
        let (signature, candidates) = self.first_known(&mut packets, message)?;
        if !matches!(
            signature.typ(),
            Some(SignatureType::Binary | SignatureType::Text)
        ) {
            return Err(Fault::Malformed);
        }
        // Helm takes SHA-1. Two texts of one's own choice can have the same one, and a signature that
        // was made today "MUST NOT" be believed (RFC 9580, 9.5).
        if signature.hash_alg() == Some(HashAlgorithm::Sha1) {
            return Err(Fault::WeakHash);
        }
        let maker = candidates
            .into_iter()
            .find(|candidate| candidate.made(&signature, &message.signed))
            .ok_or(Fault::BadSignature)?;
        maker.may_sign(&signature, now)?;
        Ok(maker.signer())
    }

    /// The first signature by a key that is known counts, whether it is right or not. Others before
    /// it do not.
    fn first_known(
        &self,
        packets: &mut Packets<'_>,
        message: &Clearsigned,
    ) -> Result<(Signature, Vec<Candidate<'_>>), Fault> {
        for packet in packets {
            let Some(Packet::Signature(signature)) = packet else {
                return Err(Fault::Malformed);
            };
            let issuer = issuer(&signature).ok_or(Fault::Malformed)?;
            let candidates = self.candidates(&issuer);
            if !candidates.is_empty() {
                return Ok((signature, candidates));
            }
        }
        Err(if message.signatures.is_damaged {
            Fault::Malformed
        } else {
            Fault::UnknownKey
        })
    }

    /// Returns the keys of an id that may sign at all.
    fn candidates(&self, id: &[u8]) -> Vec<Candidate<'_>> {
        let mut found = Vec::new();
        for key in &self.keys {
            if key.primary.legacy_key_id().as_ref() == id && key.own().is_some_and(says_sign) {
                found.push(Candidate::Primary(key));
            }
            for subkey in &key.subkeys {
                if subkey.key.legacy_key_id().as_ref() == id && says_sign(&subkey.binding) {
                    found.push(Candidate::Subkey(key, subkey));
                }
            }
        }
        found
    }
}

impl Candidate<'_> {
    fn made(&self, signature: &Signature, text: &[u8]) -> bool {
        let made = match self {
            Self::Primary(key) => signature.verify(&key.primary, text),
            Self::Subkey(_, subkey) => signature.verify(&subkey.key, text),
        };
        made.is_ok()
    }

    fn key(&self) -> &Key {
        match self {
            Self::Primary(key) | Self::Subkey(key, _) => key,
        }
    }

    fn subkey(&self) -> Option<&Subkey> {
        match self {
            Self::Primary(_) => None,
            Self::Subkey(_, subkey) => Some(subkey),
        }
    }

    /// The key is held against today, not against the day of the signature: as in helm, what was
    /// signed in time is not trusted any more when the key has expired.
    fn may_sign(&self, signature: &Signature, now: DateTime<Utc>) -> Result<(), Fault> {
        let key = self.key();
        let own = key.own().ok_or(Fault::UnknownKey)?;
        let mut signatures = vec![signature, own];
        if let Some(subkey) = self.subkey() {
            signatures.push(&subkey.binding);
            signatures.extend(subkey.binding.embedded_signature());
        }
        if signatures.iter().any(|signature| has_demand(signature)) {
            return Err(Fault::Malformed);
        }
        if key.is_revoked(now) || self.subkey().is_some_and(|subkey| subkey.is_revoked(now)) {
            return Err(Fault::Revoked);
        }
        let is_over = is_key_expired(&key.primary, own, now)
            || self
                .subkey()
                .is_some_and(|subkey| is_key_expired(&subkey.key, &subkey.binding, now))
            || signatures
                .iter()
                .any(|signature| is_expired(signature, now));
        if is_over {
            return Err(Fault::Expired);
        }
        Ok(())
    }

    fn signer(&self) -> Signer {
        let key = self.key();
        let fingerprint = match self.subkey() {
            Some(subkey) => subkey.key.fingerprint(),
            None => key.primary.fingerprint(),
        };
        Signer {
            fingerprint: hex(&fingerprint),
            user: key.user(),
        }
    }
}

/// Tells whether packets follow each other up to the end.
fn is_whole(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let length = PacketHeader::try_from_reader(&mut bytes)
            .ok()
            .and_then(|header| header.packet_length().maybe_len())
            .and_then(|length| usize::try_from(length).ok());
        let Some(rest) = length.and_then(|length| bytes.get(length..)) else {
            return false;
        };
        bytes = rest;
    }
    true
}

/// A notation that must be understood, and is not.
fn has_demand(signature: &Signature) -> bool {
    let config = signature.config();
    config.is_some_and(|config| {
        config.hashed_subpackets().any(|subpacket| {
            subpacket.is_critical && matches!(subpacket.data, SubpacketData::Notation(_))
        })
    })
}

/// Without flags a key is not known to sign.
fn says_sign(signature: &Signature) -> bool {
    signature.key_flags().sign()
}

/// Returns the id of the key that a signature names: the last one that it names.
fn issuer(signature: &Signature) -> Option<[u8; 8]> {
    let config = signature.config()?;
    let subpackets = config
        .hashed_subpackets()
        .chain(config.unhashed_subpackets());
    let id = |data: &SubpacketData| -> Option<[u8; 8]> {
        match data {
            SubpacketData::IssuerKeyId(id) => id.as_ref().try_into().ok(),
            SubpacketData::IssuerFingerprint(Fingerprint::V6(bytes) | Fingerprint::V5(bytes)) => {
                bytes.first_chunk().copied()
            }
            SubpacketData::IssuerFingerprint(Fingerprint::V4(bytes)) => bytes.last_chunk().copied(),
            _ => None,
        }
    };
    subpackets
        .filter_map(|subpacket| id(&subpacket.data))
        .last()
}

fn hex(fingerprint: &Fingerprint) -> String {
    format!("{fingerprint:X}")
}
