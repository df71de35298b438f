//! Who may do what: every route of the table, with every kind of credentials.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chartroom::auth::{Auth, Verb};
use chartroom::config::{AuthScheme, AuthSettings, BasicAuth, BearerAuth};
use chartroom::http::auth::Access;
use chartroom::http::routes::{ROUTES, Route};
use chartroom::http::settings::Depth;
use chartroom_storage::Clock;
use futures_util::stream;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::json;

use crate::routes::path_of;
use crate::support::{TestServer, chart};

static KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap());

/// A token for actions in a repository.
fn token(repository: &str, actions: &[&str]) -> String {
    let entry = json!({"type": "artifact-repository", "name": repository, "actions": actions});
    let claims = json!({"sub": "ci", "access": [entry]});
    let key = EncodingKey::from_rsa_pem(KEY.serialize_pem().as_bytes()).unwrap();
    encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}

pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Open,
    Basic,
    Bearer,
}

pub(crate) fn auth(scheme: Scheme, anonymous_get: bool) -> Auth {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), KEY.public_key_pem()).unwrap();
    let scheme = match scheme {
        Scheme::Open => return Auth::open(),
        Scheme::Basic => Some(AuthScheme::Basic(BasicAuth {
            user: "alice".to_owned(),
            password: "hunter2".to_owned().into(),
        })),
        Scheme::Bearer => Some(AuthScheme::Bearer(BearerAuth {
            realm: "https://auth.example/token".to_owned(),
            service: "charts".to_owned(),
            certificate: file.path().to_owned(),
            actions_search_path: None,
        })),
    };
    let settings = AuthSettings {
        scheme,
        anonymous_get,
        ..AuthSettings::default()
    };
    Auth::try_new(&settings, Clock::default()).unwrap()
}

/// Credentials, and the actions that they give in the root repository, by scheme.
fn credentials() -> Vec<(
    &'static str,
    Option<String>,
    &'static [&'static str],
    Scheme,
)> {
    let bearer = |repository, actions| Some(format!("Bearer {}", token(repository, actions)));
    vec![
        ("none", None, &[], Scheme::Open),
        ("wrong password", Some(basic("alice:x")), &[], Scheme::Open),
        (
            "password",
            Some(basic("alice:hunter2")),
            &["pull", "push"],
            Scheme::Basic,
        ),
        (
            "garbage",
            Some("Bearer x.y.z".to_owned()),
            &[],
            Scheme::Open,
        ),
        (
            "pull token",
            bearer("repo", &["pull"]),
            &["pull"],
            Scheme::Bearer,
        ),
        (
            "push token",
            bearer("repo", &["push"]),
            &["push"],
            Scheme::Bearer,
        ),
        (
            "token",
            bearer("repo", &["pull", "push"]),
            &["pull", "push"],
            Scheme::Bearer,
        ),
        (
            "other token",
            bearer("other", &["pull", "push"]),
            &[],
            Scheme::Bearer,
        ),
        ("useless token", bearer("repo", &[]), &[], Scheme::Bearer),
    ]
}

/// What a row takes, by its method and path and not by what the server believes.
fn action(route: &Route) -> Option<&'static str> {
    match (route.method.as_str(), route.pattern) {
        (_, "/health" | "/ready" | "/info" | "/metrics") => None,
        ("GET" | "HEAD", _) => Some("pull"),
        _ => Some("push"),
    }
}

fn challenge(scheme: Scheme, action: &str) -> String {
    match scheme {
        Scheme::Open => String::new(),
        Scheme::Basic => r#"Basic realm="ChartMuseum""#.to_owned(),
        Scheme::Bearer => format!(
            r#"Bearer realm="https://auth.example/token",service="charts",scope="artifact-repository:repo:{action}""#
        ),
    }
}

#[tokio::test]
async fn every_route_is_open_to_those_who_may_and_closed_to_all_others() {
    for (scheme, anonymous_get) in [
        (Scheme::Open, false),
        (Scheme::Basic, false),
        (Scheme::Basic, true),
        (Scheme::Bearer, false),
        (Scheme::Bearer, true),
    ] {
        let auth = auth(scheme, anonymous_get);
        let server = TestServer::builder()
            .settings(|settings| settings.metrics = true)
            .auth(auth)
            .build()
            .await;
        for (name, header, actions, of) in credentials() {
            for route in ROUTES {
                let may = action(route).is_none_or(|action| {
                    scheme == Scheme::Open
                        || (anonymous_get && action == "pull")
                        || (of == scheme && actions.contains(&action))
                });
                let mut headers = Vec::new();
                headers.extend(header.as_deref().map(|value| ("authorization", value)));
                let reply = server
                    .request(route.method.clone(), &path_of(route.pattern), &headers)
                    .await;
                let case = format!("{scheme:?} {anonymous_get} {name} {route:?}\n{reply}");
                let challenged = reply.header("www-authenticate");
                if may {
                    assert!(reply.status != 401 && challenged.is_empty(), "{case}");
                    continue;
                }
                assert_eq!(reply.status, 401, "{case}");
                let action = action(route).unwrap();
                assert_eq!(challenged, challenge(scheme, action), "{case}");
                let is_head = route.method == Method::HEAD;
                let body = if is_head {
                    ""
                } else {
                    r#"{"error":"unauthorized"}"#
                };
                assert_eq!(reply.text(), body, "{case}");
                assert_eq!(reply.header("content-length"), "24", "{case}");
                assert_eq!(reply.header("x-chartroom-generation"), "", "{case}");
                assert!(!reply.header("x-request-id").is_empty(), "{case}");
            }
        }
    }
}

#[test]
fn what_changes_a_repository_is_told_apart_although_chartmuseum_does_not() {
    for route in ROUTES {
        let expected = match (route.method.as_str(), action(route)) {
            (_, None) => Access::Open,
            _ if route.pattern == "/api/repos" => Access::Lists,
            ("DELETE", _) => Access::Needs(Verb::Delete),
            (_, Some("push")) => Access::Needs(Verb::Push),
            _ => Access::Needs(Verb::Pull),
        };
        assert_eq!(route.endpoint.access(), expected, "{route:?}");
    }
}

#[tokio::test]
async fn a_refused_request_changes_nothing_and_its_body_is_not_read() {
    let server = TestServer::builder()
        .auth(auth(Scheme::Basic, true))
        .build()
        .await;
    let right = basic("alice:hunter2");
    let right = [("authorization", right.as_str())];
    let saved = server
        .post_as(
            Method::POST,
            "/api/charts",
            &right,
            chart("one", "1.0.0").into(),
        )
        .await;
    assert_eq!(saved.status, 201, "{saved}");
    for path in ["/api/charts", "/api/charts?force", "/api/prov"] {
        let unread = stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<&str, std::io::Error>>> {
                panic!("the body is read")
            },
        );
        let request = Request::post(path).body(Body::from_stream(unread)).unwrap();
        let reply = server.send(request).await;
        assert_eq!(reply.status, 401, "{path}");
        // What is left of the body makes the connection useless.
        assert_eq!(reply.header("connection"), "close");
    }
    let path = "/api/charts/one/1.0.0";
    let reply = server.request(Method::DELETE, path, &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("connection")),
        (401, "")
    );
    assert_eq!(server.stored().await, ["one-1.0.0.tgz"]);
    assert_eq!(server.get(path).await.status, 200);
    let reply = server.request(Method::DELETE, path, &right).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_told_without_credentials() {
    let server = TestServer::builder()
        .auth(auth(Scheme::Basic, false))
        .build()
        .await;
    let reply = server.get("/nothing/here").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("www-authenticate")),
        (404, "")
    );
    let reply = server.request(Method::PUT, "/index.yaml", &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (405, "GET, HEAD")
    );
}

#[tokio::test]
async fn a_token_of_one_repository_is_none_of_another() {
    for depth in [Depth::Fixed(2), Depth::Dynamic] {
        let server = TestServer::builder()
            .settings(|settings| settings.depth = depth)
            .auth(auth(Scheme::Bearer, false))
            .build()
            .await;
        let with = |token: &str| [("authorization".to_owned(), format!("Bearer {token}"))];
        let mine = with(&token("org/mine", &["pull", "push"]));
        let mine = [(mine[0].0.as_str(), mine[0].1.as_str())];
        let chart = chart("one", "1.0.0");
        for (repository, status) in [
            ("org/mine", 201),
            ("org/yours", 401),
            ("org/mine2", 401),
            ("Org/mine", 401),
            // Encoded, it is the same name.
            ("org%2fmine", 404),
            ("%6frg/mine", 409),
        ] {
            let path = format!("/api/{repository}/charts");
            let reply = server
                .post_as(Method::POST, &path, &mine, chart.clone().into())
                .await;
            assert_eq!(reply.status, status, "{repository} {reply}");
        }
        for (repository, status) in [("org/mine", 200), ("org/yours", 401), ("org/none", 401)] {
            let path = format!("/{repository}/index.yaml");
            let reply = server.request(Method::GET, &path, &mine).await;
            assert_eq!(reply.status, status, "{repository}");
            let scope = format!("scope=\"artifact-repository:{repository}:pull\"");
            let challenge = reply.header("www-authenticate");
            assert_eq!(challenge.ends_with(&scope), status == 401, "{challenge}");
        }
    }
}

#[tokio::test]
async fn no_name_is_code_for_the_search_path() {
    let server = TestServer::builder()
        .settings(|settings| settings.depth = Depth::Dynamic)
        .auth(auth(Scheme::Bearer, false))
        .build()
        .await;
    let victim = format!("Bearer {}", token("victim", &["pull", "push"]));
    let header = [("authorization", victim.as_str())];
    for (name, status) in [
        // ChartMuseum serves the victim's index for this one.
        ("z'%7C%7C%60true%60%7C%7C'/../victim/repo", 404),
        ("z'%7C%7C%60true%60%7C%7C'/victim", 401),
        ("z'%7C%7Cname=='victim", 401),
        ("'", 401),
        ("victim'", 401),
        ("%24NAMESPACE", 401),
        ("victim", 200),
    ] {
        let path = format!("/{name}/index.yaml");
        let reply = server.request(Method::GET, &path, &header).await;
        assert!(
            reply.status == status || (status == 401 && reply.status == 404),
            "{name}: {reply}"
        );
    }
}
