//! `CHARTROOM_*` variables.

use std::ffi::OsString;

use super::layers::{Layer, Problem, Source, Value};
use super::options::{self, Definition, VARIABLE_PREFIX};

/// The variables of the process, or those of a test.
pub type Variables = Vec<(OsString, OsString)>;

/// Reads the environment of the process: the only place that does.
pub fn variables() -> Variables {
    std::env::vars_os().collect()
}

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) layer: Layer,
    pub(super) problems: Vec<Problem>,
    /// What is worth a line in the log but stops nothing.
    pub(super) notices: Vec<String>,
}

/// Finds the options among `variables`. An empty variable counts as one that is not set, as compose
/// files and chart templates write it.
pub(super) fn layer(variables: &Variables) -> Environment {
    let mut environment = Environment::default();
    for (name, value) in variables {
        let Some(name) = name
            .to_str()
            .filter(|name| name.starts_with(VARIABLE_PREFIX))
        else {
            continue;
        };
        if value.is_empty() || is_service_link(name, &value.to_string_lossy()) {
            continue;
        }
        let Some(definition) = find(name) else {
            let notice =
                format!("the variable {name} is not an option of chartroom and is ignored");
            environment.notices.push(notice);
            continue;
        };
        let source = Source::Variable(definition.variable());
        match value.to_str() {
            Some(text) => environment.layer.insert(
                definition,
                Value {
                    text: text.to_owned(),
                    source,
                },
            ),
            None => environment.problems.push(Problem {
                key: definition.name.to_owned(),
                what: "the value is not UTF-8".to_owned(),
                source,
                fix: "write it in UTF-8".to_owned(),
            }),
        }
    }
    environment
}

fn find(variable: &str) -> Option<&'static Definition> {
    options::ALL
        .iter()
        .copied()
        .find(|definition| definition.variable() == variable)
}

/// In a namespace with a Service called `chartroom`, Kubernetes gives every pod variables such as
/// `CHARTROOM_PORT=tcp://10.0.0.1:80` and `CHARTROOM_SERVICE_HOST`: they are not about us.
fn is_service_link(name: &str, value: &str) -> bool {
    let rest = name.trim_start_matches(VARIABLE_PREFIX);
    let is_url = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    (rest == "PORT" && is_url) || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}
