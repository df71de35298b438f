//! Variables: ours, which begin with `CHARTROOM_`; ChartMuseum's, which are bare; and those of the
//! tools of bucket services.

use std::ffi::OsString;

use super::layers::{Layer, Problem, Source, Value};
use super::options::{self, Definition, Kind, VARIABLE_PREFIX};

/// The variables of the process, or those of a test.
pub type Variables = Vec<(OsString, OsString)>;

/// Reads the environment of the process: the only place that does.
pub fn variables() -> Variables {
    std::env::vars_os().collect()
}

/// What one kind of variables says.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) layer: Layer,
    pub(super) problems: Vec<Problem>,
    /// What is worth a line in the log but stops nothing.
    pub(super) notices: Vec<String>,
}

/// Finds our options among `variables`. An empty variable counts as one that is not set, as compose
/// files and chart templates write it.
pub(super) fn ours(variables: &Variables) -> Environment {
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
        let found = options::ALL
            .iter()
            .find(|definition| definition.variable() == name);
        match found {
            Some(definition) => {
                environment.insert(definition, value, Source::Variable(name.to_owned()));
            }
            None => environment.notices.push(format!(
                "the variable {name} is not an option of chartroom and is ignored"
            )),
        }
    }
    environment
}

/// Finds ChartMuseum's options among `variables`; empty ones again count as not set.
pub(super) fn bare(variables: &Variables) -> Environment {
    let mut environment = Environment::default();
    for definition in options::ALL {
        let Some(name) = definition.museum_variable() else {
            continue;
        };
        let value = variables
            .iter()
            .rfind(|(variable, value)| variable.to_str() == Some(&name) && !value.is_empty());
        if let Some((_, value)) = value {
            environment.insert(definition, value, Source::BareVariable(name));
        }
    }
    environment
}

impl Environment {
    fn insert(&mut self, definition: &Definition, value: &OsString, source: Source) {
        match value.to_str() {
            Some(text) => {
                let text = match definition.kind {
                    Kind::List(_) => lines(text),
                    Kind::Value(_) | Kind::Switch => text.to_owned(),
                };
                self.layer.insert(definition, Value { text, source });
            }
            None => self.problems.push(Problem {
                key: definition.name.to_owned(),
                what: "the value is not UTF-8".to_owned(),
                source,
                fix: "write it in UTF-8".to_owned(),
            }),
        }
    }
}

/// Writes a list that is separated by commas as lines.
pub(super) fn lines(text: &str) -> String {
    let items: Vec<&str> = text.split(',').map(str::trim).collect();
    items.join("\n")
}

/// What the variables of the tools of bucket services begin with.
const CLOUD_PREFIXES: &[&str] = &["AWS_", "GOOGLE_", "GCLOUD_", "AZURE_"];

/// Variables of theirs that begin with nothing in common.
const CLOUD_NAMES: &[&str] = &[
    // Below it are the files that these tools keep keys and profiles in.
    "HOME",
    "STORAGE_EMULATOR_HOST",
    // Azure's managed identities.
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
];

/// Finds the variables of the tools of bucket services, and says what about them is strange.
pub(super) fn cloud(variables: &Variables) -> (Vec<(String, String)>, Vec<String>) {
    let mut found = Vec::new();
    let mut notices = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| is_cloud(name)) else {
            continue;
        };
        match value.to_str() {
            Some("") => {}
            Some(text) => found.push((name.to_owned(), text.to_owned())),
            None => notices.push(format!("the variable {name} is not UTF-8 and is ignored")),
        }
    }
    (found, notices)
}

fn is_cloud(name: &str) -> bool {
    CLOUD_NAMES.contains(&name) || CLOUD_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
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
