//! Verdicts over committed files; `tests/tools/provenance-vectors` makes them.

#![cfg(feature = "openpgp")]

use chrono::{DateTime, TimeDelta, Utc};

use super::keyring::Keyring;
use super::{Fault, KeyringError, Policy, Rule, Signer, clearsign};

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/vectors/provenance/", $name)).as_slice()
    };
}

const RING: &[u8] = vector!("keyring.gpg");
const GOOD: &[u8] = vector!("verified-rsa.prov");

/// Some years after the files were made.
fn today() -> DateTime<Utc> {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

fn verify(ring: &[u8], file: &[u8], now: DateTime<Utc>) -> Result<Signer, Fault> {
    let message = clearsign::decode(file).ok_or(Fault::Malformed)?;
    Keyring::read(ring).unwrap().verify(&message, now)
}

#[test]
fn every_file_gets_the_verdict_that_it_was_made_for() {
    for (user, file) in [
        ("rsa", GOOD),
        ("edwards", vector!("verified-edwards.prov")),
        ("curve", vector!("verified-curve.prov")),
        ("master", vector!("verified-subkey.prov")),
    ] {
        let signer = verify(RING, file, today()).unwrap();
        assert_eq!(signer.user, format!("{user} <{user}@example.com>"));
        assert_eq!(signer.fingerprint.len(), 40);
    }
    for (fault, file) in [
        (Fault::UnknownKey, vector!("unknown-key.prov")),
        (Fault::UnknownKey, vector!("unknown-key-md5.prov")),
        (Fault::BadSignature, vector!("bad-signature.prov")),
        (Fault::WeakHash, vector!("weak-hash.prov")),
        (Fault::Expired, vector!("expired-key.prov")),
        (Fault::Expired, vector!("expired-signature.prov")),
        (Fault::Revoked, vector!("revoked.prov")),
    ] {
        let verdict = verify(RING, file, today());
        assert_eq!(verdict, Err(fault));
    }
}

#[test]
fn keys_are_held_against_the_day_of_the_look() {
    let day = |text: &str| {
        format!("{text}T12:00:00Z")
            .parse::<DateTime<Utc>>()
            .unwrap()
    };
    for (file, last) in [
        (vector!("expired-key.prov"), "2020-01-10"),
        (vector!("expired-signature.prov"), "2020-01-02"),
    ] {
        assert!(verify(RING, file, day(last)).is_ok());
        let later = day(last) + TimeDelta::days(1);
        assert_eq!(verify(RING, file, later), Err(Fault::Expired));
    }
    // Made after that day.
    assert_eq!(verify(RING, GOOD, day("2019-12-31")), Err(Fault::Expired));
}

#[test]
fn a_ring_is_read_armored_and_in_several_blocks() {
    let armored = vector!("keyring.asc");
    assert_eq!(Keyring::read(armored).unwrap().len(), 2);
    for file in [GOOD, vector!("verified-edwards.prov")] {
        assert!(verify(armored, file, today()).is_ok());
    }
    let unknown = verify(armored, vector!("verified-curve.prov"), today());
    assert_eq!(unknown, Err(Fault::UnknownKey));
    let with_crlf = String::from_utf8(armored.to_vec())
        .unwrap()
        .replace('\n', "\r\n");
    assert_eq!(Keyring::read(with_crlf.as_bytes()).unwrap().len(), 2);
}

#[test]
fn a_ring_that_is_cut_off_is_no_ring() {
    for length in 1..RING.len() {
        let cut = RING.get(..length).unwrap();
        // Between two keys nothing is missing; between two packets of a key that one is left out.
        match Keyring::read(cut) {
            Ok(ring) => assert!(ring.len() <= 7),
            Err(KeyringError::Packets | KeyringError::Empty { .. }) => {}
            Err(other) => panic!("{length}: {other}"),
        }
    }
    let missing = RING.get(..RING.len() - 1).unwrap();
    assert!(matches!(Keyring::read(missing), Err(KeyringError::Packets)));
}

#[test]
fn damaged_rings_and_signatures_never_panic_and_never_verify_more() {
    // All of them take minutes without optimisation.
    for position in (0..RING.len()).step_by(61) {
        let mut ring = RING.to_vec();
        if let Some(byte) = ring.get_mut(position) {
            *byte ^= 0x41;
        }
        if let Ok(ring) = Keyring::read(&ring) {
            let message = clearsign::decode(vector!("revoked.prov")).unwrap();
            let verdict = ring.verify(&message, today());
            assert!(verdict.is_err(), "byte {position}: {verdict:?}");
        }
    }
    let ring = Keyring::read(RING).unwrap();
    for position in (0..GOOD.len()).step_by(3) {
        let mut file = GOOD.to_vec();
        if let Some(byte) = file.get_mut(position) {
            *byte ^= 0x01;
        }
        if let Some(message) = clearsign::decode(&file)
            && ring.verify(&message, today()).is_ok()
        {
            let good = clearsign::decode(GOOD).unwrap();
            assert_eq!(message.text, good.text, "byte {position}");
        }
    }
}

#[test]
fn what_was_verified_is_what_was_signed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyring.gpg");
    std::fs::write(&path, RING).unwrap();
    let policy = Policy::load(Rule::Require, &path, chartroom_storage::Clock::default()).unwrap();
    let other = String::from_utf8(GOOD.to_vec())
        .unwrap()
        .replace("sealed", "other");
    // Only the first message counts, wherever it stands.
    let file = [b"name: other\n\n", GOOD, other.as_bytes()].concat();
    let verified = policy.verify(&file).unwrap();
    assert_eq!(verified.provenance.name, "sealed");
    let file = [other.as_bytes(), GOOD].concat();
    assert_eq!(policy.verify(&file).unwrap_err(), Fault::BadSignature);
    assert_eq!(policy.rule(), Some(Rule::Require));
    assert_eq!(Policy::default().rule(), None);
}
