//! Documents of keys.

use jsonwebtoken::Algorithm;

use super::*;

const USUAL: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

fn parse(document: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(document.to_string().as_bytes(), &USUAL)
}

fn changed(algorithm: Algorithm, change: impl FnOnce(&mut Value)) -> Value {
    let mut key = SigningKey::new(algorithm, "1").jwk;
    change(&mut key);
    key
}

fn is_used(key: &Value) -> bool {
    match parse(&json!({"keys": [key]})) {
        Ok(keys) => keys.len() == 1,
        Err(KeySetError::NoneUsable(1)) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_key_without_an_algorithm_is_for_that_of_its_type() {
    for algorithm in USUAL {
        let key = changed(algorithm, |key| {
            let members = key.as_object_mut().unwrap();
            members.remove("alg");
            members.remove("use");
        });
        let keys = parse(&json!({"keys": [key]})).unwrap();
        for other in [
            Algorithm::RS256,
            Algorithm::ES256,
            Algorithm::EdDSA,
            Algorithm::RS512,
        ] {
            let found = keys.of(Some("1"), other).len();
            assert_eq!(
                found,
                usize::from(other == algorithm),
                "{algorithm:?} {other:?}"
            );
        }
    }
}

#[test]
fn keys_for_other_things_are_not_used() {
    for (name, value, expected) in [
        ("use", json!("enc"), false),
        ("use", json!("sig"), true),
        ("key_ops", json!(["verify"]), true),
        ("key_ops", json!(["sign"]), false),
        ("key_ops", json!([]), false),
        ("alg", json!("RS256"), false),
        ("alg", json!("ES384"), false),
        ("alg", json!("HS256"), false),
        ("alg", json!("none"), false),
        ("alg", json!("ECDH-ES"), false),
        ("kid", json!(5), false),
        ("kid", json!("x".repeat(513)), false),
    ] {
        let key = changed(Algorithm::ES256, |key| key[name] = value.clone());
        assert_eq!(is_used(&key), expected, "{name} {value}");
    }
}

#[test]
fn a_secret_is_no_key() {
    let secret = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "1", "alg": "HS256"});
    assert!(!is_used(&secret));
    let all = [Algorithm::HS256, Algorithm::RS256];
    let document = json!({"keys": [secret]}).to_string();
    assert!(KeySet::parse(document.as_bytes(), &all).is_err());
}

#[test]
fn keys_that_are_weak_or_damaged_are_not_used() {
    // openssl genrsa 1024
    let short = "x".repeat(171);
    assert!(!is_used(
        &changed(Algorithm::RS256, |key| key["n"] = json!(short))
    ));
    let long = "x".repeat(1400);
    assert!(!is_used(
        &changed(Algorithm::RS256, |key| key["n"] = json!(long))
    ));
    for (algorithm, name) in [
        (Algorithm::RS256, "n"),
        (Algorithm::RS256, "e"),
        (Algorithm::ES256, "x"),
        (Algorithm::ES256, "y"),
        (Algorithm::ES256, "crv"),
        (Algorithm::EdDSA, "x"),
        (Algorithm::EdDSA, "crv"),
        (Algorithm::EdDSA, "kty"),
    ] {
        for value in [json!(null), json!(5), json!("!"), json!("AAAA")] {
            // An exponent of three bytes of zeros is found out by the library.
            if name == "e" && value == json!("AAAA") {
                continue;
            }
            let key = changed(algorithm, |key| key[name] = value.clone());
            assert!(!is_used(&key), "{name} {value}");
        }
    }
    assert!(!is_used(&json!(null)));
    assert!(!is_used(&json!("key")));
}

#[test]
fn what_cannot_be_used_does_not_spoil_the_rest() {
    let good = SigningKey::new(Algorithm::ES256, "good").jwk;
    let keys = json!({"keys": [null, {"kty": "oct", "k": "x"}, {"kty": "new"}, good], "x": 1});
    assert_eq!(parse(&keys).unwrap().len(), 1);
}

#[test]
fn documents_that_are_something_else_are_refused() {
    for document in ["", "null", "[]", "{}", "{\"keys\": {}}", "<html>"] {
        let result = KeySet::parse(document.as_bytes(), &USUAL);
        assert!(matches!(result, Err(KeySetError::NotKeys(_))), "{document}");
    }
    let none = parse(&json!({"keys": []})).err().unwrap();
    assert!(matches!(none, KeySetError::NoneUsable(0)));
    let good = SigningKey::new(Algorithm::ES256, "good").jwk;
    let many = parse(&json!({"keys": vec![good; 65]})).err().unwrap();
    assert_eq!(many.to_string(), "it has 65 keys; 64 are the most");
}

#[tokio::test(start_paused = true)]
async fn more_algorithms_are_taken_where_they_are_configured() {
    let key = SigningKey::new(Algorithm::PS256, "1");
    let document = key_set(std::slice::from_ref(&key)).to_string();
    let keys = KeySet::parse(document.as_bytes(), &[Algorithm::PS256]).unwrap();
    assert_eq!(keys.of(Some("1"), Algorithm::PS256).len(), 1);
    assert!(keys.of(Some("1"), Algorithm::RS256).is_empty());
}
