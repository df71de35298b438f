//! ChartMuseum's options that do nothing here, and those that cannot.

use super::backend::Backend;
use super::layers::{Reader, Value};
use super::options::{self, CACHE, CACHE_REDIS_DB, Definition, Here, Kind, STORAGE};
use super::parse::{self, Wrong};

/// Notes those that are given: a notice for one that is not needed, a problem for one that stops the
/// start.
pub(super) fn note(reader: &mut Reader) {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for definition in options::ALL {
        let Some(museum) = definition.museum else {
            continue;
        };
        let Some(value) = reader.find_any(definition).cloned() else {
            continue;
        };
        match museum.here {
            Here::Same | Here::Differs(_) => {}
            Here::NotNeeded(reason) => {
                if is_on(reader, definition, &value) {
                    let option = format!("{} ({})", definition.name, value.source);
                    match reasons.iter_mut().find(|(other, _)| *other == reason) {
                        Some((_, options)) => options.push(option),
                        None => reasons.push((reason, vec![option])),
                    }
                }
            }
            Here::Refused(instead) => refuse(reader, definition, value, instead),
        }
    }
    for (reason, options) in reasons {
        let verb = if options.len() == 1 { "is" } else { "are" };
        reader.notices.push(format!(
            "{} {verb} not needed: {reason}",
            options.join(", ")
        ));
    }
}

/// Tells whether an option would do something in ChartMuseum; notes a value that would stop it.
fn is_on(reader: &mut Reader, definition: &Definition, value: &Value) -> bool {
    let checked = match definition.kind {
        Kind::Switch => parse::switch(&value.text),
        _ if definition.name == CACHE.name => cache(&value.text).map(|()| true),
        // ChartMuseum's chart sets it to its default.
        _ if definition.name == CACHE_REDIS_DB.name => parse::number(&value.text).map(|db| db != 0),
        _ => Ok(true),
    };
    checked.unwrap_or_else(|wrong| {
        reader.note(definition, value.source.clone(), wrong);
        false
    })
}

fn cache(text: &str) -> Result<(), Wrong> {
    if text.eq_ignore_ascii_case("redis") {
        return Ok(());
    }
    Err(Wrong {
        what: format!("`{text}` is an unsupported cache store"),
        fix: "remove it: no cache is needed".to_owned(),
    })
}

fn refuse(reader: &mut Reader, definition: &Definition, value: Value, instead: &str) {
    let backend = Backend::of_option(definition);
    let storage = reader
        .find_any(&STORAGE)
        .and_then(|storage| Backend::named(&storage.text));
    // The problem with the backend says it all.
    if backend.is_some() && backend.map(Backend::name) == storage.map(Backend::name) {
        return;
    }
    let what = match backend {
        Some(backend) => format!("chartroom has no storage backend `{}`", backend.name()),
        None => "chartroom does not have it".to_owned(),
    };
    let fix = instead.to_owned();
    reader.note(definition, value.source, Wrong { what, fix });
}
