//! Every option of ChartMuseum's, as its documentation lists them and not as our table does: by flag,
//! by variable and by key of its file each comes to the same.

use secrecy::ExposeSecret;

use super::*;

/// One option in its three forms, a value, and what that comes to.
struct Row {
    flag: &'static str,
    variable: &'static str,
    key: &'static str,
    value: &'static str,
    /// Flags without which the option is a mistake; `FILE` stands for a file.
    with: &'static [&'static str],
    outcome: Outcome,
}

enum Outcome {
    /// A value that is not the default.
    Is(fn(&Config) -> String, &'static str),
    /// A line in the log that says this.
    Notice(&'static str),
    /// A problem whose fix says this.
    Fix(&'static str),
}

use Outcome::{Fix, Is, Notice};

macro_rules! rows {
    ($($flag:literal $variable:literal $key:literal = $value:literal $with:expr, $outcome:expr;)*) => {
        &[$(Row {
            flag: $flag,
            variable: $variable,
            key: $key,
            value: $value,
            with: $with,
            outcome: $outcome,
        }),*]
    };
}

const LOCAL: &[&str] = &["--storage=local", "--storage-local-rootdir=/srv/charts"];
const AMAZON: &[&str] = &["--storage=amazon", "--storage-amazon-bucket=charts"];
const GOOGLE: &[&str] = &["--storage=google", "--storage-google-bucket=charts"];
const MICROSOFT: &[&str] = &[
    "--storage=microsoft",
    "--storage-microsoft-container=charts",
];
const LOCAL_ONLY: &[&str] = &["--storage=local"];
const AMAZON_ONLY: &[&str] = &["--storage=amazon"];
const GOOGLE_ONLY: &[&str] = &["--storage=google"];
const MICROSOFT_ONLY: &[&str] = &["--storage=microsoft"];
const ROOTDIR: &[&str] = &["--storage-local-rootdir=/srv/charts"];
const USER: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--basic-auth-user=u",
];
const PASS: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--basic-auth-pass=p",
];
const CERT: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--tls-cert=FILE",
];
const KEY: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--tls-key=FILE",
];
const PAIR: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--tls-cert=FILE",
    "--tls-key=FILE",
];
const BEARER: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--auth-realm=r",
    "--auth-service=s",
    "--auth-cert-path=FILE",
];
const REALM: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--bearer-auth",
    "--auth-service=s",
    "--auth-cert-path=FILE",
];
const SERVICE: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--bearer-auth",
    "--auth-realm=r",
    "--auth-cert-path=FILE",
];
const CERT_PATH: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--bearer-auth",
    "--auth-realm=r",
    "--auth-service=s",
];
const SEARCH: &[&str] = &[
    "--storage=local",
    "--storage-local-rootdir=/c",
    "--bearer-auth",
    "--auth-realm=r",
    "--auth-service=s",
    "--auth-cert-path=FILE",
];

fn bearer(config: &Config, part: fn(&BearerAuth) -> String) -> String {
    match &config.auth.scheme {
        Some(AuthScheme::Bearer(bearer)) => part(bearer),
        other => format!("{other:?}"),
    }
}

fn basic(config: &Config) -> String {
    match &config.auth.scheme {
        Some(AuthScheme::Basic(basic)) => {
            format!("{}:{}", basic.user, basic.password.expose_secret())
        }
        other => format!("{other:?}"),
    }
}

fn tls(config: &Config) -> String {
    let Some(TlsFiles {
        certificate,
        key,
        client_ca,
    }) = &config.tls
    else {
        return String::new();
    };
    let files = [Some(certificate), Some(key), client_ca.as_ref()];
    let names = files
        .into_iter()
        .flatten()
        .map(|file| file.file_name().unwrap().to_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}

static ROWS: &[Row] = rows! {
    "gen-index" "GEN_INDEX" "genindex" = "true" LOCAL, Is(|c| c.gen_index.to_string(), "true");
    "debug" "DEBUG" "debug" = "true" LOCAL, Is(|c| c.log.level.to_string(), "DEBUG");
    "log-json" "LOG_JSON" "logjson" = "t" LOCAL, Is(|c| format!("{:?}", (c.log.format, c.http.log_format)), "(Chartmuseum, Chartmuseum)");
    "log-health" "LOG_HEALTH" "loghealth" = "1" LOCAL, Is(|c| c.http.log_health.to_string(), "true");
    "log-latency-integer" "LOG_LATENCY_INTEGER" "loglatencyinteger" = "True" LOCAL, Is(|c| c.http.log_latency_integer.to_string(), "true");
    "disable-metrics" "DISABLE_METRICS" "disablemetrics" = "true" LOCAL, Notice("metrics are off");
    "enable-metrics" "ENABLE_METRICS" "enablemetrics" = "true" LOCAL, Is(|c| c.http.metrics.to_string(), "true");
    "disable-api" "DISABLE_API" "disableapi" = "true" LOCAL, Is(|c| c.http.api.to_string(), "false");
    "disable-delete" "DISABLE_DELETE" "disabledelete" = "true" LOCAL, Is(|c| c.http.delete.to_string(), "false");
    "disable-statefiles" "DISABLE_STATEFILES" "disablestatefiles" = "true" LOCAL, Notice("no index-cache.yaml is ever written");
    "json-index" "JSON_INDEX" "json-index" = "true" LOCAL, Is(|c| format!("{:?}", c.http.index_format), "Json");
    "allow-overwrite" "ALLOW_OVERWRITE" "allowoverwrite" = "true" LOCAL, Is(|c| format!("{:?}", c.http.overwriting), "Always");
    "disable-force-overwrite" "DISABLE_FORCE_OVERWRITE" "disableforceoverwrite" = "true" LOCAL, Is(|c| format!("{:?}", c.http.overwriting), "Never");
    "port" "PORT" "port" = "9090" LOCAL, Is(|c| c.listen.to_string(), "0.0.0.0:9090");
    "listen-host" "LISTEN_HOST" "listen.host" = "127.0.0.1" LOCAL, Is(|c| c.listen.to_string(), "127.0.0.1:8080");
    "read-timeout" "READ_TIMEOUT" "readtimeout" = "60" LOCAL, Is(|c| c.http.read_timeout.as_secs().to_string(), "60");
    "write-timeout" "WRITE_TIMEOUT" "writetimeout" = "60" LOCAL, Is(|c| c.server.write_timeout.as_secs().to_string(), "60");
    "chart-url" "CHART_URL" "charturl" = "https://charts.example.com/x/" LOCAL, Is(|c| c.repositories.chart_url.clone().unwrap_or_default(), "https://charts.example.com/x");
    "context-path" "CONTEXT_PATH" "contextpath" = "charts/" LOCAL, Is(|c| c.http.context_path.to_string(), "/charts");
    "depth" "DEPTH" "depth" = "2" LOCAL, Is(|c| format!("{:?}", c.http.depth), "Fixed(2)");
    "depth-dynamic" "DEPTH_DYNAMIC" "depthdynamic" = "true" LOCAL, Is(|c| format!("{:?}", c.http.depth), "Dynamic");
    "basic-auth-user" "BASIC_AUTH_USER" "basicauth.user" = "alice" PASS, Is(basic, "alice:p");
    "basic-auth-pass" "BASIC_AUTH_PASS" "basicauth.pass" = "se:cret" USER, Is(basic, "u:se:cret");
    "auth-anonymous-get" "AUTH_ANONYMOUS_GET" "authanonymousget" = "true" LOCAL, Is(|c| c.auth.anonymous_get.to_string(), "true");
    "bearer-auth" "BEARER_AUTH" "bearerauth" = "true" BEARER, Is(|c| bearer(c, |b| b.realm.clone()), "r");
    "auth-realm" "AUTH_REALM" "authrealm" = "https://auth.example.com/token" REALM, Is(|c| bearer(c, |b| b.realm.clone()), "https://auth.example.com/token");
    "auth-service" "AUTH_SERVICE" "authservice" = "charts" SERVICE, Is(|c| bearer(c, |b| b.service.clone()), "charts");
    "auth-cert-path" "AUTH_CERT_PATH" "authcertpath" = "FILE" CERT_PATH, Is(|c| bearer(c, |b| b.certificate.file_name().unwrap().to_str().unwrap().to_owned()), "a-file");
    "auth-actions-search-path" "AUTH_ACTIONS_SEARCH_PATH" "authactionssearchpath" = "a[?b=='$NAMESPACE'].c" SEARCH, Is(|c| bearer(c, |b| b.actions_search_path.clone().unwrap_or_default()), "a[?b=='$NAMESPACE'].c");
    "tls-cert" "TLS_CERT" "tls.cert" = "FILE" KEY, Is(tls, "a-file a-file");
    "tls-key" "TLS_KEY" "tls.key" = "FILE" CERT, Is(tls, "a-file a-file");
    "tls-ca-cert" "TLS_CA_CERT" "tls.cacert" = "FILE" PAIR, Is(tls, "a-file a-file a-file");
    "cors-alloworigin" "CORS_ALLOW_ORIGIN" "cors.alloworigin" = "*" LOCAL, Is(|c| format!("{:?}", c.http.cors_allow_origin), "Some(\"*\")");
    "cache" "CACHE" "cache.store" = "redis" LOCAL, Notice("replicas agree through the storage");
    "cache-redis-addr" "CACHE_REDIS_ADDR" "cache.redis.addr" = "redis:6379" LOCAL, Notice("replicas agree through the storage");
    "cache-redis-password" "CACHE_REDIS_PASSWORD" "cache.redis.password" = "secret" LOCAL, Notice("replicas agree through the storage");
    "cache-redis-db" "CACHE_REDIS_DB" "cache.redis.db" = "1" LOCAL, Notice("replicas agree through the storage");
    "cache-interval" "CACHE_INTERVAL" "cacheinterval" = "1h30m" LOCAL, Is(|c| c.repositories.refresh_interval.as_secs().to_string(), "5400");
    "storage-timestamp-tolerance" "STORAGE_TIMESTAMP_TOLERANCE" "storage.timestamptolerance" = "2s" LOCAL, Is(|c| c.repositories.timestamp_tolerance.as_secs().to_string(), "2");
    "always-regenerate-chart-index" "ALWAYS_REGENERATE_CHART_INDEX" "always-regenerate-chart-index" = "true" LOCAL, Notice("is in the index at once");
    "index-limit" "INDEX_LIMIT" "indexlimit" = "7" LOCAL, Is(|c| format!("{:?}", c.repositories.parallel_reads), "Some(7)");
    "max-storage-objects" "MAX_STORAGE_OBJECTS" "maxstorageobjects" = "500" LOCAL, Is(|c| format!("{:?}", c.repositories.max_storage_objects), "Some(500)");
    "max-upload-size" "MAX_UPLOAD_SIZE" "maxuploadsize" = "1000" LOCAL, Is(|c| c.http.max_upload_size.to_string(), "1000");
    "per-chart-limit" "PER_CHART_LIMIT" "per-chart-limit" = "5" LOCAL, Is(|c| format!("{:?}", c.repositories.per_chart_limit), "Some(5)");
    "chart-post-form-field-name" "CHART_POST_FORM_FIELD_NAME" "chartpostformfieldname" = "package" LOCAL, Is(|c| c.http.chart_field.clone(), "package");
    "prov-post-form-field-name" "PROV_POST_FORM_FIELD_NAME" "provpostformfieldname" = "signature" LOCAL, Is(|c| c.http.provenance_field.clone(), "signature");
    "enforce-semver2" "ENFORCE_SEMVER2" "enforce-semver2" = "true" LOCAL, Notice("versions are checked as helm checks them");
    "web-template-path" "WEB_TEMPLATE_PATH" "web-template-path" = "/templates" LOCAL, Fix("a page of its own");
    "artifact-hub-repo-id" "ARTIFACT_HUB_REPO_ID" "artifact-hub-repo-id" = "an-id" LOCAL, Is(|c| format!("{:?}", c.http.artifact_hub_ids), "{RepositoryPath(\"\"): \"an-id\"}");
    "storage" "STORAGE" "storage.backend" = "Local" ROOTDIR, Is(|c| c.storage.to_string(), "/srv/charts");
    "storage-local-rootdir" "STORAGE_LOCAL_ROOTDIR" "storage.local.rootdir" = "/var/charts" LOCAL_ONLY, Is(|c| c.storage.to_string(), "/var/charts");
    "storage-amazon-bucket" "STORAGE_AMAZON_BUCKET" "storage.amazon.bucket" = "other" AMAZON_ONLY, Is(|c| c.storage.to_string(), "s3://other");
    "storage-amazon-prefix" "STORAGE_AMAZON_PREFIX" "storage.amazon.prefix" = "/a/b/" AMAZON, Is(|c| c.storage.to_string(), "s3://charts/a/b");
    "storage-amazon-region" "STORAGE_AMAZON_REGION" "storage.amazon.region" = "eu-central-1" AMAZON, Is(|c| c.buckets.region.clone().unwrap_or_default(), "eu-central-1");
    "storage-amazon-endpoint" "STORAGE_AMAZON_ENDPOINT" "storage.amazon.endpoint" = "http://127.0.0.1:9000" AMAZON, Is(|c| c.buckets.endpoint.clone().unwrap_or_default(), "http://127.0.0.1:9000");
    "storage-amazon-sse" "STORAGE_AMAZON_SSE" "storage.amazon.sse" = "aws:kms" AMAZON, Is(|c| format!("{:?}", c.buckets.encryption), "Some(Kms { key: None })");
    "storage-amazon-force-path-style" "STORAGE_AMAZON_FORCE_PATH_STYLE" "storage.amazon.forcepathstyle" = "false" AMAZON, Is(|c| format!("{:?}", c.buckets.path_style), "Some(false)");
    "storage-google-bucket" "STORAGE_GOOGLE_BUCKET" "storage.google.bucket" = "other" GOOGLE_ONLY, Is(|c| c.storage.to_string(), "gs://other");
    "storage-google-prefix" "STORAGE_GOOGLE_PREFIX" "storage.google.prefix" = "/a/b/" GOOGLE, Is(|c| c.storage.to_string(), "gs://charts/a/b");
    "storage-microsoft-container" "STORAGE_MICROSOFT_CONTAINER" "storage.microsoft.container" = "other" MICROSOFT_ONLY, Is(|c| c.storage.to_string(), "az://other");
    "storage-microsoft-prefix" "STORAGE_MICROSOFT_PREFIX" "storage.microsoft.prefix" = "/a/b/" MICROSOFT, Is(|c| c.storage.to_string(), "az://charts/a/b");
    "storage-alibaba-bucket" "STORAGE_ALIBABA_BUCKET" "storage.alibaba.bucket" = "x" LOCAL, Fix("aliyuncs.com");
    "storage-alibaba-prefix" "STORAGE_ALIBABA_PREFIX" "storage.alibaba.prefix" = "x" LOCAL, Fix("aliyuncs.com");
    "storage-alibaba-endpoint" "STORAGE_ALIBABA_ENDPOINT" "storage.alibaba.endpoint" = "x" LOCAL, Fix("aliyuncs.com");
    "storage-alibaba-sse" "STORAGE_ALIBABA_SSE" "storage.alibaba.sse" = "x" LOCAL, Fix("aliyuncs.com");
    "storage-openstack-container" "STORAGE_OPENSTACK_CONTAINER" "storage.openstack.container" = "x" LOCAL, Fix("s3api");
    "storage-openstack-prefix" "STORAGE_OPENSTACK_PREFIX" "storage.openstack.prefix" = "x" LOCAL, Fix("s3api");
    "storage-openstack-region" "STORAGE_OPENSTACK_REGION" "storage.openstack.region" = "x" LOCAL, Fix("s3api");
    "storage-openstack-cacert" "STORAGE_OPENSTACK_CACERT" "storage.openstack.cacert" = "x" LOCAL, Fix("s3api");
    "storage-openstack-auth" "STORAGE_OPENSTACK_AUTH" "storage.openstack.auth" = "x" LOCAL, Fix("s3api");
    "storage-oracle-bucket" "STORAGE_ORACLE_BUCKET" "storage.oracle.bucket" = "x" LOCAL, Fix("oraclecloud.com");
    "storage-oracle-prefix" "STORAGE_ORACLE_PREFIX" "storage.oracle.prefix" = "x" LOCAL, Fix("oraclecloud.com");
    "storage-oracle-region" "STORAGE_ORACLE_REGION" "storage.oracle.region" = "x" LOCAL, Fix("oraclecloud.com");
    "storage-oracle-compartmentid" "STORAGE_ORACLE_COMPARTMENTID" "storage.oracle.compartmentid" = "x" LOCAL, Fix("oraclecloud.com");
    "storage-baidu-bucket" "STORAGE_BAIDU_BUCKET" "storage.baidu.bucket" = "x" LOCAL, Fix("bcebos.com");
    "storage-baidu-prefix" "STORAGE_BAIDU_PREFIX" "storage.baidu.prefix" = "x" LOCAL, Fix("bcebos.com");
    "storage-baidu-endpoint" "STORAGE_BAIDU_ENDPOINT" "storage.baidu.endpoint" = "x" LOCAL, Fix("bcebos.com");
    "storage-etcd-endpoint" "STORAGE_ETCD_ENDPOINT" "storage.etcd.endpoint" = "x" LOCAL, Fix("download every archive");
    "storage-etcd-cafile" "STORAGE_ETCD_CAFILE" "storage.etcd.cafile" = "x" LOCAL, Fix("download every archive");
    "storage-etcd-certfile" "STORAGE_ETCD_CERTFILE" "storage.etcd.certfile" = "x" LOCAL, Fix("download every archive");
    "storage-etcd-keyfile" "STORAGE_ETCD_KEYFILE" "storage.etcd.keyfile" = "x" LOCAL, Fix("download every archive");
    "storage-etcd-prefix" "STORAGE_ETCD_PREFIX" "storage.etcd.prefix" = "x" LOCAL, Fix("download every archive");
    "storage-tencent-bucket" "STORAGE_TENCENT_BUCKET" "storage.tencent.bucket" = "x" LOCAL, Fix("myqcloud.com");
    "storage-tencent-prefix" "STORAGE_TENCENT_PREFIX" "storage.tencent.prefix" = "x" LOCAL, Fix("myqcloud.com");
    "storage-tencent-endpoint" "STORAGE_TENCENT_ENDPOINT" "storage.tencent.endpoint" = "x" LOCAL, Fix("myqcloud.com");
};

#[test]
fn each_option_comes_to_the_same_by_flag_by_variable_and_by_key() {
    let scratch = tempfile::tempdir().unwrap();
    let some_file = scratch.path().join("a-file");
    std::fs::write(&some_file, "x").unwrap();
    let some_file = some_file.to_str().unwrap();
    for row in ROWS {
        let value = row.value.replace("FILE", some_file);
        let with: Vec<String> = row
            .with
            .iter()
            .map(|flag| flag.replace("FILE", some_file))
            .collect();
        let with: Vec<&str> = with.iter().map(String::as_str).collect();
        let without = load(&with, &[]);

        let flag = format!("--{}={value}", row.flag);
        let by_flag = load(&[with.as_slice(), &[&flag]].concat(), &[]);
        let by_variable = load(&with, &[(row.variable, &value)]);
        let (_dotted, dotted) = file(&format!("{}: {}\n", row.key, quoted(&value)));
        let by_dotted = load(&[with.as_slice(), &["--config", &dotted]].concat(), &[]);
        let (_nested, nested) = file(&nested(row.key, &value));
        let by_nested = load(&[with.as_slice(), &["-c", &nested]].concat(), &[]);

        let name = row.flag;
        for (source, result) in [
            ("flag", &by_flag),
            ("variable", &by_variable),
            ("dotted key", &by_dotted),
            ("nested key in capitals", &by_nested),
        ] {
            check(&format!("{name} by {source}"), row, &without, result);
        }
        let text = plain(&by_flag);
        for other in [&by_variable, &by_dotted, &by_nested] {
            assert_eq!(plain(other), text, "{name}");
        }
    }
}

fn check(
    what: &str,
    row: &Row,
    without: &Result<Config, Problems>,
    result: &Result<Config, Problems>,
) {
    match (&row.outcome, result) {
        (Is(read, expected), Ok(config)) => {
            assert_eq!(read(config), *expected, "{what}");
            if let Ok(without) = without {
                assert_ne!(read(without), *expected, "{what} is the default");
            }
        }
        (Notice(expected), Ok(config)) => {
            let notices = &config.notices;
            assert_eq!(notices.len(), 1, "{what}: {notices:?}");
            assert!(notices[0].contains(expected), "{what}: {notices:?}");
            assert!(notices[0].contains(row.flag), "{what}: {notices:?}");
            assert!(!notices[0].contains("secret"), "{what}: {notices:?}");
        }
        (Fix(expected), Err(problems)) => {
            assert_eq!(keys(problems), [row.flag], "{what}: {problems}");
            assert!(problems.0[0].fix.contains(expected), "{what}: {problems}");
        }
        (_, Ok(config)) => panic!("{what}: {config:?}"),
        (_, Err(problems)) => panic!("{what}: {problems}"),
    }
}

/// The configuration without where it comes from.
fn plain(result: &Result<Config, Problems>) -> String {
    match result {
        Ok(config) => {
            let config = Config {
                chartmuseum: None,
                notices: Vec::new(),
                ..config.clone()
            };
            format!("{config:?}")
        }
        Err(problems) => keys(problems).join(" "),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn nested(key: &str, value: &str) -> String {
    let mut text = String::new();
    for (level, part) in key.to_uppercase().split('.').enumerate() {
        if level > 0 {
            text.push('\n');
        }
        text.push_str(&" ".repeat(level));
        text.push_str(part);
        text.push(':');
    }
    format!("{text} {}\n", quoted(value))
}

#[test]
fn the_table_of_options_has_each_of_them_under_the_same_names() {
    for row in ROWS {
        let found = options::ALL
            .iter()
            .find(|definition| definition.name == row.flag);
        let definition = found.unwrap_or_else(|| panic!("--{} is unknown", row.flag));
        assert_eq!(definition.museum_variable().as_deref(), Some(row.variable));
        assert_eq!(definition.museum.unwrap().key, row.key);
    }
    let extra: Vec<&str> = options::ALL
        .iter()
        .filter(|definition| definition.museum.is_some())
        .map(|definition| definition.name)
        .filter(|name| ROWS.iter().all(|row| row.flag != *name))
        .collect();
    // It names the file that the keys are in, and has tests of its own.
    assert_eq!(extra, ["config"]);
}

#[test]
fn a_cache_that_is_not_redis_is_refused_as_there() {
    let flags = [LOCAL, &["--cache=memcached", "--cache-redis-db=x"]].concat();
    let problems = load(&flags, &[]).unwrap_err();
    assert_eq!(keys(&problems), ["cache", "cache-redis-db"]);
    assert!(problems.0[0].what.contains("unsupported cache store"));
}

#[test]
fn what_is_not_needed_is_one_line_for_each_reason() {
    let flags = [
        LOCAL,
        &[
            "--cache=redis",
            "--cache-redis-addr=redis:6379",
            "--disable-statefiles",
        ],
    ]
    .concat();
    let off = [("ENFORCE_SEMVER2", "false"), ("DISABLE_METRICS", "")];
    let notices = load(&flags, &off).unwrap().notices;
    insta::assert_snapshot!(notices.join("\n"), @"
    cache (flag --cache), cache-redis-addr (flag --cache-redis-addr) are not needed: replicas agree through the storage itself, so there is no cache to share
    disable-statefiles (flag --disable-statefiles) is not needed: no index-cache.yaml is ever written; one that ChartMuseum left is read once, for the times in it
    ");
}
