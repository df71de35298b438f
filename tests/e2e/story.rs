//! What people do with a repository, from the first upload to the last delete.

use std::fs;

use crate::fixture::write_chart;
use crate::session::Session;

/// Tells the story against a fresh server, whose repository URL ends in `path`.
pub(crate) fn tell(session: &mut Session, format: &str, path: &str) {
    session.note(&format!(
        "index format {format}, repository URL ending in {path:?}"
    ));
    let server = session.serve(&["--index-format", format]);
    let api = format!("{}/api/charts", server.url());
    let repository = format!("{}{path}", server.url());

    add_an_empty_repository(session, &repository);
    upload(session, &api);
    find_and_fetch(session, &repository);
    depend(session, &repository);
    refuse_a_second_upload(session, &api);
    withdraw(session, &api, &repository);

    let status = server.stop();
    session.note(&format!("SIGTERM: the server ends with {status}"));
    assert!(
        status.success(),
        "the server ends with {status}\n{}",
        session.transcript()
    );
}

/// A repository can be added before anything is in it.
fn add_an_empty_repository(session: &mut Session, repository: &str) {
    session
        .helm(&["repo", "add", "room", repository])
        .shows("has been added");
    session
        .helm(&["search", "repo", "room/"])
        .shows("No results found");
}

fn upload(session: &mut Session, api: &str) {
    let saved = "{\"saved\":true} [201]";
    session
        .curl(&["--data-binary", "@app-1.0.0.tgz", api])
        .shows(saved);
    session
        .curl(&["--data-binary", "@app-1.1.0+build.5.tgz", api])
        .shows(saved);
    session
        .curl(&[
            "-F",
            "chart=@sealed-2.0.0.tgz",
            "-F",
            "prov=@sealed-2.0.0.tgz.prov",
            api,
        ])
        .shows(saved);
    // The words of a beginner: a file name in the place of the file.
    session
        .curl(&["--data-binary", "./app-1.0.0.tgz", api])
        .shows("[400]")
        .shows("@");
}

fn find_and_fetch(session: &mut Session, repository: &str) {
    session.helm(&["repo", "update"]).shows("Update Complete");
    session
        .helm(&["search", "repo", "room/", "--versions"])
        .shows("room/app")
        .shows("1.1.0+build.5")
        .shows("1.0.0")
        .shows("room/sealed")
        .shows("1.10");

    session.helm(&["pull", "room/app", "--version", "1.0.0", "-d", "pulled"]);
    session.same_bytes("app-1.0.0.tgz", "pulled/app-1.0.0.tgz");
    // The newest one, whose file name has a plus.
    session.helm(&["pull", "room/app", "-d", "pulled"]);
    session.same_bytes("app-1.1.0+build.5.tgz", "pulled/app-1.1.0+build.5.tgz");
    session.helm(&[
        "pull",
        "app",
        "--repo",
        repository,
        "--version",
        "1.0.0",
        "-d",
        "by-url",
    ]);
    session.same_bytes("app-1.0.0.tgz", "by-url/app-1.0.0.tgz");
    let verified = [
        "pull",
        "room/sealed",
        "--verify",
        "--keyring",
        "public.gpg",
        "-d",
        "pulled",
    ];
    session.helm(&verified).shows("Signed by: chartroom test");
    session.same_bytes("sealed-2.0.0.tgz", "pulled/sealed-2.0.0.tgz");
    session.same_bytes("sealed-2.0.0.tgz.prov", "pulled/sealed-2.0.0.tgz.prov");
    // What is not signed does not verify.
    session.helm_fails(&[
        "pull",
        "room/app",
        "--verify",
        "--keyring",
        "public.gpg",
        "-d",
        "unverified",
    ]);

    let version = ["--version", "1.0.0"];
    let show = |what| [&["show", what, "room/app"], &version[..]].concat();
    session
        .helm(&show("chart"))
        .shows("name: app")
        .shows("version: 1.0.0")
        .shows("ünïcode");
    session.helm(&show("readme")).shows("Read me, 1.0.0.");
    session
        .helm(&show("values"))
        .shows("greeting: hello from app");
    session
        .helm(&["template", "mine", "room/app"])
        .shows("name: mine")
        .shows("greeting: hello from app");
    session
        .helm(&["template", "mine", "app", "--repo", repository])
        .shows("greeting: hello from app");
}

/// By the name of a repository, by its URL, and by the URL of one that was never added.
fn depend(session: &mut Session, repository: &str) {
    for (folder, address) in [("by-name", "@room"), ("by-address", repository)] {
        let chart = format!("parent-{folder}");
        let parent = session.path(&chart);
        write_chart(&parent, "parent", "0.1.0");
        let file = parent.join("Chart.yaml");
        let text = fs::read_to_string(&file).expect("it was written");
        let dependency =
            format!("dependencies: [{{name: app, version: ~1.0.0, repository: \"{address}\"}}]\n");
        fs::write(&file, text + &dependency).expect("a file is written");
        session.helm(&["dependency", "update", &chart]);
        session.same_bytes("app-1.0.0.tgz", &format!("{chart}/charts/app-1.0.0.tgz"));
        session.helm(&["dependency", "build", &chart]);
    }
    session.helm(&["repo", "remove", "room"]);
    session.helm(&["dependency", "update", "parent-by-address"]);
    session.helm(&["repo", "add", "room", repository]);
}

fn refuse_a_second_upload(session: &mut Session, api: &str) {
    let conflict = ["--data-binary", "@app-1.0.0.tgz", api];
    session
        .curl(&conflict)
        .shows("{\"error\":\"file already exists\"")
        .shows("[409]");
    let form = ["-F", "chart=@sealed-2.0.0.tgz", api];
    session.curl(&form).shows("already exists").shows("[409]");
    let forced = format!("{api}?force");
    session
        .curl(&["--data-binary", "@app-1.0.0.tgz", &forced])
        .shows("{\"saved\":true} [201]");
}

fn withdraw(session: &mut Session, api: &str, repository: &str) {
    let deleted = "{\"deleted\":true} [200]";
    session
        .curl(&["-X", "DELETE", &format!("{api}/app/1.0.0")])
        .shows(deleted);
    session
        .curl(&["-X", "DELETE", &format!("{api}/sealed/2.0.0")])
        .shows(deleted);
    session
        .curl(&["-X", "DELETE", &format!("{api}/sealed/2.0.0")])
        .shows("[404]");
    session.helm(&["repo", "update"]).shows("Update Complete");
    let left = session.helm(&["search", "repo", "room/", "--versions"]);
    left.shows("1.1.0+build.5")
        .hides("1.0.0")
        .hides("room/sealed");
    session.helm_fails(&["pull", "room/sealed", "-d", "gone"]);
    session.helm_fails(&["pull", "room/app", "--version", "1.0.0", "-d", "gone"]);
    for file in ["app-1.0.0.tgz", "sealed-2.0.0.tgz", "sealed-2.0.0.tgz.prov"] {
        session
            .curl(&[&format!("{repository}/charts/{file}")])
            .shows("[404]");
    }
    session
        .curl(&["-X", "DELETE", &format!("{api}/app/1.1.0+build.5")])
        .shows(deleted);
    session.helm(&["repo", "update"]);
    session
        .helm(&["search", "repo", "room/"])
        .shows("No results found");
}
