use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData};
use serde_json::{Value, json};
use tempfile::TempDir;

const NOW: i64 = 1_800_000_000;

struct Fixture {
    directory: TempDir,
    keys: Vec<KeyPair>,
    tokens: Tokens,
}

fn ed25519() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).unwrap()
}

fn p256() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn fixture(keys: Vec<KeyPair>) -> Fixture {
    let directory = TempDir::new().unwrap();
    let mut paths = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let path = directory.path().join(format!("{number}.pub"));
        std::fs::write(&path, key.public_key_pem()).unwrap();
        paths.push(path);
    }
    let settings = TokenSettings {
        keys: paths,
        issuer: "chartroom".to_owned(),
        audience: "charts.example".to_owned(),
    };
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let tokens = Tokens::try_new(&settings, Clock::paused(now)).unwrap();
    Fixture {
        directory,
        keys,
        tokens,
    }
}

fn claims() -> Value {
    json!({
        "jti": "id", "iss": "chartroom", "aud": "charts.example", "sub": "ci",
        "iat": NOW, "nbf": NOW, "exp": NOW + 60, "grants": ["pull:org/*"],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn encoding_key(key: &KeyPair, algorithm: Algorithm) -> EncodingKey {
    let pem = key.serialize_pem();
    match algorithm {
        Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(),
        _ => EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
    }
}

fn sign(key: &KeyPair, algorithm: Algorithm, claims: &Value) -> String {
    encode(
        &Header::new(algorithm),
        claims,
        &encoding_key(key, algorithm),
    )
    .unwrap()
}

impl Fixture {
    fn verify(&self, token: &str) -> Result<AccessToken, Refusal> {
        self.tokens.verify(&token.into())
    }

    fn says(&self, claims: &Value) -> Result<AccessToken, Refusal> {
        self.verify(&sign(&self.keys[0], Algorithm::EdDSA, claims))
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_made_is_verified_with_the_public_key() {
    let fixture = fixture(vec![ed25519(), p256()]);
    for key in &fixture.keys {
        let path = fixture.directory.path().join("private.pem");
        std::fs::write(&path, key.serialize_pem()).unwrap();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let order = Order {
            issuer: "chartroom".to_owned(),
            audience: "charts.example".to_owned(),
            subject: "ci".to_owned(),
            grants: vec!["pull,push:org/*".parse().unwrap()],
            now,
            expires: now + TimeDelta::days(30),
        };
        let issued = SigningKey::read(&path).unwrap().issue(&order).unwrap();
        let token = fixture.tokens.verify(&issued.token).unwrap();
        let expected = AccessToken {
            id: issued.id.clone(),
            subject: "ci".to_owned(),
            issued: now,
            grants: order.grants,
        };
        assert_eq!(token, expected);
        assert!(!format!("{issued:?}").contains(issued.token.expose_secret()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_made_pair_is_read_again() {
    let directory = TempDir::new().unwrap();
    let (private, public) = new_pair().unwrap();
    let [private_file, public_file] = ["key", "key.pub"].map(|name| directory.path().join(name));
    std::fs::write(&private_file, private.expose_secret()).unwrap();
    std::fs::write(&public_file, &public).unwrap();
    let settings = TokenSettings {
        keys: vec![public_file.clone()],
        issuer: "i".to_owned(),
        audience: "a".to_owned(),
    };
    let order = Order {
        issuer: "i".to_owned(),
        audience: "a".to_owned(),
        subject: "s".to_owned(),
        grants: Vec::new(),
        now: Clock::default().wall(),
        expires: Clock::default().wall() + TimeDelta::days(1),
    };
    let issued = SigningKey::read(&private_file)
        .unwrap()
        .issue(&order)
        .unwrap();
    let tokens = Tokens::try_new(&settings, Clock::default()).unwrap();
    assert!(tokens.verify(&issued.token).is_ok());
    // A server that had the private key could make tokens.
    assert!(PublicKey::read(&private_file).is_err());
    assert!(SigningKey::read(&public_file).is_err());
}

#[test]
fn other_keys_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("key");
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let rsa = crate::auth::testing::public_key();
    for text in [
        "",
        "hello",
        &p384.public_key_pem(),
        &rsa,
        &ed25519().serialize_pem(),
    ] {
        std::fs::write(&path, text).unwrap();
        let is_refused = matches!(PublicKey::read(&path), Err(TokenKeyError::NotPublic { .. }));
        assert!(is_refused, "{text}");
    }
    let nowhere = directory.path().join("nowhere");
    assert!(matches!(
        PublicKey::read(&nowhere),
        Err(TokenKeyError::Read { .. })
    ));
    std::fs::write(&path, p384.serialize_pem()).unwrap();
    let order = Order {
        issuer: String::new(),
        audience: String::new(),
        subject: String::new(),
        grants: Vec::new(),
        now: Clock::default().wall(),
        expires: Clock::default().wall(),
    };
    assert!(SigningKey::read(&path).unwrap().issue(&order).is_err());
}

#[tokio::test(start_paused = true)]
async fn times_issuer_and_audience_are_checked() {
    let fixture = fixture(vec![ed25519()]);
    for (name, value, expected) in [
        ("exp", json!(NOW), Refusal::Expired),
        ("exp", json!(NOW - 1000), Refusal::Expired),
        ("exp", json!(-1), Refusal::Expired),
        ("nbf", json!(NOW + AHEAD + 1), Refusal::NotYetValid),
        ("iat", json!(NOW + AHEAD + 1), Refusal::NotYetValid),
        ("iss", json!("other"), Refusal::OtherIssuer),
        ("aud", json!("other.example"), Refusal::OtherAudience),
        ("aud", json!("charts.example.evil"), Refusal::OtherAudience),
        ("grants", json!(["pull"]), Refusal::BadClaim),
        ("grants", json!(["pull:x", "all:x"]), Refusal::BadClaim),
        (
            "grants",
            json!(vec!["pull:x"; MOST_GRANTS + 1]),
            Refusal::BadClaim,
        ),
    ] {
        let refusal = fixture.says(&with(name, value.clone())).unwrap_err();
        assert_eq!(refusal, expected, "{name} {value}");
    }
    for (name, value) in [("exp", NOW + 1), ("nbf", NOW + AHEAD), ("iat", NOW + AHEAD)] {
        assert!(fixture.says(&with(name, json!(value))).is_ok(), "{name}");
    }
    for name in ["jti", "iss", "aud", "sub", "iat", "nbf", "exp", "grants"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(fixture.says(&without), Err(Refusal::BadClaim), "{name}");
        for value in [json!(null), json!({}), json!("1800000060.5"), json!([5])] {
            let result = fixture.says(&with(name, value.clone()));
            // A text is right for some of them, and then it is another issuer's, say.
            assert!(result.is_err() || value.is_string(), "{name} {value}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_does_not_choose_how_it_is_verified() {
    let fixture = fixture(vec![ed25519(), p256()]);
    let [ed, ec] = &fixture.keys[..] else {
        panic!("there are two keys");
    };
    assert!(
        fixture
            .verify(&sign(ec, Algorithm::ES256, &claims()))
            .is_ok()
    );
    let good = sign(ed, Algorithm::EdDSA, &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let [_, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    for name in [
        "none", "None", "", "ES256", "ES384", "HS256", "RS256", "EDDSA",
    ] {
        let head = URL_SAFE_NO_PAD.encode(json!({"alg": name, "typ": "JWT"}).to_string());
        for signature in ["", signature] {
            let token = format!("{head}.{payload}.{signature}");
            assert_eq!(fixture.verify(&token), Err(Refusal::Unsigned), "{name}");
        }
    }
    // The public key is public: were it taken for the secret of an HMAC, everybody could sign.
    for key in &fixture.keys {
        for secret in [
            key.public_key_pem().into_bytes(),
            key.subject_public_key_info(),
            key.public_key_raw().to_vec(),
        ] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let secret = EncodingKey::from_secret(&secret);
                let token = encode(&Header::new(algorithm), &claims(), &secret).unwrap();
                assert_eq!(fixture.verify(&token), Err(Refusal::Unsigned));
            }
        }
    }
    // Not even a right signature, with what has to be understood and is not.
    let header = Header {
        crit: Some(vec!["b64".to_owned()]),
        ..Header::new(Algorithm::EdDSA)
    };
    let token = encode(&header, &claims(), &encoding_key(ed, Algorithm::EdDSA)).unwrap();
    assert_eq!(fixture.verify(&token), Err(Refusal::Unsigned));
}

#[tokio::test(start_paused = true)]
async fn damaged_tokens_and_those_of_other_keys_are_refused() {
    let fixture = fixture(vec![ed25519()]);
    let good = sign(&fixture.keys[0], Algorithm::EdDSA, &claims());
    assert!(fixture.verify(&good).is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let [head, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    let forged = URL_SAFE_NO_PAD.encode(with("sub", json!("root")).to_string());
    for token in [
        "",
        ".",
        "..",
        "...",
        head,
        &good[..good.len() - 1],
        &good[..good.len() / 2],
        &format!("{head}.{payload}"),
        &format!("{head}.{payload}."),
        &format!("{head}.{forged}.{signature}"),
        &format!("{good}.x"),
        &format!("{good}="),
        &format!("x{good}"),
        &format!("{}.{payload}.{signature}", "A".repeat(15_000)),
        "\u{e9}",
        &sign(&ed25519(), Algorithm::EdDSA, &claims()),
        &sign(&p256(), Algorithm::ES256, &claims()),
    ] {
        assert_eq!(fixture.verify(token), Err(Refusal::Unsigned), "{token:.80}");
    }
}
