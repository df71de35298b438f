//! Ways to start a ChartMuseum, as its README and its Helm chart have them.

use std::fs;
use std::path::Path;

use crate::places::Place;
use crate::subject::{Launch, Program, Subject, free_port};

/// One way to start a ChartMuseum. `{port}` and `{file}` are filled in, and every file is below the
/// working directory.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    flags: Vec<String>,
    variables: Vec<(String, String)>,
    /// What stands in `config.yaml`.
    file: Option<&'static str>,
    /// What stands before its paths.
    pub(crate) prefix: &'static str,
    /// The repository that is used; behind the prefix, and behind `/api`.
    pub(crate) repository: &'static str,
    /// Where the archive is below the working directory, if it is a file.
    pub(crate) stored: Option<&'static str>,
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let of = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(of).collect()
}

impl Way {
    fn new(name: &'static str, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self {
            name,
            flags: texts(flags),
            variables: pairs(variables),
            file: None,
            prefix: "",
            repository: "",
            stored: None,
        }
    }

    pub(crate) fn start(&self, program: &Program, home: &Path) -> Subject {
        let port = free_port();
        let fill = |text: &String| text.replace("{port}", &port.to_string());
        let flags: Vec<String> = self.flags.iter().map(fill).collect();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        if let Some(text) = self.file {
            let text = text.replace("{port}", &port.to_string());
            fs::write(home.join("config.yaml"), text).expect("a file is written");
        }
        let mut launch = Launch::new(home)
            .flags(&flags)
            .below(self.prefix)
            .on_port(port);
        for (name, value) in &self.variables {
            launch = launch.variable(name, fill(value));
        }
        launch.start(program)
    }
}

/// The ways to keep charts in a directory, as ChartMuseum's README and chart have them.
pub(crate) fn local() -> Vec<Way> {
    vec![
        Way {
            stored: Some("chartstorage/mychart-0.1.0.tgz"),
            ..Way::new(
                "the command of the README",
                &[
                    "--debug",
                    "--port={port}",
                    "--storage=local",
                    "--storage-local-rootdir=./chartstorage",
                ],
                &[],
            )
        },
        Way {
            stored: Some("charts/mychart-0.1.0.tgz"),
            ..Way::new(
                "the variables of the README's docker command",
                &[],
                &[
                    ("DEBUG", "1"),
                    ("STORAGE", "local"),
                    ("STORAGE_LOCAL_ROOTDIR", "charts"),
                    ("PORT", "{port}"),
                ],
            )
        },
        Way {
            stored: Some("storage/mychart-0.1.0.tgz"),
            ..Way::new(
                "what the Helm chart sets: its argument, and all its variables",
                &["--port={port}", "--storage-local-rootdir=storage"],
                &[
                    ("STORAGE", "local"),
                    ("STORAGE_ALIBABA_BUCKET", ""),
                    ("STORAGE_ALIBABA_PREFIX", ""),
                    ("STORAGE_ALIBABA_ENDPOINT", ""),
                    ("STORAGE_ALIBABA_SSE", ""),
                    ("STORAGE_AMAZON_BUCKET", ""),
                    ("STORAGE_AMAZON_PREFIX", ""),
                    ("STORAGE_AMAZON_REGION", ""),
                    ("STORAGE_AMAZON_ENDPOINT", ""),
                    ("STORAGE_AMAZON_SSE", ""),
                    ("STORAGE_GOOGLE_BUCKET", ""),
                    ("STORAGE_GOOGLE_PREFIX", ""),
                    ("STORAGE_MICROSOFT_CONTAINER", ""),
                    ("STORAGE_MICROSOFT_PREFIX", ""),
                    ("STORAGE_OPENSTACK_CONTAINER", ""),
                    ("STORAGE_ORACLE_COMPARTMENTID", ""),
                    ("CHART_POST_FORM_FIELD_NAME", "chart"),
                    ("PROV_POST_FORM_FIELD_NAME", "prov"),
                    ("DEPTH", "0"),
                    ("DEBUG", "false"),
                    ("LOG_JSON", "true"),
                    ("DISABLE_STATEFILES", "false"),
                    ("ENABLE_METRICS", "false"),
                    ("DISABLE_API", "false"),
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
                    ("AUTH_SERVICE", ""),
                    ("AUTH_CERT_PATH", ""),
                    ("MAX_STORAGE_OBJECTS", "0"),
                    ("CACHE_INTERVAL", "5m"),
                    ("WEB_TEMPLATE_PATH", ""),
                ],
            )
        },
        Way {
            prefix: "/helm/charts",
            repository: "/org/team",
            stored: Some("storage/org/team/mychart-0.1.0.tgz"),
            ..Way::new(
                "tenants below a context path, by variables",
                &[],
                &[
                    ("STORAGE", "LOCAL"),
                    ("STORAGE_LOCAL_ROOTDIR", "storage"),
                    ("PORT", "{port}"),
                    ("LISTEN_HOST", "127.0.0.1"),
                    ("CONTEXT_PATH", "/helm/charts"),
                    ("DEPTH", "2"),
                    ("READ_TIMEOUT", "60"),
                    ("WRITE_TIMEOUT", "60"),
                    ("MAX_UPLOAD_SIZE", "1048576"),
                    ("INDEX_LIMIT", "2"),
                    ("STORAGE_TIMESTAMP_TOLERANCE", "1s"),
                    ("LOG_LATENCY_INTEGER", "t"),
                ],
            )
        },
        Way {
            file: Some(
                "debug: true\nport: {port}\nstorage.backend: local\nstorage.local.rootdir: storage\ndepth: 1\n",
            ),
            repository: "/org",
            stored: Some("storage/org/mychart-0.1.0.tgz"),
            ..Way::new(
                "the README's configuration file",
                &["--config", "./config.yaml"],
                &[],
            )
        },
        Way {
            file: Some(
                "logJSON: true\nport: {port}\nstorage:\n  backend: local\n  local:\n    rootdir: storage\nlisten:\n  host: 127.0.0.1\ncors:\n  alloworigin: '*'\nno-such-key: 1\n",
            ),
            stored: Some("storage/mychart-0.1.0.tgz"),
            ..Way::new(
                "a nested configuration file, by its variable",
                &[],
                &[("CONFIG", "config.yaml")],
            )
        },
        Way {
            stored: Some("storage/mychart-0.1.0.tgz"),
            ..Way::new(
                "options that nothing needs any more",
                &[
                    "--port={port}",
                    "--storage=local",
                    "--storage-local-rootdir=storage",
                    "--disable-statefiles",
                    "--always-regenerate-chart-index",
                    "--enforce-semver2",
                    "--disable-metrics",
                ],
                &[],
            )
        },
    ]
}

/// The README's commands for a bucket, with the address of the test's server.
pub(crate) fn on_a_bucket(place: &Place, name: &'static str) -> Way {
    let mut flags = texts(&["--debug", "--port={port}"]);
    flags.extend(place.flags());
    Way {
        flags,
        variables: place.variables(),
        ..Way::new(name, &[], &[])
    }
}

/// The same by variables, as in a pod.
pub(crate) fn by_variables(place: &Place, name: &'static str) -> Way {
    let mut variables = pairs(&[("PORT", "{port}"), ("DISABLE_API", "false")]);
    for flag in place.flags() {
        let (flag, value) = flag.split_once('=').expect("a flag with a value");
        let variable = flag
            .trim_start_matches('-')
            .to_ascii_uppercase()
            .replace('-', "_");
        variables.push((variable, value.to_owned()));
    }
    variables.extend(place.variables());
    Way {
        variables,
        ..Way::new(name, &[], &[])
    }
}
