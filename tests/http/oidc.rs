//! Programs that an issuer vouches for: what their tokens open, and which ones open nothing.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chartroom::auth::Auth;
use chartroom::config::{AuthScheme, AuthSettings, NativeAuth};
use chartroom::http::routes::ROUTES;
use chartroom::http::settings::Depth;
use chartroom_storage::Clock;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::auth::basic;
use crate::issuer::{LocalIssuer, Manner, SigningKey};
use crate::routes::path_of;
use crate::support::{Reply, TestServer, chart};

const AUDIENCE: &str = "https://charts.example";

/// A policy of which the issuer is trusted for what `rules` say.
fn trusting(issuer: &str, rules: &str) -> Auth {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "issuers:\n  - {{name: ci, url: '{issuer}', audiences: ['{AUDIENCE}']}}\nrules:\n{rules}"
    );
    std::fs::write(file.path(), text).unwrap();
    let settings = AuthSettings {
        scheme: Some(AuthScheme::Native(NativeAuth {
            policy: Some(file.path().to_owned()),
            ..NativeAuth::default()
        })),
        ..AuthSettings::default()
    };
    Auth::try_new(&settings, Clock::default()).unwrap()
}

const RULES: &str = "
  - to: [anonymous]
    allow: [pull]
    repositories: [public]
  - to: [{issuer: ci, claims: {repository: 'acme/*', ref: refs/heads/main}}]
    allow: [pull, push]
    repositories: ['acme/**']
  - to: [{issuer: ci, claims: {kubernetes.io: {namespace: ci, serviceaccount: {name: reader}}}}]
    allow: [pull]
    repositories: ['**']
";

async fn server(issuer: &LocalIssuer) -> TestServer {
    TestServer::builder()
        .settings(|settings| settings.depth = Depth::Dynamic)
        .auth(trusting(&issuer.url, RULES))
        .build()
        .await
}

fn now() -> i64 {
    Clock::default().wall().timestamp()
}

fn claims(issuer: &LocalIssuer) -> Value {
    json!({
        "iss": issuer.url,
        "sub": "repo:acme/shop:ref:refs/heads/main",
        "aud": [AUDIENCE],
        "iat": now() - 5,
        "nbf": now() - 5,
        "exp": now() + 300,
        "repository": "acme/shop",
        "ref": "refs/heads/main",
    })
}

fn with(issuer: &LocalIssuer, name: &str, value: Value) -> Value {
    let mut claims = claims(issuer);
    claims[name] = value;
    claims
}

async fn push(server: &TestServer, repository: &str, version: &str, header: &str) -> Reply {
    let path = format!("/api/{repository}/charts");
    let body = chart("one", version).into();
    let headers = [("authorization", header)];
    server.post_as(Method::POST, &path, &headers, body).await
}

#[tokio::test]
async fn a_job_does_what_its_claims_allow_with_a_token_of_each_kind() {
    let issuer = LocalIssuer::start().await;
    let server = server(&issuer).await;
    for (number, key) in issuer.keys().iter().enumerate() {
        let token = key.sign(&claims(&issuer));
        let bearer = format!("Bearer {token}");
        // As helm sends it, whatever the name is.
        let password = basic(&format!("oidc:{token}"));
        let reply = push(&server, "acme/shop", &format!("1.0.{number}"), &bearer).await;
        assert_eq!(reply.status, 201, "{reply}");
        let reply = push(&server, "acme/shop", &format!("2.0.{number}"), &password).await;
        assert_eq!(reply.status, 201, "{reply}");
        for header in [&bearer, &password] {
            let headers = [("authorization", header.as_str())];
            for (method, path, status) in [
                (Method::GET, "/acme/shop/index.yaml", 200),
                (Method::GET, "/public/index.yaml", 200),
                (Method::GET, "/other/index.yaml", 403),
                (Method::DELETE, "/api/acme/shop/charts/one/1.0.0", 403),
            ] {
                let reply = server.request(method, path, &headers).await;
                assert_eq!(reply.status, status, "{path} {reply}");
            }
            let reply = push(&server, "other", "1.0.0", header).await;
            assert_eq!(reply.status, 403, "{reply}");
        }
    }
    // One question for the configuration and one for the keys.
    assert_eq!(issuer.requests().len(), 2);
}

#[tokio::test]
async fn other_claims_open_other_things() {
    let issuer = LocalIssuer::start().await;
    let server = server(&issuer).await;
    let kubernetes = json!({"namespace": "ci", "serviceaccount": {"name": "reader"}});
    let other = json!({"namespace": "ci", "serviceaccount": {"name": "writer"}});
    for (claims, shop, elsewhere, upload) in [
        (claims(&issuer), 200, 403, 201),
        (with(&issuer, "ref", json!("refs/heads/x")), 403, 403, 403),
        (with(&issuer, "ref", json!(null)), 403, 403, 403),
        (
            with(&issuer, "repository", json!("evil/shop")),
            403,
            403,
            403,
        ),
        (
            with(&issuer, "repository", json!("acme/shop/x")),
            403,
            403,
            403,
        ),
        (
            json!({
                "iss": issuer.url, "sub": "system:serviceaccount:ci:reader", "aud": AUDIENCE,
                "exp": now() + 300, "kubernetes.io": kubernetes,
            }),
            200,
            200,
            403,
        ),
        (
            json!({
                "iss": issuer.url, "sub": "system:serviceaccount:ci:writer", "aud": AUDIENCE,
                "exp": now() + 300, "kubernetes.io": other,
            }),
            403,
            403,
            403,
        ),
    ] {
        let header = format!("Bearer {}", issuer.sign(&claims));
        let headers = [("authorization", header.as_str())];
        for (path, status) in [
            ("/acme/shop/index.yaml", shop),
            ("/elsewhere/index.yaml", elsewhere),
        ] {
            let reply = server.request(Method::GET, path, &headers).await;
            assert_eq!(reply.status, status, "{claims} {path} {reply}");
        }
        let reply = push(&server, "acme/shop", "1.0.0", &header).await;
        assert_eq!(reply.status, upload, "{claims} {reply}");
    }
}

/// Tokens that nobody may be let in with.
fn bad_tokens(issuer: &LocalIssuer) -> Vec<(&'static str, String)> {
    let key = &issuer.keys()[0];
    let good = issuer.sign(&claims(issuer));
    let parts: Vec<&str> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "kid": key.id()}).to_string());
    let secret = EncodingKey::from_secret(key.jwk["n"].as_str().unwrap().as_bytes());
    let confused = Header {
        kid: Some(key.id().to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    let forger = SigningKey::new(Algorithm::ES256, issuer.keys()[1].id());
    let admin = with(issuer, "repository", json!("acme/admin")).to_string();
    let admin = URL_SAFE_NO_PAD.encode(admin);
    let changed = |name, value| issuer.sign(&with(issuer, name, value));
    vec![
        ("expired", changed("exp", json!(now() - 60))),
        ("not yet valid", changed("nbf", json!(now() + 60))),
        ("of the future", changed("iat", json!(now() + 60))),
        ("for others", changed("aud", json!("https://other.example"))),
        ("for nobody", changed("aud", json!([]))),
        ("for ever", changed("exp", json!(null))),
        (
            "of another issuer",
            changed("iss", json!("https://other.example")),
        ),
        ("truncated", good[..good.len() - 20].to_owned()),
        ("without its end", format!("{}.{}.", parts[0], parts[1])),
        ("changed", format!("{}.{admin}.{}", parts[0], parts[2])),
        ("oversized", changed("padding", json!("x".repeat(13_000)))),
        ("enormous", changed("padding", json!("x".repeat(100_000)))),
        ("unsigned", format!("{none}.{}.", parts[1])),
        (
            "unsigned with a signature",
            format!("{none}.{}.{}", parts[1], parts[2]),
        ),
        (
            "confused",
            encode(&confused, &claims(issuer), &secret).unwrap(),
        ),
        ("forged", forger.sign(&claims(issuer))),
        (
            "of a key that is not there",
            SigningKey::new(Algorithm::EdDSA, "x").sign(&claims(issuer)),
        ),
    ]
}

#[tokio::test]
async fn bad_tokens_open_nothing_and_all_look_the_same() {
    let issuer = LocalIssuer::start().await;
    let server = server(&issuer).await;
    for (name, token) in bad_tokens(&issuer) {
        for header in [format!("Bearer {token}"), basic(&format!("oidc:{token}"))] {
            let reply = push(&server, "acme/shop", "1.0.0", &header).await;
            assert_eq!(reply.status, 401, "{name} {reply}");
            assert_eq!(reply.text(), r#"{"error":"unauthorized"}"#, "{name}");
            let headers = [("authorization", header.as_str())];
            let path = "/acme/shop/index.yaml";
            let reply = server.request(Method::GET, path, &headers).await;
            assert_eq!(reply.status, 401, "{name} {reply}");
        }
    }
    assert!(server.stored().await.is_empty());
    let good = format!("Bearer {}", issuer.sign(&claims(&issuer)));
    let reply = push(&server, "acme/shop", "1.0.0", &good).await;
    assert_eq!(reply.status, 201, "{reply}");
}

#[tokio::test]
async fn each_route_is_open_to_a_reader_as_far_as_it_reads() {
    let issuer = LocalIssuer::start().await;
    let server = TestServer::builder()
        .settings(|settings| settings.metrics = true)
        .auth(trusting(&issuer.url, RULES))
        .build()
        .await;
    let claims = json!({
        "iss": issuer.url, "sub": "reader", "aud": AUDIENCE, "exp": now() + 300,
        "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "reader"}},
    });
    let reader = format!("Bearer {}", issuer.sign(&claims));
    for route in ROUTES {
        let path = path_of(route.pattern);
        let headers = [("authorization", reader.as_str())];
        let reply = server.request(route.method.clone(), &path, &headers).await;
        let reads = matches!(route.method, Method::GET | Method::HEAD);
        let is_refused = matches!(reply.status.as_u16(), 401 | 403);
        assert_eq!(is_refused, !reads, "{route:?} {reply}");
    }
}

#[tokio::test]
async fn while_an_issuer_is_down_its_tokens_get_503_and_nobody_else_is_touched() {
    let issuer = LocalIssuer::start().await;
    issuer.behave(Manner {
        status: Some(500),
        ..Manner::default()
    });
    let server = server(&issuer).await;
    let token = issuer.sign(&claims(&issuer));
    for header in [format!("Bearer {token}"), basic(&format!("oidc:{token}"))] {
        let reply = push(&server, "acme/shop", "1.0.0", &header).await;
        assert_eq!(reply.status, 503, "{reply}");
        let text = reply.text();
        assert!(
            text.starts_with(r#"{"error":"the keys of issuer `ci` cannot be had","#),
            "{text}"
        );
        assert!(!text.contains(&issuer.url), "{text}");
        let seconds: u64 = reply.header("retry-after").parse().unwrap();
        assert!((1..=10).contains(&seconds), "{seconds}");
        // Even what everybody may: who they are was asked for.
        let headers = [("authorization", header.as_str())];
        let reply = server
            .request(Method::GET, "/public/index.yaml", &headers)
            .await;
        assert_eq!(reply.status, 503, "{reply}");
    }
    assert!(server.stored().await.is_empty());
    // It was asked once, and is left alone.
    assert_eq!(issuer.requests().len(), 1);
    assert_eq!(server.get("/public/index.yaml").await.status, 200);
    let strange = SigningKey::new(Algorithm::ES256, "x");
    let strange = strange.sign(&with(&issuer, "iss", json!("https://evil.example")));
    let reply = push(&server, "acme/shop", "1.0.0", &format!("Bearer {strange}")).await;
    assert_eq!(reply.status, 401, "{reply}");
}

#[tokio::test]
async fn known_keys_serve_while_the_issuer_is_down_and_rotated_ones_are_taken_when_it_is_not() {
    let issuer = LocalIssuer::start().await;
    let server = server(&issuer).await;
    let old = issuer.keys();
    let bearer = |key: &SigningKey| format!("Bearer {}", key.sign(&claims(&issuer)));
    let reply = push(&server, "acme/shop", "1.0.0", &bearer(&old[0])).await;
    assert_eq!(reply.status, 201, "{reply}");
    let new = SigningKey::all("2");
    issuer.rotate(new.clone());
    let reply = push(&server, "acme/shop", "1.0.1", &bearer(&new[1])).await;
    assert_eq!(reply.status, 201, "{reply}");
    let reply = push(&server, "acme/shop", "1.0.2", &bearer(&old[1])).await;
    assert_eq!(reply.status, 401, "{reply}");
    issuer.behave(Manner {
        status: Some(503),
        ..Manner::default()
    });
    let reply = push(&server, "acme/shop", "1.0.3", &bearer(&new[2])).await;
    assert_eq!(reply.status, 201, "{reply}");
}
