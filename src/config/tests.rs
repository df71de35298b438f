use std::path::Path;
use std::time::Duration;

use clap::Command;

use crate::http::settings::Overwriting;

use super::*;

mod access;
mod chartmuseum_rows;
mod drop_in;
mod files;
mod http;
mod storage;

fn load(flags: &[&str], variables: &[(&str, &str)]) -> Result<Config, Problems> {
    let command = args::add_to(Command::new("chartroom"));
    let matches = command
        .try_get_matches_from([&["chartroom"], flags].concat())
        .unwrap();
    let variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    Config::load(&matches, &variables)
}

/// The problems, as keys.
fn keys(problems: &Problems) -> Vec<&str> {
    problems
        .0
        .iter()
        .map(|problem| problem.key.as_str())
        .collect()
}

fn file(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chartroom.yaml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (directory, path)
}

#[test]
fn defaults_are_valid_and_local() {
    let config = load(&["memory:"], &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8879");
    assert_eq!(config.http.max_upload_size, 20 << 20);
    assert_eq!(config.http.overwriting, Overwriting::WithForce);
    assert_eq!(config.server.drain_timeout, Duration::from_secs(20));
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(
        config.repositories.refresh_interval,
        Duration::from_secs(30)
    );
    assert_eq!(config.repositories.parallel_reads, None);
    assert_eq!(config.repositories.per_chart_limit, None);
    assert_eq!((config.tls, config.auth.scheme.is_none()), (None, true));
    assert_eq!((config.chartmuseum, config.notices), (None, Vec::new()));
    let defaults = HttpSettings::default();
    assert_eq!(format!("{:?}", config.http), format!("{defaults:?}"));
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let (_directory, path) = file("port: 3\n");
    let variable = ("CHARTROOM_PORT", "2");
    for (flags, variables, port) in [
        (vec!["--port=1"], vec![variable], 1),
        (vec![], vec![variable], 2),
        (vec![], vec![], 3),
        (vec![], vec![("CHARTROOM_PORT", "")], 3),
    ] {
        let flags = [vec!["memory:", "--config", &path], flags].concat();
        let config = load(&flags, &variables).unwrap();
        assert_eq!(config.listen.port(), port, "{flags:?} {variables:?}");
    }
    let config = load(&["memory:"], &[("CHARTROOM_CONFIG", &path)]).unwrap();
    assert_eq!(config.listen.port(), 3);
}

#[test]
fn all_problems_are_reported_together_with_source_and_fix() {
    let (_directory, path) = file("maxuploadsize: 5\nmax-uploads: [1]\nread-timeout: 0\n");
    let flags = ["memory:", "--storage=x", "--port=abc", "--config", &path];
    let problems = load(&flags, &[("CHARTROOM_LOG_FORMAT", "xml")]).unwrap_err();
    let directory = Path::new(&path).parent().unwrap().to_str().unwrap();
    let report = problems.to_string().replace(directory, "");
    insta::assert_snapshot!(report, @"
    6 problems in the configuration
      max-uploads: a list is not a value (file /chartroom.yaml)
        fix: write a single text, number, true or false
      maxuploadsize: no option has this name (file /chartroom.yaml)
        fix: write `max-upload-size`
      storage: DIR and --storage are both given (flag --storage)
        fix: give one of them
      port: `abc` is not a port (flag --port)
        fix: write a number from 0 to 65535
      read-timeout: `0` is not a deadline (file /chartroom.yaml)
        fix: write a duration above 0: without a deadline a stalled client would be served for ever
      log-format: `xml` is not one of text, json, chartmuseum (variable CHARTROOM_LOG_FORMAT)
        fix: write one of text, json, chartmuseum
    ");
}

#[test]
fn switches_and_the_options_that_they_stand_for_agree_or_the_nearer_source_wins() {
    let json = ("CHARTROOM_LOG_JSON", "true");
    for (flags, variables, format) in [
        (vec!["--log-json"], vec![], LogFormat::Json),
        (vec!["--log-json=false"], vec![json], LogFormat::Text),
        (vec!["--log-format=text"], vec![json], LogFormat::Text),
        (
            vec!["--log-format=chartmuseum"],
            vec![],
            LogFormat::Chartmuseum,
        ),
        (
            vec!["--log-json"],
            vec![("CHARTROOM_LOG_FORMAT", "text")],
            LogFormat::Json,
        ),
    ] {
        let flags = [vec!["memory:"], flags].concat();
        let config = load(&flags, &variables).unwrap();
        assert_eq!(config.log.format, format, "{flags:?} {variables:?}");
        assert_eq!(config.http.log_format, format, "{flags:?} {variables:?}");
    }
    let flags = ["memory:", "--debug", "--log-level=error"];
    assert_eq!(load(&flags, &[]).unwrap_err().0.len(), 1);
}

#[test]
fn overwriting_is_decided_as_in_chartmuseum() {
    for (flags, overwriting) in [
        (&["memory:"][..], Overwriting::WithForce),
        (
            &["memory:", "--disable-force-overwrite"],
            Overwriting::Never,
        ),
        (
            &["memory:", "--allow-overwrite", "--disable-force-overwrite"],
            Overwriting::Always,
        ),
    ] {
        assert_eq!(
            load(flags, &[]).unwrap().http.overwriting,
            overwriting,
            "{flags:?}"
        );
    }
}

#[test]
fn variables_of_a_kubernetes_service_called_chartroom_are_not_options() {
    let variables = [
        ("CHARTROOM_PORT", "tcp://10.0.0.1:80"),
        ("CHARTROOM_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("CHARTROOM_SERVICE_HOST", "10.0.0.1"),
        ("CHARTROOM_MAX_UPLOD_SIZE", "1"),
    ];
    let config = load(&["memory:"], &variables).unwrap();
    assert_eq!(config.listen.port(), 8879);
    let typo = "the variable CHARTROOM_MAX_UPLOD_SIZE is not an option of chartroom and is ignored";
    assert_eq!(config.notices, [typo]);
}

#[test]
fn a_file_that_cannot_be_read_or_is_no_map_is_one_problem() {
    let (_list, list) = file("- 1\n");
    for path in ["/nonexistent/chartroom.yaml", "/dev/zero", &list] {
        let problems = load(&["memory:", "--config", path], &[]).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert_eq!(problems.0[0].key, "config");
    }
    let (_empty, empty) = file("# nothing\n");
    load(&["memory:", "--config", &empty], &[]).unwrap();
}

/// Holds a document against what is made from the options, or writes it.
fn hold(document: &str, expected: impl FnOnce(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let actual = std::fs::read_to_string(&path).unwrap();
    let expected = expected(&actual);
    let update = variables()
        .iter()
        .any(|(name, _)| name == "CHARTROOM_UPDATE_DOCS");
    if update {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        update || actual == expected,
        "stale: run CHARTROOM_UPDATE_DOCS=1 cargo test --lib config"
    );
}

#[test]
fn the_documentation_is_that_of_the_options() {
    hold("docs/configuration.md", |_| reference());
    hold("docs/compatibility.md", |text| {
        let (before, rest) = text.split_once("<!-- options -->\n").unwrap();
        let (table, after) = rest.split_once("<!-- end of options -->\n").unwrap();
        let head: String = table.split_inclusive('\n').take(2).collect();
        let rows = compared();
        format!("{before}<!-- options -->\n{head}{rows}<!-- end of options -->\n{after}")
    });
}
