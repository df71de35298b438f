//! What the API allows, and how repositories are kept.

use super::*;
use crate::http::settings::IndexFormat;

fn with(flags: &[&str]) -> Result<Config, Problems> {
    load(&[&["memory:"], flags].concat(), &[])
}

#[test]
fn values_that_are_none_are_told_by_their_option() {
    for (flag, wrong) in [
        ("context-path", "/a/../b"),
        ("context-path", "/a?b"),
        ("depth", "9"),
        ("depth", "-1"),
        ("depth-dynamic", "maybe"),
        ("disable-api", "2"),
        ("chart-url", "charts.example.com"),
        ("chart-url", "ftp://charts.example.com"),
        ("chart-url", "https://charts.example.com/?a"),
        ("chart-url", "https://charts.example.com/#a"),
        ("max-storage-objects", "-1"),
        ("per-chart-limit", "many"),
        ("index-limit", "1.5"),
        ("storage-timestamp-tolerance", "-1s"),
        ("cache-interval", "5 m"),
        ("log-retention", "9s"),
        ("repository-idle", "0"),
        ("max-loaded-repositories", "0"),
        ("cors-alloworigin", "a\nb"),
        ("chart-post-form-field-name", "prov"),
        ("chart-post-form-field-name", ""),
        ("prov-post-form-field-name", "chart"),
        ("artifact-hub-repo-id", "a: b"),
        ("artifact-hub-repo-id", "../x=id"),
        ("artifact-hub-repo-id", "a,b"),
        ("artifact-hub-repo-id", "org="),
        ("storage-sse", "aws:kms:dsse"),
        ("storage-endpoint", "ftp://x"),
        ("storage-ca-cert", "/nonexistent"),
        ("read-timeout", "0"),
        ("client-rate", "-1"),
        ("trusted-proxies", "10.0.0.0/33"),
        ("trusted-proxies", "127.0.0.1,proxy.example"),
        ("allowed-hosts", "charts.example:8443"),
        ("allowed-hosts", "https://charts.example"),
        ("allowed-hosts", "*"),
        ("max-upload-size", "0"),
        ("log-latency-integer", "ns"),
    ] {
        let storage = if flag.starts_with("storage-") {
            "s3://b"
        } else {
            "memory:"
        };
        let problems = load(&[storage, &format!("--{flag}={wrong}")], &[]).unwrap_err();
        assert_eq!(keys(&problems), [flag], "{wrong}: {problems}");
    }
}

#[test]
fn zero_is_no_limit() {
    let zeros = [
        "--max-storage-objects=0",
        "--per-chart-limit=0",
        "--index-limit=0",
    ];
    let config = with(&zeros).unwrap();
    assert_eq!(config.registry().repository.parallel_reads, 4);
    let repositories = config.repositories;
    assert_eq!(repositories.max_storage_objects, None);
    assert_eq!(repositories.per_chart_limit, None);
    let bucket = load(&["s3://bucket"], &[]).unwrap();
    assert_eq!(bucket.registry().repository.parallel_reads, 16);
}

#[test]
fn hosts_are_checked_on_a_loopback_address_and_where_they_are_named() {
    let hosts = |flags: &[&str]| with(flags).unwrap().http.hosts;
    let names = || vec!["charts.example".to_owned(), "::1".to_owned()];
    let allowed = "--allowed-hosts=Charts.example.,[::1]";
    assert_eq!(hosts(&[]), Hosts::Loopback(Vec::new()));
    assert_eq!(
        hosts(&["--listen-host=::1", allowed]),
        Hosts::Loopback(names())
    );
    assert_eq!(hosts(&["--listen-host=0.0.0.0"]), Hosts::Any);
    assert_eq!(
        hosts(&["--listen-host=0.0.0.0", allowed]),
        Hosts::Named(names())
    );
}

#[test]
fn the_form_fields_are_two() {
    let same = [
        "--chart-post-form-field-name=x",
        "--prov-post-form-field-name=x",
    ];
    assert_eq!(
        keys(&with(&same).unwrap_err()),
        ["prov-post-form-field-name"]
    );
}

#[test]
fn an_index_is_printed_only_if_there_is_one() {
    assert!(with(&["--gen-index"]).unwrap().gen_index);
    assert!(!with(&["--gen-index=false", "--depth=2"]).unwrap().gen_index);
    for depth in ["--depth=1", "--depth-dynamic"] {
        let problems = with(&["--gen-index", depth]).unwrap_err();
        assert_eq!(keys(&problems), ["gen-index"], "{depth}");
    }
}

#[test]
fn dynamic_depth_wins_and_says_so() {
    let config = with(&["--depth=2", "--depth-dynamic"]).unwrap();
    assert_eq!(config.http.depth, Depth::Dynamic);
    assert_eq!(config.notices, ["depth is not used: depth-dynamic is on"]);
}

#[test]
fn ids_that_nobody_can_ask_for_are_a_notice() {
    let flags = ["--depth=1", "--artifact-hub-repo-id=a,org=b,org/team=c"];
    let notices = with(&flags).unwrap().notices;
    assert_eq!(notices.len(), 2, "{notices:?}");
}

#[test]
fn the_index_is_json_by_either_name() {
    let format = |flags: &[&str]| with(flags).map(|config| config.http.index_format);
    assert_eq!(format(&["--json-index"]), Ok(IndexFormat::Json));
    assert_eq!(format(&["--json-index=false"]), Ok(IndexFormat::Auto));
    assert!(format(&["--json-index", "--index-format=yaml"]).is_err());
    let empty = ["--context-path=", "--chart-url=", "--cors-alloworigin="];
    let config = with(&empty).unwrap();
    assert_eq!(config.http.cors_allow_origin, None);
    assert_eq!(config.repositories.chart_url, None);
}
