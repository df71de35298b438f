//! Who is let in (1.11 and 5).

use serde_json::json;
use tempfile::TempDir;

use super::row;
use crate::case::{Body, Case, JSON, Scenario, error, text};
use crate::charts::chart;
use crate::tokens::{signed, token, write_key};
use crate::wire::Ask;

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        basic(),
        basic_for_writers(),
        bearer(),
        bearer_by_repository(),
        bearer_at_any_depth(),
    ]
}

fn saved(row: &'static str, name: &'static str, ask: Ask) -> Case {
    Case::same(row, name, ask, 201, JSON, text(r#"{"saved":true}"#))
}

const CHALLENGE: Option<&str> = Some(r#"Basic realm="ChartMuseum""#);
/// `ann:s:ecret`: a password may have a colon.
const ANN: &str = "Basic YW5uOnM6ZWNyZXQ=";
const BASIC: [&str; 2] = ["--basic-auth-user=ann", "--basic-auth-pass=s:ecret"];

fn denied(row: &'static str, ask: Ask) -> Case {
    Case::same(row, "nobody", ask, 401, JSON, error("unauthorized"))
        .header("Www-Authenticate", CHALLENGE)
}

fn probes() -> [Case; 2] {
    let health = Ask::get("/health");
    let info = Ask::get("/info");
    [
        Case::same(
            row::HEALTH,
            "everybody",
            health,
            200,
            JSON,
            text(r#"{"healthy":true}"#),
        ),
        Case::same(
            row::INFO,
            "everybody",
            info,
            200,
            JSON,
            Body::Has(r#"{"version":""#),
        ),
    ]
}

fn basic() -> Scenario {
    let mut cases = vec![
        denied(row::INDEX, Ask::get("/index.yaml")),
        denied(row::LIST, Ask::get("/api/charts")),
        denied(row::RAW, Ask::post("/api/charts", chart("a", "1.0.0"))),
        denied(
            row::LIST,
            Ask::get("/api/charts").header("Authorization", "Basic eDp5"),
        ),
        Case::same(
            row::EVERY,
            "an unknown path",
            Ask::get("/nothing"),
            404,
            JSON,
            error("not found"),
        ),
        saved(
            row::RAW,
            "with credentials",
            Ask::post("/api/charts", chart("a", "1.0.0")).header("Authorization", ANN),
        ),
        Case::same(
            row::LIST,
            "with credentials",
            Ask::get("/api/charts").header("Authorization", ANN),
            200,
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
    ];
    cases.extend(probes());
    Scenario::new("basic authentication", &BASIC, cases)
}

fn basic_for_writers() -> Scenario {
    let ask = |value| Ask::get("/api/charts").header("Authorization", value);
    let mut cases = vec![
        denied(row::RAW, Ask::post("/api/charts", chart("a", "1.0.0"))),
        denied(row::DELETE, Ask::delete("/api/charts/a/1.0.0")),
        Case::same(
            row::LIST,
            "a reader",
            Ask::get("/api/charts"),
            200,
            JSON,
            text("{}"),
        ),
        Case::same(
            row::LIST,
            "with wrong credentials",
            ask("Basic eDp5"),
            200,
            JSON,
            text("{}"),
        ),
    ];
    cases.extend(probes());
    let options = [BASIC[0], BASIC[1], "--auth-anonymous-get"];
    Scenario::new("basic authentication of writers", &options, cases)
}

/// ChartMuseum's flags for tokens, and the folder with their key.
fn with_tokens(more: &[&str]) -> (Vec<String>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let key = write_key(folder.path());
    let mut options = vec![
        "--bearer-auth".to_owned(),
        "--auth-realm=https://auth.example/token".to_owned(),
        "--auth-service=charts".to_owned(),
        format!("--auth-cert-path={}", key.display()),
    ];
    options.extend(more.iter().map(|&option| option.to_owned()));
    (options, folder)
}

fn scenario(name: &'static str, more: &[&str], cases: Vec<Case>) -> Scenario {
    let (options, folder) = with_tokens(more);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    Scenario::new(name, &options, cases).with_files(folder)
}

/// Turned away, and told what to ask a token for.
fn unauthorized(row: &'static str, name: &'static str, ask: Ask, challenge: &'static str) -> Case {
    Case::same(row, name, ask, 401, JSON, error("unauthorized"))
        .header("Www-Authenticate", Some(challenge))
}

const PULL: &str = r#"Bearer realm="https://auth.example/token",service="charts",scope="artifact-repository:repo:pull""#;
const PUSH: &str = r#"Bearer realm="https://auth.example/token",service="charts",scope="artifact-repository:repo:push""#;

fn bearer() -> Scenario {
    let with = |ask: Ask, token: &str| ask.header("Authorization", &format!("Bearer {token}"));
    let list = || Ask::get("/api/charts");
    let upload = || Ask::post("/api/charts", chart("a", "1.0.0"));
    let expired = json!({"exp": 1_000_000_000, "access": [{"type": "artifact-repository", "name": "repo", "actions": ["pull"]}]});
    let of = |status, body| {
        Case::same(
            row::LIST,
            "who may read",
            with(list(), &token("repo", &["pull"])),
            status,
            JSON,
            body,
        )
    };
    let mut cases = vec![
        unauthorized(row::LIST, "nobody", list(), PULL),
        unauthorized(row::INDEX, "nobody", Ask::get("/index.yaml"), PULL),
        unauthorized(row::RAW, "nobody", upload(), PUSH),
        unauthorized(row::LIST, "junk", with(list(), "x.y.z"), PULL),
        unauthorized(
            row::LIST,
            "an expired token",
            with(list(), &signed(&expired)),
            PULL,
        ),
        unauthorized(
            row::LIST,
            "a token for another repository",
            with(list(), &token("other", &["pull"])),
            PULL,
        ),
        unauthorized(
            row::LIST,
            "who may push only",
            with(list(), &token("repo", &["push"])),
            PULL,
        ),
        unauthorized(
            row::RAW,
            "who may read only",
            with(upload(), &token("repo", &["pull"])),
            PUSH,
        ),
        of(200, text("{}")),
        saved(
            row::RAW,
            "who may push",
            with(upload(), &token("repo", &["push"])),
        ),
        Case::same(
            row::LIST,
            "any case of the scheme",
            list().header(
                "Authorization",
                &format!("bEARER {}", token("repo", &["pull"])),
            ),
            200,
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
        Case::same(
            row::LIST,
            "a token without a scheme",
            list().header("Authorization", &token("repo", &["pull"])),
            200,
            JSON,
            Body::Versions(&["a-1.0.0"]),
        ),
        Case::same(
            row::LIST,
            "a token that allows nothing",
            with(list(), &signed(&json!({"sub": "x"}))),
            500,
            None,
            Body::Empty,
        )
        .headers("Www-Authenticate", None, Some(PULL))
        .but(
            401,
            JSON,
            error("unauthorized"),
            "ChartMuseum dereferences nothing and panics",
        ),
        Case::same(
            row::EVERY,
            "an unknown path",
            Ask::get("/nothing"),
            404,
            JSON,
            error("not found"),
        ),
    ];
    cases.extend(probes());
    scenario("tokens", &[], cases)
}

fn bearer_by_repository() -> Scenario {
    let with = |path: &str, token: &str| {
        Ask::get(path).header("Authorization", &format!("Bearer {token}"))
    };
    let challenge = r#"Bearer realm="https://auth.example/token",service="charts",scope="artifact-repository:org/a:pull""#;
    let path = "/api/org/a/charts";
    let cases = vec![
        unauthorized(row::LIST, "nobody", Ask::get(path), challenge),
        unauthorized(
            row::LIST,
            "a token for a sibling",
            with(path, &token("org/aa", &["pull"])),
            challenge,
        ),
        unauthorized(
            row::LIST,
            "a token for the root",
            with(path, &token("repo", &["pull"])),
            challenge,
        ),
        unauthorized(
            row::LIST,
            "a token for all that is below",
            with(path, &token("org", &["pull"])),
            challenge,
        ),
        Case::same(
            row::LIST,
            "its own",
            with(path, &token("org/a", &["pull"])),
            200,
            JSON,
            text("{}"),
        ),
    ];
    scenario("tokens by repository", &["--depth=2"], cases)
}

/// The text of a repository's path is data, not a part of an expression.
fn bearer_at_any_depth() -> Scenario {
    // z'||`true`||'/../victim
    let tenant = "z'%7C%7C%60true%60%7C%7C'/../victim";
    let ask = Ask::get(format!("/{tenant}/index.yaml")).header(
        "Authorization",
        &format!("Bearer {}", token("mine", &["pull"])),
    );
    let cases = vec![
        saved(
            row::RAW,
            "an upload",
            Ask::post("/api/victim/charts", chart("secret", "1.0.0")).header(
                "Authorization",
                &format!("Bearer {}", token("victim", &["push"])),
            ),
        ),
        Case::same(
            row::PATHS,
            "an expression for a path",
            ask,
            200,
            crate::case::INDEX_TYPE,
            Body::Has("secret-1.0.0.tgz"),
        )
        .but(
            404,
            JSON,
            error("not found"),
            "dot segments name nothing, and a path is no expression",
        ),
    ];
    scenario("tokens at any depth", &["--depth-dynamic"], cases)
}
