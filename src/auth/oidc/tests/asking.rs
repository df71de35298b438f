//! Issuers on this machine that are asked over HTTP.

use std::io::Write;

use super::issuer::{LocalIssuer, Manner};
use super::*;
use crate::auth::watched::with_causes;

fn http(settings: &IssuerSettings) -> Result<Http, FetchError> {
    let checked = settings::check(std::slice::from_ref(settings)).unwrap();
    Http::try_new(&checked[0])
}

async fn fetch(settings: &IssuerSettings) -> Result<Fetched, FetchError> {
    http(settings).unwrap().fetch().await
}

/// What the log tells, without the address.
async fn told(issuer: &LocalIssuer, manner: Manner) -> String {
    issuer.behave(manner);
    let error = fetch(&settings_of("ci", &issuer.url)).await.err().unwrap();
    let source = std::error::Error::source(&error);
    let source = source.map(|source| format!(": {source}"));
    let text = format!("{error}{}", source.unwrap_or_default());
    text.replace(&issuer.url, "URL")
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are_and_how_long_they_last() {
    let issuer = LocalIssuer::start().await;
    let settings = settings_of("ci", &issuer.url);
    let fetched = fetch(&settings).await.unwrap();
    assert_eq!((fetched.keys.len(), fetched.max_age), (3, None));
    for (header, expected) in [
        ("public, max-age=1234", Some(Duration::from_secs(1234))),
        ("no-cache, max-age=1234", Some(Duration::ZERO)),
        ("no-store", Some(Duration::ZERO)),
        ("public", None),
        ("max-age=x", None),
    ] {
        issuer.behave(Manner {
            cache_control: Some(header.to_owned()),
            ..Manner::default()
        });
        assert_eq!(
            fetch(&settings).await.unwrap().max_age,
            expected,
            "{header}"
        );
    }
    let what: Vec<String> = issuer
        .requests()
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(what[..2], ["configuration", "keys"]);
}

#[tokio::test]
async fn a_certificate_comes_from_the_configured_authority_and_from_no_other_one() {
    let (issuer, authority) = LocalIssuer::start_https().await;
    let (_, another) = LocalIssuer::start_https().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let mut settings = settings_of("ci", &issuer.url);
    settings.ca_file = Some(file.path().to_owned());
    assert_eq!(fetch(&settings).await.unwrap().keys.len(), 3);
    std::fs::write(file.path(), another).unwrap();
    let strange = fetch(&settings).await.err().unwrap();
    settings.ca_file = None;
    let unknown = fetch(&settings).await.err().unwrap();
    for error in [strange, unknown] {
        let text = with_causes(&error);
        assert!(text.contains("does not answer"), "{text}");
        assert!(text.contains("certificate"), "{text}");
    }
    assert_eq!(issuer.requests().len(), 2);
}

#[tokio::test]
async fn an_address_of_keys_makes_the_configuration_needless() {
    let issuer = LocalIssuer::start().await;
    let mut settings = settings_of("ci", URL);
    settings.jwks_url = Some(format!("{}/keys", issuer.url));
    assert_eq!(fetch(&settings).await.unwrap().keys.len(), 3);
    assert_eq!(issuer.requests(), [("keys".to_owned(), None)]);
}

#[tokio::test]
async fn what_an_issuer_should_not_answer_is_told() {
    let issuer = LocalIssuer::start().await;
    for (manner, expected) in [
        (
            Manner {
                status: Some(503),
                ..Manner::default()
            },
            "URL/.well-known/openid-configuration answers 503 Service Unavailable",
        ),
        (
            Manner {
                status: Some(302),
                ..Manner::default()
            },
            "URL/.well-known/openid-configuration answers 302 Found",
        ),
        (
            Manner {
                padding: 256 << 10,
                ..Manner::default()
            },
            "URL/.well-known/openid-configuration sends more than 262144 bytes",
        ),
        (
            Manner {
                issuer: Some("https://other.example".to_owned()),
                ..Manner::default()
            },
            "URL/.well-known/openid-configuration is the configuration of `https://other.example`",
        ),
        (
            Manner {
                issuer: Some(format!("{}/", issuer.url)),
                ..Manner::default()
            },
            "URL/.well-known/openid-configuration is the configuration of `URL/`",
        ),
        (
            Manner {
                jwks_uri: Some("http://keys.example/".to_owned()),
                ..Manner::default()
            },
            "URL/.well-known/openid-configuration names a jwks_uri that cannot be used: `http://keys.example/` does not begin with https:// (http:// is for this machine only)",
        ),
        (
            Manner {
                keys: Some("<html>".to_owned()),
                ..Manner::default()
            },
            "URL/keys has no keys that can be used: it is not a set of keys",
        ),
        (
            Manner {
                keys: Some(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}"#.to_owned()),
                ..Manner::default()
            },
            "URL/keys has no keys that can be used: none of its 1 keys is a public key for signatures of the algorithms that are taken",
        ),
    ] {
        assert_eq!(told(&issuer, manner).await, expected);
    }
}

#[tokio::test]
async fn an_issuer_elsewhere_cannot_send_us_to_this_machine() {
    let issuer = LocalIssuer::start().await;
    let elsewhere = url::Url::parse("https://ci.example/.well-known/openid-configuration").unwrap();
    for (uri, is_refused) in [
        ("http://127.0.0.1/keys", true),
        ("https://127.0.0.1/keys", true),
        ("https://localhost/keys", true),
        ("https://[::1]/keys", true),
        ("http://keys.example/keys", true),
        ("https://keys.example/keys", false),
    ] {
        let result = fetch::keys_address_of(&elsewhere, uri);
        assert_eq!(result.is_err(), is_refused, "{uri}");
    }
    assert!(issuer.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_silent_is_given_up() {
    let issuer = LocalIssuer::start().await;
    let text = told(
        &issuer,
        Manner {
            is_silent: true,
            ..Manner::default()
        },
    )
    .await;
    assert!(
        text.starts_with("URL/.well-known/openid-configuration does not answer"),
        "{text}"
    );
}

#[tokio::test]
async fn an_issuer_that_is_not_there_is_told_without_its_tokens() {
    let issuer = LocalIssuer::start().await;
    let settings = settings_of("ci", &issuer.url);
    let asked = http(&settings).unwrap();
    drop(issuer);
    // Its socket closes with its task.
    let error = loop {
        if let Err(error) = asked.fetch().await {
            break error;
        }
        tokio::task::yield_now().await;
    };
    assert!(error.to_string().ends_with("does not answer"), "{error}");
}

#[tokio::test]
async fn a_token_for_the_keys_is_read_anew_and_sent_to_the_configured_address_only() {
    let (issuer, other) = (LocalIssuer::start().await, LocalIssuer::start().await);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "first").unwrap();
    let mut settings = settings_of("ci", &issuer.url);
    settings.bearer_token_file = Some(file.path().to_owned());
    let asked = http(&settings).unwrap();
    asked.fetch().await.unwrap();
    std::fs::write(file.path(), "second\n").unwrap();
    issuer.behave(Manner {
        jwks_uri: Some(format!("{}/keys", other.url)),
        ..Manner::default()
    });
    asked.fetch().await.unwrap();
    let (first, second) = ("Bearer first".to_owned(), "Bearer second".to_owned());
    let expected = [
        ("configuration".to_owned(), Some(first.clone())),
        ("keys".to_owned(), Some(first)),
        ("configuration".to_owned(), Some(second)),
    ];
    assert_eq!(issuer.requests(), expected);
    assert_eq!(other.requests(), [("keys".to_owned(), None)]);
}

#[tokio::test]
async fn files_that_are_not_there_or_hold_something_else_are_named_at_start() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let missing = std::path::PathBuf::from("/nowhere/file");
    for path in [empty.path(), &missing] {
        let mut settings = settings_of("ci", URL);
        settings.ca_file = Some(path.to_owned());
        let text = http(&settings).err().unwrap().to_string();
        assert_eq!(text, format!("ca-file: {} cannot be read", path.display()));
    }
    let binary = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(binary.path(), "a\nb").unwrap();
    for path in [binary.path(), empty.path(), &missing] {
        let mut settings = settings_of("ci", URL);
        settings.bearer_token_file = Some(path.to_owned());
        let text = http(&settings).err().unwrap().to_string();
        let expected = format!("bearer-token-file: {} cannot be read", path.display());
        assert_eq!(text, expected);
    }
}

#[tokio::test]
async fn a_token_is_verified_with_keys_that_were_asked_for() {
    let issuer = LocalIssuer::start().await;
    let settings = [settings_of("ci", &issuer.url)];
    let issuers = Issuers::try_new(&settings, Clock::default(), Arc::new(())).unwrap();
    assert_eq!(issuers.names().collect::<Vec<_>>(), ["ci"]);
    issuers.warm().await;
    let mut claims = with("iss", json!(issuer.url));
    for (name, offset) in [("iat", -5), ("nbf", -5), ("exp", 300)] {
        claims[name] = json!(Clock::default().wall().timestamp() + offset);
    }
    for key in issuer.keys() {
        let workload = issuers.verify(&key.sign(&claims)).await.unwrap();
        assert_eq!(workload.claims["repository"], "acme/charts");
    }
    assert_eq!(issuer.requests().len(), 2);
}

#[tokio::test]
async fn an_issuer_whose_settings_change_is_another_one_and_the_others_keep_their_keys() {
    let (first, second) = (LocalIssuer::start().await, LocalIssuer::start().await);
    let settings = [settings_of("a", &first.url), settings_of("b", &second.url)];
    let issuers = Issuers::try_new(&settings, Clock::default(), Arc::new(())).unwrap();
    issuers.warm().await;
    let mut changed = settings.clone();
    changed[1].audiences.pop();
    let (issuers, problems) = issuers.renewed(&changed);
    assert!(problems.is_empty());
    issuers.warm().await;
    assert_eq!((first.requests().len(), second.requests().len()), (2, 4));
    // What was trusted as `b` is not what is meant any more.
    changed[1].ca_file = Some("/nowhere/ca.pem".into());
    let (issuers, problems) = issuers.renewed(&changed);
    assert_eq!(issuers.names().collect::<Vec<_>>(), ["a"]);
    let told: Vec<String> = problems.iter().map(|error| with_causes(error)).collect();
    assert_eq!(
        told,
        [
            "issuer `b`: ca-file: /nowhere/ca.pem cannot be read: No such file or directory (os error 2)"
        ]
    );
    changed[1].name = "a".to_owned();
    let (issuers, problems) = issuers.renewed(&changed);
    assert_eq!((issuers.names().count(), problems.len()), (0, 1));
}
