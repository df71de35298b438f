//! Tokens of all kinds, while the issuer answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::*;
use TokenRefusal as Refusal;

async fn result(keys: &[SigningKey], token: &str) -> Result<Workload, VerifyError> {
    issuers(&Script::of(keys)).verify(token).await
}

async fn refusal(claims: &Value) -> Refusal {
    let keys = SigningKey::all("1");
    refused(result(&keys, &keys[1].sign(claims)).await)
}

async fn is_good(claims: &Value) -> bool {
    let keys = SigningKey::all("1");
    result(&keys, &keys[1].sign(claims)).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn tokens_of_all_three_kinds_of_keys_are_taken() {
    let keys = SigningKey::all("1");
    for key in &keys {
        let workload = result(&keys, &key.sign(&claims())).await.unwrap();
        assert_eq!(workload.issuer, "ci");
        assert_eq!(workload.subject, "repo:acme/charts:ref:refs/heads/main");
        assert_eq!(Value::Object(workload.claims), claims());
    }
}

#[tokio::test(start_paused = true)]
async fn none_and_hmac_with_what_is_public_are_refused() {
    let keys = SigningKey::all("1");
    let good = keys[0].sign(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    for name in ["none", "None", "nOnE", "", "RS1", "HS1", "dir"] {
        let header = json!({"alg": name, "typ": "JWT", "kid": keys[0].id()});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        for signature in ["", parts[2]] {
            let token = format!("{header}.{}.{signature}", parts[1]);
            assert_eq!(refused(result(&keys, &token).await), Refusal::NotToken);
        }
    }
    for key in &keys {
        let part = |name: &str| {
            let text = key.jwk[name].as_str().unwrap_or_default();
            URL_SAFE_NO_PAD.decode(text).unwrap()
        };
        let secrets = [
            key.jwk.to_string().into_bytes(),
            key.jwk["n"].as_str().unwrap_or_default().into(),
            part("n"),
            part("x"),
            [&[4], &part("x")[..], &part("y")].concat(),
        ];
        for secret in secrets {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let header = Header {
                    alg: algorithm,
                    ..key.header()
                };
                let secret = EncodingKey::from_secret(&secret);
                let token = encode(&header, &claims(), &secret).unwrap();
                assert_eq!(refused(result(&keys, &token).await), Refusal::Algorithm);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_verifies_its_own_algorithm_only() {
    let keys = SigningKey::all("1");
    for (signer, id, algorithm, expected) in [
        // The key is known, and not for that.
        (0, keys[1].id(), Algorithm::RS256, Refusal::UnknownKey),
        (1, keys[0].id(), Algorithm::ES256, Refusal::UnknownKey),
        (2, keys[1].id(), Algorithm::EdDSA, Refusal::UnknownKey),
        // RSA, and not one of the algorithms that are taken.
        (0, keys[0].id(), Algorithm::RS384, Refusal::Algorithm),
        (0, keys[0].id(), Algorithm::PS256, Refusal::Algorithm),
    ] {
        let header = Header {
            kid: Some(id.to_owned()),
            ..Header::new(algorithm)
        };
        let token = keys[signer].sign_as(&header, &claims());
        let outcome = refused(result(&keys, &token).await);
        assert_eq!(outcome, expected, "{id} {algorithm:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_key_with_the_same_name_are_refused() {
    let ours = SigningKey::all("1");
    for key in &SigningKey::all("1")[1..] {
        let token = key.sign(&claims());
        assert_eq!(refused(result(&ours, &token).await), Refusal::Signature);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_a_token_brings_along_are_not_looked_at() {
    let ours = SigningKey::all("1");
    let theirs = SigningKey::new(Algorithm::ES256, "theirs");
    let header = Header {
        jku: Some("https://evil.example/keys".to_owned()),
        x5u: Some("https://evil.example/certificate".to_owned()),
        jwk: serde_json::from_value(theirs.jwk.clone()).unwrap(),
        ..theirs.header()
    };
    let token = theirs.sign_as(&header, &claims());
    assert_eq!(refused(result(&ours, &token).await), Refusal::UnknownKey);
    let header = Header {
        crit: Some(vec!["b64".to_owned()]),
        ..ours[1].header()
    };
    let token = ours[1].sign_as(&header, &claims());
    assert_eq!(refused(result(&ours, &token).await), Refusal::Critical);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_the_name_of_a_key_is_of_the_only_one() {
    let keys = SigningKey::all("1");
    for key in &keys {
        let token = key.sign_as(&Header::new(key.algorithm), &claims());
        assert!(result(&keys, &token).await.is_ok(), "{:?}", key.algorithm);
    }
    let second = SigningKey::new(Algorithm::ES256, "second");
    let both = [keys[1].clone(), second];
    let token = keys[1].sign_as(&Header::new(Algorithm::ES256), &claims());
    assert_eq!(refused(result(&both, &token).await), Refusal::UnknownKey);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_damaged_are_refused() {
    let keys = SigningKey::all("1");
    let token = keys[1].sign(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let [head, payload, signature] = parts[..] else {
        panic!("a token has three parts");
    };
    let forged = with("repository", json!("evil/charts")).to_string();
    let forged = URL_SAFE_NO_PAD.encode(forged);
    let twice = claims()
        .to_string()
        .replacen('{', "{\"iss\":\"https://other\",", 1);
    let twice = URL_SAFE_NO_PAD.encode(twice);
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(9000));
    for (text, expected) in [
        ("", Refusal::NotToken),
        ("..", Refusal::NotToken),
        ("\u{e9}.\u{e9}.\u{e9}", Refusal::NotToken),
        (head, Refusal::NotToken),
        (&token[..token.len() / 2], Refusal::NotToken),
        (&format!("{head}.{payload}"), Refusal::NotToken),
        (&format!("{token}.x"), Refusal::NotToken),
        (&format!("{token}.x.y"), Refusal::NotToken),
        (&format!(" {token}"), Refusal::NotToken),
        (&format!("{head}.{deep}.{signature}"), Refusal::NotToken),
        (&format!("{head}.{twice}.{signature}"), Refusal::NotToken),
        (&format!("{head}.{payload}."), Refusal::Signature),
        (&token[..token.len() - 4], Refusal::Signature),
        (&format!("{token}="), Refusal::Signature),
        (&format!("{head}.{forged}.{signature}"), Refusal::Signature),
    ] {
        let outcome = refused(result(&keys, text).await);
        assert_eq!(outcome, expected, "{text:.60}");
    }
    let long = keys[1].sign(&with("padding", json!("x".repeat(16 << 10))));
    assert_eq!(refused(result(&keys, &long).await), Refusal::TooLong);
    assert!(is_good(&with("padding", json!("x".repeat(8 << 10)))).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_for_one_of_our_audiences() {
    for audience in [
        json!(AUDIENCE),
        json!("charts"),
        json!([AUDIENCE]),
        json!(["other", 5, "charts"]),
    ] {
        assert!(is_good(&with("aud", audience.clone())).await, "{audience}");
    }
    for (audience, expected) in [
        (json!("other"), Refusal::Audience),
        (json!("https://charts.example/"), Refusal::Audience),
        (json!("HTTPS://charts.example"), Refusal::Audience),
        (json!("https://charts.example charts"), Refusal::Audience),
        (json!(""), Refusal::Audience),
        (json!([]), Refusal::Audience),
        (json!(["other"]), Refusal::Audience),
        (json!([["charts"]]), Refusal::Audience),
        (json!(5), Refusal::BadClaim),
        (json!(null), Refusal::BadClaim),
        (json!({"charts": true}), Refusal::BadClaim),
    ] {
        assert_eq!(
            refusal(&with("aud", audience.clone())).await,
            expected,
            "{audience}"
        );
    }
    assert_eq!(refusal(&without("aud")).await, Refusal::BadClaim);
}

#[tokio::test(start_paused = true)]
async fn the_issuer_is_ours_to_the_letter() {
    for issuer in [
        json!("https://ci.example/"),
        json!("https://CI.example"),
        json!("http://ci.example"),
        json!("https://ci.example.evil.example"),
        json!(""),
    ] {
        assert_eq!(refusal(&with("iss", issuer)).await, Refusal::UnknownIssuer);
    }
    for issuer in [json!(5), json!(null), json!([URL])] {
        assert_eq!(refusal(&with("iss", issuer)).await, Refusal::NotToken);
    }
    assert_eq!(refusal(&without("iss")).await, Refusal::NotToken);
}

#[tokio::test(start_paused = true)]
async fn times_are_checked_with_half_a_minute_for_clocks_that_differ() {
    let ok = None;
    for (name, value, expected) in [
        ("exp", json!(NOW + 1), ok),
        ("exp", json!(NOW - 29), ok),
        ("exp", json!(1_799_999_970.5), ok),
        ("exp", json!(NOW - 30), Some(Refusal::Expired)),
        ("exp", json!(0), Some(Refusal::Expired)),
        ("exp", json!(-1), Some(Refusal::Expired)),
        ("exp", json!("1900000000"), Some(Refusal::BadClaim)),
        ("exp", json!(null), Some(Refusal::BadClaim)),
        ("nbf", json!(NOW + 30), ok),
        ("nbf", json!(NOW + 31), Some(Refusal::NotYetValid)),
        ("nbf", json!(1e300), Some(Refusal::NotYetValid)),
        ("nbf", json!(true), Some(Refusal::BadClaim)),
        ("iat", json!(NOW + 30), ok),
        ("iat", json!(NOW + 31), Some(Refusal::NotYetValid)),
        ("iat", json!("yesterday"), Some(Refusal::BadClaim)),
    ] {
        let claims = with(name, value.clone());
        match expected {
            None => assert!(is_good(&claims).await, "{name} {value}"),
            Some(expected) => assert_eq!(refusal(&claims).await, expected, "{name} {value}"),
        }
    }
    assert_eq!(refusal(&without("exp")).await, Refusal::BadClaim);
    assert!(is_good(&without("nbf")).await);
    assert!(is_good(&without("iat")).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_has_a_subject() {
    for subject in [
        json!(""),
        json!(5),
        json!(null),
        json!("x".repeat(1025)),
        json!("x\nforged line"),
    ] {
        assert_eq!(refusal(&with("sub", subject)).await, Refusal::BadClaim);
    }
    assert_eq!(refusal(&without("sub")).await, Refusal::BadClaim);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_cannot_speak_for_another_one() {
    let (ours, theirs) = (SigningKey::all("1"), SigningKey::all("1"));
    let (first, second) = (Script::of(&ours), Script::of(&theirs));
    let other = "https://other.example";
    let issuers = issuers_of(&[("ci", URL, &first), ("other", other, &second)]);
    let foreign = with("iss", json!(other));
    let workload = issuers.verify(&theirs[1].sign(&foreign)).await.unwrap();
    assert_eq!(workload.issuer, "other");
    let forged = issuers.verify(&theirs[1].sign(&claims())).await;
    assert_eq!(refused(forged), Refusal::Signature);
    let forged = issuers.verify(&ours[1].sign(&foreign)).await;
    assert_eq!(refused(forged), Refusal::Signature);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_of_an_issuer_asks_nobody() {
    let script = Script::of(&SigningKey::all("1"));
    let issuers = issuers(&script);
    let strange = SigningKey::new(Algorithm::ES256, "x");
    for text in [
        "hunter2".to_owned(),
        strange.sign(&with("iss", json!("https://evil.example"))),
        strange.sign_as(&Header::new(Algorithm::ES256), &without("iss")),
    ] {
        assert!(issuers.verify(&text).await.is_err());
    }
    assert_eq!(script.count(), 0);
}
