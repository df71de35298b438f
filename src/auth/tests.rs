use axum::http::HeaderValue;

use super::*;
use crate::config::BasicAuth;

fn auth(scheme: Option<AuthScheme>, anonymous_get: bool) -> Auth {
    let settings = AuthSettings {
        scheme,
        anonymous_get,
        ..AuthSettings::default()
    };
    Auth::try_new(&settings, Clock::default()).unwrap()
}

fn alice() -> AuthScheme {
    AuthScheme::Basic(BasicAuth {
        user: "alice".to_owned(),
        password: "hunter2".to_owned().into(),
    })
}

fn basic(anonymous_get: bool) -> Auth {
    auth(Some(alice()), anonymous_get)
}

async fn ask(auth: &Auth, authorization: Option<&HeaderValue>, verb: Verb) -> Decision {
    let asker = Asker {
        authorization,
        is_local: false,
    };
    auth.authorize(asker, verb, &RepositoryPath::root()).await
}

#[tokio::test]
async fn an_open_one_lets_everybody_do_everything() {
    for verb in Verb::ALL {
        let decision = ask(&Auth::open(), None, verb).await;
        assert!(decision.is_allowed(), "{verb}");
        assert_eq!(decision.identity, Identity::Anonymous);
    }
}

#[tokio::test]
async fn without_settings_everybody_reads_and_this_machine_writes() {
    for open_writes in [false, true] {
        let settings = AuthSettings {
            open_writes,
            ..AuthSettings::default()
        };
        let auth = Auth::try_new(&settings, Clock::default()).unwrap();
        for is_local in [false, true] {
            let asker = Asker {
                is_local,
                ..Asker::NOBODY
            };
            for verb in Verb::ALL {
                let decision = auth.authorize(asker, verb, &RepositoryPath::root()).await;
                let may = verb == Verb::Pull || is_local || open_writes;
                assert_eq!(decision.is_allowed(), may, "{decision:?}");
                let is_told = matches!(decision.verdict, Verdict::Forbidden(hint) if hint.contains("--open-writes"));
                assert_eq!(is_told, !may);
            }
        }
    }
}

#[tokio::test]
async fn with_anonymous_get_pulling_is_open_whatever_credentials_are_sent() {
    let auth = basic(true);
    let bad = HeaderValue::from_static("Basic bad");
    for header in [None, Some(&bad)] {
        let decision = ask(&auth, header, Verb::Pull).await;
        assert!(decision.is_allowed());
        assert_eq!(decision.rule, Rule::AnonymousGet);
        assert_eq!(decision.identity, Identity::Anonymous);
        for verb in [Verb::Push, Verb::Overwrite, Verb::Delete] {
            assert!(!ask(&auth, header, verb).await.is_allowed(), "{verb}");
        }
    }
    assert!(!ask(&basic(false), None, Verb::Pull).await.is_allowed());
}

#[test]
fn this_machine_is_known_in_both_versions_of_its_address() {
    for (address, expected) in [
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("::1", true),
        ("::ffff:127.0.0.1", true),
        ("10.0.0.1", false),
        ("::ffff:10.0.0.1", false),
        ("0.0.0.0", false),
        ("::", false),
    ] {
        assert_eq!(is_loopback(address.parse().unwrap()), expected, "{address}");
    }
}

#[test]
fn nothing_secret_is_shown_for_debugging() {
    assert!(!format!("{:?}", alice()).contains("hunter2"));
    let shown = format!("{:?}", basic(false));
    assert_eq!(
        shown,
        "Auth { scheme: basic, anonymous_get: false, anonymous_provenance: false }"
    );
}

#[test]
fn a_scheme_is_read_in_any_case_and_needs_a_space() {
    assert_eq!(after_scheme(b"bAsIc  x ", "Basic"), Some(&b"x"[..]));
    assert_eq!(after_scheme(b"Basic", "Basic"), None);
    assert_eq!(after_scheme(b"Basicx", "Basic"), None);
    assert_eq!(after_scheme(b"Bas", "Basic"), None);
}
