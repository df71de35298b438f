//! The policy, by the route table: every route and method with every role, in a repository where the
//! role has a right, in another, and in one that does not exist.

use std::path::PathBuf;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use bytes::Bytes;
use chartroom::auth::token::{Order, SigningKey, new_pair};
use chartroom::auth::{Auth, Verb};
use chartroom::config::{AuthScheme, AuthSettings, NativeAuth, TokenSettings};
use chartroom::http::Client;
use chartroom::http::routes::{ROUTES, Route};
use chartroom::http::settings::{Depth, Overwriting, Settings};
use chartroom_storage::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::auth::basic;
use crate::routes::path_of;
use crate::support::{Builder, Reply, TestServer, chart, provenance};

const PASSWORD: &str = "correct horse";

static HASH: LazyLock<String> = LazyLock::new(|| bcrypt::hash(PASSWORD, 4).unwrap());

/// Users are called as what they may do in the repository `one`.
const USERS: [&str; 7] = [
    "puller",
    "pusher",
    "overwriter",
    "only-overwriter",
    "deleter",
    "admin",
    "nobody",
];

const POLICY: &str = "
groups:
  admins: [admin]
rules:
  - {to: ['user:puller', 'token:puller'], allow: [pull], repositories: [one]}
  - {to: ['user:pusher', 'token:pusher'], allow: [push], repositories: [one]}
  - {to: ['user:overwriter'], allow: [push, overwrite], repositories: [one]}
  - {to: ['user:only-overwriter'], allow: [overwrite], repositories: [one]}
  - {to: ['user:deleter'], allow: [delete], repositories: [one]}
  - {to: ['group:admins'], allow: [pull, push, overwrite, delete], repositories: ['**']}
  - {to: ['token:all'], allow: [pull, push, overwrite, delete], repositories: [one]}
  - {to: [anonymous], allow: [pull], repositories: [public]}
  - to: [{issuer: ci, claims: {repository: one}}]
    allow: [push]
    repositories: [one]
issuers:
  - {name: ci, url: 'https://issuer.example', audiences: [charts]}
revoked:
  subjects: [{subject: old, issued-before: 2100-01-01T00:00:00Z}]
";

struct Fixture {
    directory: TempDir,
    key: SigningKey,
}

struct TokenOrder {
    subject: &'static str,
    grants: &'static [&'static str],
    audience: &'static str,
    /// When it is made and when it ends, from now.
    times: [TimeDelta; 2],
}

impl Default for TokenOrder {
    fn default() -> Self {
        Self {
            subject: "all",
            grants: &["pull,push,overwrite,delete:**"],
            audience: "chartroom",
            times: [TimeDelta::zero(), TimeDelta::hours(1)],
        }
    }
}

impl Fixture {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let (private, public) = new_pair().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let private = write("key", private.expose_secret());
        write("key.pub", &public);
        let users: Vec<String> = USERS
            .iter()
            .map(|user| format!("{user}:{}\n", *HASH))
            .collect();
        write("htpasswd", &users.concat());
        write("policy.yaml", POLICY);
        let key = SigningKey::read(&private).unwrap();
        Self { directory, key }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn settings(&self) -> AuthSettings {
        let native = NativeAuth {
            htpasswd: Some(self.file("htpasswd")),
            tokens: Some(TokenSettings {
                keys: vec![self.file("key.pub")],
                issuer: "chartroom".to_owned(),
                audience: "chartroom".to_owned(),
            }),
            policy: Some(self.file("policy.yaml")),
        };
        AuthSettings {
            scheme: Some(AuthScheme::Native(native)),
            ..AuthSettings::default()
        }
    }

    fn auth(&self) -> Auth {
        Auth::try_new(&self.settings(), Clock::default()).unwrap()
    }

    fn token(&self, order: &TokenOrder) -> String {
        self.token_with_id(order).1
    }

    fn token_with_id(&self, order: &TokenOrder) -> (String, String) {
        let now: DateTime<Utc> = Clock::default().wall();
        let [made, ends] = order.times;
        let order = Order {
            issuer: "chartroom".to_owned(),
            audience: order.audience.to_owned(),
            subject: order.subject.to_owned(),
            grants: order
                .grants
                .iter()
                .map(|grant| grant.parse().unwrap())
                .collect(),
            now: now + made,
            expires: now + ends,
        };
        let issued = self.key.issue(&order).unwrap();
        (issued.id, issued.token.expose_secret().to_owned())
    }

    fn several(&self) -> Builder {
        TestServer::builder()
            .settings(|settings| {
                settings.depth = Depth::Fixed(1);
                settings.metrics = true;
            })
            .auth(self.auth())
    }
}

/// Credentials, whether they are known, and what they give in the repository `one` and in others.
struct Role {
    name: &'static str,
    header: Option<String>,
    is_known: bool,
    one: &'static [Verb],
    elsewhere: &'static [Verb],
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn roles(fixture: &Fixture) -> Vec<Role> {
    use Verb::{Delete, Overwrite, Pull, Push};
    let unknown = |name, header: Option<String>| Role {
        name,
        header,
        is_known: false,
        one: &[],
        elsewhere: &[],
    };
    let known = |name, header: String, one| Role {
        name,
        header: Some(header),
        is_known: true,
        one,
        elsewhere: &[],
    };
    let user = |name, one| known(name, basic(&format!("{name}:{PASSWORD}")), one);
    let bearer = |order: TokenOrder| format!("Bearer {}", fixture.token(&order));
    let broken = |order: TokenOrder| Some(bearer(order));
    let good = fixture.token(&TokenOrder::default());
    let enormous = "x".repeat(10_000);
    let other = Fixture::new();
    vec![
        unknown("anonymous", None),
        unknown("wrong password", Some(basic("admin:wrong"))),
        unknown("empty password", Some(basic("admin:"))),
        unknown(
            "enormous password",
            Some(basic(&format!("admin:{enormous}"))),
        ),
        unknown("unknown user", Some(basic(&format!("root:{PASSWORD}")))),
        unknown("no base64", Some("Basic !".to_owned())),
        unknown("other scheme", Some("Negotiate abc".to_owned())),
        unknown("garbage token", Some("Bearer x.y.z".to_owned())),
        unknown(
            "enormous token",
            Some(format!("Bearer {}", "x".repeat(20_000))),
        ),
        unknown(
            "truncated token",
            Some(format!("Bearer {}", &good[..good.len() - 1])),
        ),
        unknown(
            "expired token",
            broken(TokenOrder {
                times: [TimeDelta::hours(-2), TimeDelta::hours(-1)],
                ..TokenOrder::default()
            }),
        ),
        unknown(
            "token of the future",
            broken(TokenOrder {
                times: [TimeDelta::hours(1), TimeDelta::hours(2)],
                ..TokenOrder::default()
            }),
        ),
        unknown(
            "token for another server",
            broken(TokenOrder {
                audience: "other",
                ..TokenOrder::default()
            }),
        ),
        unknown(
            "token of another key",
            Some(format!("Bearer {}", other.token(&TokenOrder::default()))),
        ),
        unknown(
            "revoked token",
            broken(TokenOrder {
                subject: "old",
                ..TokenOrder::default()
            }),
        ),
        user("nobody", &[]),
        user("puller", &[Pull]),
        user("pusher", &[Push]),
        user("overwriter", &[Push, Overwrite]),
        user("only-overwriter", &[Overwrite]),
        user("deleter", &[Delete]),
        Role {
            elsewhere: &Verb::ALL,
            ..user("admin", &Verb::ALL)
        },
        known("token", format!("Bearer {good}"), &Verb::ALL),
        known(
            "token as a password",
            basic(&format!("whoever:{good}")),
            &Verb::ALL,
        ),
        known(
            "token without a rule",
            bearer(TokenOrder {
                subject: "unheard-of",
                ..TokenOrder::default()
            }),
            &[],
        ),
        known(
            "token that is good for less than its rule",
            bearer(TokenOrder {
                grants: &["pull:one", "push:two"],
                ..TokenOrder::default()
            }),
            &[Pull],
        ),
        known(
            "token that is good for more than its rule",
            bearer(TokenOrder {
                subject: "puller",
                ..TokenOrder::default()
            }),
            &[Pull],
        ),
        known(
            "token that is good for nothing",
            bearer(TokenOrder {
                grants: &[],
                ..TokenOrder::default()
            }),
            &[],
        ),
    ]
}

/// What a request takes, by its row and not by what the server believes.
enum Takes {
    Nothing,
    ToBeKnown,
    All(&'static [Verb]),
}

fn takes(route: &Route, is_forced: bool) -> Takes {
    match (route.method.as_str(), route.pattern) {
        (_, "/health" | "/ready" | "/info" | "/metrics") => Takes::Nothing,
        (_, "/api/repos") => Takes::ToBeKnown,
        ("GET" | "HEAD", _) => Takes::All(&[Verb::Pull]),
        ("POST", _) if is_forced => Takes::All(&[Verb::Push, Verb::Overwrite]),
        ("POST", _) => Takes::All(&[Verb::Push]),
        ("DELETE", _) => Takes::All(&[Verb::Delete]),
        other => panic!("{other:?} is new: say what it takes"),
    }
}

fn path_in(route: &Route, repository: &str) -> String {
    let path = path_of(route.pattern);
    match route.pattern {
        "/health" | "/ready" | "/info" | "/metrics" | "/api/repos" => path,
        pattern if pattern.starts_with("/api/") => {
            path.replacen("/api", &format!("/api/{repository}"), 1)
        }
        _ => format!("/{repository}{path}"),
    }
}

fn without_id(reply: &Reply) -> String {
    reply.to_string()
}

#[tokio::test]
async fn every_route_is_open_to_those_whom_the_policy_lets_and_closed_to_all_others() {
    let fixture = Fixture::new();
    let server = fixture.several().build().await;
    let admin = basic(&format!("admin:{PASSWORD}"));
    let admin = [("authorization", admin.as_str())];
    for repository in ["one", "two"] {
        let path = format!("/api/{repository}/charts");
        let chart: Bytes = chart("one", "1.0.0").into();
        let reply = server.post_as(Method::POST, &path, &admin, chart).await;
        assert_eq!(reply.status, 201, "{reply}");
    }
    let roles = roles(&fixture);
    let mut tried = 0;
    for role in &roles {
        let headers: Vec<(&str, &str)> = role
            .header
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        for route in ROUTES {
            let queries: &[&str] = if route.method == Method::POST {
                &["", "?force"]
            } else {
                &[""]
            };
            for query in queries {
                let mut refusals = Vec::new();
                for repository in ["one", "two", "none"] {
                    let path = path_in(route, repository) + query;
                    let reply = server.request(route.method.clone(), &path, &headers).await;
                    tried += 1;
                    let verbs = if repository == "one" {
                        role.one
                    } else {
                        role.elsewhere
                    };
                    let may = match takes(route, !query.is_empty()) {
                        Takes::Nothing => true,
                        // Somebody may read a repository without credentials: the list has it.
                        Takes::ToBeKnown => role.is_known || role.header.is_none(),
                        Takes::All(needed) => needed.iter().all(|verb| verbs.contains(verb)),
                    };
                    let case = format!("{} {} {path}\n{reply}", role.name, route.method);
                    let status = reply.status.as_u16();
                    if may {
                        assert!(!matches!(status, 401 | 403 | 500..), "{case}");
                        continue;
                    }
                    let expected = if role.is_known { 403 } else { 401 };
                    assert_eq!(status, expected, "{case}");
                    let challenge = reply.header("www-authenticate");
                    let is_asked = challenge == r#"Basic realm="chartroom", charset="UTF-8""#;
                    assert_eq!(is_asked, !role.is_known, "{case}");
                    assert_eq!(reply.header("x-chartroom-generation"), "", "{case}");
                    refusals.push(without_id(&reply));
                }
                // Who may not know sees no difference between what is there and what is not.
                refusals.dedup();
                assert!(refusals.len() <= 1, "{} {route:?} {refusals:?}", role.name);
            }
        }
    }
    println!(
        "{tried} requests: {} rows of the table, {} roles, 3 repositories",
        ROUTES.len(),
        roles.len()
    );
    assert!(tried >= ROUTES.len() * roles.len() * 3);
}

#[tokio::test]
async fn lists_show_what_the_asker_may_read() {
    let fixture = Fixture::new();
    for depth in [Depth::Fixed(1), Depth::Dynamic] {
        let server = fixture
            .several()
            .settings(|settings| settings.depth = depth)
            .build()
            .await;
        let with = |user: &str| basic(&format!("{user}:{PASSWORD}"));
        let admin = with("admin");
        for repository in ["one", "two", "public"] {
            let path = format!("/api/{repository}/charts");
            let header = [("authorization", admin.as_str())];
            let chart: Bytes = chart("one", "1.0.0").into();
            server.post_as(Method::POST, &path, &header, chart).await;
        }
        let all = r#"["one","public","two"]"#;
        for (header, expected) in [
            (None, r#"["public"]"#),
            (Some(with("nobody")), r#"["public"]"#),
            (Some(with("pusher")), r#"["public"]"#),
            (Some(with("puller")), r#"["one","public"]"#),
            (Some(admin.clone()), all),
        ] {
            let headers: Vec<(&str, &str)> = header
                .iter()
                .map(|value| ("authorization", value.as_str()))
                .collect();
            let reply = server.request(Method::GET, "/api/repos", &headers).await;
            let list = format!(r#"{{"repositories":{expected},"more":false}}"#);
            assert_eq!(reply.text(), list);
            let page = server.request(Method::GET, "/", &headers).await;
            if depth == Depth::Dynamic {
                // There is a repository at the root, which only some may read.
                let may = header.as_ref() == Some(&admin);
                assert_eq!(page.status == 200, may, "{page}");
                continue;
            }
            for repository in ["one", "two", "public"] {
                let link = format!("href=\"{repository}/\"");
                let is_expected = expected.contains(repository);
                let is_there =
                    page.text().contains(&link) || page.text().contains(&format!("/{repository}/"));
                assert_eq!(is_there, is_expected, "{repository} {page}");
            }
        }
    }
}

/// A request whose body must not be read.
fn unread(path: &str, authorization: Option<&str>, client: Option<&str>) -> Request<Body> {
    let body = stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<&str, std::io::Error>>> { panic!("the body is read") },
    );
    let mut request = Request::post(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    if let Some(client) = client {
        request = request.extension(Client::at(client.parse().unwrap()));
    }
    request.body(Body::from_stream(body)).unwrap()
}

async fn upload(server: &TestServer, path: &str, user: &str) -> u16 {
    let header = basic(&format!("{user}:{PASSWORD}"));
    let headers = [("authorization", header.as_str())];
    let body: Bytes = if path.contains("/prov") {
        provenance("one", "1.0.0").into()
    } else {
        chart("one", "1.0.0").into()
    };
    server
        .post_as(Method::POST, path, &headers, body)
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn replacing_a_version_takes_a_right_of_its_own() {
    let fixture = Fixture::new();
    let start = async |overwriting: Overwriting| {
        let change = move |settings: &mut Settings| settings.overwriting = overwriting;
        fixture.several().settings(change).build().await
    };
    for (overwriting, forced, unforced) in [
        // Who pushes only is refused what asks to replace, and adds what is not there in any case.
        (Overwriting::WithForce, [403, 201], [409, 409]),
        (Overwriting::Always, [403, 201], [409, 201]),
        // Where nothing is ever replaced, nobody needs the right to.
        (Overwriting::Never, [409, 409], [409, 409]),
    ] {
        let server = start(overwriting).await;
        for route in ["/api/one/charts", "/api/one/prov"] {
            assert_eq!(
                upload(&server, route, "pusher").await,
                201,
                "{overwriting:?}"
            );
            for (number, user) in ["pusher", "overwriter"].into_iter().enumerate() {
                let status = upload(&server, &format!("{route}?force"), user).await;
                assert_eq!(status, forced[number], "{overwriting:?} {route} {user}");
                let status = upload(&server, route, user).await;
                assert_eq!(status, unforced[number], "{overwriting:?} {route} {user}");
            }
            assert_eq!(upload(&server, route, "only-overwriter").await, 403);
        }
    }
    let server = start(Overwriting::WithForce).await;
    let pusher = basic(&format!("pusher:{PASSWORD}"));
    for path in ["/api/one/charts?force", "/api/one/prov?x=1&force=false"] {
        let reply = server.send(unread(path, Some(&pusher), None)).await;
        assert_eq!(reply.status, 403, "{path} {reply}");
        assert_eq!(reply.header("connection"), "close");
    }
}

#[tokio::test]
async fn provenance_is_open_to_everybody_where_that_is_wanted_and_nothing_else_is() {
    let fixture = Fixture::new();
    for is_wanted in [false, true] {
        let settings = AuthSettings {
            anonymous_provenance: is_wanted,
            ..fixture.settings()
        };
        let auth = Auth::try_new(&settings, Clock::default()).unwrap();
        let server = fixture.several().auth(auth).build().await;
        for path in ["/api/one/charts", "/api/one/prov"] {
            assert_eq!(upload(&server, path, "pusher").await, 201);
        }
        let status = async |method: Method, path: &str, headers: &[(&str, &str)]| {
            server.request(method, path, headers).await.status.as_u16()
        };
        let open = if is_wanted { 200 } else { 401 };
        let wrong = basic("alice:wrong");
        for headers in [&[][..], &[("authorization", wrong.as_str())]] {
            for path in [
                "/one/charts/one-1.0.0.tgz.prov",
                "/one/charts/charts/one-1.0.0.tgz.prov",
            ] {
                let path = path.replace("/charts/charts/", "/charts/");
                assert_eq!(status(Method::GET, &path, headers).await, open);
                assert_eq!(status(Method::HEAD, &path, headers).await, open);
            }
            for path in [
                "/one/charts/one-1.0.0.tgz",
                "/one/charts/one-1.0.0.tgz?x=.prov",
                "/one/index.yaml",
                "/api/one/charts/x.prov",
                "/api/one/charts",
            ] {
                let got = status(Method::GET, path, headers).await;
                assert!(matches!(got, 401 | 404), "{path} {got}");
            }
            assert_eq!(status(Method::POST, "/api/one/prov", headers).await, 401);
        }
    }
}

#[tokio::test]
async fn without_authentication_only_this_machine_writes() {
    for open_writes in [false, true] {
        let settings = AuthSettings {
            open_writes,
            ..AuthSettings::default()
        };
        let auth = Auth::try_new(&settings, Clock::default()).unwrap();
        let server = TestServer::builder().auth(auth).build().await;
        let send = async |client: Option<&str>, header: Option<&str>, method: Method| {
            let mut request = Request::builder().method(method.clone());
            request = request.uri(match method {
                Method::POST => "/api/charts?force",
                Method::DELETE => "/api/charts/one/1.0.0",
                _ => "/index.yaml",
            });
            if let Some(name) = header {
                request = request.header(name, "x");
            }
            if let Some(client) = client {
                request = request.extension(Client::at(client.parse().unwrap()));
            }
            let body = if method == Method::POST {
                chart("one", "1.0.0")
            } else {
                Vec::new()
            };
            server.send(request.body(Body::from(body)).unwrap()).await
        };
        let (local, mapped, remote) = ("127.0.0.1:1", "[::ffff:127.0.0.1]:1", "192.0.2.1:1");
        for (client, header, is_local) in [
            (Some(local), None, true),
            (Some("[::1]:1"), None, true),
            (Some(mapped), None, true),
            // A token that nobody asked for is not looked at.
            (Some(local), Some("authorization"), true),
            (Some(local), Some("x-forwarded-for"), false),
            (Some(local), Some("x-forwarded-proto"), false),
            (Some(local), Some("forwarded"), false),
            (Some(local), Some("via"), false),
            (Some(local), Some("x-real-ip"), false),
            (Some(remote), None, false),
            (Some("[::ffff:192.0.2.1]:1"), None, false),
            (None, None, false),
        ] {
            let read = send(client, header, Method::GET).await;
            assert_eq!(read.status, 200, "{client:?} {header:?}");
            let may = is_local || open_writes;
            for (method, status) in [(Method::POST, 201), (Method::DELETE, 200)] {
                let reply = send(client, header, method.clone()).await;
                let expected = if may { status } else { 403 };
                assert_eq!(
                    reply.status, expected,
                    "{client:?} {header:?} {method} {reply}"
                );
                let hints =
                    reply.text().contains("--open-writes") && reply.text().contains("--htpasswd");
                assert_eq!(hints, !may, "{reply}");
            }
        }
        if !open_writes {
            let reply = server.send(unread("/api/charts", None, Some(remote))).await;
            assert_eq!(reply.status, 403);
            assert_eq!(reply.header("connection"), "close");
        }
    }
}

#[tokio::test]
async fn what_is_revoked_and_who_is_gone_are_refused_while_the_server_runs() {
    let fixture = Fixture::new();
    let auth = std::sync::Arc::new(fixture.auth());
    let root = chartroom_storage::RepositoryPath::parse("one").unwrap();
    let (id, token) = fixture.token_with_id(&TokenOrder::default());
    let bearer = format!("Bearer {token}").parse().unwrap();
    let puller = basic(&format!("puller:{PASSWORD}")).parse().unwrap();
    let may = async |header: &HeaderValue| {
        let asker = chartroom::auth::Asker {
            authorization: Some(header),
            is_local: false,
        };
        auth.authorize(asker, Verb::Pull, &root).await.is_allowed()
    };
    assert!(may(&bearer).await && may(&puller).await);
    let write = |name: &str, text: &str| std::fs::write(fixture.file(name), text).unwrap();
    // Broken, neither opens nor closes a door.
    write(
        "policy.yaml",
        "rules: [{to: [anonymous], allow: [pull], repositories: ['**'], x: 1}]",
    );
    write("htpasswd", "mallory:$1$x$y");
    assert_eq!(auth.reload().await.len(), 2);
    assert!(may(&bearer).await && may(&puller).await);
    let nobody = chartroom::auth::Asker::NOBODY;
    assert!(!auth.authorize(nobody, Verb::Pull, &root).await.is_allowed());
    write(
        "policy.yaml",
        &POLICY.replace("revoked:", &format!("revoked:\n  tokens: [{id}]")),
    );
    write("htpasswd", "");
    assert_eq!(auth.reload().await, Vec::<String>::new());
    assert!(!may(&bearer).await && !may(&puller).await);
}
