//! One key of a keyring: a primary key, who it belongs to, and its subkeys.
//!
//! Signatures within a key are verified once, when it is read, by the rules of go-crypto's
//! `ReadEntity`. A key that breaks one is left out as a whole, and the ring goes on with the next.

use std::iter::Peekable;

use chrono::{DateTime, Utc};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    Packet, PacketParser, PublicKey, PublicSubkey, RevocationCode, Signature, SignatureType,
    SignatureVersion, SubpacketData, UserId,
};
use pgp::types::{EcdsaPublicParams, KeyDetails, KeyVersion, PublicParams, Tag};

/// The packets of a ring or of a signature. `None` stands for one that cannot be read.
pub(super) type Packets<'a> = Peekable<Box<dyn Iterator<Item = Option<Packet>> + 'a>>;

/// Reads packets, without those that go-crypto passes over.
pub(super) fn packets(bytes: &[u8]) -> Packets<'_> {
    let packets = PacketParser::new(bytes).map(Result::ok);
    let packets = packets.filter(|packet| match packet {
        Some(Packet::Marker(_) | Packet::Trust(_) | Packet::Padding(_)) => false,
        Some(Packet::Signature(signature)) => is_supported(signature),
        _ => true,
    });
    let packets: Box<dyn Iterator<Item = Option<Packet>>> = Box::new(packets);
    packets.peekable()
}

/// Tells whether a signature is of a kind that go-crypto knows: others are as if they were not there.
fn is_supported(signature: &Signature) -> bool {
    let is_version = matches!(
        signature.version(),
        SignatureVersion::V4 | SignatureVersion::V6
    );
    let is_hash = match signature.hash_alg() {
        Some(HashAlgorithm::Sha1) => signature.version() == SignatureVersion::V4,
        Some(
            HashAlgorithm::Sha224
            | HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => true,
        _ => false,
    };
    let Some(config) = signature.config() else {
        return false;
    };
    let is_known = config.hashed_subpackets().all(|subpacket| {
        let is_other = matches!(
            subpacket.data,
            SubpacketData::Other(..) | SubpacketData::Experimental(..)
        );
        !(is_other && subpacket.is_critical)
    });
    is_version
        && is_hash
        && can_sign(config.pub_alg)
        && is_known
        && signature.exportable_certification()
}

fn can_sign(algorithm: PublicKeyAlgorithm) -> bool {
    matches!(
        algorithm,
        PublicKeyAlgorithm::RSA
            | PublicKeyAlgorithm::RSASign
            | PublicKeyAlgorithm::DSA
            | PublicKeyAlgorithm::ECDSA
            | PublicKeyAlgorithm::EdDSALegacy
            | PublicKeyAlgorithm::Ed25519
            | PublicKeyAlgorithm::Ed448
    )
}

/// Of ECDSA the library verifies three curves. On secp256k1 it does so for one half of all signatures,
/// as Bitcoin has it: a key on it would be trusted today and not tomorrow.
fn has_curve(key: &impl KeyDetails) -> Result<(), KeyError> {
    match key.public_params() {
        PublicParams::ECDSA(
            EcdsaPublicParams::P256 { .. }
            | EcdsaPublicParams::P384 { .. }
            | EcdsaPublicParams::P521 { .. },
        ) => Ok(()),
        PublicParams::ECDSA(_) => Err(KeyError::Curve),
        _ => Ok(()),
    }
}

/// A primary key with what belongs to it, all of it verified.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) primary: PublicKey,
    identities: Vec<Identity>,
    pub(super) subkeys: Vec<Subkey>,
    revocations: Vec<Signature>,
    /// What a key of version 6 says of itself, instead of its users.
    direct: Option<Signature>,
}

#[derive(Debug)]
struct Identity {
    user: UserId,
    own: Option<Signature>,
    revocations: Vec<Signature>,
}

/// A subkey, and what binds it.
#[derive(Debug)]
pub(super) struct Subkey {
    pub(super) key: PublicSubkey,
    pub(super) binding: Signature,
    revocations: Vec<Signature>,
}

/// Why a key is left out.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("a packet of it cannot be read")]
    Packet,
    #[error("it does not begin with a primary key that signs")]
    NoPrimary,
    #[error("keys of its version are not supported")]
    Version,
    #[error("the curve of a key is not supported")]
    Curve,
    #[error("it has no user with a signature of its own")]
    NoUser,
    #[error("a signature of its own over a user is wrong")]
    User,
    #[error("what binds a subkey is missing or wrong")]
    Subkey,
    #[error("it is revoked by another key, or its revocation is wrong")]
    Revocation,
    #[error("what it says of itself is missing or wrong")]
    Direct,
}

/// A key as it is read: with the secret parts, which are thrown away, or without.
pub(super) struct Read {
    pub(super) key: Key,
    pub(super) is_secret: bool,
}

impl Key {
    /// Reads the next key; `None` at the end. After an error the next call goes on with the next key.
    pub(super) fn read(packets: &mut Packets<'_>) -> Option<Result<Read, KeyError>> {
        let first = packets.next()?;
        let read = match first {
            Some(Packet::PublicKey(primary)) => Self::after(primary, packets, false),
            Some(Packet::SecretKey(secret)) => {
                Self::after(secret.public_key().clone(), packets, true)
            }
            Some(_) => Err(KeyError::NoPrimary),
            None => Err(KeyError::Packet),
        };
        if read.is_err() {
            while packets
                .next_if(|packet| !is_primary(packet.as_ref()))
                .is_some()
            {}
        }
        Some(read)
    }

    fn after(
        primary: PublicKey,
        packets: &mut Packets<'_>,
        is_secret: bool,
    ) -> Result<Read, KeyError> {
        if !matches!(primary.version(), KeyVersion::V4 | KeyVersion::V6) {
            return Err(KeyError::Version);
        }
        if !can_sign(primary.algorithm()) {
            return Err(KeyError::NoPrimary);
        }
        has_curve(&primary)?;
        let mut key = Self {
            primary,
            identities: Vec::new(),
            subkeys: Vec::new(),
            revocations: Vec::new(),
            direct: None,
        };
        while let Some(packet) = packets.next_if(|packet| !is_primary(packet.as_ref())) {
            match packet.ok_or(KeyError::Packet)? {
                Packet::UserId(user) => key.add_user(user, packets)?,
                Packet::PublicSubkey(subkey) => key.add_subkey(subkey, packets)?,
                Packet::SecretSubkey(secret) => {
                    key.add_subkey(secret.public_key().clone(), packets)?;
                }
                Packet::Signature(signature) => key.add_own(signature)?,
                _ => {}
            }
        }
        if key.primary.version() == KeyVersion::V6 {
            key.direct.as_ref().ok_or(KeyError::Direct)?;
        } else if !key.identities.iter().any(|identity| {
            let is_signed = identity.own.is_some();
            is_signed || !identity.revocations.is_empty()
        }) {
            return Err(KeyError::NoUser);
        }
        Ok(Read { key, is_secret })
    }

    /// Takes a signature that stands behind the primary key itself. Others are not known to belong
    /// to anything.
    fn add_own(&mut self, signature: Signature) -> Result<(), KeyError> {
        match signature.typ() {
            Some(SignatureType::KeyRevocation) => {
                signature
                    .verify_key(&self.primary)
                    .map_err(|_| KeyError::Revocation)?;
                self.revocations.push(signature);
            }
            Some(SignatureType::Key)
                if self.primary.version() == KeyVersion::V6
                    && is_by(&signature, &self.primary)
                    && is_newer(&signature, self.direct.as_ref()) =>
            {
                signature
                    .verify_key(&self.primary)
                    .map_err(|_| KeyError::Direct)?;
                self.direct = Some(signature);
            }
            _ => {}
        }
        Ok(())
    }

    fn add_user(&mut self, user: UserId, packets: &mut Packets<'_>) -> Result<(), KeyError> {
        let mut identity = Identity {
            user,
            own: None,
            revocations: Vec::new(),
        };
        while let Some(signature) = next_signature(packets) {
            let is_revocation = signature.typ() == Some(SignatureType::CertRevocation);
            if !is_revocation && !signature.is_certification() {
                return Err(KeyError::User);
            }
            if !is_by(&signature, &self.primary) {
                continue;
            }
            signature
                .verify_certification(&self.primary, Tag::UserId, &identity.user)
                .map_err(|_| KeyError::User)?;
            if is_revocation {
                identity.revocations.push(signature);
            } else if is_newer(&signature, identity.own.as_ref()) {
                identity.own = Some(signature);
            }
        }
        if identity.own.is_some() || !identity.revocations.is_empty() {
            self.identities
                .retain(|other| other.user.id() != identity.user.id());
            self.identities.push(identity);
        }
        Ok(())
    }

    fn add_subkey(&mut self, key: PublicSubkey, packets: &mut Packets<'_>) -> Result<(), KeyError> {
        if !matches!(key.version(), KeyVersion::V4 | KeyVersion::V6) {
            return Err(KeyError::Version);
        }
        has_curve(&key)?;
        let mut binding: Option<Signature> = None;
        let mut revocations = Vec::new();
        while let Some(signature) = next_signature(packets) {
            signature
                .verify_subkey_binding(&self.primary, &key)
                .map_err(|_| KeyError::Subkey)?;
            // A subkey that signs has to say itself whose it is: else anybody could take it for
            // theirs.
            if signature.key_flags().sign() {
                let embedded = signature.embedded_signature().ok_or(KeyError::Subkey)?;
                let is_own = is_supported(embedded)
                    && embedded
                        .verify_primary_key_binding(&key, &self.primary)
                        .is_ok();
                if !is_own {
                    return Err(KeyError::Subkey);
                }
            }
            if signature.typ() == Some(SignatureType::SubkeyRevocation) {
                revocations.push(signature);
            } else if is_newer(&signature, binding.as_ref()) {
                binding = Some(signature);
            }
        }
        self.subkeys.push(Subkey {
            key,
            binding: binding.ok_or(KeyError::Subkey)?,
            revocations,
        });
        Ok(())
    }

    /// Returns what the key says of itself: that it may sign, and until when.
    pub(super) fn own(&self) -> Option<&Signature> {
        match self.primary.version() {
            KeyVersion::V6 => self.direct.as_ref(),
            _ => self.main_identity().and_then(|main| main.own.as_ref()),
        }
    }

    /// Returns the first user in the order of go-crypto: not revoked, marked as the main one, newest.
    fn main_identity(&self) -> Option<&Identity> {
        self.identities.iter().rev().min_by_key(|identity| {
            let own = identity.own.as_ref();
            (
                identity.revocations.len(),
                own.is_none(),
                !own.is_some_and(Signature::is_primary),
                std::cmp::Reverse(own.map_or(0, made)),
            )
        })
    }

    /// Returns the name of the main user.
    pub(super) fn user(&self) -> String {
        let user = self.main_identity().map(|main| main.user.id());
        String::from_utf8_lossy(user.unwrap_or_default()).into_owned()
    }

    /// Tells whether the key, or its main user, was revoked.
    pub(super) fn is_revoked(&self, now: DateTime<Utc>) -> bool {
        let main = match self.primary.version() {
            KeyVersion::V6 => None,
            _ => self.main_identity(),
        };
        is_revoked(&self.revocations, now)
            || main.is_some_and(|main| is_revoked(&main.revocations, now))
    }
}

impl Subkey {
    /// Tells whether the subkey was revoked.
    pub(super) fn is_revoked(&self, now: DateTime<Utc>) -> bool {
        is_revoked(&self.revocations, now)
    }
}

fn is_primary(packet: Option<&Packet>) -> bool {
    matches!(packet, Some(Packet::PublicKey(_) | Packet::SecretKey(_)))
}

fn next_signature(packets: &mut Packets<'_>) -> Option<Signature> {
    let packet = packets.next_if(|packet| matches!(packet, Some(Packet::Signature(_))))?;
    match packet {
        Some(Packet::Signature(signature)) => Some(signature),
        _ => None,
    }
}

/// Tells whether a signature says that the key made it: by its fingerprint, else by its id.
fn is_by(signature: &Signature, key: &PublicKey) -> bool {
    match signature.issuer_fingerprint().last() {
        Some(fingerprint) => **fingerprint == key.fingerprint(),
        None => signature
            .issuer_key_id()
            .last()
            .is_some_and(|id| **id == key.legacy_key_id()),
    }
}

fn is_newer(signature: &Signature, than: Option<&Signature>) -> bool {
    than.is_none_or(|than| made(signature) > made(than))
}

/// A compromised key was never to be trusted. Another revocation counts from its own time on.
fn is_revoked(revocations: &[Signature], now: DateTime<Utc>) -> bool {
    revocations.iter().any(|revocation| {
        let is_compromised =
            revocation.revocation_reason_code() == Some(&RevocationCode::KeyCompromised);
        is_compromised || !is_expired(revocation, now)
    })
}

/// Returns when a signature was made, in seconds.
fn made(signature: &Signature) -> u32 {
    signature
        .created()
        .map_or(0, pgp::types::Timestamp::as_secs)
}

/// Tells whether a signature has expired, or is from the future.
pub(super) fn is_expired(signature: &Signature, now: DateTime<Utc>) -> bool {
    let lifetime = signature.signature_expiration_time();
    is_over(made(signature), lifetime, now)
}

/// Tells whether a key has expired by what is said of it, or is from the future.
pub(super) fn is_key_expired(key: &impl KeyDetails, own: &Signature, now: DateTime<Utc>) -> bool {
    is_over(key.created_at().as_secs(), own.key_expiration_time(), now)
}

/// A lifetime of zero is none.
fn is_over(begin: u32, lifetime: Option<pgp::types::Duration>, now: DateTime<Utc>) -> bool {
    let (begin, now) = (i64::from(begin), now.timestamp());
    let lifetime = lifetime.map_or(0, |lifetime| i64::from(lifetime.as_secs()));
    begin > now || (lifetime != 0 && now > begin + lifetime)
}
