//! A server with users, a token and a policy: what helm can do with each.

use std::fs;

use crate::server::Server;
use crate::session::Session;

const POLICY: &str = "
rules:
  - {name: readers, to: ['user:reader', 'token:ci'], allow: [pull], repositories: [/]}
  - {name: writers, to: ['user:writer'], allow: [pull, push], repositories: [/]}
";

/// Tells the story against a fresh server, which may let everybody read provenance files.
pub(crate) fn tell(session: &mut Session, opens_provenance: bool) {
    session.note(&format!(
        "users, a token and a policy; --anonymous-prov={opens_provenance}"
    ));
    let (server, token) = serve(session, opens_provenance);
    let url = server.url();
    refuse_uploads(session, &format!("{url}/api/charts"));

    session
        .helm_fails(&["repo", "add", "room", url])
        .shows("401");
    let add = |user, password| {
        [
            "repo",
            "add",
            "room",
            url,
            "--username",
            user,
            "--password",
            password,
        ]
    };
    session.helm_fails(&add("reader", "bad-hush")).shows("401");
    for (user, password) in [("reader", "reader-hush"), ("whoever", &token)] {
        session.helm(&add(user, password)).shows("has been added");
        session
            .helm(&["search", "repo", "room/"])
            .shows("room/sealed");
        let pull = [
            "pull",
            "room/sealed",
            "--verify",
            "--keyring",
            "public.gpg",
            "--destination",
            "pulled",
        ];
        session.helm(&pull);
        session.same_bytes("sealed-2.0.0.tgz", "pulled/sealed-2.0.0.tgz");
        let template = [
            "template",
            "x",
            "room/sealed",
            "--verify",
            "--keyring",
            "public.gpg",
        ];
        // helm 4.2 to 4.3.1 asks for the provenance without credentials.
        if session.is_v4() && !opens_provenance {
            session.helm_fails(&template);
        } else {
            session.helm(&template).shows("hello from sealed");
        }
        session.helm(&["repo", "remove", "room"]);
    }
    let said = server.said();
    for secret in ["hush", token.as_str()] {
        assert!(!said.contains(secret), "the log has {secret}: {said}");
    }
    assert!(server.stop().success(), "{}", session.transcript());
}

/// Starts the server, and makes a token that is good for reading.
fn serve(session: &mut Session, opens_provenance: bool) -> (Server, String) {
    let [reader, writer] = ["reader-hush", "writer-hush"]
        .map(|password| bcrypt::hash(password, 4).expect("a password can be hashed"));
    let file = |name: &str, text: &str| {
        let path = session.path(name);
        fs::write(&path, text).expect("a file is written");
        path.to_string_lossy().into_owned()
    };
    let users = file("users", &format!("reader:{reader}\nwriter:{writer}\n"));
    let policy = file("policy.yaml", POLICY);
    session.chartroom(&["token", "key", "--key", "token.pem"]);
    let create = "token create --key token.pem --subject ci --grant pull:/ --expires 1h";
    let create: Vec<&str> = create.split(' ').collect();
    let token = session.chartroom(&create);
    let public = session.path("token.pem.pub").to_string_lossy().into_owned();
    let mut options = vec![
        "--htpasswd",
        &users,
        "--policy",
        &policy,
        "--token-key",
        &public,
    ];
    if opens_provenance {
        options.push("--anonymous-prov");
    }
    (session.serve(&options), token)
}

/// Lets nobody upload but who may.
fn refuse_uploads(session: &mut Session, api: &str) {
    let form = [
        "-F",
        "chart=@sealed-2.0.0.tgz",
        "-F",
        "prov=@sealed-2.0.0.tgz.prov",
    ];
    let upload = |session: &mut Session, user: &[&str], expected: &str| {
        session
            .curl(&[user, &form[..], &[api]].concat())
            .shows(expected);
    };
    upload(session, &[], "[401]");
    upload(session, &["-u", "writer:bad-hush"], "[401]");
    upload(session, &["-u", "reader:reader-hush"], "[403]");
    upload(session, &["-u", "writer:writer-hush"], "[201]");
    let forced = format!("{api}?force");
    let replace = [
        "-u",
        "writer:writer-hush",
        "--data-binary",
        "@app-1.0.0.tgz",
        &forced,
    ];
    session.curl(&replace).shows("[403]");
}
