//! One request with the reply that ChartMuseum gives, and with ours where it is another one on purpose.

use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::subject::{Program, Subject};
use crate::wire::{Ask, Reply};

/// The media types of ChartMuseum's replies.
pub(crate) const JSON: Option<&str> = Some("application/json; charset=utf-8");
pub(crate) const INDEX_TYPE: Option<&str> = Some("application/x-yaml");
pub(crate) const TAR: Option<&str> = Some("application/x-tar");
pub(crate) const SIGNATURE: Option<&str> = Some("application/pgp-signature");
pub(crate) const YAML: Option<&str> = Some("application/yaml");
pub(crate) const HTML: Option<&str> = Some("text/html");
pub(crate) const PLAIN: Option<&str> = Some("text/plain");

/// What a reply has to be.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    status: u16,
    kind: Option<&'static str>,
    body: Body,
}

/// What a body has to be.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Exactly this, once digests are `<digest>` and times `<time>`.
    Text(String),
    /// Exactly these bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Empty,
    /// `{"error":"<text>"}`. Ours may add a `hint`, and to a 5xx the request's id.
    Error(String),
    /// Somewhere in it is this.
    Has(&'static str),
    /// A chart's versions, or a list of charts with their versions, in order.
    Versions(&'static [&'static str]),
}

pub(crate) fn text(text: impl Into<String>) -> Body {
    Body::Text(text.into())
}

pub(crate) fn error(text: impl Into<String>) -> Body {
    Body::Error(text.into())
}

/// A header that a reply has, or has not.
#[derive(Clone, Debug)]
struct Header {
    name: &'static str,
    theirs: Option<&'static str>,
    ours: Option<&'static str>,
}

/// A request and its replies.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The row of docs/compatibility.md that is about it.
    pub(crate) row: &'static str,
    ask: Ask,
    theirs: Expected,
    ours: Option<Expected>,
    headers: Vec<Header>,
    /// Why ours is another one.
    pub(crate) reason: Option<&'static str>,
}

impl Case {
    /// A reply that is the same from both.
    pub(crate) fn same(
        row: &'static str,
        name: &'static str,
        ask: Ask,
        status: u16,
        kind: Option<&'static str>,
        body: Body,
    ) -> Self {
        Self {
            name,
            row,
            ask,
            theirs: Expected { status, kind, body },
            ours: None,
            headers: Vec::new(),
            reason: None,
        }
    }

    /// Says what a header is in both replies.
    pub(crate) fn header(self, name: &'static str, value: Option<&'static str>) -> Self {
        self.headers(name, value, value)
    }

    /// Says what a header is in ChartMuseum's reply, and in ours.
    pub(crate) fn headers(
        mut self,
        name: &'static str,
        theirs: Option<&'static str>,
        ours: Option<&'static str>,
    ) -> Self {
        self.headers.push(Header { name, theirs, ours });
        self
    }

    /// Says what chartroom's reply is instead, and why.
    pub(crate) fn but(
        mut self,
        status: u16,
        kind: Option<&'static str>,
        body: Body,
        reason: &'static str,
    ) -> Self {
        self.ours = Some(Expected { status, kind, body });
        self.reason = Some(reason);
        self
    }

    /// Sends the request and tells what is wrong with the reply.
    pub(crate) fn play(&self, subject: &Subject, program: &Program) -> Result<(), String> {
        let (expected, is_ours) = match &self.ours {
            Some(ours) if program.is_ours() => (ours, true),
            _ => (&self.theirs, program.is_ours()),
        };
        subject
            .ask_until(&self.ask, |reply| {
                expected.check(reply, is_ours)?;
                self.headers
                    .iter()
                    .try_for_each(|header| header.check(reply, is_ours))
            })
            .map_err(|wrong| format!("{}: {}: {wrong}", self.name, self.ask))
    }
}

impl Header {
    fn check(&self, reply: &Reply, is_ours: bool) -> Result<(), String> {
        let expected = if is_ours { self.ours } else { self.theirs };
        let found = reply.header(self.name);
        if found == expected {
            return Ok(());
        }
        Err(format!("{} is not {expected:?} but {found:?}", self.name))
    }
}

impl Expected {
    fn check(&self, reply: &Reply, is_ours: bool) -> Result<(), String> {
        if reply.status != self.status {
            return Err(format!("not {} but {reply}", self.status));
        }
        if reply.header("Content-Type") != self.kind {
            return Err(format!("not of type {:?} but {reply}", self.kind));
        }
        self.body.check(reply, is_ours)
    }
}

impl Body {
    fn check(&self, reply: &Reply, is_ours: bool) -> Result<(), String> {
        let is_right = match self {
            Self::Text(text) => *text == steady(&reply.text()),
            Self::Bytes(bytes) => *bytes == reply.body,
            Self::Empty => reply.body.is_empty(),
            Self::Has(part) => reply.text().contains(part),
            Self::Error(error) if is_ours => return check_error(error, reply),
            Self::Error(error) => {
                let exact = serde_json::json!({ "error": error });
                reply.text() == escape(&exact.to_string())
            }
            Self::Versions(versions) => return check_versions(versions, reply),
        };
        if is_right {
            return Ok(());
        }
        Err(format!("not {self:?} but {reply}"))
    }
}

/// The error is ChartMuseum's; beside it there may be what helps, and nothing else.
fn check_error(error: &str, reply: &Reply) -> Result<(), String> {
    let said: Value =
        serde_json::from_slice(&reply.body).map_err(|wrong| format!("{wrong}: {reply}"))?;
    let allowed = |key: &String| {
        key == "error" || key == "hint" || (key == "request_id" && reply.status >= 500)
    };
    let is_map = said.as_object().is_some_and(|map| map.keys().all(allowed));
    if is_map && said["error"] == error {
        return Ok(());
    }
    Err(format!("not the error {error:?} but {reply}"))
}

/// Compares `name-version` of all that is listed.
fn check_versions(expected: &[&str], reply: &Reply) -> Result<(), String> {
    let said: Value =
        serde_json::from_slice(&reply.body).map_err(|wrong| format!("{wrong}: {reply}"))?;
    let mut found = Vec::new();
    collect(&said, &mut found);
    if found == expected {
        return Ok(());
    }
    Err(format!("not {expected:?} but {found:?}"))
}

fn collect(said: &Value, found: &mut Vec<String>) {
    match said {
        Value::Array(versions) => versions.iter().for_each(|version| collect(version, found)),
        Value::Object(map) => match (map.get("name"), map.get("version")) {
            (Some(Value::String(name)), Some(Value::String(version))) => {
                found.push(format!("{name}-{version}"));
            }
            _ => map.values().for_each(|versions| collect(versions, found)),
        },
        _ => {}
    }
}

/// As Go's encoder escapes.
fn escape(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// Replaces digests and times.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if hex >= 64 {
            steady.push_str("<digest>");
            rest = &rest[64..];
        } else if rest.starts_with("20") && rest.get(10..11) == Some("T") {
            let end = rest.find('"').unwrap_or(rest.len());
            steady.push_str("<time>");
            rest = &rest[end..];
        } else {
            steady.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    steady
}

/// A server with options of ChartMuseum's, and requests to it in their order.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) options: Vec<String>,
    pub(crate) cases: Vec<Case>,
    /// Holds the files that options name.
    files: Option<Arc<TempDir>>,
}

impl Scenario {
    pub(crate) fn new(name: &'static str, options: &[&str], cases: Vec<Case>) -> Self {
        Self {
            name,
            options: options.iter().map(|&option| option.to_owned()).collect(),
            cases,
            files: None,
        }
    }

    /// Keeps the files that options name.
    pub(crate) fn with_files(mut self, files: TempDir) -> Self {
        self.files = Some(Arc::new(files));
        self
    }

    /// Plays all requests against a server over an empty directory; returns every complaint.
    pub(crate) fn play(&self, program: &Program) -> Vec<String> {
        let scratch = tempfile::tempdir().expect("a temporary directory");
        let storage = scratch.path().join("storage");
        std::fs::create_dir(&storage).expect("a folder is made");
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        let subject = program.over(&storage, &options);
        let complain = |wrong| format!("{}: {wrong}", self.name);
        self.cases
            .iter()
            .filter_map(|case| case.play(&subject, program).err().map(complain))
            .collect()
    }
}
