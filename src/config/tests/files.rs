//! The forms of a configuration file.

use super::*;

const LOCAL: &str = "storage: {backend: local, local: {rootdir: /srv/charts}}\n";

fn museum(text: &str) -> Result<Config, Problems> {
    let (_directory, path) = file(&format!("{LOCAL}{text}"));
    load(&["--config", &path], &[])
}

#[test]
fn chartmuseums_file_is_nested_or_dotted_in_any_case_and_our_names_are_keys_too() {
    for text in [
        "listen: {host: 127.0.0.1}\nport: 9\nmaxUploadSize: 5\n",
        "listen.host: 127.0.0.1\nPORT: '9'\nMAXUPLOADSIZE: 5\n",
        "Listen:\n  Host: 127.0.0.1\nport: 9\nmax-upload-size: 5\n",
        "listen-host: 127.0.0.1\nport: 9\nmaxuploadsize: 5\nlogjson: ~\n",
    ] {
        let config = museum(text).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9", "{text}");
        assert_eq!(config.http.max_upload_size, 5, "{text}");
        assert_eq!(config.storage.to_string(), "/srv/charts", "{text}");
        assert_eq!(config.notices, [""; 0], "{text}");
    }
}

#[test]
fn unknown_keys_are_a_notice_in_chartmuseums_file_and_a_problem_in_ours() {
    let notices = museum("max:\n  upload: 5\nchartname: x\n").unwrap().notices;
    assert_eq!(notices.len(), 2, "{notices:?}");
    for (notice, key) in notices.iter().zip(["chartname", "max.upload"]) {
        assert!(notice.contains(&format!("the key {key} of")), "{notice}");
    }
    let (_directory, path) = file("listen: {host: 127.0.0.1}\nstorage: {local: {rootdir: /c}}\n");
    let problems = load(&["--config", &path], &[]).unwrap_err();
    assert_eq!(keys(&problems), ["listen", "storage"]);
    assert!(problems.0[0].fix.contains("needs storage.backend"));
}

#[test]
fn one_option_by_two_keys_and_one_key_twice_are_problems() {
    let problems = museum("listen.host: 127.0.0.1\nlisten-host: 0.0.0.0\n").unwrap_err();
    assert_eq!(keys(&problems), ["listen-host"]);
    assert_eq!(keys(&museum("Port: 1\nport: 2\n").unwrap_err()), ["port"]);
    let problems = museum("port: 1\nport: 2\n").unwrap_err();
    assert_eq!(keys(&problems), ["config"]);
    assert!(
        problems.0[0].what.contains("`port` is given twice"),
        "{problems}"
    );
}

#[test]
fn a_value_of_the_wrong_shape_is_told_by_its_key() {
    let problems = museum("tls:\n  cert: [a, b]\nconfig: x\nport: 1.5\n").unwrap_err();
    let report = problems.to_string();
    assert_eq!(keys(&problems), ["config", "tls-cert", "port"], "{report}");
    assert!(report.contains("a list is not a value (key tls.cert of file"));
}

#[test]
fn artifact_hub_ids_are_a_map_a_list_a_text_or_repeated_flags() {
    let ids = |config: Result<Config, Problems>| {
        let config = config.unwrap();
        assert_eq!(config.notices, [""; 0]);
        let ids = config.http.artifact_hub_ids.into_iter();
        let ids: Vec<String> = ids.map(|(path, id)| format!("{path}={id}")).collect();
        ids.join(" ")
    };
    let expected = "=a Org1/b.c=d";
    for text in [
        "artifact-hub-repo-id: {'': a, Org1/b.c: d}",
        "artifact-hub-repo-id: [a, Org1/b.c=d]",
        "artifact-hub-repo-id: {'': a}\nartifact-hub-repo-id.Org1/b.c: d",
        "Artifact-Hub-Repo-Id: {'': a, Org1: {}, Org1/b: {c: d}}",
    ] {
        let text = format!("{text}\ndepthdynamic: true\n");
        assert_eq!(ids(museum(&text)), expected, "{text}");
    }
    let (_directory, path) = file("artifact-hub-repo-id: {'': a, Org1/b.c: d}\n");
    let flags = ["memory:", "--depth-dynamic"];
    let by_file = [&flags[..], &["--config", &path]].concat();
    assert_eq!(ids(load(&by_file, &[])), expected);
    let repeated = [
        "--artifact-hub-repo-id=a",
        "--artifact-hub-repo-id=Org1/b.c=d",
    ];
    assert_eq!(ids(load(&[&flags[..], &repeated].concat(), &[])), expected);
    let variable = ("CHARTROOM_ARTIFACT_HUB_REPO_ID", "a, Org1/b.c=d");
    assert_eq!(ids(load(&flags, &[variable])), expected);
    // The nearer source replaces the whole list.
    let nearer = [&by_file[..], &["--artifact-hub-repo-id=Org1/b.c=e"]].concat();
    assert_eq!(ids(load(&nearer, &[])), "Org1/b.c=e");
}
