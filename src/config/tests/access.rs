//! TLS and credentials: what is half given is never an open server.

use secrecy::ExposeSecret;

use super::*;

fn with(flags: &[&str]) -> Result<Config, Problems> {
    load(&[&["memory:"], flags].concat(), &[])
}

fn password(config: Result<Config, Problems>) -> String {
    match config.unwrap().auth.scheme {
        Some(AuthScheme::Basic(basic)) => basic.password.expose_secret().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn half_of_a_pair_stops_the_start() {
    let (_directory, path) = file("x");
    let flag = |name: &str| format!("--{name}={path}");
    let [cert, key, ca, pass] =
        ["tls-cert", "tls-key", "tls-ca-cert", "basic-auth-pass-file"].map(flag);
    for (flags, wrong) in [
        (vec![cert.as_str()], "tls-cert"),
        (vec![&key], "tls-key"),
        (vec![&ca], "tls-ca-cert"),
        (vec![&cert, &ca], "tls-cert"),
        (vec!["--basic-auth-user=u"], "basic-auth-user"),
        (vec!["--basic-auth-pass=p"], "basic-auth-pass"),
        (vec![&pass], "basic-auth-pass-file"),
        (
            vec!["--basic-auth-user=u", "--basic-auth-pass="],
            "basic-auth-user",
        ),
        (vec!["--auth-realm=r"], "auth-realm"),
        (
            vec!["--auth-service=s", "--bearer-auth=false"],
            "auth-service",
        ),
        (
            vec!["--auth-actions-search-path=a"],
            "auth-actions-search-path",
        ),
    ] {
        let problems = with(&flags).unwrap_err();
        assert_eq!(keys(&problems), [wrong], "{flags:?} {problems}");
    }
    let problems = with(&["--bearer-auth"]).unwrap_err();
    assert_eq!(
        keys(&problems),
        ["auth-realm", "auth-service", "auth-cert-path"]
    );
}

#[test]
fn passwords_and_tokens_together_stop_the_start() {
    let (_directory, path) = file("x");
    let cert = format!("--auth-cert-path={path}");
    let bearer = ["--bearer-auth", "--auth-realm=r", "--auth-service=s", &cert];
    let basic = ["--basic-auth-user=u", "--basic-auth-pass=p"];
    let problems = with(&[&bearer[..], &basic].concat()).unwrap_err();
    assert_eq!(keys(&problems), ["bearer-auth"], "{problems}");
    with(&bearer).unwrap();
    with(&basic).unwrap();
}

#[test]
fn a_password_comes_from_a_file_without_the_line_break_at_its_end() {
    for (text, expected) in [
        ("se cret\n", "se cret"),
        ("a\r\n", "a"),
        ("a\n\n", "a\n"),
        (" a", " a"),
    ] {
        let (_directory, path) = file(text);
        let config = with(&["--basic-auth-user=u", "--basic-auth-pass-file", &path]);
        assert_eq!(password(config), expected, "{text:?}");
    }
    let long = "x".repeat(5000);
    for text in ["", "\n", &long] {
        let (_directory, path) = file(text);
        let problems = with(&["--basic-auth-user=u", "--basic-auth-pass-file", &path]).unwrap_err();
        assert_eq!(keys(&problems), ["basic-auth-pass-file"], "{text:?}");
    }
    let (_directory, path) = file("far");
    let flags = ["--basic-auth-user=u", "--basic-auth-pass-file", &path];
    let near = [&flags[..], &["--basic-auth-pass=near"]].concat();
    assert_eq!(keys(&with(&near).unwrap_err()), ["basic-auth-pass-file"]);
    let variable = [("CHARTROOM_BASIC_AUTH_PASS", "farther")];
    assert_eq!(
        password(load(&[&["memory:"], &flags[..]].concat(), &variable)),
        "far"
    );
}

#[test]
fn passwords_are_never_shown() {
    let flags = [
        "memory:",
        "--basic-auth-user=a:b",
        "--basic-auth-pass=hush",
        "--port=x",
    ];
    let problems = load(&flags, &[("CHARTROOM_BASIC_AUTH_PASS_FILE", "/hush")]).unwrap_err();
    assert_eq!(keys(&problems), ["port", "basic-auth-user"]);
    assert!(!problems.to_string().contains("hush"), "{problems}");
    let config = with(&["--basic-auth-user=a", "--basic-auth-pass=hush"]).unwrap();
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
}

#[test]
fn anonymous_reads_without_credentials_are_a_notice() {
    let config = with(&["--auth-anonymous-get"]).unwrap();
    assert!(config.auth.anonymous_get && config.auth.scheme.is_none());
    assert_eq!(config.notices.len(), 1, "{:?}", config.notices);
}

#[test]
fn what_would_break_a_header_field_or_is_no_file_is_refused() {
    let (_directory, path) = file("x");
    let directory = Path::new(&path).parent().unwrap().to_str().unwrap();
    let cert = format!("--auth-cert-path={directory}");
    let flags = [
        "--bearer-auth",
        "--auth-realm=a\"b",
        "--auth-service=a\nb",
        &cert,
    ];
    let problems = with(&flags).unwrap_err();
    assert_eq!(
        keys(&problems),
        ["auth-realm", "auth-service", "auth-cert-path"]
    );
    let problems = with(&["--tls-cert=/nonexistent", "--tls-key", &path]).unwrap_err();
    assert_eq!(keys(&problems), ["tls-cert"], "{problems}");
}

#[test]
fn provenance_is_verified_with_keys_or_not_at_all() {
    let (_directory, path) = file("x");
    let ring = format!("--keyring={path}");
    assert_eq!(with(&[]).unwrap().provenance, None);
    assert_eq!(with(&["--provenance=off", &ring]).unwrap().provenance, None);
    for (flags, wrong) in [
        (vec!["--provenance=warn"], "provenance"),
        (vec!["--provenance=require"], "provenance"),
        (vec![&*ring], "keyring"),
        (vec!["--provenance=on", &ring], "provenance"),
        (vec!["--provenance=warn", "--keyring=/nowhere"], "keyring"),
    ] {
        let problems = with(&flags).unwrap_err();
        assert_eq!(keys(&problems), [wrong], "{flags:?} {problems}");
    }
    let required = with(&["--provenance=require", &ring]);
    if cfg!(feature = "openpgp") {
        let settings = required.unwrap().provenance.unwrap();
        assert_eq!(settings.rule, crate::signature::Rule::Require);
        assert_eq!(settings.keyring, Path::new(&path));
    } else {
        let problems = required.unwrap_err().to_string();
        assert!(problems.contains("the feature openpgp"), "{problems}");
    }
}

#[test]
fn our_own_authentication_excludes_chartmuseums() {
    let (_directory, path) = file("x");
    let cert = format!("--auth-cert-path={path}");
    let bearer = ["--bearer-auth", "--auth-realm=r", "--auth-service=s", &cert];
    let basic = ["--basic-auth-user=u", "--basic-auth-pass=p"];
    for name in ["htpasswd", "token-key", "policy"] {
        let flag = format!("--{name}={path}");
        let ours = [flag.as_str()];
        assert!(matches!(
            with(&ours).unwrap().auth.scheme,
            Some(AuthScheme::Native(_))
        ));
        for theirs in [&bearer[..], &basic] {
            let problems = with(&[&ours, theirs].concat()).unwrap_err();
            assert_eq!(keys(&problems), [name], "{problems}");
        }
    }
    for name in ["htpasswd", "token-key", "policy"] {
        let problems = with(&[&format!("--{name}=/nonexistent")]).unwrap_err();
        assert_eq!(keys(&problems), [name], "{problems}");
    }
    let key = format!("--token-key={path}");
    assert_eq!(keys(&with(&[key.as_str(); 9]).unwrap_err()), ["token-key"]);
    let flags = [&key, &key, "--token-audience=charts"];
    let Some(AuthScheme::Native(native)) = with(&flags).unwrap().auth.scheme else {
        panic!("it is ours");
    };
    let tokens = native.tokens.unwrap();
    assert_eq!((tokens.keys.len(), &*tokens.issuer), (2, "chartroom"));
    assert_eq!(tokens.audience, "charts");
    let problems = with(&[&key, "--token-issuer=", "--token-audience=\n"]).unwrap_err();
    assert_eq!(keys(&problems), ["token-issuer", "token-audience"]);
}

#[test]
fn switches_that_contradict_a_policy_stop_the_start() {
    let (_directory, path) = file("x");
    let policy = format!("--policy={path}");
    let users = format!("--htpasswd={path}");
    let problems = with(&[&policy, "--auth-anonymous-get"]).unwrap_err();
    assert_eq!(keys(&problems), ["auth-anonymous-get"]);
    with(&[&users, "--auth-anonymous-get"]).unwrap();
    let basic = ["--basic-auth-user=u", "--basic-auth-pass=p"];
    for flags in [&[policy.as_str()][..], &[&users], &basic] {
        let problems = with(&[flags, &["--open-writes"]].concat()).unwrap_err();
        assert_eq!(keys(&problems), ["open-writes"], "{flags:?}");
    }
}

#[test]
fn writes_are_open_only_to_those_who_say_so() {
    let local = ["--storage=local", "--storage-local-rootdir=/srv/charts"];
    let ours = ["memory:"];
    for (flags, variables, expected) in [
        (&ours[..], &[][..], false),
        (&ours, &[("CHARTROOM_OPEN_WRITES", "true")], true),
        // Outside of ChartMuseum's configuration it says nothing of the kind.
        (&ours, &[("CHARTROOM_DISABLE_API", "false")], false),
        (&ours, &[("DISABLE_API", "false")], false),
        (&local, &[], false),
        (&local, &[("DISABLE_API", "true")], false),
        (&local, &[("DISABLE_API", "")], false),
        (&local, &[("DISABLE_API", "false")], true),
        (&local, &[("DISABLE_API", "0")], true),
        (&local, &[("CHARTROOM_DISABLE_API", "false")], true),
        (&local, &[("OPEN_WRITES", "true")], false),
    ] {
        let config = load(flags, variables).unwrap();
        assert_eq!(config.auth.open_writes, expected, "{flags:?} {variables:?}");
    }
    let flags = [&local[..], &["--disable-api=false"]].concat();
    assert!(load(&flags, &[]).unwrap().auth.open_writes);
    let (_directory, path) =
        file("storage.backend: local\nstorage.local.rootdir: /x\ndisableapi: false\n");
    assert!(load(&["--config", &path], &[]).unwrap().auth.open_writes);
    // Where there is authentication, that decides.
    let flags = [&flags[..], &["--basic-auth-user=u", "--basic-auth-pass=p"]].concat();
    assert!(!load(&flags, &[]).unwrap().auth.open_writes);
}
