//! When ChartMuseum's configuration counts, and how it ranks.

use super::*;

const ROOTDIR: &str = "--storage-local-rootdir=/srv/charts";

#[test]
fn a_backends_name_from_any_source_makes_the_variables_and_defaults_count() {
    let (_museum, museum) = file("storage: {backend: local}\n");
    let (_ours, ours) = file("storage: local\n");
    for (flags, variables) in [
        (vec!["--storage=local"], vec![]),
        (vec!["LOCAL"], vec![]),
        (vec![], vec![("STORAGE", "local")]),
        (vec![], vec![("CHARTROOM_STORAGE", "Local")]),
        (vec!["--config", &museum], vec![]),
        (vec!["--config", &ours], vec![]),
        (vec![], vec![("CONFIG", museum.as_str())]),
        (vec![], vec![("CHARTROOM_CONFIG", museum.as_str())]),
    ] {
        let case = format!("{flags:?} {variables:?}");
        let flags = [vec![ROOTDIR], flags].concat();
        let config = load(&flags, &variables).unwrap();
        assert_eq!(config.listen.to_string(), "0.0.0.0:8080", "{case}");
        let interval = config.repositories.refresh_interval;
        assert_eq!(interval, Duration::from_mins(5), "{case}");
        assert!(config.chartmuseum.is_some(), "{case}");
        assert_eq!(config.notices, [""; 0], "{case}");
        let variables = [variables, vec![("PORT", "9"), ("DEBUG", "yes")]].concat();
        let config = load(&flags, &variables).unwrap();
        assert_eq!(config.listen.to_string(), "0.0.0.0:9", "{case}");
        assert_eq!(config.log.level.to_string(), "DEBUG", "{case}");
    }
}

#[test]
fn without_a_backends_name_bare_variables_do_not_count() {
    let (_file, path) = file("port: 1\n");
    let variables = [
        ("PORT", "tcp://10.0.0.1:80"),
        ("DEBUG", "*"),
        ("STORAGE", "/srv/charts"),
        ("CONFIG", path.as_str()),
        ("BASIC_AUTH_USER", "alice"),
        ("STORAGE_AMAZON_BUCKET", "charts"),
    ];
    let config = load(&["memory:"], &variables).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8879");
    assert!(config.chartmuseum.is_none());
    insta::assert_snapshot!(config.notices.join("\n"), @"
    the variable STORAGE is ignored, since nothing names a storage backend of ChartMuseum; chartroom's own is CHARTROOM_STORAGE
    the variable CONFIG is ignored, since nothing names a storage backend of ChartMuseum; chartroom's own is CHARTROOM_CONFIG
    ");
    // A file that is not there is nobody's concern either.
    load(&["memory:"], &[("CONFIG", "/nonexistent")]).unwrap();
}

#[test]
fn flags_win_over_our_variables_over_bare_ones_over_the_file_over_the_default() {
    let (_file, path) = file("storage.backend: local\nport: 4\n");
    let ours = ("CHARTROOM_PORT", "2");
    let bare = ("PORT", "3");
    for (flags, variables, port) in [
        (vec!["--port=1"], vec![ours, bare], 1),
        (vec![], vec![bare, ours], 2),
        (vec![], vec![bare], 3),
        (vec![], vec![("CHARTROOM_PORT", ""), bare], 3),
        (vec![], vec![("PORT", "")], 4),
        (vec![], vec![], 4),
    ] {
        let flags = [vec![ROOTDIR, "--config", &path], flags].concat();
        let config = load(&flags, &variables).unwrap();
        assert_eq!(config.listen.port(), port, "{flags:?} {variables:?}");
    }
}

#[test]
fn a_place_in_our_words_wins_over_a_backends_name_and_its_other_variables_still_count() {
    let variables = [
        ("STORAGE", "amazon"),
        ("STORAGE_AMAZON_BUCKET", "old"),
        ("STORAGE_AMAZON_REGION", "eu-central-1"),
        ("BASIC_AUTH_USER", "alice"),
        ("BASIC_AUTH_PASS", "secret"),
        ("CHARTROOM_STORAGE", "s3://new/charts"),
    ];
    let config = load(&[], &variables).unwrap();
    assert_eq!(config.storage.to_string(), "s3://new/charts");
    assert_eq!(config.buckets.region.as_deref(), Some("eu-central-1"));
    assert!(config.auth.scheme.is_some());
    assert_eq!(
        config.notices,
        [
            "storage-amazon-bucket (variable STORAGE_AMAZON_BUCKET) is not used: the storage is not `amazon`"
        ]
    );
}

#[test]
fn two_names_for_one_thing_follow_precedence_and_must_not_contradict_each_other() {
    let storage = ["--storage=local", ROOTDIR];
    let interval = |flags: &[&str], variables: &[(&str, &str)]| {
        load(&[&storage, flags].concat(), variables)
            .map(|config| config.repositories.refresh_interval.as_secs())
    };
    let ours = "--refresh-interval=10s";
    assert_eq!(interval(&[ours], &[("CACHE_INTERVAL", "1m")]), Ok(10));
    let variable = ("CHARTROOM_REFRESH_INTERVAL", "10s");
    assert_eq!(interval(&["--cache-interval=300"], &[variable]), Ok(300));
    assert_eq!(interval(&[ours, "--cache-interval=10s"], &[]), Ok(10));
    let problems = interval(&[ours, "--cache-interval=1m"], &[]).unwrap_err();
    assert_eq!(keys(&problems), ["cache-interval"]);
    assert_eq!(interval(&["--cache-interval=0"], &[]), Ok(0));
}

#[test]
fn wrong_variables_are_told_as_any_other_problem() {
    let variables = [
        ("STORAGE", "local"),
        ("STORAGE_LOCAL_ROOTDIR", "/srv/charts"),
        ("PORT", "web"),
        ("DEBUG", "maybe"),
        ("CACHE_INTERVAL", "soon"),
        ("DEPTH", "9"),
        ("DISABLE_STATEFILES", "perhaps"),
    ];
    let problems = load(&[], &variables).unwrap_err();
    insta::assert_snapshot!(problems.to_string(), @"
    5 problems in the configuration
      cache-interval: `soon` is not a duration (variable CACHE_INTERVAL)
        fix: write a number and a unit, such as 500ms, 30s or 2m
      port: `web` is not a port (variable PORT)
        fix: write a number from 0 to 65535
      depth: `9` is not a depth (variable DEPTH)
        fix: write a number from 0 to 8, or use depth-dynamic
      debug: `maybe` is not true or false (variable DEBUG)
        fix: write true or false
      disable-statefiles: `perhaps` is not true or false (variable DISABLE_STATEFILES)
        fix: write true or false
    ");
}

#[test]
fn a_misspelt_backend_is_no_directory() {
    let (_file, path) = file("storage:\n  backend: amazn\n");
    let problems = load(&["-c", &path], &[]).unwrap_err();
    assert_eq!(keys(&problems), ["storage"]);
    let problems = load(&["-c", &path], &[("STORAGE", "googel")]).unwrap_err();
    assert!(
        problems.0[0]
            .what
            .contains("`googel` is not a storage backend")
    );
    let notices = load(&["memory:"], &[("STORAGE", "amazn")]).unwrap().notices;
    assert_eq!(notices.len(), 1, "{notices:?}");
    // With nothing else to go by, it is not passed over for some other directory.
    let problems = load(&[], &[("STORAGE", "amazn")]).unwrap_err();
    assert_eq!(keys(&problems), ["storage"]);
    assert!(
        problems.to_string().contains("variable STORAGE"),
        "{problems}"
    );
}

#[test]
fn the_values_of_chartmuseums_own_chart_start_without_a_notice() {
    let flags = ["--port=8080", "--storage-local-rootdir=/storage"];
    let variables = [
        ("STORAGE", "local"),
        ("STORAGE_TIMESTAMP_TOLERANCE", "1s"),
        ("CHART_POST_FORM_FIELD_NAME", "chart"),
        ("PROV_POST_FORM_FIELD_NAME", "prov"),
        ("DEPTH", "0"),
        ("DEBUG", "false"),
        ("LOG_JSON", "true"),
        ("DISABLE_STATEFILES", "false"),
        ("ENABLE_METRICS", "true"),
        ("DISABLE_API", "true"),
        ("ALLOW_OVERWRITE", "false"),
        ("CHART_URL", ""),
        ("AUTH_ANONYMOUS_GET", "false"),
        ("CONTEXT_PATH", ""),
        ("INDEX_LIMIT", "0"),
        ("CACHE", ""),
        ("CACHE_REDIS_ADDR", ""),
        ("CACHE_REDIS_DB", "0"),
        ("BEARER_AUTH", "false"),
        ("AUTH_REALM", ""),
        ("STORAGE_AMAZON_FORCE_PATH_STYLE", ""),
        ("WEB_TEMPLATE_PATH", ""),
    ];
    let config = load(&flags, &variables).unwrap();
    assert_eq!(config.notices, [""; 0]);
    assert_eq!(config.storage.to_string(), "/storage");
    assert!(config.http.metrics && !config.http.api);
}

#[test]
fn a_bare_config_that_cannot_be_read_is_a_problem_once_a_backend_is_named() {
    let variables = [("STORAGE", "local"), ("CONFIG", "/nonexistent")];
    let problems = load(&[ROOTDIR], &variables).unwrap_err();
    assert_eq!(keys(&problems), ["config"]);
    let (_file, path) = file("storage.backend: local\nport: 4\n");
    let ours = [variables[1], ("CHARTROOM_CONFIG", path.as_str())];
    assert_eq!(load(&[ROOTDIR], &ours).unwrap().listen.port(), 4);
}
