//! `docs/openapi.yaml` against the route table and against every reply that these tests see.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::{HeaderName, Method, StatusCode};
use chartroom::chart::yaml::{self, Budget};
use chartroom::http::routes::ROUTES;
use serde_json::{Map, Value};

use crate::support::Reply;

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let text = include_str!("../../docs/openapi.yaml");
    Document(yaml::from_str(text, Budget::for_bytes(1 << 20)).unwrap())
});

struct Document(Value);

/// An operation with the parameters of its path.
struct Operation<'a> {
    fields: &'a Map<String, Value>,
    parameters: Vec<&'a Value>,
}

impl Document {
    /// Returns what a reference leads to, or the value itself.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value.get("$ref") else {
            return value;
        };
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let target = self.0.pointer(pointer);
        target.unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// Returns all operations by method and path.
    fn operations(&self) -> BTreeMap<(String, String), Operation<'_>> {
        let mut operations = BTreeMap::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            let of_path = item["parameters"].as_array().unwrap();
            for (method, operation) in item.as_object().unwrap() {
                if method == "parameters" {
                    continue;
                }
                let fields = operation.as_object().unwrap();
                let own = fields.get("parameters").and_then(Value::as_array);
                let parameters = of_path.iter().chain(own.into_iter().flatten());
                let parameters = parameters.map(|value| self.resolve(value)).collect();
                let key = (method.to_uppercase(), path.clone());
                operations.insert(key, Operation { fields, parameters });
            }
        }
        operations
    }

    /// Tells whether a value is as a schema says, and has nothing that the schema does not name.
    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = self.resolve(schema);
        if schema
            .get("const")
            .is_some_and(|constant| constant != value)
        {
            return Err(format!("{value} is not {}", schema["const"]));
        }
        let types = match schema.get("type") {
            Some(Value::Array(types)) => types.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        if !types.is_empty()
            && !types
                .iter()
                .any(|name| is_of(name.as_str().unwrap(), value))
        {
            return Err(format!("{value} is not of type {types:?}"));
        }
        if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
            for item in list {
                self.fits(items, item)?;
            }
        }
        let Some(fields) = value.as_object() else {
            return Ok(());
        };
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{value} lacks {name}"));
            }
        }
        let others = schema.get("additionalProperties");
        for (name, field) in fields {
            match schema
                .get("properties")
                .and_then(|known| known.get(name))
                .or(others)
            {
                Some(known) => self.fits(known, field)?,
                // An object of which nothing is said can hold anything.
                None if schema.get("properties").is_none() => {}
                None => return Err(format!("{name} is not documented: {value}")),
            }
        }
        Ok(())
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

/// Whether a path of a server with one repository and no context path fits a row.
fn fits_row(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) =
        (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(wanted, segment)| {
            *wanted == segment || (wanted.starts_with('{') && !segment.is_empty())
        })
}

/// Checks a reply that some test got.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    let row = ROUTES
        .iter()
        .find(|route| route.method == *method && fits_row(route.pattern, path));
    // What any path can get is told in the description: a method or path that does not exist, or that
    // is not open to the client.
    let is_nowhere = reply.status == 404 && reply.text_or_nothing() == r#"{"error":"not found"}"#;
    let is_wrong = matches!(reply.status.as_u16(), 401 | 403 | 405 | 421 | 429) || is_nowhere;
    let Some(row) = row.filter(|_| !is_wrong) else {
        return;
    };
    let key = (row.method.to_string(), row.pattern.to_owned());
    let operations = DOCUMENT.operations();
    let responses = &operations[&key].fields["responses"];
    let documented = responses.get(reply.status.as_str());
    let documented = documented.unwrap_or_else(|| panic!("not documented for {key:?}: {reply}"));
    let documented = DOCUMENT.resolve(documented);
    let headers = documented["headers"].as_object().unwrap();
    for name in reply.headers.keys().map(HeaderName::as_str) {
        let is_named = headers.keys().any(|known| known.eq_ignore_ascii_case(name));
        assert!(
            !name.starts_with("x-chartroom-") || is_named,
            "{key:?}: {name} is not documented"
        );
    }
    for (name, header) in headers {
        let is_required = DOCUMENT.resolve(header).get("required") == Some(&Value::Bool(true));
        assert!(
            !is_required || reply.headers.contains_key(name),
            "{key:?} lacks {name}: {reply}"
        );
    }
    // A failed HEAD without a body has no type either, and neither has a 304.
    if reply.status == StatusCode::NOT_MODIFIED {
        return;
    }
    let media_type = reply.header("content-type");
    let content = documented["content"].get(media_type);
    let content = content.unwrap_or_else(|| panic!("{key:?}: {media_type} is not documented"));
    let is_plain = !reply.body.is_empty() && reply.header("content-encoding").is_empty();
    let value = match media_type {
        _ if !is_plain => return,
        "application/json" | "application/json; charset=utf-8" => {
            serde_json::from_slice(&reply.body).unwrap()
        }
        "application/x-yaml" => yaml::from_str(reply.text(), Budget::for_bytes(16 << 20)).unwrap(),
        _ => return,
    };
    if let Err(problem) = DOCUMENT.fits(&content["schema"], &value) {
        panic!("{key:?} {}: {problem}", reply.status);
    }
}

#[test]
fn every_row_is_documented_and_nothing_else() {
    let rows = ROUTES.iter();
    let rows: BTreeSet<_> = rows
        .map(|route| (route.method.to_string(), route.pattern.to_owned()))
        .collect();
    let documented: BTreeSet<_> = DOCUMENT.operations().into_keys().collect();
    assert_eq!(rows, documented);
}

#[test]
fn the_document_is_that_of_this_version_and_whole() {
    let document = &DOCUMENT.0;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut ids = BTreeSet::new();
    for (key, operation) in DOCUMENT.operations() {
        let id = operation.fields["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        let summary = operation.fields.get("summary");
        assert!(key.0 == "HEAD" || summary.is_some(), "{key:?}");
        let in_path: BTreeSet<&str> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let captured = key
            .1
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{'));
        let captured: BTreeSet<&str> = captured.map(|name| name.trim_end_matches('}')).collect();
        assert_eq!(in_path, captured, "{key:?}");
        let names: BTreeSet<&str> = operation
            .parameters
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), operation.parameters.len(), "{key:?}");
        assert!(names.contains("X-Request-Id"), "{key:?}");
        let is_of_a_repository = operation.fields["tags"][0] != "server";
        for (status, response) in operation.fields["responses"].as_object().unwrap() {
            let headers = &DOCUMENT.resolve(response)["headers"];
            assert!(headers.get("X-Request-Id").is_some(), "{key:?} {status}");
            for name in ["X-Chartroom-Generation", "X-Chartroom-Stale"] {
                let is_there = headers.get(name).is_some();
                assert_eq!(is_there, is_of_a_repository, "{key:?} {status} {name}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_part_is_used() {
    fn collect<'a>(value: &'a Value, references: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                references.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| collect(field, references));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            _ => {}
        }
    }
    let mut references = BTreeSet::new();
    collect(&DOCUMENT.0, &mut references);
    let mut parts = BTreeSet::new();
    for (kind, of_kind) in DOCUMENT.0["components"].as_object().unwrap() {
        for name in of_kind.as_object().unwrap().keys() {
            parts.insert(format!("#/components/{kind}/{name}"));
        }
    }
    let references: BTreeSet<String> = references.into_iter().map(str::to_owned).collect();
    assert_eq!(references, parts);
}

/// A check that takes everything checks nothing.
#[test]
fn a_reply_that_is_not_documented_is_noticed() {
    let version = &DOCUMENT.0["components"]["schemas"]["Version"];
    let mut value = serde_json::json!({
        "name": "a", "version": "1.0.0", "apiVersion": "v2", "urls": [], "created": "now"
    });
    DOCUMENT.fits(version, &value).unwrap();
    value["appVersion"] = 1.into();
    assert!(DOCUMENT.fits(version, &value).is_err(), "a wrong type");
    value["appVersion"] = "1".into();
    value["unknown"] = "1".into();
    assert!(DOCUMENT.fits(version, &value).is_err(), "an unknown field");
    let missing = serde_json::json!({"name": "a"});
    assert!(DOCUMENT.fits(version, &missing).is_err(), "a missing field");
}
